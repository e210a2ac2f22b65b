"""Puts what a kernel remembers of its runs into the notebook that it belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from spark_kernel.protocol.provenance import CellRecord
from spark_kernel.recording.notebooks import OtherRun, RecordedCell, RecordedNotebook

__all__ = ["recent_notebook", "with_recent"]

Recent = Sequence[tuple[str, CellRecord]]


def with_recent(
    notebook: RecordedNotebook,
    recent: Recent,
    history: Mapping[int, str],
    saved: datetime | None,
) -> RecordedNotebook:
    """Take the runs that are newer than those of the file.

    Parameters
    ----------
    recent
        Sources and records of the latest runs of this process.
    history
        All sources that this process ran, by their counts.
    saved
        When the file was written: of a run since then it does not hold the source yet.
    """
    by_id = {record.cell_id: (source, record) for source, record in recent if record.cell_id}
    cells = tuple(_newer(cell, by_id.get(cell.cell_id), saved) for cell in notebook.cells)
    return replace(notebook, cells=cells, others=_others(cells, recent, history))


def recent_notebook(recent: Recent, history: Mapping[int, str]) -> RecordedNotebook:
    """Make a notebook of what a process remembers, in the order in which it ran."""
    ran = [one for one in recent if one[0].strip() and one[1].execution_count is not None]
    ran.sort(key=lambda one: one[1].execution_count or 0)
    cells = tuple(
        RecordedCell(number, record.cell_id, source, record.execution_count, record)
        for number, (source, record) in enumerate(ran, 1)
    )
    return RecordedNotebook(None, cells, others=_others(cells, recent, history))


def _newer(
    cell: RecordedCell, found: tuple[str, CellRecord] | None, saved: datetime | None
) -> RecordedCell:
    if found is None:
        return cell
    source, record = found
    kept = cell.record.started if cell.record is not None else None
    if kept is not None and (record.started is None or record.started < kept):
        return cell
    is_saved = saved is not None and record.started is not None and saved > record.started
    return replace(
        cell,
        source=cell.source if is_saved else source,
        execution_count=record.execution_count,
        record=record,
        problem="",
    )


def _others(
    cells: Sequence[RecordedCell], recent: Recent, history: Mapping[int, str]
) -> tuple[OtherRun, ...]:
    """Give what the process ran beside the latest runs of the cells."""
    sessions = {record.kernel.session for _, record in recent}
    if len(sessions) != 1:
        return ()
    session = sessions.pop()
    held = {
        cell.record.execution_count
        for cell in cells
        if cell.record is not None and cell.record.kernel.session == session
    }
    return tuple(
        OtherRun(session, count, source)
        for count, source in sorted(history.items())
        if count not in held
    )
