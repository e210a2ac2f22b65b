"""Reduces a DataFrame to what a chart shows: Spark aggregates, bins and samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spark_kernel.protocol.chart import Axis, ChartData, ChartRequest
from spark_kernel.spark.chart_bars import bars
from spark_kernel.spark.chart_columns import choose
from spark_kernel.spark.chart_frames import ChartFrame
from spark_kernel.spark.chart_grids import heatmap, histogram
from spark_kernel.spark.chart_lines import lines
from spark_kernel.spark.chart_points import boxes, scatter

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["chart_data"]

_REDUCERS = {
    "bar": bars,
    "line": lines,
    "area": lines,
    "scatter": scatter,
    "hist": histogram,
    "box": boxes,
    "heatmap": heatmap,
}


def chart_data(frame: DataFrame, request: ChartRequest) -> ChartData:
    """Compute a chart, with a few jobs whose results are small.

    Raises
    ------
    ChartError
        If there is no such kind, column or aggregate, or they do not go together.
    """
    choice = choose(frame, request)
    made = _REDUCERS[choice.kind](ChartFrame(frame, choice))
    if made is not None:
        return made
    return ChartData(
        kind=choice.kind,
        title="Nothing to draw",
        x=Axis("" if choice.x is None else choice.x.name, "category"),
        y=Axis("", "number"),
        fields=("x", "y"),
        rows=(),
        notes=("the frame has no rows that this chart could show",),
    )
