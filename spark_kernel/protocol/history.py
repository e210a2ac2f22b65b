"""What ran in a notebook, by the records of its cells; and its JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from spark_kernel.protocol.provenance import CellRecord, instant_text, record_content
from spark_kernel.protocol.staleness import CellVerdict

__all__ = ["HistoryCell", "NotebookHistory", "history_content"]

_VERSION = "1.0"


@dataclass(frozen=True)
class HistoryCell:
    """One code cell.

    Attributes
    ----------
    number
        Which code cell of the notebook it is, from 1 on.
    title
        The first line of its source with code.
    record
        Of its latest run; None where there is none.
    verdict
        Whether its result is fresh; None where that was not looked at.
    """

    number: int
    cell_id: str
    execution_count: int | None
    title: str
    record: CellRecord | None = None
    verdict: CellVerdict | None = None


@dataclass(frozen=True)
class NotebookHistory:
    """What ran in a notebook.

    Attributes
    ----------
    settings
        Those of Spark that the notebook keeps of its run, without secrets.
    """

    notebook: str
    cells: tuple[HistoryCell, ...]
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def records(self) -> Iterator[CellRecord]:
        """The records of the cells that have one, in the order of the notebook."""
        return (cell.record for cell in self.cells if cell.record is not None)

    @property
    def started(self) -> datetime | None:
        """When the first of the runs began."""
        return min((one.started for one in self.records if one.started), default=None)

    @property
    def finished(self) -> datetime | None:
        """When the last of the runs ended."""
        return max((one.finished for one in self.records if one.finished), default=None)

    @property
    def busy_s(self) -> float:
        """How long cells ran, all together."""
        return sum(one.duration_s or 0.0 for one in self.records)

    @property
    def jobs(self) -> int:
        """How many jobs they ran."""
        return sum(len(one.jobs) + one.omitted_jobs for one in self.records)

    def total(self, name: str) -> int:
        """Give the sum of one of the ``Totals``, as far as it is known."""
        return sum(getattr(one.totals, name) or 0 for one in self.records)

    def different(self, of: Any) -> list[str]:
        """Give what ``of`` tells of the records, each once, the most frequent first."""
        found = Counter(filter(None, map(of, self.records)))
        return [text for text, _ in found.most_common()]


def history_content(history: NotebookHistory) -> dict[str, Any]:
    """Make the JSON of a history; its records are as those of a cell."""
    statuses = Counter(one.status.value for one in history.records)
    return {
        "version": _VERSION,
        "notebook": history.notebook,
        "started": instant_text(history.started),
        "finished": instant_text(history.finished),
        "busy_s": round(history.busy_s, 3),
        "statuses": dict(statuses),
        "jobs": history.jobs,
        "input_bytes": history.total("input_bytes"),
        "output_bytes": history.total("output_bytes"),
        "cells": [_cell_content(cell) for cell in history.cells],
    }


def _cell_content(cell: HistoryCell) -> dict[str, Any]:
    verdict = cell.verdict
    return {
        "number": cell.number,
        "cell_id": cell.cell_id,
        "execution_count": cell.execution_count,
        "title": cell.title,
        "record": record_content(cell.record) if cell.record is not None else None,
        "verdict": verdict.verdict.value if verdict is not None else None,
    }
