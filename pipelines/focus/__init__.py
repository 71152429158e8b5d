"""FOCUS, the FinOps Foundation's columns for bills: which there are, files in them, and a judge.

`columns.csv` has the columns of each version, `rules.toml` what must hold between them. Both are
read by the export and by the judge, so that what is written is what is asked for.
"""
