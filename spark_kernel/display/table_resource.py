"""A table as data with a Table Schema, for clients that have a view of their own for it.

Follows the Tabular Data Resource of https://specs.frictionlessdata.io, in the shape that pandas
gives it. A number that JSON's readers would round is text: both kinds are valid for its type.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from spark_kernel.protocol.table import Cut, Kind, Table, TableColumn

__all__ = ["table_resource"]

_ENCODER = json.JSONEncoder(ensure_ascii=False)
_SAFE_INTEGER = 2**53 - 1
_PLAIN_DATE = re.compile(r"\d{4}-")
_TYPES = {
    Kind.INTEGER: "integer",
    Kind.FLOAT: "number",
    Kind.DECIMAL: "number",
    Kind.BOOLEAN: "boolean",
    Kind.DATE: "date",
    Kind.TIME: "time",
    Kind.TIMESTAMP: "datetime",
    Kind.LOCAL_TIMESTAMP: "datetime",
    Kind.ARRAY: "array",
    Kind.OBJECT: "object",
    Kind.VARIANT: "any",
}
_DATED = (Kind.DATE, Kind.TIMESTAMP, Kind.LOCAL_TIMESTAMP)
_NESTED = (Kind.ARRAY, Kind.OBJECT, Kind.VARIANT)


def table_resource(table: Table, max_bytes: int) -> dict[str, Any]:
    """Give as many rows as fit into so many bytes, with their schema.

    What is left out is counted in ``spark_kernel``; what is cut ends with how long it was.
    """
    names = _unique([column.name for column in table.columns])
    fields = [_field(name, column) for name, column in zip(names, table.columns, strict=True)]
    left = max_bytes - _size(fields)
    data: list[dict[str, Any]] = []
    converters = [_converter(column) for column in table.columns]
    for number in range(table.row_count):
        row = {
            name: None if value is None else convert(value)
            for name, convert, value in zip(
                names, converters, (column.values[number] for column in table.columns), strict=True
            )
        }
        left -= _size(row) + 2
        if left < 0:
            break
        data.append(row)
    omitted = {"rows": table.row_count - len(data), "columns": table.omitted_columns}
    return {
        "name": "preview",
        "profile": "tabular-data-resource",
        "schema": {"fields": fields},
        "data": data,
        "spark_kernel": {"version": "1.0", "has_more": table.has_more, "omitted": omitted},
    }


def _size(value: Any) -> int:
    return len(_ENCODER.encode(value).encode("utf-8", "replace"))


def _unique(names: Sequence[str]) -> list[str]:
    """Number the names that stand there more than once: rows are objects."""
    taken = set(names)
    seen: set[str] = set()
    unique = []
    for name in names:
        free, number = name, 1
        while free in seen or (free != name and free in taken):
            number += 1
            free = f"{name}_{number}"
        seen.add(free)
        unique.append(free)
    return unique


def _field(name: str, column: TableColumn) -> dict[str, Any]:
    field = {"name": name, "type": _type_of(column), "sparkType": column.type}
    return field if name == column.name else {**field, "title": column.name}


def _type_of(column: TableColumn) -> str:
    kind = column.kind
    values = [value for value in column.values if value is not None]
    if kind in _NESTED and any(isinstance(value, Cut) for value in values):
        return "any"
    if kind in _DATED and not all(_PLAIN_DATE.match(str(value)) for value in values):
        return "string"  # years that no date of the schema can have
    return _TYPES.get(kind, "string")


def _converter(column: TableColumn) -> Callable[[Any], Any]:
    match column.kind:
        case Kind.INTEGER:
            return lambda value: value if abs(value) <= _SAFE_INTEGER else str(value)
        case Kind.FLOAT:
            return _float
        case Kind.DECIMAL:
            return lambda value: format(value, "f")
        case Kind.BOOLEAN:
            return bool
        case Kind.TIMESTAMP | Kind.LOCAL_TIMESTAMP:
            return lambda value: value.replace(" ", "T", 1)
        case Kind.ARRAY | Kind.OBJECT | Kind.VARIANT:
            return lambda value: _cut(value) if isinstance(value, Cut) else _parsed(value)
    return lambda value: _cut(value) if isinstance(value, Cut) else value


def _cut(value: Cut) -> str:
    return f"{value.text}… ({value.length:,} {value.unit})"


def _float(value: float) -> float | str:
    """Give a number, or the schema's own word for what JSON has no number for."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "INF" if value > 0 else "-INF"
    return value


def _parsed(text: str) -> Any:
    try:
        return json.loads(text, parse_int=_exact_int, parse_float=_exact_float, parse_constant=str)
    except (ValueError, RecursionError):
        return text


def _exact_int(text: str) -> int | str:
    return int(text) if len(text) <= 16 and abs(int(text)) <= _SAFE_INTEGER else text


def _exact_float(text: str) -> float | str:
    value = float(text)
    return value if Decimal(repr(value)) == Decimal(text) else text
