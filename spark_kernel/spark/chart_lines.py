"""Lines and areas over numbers or times: one point for each value of x, or for each step of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from spark_kernel.protocol.chart import Axis, ChartData, Value
from spark_kernel.spark.chart_axes import CategoryAxis, category_axes, omitted_note
from spark_kernel.spark.chart_bars import bars, measure_name, omitted_notes, series_axis
from spark_kernel.spark.chart_bins import bins_between
from spark_kernel.spark.chart_columns import ChartColumn
from spark_kernel.spark.chart_frames import ChartFrame, Extent, as_number, short

__all__ = ["lines"]

_POINTS = 1000
_POINTS_OF_EACH = 300
_FEW_SERIES = 3
_SERIES = 10
_SAFE = 0.8
"""Spark only estimates how many values there are."""
_DAY_S = 86_400.0
_UNITS = (
    ("microsecond", 1e-6),
    ("millisecond", 1e-3),
    ("second", 1.0),
    ("minute", 60.0),
    ("hour", 3600.0),
    ("day", _DAY_S),
    ("week", 7 * _DAY_S),
    ("month", 28 * _DAY_S),
    ("quarter", 90 * _DAY_S),
    ("year", 365 * _DAY_S),
)


@dataclass(frozen=True)
class _Steps:
    """What x is rounded down to."""

    key: Any
    text: str = ""


def lines(frame: ChartFrame) -> ChartData | None:
    """Aggregate by x, and by colour; None where there is nothing."""
    choice, functions = frame.choice, frame.functions
    assert choice.x is not None
    if choice.x.family == "category":
        return bars(frame)
    (extent,) = frame.extents("x", has_distinct=True)
    if extent.low is None:
        return None
    color = None
    if choice.color is not None:
        color = category_axes(frame, {"color": choice.color}, {"color": _SERIES})["color"]
    is_narrow = color is None and len(choice.ys) <= _FEW_SERIES
    steps = _steps(frame, choice.x, extent, _POINTS if is_narrow else _POINTS_OF_EACH)
    keys = [steps.key.alias("k"), *([] if color is None else [color.key.alias("c")])]
    rows = (
        frame.frame.where(frame.drawable("x").isNotNull())
        .groupBy(*keys)
        .agg(*frame.measures, frame.omitted(), functions.count(functions.lit(1)).alias("n"))
        .orderBy(*(["k"] if color is None else ["k", "c"]))
        .limit(2 * _POINTS * (_SERIES + 1))
        .collect()
    )
    return _data(frame, extent, steps, color, rows)


def _data(
    frame: ChartFrame,
    extent: Extent,
    steps: _Steps,
    color: CategoryAxis | None,
    rows: list[Any],
) -> ChartData:
    choice = frame.choice
    assert choice.x is not None
    notes = [f"{short(choice.x.name)} by {steps.text}"] if steps.text else []
    if color is not None and color.has_rest:
        notes.append(f"the {_SERIES} most frequent of {color.axis.title}, the rest as “other”")
    if extent.omitted:
        notes.append(omitted_note(extent.omitted, choice.x))
    notes += omitted_notes(frame, sum(row["omitted"] for row in rows))
    is_aggregated = choice.agg == "count" or max(row["n"] for row in rows) > 1
    series = color.axis if color is not None else series_axis(frame)
    name = measure_name(frame, is_aggregated)
    names = [short(column.name) for column in choice.ys] or [""]
    points: list[tuple[Value, ...]] = []
    for row in rows:
        x = as_number(row["k"])
        for number, column in enumerate(names):
            last = color.values(row["c"]) if color is not None else (column,)
            points.append((x, as_number(row[f"v{number}"]), *(last if series else ())))
    return ChartData(
        kind=choice.kind,
        title=f"{name[:1].upper() + name[1:] if is_aggregated else name} by {short(choice.x.name)}",
        x=Axis(choice.x.name, choice.x.family),
        y=Axis(name, "number"),
        color=series,
        fields=("x", "y", "color") if series else ("x", "y"),
        rows=tuple(points),
        is_additive=choice.agg in ("count", "sum") and color is not None,
        notes=(*notes, *(() if color is None else color.notes)),
    )


def _steps(frame: ChartFrame, column: ChartColumn, extent: Extent, most: int) -> _Steps:
    functions, x = frame.functions, frame.drawable("x")
    if extent.count <= most or extent.distinct <= most * _SAFE:
        return _Steps(x)
    if column.family == "time":
        return _time_steps(functions, x, column, extent, most)
    bins = bins_between(extent.low, extent.high, most, column)
    first, step = bins.edges[0], bins.edges[1] - bins.edges[0]
    if column.least_step == 0:
        key = x - functions.pmod(x, functions.lit(step))
    else:
        double = x.cast("double")
        key = functions.floor((double - float(first)) / float(step)) * float(step) + float(first)
    return _Steps(key, f"steps of {bins.text}")


def _time_steps(functions: Any, x: Any, column: ChartColumn, extent: Extent, most: int) -> _Steps:
    span_s = (extent.high - extent.low).total_seconds()
    is_date = column.type == "date"
    for unit, seconds in _UNITS:
        if span_s / seconds <= most - 1 and (not is_date or seconds >= _DAY_S):
            key = functions.date_trunc(unit, x)
            return _Steps(key.cast("date" if is_date else "timestamp_ntz"), unit)
    years = next(n for n in (10, 100, 1000) if span_s / (n * 365 * _DAY_S) <= most - 1)
    year = functions.floor(functions.year(x) / years) * years
    first = functions.greatest(year, functions.lit(1)).cast("int")
    return _Steps(functions.make_date(first, functions.lit(1), functions.lit(1)), f"{years} years")
