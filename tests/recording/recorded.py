"""Notebooks with records in them, as the kernel and its clients make them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from spark_kernel.protocol.progress import PROGRESS_MIME
from spark_kernel.protocol.provenance import (
    KEY,
    RECORD_MIME,
    SESSION,
    CellRecord,
    JobRecord,
    KernelRecord,
    LibraryRecord,
    RunStatus,
    SparkRecord,
    Totals,
    record_content,
)

MOMENT = datetime(2026, 11, 25, 4, 9, 13, 250000, tzinfo=timezone.utc)
RECORD = CellRecord(
    execution_count=1,
    cell_id="request-1",
    user="ana",
    host="gateway",
    status=RunStatus.OK,
    source_sha256=hashlib.sha256(b"1 + 1").hexdigest(),
    started=MOMENT,
    finished=MOMENT + timedelta(seconds=1.5),
    duration_s=1.5,
    kernel=KernelRecord("spark-kernel", "0.1", "s1"),
    spark=SparkRecord("4.3.0", "local[*]", "local[*]", "local-1", None),
    jobs=(JobRecord(1, "succeeded", 2, 10, 0, 1.25),),
    omitted_jobs=4,
    totals=Totals(input_bytes=10, executor_run_s=0.5),
    inputs=(),
    outputs=(),
    libraries=(LibraryRecord("pyspark", "4.3.0"),),
    config_sha256="cd" * 32,
    is_full=True,
)


def later(seconds: float, **changes: Any) -> CellRecord:
    """Give the record of a run that began later."""
    began = MOMENT + timedelta(seconds=seconds)
    times = {"started": began, "finished": began + timedelta(seconds=1), "duration_s": 1.0}
    return replace(RECORD, **{**times, **changes})


def reply(record: CellRecord, **settings: str) -> dict[str, Any]:
    """Give the metadata of the reply to a cell."""
    content = record_content(record) | {SESSION: {"settings": settings}}
    return {"started": "2026-11-25T04:09:13Z", KEY: content}


def quiet_line(record: CellRecord) -> NotebookNode:
    """Give the display of a cell that only carries its record."""
    data = {RECORD_MIME: {"version": "1.0"}, "text/html": "<div>1.5 s</div>", "text/plain": "1.5 s"}
    return new_output("display_data", data, metadata={KEY: record_content(record)})


def progress(record: CellRecord) -> NotebookNode:
    """Give the progress display of a cell, with its record."""
    data = {PROGRESS_MIME: {"version": "1.0"}, "text/html": "<div/>", "text/plain": "1 job"}
    return new_output("display_data", data, metadata={KEY: record_content(record)})


def cell(source: str = "1 + 1", *outputs: NotebookNode, **metadata: Any) -> NotebookNode:
    """Give a cell that has run."""
    return new_code_cell(source, execution_count=1, outputs=list(outputs), metadata=metadata)


def notebook(*cells: NotebookNode) -> NotebookNode:
    """Give a notebook of cells, with a text above them."""
    made = new_notebook(cells=[new_markdown_cell("# Title"), *cells])
    nbformat.validate(made)
    return made
