"""Where in a cell of SQL something is."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SQL_PLACE", "SqlPlace"]

SQL_PLACE = "_spark_kernel_sql"
"""The attribute of an exception that holds the ``SqlPlace`` of the statement that it ended."""


@dataclass(frozen=True)
class SqlPlace:
    """The statement that failed, and the place in it.

    Attributes
    ----------
    statement_number
        Of the statement among all of its cell, from 1 on; ``of`` counts them.
    text
        The statement.
    line, column
        The place in ``text``, both from 1 on; 0 where it is not known.
    cell_line
        The line of the cell in which the statement begins; ``%%sql`` stands in the first.
    width
        How many characters are meant; 1 where only the place is known.
    """

    statement_number: int
    of: int
    text: str
    line: int = 0
    column: int = 0
    cell_line: int = 1
    width: int = 1
