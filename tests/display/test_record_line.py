"""The quiet line that carries the record of a cell."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone

from spark_kernel.display.provenance import record_line, record_text, record_view
from spark_kernel.protocol.provenance import (
    CellRecord,
    DataKind,
    Dataset,
    JobRecord,
    RunStatus,
    Totals,
)

RECORD = CellRecord(
    execution_count=1,
    cell_id="a",
    user="ana",
    host="box",
    status=RunStatus.OK,
    source_sha256="0" * 64,
    finished=datetime(2026, 1, 2, 10, 31, tzinfo=timezone.utc),
    duration_s=1.24,
    jobs=(JobRecord(1, "succeeded"), JobRecord(2, "succeeded")),
    totals=Totals(input_bytes=3_565_158, output_bytes=0),
    inputs=(Dataset(DataKind.FILE, "file:///a"), Dataset(DataKind.TABLE, "b")),
    outputs=(),
)


def test_line_says_who_when_and_how_much() -> None:
    line = "1.2 s · 2 jobs · read 3.4 MiB, 2 inputs · ana · 10:31 UTC"
    assert record_line(RECORD) == line


def test_line_says_how_a_cell_ended_unless_it_succeeded() -> None:
    assert record_line(replace(RECORD, status=RunStatus.ERROR)).startswith("failed · ")
    assert record_line(replace(RECORD, status=RunStatus.INTERRUPTED)).startswith("interrupted · ")


def test_line_is_escaped_and_small() -> None:
    shown = record_view(replace(RECORD, user="<script>"))
    assert "<script>" not in shown["text/html"]
    assert len(shown["text/html"]) < 500


def test_text_names_inputs_and_says_what_is_not_known() -> None:
    text = record_text(replace(RECORD, outputs=None))
    assert "file:///a" in text
    assert "Outputs  not known" in text.replace("    ", " ").replace("Outputs   ", "Outputs  ")
