"""Closes of months: what they froze, what moves against it, and what a change would move."""
