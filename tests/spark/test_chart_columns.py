"""What a chart shows when little is said, and what is said when it cannot be."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pyspark.sql import types

from spark_kernel.errors import ChartError
from spark_kernel.protocol.chart import ChartRequest
from spark_kernel.spark.chart_columns import choose

TYPES = {
    "origin": types.StringType(),
    "delay": types.DoubleType(),
    "day": types.DateType(),
    "distance": types.LongType(),
    "tags": types.ArrayType(types.StringType()),
}


def frame(*names: str) -> Any:
    """Give what has the schema of a frame."""
    fields = [types.StructField(name, TYPES[name]) for name in names or TYPES]
    return SimpleNamespace(schema=types.StructType(fields))


def chosen(frame: Any, **request: Any) -> tuple[Any, ...]:
    choice = choose(frame, ChartRequest(**request))
    x = choice.x.name if choice.x else None
    return choice.kind, x, tuple(y.name for y in choice.ys), choice.agg


AUTO = [
    (("origin", "distance"), {}, ("bar", "origin", ("distance",), "sum")),
    (("day", "delay"), {}, ("line", "day", ("delay",), "sum")),
    (("delay", "distance"), {}, ("scatter", "delay", ("distance",), "")),
    (("delay",), {}, ("hist", "delay", (), "")),
    (("origin",), {}, ("bar", "origin", (), "count")),
    ((), {"x": "origin"}, ("bar", "origin", (), "count")),
    ((), {"x": "day"}, ("hist", "day", (), "")),
    ((), {"x": "day", "agg": "count"}, ("line", "day", (), "count")),
    ((), {"x": "delay", "y": ("distance",)}, ("scatter", "delay", ("distance",), "")),
    ((), {"y": ("delay",)}, ("line", "day", ("delay",), "sum")),
]


@pytest.mark.parametrize(("names", "request_", "expected"), AUTO)
def test_kind_is_chosen_by_the_types(
    names: tuple[str, ...], request_: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert chosen(frame(*names), **request_) == expected


NAMED = [
    ({"kind": "bar"}, ("bar", "origin", ("delay",), "sum")),
    ({"kind": "bar", "agg": "mean"}, ("bar", "origin", ("delay",), "avg")),
    ({"kind": "bar", "x": "day", "y": ("origin",)}, ("bar", "day", ("origin",), "count")),
    ({"kind": "hist", "y": ("delay",)}, ("hist", "delay", (), "")),
    ({"kind": "hist"}, ("hist", "delay", (), "")),
    ({"kind": "box"}, ("box", "origin", ("delay",), "")),
    ({"kind": "box", "y": ("delay",)}, ("box", None, ("delay",), "")),
    ({"kind": "heatmap", "x": "day"}, ("heatmap", "day", ("origin",), "count")),
    ({"kind": "heatmap", "x": "day", "color": "delay"}, ("heatmap", "day", ("origin",), "sum")),
    ({"kind": "line", "x": "DAY", "y": ("delay",)}, ("line", "day", ("delay",), "sum")),
]


@pytest.mark.parametrize(("request_", "expected"), NAMED)
def test_what_is_not_named_is_chosen(request_: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert chosen(frame(), **request_) == expected


WRONG = [
    ({"kind": "pie"}, "bar, line, area, scatter, hist, box, heatmap, auto"),
    ({"kind": "bars"}, "did you mean 'bar'"),
    ({"kind": "bar", "agg": "sun"}, "did you mean 'sum'"),
    ({"x": "dellay"}, "there are delay (double), day (date), origin (string)"),
    ({"x": "dellay"}, "did you mean 'delay'"),
    ({"kind": "hist", "x": "origin"}, "as x, a hist takes number or time"),
    ({"kind": "bar", "x": "tags"}, "'tags' is array<string>"),
    ({"kind": "bar", "x": "day", "y": ("origin",), "agg": "sum"}, "needs a column of numbers"),
    ({"kind": "hist", "x": "delay", "y": ("distance",)}, "takes one column"),
    ({"kind": "bar", "y": ("delay", "distance"), "color": "origin"}, "leave none for `color`"),
    ({"y": ("delay",) * 11}, "at most 10 columns as y, and 11 are named"),
]


@pytest.mark.parametrize(("request_", "said"), WRONG)
def test_what_cannot_be_drawn_says_what_can(request_: dict[str, Any], said: str) -> None:
    with pytest.raises(ChartError) as raised:
        chosen(frame(), **request_)
    assert said in str(raised.value)


def test_column_whose_name_occurs_twice_is_refused() -> None:
    with pytest.raises(ChartError, match="2 columns are called 'day'"):
        chosen(frame("day", "day"), x="day")


def test_frame_without_a_column_for_the_kind_says_so() -> None:
    with pytest.raises(ChartError, match="needs a column for x"):
        chosen(frame("tags"))
