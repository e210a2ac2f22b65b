"""Bins between two values, of whole and round widths, and which of them a value falls into.

The edges are exact, and so is the place of each value: Spark compares, and does not divide.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Context, Decimal, localcontext
from typing import Any

from spark_kernel.spark.chart_columns import ChartColumn

__all__ = ["Bins", "bins_between"]

_PRECISION = 100
_EPOCH = datetime(1970, 1, 5)  # a Monday, so that weeks begin with one
_MICROSECOND = timedelta(microseconds=1)
_SECOND, _MINUTE, _HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
_DAY = timedelta(days=1)
_SPANS = (
    *(_MICROSECOND * n for n in (1, 10, 100, 1_000, 10_000, 100_000)),
    *(_SECOND * n for n in (1, 2, 5, 10, 15, 30)),
    *(_MINUTE * n for n in (1, 2, 5, 10, 15, 30)),
    *(_HOUR * n for n in (1, 2, 3, 6, 12)),
    *(_DAY * n for n in (1, 2, 7, 14)),
)
_MONTHS = (1, 3, 6, *(12 * n for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)))


@dataclass(frozen=True)
class Bins:
    """Bins side by side.

    Attributes
    ----------
    edges
        One more than there are bins; the last bin holds its upper edge too.
    text
        How wide they are.
    """

    edges: tuple[Any, ...]
    text: str

    def __len__(self) -> int:
        return len(self.edges) - 1

    def number_of(self, functions: Any, value: Any, column: ChartColumn) -> Any:
        """Give the column of the number of the bin that a value falls into."""
        literals = [_literal(functions, edge, column) for edge in self.edges[1:-1]]
        return _searched(functions, value, literals, 0)


def _searched(functions: Any, value: Any, edges: Sequence[Any], first: int) -> Any:
    """Search by halves: six comparisons for fifty bins."""
    if not edges:
        return functions.lit(first)
    middle = len(edges) // 2
    lower = _searched(functions, value, edges[:middle], first)
    upper = _searched(functions, value, edges[middle + 1 :], first + middle + 1)
    return functions.when(value < edges[middle], lower).otherwise(upper)


def _literal(functions: Any, edge: Any, column: ChartColumn) -> Any:
    """Give an edge as a literal of the column's type, without a detour over a time zone."""
    if isinstance(edge, date):
        is_date = column.type == "date"
        text = edge.isoformat()[:10] if is_date else edge.isoformat()
        return functions.lit(text).cast("date" if is_date else "timestamp_ntz")
    if isinstance(edge, Decimal):
        return functions.lit(str(edge)).cast(column.type)
    return functions.lit(edge)


def bins_between(low: Any, high: Any, most: int, column: ChartColumn) -> Bins:
    """Make at most so many bins that hold all values from the lowest to the highest."""
    if isinstance(low, date):
        return _time_bins(low, high, most, column.type == "date")
    with localcontext(Context(prec=_PRECISION)):
        step, start, count = _steps(Decimal(low), Decimal(high), most, column.least_step)
        exact = [(start + number) * step for number in range(count + 1)]
    if column.least_step is None:
        edges = sorted({float(edge) for edge in exact})
        if len(edges) == 1:  # all values are one, which is too large for a bin of its own
            edges.append(math.nextafter(edges[0], math.inf))
        return Bins(tuple(edges), f"{float(step):g}")
    if column.least_step == 0:
        return Bins(tuple(int(edge) for edge in exact), f"{int(step):,}")
    return Bins(tuple(exact), f"{step.normalize():f}")


def _steps(
    low: Decimal, high: Decimal, most: int, least_exponent: int | None
) -> tuple[Decimal, int, int]:
    """Find the smallest round step that needs no more bins; gives it, the first and how many."""
    span = high - low
    size = span / most if span else low
    exponent = size.adjusted() - 1 if size else 0
    if least_exponent is not None:
        exponent = max(exponent, least_exponent) if span else least_exponent
    while True:
        for factor in (1, 2, 5):
            step = Decimal(factor).scaleb(exponent)
            start = math.floor(low / step)
            count = math.floor(high / step) - start + 1
            if count <= most:
                return step, start, count
        exponent += 1


def _time_bins(low: Any, high: Any, most: int, is_date: bool) -> Bins:
    first, last = _as_datetime(low), _as_datetime(high)
    for span in _SPANS:
        if span >= _DAY or not is_date:
            begin = first - (first - _EPOCH) % span
            if (last - begin) // span + 1 <= most:
                count = (last - begin) // span + 1
                edges = [_plus(begin, span * number) for number in range(count + 1)]
                return Bins(tuple(edges), _span_text(span))
    for months in _MONTHS:
        edges = list(_month_edges(first, last, months))
        if len(edges) - 1 <= most:
            break
    return Bins(tuple(edges), _months_text(months))


def _as_datetime(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime(value.year, value.month, value.day)


def _plus(begin: datetime, span: timedelta) -> datetime:
    return begin + span if span <= datetime.max - begin else datetime.max


def _month_edges(first: datetime, last: datetime, months: int) -> Iterator[datetime]:
    month = (first.year * 12 + first.month - 1) // months * months
    while True:
        year = month // 12
        edge = datetime.max if year > 9999 else datetime(max(1, year), month % 12 + 1, 1)
        yield edge
        if edge > last or edge == datetime.max:
            return
        month += months


def _span_text(span: timedelta) -> str:
    for unit, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute"), (_SECOND, "second")):
        if span >= unit:
            count = span // unit
            if count % 7 == 0 and unit is _DAY:
                return _counted(count // 7, "week")
            return _counted(count, name)
    microseconds = span // _MICROSECOND
    return f"{microseconds:,} µs" if microseconds < 1000 else f"{microseconds // 1000} ms"


def _months_text(months: int) -> str:
    return _counted(months // 12, "year") if months % 12 == 0 else _counted(months, "month")


def _counted(count: int, noun: str) -> str:
    return noun if count == 1 else f"{count:,} {noun}s"
