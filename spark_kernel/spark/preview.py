"""Bounded rows and schema of a DataFrame, of a driver of our own or of a Spark Connect server.

One action reads the rows: one more than are wanted, which tells whether there are more. Everything
runs in the thread of the cell, so that the job is the cell's, and an interrupt ends it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from spark_kernel.protocol.table import COLUMNS, Schema, Table, TableColumn
from spark_kernel.redaction import redacted
from spark_kernel.spark.table_values import (
    Encoding,
    are_ambiguous,
    encode,
    quoted,
    shortened_name,
    type_name,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from pyspark.sql.types import DataType, StructType

__all__ = [
    "PANDAS_ON_SPARK",
    "SPARK_FRAMES",
    "find_expensive_steps",
    "is_frame",
    "preview",
    "reason_of",
    "schema_of",
    "spark_frame_of",
]

SPARK_FRAMES = (
    ("pyspark.sql.classic.dataframe", "DataFrame"),
    ("pyspark.sql.connect.dataframe", "DataFrame"),
)
PANDAS_ON_SPARK = (("pyspark.pandas.frame", "DataFrame"), ("pyspark.pandas.series", "Series"))
"""Classes by module and name: what is not imported is not imported for this."""

_ROWS_A_CALL_IS_WORTH = 100
_TRANSPORT = 32_000_000
_VALUE_LENGTH = 2_000
_SHORT_VALUE_LENGTH = 100
_EXPENSIVE = {
    "Aggregate": "an aggregate",
    "Deduplicate": "a distinct",
    "Distinct": "a distinct",
    "Except": "a set operation",
    "Intersect": "a set operation",
    "Join": "a join",
    "LateralJoin": "a join",
    "AsOfJoin": "a join",
    "RebalancePartitions": "a shuffle",
    "Repartition": "a shuffle",
    "RepartitionByExpression": "a shuffle",
    "Sort": "a sort",
    "Window": "a window",
}
_STEP = re.compile(r"^[\s:|+\-]*'?([A-Z]\w+)")
_OFFSET = "XXXXX"
_LEGACY_OFFSET = "XXX"
_LEGACY = "spark.sql.legacy.timeParserPolicy"
_REASON_LENGTH = 300


def is_frame(obj: object) -> bool:
    """Whether it is a DataFrame of Spark, or a frame or series of pandas on it."""
    return _is_one_of(obj, SPARK_FRAMES + PANDAS_ON_SPARK)


def _is_one_of(obj: object, classes: Sequence[tuple[str, str]]) -> bool:
    return any((type_.__module__, type_.__name__) in classes for type_ in type(obj).__mro__)


def spark_frame_of(frame: Any) -> DataFrame:
    """Give the DataFrame of Spark behind a frame; of pandas on Spark with its index."""
    if not _is_one_of(frame, PANDAS_ON_SPARK):
        return frame  # type: ignore[no-any-return]
    whole = frame.to_frame() if hasattr(frame, "to_frame") else frame
    names = [
        "index"
        if name is None
        else str(name if isinstance(name, str) else "_".join(map(str, name)))
        for name in whole.index.names
    ]
    if len(names) > 1:
        names = [f"level_{n}" if name == "index" else name for n, name in enumerate(names)]
    return whole.to_spark(index_col=names)  # type: ignore[no-any-return]


def preview(frame: DataFrame, limit: int) -> Table:
    """Read the first rows.

    Parameters
    ----------
    limit
        The rows to show, at least one.

    Raises
    ------
    Exception
        Whatever the action raises.
    """
    schema = frame.schema
    fields = schema.fields[:COLUMNS]
    if not fields:
        rows: Sequence[Any] = frame.take(limit + 1)
        return Table((), min(len(rows), limit), len(rows) > limit)
    encodings, wanted = _ask_for(frame, schema, limit)
    rows = wanted.take(limit + 1)
    if not _is_flat(len(fields), limit):
        rows = [row for (row,) in rows]
    shown = rows[:limit]
    measured = [number for number, encoding in enumerate(encodings) if encoding.length_sql]
    parts: list[Sequence[Any]] = list(zip(*shown, strict=True))
    parts = parts or [()] * (len(fields) + len(measured))
    lengths = dict(zip(measured, parts[len(fields) :], strict=True))
    columns = tuple(
        TableColumn(
            shortened_name(field.name),
            type_name(field.dataType),
            encoding.kind,
            encoding.values(parts[number], lengths.get(number, ())),
        )
        for number, (field, encoding) in enumerate(zip(fields, encodings, strict=True))
    )
    omitted = len(schema.fields) - len(fields)
    return Table(columns, len(shown), len(rows) > limit, omitted)


def _ask_for(frame: DataFrame, schema: StructType, limit: int) -> tuple[list[Encoding], DataFrame]:
    """Give what Spark is asked for: all columns, and then the lengths of those that may be cut.

    They are put into one struct: each would be a call through py4j, and those of many columns
    take longer than the job. Few columns of many rows are not, for Python is slow at rows in rows.
    """
    names, types = schema.names, [field.dataType for field in schema.fields]
    if are_ambiguous(names):
        names = [f"c{number}" for number in range(len(names))]
        frame = frame.toDF(*names)
    length = _length_limit(limit, min(len(names), COLUMNS))
    offset = _offset(frame, types)
    encodings = [
        encode(quoted(name), type_, length, offset)
        for name, type_ in zip(names[:COLUMNS], types[:COLUMNS], strict=True)
    ]
    wanted = [encoding.sql for encoding in encodings]
    wanted += [encoding.length_sql for encoding in encodings if encoding.length_sql]
    if not _is_flat(len(encodings), limit):
        wanted = [f"struct({', '.join(wanted)})"]
    return encodings, frame.selectExpr(*wanted)


def _is_flat(columns: int, rows: int) -> bool:
    return columns * _ROWS_A_CALL_IS_WORTH < rows


def _length_limit(limit: int, columns: int) -> int:
    """Give the characters that a value may have, so that all together stay bounded."""
    fitting = _TRANSPORT // ((limit + 1) * columns)
    return max(_SHORT_VALUE_LENGTH, min(_VALUE_LENGTH, fitting))


def _offset(frame: DataFrame, types: Sequence[DataType]) -> str:
    """Give the pattern of an offset, which the formatter of before Spark 3 has not in full."""
    if not any("timestamp" in type_.simpleString() for type_ in types):
        return _OFFSET
    policy = str(frame.sparkSession.conf.get(_LEGACY))
    return _LEGACY_OFFSET if policy.upper() == "LEGACY" else _OFFSET


# -- without rows ------------------------------------------------------------------------------


def schema_of(frame: DataFrame, reason: str = "", *, is_failure: bool = False) -> Schema:
    """Give names and types, and why there is no more."""
    fields = frame.schema.fields
    columns = tuple(
        (shortened_name(field.name), type_name(field.dataType)) for field in fields[:COLUMNS]
    )
    return Schema(columns, reason, is_failure, max(0, len(fields) - COLUMNS))


def find_expensive_steps(frame: DataFrame) -> list[str]:
    """Name the steps of a plan that need much more than its first rows; nothing is run.

    What is below a cached DataFrame does not count.
    """
    found = dict.fromkeys(
        _EXPENSIVE[step] for step in _steps(_plan_text(frame)) if _EXPENSIVE.get(step)
    )
    return list(found)


def _plan_text(frame: Any) -> str:
    """Give the optimized plan as text, one step on a line."""
    if hasattr(frame, "_jdf"):
        return str(frame._jdf.queryExecution().optimizedPlan().toString())
    text = str(frame._explain_string(extended=True))
    return text.partition("== Optimized Logical Plan ==")[2].partition("== Physical Plan ==")[0]


def _steps(text: str) -> list[str]:
    steps: list[str] = []
    cached_at: int | None = None
    for line in text.splitlines():
        found = _STEP.match(line)
        if found is None:
            continue
        depth = found.start(1)
        if cached_at is not None and depth > cached_at:
            continue
        cached_at = depth if found[1] == "InMemoryRelation" else None
        steps.append(found[1])
    return steps


def reason_of(error: BaseException) -> str:
    """Say in a line why an action failed: what a worker raised, or Spark's own first line."""
    from spark_kernel.spark.error_reports.kinds import what_it_says
    from spark_kernel.spark.error_reports.message import read_message
    from spark_kernel.spark.error_reports.worker import read_worker

    said = what_it_says(error)
    text = said.text or said.stack
    worker = read_worker(text)
    if worker is not None and worker.said:
        reason = worker.said.splitlines()[0]
    else:
        message = read_message(text)
        condition = message.condition or said.condition
        reason = " ".join([*([f"[{condition}]"] if condition else []), *message.lines[:1]])
    reason = redacted(reason) or type(error).__name__
    return reason if len(reason) <= _REASON_LENGTH else reason[:_REASON_LENGTH] + "…"
