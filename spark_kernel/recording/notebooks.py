"""Reads the code cells of a notebook with the records of their runs.

A notebook may be anybody's: what makes no sense in it is left out. Only JSON is needed for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from spark_kernel.errors import NotebookError
from spark_kernel.protocol.provenance import KEY, CellRecord, RunStatus
from spark_kernel.protocol.record_reading import instant, record_of
from spark_kernel.redaction import redacted

__all__ = ["OtherRun", "RecordedCell", "RecordedNotebook", "read_notebook", "title_of"]

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
    content = _content(path)
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise NotebookError(
            f"{path} is no notebook of format 4: it has no list of cells.",
            "`jupyter nbconvert --to notebook` converts older formats",
        )
    found: list[RecordedCell] = []
    for cell in cells:
        if isinstance(cell, Mapping) and cell.get("cell_type") == "code":
            source = _text(cell.get("source"))
            if source.strip():
                found.append(_cell(len(found) + 1, source, cell))
    metadata = content.get("metadata")
    return RecordedNotebook(path, tuple(found), metadata=_mapping(metadata))


def _content(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise NotebookError(f"{path} is too large to be read.", "clear its outputs first")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise NotebookError(
            f"{path} cannot be read: {error.strerror or error}.", "name the file of a notebook"
        ) from None
    except (ValueError, RecursionError):
        raise NotebookError(
            f"{path} is no notebook: it is no JSON in UTF-8.", "name a file that ends with .ipynb"
        ) from None
    if not isinstance(content, Mapping):
        raise NotebookError(f"{path} is no notebook.", "name a file that ends with .ipynb")
    return content


def _cell(number: int, source: str, cell: Mapping[str, Any]) -> RecordedCell:
    count = cell.get("execution_count")
    count = count if isinstance(count, int) and not isinstance(count, bool) else None
    metadata = _mapping(cell.get("metadata"))
    outputs = [one for one in cell.get("outputs") or () if isinstance(one, Mapping)]
    shown = [record_of(_mapping(one.get("metadata")).get(KEY)) for one in outputs]
    record, problem = _newest(record_of(metadata.get(KEY)), shown), ""
    if record is not None:
        is_cleared = count is None and not outputs and record.status is not RunStatus.ABORTED
        problem = _problem(record, count, metadata, shown)
        record = None if is_cleared else record
    return RecordedCell(number, _text(cell.get("id")), source, count, record, problem)


def _newest(kept: CellRecord | None, shown: list[CellRecord | None]) -> CellRecord | None:
    """Choose between the record of a cell and those of its outputs, which may be newer."""
    newest = kept
    for record in shown:
        if record is None or record.started is None:
            continue
        if newest is None or (newest.started is not None and record.started > newest.started):
            newest = record
    return newest


def _problem(
    record: CellRecord,
    count: int | None,
    metadata: Mapping[str, Any],
    shown: list[CellRecord | None],
) -> str:
    """Say why the outputs of a cell may be of another run than its record; empty if nothing does.

    Clients that know nothing of records leave the old one where it is.
    """
    if record.status is RunStatus.ABORTED:
        return ""
    known = record.execution_count
    if known is not None and count != known:
        shown_count = "" if count is None else count
        return f"its outputs are of the run [{shown_count}], and its record of [{known}]"
    ran = instant(_mapping(metadata.get("execution")).get("iopub.execute_input"))
    if ran and record.finished and ran > record.finished + _CLOCK_SLACK:
        return "it ran again later, without a record"
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


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    """Give a text, which a notebook may keep as a list of lines."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""
