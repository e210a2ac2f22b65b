"""What is said of the results in a notebook: fresh, stale or unknown, and why; and its JSON."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any

__all__ = ["CellVerdict", "Reason", "ReasonKind", "StalenessReport", "Verdict", "report_content"]

_VERSION = "1.0"


class Verdict(str, Enum):
    """How a result stands to what it was made from."""

    FRESH = "fresh"
    STALE = "stale"
    UNKNOWN = "unknown"


class ReasonKind(str, Enum):
    """Why a result is not fresh; the names are part of the JSON."""

    NO_RECORD = "no_record"
    OTHER_RUN = "other_run"
    """The outputs are of another run than the record."""
    NOT_PROVENANCE = "not_provenance"
    NOT_FINISHED = "not_finished"
    """It failed, was interrupted, or never began."""
    SOURCE_CHANGED = "source_changed"
    INPUT_CHANGED = "input_changed"
    INPUT_GONE = "input_gone"
    INPUT_UNKNOWN = "input_unknown"
    OUTPUT_CHANGED = "output_changed"
    OUTPUT_GONE = "output_gone"
    OUTPUT_UNKNOWN = "output_unknown"
    UPSTREAM_NEWER = "upstream_newer"
    UPSTREAM_STALE = "upstream_stale"
    UPSTREAM_UNKNOWN = "upstream_unknown"
    OUT_OF_ORDER = "out_of_order"
    OTHER_SESSION = "other_session"
    UNSEEN_RUNS = "unseen_runs"
    UNBOUND_NAME = "unbound_name"
    OPAQUE_CODE = "opaque_code"
    OUTSIDE = "outside"
    """Time, chance, or something that no record tells of."""
    LIBRARY_CHANGED = "library_changed"
    LIBRARY_UNKNOWN = "library_unknown"
    SPARK_CHANGED = "spark_changed"
    MODULE_CHANGED = "module_changed"


@dataclass(frozen=True)
class Reason:
    """One thing that speaks against a result.

    Attributes
    ----------
    verdict
        STALE or UNKNOWN.
    text
        In words, without the number of the cell itself.
    """

    verdict: Verdict
    kind: ReasonKind
    text: str


@dataclass(frozen=True)
class CellVerdict:
    """What is said of one code cell.

    Attributes
    ----------
    number
        Which code cell of the notebook it is, from 1 on; cells without code do not count.
    execution_count
        What stands in brackets beside it in the notebook.
    title
        The first line of its source that is no comment, on one line.
    reasons
        The main one first; none of a fresh one.
    notes
        What is worth knowing, and is no reason.
    """

    number: int
    cell_id: str
    execution_count: int | None
    title: str
    reasons: tuple[Reason, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Stale if any reason says so, else unknown if there is any."""
        return self.reasons[0].verdict if self.reasons else Verdict.FRESH


@dataclass(frozen=True)
class StalenessReport:
    """What is said of a notebook.

    Attributes
    ----------
    notebook
        Where it is; empty for the cells that a kernel remembers.
    """

    notebook: str
    cells: tuple[CellVerdict, ...]

    @property
    def verdict(self) -> Verdict:
        """Stale if any cell is, else unknown if any is."""
        found = {cell.verdict for cell in self.cells}
        for verdict in (Verdict.STALE, Verdict.UNKNOWN):
            if verdict in found:
                return verdict
        return Verdict.FRESH

    def count(self, verdict: Verdict) -> int:
        """Give how many cells are so."""
        return sum(cell.verdict is verdict for cell in self.cells)


def report_content(report: StalenessReport) -> dict[str, Any]:
    """Make the JSON of a report."""
    return {
        "version": _VERSION,
        "notebook": report.notebook,
        "verdict": report.verdict.value,
        "counts": {verdict.value: report.count(verdict) for verdict in Verdict},
        "cells": [_cell_content(cell) for cell in report.cells],
    }


def _cell_content(cell: CellVerdict) -> dict[str, Any]:
    return {
        "number": cell.number,
        "cell_id": cell.cell_id,
        "execution_count": cell.execution_count,
        "title": cell.title,
        "verdict": cell.verdict.value,
        "reasons": [
            {"verdict": one.verdict.value, "kind": one.kind.value, "text": one.text}
            for one in cell.reasons
        ],
        "notes": list(cell.notes),
    }
