"""Scatter plots of all rows, or of a random sample; boxes of quartiles that Spark estimates."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from spark_kernel.protocol.chart import Axis, ChartData, Value
from spark_kernel.spark.chart_axes import (
    CategoryAxis,
    category_axes,
    ordered_axis,
    unique_labels,
)
from spark_kernel.spark.chart_bars import series_axis
from spark_kernel.spark.chart_columns import ChartColumn
from spark_kernel.spark.chart_frames import ChartFrame, as_number, counted, rest_label, short

__all__ = ["boxes", "scatter"]

_POINTS = 5_000
_FETCHED = 10_000
_SEED = 20
_COLORS = 10
_CATEGORIES = 30
_BOXES = 20
_ACCURACY = 10_000
_REACH = 1.5
"""How many times the height of the box a whisker is long at most, as usual."""


@dataclass(frozen=True)
class _Scale:
    """What a direction of a scatter plot, or its colour, stands for.

    Attributes
    ----------
    labels
        The names of the categories; empty for numbers and times.
    """

    axis: Axis
    labels: Mapping[Any, str] = field(default_factory=dict)
    note: str = ""

    def value(self, value: Any) -> Value:
        """Give a value as it is drawn; None has no place, but may be a category."""
        return self.labels.get(value) if self.labels else as_number(value)


def scatter(frame: ChartFrame) -> ChartData | None:
    """Take rows at random, where there are more than can be drawn; None where there are none."""
    choice, functions = frame.choice, frame.functions
    assert choice.x is not None
    names = ["x", *(f"y{number}" for number in range(len(choice.ys)))]
    drawable = [frame.drawable(name).alias(name) for name in names]
    extra = ["color"] if choice.color is not None else []
    points = frame.frame.select(*drawable, *extra)
    has_y = functions.coalesce(*names[1:]).isNotNull()
    drawn = points.where(functions.col("x").isNotNull() & has_y)
    total, all_rows = points.agg(
        functions.count(functions.when(functions.col("x").isNotNull() & has_y, 1)),
        functions.count(functions.lit(1)),
    ).collect()[0]
    if not total:
        return None
    most = _POINTS // len(choice.ys)
    if total > most:
        drawn = drawn.sample(fraction=min(1.0, 1.1 * most / total), seed=_SEED).limit(_FETCHED)
    rows = drawn.collect()
    if len(rows) > most:
        rows = random.Random(_SEED).sample(rows, most)
    notes = [f"{len(rows):,} of {total:,} rows, taken at random"] if total > most else []
    if all_rows > total:
        notes.append(f"{counted(all_rows - total, 'row')} with null, NaN or infinity left out")
    return _scatter_data(frame, rows, notes)


def _scatter_data(frame: ChartFrame, rows: list[Any], notes: list[str]) -> ChartData:
    choice = frame.choice
    assert choice.x is not None
    directions = {"x": choice.x, "y0": choice.ys[0]}
    if choice.color is not None:
        directions["color"] = choice.color
    scales = {name: _scale(rows, name, column) for name, column in directions.items()}
    notes += [scale.note for scale in scales.values() if scale.note]
    series = scales["color"].axis if choice.color is not None else series_axis(frame)
    points: list[tuple[Value, ...]] = []
    for row in rows:
        x = scales["x"].value(row["x"])
        for number, column in enumerate(choice.ys):
            y = scales["y0"].value(row[f"y{number}"])
            if y is None:
                continue
            if choice.color is not None:
                points.append((x, y, scales["color"].value(row["color"])))
            else:
                points.append((x, y, short(column.name)) if series is not None else (x, y))
    name = ", ".join(short(column.name) for column in choice.ys)
    return ChartData(
        kind="scatter",
        title=f"{name} by {short(choice.x.name)}",
        x=scales["x"].axis,
        y=Axis(name, "number") if len(choice.ys) > 1 else scales["y0"].axis,
        color=series,
        fields=("x", "y", "color") if series is not None else ("x", "y"),
        rows=tuple(points),
        notes=tuple(notes),
    )


def _scale(rows: Sequence[Any], name: str, column: ChartColumn) -> _Scale:
    """Say how the values of a column are drawn: of categories those that most rows have."""
    if column.family != "category" and (name != "color" or column.family == "number"):
        return _Scale(Axis(column.name, column.family))
    most = _COLORS if name == "color" else _CATEGORIES
    counts = Counter(row[name] for row in rows if row[name] is not None or name == "color")
    known = [key for key, _ in counts.most_common(most)]
    known = known if name == "color" else sorted(known)
    has_rest = len(counts) > most
    order = unique_labels(known, rest_label() if has_rest else "")
    labels = dict(zip(known, order, strict=False))
    labels |= dict.fromkeys((key for key in counts if key not in labels), order[-1])
    note = f"the {most} most frequent of {short(column.name)}, the rest as “other”"
    return _Scale(Axis(column.name, "category", order), labels, note if has_rest else "")


def boxes(frame: ChartFrame) -> ChartData | None:
    """Estimate the quartiles of y, for each category; None where there are no values."""
    choice, functions = frame.choice, frame.functions
    (y,) = choice.ys
    axis = _box_axis(frame)
    key = functions.lit(0) if axis is None else axis.key
    keyed = frame.frame.select(key.alias("k"), functions.col("y0").alias("y"))
    quartiles = keyed.groupBy("k").agg(
        functions.percentile_approx("y", [0.25, 0.5, 0.75], _ACCURACY).alias("q"),
        functions.count("y").alias("n"),
        functions.count(functions.lit(1)).alias("rows"),
    )
    found = {row["k"]: row for row in quartiles.collect()}
    drawn = {key: row for key, row in found.items() if row["n"]}
    if not drawn:
        return None
    whiskers = {row["k"]: row for row in _whiskers(functions, keyed, drawn).collect()}
    rows: list[tuple[Value, ...]] = []
    for number in sorted(drawn):
        label = ("",) if axis is None else axis.values(number)
        low, high = whiskers[number]["low"], whiskers[number]["high"]
        rows.append((*label, low, *drawn[number]["q"], high, drawn[number]["n"]))
    notes = ["quartiles are estimated, whiskers end at the last value within 1.5 boxes"]
    beyond = sum(row["beyond"] for row in whiskers.values())
    notes += [f"{counted(beyond, 'value')} beyond the whiskers"] if beyond else []
    omitted = sum(row["rows"] - row["n"] for row in found.values())
    notes += [f"{counted(omitted, 'null, NaN or infinite value')} left out"] if omitted else []
    if axis is not None and axis.has_rest:
        notes.append(f"the {_BOXES} most frequent of {axis.axis.title}, the rest as “other”")
    by = f" by {short(choice.x.name)}" if choice.x is not None else ""
    return ChartData(
        kind="box",
        title=f"Distribution of {short(y.name)}{by}",
        x=Axis("", "category", ("",)) if axis is None else axis.axis,
        y=Axis(y.name, "number"),
        fields=("x", "low", "q1", "median", "q3", "high", "count"),
        rows=tuple(rows),
        notes=(*notes, *(() if axis is None else axis.notes)),
    )


def _box_axis(frame: ChartFrame) -> CategoryAxis | None:
    column = frame.choice.x
    if column is None:
        return None
    axis = None
    if column.family != "category":
        axis = ordered_axis(frame, "x", column, _BOXES)
    return axis or category_axes(frame, {"x": column}, {"x": _BOXES})["x"]


def _whiskers(functions: Any, keyed: Any, found: dict[int, Any]) -> Any:
    """Find the last values within reach of each box."""
    key, y = functions.col("k"), functions.col("y")
    low, high = functions.lit(None).cast("double"), functions.lit(None).cast("double")
    for number, row in found.items():
        reach = _REACH * (row["q"][2] - row["q"][0])
        low = functions.when(key == number, row["q"][0] - reach).otherwise(low)
        high = functions.when(key == number, row["q"][2] + reach).otherwise(high)
    is_within = (y >= low) & (y <= high)
    return (
        keyed.where(y.isNotNull())
        .groupBy("k")
        .agg(
            functions.min(functions.when(is_within, y)).alias("low"),
            functions.max(functions.when(is_within, y)).alias("high"),
            functions.count_if(~is_within).alias("beyond"),
        )
    )
