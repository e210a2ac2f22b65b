"""The columns of a chart under safe names, and what one job tells of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from spark_kernel.errors import ChartError
from spark_kernel.protocol.chart import Value
from spark_kernel.spark.chart_columns import ChartColumn, Choice
from spark_kernel.spark.functions import functions_for

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

__all__ = [
    "ChartFrame",
    "Extent",
    "aggregate_text",
    "as_number",
    "counted",
    "label_of",
    "rest_label",
    "short",
]

NULL = "(null)"
_ACCURACY = 10_000
_LABEL = 100
_TEXT = 200
"""The characters of a category that travel; more than any label has."""
_EXACT = 2**53


@dataclass(frozen=True)
class Extent:
    """What is known of a column of numbers or times.

    Attributes
    ----------
    count
        Of the values that can be drawn; ``omitted`` counts the others: null, NaN, infinite.
    low, high
        None where there is no value.
    distinct
        About how many different values there are; 0 where that was not asked for.
    """

    count: int
    omitted: int
    low: Any
    high: Any
    distinct: int


class ChartFrame:
    """The data of a chart, of which nothing has been computed yet.

    Attributes
    ----------
    functions
        Spark's functions that go with the frame.
    frame
        The columns ``x``, ``y0``, ``y1`` and so on, and ``color``; those that the chart has.
    """

    def __init__(self, frame: DataFrame, choice: Choice) -> None:
        if frame.isStreaming:
            raise ChartError(
                "A stream has no chart, as it does not end.", "`display(df)` shows its latest rows"
            )
        self.choice = choice
        self.functions = functions_for(frame)
        # Names may be odd or occur twice, so that only the position tells.
        self._raw = frame.toDF(*(f"c{number}" for number in range(len(frame.columns))))
        columns = [] if choice.x is None else [self._axis(choice.x).alias("x")]
        is_measured = choice.kind not in ("scatter", "heatmap")
        make = self._measure if is_measured else self._axis
        columns += [make(y).alias(f"y{number}") for number, y in enumerate(choice.ys)]
        if choice.color is not None:
            columns.append(self._color(choice.color).alias("color"))
        self.frame = self._raw.select(*columns)

    @property
    def measures(self) -> list[Column]:
        """What a chart with an aggregate shows, by the names ``v0``, ``v1`` and so on."""
        names = [f"y{number}" for number in range(len(self.choice.ys))] or [""]
        return [self.aggregate(name).alias(f"v{number}") for number, name in enumerate(names)]

    def aggregate(self, name: str) -> Column:
        """Aggregate a column of numbers; without a name, count the rows."""
        functions, agg = self.functions, self.choice.agg
        if not name:
            return functions.count(functions.lit(1))  # type: ignore[no-any-return]
        if agg == "median":
            return functions.percentile_approx(name, 0.5, _ACCURACY)  # type: ignore[no-any-return]
        return getattr(functions, agg)(name)  # type: ignore[no-any-return]

    def omitted(self) -> Column:
        """Count the values of y that are no number, under the name ``omitted``."""
        functions = self.functions
        total = functions.lit(0)
        for number in range(len(self.choice.ys)):
            total = total + functions.count_if(functions.col(f"y{number}").isNull())
        return total.alias("omitted")  # type: ignore[no-any-return]

    def extents(self, *names: str, has_distinct: bool = False) -> list[Extent]:
        """Find out about columns of numbers or times, with one job for all.

        Parameters
        ----------
        has_distinct
            Whether it matters how many different values there are, which takes its time.
        """
        functions = self.functions
        wanted = []
        for name in names:
            value = self.drawable(name)
            wanted += [
                functions.count(value),
                functions.count(functions.lit(1)),
                functions.min(value),
                functions.max(value),
                functions.approx_count_distinct(value) if has_distinct else functions.lit(0),
            ]
        row = self.frame.agg(*(one.alias(f"s{n}") for n, one in enumerate(wanted))).collect()[0]
        return [
            Extent(row[n], row[n + 1] - row[n], row[n + 2], row[n + 3], row[n + 4])
            for n in range(0, len(wanted), 5)
        ]

    def drawable(self, name: str) -> Any:
        """Give a column with null for what has no place on an axis."""
        column = self.functions.col(name)
        source = self._source(name)
        return self._finite(column) if source.type in ("float", "double") else column

    def _source(self, name: str) -> ChartColumn:
        choice = self.choice
        if name == "x":
            found = choice.x
        else:
            found = choice.color if name == "color" else choice.ys[int(name[1:])]
        assert found is not None
        return found

    def _finite(self, column: Any) -> Any:
        functions = self.functions
        is_finite = (column > -math.inf) & (column < math.inf)  # NaN is above infinity for Spark
        return functions.when(is_finite, column)

    def _axis(self, column: ChartColumn) -> Any:
        value = self.functions.col(f"c{column.position}")
        if column.family == "category":
            return self._bounded(value.cast("string"))
        # Times as the session shows them; Python would turn them into its own zone.
        return value.cast("timestamp_ntz") if column.type == "timestamp" else value

    def _measure(self, column: ChartColumn) -> Any:
        value = self.functions.col(f"c{column.position}")
        if column.family != "number":  # it is counted
            return self.functions.when(value.isNotNull(), 1.0)
        # As a double: a sum of whole numbers could not be had where it is too large for its type.
        return self._finite(value.cast("double"))

    def _color(self, column: ChartColumn) -> Any:
        if self.choice.kind == "heatmap":
            return self._measure(column)
        if self.choice.kind == "scatter" and column.family == "number":
            return self._finite(self._axis(column).cast("double"))
        return self._bounded(self._axis(column).cast("string"))

    def _bounded(self, text: Any) -> Any:
        """Give long texts by their beginning and a hash, which still tells one from another."""
        functions = self.functions
        key = functions.concat(
            functions.substring(text, 1, _TEXT), functions.hex(functions.xxhash64(text))
        )
        return functions.when(functions.char_length(text) > _TEXT, key).otherwise(text)


def as_number(value: Any) -> Value:
    """Give a number as JSON and Vega hold it, a time as it is, and None for what is neither."""
    if isinstance(value, Decimal) or (isinstance(value, int) and abs(value) > _EXACT):
        value = float(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value  # type: ignore[no-any-return]


def label_of(value: Any) -> str:
    """Name a category."""
    return NULL if value is None else short(str(value), _LABEL)


def aggregate_text(agg: str) -> str:
    """Name an aggregate as it is computed."""
    return "approximate median" if agg == "median" else agg


def short(text: str, length: int = 60) -> str:
    """Cut a text."""
    return text if len(text) <= length else text[: length - 1] + "…"


def rest_label(more: int | None = None) -> str:
    """Name all categories that are not shown by themselves."""
    return "other" if more is None else f"other ({more:,} more)"


def counted(count: int, noun: str) -> str:
    """Say how many."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
