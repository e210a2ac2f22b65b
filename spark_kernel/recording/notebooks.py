"""Reads the code cells of a notebook with the records of their runs.

A notebook may be anybody's: what makes no sense in it is left out. Only JSON is needed for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from spark_kernel.protocol.provenance import CellRecord, RunStatus
from spark_kernel.protocol.record_reading import instant
from spark_kernel.recording.cells import is_cleared, mapping_of, newest_record, shown_records
from spark_kernel.recording.files import read_notebook_file
from spark_kernel.redaction import redacted

__all__ = [
    "OtherRun",
    "RecordedCell",
    "RecordedNotebook",
    "read_notebook",
    "recorded_notebook",
    "title_of",
]

_CLOCK_SLACK = timedelta(seconds=2)
_MOST_BYTES = 500_000_000


@dataclass(frozen=True)
class RecordedCell:
    """A code cell.

    Attributes
    ----------
    number
        Which code cell it is, from 1 on; those without code do not count.
    record
        Of its latest run; None where there is none, or its outputs were cleared.
    problem
        Why its outputs may be of another run than its record; empty where nothing says so.
    """

    number: int
    cell_id: str
    source: str
    execution_count: int | None = None
    record: CellRecord | None = None
    problem: str = ""


@dataclass(frozen=True)
class OtherRun:
    """What a process of a kernel ran that the notebook does not hold, or no longer."""

    session: str
    execution_count: int
    source: str


@dataclass(frozen=True)
class RecordedNotebook:
    """The code cells of a notebook, in its order.

    Attributes
    ----------
    path
        None for the cells that a kernel remembers.
    others
        As far as they are known; those that are not show in the counts of the cells.
    """

    path: Path | None
    cells: tuple[RecordedCell, ...]
    others: tuple[OtherRun, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)


def read_notebook(path: Path) -> RecordedNotebook:
    """Read a notebook.

    Raises
    ------
    NotebookError
        If the file cannot be read, or is no notebook.
    """
    return recorded_notebook(read_notebook_file(path, _MOST_BYTES), path)


def recorded_notebook(content: Mapping[str, Any], path: Path | None) -> RecordedNotebook:
    """Take the code cells of a notebook's JSON, which may hold anything in its list ``cells``."""
    found: list[RecordedCell] = []
    for cell in content["cells"]:
        if isinstance(cell, Mapping) and cell.get("cell_type") == "code":
            source = _text(cell.get("source"))
            if source.strip():
                found.append(_cell(len(found) + 1, source, cell))
    return RecordedNotebook(path, tuple(found), metadata=mapping_of(content.get("metadata")))


def _cell(number: int, source: str, cell: Mapping[str, Any]) -> RecordedCell:
    count = cell.get("execution_count")
    count = count if isinstance(count, int) and not isinstance(count, bool) else None
    record, problem = newest_record(cell), ""
    if record is not None:
        problem = _problem(record, count, cell)
        record = None if is_cleared(cell, record) else record
    return RecordedCell(number, _text(cell.get("id")), source, count, record, problem)


def _problem(record: CellRecord, count: int | None, cell: Mapping[str, Any]) -> str:
    """Say why the outputs of a cell may be of another run than its record; empty if nothing does.

    Clients that know nothing of records leave the old one where it is.
    """
    if record.status is RunStatus.ABORTED:
        return ""
    known = record.execution_count
    if known is not None and count != known:
        shown_count = "" if count is None else count
        return f"its outputs are of the run [{shown_count}], and its record of [{known}]"
    execution = mapping_of(mapping_of(cell.get("metadata")).get("execution"))
    ran = instant(execution.get("iopub.execute_input"))
    if ran and record.finished and ran > record.finished + _CLOCK_SLACK:
        return "it ran again later, without a record"
    shown = shown_records(cell)
    if record.is_full and shown and not any(one and one.started == record.started for one in shown):
        return "its outputs do not carry its record, so they may be of another run"
    return ""


def title_of(source: str) -> str:
    """Give the line that tells a cell from others: the first with code, SQL with its magic.

    Without the secrets that are seen in it: reports go where the notebook may not.
    """
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    told = [line for line in lines if not line.startswith(("#", "--"))] or lines
    if told[0].startswith("%%") and len(told) > 1:
        return redacted(f"{told[0]} {told[1]}")
    return redacted(told[0])


def _text(value: Any) -> str:
    """Give a text, which a notebook may keep as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
