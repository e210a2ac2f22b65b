"""A bounded part of a table as values: what a preview has read, before anybody draws it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum

__all__ = ["COLUMNS", "DATA_RESOURCE", "Cut", "Kind", "Schema", "Table", "TableColumn", "Value"]

DATA_RESOURCE = "application/vnd.dataresource+json"
"""Rows with a Table Schema, see https://specs.frictionlessdata.io/tabular-data-resource/."""

COLUMNS = 250
"""Columns that are shown at the most; of a DataFrame the others are not even read."""


class Kind(Enum):
    """What the values of a column are, and how they are held."""

    INTEGER = "integer"
    """``int`` of any size."""
    FLOAT = "float"
    """``float``, with NaN and infinities."""
    DECIMAL = "decimal"
    """``Decimal``, all of one scale."""
    BOOLEAN = "boolean"
    TEXT = "text"
    DATE = "date"
    """ISO 8601 text, as are the next three."""
    TIME = "time"
    TIMESTAMP = "timestamp"
    """A blank stands before the time, and the offset of the session's time zone behind it."""
    LOCAL_TIMESTAMP = "local timestamp"
    """As above without an offset."""
    BINARY = "binary"
    """Text of hexadecimal digits."""
    ARRAY = "array"
    """Text of JSON, as are the next two."""
    OBJECT = "object"
    VARIANT = "variant"
    OTHER = "other"
    """Text as Spark writes it: intervals, types of users."""


@dataclass(frozen=True)
class Cut:
    """The beginning of a long value.

    Attributes
    ----------
    length
        Of the whole value, in ``unit``.
    """

    text: str
    length: int
    unit: str = "characters"


Value = int | float | Decimal | str | Cut | None


@dataclass(frozen=True)
class TableColumn:
    """One column.

    Attributes
    ----------
    type
        As Spark writes it; empty where nothing is known.
    values
        One for each row; None stands for null.
    """

    name: str
    type: str
    kind: Kind
    values: Sequence[Value] = ()


@dataclass(frozen=True)
class Table:
    """The first rows of something.

    Attributes
    ----------
    row_count
        Of the rows that are here; a table without columns has some too.
    has_more
        Whether there are rows beyond.
    omitted_columns
        How many columns were left out.
    noun
        What it is, such as ``DataFrame``.
    can_read_more
        Whether ``display(df, limit=N)`` gives more rows.
    remark
        What else is to be said of it, such as that fewer rows were read than asked for.
    """

    columns: tuple[TableColumn, ...]
    row_count: int
    has_more: bool = False
    omitted_columns: int = 0
    noun: str = "DataFrame"
    can_read_more: bool = True
    remark: str = ""


@dataclass(frozen=True)
class Schema:
    """What is shown in place of rows that were not read.

    Attributes
    ----------
    columns
        Names and types.
    reason
        Why there are no rows, and how to have them.
    is_failure
        Whether reading was tried.
    """

    columns: tuple[tuple[str, str], ...]
    reason: str = ""
    is_failure: bool = False
    omitted_columns: int = 0
