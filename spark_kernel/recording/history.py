"""Makes the history of a notebook from the records of its cells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from spark_kernel.errors import NotebookError
from spark_kernel.protocol.history import HistoryCell, NotebookHistory
from spark_kernel.protocol.provenance import KEY
from spark_kernel.protocol.staleness import StalenessReport
from spark_kernel.recording.notebooks import RecordedNotebook, title_of
from spark_kernel.redaction import holds_secret, redacted

__all__ = ["history_of"]

_LONGEST = 500
_MOST_SETTINGS = 300
_HIDDEN = "***"


def history_of(notebook: RecordedNotebook, report: StalenessReport) -> NotebookHistory:
    """Tell what ran in a notebook.

    Raises
    ------
    NotebookError
        If no cell has a record.
    """
    if not any(cell.record is not None for cell in notebook.cells):
        raise NotebookError(
            f"No cell of {notebook.path} has a record of a run.",
            "`spark-kernel run NOTEBOOK -o OUT` keeps them, and so does a kernel started with "
            "SPARK_KERNEL_PROVENANCE=1 where the client takes them; see docs/provenance.md",
        )
    verdicts = {cell.number: cell for cell in report.cells}
    cells = tuple(
        HistoryCell(
            cell.number,
            cell.cell_id,
            cell.execution_count,
            title_of(cell.source)[:_LONGEST],
            cell.record,
            verdicts.get(cell.number),
        )
        for cell in notebook.cells
    )
    return NotebookHistory(str(notebook.path or ""), cells, _settings(notebook.metadata))


def _settings(metadata: Mapping[str, Any]) -> dict[str, str]:
    """Give the settings that a notebook keeps, once more without secrets."""
    summary = metadata.get(KEY)
    kept = summary.get("settings") if isinstance(summary, Mapping) else None
    if not isinstance(kept, Mapping):
        return {}
    texts = [(str(key), value) for key, value in kept.items() if isinstance(value, str)]
    return {
        key: _HIDDEN if holds_secret(key, value) else redacted(value[:_LONGEST])
        for key, value in sorted(texts)[:_MOST_SETTINGS]
    }
