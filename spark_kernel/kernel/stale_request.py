"""``spark_stale_request``: which results of a notebook are out of date, on control.

The client sends the cells as it has them; nothing here starts Spark or asks it. One
notebook is judged at a time: whoever asks meanwhile is told to ask again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from spark_kernel.errors import StaleRequestError
from spark_kernel.protocol.messages import VERSION, refusal
from spark_kernel.protocol.staleness import CellVerdict, StalenessReport, Verdict

__all__ = ["StaleDesk"]

_MOST_CELLS = 1_000
_MOST_CHARACTERS = 2_000_000
_MOST_REASONS = 5
_LONGEST = 300


class StaleDesk:
    """Answers requests.

    Parameters
    ----------
    version_of
        Gives the version of a library that was added to Spark, or is installed.
    """

    def __init__(self, version_of: Callable[[str], str | None]) -> None:
        self._version_of = version_of
        self._judging = threading.Lock()

    def reply(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Make the content of a ``spark_stale_reply``."""
        try:
            report = self._judge(_cells(content))
        except Exception as error:  # of a notebook that is anybody's
            return refusal(error)
        return {
            "status": "ok",
            "version": VERSION,
            "cells": [_told(cell) for cell in report.cells if cell.cell_id],
        }

    def _judge(self, cells: list[dict[str, Any]]) -> StalenessReport:
        # Judging reads a lot of code, which a notebook that never asks does without.
        from spark_kernel.recording.environment import Environment
        from spark_kernel.recording.notebooks import recorded_notebook
        from spark_kernel.recording.staleness import judge

        if not self._judging.acquire(blocking=False):
            raise StaleRequestError("Another notebook is being judged.", "ask again later")
        try:
            environment = Environment(None, self._version_of)
            return judge(recorded_notebook({"cells": cells}, None), environment)
        finally:
            self._judging.release()


def _cells(content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the cells that were sent, as a notebook has them; what they show does not matter."""
    cells = content.get("cells")
    if not isinstance(cells, list):
        raise StaleRequestError("`cells` is no list.", "it holds the code cells of a notebook")
    if len(cells) > _MOST_CELLS or sum(map(_length, cells)) > _MOST_CHARACTERS:
        raise StaleRequestError(
            "The notebook is too large to be judged on the way.",
            f"it may have {_MOST_CELLS:,} cells and {_MOST_CHARACTERS:,} characters",
        )
    return [
        {**cell, "cell_type": "code", "outputs": []} for cell in cells if isinstance(cell, dict)
    ]


def _length(cell: Any) -> int:
    return len(str(cell.get("source", ""))) if isinstance(cell, dict) else 0


def _told(cell: CellVerdict) -> dict[str, Any]:
    return {
        "id": cell.cell_id,
        "verdict": cell.verdict.value,
        "reasons": [
            {"kind": reason.kind.value, "text": reason.text[:_LONGEST]}
            for reason in cell.reasons[:_MOST_REASONS]
            if reason.verdict is Verdict.STALE
        ],
    }
