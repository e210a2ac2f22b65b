"""The record of a cell: its JSON has the names of the protocol, and is read back with care."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone

import pytest

from spark_kernel.protocol.provenance import (
    CellRecord,
    DataKind,
    Dataset,
    Fingerprint,
    JobRecord,
    KernelRecord,
    LibraryRecord,
    RunStatus,
    SparkRecord,
    Totals,
    instant_text,
    record_content,
)
from spark_kernel.protocol.record_reading import instant, record_of

MOMENT = datetime(2026, 11, 25, 4, 9, 13, 250000, tzinfo=timezone.utc)
RECORD = CellRecord(
    execution_count=3,
    cell_id="c3",
    user="ana",
    host="gateway",
    status=RunStatus.OK,
    source_sha256="ab" * 32,
    started=MOMENT,
    finished=MOMENT + timedelta(seconds=1.5),
    duration_s=1.5,
    kernel=KernelRecord("spark-kernel", "0.1", "s1"),
    spark=SparkRecord("4.3.0", "local[*]", "local[*]", "local-1", None),
    jobs=(JobRecord(1, "succeeded", 2, 10, 0, 1.25),),
    omitted_jobs=4,
    totals=Totals(input_bytes=10, executor_run_s=0.5),
    inputs=(
        Dataset(DataKind.FILE, "file:/data/a", "csv", Fingerprint(2, 20, MOMENT)),
        Dataset(DataKind.TABLE, "lake.t", "delta", Fingerprint(version="12")),
        Dataset(DataKind.JDBC, "jdbc:x", "jdbc", None, note="a database has no fingerprint"),
    ),
    outputs=(Dataset(DataKind.TABLE, "t", "parquet", location="file:/warehouse/t"),),
    libraries=(LibraryRecord("pandas", "2.3.0"),),
    config_sha256="cd" * 32,
    is_full=True,
    error_name="",
)


def test_content_has_the_names_of_the_protocol() -> None:
    content = record_content(RECORD)
    assert list(content)[:19] == [
        *("version", "execution_count", "cell_id", "user", "host", "started", "finished"),
        *("duration_s", "status", "source_sha256", "kernel", "spark", "jobs", "omitted", "totals"),
        *("inputs", "outputs", "libraries", "config_sha256"),
    ]
    assert content["started"] == "2026-11-25T04:09:13.250Z"
    assert content["inputs"][0]["fingerprint"] == {
        "files": 2,
        "bytes": 20,
        "modified": "2026-11-25T04:09:13.250Z",
    }
    assert content["inputs"][1]["fingerprint"] == {"version": "12"}
    assert content["inputs"][2]["fingerprint"] is None


def test_what_was_written_is_read_back() -> None:
    assert record_of(json.loads(json.dumps(record_content(RECORD)))) == RECORD


def test_inputs_that_were_not_looked_for_are_not_none_at_all() -> None:
    content = record_content(RECORD) | {"inputs": None, "outputs": []}
    read = record_of(content)
    assert read is not None
    assert (read.inputs, read.outputs) == (None, ())


@pytest.mark.parametrize("content", [None, [], "x", {}, {"status": "ok"}, {"source_sha256": "a"}])
def test_what_is_no_record_is_read_as_none(content: object) -> None:
    assert record_of(content) is None


@pytest.mark.parametrize("name", [name for name in record_content(RECORD) if name != "status"])
@pytest.mark.parametrize("value", [None, 7, "x", [1], [{}], {"a": 1}, True, float("nan")])
def test_malformed_field_is_unknown_and_no_error(name: str, value: object) -> None:
    read = record_of(record_content(RECORD) | {name: value})
    assert read is not None
    json.dumps(record_content(read), allow_nan=False)


def test_moment_without_a_zone_is_taken_for_utc() -> None:
    assert instant("2026-11-25T04:09:13.250") == MOMENT
    assert instant_text(MOMENT.astimezone(timezone(timedelta(hours=5)))) == instant_text(MOMENT)
