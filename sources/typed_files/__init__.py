"""Files that people type or save again: how their bytes become lines, and their cells values.

Nothing is guessed: what is certain is read, whatever program saved it; all else is refused with
its line, its column and what to write instead.
"""
