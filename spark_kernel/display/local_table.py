"""Tables of what is in Python already: lists of rows, catalog objects, pandas.DataFrame."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from spark_kernel.protocol.table import COLUMNS, Kind, Table, TableColumn, Value

__all__ = ["is_listed", "list_table", "pandas_table"]

_ROW_MODULES = ("pyspark.sql.types", "pyspark.sql.catalog")


def is_listed(values: list[Any]) -> bool:
    """Whether a list is one of rows with names, or of catalog objects; it is not gone through."""
    if not values or type(values[0]).__module__ not in _ROW_MODULES:
        return False
    first, last = values[0], values[-1]
    return type(last) is type(first) and bool(_names(first)) and _names(last) == _names(first)


def list_table(values: Sequence[Any], limit: int) -> Table | None:
    """Give the first rows of a list; None where they are no rows of one table."""
    names = _names(values[0])
    rows = values[:limit]
    # The places alone do not tell: Row(a=1, b=2) and Row(b=3, a=4) have two each.
    if any(_names(row) != names or len(row) != len(names) for row in rows):
        return None
    shown = names[:COLUMNS]
    columns = [[row[number] for row in rows] for number in range(len(shown))]
    return Table(
        tuple(_column(name, column) for name, column in zip(shown, columns, strict=True)),
        len(rows),
        len(values) > limit,
        len(names) - len(shown),
        noun="List of rows",
        can_read_more=False,
    )


def pandas_table(frame: Any, limit: int) -> Table:
    """Give the first rows of a ``pandas.DataFrame``, with an index that is more than a count."""
    rows = frame.head(limit)
    columns = []
    if type(frame.index).__name__ != "RangeIndex":
        columns.append(_column(str(frame.index.name or "index"), rows.index.tolist()))
    for number, name in enumerate(frame.columns[:COLUMNS]):
        part = rows.iloc[:, number]
        values = [None if _is_missing(value) else value for value in part.tolist()]
        columns.append(_column(str(name), values, str(part.dtype)))
    omitted = max(0, len(frame.columns) - COLUMNS)
    return Table(tuple(columns), len(rows), len(frame) > limit, omitted, noun="pandas.DataFrame")


def _is_missing(value: object) -> bool:
    return type(value).__name__ in ("NAType", "NaTType")


def _names(row: Any) -> tuple[str, ...]:
    names = getattr(type(row), "_fields", None) or getattr(row, "__fields__", None) or ()
    return tuple(map(str, names))


def _column(name: str, values: Sequence[Any], type_: str = "") -> TableColumn:
    types = {type(value) for value in values if value is not None}
    kind, convert = _kind_of(types, values)
    converted: list[Value] = [None if value is None else convert(value) for value in values]
    named = type_ or (types.pop().__name__ if len(types) == 1 else "")
    if kind in (Kind.TEXT, Kind.OTHER):
        converted = [_sendable(value) if isinstance(value, str) else value for value in converted]
    return TableColumn(_sendable(name), _sendable(named), kind, converted)


def _sendable(text: str) -> str:
    """Replace what UTF-8 has no bytes for: half of a pair, which Python's text may hold."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def _kind_of(types: set[type], values: Sequence[Any]) -> tuple[Kind, Callable[[Any], Value]]:
    """Say what all the values of a column are; what is mixed is text."""
    if len(types) != 1:
        return Kind.OTHER, str
    type_ = next(iter(types))
    if issubclass(type_, bool):
        return Kind.BOOLEAN, bool
    if issubclass(type_, int):
        return Kind.INTEGER, int
    if issubclass(type_, float):
        return Kind.FLOAT, float
    if issubclass(type_, Decimal):
        return _kind_of_decimals(values)
    if issubclass(type_, str):
        return Kind.TEXT, str
    if issubclass(type_, datetime.datetime):
        zoned = any(value is not None and value.tzinfo is not None for value in values)
        kind = Kind.TIMESTAMP if zoned else Kind.LOCAL_TIMESTAMP
        return kind, lambda value: str(value.isoformat(sep=" "))
    if issubclass(type_, datetime.date):
        return Kind.DATE, lambda value: str(value.isoformat())
    if issubclass(type_, datetime.time):
        return Kind.TIME, lambda value: str(value.isoformat())
    if issubclass(type_, bytes | bytearray):
        return Kind.BINARY, lambda value: bytes(value).hex().upper()
    return Kind.OTHER, str


def _kind_of_decimals(values: Sequence[Any]) -> tuple[Kind, Callable[[Any], Value]]:
    """Give decimals as numbers where they can be compared digit by digit."""
    scales = {value.as_tuple().exponent for value in values if value is not None}
    if len(scales) == 1 and isinstance(next(iter(scales)), int):
        return Kind.DECIMAL, lambda value: value
    return Kind.OTHER, str
