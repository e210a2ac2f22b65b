"""Bars: a column aggregated by the categories that matter most, by few values, or by bins."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from spark_kernel.protocol.chart import Axis, ChartData, Value
from spark_kernel.spark.chart_axes import (
    BinnedAxis,
    CategoryAxis,
    binned_axis,
    category_axes,
    ordered_axis,
)
from spark_kernel.spark.chart_frames import ChartFrame, aggregate_text, as_number, counted, short

__all__ = ["bars", "measure_name", "omitted_notes", "series_axis"]

_BARS = 30
_ORDERED_BARS = 60
_COLORS = 10


def bars(frame: ChartFrame) -> ChartData | None:
    """Aggregate by x, and by colour; None where there is nothing."""
    choice, functions = frame.choice, frame.functions
    assert choice.x is not None
    x, color = _axes(frame)
    if x is None:
        return None
    keys = [x.key.alias("k"), *([] if color is None else [color.key.alias("c")])]
    distinct = functions.count_distinct("x") if _has_rest(x) else functions.lit(0)
    rows = (
        frame.frame.groupBy(*keys)
        .agg(
            *frame.measures,
            frame.omitted(),
            functions.count(functions.lit(1)).alias("n"),
            functions.max(functions.lit(0)).alias("d") if not _has_rest(x) else distinct.alias("d"),
        )
        .where("k IS NOT NULL")
        .orderBy(*(["k"] if color is None else ["k", "c"]))
        .collect()
    )
    if not rows:
        return None
    notes = list(omitted_notes(frame, sum(row["omitted"] for row in rows)))
    if isinstance(x, CategoryAxis) and x.has_rest:
        more = max(row["d"] for row in rows if row["k"] == len(x.labels) - 1)
        x = x.rest_named(more) if color is None else x
        by = "largest" if choice.agg != "count" else "most frequent"
        notes.insert(0, f"the {_BARS} {by} of {short(choice.x.name)}, and the rest as “other”")
    if color is not None and color.has_rest:
        notes.append(f"the {_COLORS} most frequent of {color.axis.title}, and the rest as “other”")
    series = color.axis if color is not None else series_axis(frame)
    fields = ("x", "x2", "y")[: x.width] + ("y",) + (("color",) if series is not None else ())
    is_aggregated = choice.agg == "count" or max(row["n"] for row in rows) > 1
    name = measure_name(frame, is_aggregated)
    return ChartData(
        kind=choice.kind,
        title=f"{name[:1].upper() + name[1:] if is_aggregated else name} by {short(choice.x.name)}",
        x=x.axis,
        y=Axis(name, "number"),
        color=series,
        fields=fields,
        rows=tuple(_rows(frame, rows, x, color)),
        is_additive=choice.agg in ("count", "sum") and color is not None,
        notes=(*notes, *x.notes, *(() if color is None else color.notes)),
    )


def _has_rest(x: BinnedAxis | CategoryAxis) -> bool:
    return isinstance(x, CategoryAxis) and x.has_rest


def _axes(frame: ChartFrame) -> tuple[BinnedAxis | CategoryAxis | None, CategoryAxis | None]:
    choice = frame.choice
    assert choice.x is not None
    named, most = {}, {"x": _BARS, "color": _COLORS}
    x: BinnedAxis | CategoryAxis | None = None
    if choice.x.family == "category":
        named["x"] = choice.x
    else:
        x = ordered_axis(frame, "x", choice.x, _ORDERED_BARS)
        if x is None:
            (extent,) = frame.extents("x")
            if extent.low is None:
                return None, None
            x = binned_axis(frame, "x", choice.x, extent, _ORDERED_BARS)
    if choice.color is not None:
        named["color"] = choice.color
    found = {}
    if named:
        rank = frame.aggregate("y0" if choice.ys else "")
        found = category_axes(frame, named, most, {"x": rank})
    x = found.get("x", x)
    if isinstance(x, CategoryAxis) and choice.kind != "bar" and choice.x.family == "category":
        x = replace(x, axis=replace(x.axis, order=tuple(sorted(x.labels))))
    return x, found.get("color")


def _rows(
    frame: ChartFrame, rows: list[Any], x: BinnedAxis | CategoryAxis, color: CategoryAxis | None
) -> list[tuple[Value, ...]]:
    names = [short(column.name) for column in frame.choice.ys] or [""]
    made: list[tuple[Value, ...]] = []
    for row in rows:
        place = x.values(row["k"])
        if color is not None:
            made.append((*place, as_number(row["v0"]), *color.values(row["c"])))
        elif len(names) > 1:
            made += [
                (*place, as_number(row[f"v{number}"]), name) for number, name in enumerate(names)
            ]
        else:
            made.append((*place, as_number(row["v0"])))
    return made


def series_axis(frame: ChartFrame) -> Axis | None:
    """Give the colours of several columns as y; None where there is one."""
    names = tuple(short(column.name) for column in frame.choice.ys)
    return Axis("column", "category", names) if len(names) > 1 else None


def measure_name(frame: ChartFrame, is_aggregated: bool) -> str:
    """Name what is shown, such as ``sum of delay``."""
    ys, agg = frame.choice.ys, aggregate_text(frame.choice.agg)
    if not ys:
        return "count of rows"
    names = ", ".join(short(column.name) for column in ys)
    return f"{agg} of {names}" if is_aggregated else names


def omitted_notes(frame: ChartFrame, count: int) -> tuple[str, ...]:
    """Say how many values of y were no numbers."""
    if not count:
        return ()
    names = ", ".join(short(column.name) for column in frame.choice.ys)
    has_nan = any(column.type in ("float", "double") for column in frame.choice.ys)
    return (f"{counted(count, 'null, NaN or infinite value' if has_nan else 'null value')} of "
            f"{names} left out",)  # fmt: skip
