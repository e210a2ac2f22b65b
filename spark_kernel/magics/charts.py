"""Charts of DataFrames: reduced in Spark, drawn with Altair."""

from __future__ import annotations

from typing import Any

from IPython.display import display

__all__ = ["PlainFrames"]


class PlainFrames:
    """Shows frames with IPython's display."""

    def show(
        self,
        frame: Any,
        *,
        limit: int | None = None,
        chart: str | None = None,
        x: str | None = None,
        y: Any = None,
        color: str | None = None,
        agg: str | None = None,
    ) -> None:
        """Show a frame."""
        display(frame if limit is None else frame.limit(limit))
