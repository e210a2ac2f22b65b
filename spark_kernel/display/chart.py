"""Draws a chart: Vega-Lite for the frontends that have it, a picture where it can be made, text.

Altair writes the Vega-Lite; the field names in it are ours, so that no name of a column is taken
for an expression. Colours suit a light page and a dark one.
"""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from spark_kernel.display.chart_text import chart_text, time_text
from spark_kernel.display.png import packed
from spark_kernel.protocol.chart import Axis, ChartData
from spark_kernel.protocol.mimebundle import TEXT

if TYPE_CHECKING:
    import altair as alt

__all__ = ["PNG", "VEGALITE", "chart_view", "vegalite_spec"]

_log = logging.getLogger(__name__)
VEGALITE = "application/vnd.vegalite.v5+json"
"""The newest that JupyterLab, Notebook and VS Code draw by themselves."""
PNG = "image/png"
_SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"
_WIDTH, _HEIGHT, _STEP = 600, 300, 20
_LONG_LABEL, _MANY_BARS = 12, 15
_TITLE, _LABEL_PX = 80, 240
_LINE_LENGTH = 100
_DATA_BYTES, _PNG_BYTES = 1_000_000, 500_000
_GREY, _BLUE, _REST = "#808080", "#4c8fc4", "#9d9d9d"
_MOST_DOTTED = 60
_SHORT_LABEL, _ROW_OF_LABELS = 3, 70
_UNSAFE = str.maketrans(
    {"\\": "\u29f5", **{chr(code): " " for code in (*range(32), 0x2028, 0x2029)}}
)
"""What a title cannot hold: Vega-Lite writes titles into expressions, and escapes only quotes."""


def chart_view(chart: ChartData) -> dict[str, Any]:
    """Draw a chart, in each form that can be had."""
    chart = _fitting(chart)
    bundle: dict[str, Any] = {TEXT: chart_text(chart)}
    if not chart.rows:
        return bundle
    spec = vegalite_spec(chart)
    bundle[VEGALITE] = spec
    picture = _picture(spec)
    if picture:
        bundle[PNG] = base64.b64encode(picture).decode("ascii")
    return bundle


def _fitting(chart: ChartData) -> ChartData:
    """Leave out rows that would take too much of the notebook, and say it."""
    size = len(json.dumps(_values(chart), ensure_ascii=False).encode("utf-8", "replace"))
    if size <= _DATA_BYTES:
        return chart
    total = len(chart.rows)
    kept = total * _DATA_BYTES // size
    if chart.kind == "scatter":  # from everywhere
        rows = tuple(chart.rows[number * total // kept] for number in range(kept))
    else:
        rows = chart.rows[:kept]
    note = f"{len(rows):,} of {total:,} values fit into the notebook"
    return replace(chart, rows=rows, notes=(note, *chart.notes))


def _picture(spec: Mapping[str, Any]) -> bytes:
    """Draw as PNG; nothing without the optional renderer, or where it fails or is too large."""
    try:
        import vl_convert
    except ImportError:
        return b""
    try:
        picture = bytes(vl_convert.vegalite_to_png(dict(spec), vl_version="5.20", scale=1.5))
    except Exception:  # the chart itself is there all the same
        _log.warning("a chart was not drawn as a picture", exc_info=True)
        return b""
    picture = packed(picture)
    return picture if len(picture) <= _PNG_BYTES else b""


def vegalite_spec(chart: ChartData) -> dict[str, Any]:
    """Write a chart as Vega-Lite 5."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=_values(chart)))
    drawn = _DRAWN[chart.kind](alt, base, chart)
    lines = _wrapped(chart.notes)
    title = alt.Title(_short(chart.title, _LINE_LENGTH), subtitle=lines, anchor="start", offset=12)
    sized = drawn.properties(title=title)
    spec: dict[str, Any] = sized.configure(**_CONFIG).to_dict()
    spec["$schema"] = _SCHEMA
    return spec


_CONFIG: dict[str, Any] = {
    "background": "transparent",
    "view": {"strokeOpacity": 0},
    "title": {"color": _GREY, "subtitleColor": _GREY, "fontSize": 14, "subtitleFontSize": 11},
    "axis": {
        "labelColor": _GREY,
        "titleColor": _GREY,
        "domainColor": _GREY,
        "tickColor": _GREY,
        "gridColor": _GREY,
        "gridOpacity": 0.2,
        "labelLimit": _LABEL_PX,
    },
    "legend": {"labelColor": _GREY, "titleColor": _GREY, "labelLimit": _LABEL_PX},
}


def _values(chart: ChartData) -> list[dict[str, Any]]:
    """Write the rows as JSON has them; of a time its text too, for what shows values."""
    values = []
    color = chart.color.order if chart.is_additive and chart.color is not None else ()
    ranks = {label: rank for rank, label in enumerate(color)}
    for row in chart.rows:
        made: dict[str, Any] = {}
        for name, value in zip(chart.fields, row, strict=True):
            if isinstance(value, date):
                made[f"{name}_text"] = time_text(value)
                whole = isinstance(value, datetime)
                value = value.isoformat() if whole else f"{value.isoformat()}T00:00:00"
                value += "Z"  # no zone of a browser's comes in: the scale is that of UTC
            made[name] = value
        if ranks:
            made["rank"] = ranks[made["color"]]
        values.append(made)
    return values


def _short(text: str, length: int = _TITLE) -> str:
    text = text.translate(_UNSAFE)
    return text if len(text) <= length else text[: length - 1] + "…"


def _wrapped(notes: tuple[str, ...]) -> list[str]:
    """Lay notes out in lines."""
    lines: list[str] = []
    for note in notes:
        note = _short(note, _LINE_LENGTH)
        if lines and len(lines[-1]) + len(note) + 3 <= _LINE_LENGTH:
            lines[-1] += f" · {note}"
        else:
            lines.append(note)
    return lines


def _type(axis: Axis) -> str:
    return {"number": "quantitative", "time": "temporal", "category": "nominal"}[axis.scale]


def _position(alt: Any, channel: str, axis: Axis, field: str, **more: Any) -> Any:
    """Make the encoding of a direction."""
    options: dict[str, Any] = {"title": _short(axis.title) or None, **more}
    if axis.scale == "time":
        options["scale"] = alt.Scale(type="utc")
    elif axis.scale == "number" and "scale" not in options:
        options["scale"] = alt.Scale(zero=False)
    elif axis.scale == "category":
        options["sort"] = list(axis.order)
        if channel == "X":
            longest = max((len(label) for label in axis.order), default=0)
            is_short = longest <= _SHORT_LABEL or longest * len(axis.order) <= _ROW_OF_LABELS
            options["axis"] = alt.Axis(labelAngle=0 if is_short else -40)
    return getattr(alt, channel)(field, type=_type(axis), **options)


def _color(alt: Any, chart: ChartData) -> Any:
    """Make the encoding of the colour; what stands for the rest is grey."""
    axis = chart.color
    if axis is None:
        return alt.value(_BLUE)
    if axis.scale != "category":
        return alt.Color("color", type=_type(axis), title=_short(axis.title, 30),
                         scale=alt.Scale(scheme="viridis"))  # fmt: skip
    order, options = list(axis.order), {}
    if order and order[-1].startswith("other"):
        colors = [_PALETTE[number % len(_PALETTE)] for number in range(len(order) - 1)]
        options["range"] = [*colors, _REST]
    else:
        options["range"] = [_PALETTE[number % len(_PALETTE)] for number in range(len(order))]
    scale = alt.Scale(domain=order, **options)
    return alt.Color("color", type="nominal", title=_short(axis.title, 30), scale=scale, sort=order)


_PALETTE = (
    "#4c8fc4", "#f0883e", "#4fa864", "#d9595c", "#9a7bc8",
    "#a8786a", "#dd86bd", "#b5a932", "#35aebb", "#6f7fd8",
)  # fmt: skip


def _order(alt: Any, chart: ChartData) -> dict[str, Any]:
    """Stack colours as the legend lists them."""
    if not chart.is_additive or chart.color is None:
        return {}
    return {"order": alt.Order("rank", type="quantitative")}


def _tips(alt: Any, chart: ChartData) -> list[Any]:
    """Say of each mark everything, in full length."""
    axes = {"x": chart.x, "x2": chart.x, "y": chart.y, "y2": chart.y, "color": chart.color}
    axes |= {"value": chart.color}
    titles = {"x2": "to", "y2": "to"}
    tips = []
    for name in chart.fields:
        axis = axes.get(name) or chart.y
        title = titles.get(name, name if name not in axes else _short(axis.title) or name)
        if name == "x" and not axis.title:
            continue
        if axis.scale == "time":
            tips.append(alt.Tooltip(f"{name}_text", type="nominal", title=title))
        elif axis.scale == "category":
            tips.append(alt.Tooltip(name, type="nominal", title=title))
        else:
            tips.append(alt.Tooltip(name, type="quantitative", title=title, format=",.10~g"))
    return tips


def _is_lying(axis: Axis) -> bool:
    """Whether categories are read better one below the other."""
    longest = max((len(label) for label in axis.order), default=0)
    return axis.scale == "category" and (longest > _LONG_LABEL or len(axis.order) > _MANY_BARS)


def _bars(alt: Any, base: alt.Chart, chart: ChartData) -> Any:
    if "x2" in chart.fields:
        return _histogram(alt, base, chart)
    across, along, offset = ("Y", "X", "YOffset") if _is_lying(chart.x) else ("X", "Y", "XOffset")
    zero = alt.Scale(zero=True)
    stack = "zero" if chart.is_additive else None
    encodings = [
        _position(alt, across, chart.x, "x"),
        _position(alt, along, chart.y, "y", scale=zero, stack=stack),
        _color(alt, chart),
    ]
    kinds = {across.lower(): encodings[0], along.lower(): encodings[1], "color": encodings[2]}
    parts = len(chart.color.order) if chart.color is not None and not chart.is_additive else 1
    if parts > 1 and chart.color is not None:
        kinds[offset[0].lower() + "Offset"] = getattr(alt, offset)(
            "color", type="nominal", sort=list(chart.color.order)
        )
    drawn = base.mark_bar().encode(**kinds, **_order(alt, chart), tooltip=_tips(alt, chart))
    return _sized(alt, drawn, chart.x, parts)


def _sized(alt: Any, drawn: Any, axis: Axis, parts: int = 1) -> Any:
    """Give a chart over categories room for each."""
    count = len(axis.order)
    if _is_lying(axis):
        return drawn.properties(width=_WIDTH, height=max(80, _STEP * count * min(3, parts)))
    return drawn.properties(width=max(150, min(_WIDTH, 70 * count * min(3, parts))), height=_HEIGHT)


def _histogram(alt: Any, base: alt.Chart, chart: ChartData) -> Any:
    is_stacked = chart.is_additive or chart.color is None
    stack = "zero" if is_stacked else None
    drawn = base.mark_bar(binSpacing=1, opacity=1 if is_stacked else 0.5).encode(
        x=_position(alt, "X", chart.x, "x", bin="binned"),
        x2="x2",
        y=_position(alt, "Y", chart.y, "y", scale=alt.Scale(zero=True), stack=stack),
        **_order(alt, chart),
        color=_color(alt, chart),
        tooltip=_tips(alt, chart),
    )
    return drawn.properties(width=_WIDTH, height=_HEIGHT)


def _lines(alt: Any, base: alt.Chart, chart: ChartData) -> Any:
    is_area = chart.kind == "area"
    dots = len(chart.rows) <= _MOST_DOTTED
    stack = "zero" if is_area and chart.is_additive else None
    if is_area:
        base = base.mark_area(opacity=0.85 if stack or chart.color is None else 0.4, line=not stack)
    else:
        base = base.mark_line(point=dots, strokeWidth=1.5)
    x = _position(alt, "X", chart.x, "x")
    more = {"stack": stack} if is_area else {}
    drawn = base.encode(
        x=x,
        y=_position(alt, "Y", chart.y, "y", scale=alt.Scale(zero=is_area), **more),
        color=_color(alt, chart),
        **(_order(alt, chart) if is_area else {}),
        tooltip=_tips(alt, chart),
    )
    return drawn.properties(width=_WIDTH, height=_HEIGHT)


def _points(alt: Any, base: alt.Chart, chart: ChartData) -> Any:
    drawn = base.mark_circle(opacity=0.6, size=28).encode(
        x=_position(alt, "X", chart.x, "x"),
        y=_position(alt, "Y", chart.y, "y"),
        color=_color(alt, chart),
        tooltip=_tips(alt, chart),
    )
    return drawn.properties(width=_WIDTH, height=400)


def _boxes(alt: Any, base: alt.Chart, chart: ChartData) -> Any:
    across, along = ("Y", "X") if _is_lying(chart.x) else ("X", "Y")
    place = {across.lower(): _position(alt, across, chart.x, "x")}
    end = f"{along.lower()}2"

    def between(low: str, high: str) -> dict[str, Any]:
        return {along.lower(): _position(alt, along, chart.y, low), end: high}

    tips = _tips(alt, chart)
    whiskers = base.mark_rule(color=_GREY).encode(**place, **between("low", "high"), tooltip=tips)
    box = base.mark_bar(size=14, color=_BLUE).encode(**place, **between("q1", "q3"), tooltip=tips)
    median = base.mark_tick(size=14, thickness=2, color="#f3f3f3").encode(
        **place, **{along.lower(): _position(alt, along, chart.y, "median")}, tooltip=tips
    )
    return _sized(alt, whiskers + box + median, chart.x)


def _cells(alt: Any, base: alt.Chart, chart: ChartData) -> Any:
    encodings: dict[str, Any] = {}
    for name, axis in (("x", chart.x), ("y", chart.y)):
        encodings[name] = _position(alt, name.upper(), axis, name)
        if f"{name}2" in chart.fields:
            encodings[f"{name}2"] = f"{name}2"
    title = "" if chart.color is None else _short(chart.color.title, 30)
    color = alt.Color("value", type="quantitative", title=title, scale=alt.Scale(scheme="viridis"))
    drawn = base.mark_rect().encode(**encodings, color=color, tooltip=_tips(alt, chart))
    height = max(100, _STEP * len(chart.y.order)) if chart.y.order else 400
    width = max(150, min(_WIDTH, 40 * len(chart.x.order))) if chart.x.order else _WIDTH
    return drawn.properties(width=width, height=height)


_DRAWN = {
    "bar": _bars,
    "line": _lines,
    "area": _lines,
    "scatter": _points,
    "hist": _histogram,
    "box": _boxes,
    "heatmap": _cells,
}
