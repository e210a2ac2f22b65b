"""Axes of bins and of categories: a small whole number for each row, and what it stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from spark_kernel.protocol.chart import Axis, Value
from spark_kernel.spark.chart_bins import Bins, bins_between
from spark_kernel.spark.chart_columns import ChartColumn
from spark_kernel.spark.chart_frames import (
    ChartFrame,
    Extent,
    as_number,
    counted,
    label_of,
    rest_label,
    short,
)

__all__ = [
    "BinnedAxis",
    "CategoryAxis",
    "binned_axis",
    "category_axes",
    "omitted_note",
    "ordered_axis",
    "unique_labels",
]


@dataclass(frozen=True)
class BinnedAxis:
    """An axis of numbers or times."""

    axis: Axis
    bins: Bins
    key: Any
    notes: tuple[str, ...]
    width = 2
    """How many values of a row it takes."""

    def values(self, key: int) -> tuple[Value, ...]:
        """Give the ends of a bin."""
        return as_number(self.bins.edges[key]), as_number(self.bins.edges[key + 1])


@dataclass(frozen=True)
class CategoryAxis:
    """An axis of the categories that matter most, and of the rest.

    Attributes
    ----------
    has_rest
        Whether the last of the labels stands for all other categories.
    """

    axis: Axis
    labels: tuple[str, ...]
    key: Any
    notes: tuple[str, ...] = ()
    has_rest: bool = False
    width = 1

    def values(self, key: int) -> tuple[Value, ...]:
        """Give the name of a category."""
        return (self.labels[key],)

    def rest_named(self, more: int) -> CategoryAxis:
        """Say how many categories the rest is."""
        labels = unique_labels(self.labels[:-1], rest_label(more))
        return replace(self, labels=labels, axis=replace(self.axis, order=labels))


def binned_axis(
    frame: ChartFrame, name: str, column: ChartColumn, extent: Extent, most: int
) -> BinnedAxis:
    """Make an axis of bins for the values that a column has."""
    bins = bins_between(extent.low, extent.high, most, column)
    value = frame.drawable(name)
    key = bins.number_of(frame.functions, value, column)
    key = frame.functions.when(value.isNotNull(), key)
    notes = [f"{short(column.name)} in {counted(len(bins), 'bin')} of {bins.text}"]
    if extent.omitted:
        notes.append(omitted_note(extent.omitted, column))
    return BinnedAxis(Axis(column.name, column.family), bins, key, tuple(notes))


def omitted_note(count: int, column: ChartColumn) -> str:
    """Say how many values have no place in the chart."""
    has_nan = column.type in ("float", "double")
    what = "null, NaN or infinite value" if has_nan else "null value"
    return f"{counted(count, what)} of {short(column.name)} left out"


def category_axes(
    frame: ChartFrame,
    columns: Mapping[str, ChartColumn],
    most: Mapping[str, int],
    ranks: Mapping[str, Any] | None = None,
) -> dict[str, CategoryAxis]:
    """Find the categories of columns that matter most, with one job for all.

    Parameters
    ----------
    ranks
        What decides, by the names of columns; elsewhere it is how many rows there are.
    """
    functions, parts = frame.functions, []
    rows_of = functions.count(functions.lit(1))
    for number, name in enumerate(columns):
        rank = (ranks or {}).get(name, rows_of)
        grouped = frame.frame.groupBy(functions.col(name).cast("string").alias("key"))
        ranked = grouped.agg(rank.cast("double").alias("rank"), rows_of.alias("n"))
        top = ranked.orderBy(functions.desc_nulls_last("rank"), "key").limit(most[name] + 1)
        parts.append(top.select(functions.lit(number).alias("part"), "key", "rank", "n"))
    found = parts[0]
    for part in parts[1:]:
        found = found.union(part)
    rows = sorted(found.collect(), key=_rank)
    return {
        name: _category_axis(
            frame, name, column, [row for row in rows if row["part"] == number], most[name]
        )
        for number, (name, column) in enumerate(columns.items())
    }


def _rank(row: Any) -> tuple[bool, float, bool, str]:
    rank = row["rank"]
    return rank is None, -(rank or 0.0), row["key"] is None, str(row["key"])


def ordered_axis(
    frame: ChartFrame, name: str, column: ChartColumn, most: int
) -> CategoryAxis | None:
    """Make an axis of all values of a column in their order; None where there are too many."""
    functions = frame.functions
    counts = frame.frame.groupBy(functions.col(name).alias("key")).agg(
        functions.count(functions.lit(1)).alias("n")
    )
    first = counts.orderBy(functions.asc_nulls_last("key")).limit(most + 1)
    rows = first.select(functions.col("key").cast("string"), "n").collect()
    return None if len(rows) > most else _category_axis(frame, name, column, rows, most)


def _category_axis(
    frame: ChartFrame, name: str, column: ChartColumn, rows: Sequence[Any], most: int
) -> CategoryAxis:
    functions, has_more, rows = frame.functions, len(rows) > most, rows[:most]
    value, key = functions.col(name).cast("string"), functions.lit(len(rows))
    for number, row in reversed(list(enumerate(rows))):
        known = row["key"]
        is_known = value.isNull() if known is None else value.eqNullSafe(functions.lit(known))
        key = functions.when(is_known, number).otherwise(key)
    labels = unique_labels([row["key"] for row in rows], rest_label() if has_more else "")
    notes = [
        f"{counted(row['n'], 'row')} with null in {short(column.name)}"
        for row in rows
        if row["key"] is None
    ]
    return CategoryAxis(Axis(column.name, "category", labels), labels, key, tuple(notes), has_more)


def unique_labels(keys: Sequence[Any], rest: str = "") -> tuple[str, ...]:
    """Name categories, each with a name of its own even where long ones had to be cut."""
    labels: dict[str, None] = {}
    for label in [*(label_of(key) for key in keys), *([rest] if rest else [])]:
        name, number = label, 2
        while name in labels:
            name, number = f"{label} [{number}]", number + 1
        labels[name] = None
    return tuple(labels)
