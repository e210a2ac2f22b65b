"""Reads the source of cells: what each binds, uses and may change, in Python and in SQL."""
