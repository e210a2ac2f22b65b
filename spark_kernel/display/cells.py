"""The text of each value of a table; what is cut says so, with its true length."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from spark_kernel.protocol.table import Cut, Kind, TableColumn, Value

__all__ = ["NULL", "NUMBERS", "cell_texts", "float_text", "sort_code"]

NULL = "NULL"
NUMBERS = (Kind.INTEGER, Kind.FLOAT, Kind.DECIMAL)

_EXACT_TEXTS = (Kind.DATE, Kind.TIME, Kind.TIMESTAMP, Kind.LOCAL_TIMESTAMP)
_ORDERED_TEXTS = (Kind.TEXT, Kind.BOOLEAN, Kind.BINARY, Kind.TIME)
_ORDINARY_DATE = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?)?")


def cell_texts(column: TableColumn, width: int) -> list[str | None]:
    """Give the text of each value of a column; None stands for null.

    Parameters
    ----------
    width
        The characters at which a text is cut; a number, a date and a time never is.
    """
    values: Sequence[Any] = column.values
    match column.kind:
        case Kind.INTEGER:
            return [None if value is None else str(value) for value in values]
        case Kind.BOOLEAN:
            return [None if value is None else ("true" if value else "false") for value in values]
        case Kind.FLOAT:
            return [None if value is None else float_text(value) for value in values]
        case Kind.DECIMAL:
            return [None if value is None else format(value, "f") for value in values]
    if column.kind in _EXACT_TEXTS:
        return list(values)
    return [
        value if value is None or (type(value) is str and len(value) <= width) else
        _shortened(value, width, column.kind)
        for value in values
    ]  # fmt: skip


def float_text(value: float) -> str:
    """Give the shortest text that reads as the same number; the others as Spark names them."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _shortened(value: Value, width: int, kind: Kind) -> str:
    if isinstance(value, Cut):
        return f"{value.text[:width]}… ({value.length:,} {value.unit})"
    text = str(value)
    size = f"{len(text) // 2:,} bytes" if kind is Kind.BINARY else f"{len(text):,} characters"
    return f"{text[:width]}… ({size})"


def sort_code(column: TableColumn) -> str:
    """Say how the browser compares the texts of a column; empty where it could not do it right.

    ``n`` are numbers with one number of decimals, ``f`` floats, ``s`` texts, ``d`` timestamps.
    """
    if column.kind in (Kind.INTEGER, Kind.DECIMAL):
        return "n"
    if column.kind is Kind.FLOAT:
        return "f"
    if column.kind in _ORDERED_TEXTS:
        return "s"
    if column.kind not in _EXACT_TEXTS:
        return ""
    values = (value for value in column.values if value is not None)
    if not all(_ORDINARY_DATE.fullmatch(str(value)) for value in values):
        return ""
    return "d" if column.kind is Kind.TIMESTAMP else "s"
