"""Charts of DataFrames: reduced in Spark, drawn for every frontend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spark_kernel.protocol.chart import AUTO, ChartRequest

__all__ = ["draw"]


def draw(
    frame: Any,
    kind: str | bool = AUTO,
    x: str | None = None,
    y: str | Sequence[str] | None = None,
    color: str | None = None,
    agg: str | None = None,
) -> dict[str, Any]:
    """Draw a chart of a DataFrame.

    Parameters
    ----------
    kind
        A kind of chart; True for a sensible one.

    Returns
    -------
    A MIME bundle: Vega-Lite, a picture where the renderer is installed, and text.

    Raises
    ------
    ChartError
        If there is no such kind, column or aggregate, or they do not go together.
    """
    from spark_kernel.display.chart import chart_view  # which imports Altair
    from spark_kernel.spark.chart import chart_data
    from spark_kernel.spark.preview import spark_frame_of

    ys = (y,) if isinstance(y, str) else tuple(y or ())
    kind = AUTO if kind is True or not kind else str(kind)
    return chart_view(
        chart_data(spark_frame_of(frame), ChartRequest(kind, x or "", ys, color or "", agg or ""))
    )
