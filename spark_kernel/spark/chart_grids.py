"""Histograms and heatmaps: rows counted, or a column aggregated, by bins and categories."""

from __future__ import annotations

from typing import Any

from spark_kernel.protocol.chart import Axis, ChartData
from spark_kernel.spark.chart_axes import BinnedAxis, CategoryAxis, binned_axis, category_axes
from spark_kernel.spark.chart_columns import ChartColumn
from spark_kernel.spark.chart_frames import ChartFrame, aggregate_text, as_number, short

__all__ = ["heatmap", "histogram"]

_HIST_BINS = 50
_COLORS = 10
_HEAT_BINS = 40
_HEAT_CATEGORIES = 30


def histogram(frame: ChartFrame) -> ChartData | None:
    """Count the values of a column in bins; None where there are none."""
    choice, functions = frame.choice, frame.functions
    assert choice.x is not None
    (extent,) = frame.extents("x")
    if extent.low is None:
        return None
    axis = binned_axis(frame, "x", choice.x, extent, _HIST_BINS)
    keys, color = [axis.key.alias("k")], None
    if choice.color is not None:
        color = category_axes(frame, {"color": choice.color}, {"color": _COLORS})["color"]
        keys.append(color.key.alias("c"))
    grouped = frame.frame.groupBy(*keys).agg(functions.count(functions.lit(1)).alias("n"))
    rows = []
    for row in grouped.where("k IS NOT NULL").orderBy(*grouped.columns[:-1]).collect():
        extra = color.values(row["c"]) if color is not None else ()
        rows.append((*axis.values(row["k"]), row["n"], *extra))
    return ChartData(
        kind="hist",
        title=f"Distribution of {short(choice.x.name)}",
        x=axis.axis,
        y=Axis("rows", "number"),
        color=None if color is None else color.axis,
        fields=("x", "x2", "y", "color") if color is not None else ("x", "x2", "y"),
        rows=tuple(rows),
        is_additive=True,
        notes=(*axis.notes, *(() if color is None else axis_notes(color, _COLORS))),
    )


def heatmap(frame: ChartFrame) -> ChartData | None:
    """Count rows, or aggregate a column, in the cells of a grid; None where there are none."""
    choice, functions = frame.choice, frame.functions
    assert choice.x is not None
    axes = _axes(frame, {"x": choice.x, "y0": choice.ys[0]})
    if axes is None:
        return None
    x, y = axes["x"], axes["y0"]
    measure = frame.aggregate("color" if choice.color is not None else "")
    grouped = frame.frame.groupBy(x.key.alias("kx"), y.key.alias("ky")).agg(measure.alias("v"))
    drawn = grouped.where(functions.col("kx").isNotNull() & functions.col("ky").isNotNull())
    rows = [
        (*x.values(row["kx"]), *y.values(row["ky"]), as_number(row["v"]))
        for row in drawn.orderBy("kx", "ky").collect()
    ]
    agg = aggregate_text(choice.agg)
    value = agg if choice.color is None else f"{agg} of {short(choice.color.name)}"
    fields = (*("x", "x2")[: x.width], *("y", "y2")[: y.width], "value")
    return ChartData(
        kind="heatmap",
        title=f"{value.capitalize()} by {short(choice.x.name)} and {short(choice.ys[0].name)}",
        x=x.axis,
        y=y.axis,
        color=Axis(value, "number"),
        fields=fields,
        rows=tuple(rows),
        notes=tuple(note for one in (x, y) for note in axis_notes(one, _HEAT_CATEGORIES)),
    )


def axis_notes(axis: BinnedAxis | CategoryAxis, most: int) -> tuple[str, ...]:
    """Give what is said of an axis, with what became of further categories."""
    if isinstance(axis, BinnedAxis) or not axis.has_rest:
        return axis.notes
    name = short(axis.axis.title)
    return (f"the {most} most frequent of {name}, and the rest as “other”", *axis.notes)


def _axes(
    frame: ChartFrame, columns: dict[str, ChartColumn]
) -> dict[str, BinnedAxis | CategoryAxis] | None:
    named = {name: one for name, one in columns.items() if one.family == "category"}
    measured = {name: one for name, one in columns.items() if one.family != "category"}
    axes: dict[str, Any] = {}
    if measured:
        for name, extent in zip(measured, frame.extents(*measured), strict=True):
            if extent.low is None:
                return None
            axes[name] = binned_axis(frame, name, measured[name], extent, _HEAT_BINS)
    if named:
        axes |= category_axes(frame, named, dict.fromkeys(named, _HEAT_CATEGORIES))
        if not all(axes[name].labels for name in named):
            return None
    return axes
