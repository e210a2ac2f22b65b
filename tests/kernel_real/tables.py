"""What a cell has shown of tables, and one of every type of Spark's."""

from __future__ import annotations

from typing import Any

from kernel_real.notebook import Result
from spark_kernel.protocol.progress import PROGRESS_MIME
from spark_kernel.protocol.table import DATA_RESOURCE

EVERY_TYPE = """spark.sql('''select 9007199254740993L big, 1.10 dec, cast(0.1 as float) f,
    double('NaN') d, date'2024-01-01' da, timestamp'2024-07-01 10:00:00.5Z' ts,
    timestamp_ntz'2024-01-01 00:00:00' ntz, interval '1 02:03:04.5' day to second dt,
    cast('bin' as binary) bin, parse_json('{"a":[1,null]}') v, array(1, 2, null) arr,
    map('a', 1, 'b', null) m, map(1, 'x') m2, named_struct('x', 1, 'y', null) st, null n''')"""
EVERY_VALUE = {
    "big": "9007199254740993",
    "dec": "1.10",
    "f": 0.1,
    "d": "NaN",
    "da": "2024-01-01",
    "ts": "2024-07-01T12:00:00.5+02:00",
    "ntz": "2024-01-01T00:00:00",
    "dt": "INTERVAL '1 02:03:04.5' DAY TO SECOND",
    "bin": "62696E",
    "v": {"a": [1, None]},
    "arr": [1, 2, None],
    "m": {"a": 1, "b": None},
    "m2": [{"key": 1, "value": "x"}],
    "st": {"x": 1, "y": None},
    "n": None,
}
"""What its only row is in the data, in the time zone of Berlin."""


def rows_of(data: dict[str, Any]) -> list[dict[str, Any]]:
    return list(data[DATA_RESOURCE]["data"])


def jobs_of(result: Result) -> int:
    """Count the jobs that a cell's progress has told of."""
    shown = [c["data"][PROGRESS_MIME] for c in result.displays if PROGRESS_MIME in c["data"]]
    return len(shown[-1]["jobs"]) if shown else 0


def tables_of(result: Result) -> list[dict[str, Any]]:
    """Give what a cell displayed, without its progress."""
    return [c["data"] for c in result.displays if PROGRESS_MIME not in c["data"]]
