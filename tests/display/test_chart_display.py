"""Charts as Vega-Lite, as a picture and as text."""

from __future__ import annotations

import base64
import json
import sys
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from spark_kernel.display.chart import PNG, VEGALITE, chart_view, vegalite_spec
from spark_kernel.display.png import packed
from spark_kernel.protocol.chart import KINDS, Axis, ChartData

ODD = "a.b[0] \"quoted\" \\ 'x' </script>\nnew"
GROUPS = Axis("group", "category", ("a", "b"))
BAR = ChartData(
    kind="bar",
    title="Sum of n by group",
    x=GROUPS,
    y=Axis("sum of n", "number"),
    fields=("x", "y"),
    rows=(("a", 3), ("b", 1.5)),
    notes=("1 null value of n left out",),
)
CHARTS = {
    "bar": BAR,
    "line": replace(
        BAR,
        kind="line",
        x=Axis("day", "time"),
        rows=((date(2024, 1, 1), 1), (date(2024, 1, 2), None), (date(2024, 1, 3), 3)),
    ),
    "area": replace(
        BAR,
        kind="area",
        x=Axis("n", "number"),
        color=GROUPS,
        is_additive=True,
        fields=("x", "y", "color"),
        rows=((1, 1, "a"), (1, 2, "b"), (2, 3, "a")),
    ),
    "scatter": replace(BAR, kind="scatter", x=Axis("n", "number"), rows=((1, 2.5), (2, -1.0))),
    "hist": replace(
        BAR,
        kind="hist",
        x=Axis("at", "time"),
        fields=("x", "x2", "y"),
        rows=((datetime(2024, 1, 1), datetime(2024, 1, 1, 12), 3),),
    ),
    "box": replace(
        BAR,
        kind="box",
        fields=("x", "low", "q1", "median", "q3", "high", "count"),
        rows=(("a", 0, 1, 2, 3, 4, 5), ("b", 0, 1, 2, 3, 4, 5)),
    ),
    "heatmap": replace(
        BAR,
        kind="heatmap",
        y=Axis("n", "number"),
        color=Axis("count", "number"),
        fields=("x", "y", "y2", "value"),
        rows=(("a", 0, 1, 3), ("b", 1, 2, 4)),
    ),
}


def encodings(spec: Any) -> list[dict[str, Any]]:
    """Give the encodings of all layers."""
    return [layer["encoding"] for layer in spec.get("layer", [spec])]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_in_each_form(kind: str) -> None:
    bundle = chart_view(CHARTS[kind])
    assert base64.b64decode(bundle[PNG]).startswith(b"\x89PNG")
    assert bundle[VEGALITE]["$schema"].endswith("/v5.json")
    assert bundle["text/plain"].startswith("Sum of n by group\n1 null value of n left out\n")
    assert "text/html" not in bundle
    json.dumps(bundle, allow_nan=False)


@pytest.mark.parametrize("kind", KINDS)
def test_chart_says_what_was_left_out(kind: str) -> None:
    assert vegalite_spec(CHARTS[kind])["title"]["subtitle"] == ["1 null value of n left out"]


@pytest.mark.parametrize("kind", KINDS)
def test_odd_names_are_no_expressions_and_are_drawn(kind: str) -> None:
    chart = CHARTS[kind]
    color = None if chart.color is None else replace(chart.color, title=ODD)
    odd = replace(
        chart,
        title=ODD,
        x=replace(chart.x, title=ODD),
        y=replace(chart.y, title=ODD),
        color=color,
    )
    bundle = chart_view(odd)
    assert PNG in bundle
    fields = {"x", "x2", "y", "y2", "color", "value", "rank", "x_text", "x2_text", *chart.fields}
    for encoding in encodings(bundle[VEGALITE]):
        for channel, one in encoding.items():
            for part in one if isinstance(one, list) else [one]:
                assert part.get("field", "x") in fields, channel


def test_times_are_those_of_the_session_in_every_zone() -> None:
    spec = vegalite_spec(CHARTS["hist"])
    ((values,),) = spec["datasets"].values()
    assert (values["x"], values["x2"]) == ("2024-01-01T00:00:00Z", "2024-01-01T12:00:00Z")
    assert (values["x_text"], values["x2_text"]) == ("2024-01-01", "2024-01-01 12:00:00")
    assert spec["encoding"]["x"]["scale"] == {"type": "utc"}


def test_background_is_left_to_the_page() -> None:
    assert vegalite_spec(BAR)["config"]["background"] == "transparent"


def test_long_labels_are_cut_and_stand_below_each_other() -> None:
    label = "long " * 30
    chart = replace(BAR, x=Axis("g", "category", (label,)), rows=((label, 1),))
    spec = vegalite_spec(chart)
    assert spec["encoding"]["y"]["field"] == "x"
    assert spec["config"]["axis"]["labelLimit"] < 300
    assert {"field": "x", "title": "g", "type": "nominal"} in spec["encoding"]["tooltip"]
    assert len(max(chart_view(chart)["text/plain"].splitlines(), key=len)) < 120


def test_without_the_renderer_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    assert set(chart_view(BAR)) == {"text/plain", VEGALITE}


def test_without_rows_there_is_text_alone() -> None:
    assert set(chart_view(replace(BAR, rows=()))) == {"text/plain"}


@pytest.mark.parametrize("kind", ["scatter", "bar"])
def test_chart_takes_bounded_bytes_and_says_what_is_left_out(kind: str) -> None:
    rows = tuple((number, f"{number:05} {'ü' * 500}") for number in range(2_000))
    chart = replace(CHARTS[kind], x=Axis("n", "number"), y=Axis("t", "number"), rows=rows)
    spec = chart_view(chart)[VEGALITE]
    assert len(json.dumps(spec, ensure_ascii=False).encode()) < 1_100_000
    (data,) = spec["datasets"].values()
    values = [row["x"] for row in data]
    assert f"{len(values):,} of 2,000 values fit" in json.dumps(spec["title"])
    assert (values[-1] > 1_990) == (kind == "scatter")


def test_text_draws_bars_of_blocks() -> None:
    lines = chart_view(BAR)["text/plain"].splitlines()
    assert lines[2] == "a    3  " + "█" * 40
    assert lines[3] == "b  1.5  " + "█" * 20


def test_text_of_many_bars_says_how_many_more_there_are() -> None:
    rows = tuple((f"g{number}", number) for number in range(100))
    assert "… and 80 more" in chart_view(replace(BAR, rows=rows))["text/plain"]


def test_packed_picture_is_smaller_and_the_same() -> None:
    import zlib

    spec = vegalite_spec(BAR)
    import vl_convert

    picture = bytes(vl_convert.vegalite_to_png(spec, vl_version="5.20"))
    smaller = packed(picture)
    assert len(smaller) < len(picture)
    assert _pixels(smaller, zlib) == _pixels(picture, zlib)
    assert packed(b"no picture") == b"no picture"
    assert packed(picture[:100]) == picture[:100]


def _pixels(picture: bytes, zlib: Any) -> bytes:
    position, data = 8, b""
    while position < len(picture):
        length = int.from_bytes(picture[position : position + 4], "big")
        if picture[position + 4 : position + 8] == b"IDAT":
            data += picture[position + 8 : position + 8 + length]
        position += length + 12
    return bytes(zlib.decompress(data))
