"""How the values of each type of Spark's travel to a preview: exactly, and cut before they do.

Spark itself writes what Python could only approximate, or not hold at all: timestamps with their
offset, dates of any year, intervals, nested values as JSON. Runs in the thread of the cell.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_kernel.protocol.table import Cut, Kind, Value

if TYPE_CHECKING:
    from pyspark.sql.types import DataType

__all__ = ["Encoding", "are_ambiguous", "encode", "quoted", "shortened_name", "type_name"]

_BINARY_LIMIT = 64
_NAME_LENGTH = 200
_INTEGERS = {"ByteType", "ShortType", "IntegerType", "LongType"}
_AS_TEXT = {
    "DateType": Kind.DATE,
    "TimeType": Kind.TIME,
    "TimestampNTZType": Kind.LOCAL_TIMESTAMP,
    "DayTimeIntervalType": Kind.OTHER,
    "YearMonthIntervalType": Kind.OTHER,
    "CalendarIntervalType": Kind.OTHER,
    "NullType": Kind.OTHER,
}
_STRINGS = {"StringType", "CharType", "VarcharType"}
_SPATIAL = {"GeographyType", "GeometryType"}
_NESTED = {"ArrayType": Kind.ARRAY, "StructType": Kind.OBJECT, "MapType": Kind.OBJECT}
_KEEP_NULLS = "map('ignoreNullFields', 'false')"


@dataclass(frozen=True)
class Encoding:
    """How one column is asked for and read.

    Attributes
    ----------
    sql
        The expression that Spark is asked for; of a long value, only its beginning.
    length_sql
        The expression of the whole value's length; empty where nothing is cut.
    limit
        The length that is not cut yet.
    decode
        Makes a value of what came; never called with None.
    """

    sql: str
    kind: Kind
    decode: Callable[[Any], Value] | None = None
    length_sql: str = ""
    limit: int = 0

    def values(self, column: Sequence[Any], lengths: Sequence[int | None]) -> Sequence[Value]:
        """Make values of what came for a column.

        Parameters
        ----------
        lengths
            What came for the lengths, or nothing.
        """
        decode = self.decode
        if decode is not None:
            column = [None if value is None else decode(value) for value in column]
        if max((length for length in lengths if length is not None), default=0) <= self.limit:
            return column
        unit = "bytes" if self.kind is Kind.BINARY else "characters"
        return [
            value if length is None or length <= self.limit else Cut(str(value), length, unit)
            for value, length in zip(column, lengths, strict=True)
        ]


def encode(column: str, type_: DataType, limit: int, offset: str) -> Encoding:
    """Say how a column is asked for.

    Parameters
    ----------
    column
        The quoted name.
    limit
        The characters that a value may have.
    offset
        The pattern of the offset of a timestamp.
    """
    name = _class_of(type_)
    if name in _INTEGERS:
        return Encoding(column, Kind.INTEGER)
    if name == "BooleanType":
        return Encoding(column, Kind.BOOLEAN)
    if name == "DoubleType":
        return Encoding(column, Kind.FLOAT)
    if name == "FloatType":  # as text, for a double has digits that the float never had
        return Encoding(f"CAST({column} AS STRING)", Kind.FLOAT, float)
    if name == "DecimalType":
        return Encoding(column, Kind.DECIMAL)
    if name in _STRINGS:
        is_plain = type_.simpleString() == "string"
        text = column if is_plain else f"CAST({column} AS STRING)"
        return _cut_text(text, Kind.TEXT, limit)
    if name == "BinaryType":
        return _cut_binary(column)
    if name in _SPATIAL:
        return _cut_binary(f"st_asbinary({column})")
    if name in _AS_TEXT or name == "TimestampType":
        kind = _AS_TEXT.get(name, Kind.TIMESTAMP)
        return Encoding(_leaf(column, type_, offset), kind)
    if name == "VariantType":
        return _cut_text(f"to_json({column})", Kind.VARIANT, limit)
    if name in _NESTED and not _has_odd_fields(type_):
        return _nested(column, type_, limit, offset)
    # Types of users' too: their objects would have to be read whole.
    return _cut_text(f"CAST({column} AS STRING)", Kind.OTHER, limit)


def quoted(name: str) -> str:
    """Quote a name for SQL."""
    return "`" + name.replace("`", "``") + "`"


def type_name(type_: DataType) -> str:
    """Name a type as Spark does; one of a user's that has no name by its class."""
    name = type_.simpleString()
    return shortened_name(type(type_).__name__ if name == "udt" else name)


def shortened_name(name: str) -> str:
    """Cut a name that would fill a page."""
    return name if len(name) <= _NAME_LENGTH else name[:_NAME_LENGTH] + "…"


def _class_of(type_: DataType) -> str:
    return type(type_).__name__


# -- long values -------------------------------------------------------------------------------


def _cut_text(text: str, kind: Kind, limit: int) -> Encoding:
    return Encoding(f"substr({text}, 1, {limit})", kind, None, f"char_length({text})", limit)


def _cut_binary(column: str) -> Encoding:
    start, size = f"substr({column}, 1, {_BINARY_LIMIT})", f"octet_length({column})"
    return Encoding(start, Kind.BINARY, _hexadecimal, size, _BINARY_LIMIT)


def _hexadecimal(value: Any) -> Value:
    return bytes(value).hex().upper()


# -- nested values -----------------------------------------------------------------------------


def _nested(column: str, type_: DataType, limit: int, offset: str) -> Encoding:
    """Ask for JSON in which every leaf is exact."""
    names = (f"x{number}" for number in itertools.count())
    value = _jsonable(column, type_, offset, names)
    kind = _NESTED[_class_of(type_)]
    if _is_listed(type_):
        kind = Kind.ARRAY
    return _cut_text(f"to_json({value}, {_KEEP_NULLS})", kind, limit)


def _jsonable(value: str, type_: Any, offset: str, names: Iterator[str]) -> str:
    """Rewrite what ``to_json`` would round, or not take at all; the rest stays as it is."""
    if not _is_rewritten(type_):
        return value
    name = _class_of(type_)
    if name == "ArrayType":
        item = next(names)
        return f"transform({value}, {item} -> {_jsonable(item, type_.elementType, offset, names)})"
    if name == "StructType":
        # Not `a`.`b`: where the frame has an alias, that is the column b of the table a.
        fields = ", ".join(
            f"{_literal(field.name)}, "
            + _jsonable(f"{value}[{_literal(field.name)}]", field.dataType, offset, names)
            for field in type_.fields
        )
        return f"IF({value} IS NULL, NULL, named_struct({fields}))"
    if name == "MapType":
        key, item = next(names), next(names)
        if not _is_listed(type_):
            inner = _jsonable(item, type_.valueType, offset, names)
            return f"transform_values({value}, ({key}, {item}) -> {inner})"
        inner = _jsonable(f"{item}.value", type_.valueType, offset, names)
        outer = _jsonable(f"{item}.key", type_.keyType, offset, names)
        pair = f"named_struct('key', {outer}, 'value', {inner})"
        return f"transform(map_entries({value}), {item} -> {pair})"
    text = _leaf(value, type_, offset)
    return f"translate({text}, ' ', 'T')" if name.startswith("Timestamp") else text


def _is_rewritten(type_: Any) -> bool:
    name = _class_of(type_)
    if name == "ArrayType":
        return _is_rewritten(type_.elementType)
    if name == "StructType":
        return any(_is_rewritten(field.dataType) for field in type_.fields)
    if name == "MapType":
        return _is_listed(type_) or _is_rewritten(type_.valueType)
    plain = _INTEGERS | _STRINGS | {"BooleanType", "DoubleType", "FloatType", "DecimalType"}
    return name not in plain | {"VariantType"}


def _is_listed(type_: Any) -> bool:
    """Whether a map has keys that no object of JSON can have: it becomes a list of entries."""
    return _class_of(type_) == "MapType" and _class_of(type_.keyType) not in _STRINGS


def _leaf(value: str, type_: Any, offset: str) -> str:
    name = _class_of(type_)
    if name == "TimestampType":
        return f"concat(CAST({value} AS STRING), date_format({value}, '{offset}'))"
    if name == "BinaryType":
        return f"hex({value})"
    if name in _SPATIAL:
        return f"hex(st_asbinary({value}))"
    return f"CAST({value} AS STRING)"


def _has_odd_fields(type_: Any) -> bool:
    """Whether some struct has two fields of one name, which neither path nor JSON tells apart."""
    name = _class_of(type_)
    if name == "ArrayType":
        return _has_odd_fields(type_.elementType)
    if name == "MapType":
        return _has_odd_fields(type_.keyType) or _has_odd_fields(type_.valueType)
    if name != "StructType":
        return False
    return are_ambiguous(type_.names) or any(_has_odd_fields(f.dataType) for f in type_.fields)


def are_ambiguous(names: Sequence[str]) -> bool:
    """Whether Spark would take one of these names for another."""
    return len({name.lower() for name in names}) < len(names)


def _literal(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
