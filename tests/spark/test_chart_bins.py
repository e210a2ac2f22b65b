"""Bins: round, few, and holding every value."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_kernel.spark.chart_bins import bins_between
from spark_kernel.spark.chart_columns import ChartColumn

INTEGER = ChartColumn("n", 0, "bigint", "number", 0)
DOUBLE = ChartColumn("n", 0, "double", "number")
CENTS = ChartColumn("n", 0, "decimal(38,2)", "number", -2)
DATE = ChartColumn("n", 0, "date", "time")
TIME = ChartColumn("n", 0, "timestamp", "time")

VALUES = {
    INTEGER: st.integers(-(2**63), 2**63 - 1),
    DOUBLE: st.floats(allow_nan=False, allow_infinity=False),
    CENTS: st.decimals(-(10**36) + 1, 10**36 - 1, places=2),
    DATE: st.dates(),
    TIME: st.datetimes(),
}


@pytest.mark.parametrize("column", VALUES, ids=lambda column: column.type)
@given(data=st.data())
def test_all_values_are_held_by_few_bins_whose_edges_rise(
    column: ChartColumn, data: st.DataObject
) -> None:
    low, high = sorted([data.draw(VALUES[column]), data.draw(VALUES[column])])
    bins = bins_between(low, high, 50, column)
    assert 1 <= len(bins) <= 50
    assert all(a < b for a, b in zip(bins.edges, bins.edges[1:], strict=False))
    assert _comparable(bins.edges[0]) <= _comparable(low)
    assert _comparable(high) <= _comparable(bins.edges[-1])


def _comparable(value: Any) -> Any:
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day)
    return value


def test_bins_are_of_round_widths() -> None:
    assert bins_between(3, 97, 50, INTEGER).edges[:3] == (2, 4, 6)
    assert bins_between(0, 3, 50, INTEGER).edges == (0, 1, 2, 3, 4)
    assert bins_between(0.0, 1.0, 10, DOUBLE).edges[:3] == (0.0, 0.2, 0.4)
    assert bins_between(Decimal("0.01"), Decimal("0.03"), 50, CENTS).edges[0] == Decimal("0.01")


def test_bins_of_times_follow_the_calendar() -> None:
    months = bins_between(date(2020, 1, 15), date(2023, 6, 1), 50, DATE)
    assert (months.text, months.edges[0], months.edges[1]) == (
        "month",
        datetime(2020, 1, 1),
        datetime(2020, 2, 1),
    )
    weeks = bins_between(date(2024, 1, 1), date(2024, 7, 1), 50, DATE)
    assert (weeks.text, weeks.edges[0].weekday()) == ("week", 0)
    begin = datetime(2024, 1, 1, 12, 0, 7)
    seconds = bins_between(begin, begin + timedelta(seconds=40), 50, TIME)
    assert seconds.text == "second"
