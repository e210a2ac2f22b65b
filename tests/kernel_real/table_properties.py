"""Generated tables, compared with what Spark itself says of them; runs inside of a kernel.

Each value is written as an expression of SQL, so that Spark makes it, and not Python.
"""

from __future__ import annotations

import datetime
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from spark_kernel.display.table import table_view
from spark_kernel.protocol.table import DATA_RESOURCE
from spark_kernel.spark.preview import preview

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


@dataclass(frozen=True)
class Leaf:
    """A type with values of it.

    Attributes
    ----------
    oracle
        Gives an expression of what Spark says of a value, as text.
    same
        Whether what Spark says and what is shown are the same.
    """

    sql: str
    values: st.SearchStrategy[str]
    oracle: Callable[[str], str] = "CAST({} AS STRING)".format
    same: Callable[[str, str], bool] = str.__eq__


def _text(text: str) -> str:
    return f"CAST(X'{text.encode().hex()}' AS STRING)"


def _is_same_float(spark: str, ours: str) -> bool:
    return struct.pack("d", float(spark)) == struct.pack("d", float(ours))


def _is_same_single(spark: str, ours: str) -> bool:
    return struct.pack("f", float(spark)) == struct.pack("f", float(ours))


def _is_same_instant(micros: str, ours: str) -> bool:
    moment = datetime.datetime.fromisoformat(ours.replace("Z", "+00:00"))
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1) == int(micros)


def _is_same_number(spark: str, ours: str) -> bool:
    return Decimal(spark) == Decimal(ours)


def _integers(bits: int) -> st.SearchStrategy[str]:
    return st.integers(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1).map(str)


def _cast(values: st.SearchStrategy[str], type_: str) -> st.SearchStrategy[str]:
    return values.map(lambda value: f"CAST('{value}' AS {type_})")


_MICROS = st.integers(-60_000_000_000_000_000, 250_000_000_000_000_000).map(str)
_DATES = st.dates(datetime.date(1, 1, 2)).map(str) | st.sampled_from(["+12345-01-01"])

LEAVES = [
    Leaf("TINYINT", _cast(_integers(8), "TINYINT")),
    Leaf("INT", _cast(_integers(32), "INT")),
    Leaf("BIGINT", _cast(_integers(64), "BIGINT")),
    Leaf("DOUBLE", _cast(st.floats().map(repr), "DOUBLE"), same=_is_same_float),
    Leaf("FLOAT", _cast(st.floats(width=32).map(repr), "FLOAT"), same=_is_same_single),
    Leaf(
        "DECIMAL(38, 18)",
        _cast(st.decimals(-(10**19), 10**19, places=18).map(str), "DECIMAL(38, 18)"),
        same=_is_same_number,
    ),
    Leaf("BOOLEAN", st.sampled_from(["true", "false"])),
    Leaf("STRING", st.text(max_size=12).map(_text)),
    Leaf("DATE", _cast(_DATES, "DATE")),
    Leaf(
        "TIMESTAMP",
        _MICROS.map("timestamp_micros({})".format),
        "CAST(unix_micros({}) AS STRING)".format,
        _is_same_instant,
    ),
    Leaf(
        "TIMESTAMP_NTZ",
        _cast(st.datetimes().map(str), "TIMESTAMP_NTZ"),
        same=lambda spark, ours: spark == ours.replace("T", " "),
    ),
    Leaf("TIME", _cast(st.times().map(str), "TIME")),
    Leaf("BINARY", st.binary(max_size=64).map(lambda data: f"X'{data.hex()}'"), "hex({})".format),
    Leaf(
        "INTERVAL DAY TO SECOND",
        _integers(50).map(lambda micros: f"make_dt_interval(0, 0, 0, {int(micros) / 1e6:.6f})"),
    ),
    Leaf("INTERVAL YEAR TO MONTH", _integers(20).map("make_ym_interval(0, {})".format)),
    Leaf("INTERVAL", _integers(20).map("make_interval(1, 2, 0, {}, 5)".format)),
    Leaf(
        "VARIANT",
        st.sampled_from(["null", '{"a":[1,null]}', '"<b>"', "1"]).map("parse_json('{}')".format),
        "to_json({})".format,
    ),
]


@dataclass(frozen=True)
class Column:
    """One generated column: its expressions, and how each is compared."""

    name: str
    type: str
    cells: list[str | None]
    oracle: Callable[[str], str]
    matches: Callable[[str, str], bool]


@st.composite
def _columns(draw: Any, rows: int, leaf: Leaf) -> Column:
    name = draw(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=6))
    shape = draw(st.sampled_from(["leaf", "leaf", "array", "struct", "map"]))
    if shape == "leaf" or leaf.sql == "VARIANT":
        cells = [draw(st.none() | leaf.values) for _ in range(rows)]
        return Column(name, leaf.sql, cells, leaf.oracle, leaf.same)
    items = [draw(st.none() | st.lists(st.none() | leaf.values, max_size=3)) for _ in range(rows)]
    return _nested(name, shape, leaf, items)


def _nested(name: str, shape: str, leaf: Leaf, items: list[Any]) -> Column:
    """Put values into arrays, structs and maps; the oracle writes each value by itself."""
    null = f"CAST(NULL AS {leaf.sql})"
    lists = [None if i is None else [null if v is None else v for v in i] for i in items]
    says = leaf.oracle
    if shape == "array":
        type_ = f"ARRAY<{leaf.sql}>"
        cells = [None if i is None else f"array({', '.join(i)})" for i in lists]
        oracle = f"to_json(transform({{}}, x -> {says('x')}), map('ignoreNullFields', 'false'))"
    elif shape == "struct":
        type_ = f"STRUCT<a: {leaf.sql}, `b'\\`: {leaf.sql}>"
        pairs = [None if i is None else (*i, null, null)[:2] for i in lists]
        cells = [
            None if p is None else f"named_struct('a', {p[0]}, 'b\\'\\\\', {p[1]})" for p in pairs
        ]
        oracle = (
            f"IF({{0}} IS NULL, NULL, to_json(array({says('{0}.a')}, {says('{0}.`b{1}`')})))"
        ).replace("{1}", "'\\")
    else:
        type_ = f"MAP<STRING, {leaf.sql}>"
        cells = [
            None if i is None else f"map({', '.join(f'{n!s:s}, {v}' for n, v in _keyed(i))})"
            for i in lists
        ]
        oracle = f"to_json(map_values(transform_values({{}}, (k, x) -> {says('x')})))"
    return Column(name, type_, cells, oracle.format, _matcher(leaf))


def _keyed(values: list[str]) -> list[tuple[str, str]]:
    return [(f"'k{number}'", value) for number, value in enumerate(values)]


def _matcher(leaf: Leaf) -> Callable[[str, str], bool]:
    def matches(spark: str, ours: str) -> bool:
        said = json.loads(spark)
        shown = json.loads(ours, parse_int=str, parse_float=str)
        found = list(shown.values()) if isinstance(shown, dict) else shown
        return len(said) == len(found) and all(
            (one is None) is (other is None) and (one is None or leaf.same(one, _plain(other)))
            for one, other in zip(said, found, strict=True)
        )

    return matches


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@st.composite
def _tables(draw: Any) -> list[Column]:
    """Draw a table with a column of each type, plain or nested."""
    rows = draw(st.integers(2, 4))
    return [draw(_columns(rows, leaf)) for leaf in LEAVES]


def check(spark: Any, examples: int) -> None:
    """Compare so many tables; raises with the first that differs."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(_tables())
    def compare(columns: list[Column]) -> None:
        _compare(spark, columns)

    compare()


def _compare(spark: Any, columns: list[Column]) -> None:
    plain = [f"c{number}" for number in range(len(columns))]
    rows = zip(*(column.cells for column in columns), strict=True)
    selects = " UNION ALL ".join(
        "SELECT "
        + ", ".join(
            f"CAST(NULL AS {column.type}) AS {name}" if cell is None else f"{cell} AS {name}"
            for name, column, cell in zip(plain, columns, row, strict=True)
        )
        for row in rows
    )
    frame = spark.sql(selects).cache()
    said = frame.selectExpr(*(c.oracle(n) for n, c in zip(plain, columns, strict=True))).collect()
    table = preview(frame.toDF(*(column.name for column in columns)), 10)
    frame.unpersist()
    assert [shown.name for shown in table.columns] == [column.name for column in columns]
    resource = table_view(table)[DATA_RESOURCE]
    json.dumps(resource, allow_nan=False)
    assert len(resource["data"]) == len(said)
    for number, (column, shown) in enumerate(zip(columns, table.columns, strict=True)):
        for row, value in zip(said, shown.values, strict=True):
            _assert_same(column, row[number], value)


def _assert_same(column: Column, said: str | None, value: Any) -> None:
    if said is None or value is None:
        assert said is None and value is None, (column, said, value)
        return
    ours = format(value, "f") if isinstance(value, Decimal) else _plain(value)
    assert column.matches(said, ours), (column, said, ours)
