"""A chart as text, for terminals and logs: bars of blocks, or a line of them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time

from spark_kernel.protocol.chart import ChartData, Value

__all__ = ["chart_text", "time_text"]

_BARS, _SERIES, _POINTS = 20, 10, 60
_WIDTH = 40
_LABEL = 40
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"


def chart_text(chart: ChartData) -> str:
    """Give a chart in a few lines."""
    lines = [chart.title, *chart.notes]
    if chart.rows:
        lines += _TEXTS[chart.kind](chart)
    return "\n".join(lines)


def time_text(value: date) -> str:
    """Write a time as short as it can be."""
    if isinstance(value, datetime) and value.time() != time():
        return value.isoformat(" ")
    return value.isoformat()[:10]


def _said(value: Value) -> str:
    if isinstance(value, date):
        return time_text(value)
    if isinstance(value, float):
        return f"{value:,.6g}"
    return f"{value:,}" if isinstance(value, int) else "-" if value is None else value


def _bars(chart: ChartData) -> list[str]:
    place = {name: number for number, name in enumerate(chart.fields)}
    bars = []
    for row in chart.rows:
        label = _said(row[place["x"]])
        if "x2" in place:
            label += f" to {_said(row[place['x2']])}"
        if "color" in place:
            label += f", {_said(row[place['color']])}"
        bars.append((label, row[place["y"]]))
    return _drawn(bars)


def _drawn(bars: list[tuple[str, Value]]) -> list[str]:
    shown = bars[:_BARS]
    numbers = [value if isinstance(value, int | float) else 0 for _, value in shown]
    most = max(map(abs, numbers), default=0) or 1
    width = min(_LABEL, max(len(label) for label, _ in shown))
    said = [_said(value) for _, value in shown]
    end = max(map(len, said))
    lines = [
        f"{_cut(label, width):<{width}}  {text:>{end}}  {_block(abs(number) / most)}".rstrip()
        for (label, _), text, number in zip(shown, said, numbers, strict=True)
    ]
    return [*lines, f"… and {len(bars) - _BARS:,} more"] if len(bars) > _BARS else lines


def _cut(text: str, width: int) -> str:
    text = " ".join(text.split())
    if len(text) <= width:
        return text
    end = width // 3  # the ends of long names are often what tells them apart
    return f"{text[: width - end - 1]}…{text[-end:]}"


def _block(share: float) -> str:
    eighths = round(share * _WIDTH * 8)
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _curves(chart: ChartData) -> list[str]:
    """Draw each series as a line of levels, with where it begins and ends."""
    series: dict[str, list[float | None]] = defaultdict(list)
    for row in chart.rows:
        y = row[1]
        name = _said(row[2]) if len(row) > 2 else ""
        series[name].append(float(y) if isinstance(y, int | float) else None)
    ends = f"{chart.x.title}: {_said(chart.rows[0][0])} … {_said(chart.rows[-1][0])}"
    lines = []
    for name, values in list(series.items())[:_SERIES]:
        known = [value for value in values if value is not None]
        if known:
            said = f"{_said(min(known))} … {_said(max(known))}"
            lines.append(f"{_curve(values)}  {said}{f'  {_cut(name, _LABEL)}' if name else ''}")
    return [*lines, ends]


def _curve(values: list[float | None]) -> str:
    size = max(1, -(-len(values) // _POINTS))
    groups = [values[at : at + size] for at in range(0, len(values), size)]
    means = []
    for group in groups:
        known = [value for value in group if value is not None]
        means.append(sum(value / len(known) for value in known) if known else None)
    least, most = (f(m for m in means if m is not None) for f in (min, max))
    span = (most / 2 - least / 2) or 1.0
    return "".join(
        " " if mean is None else _LEVELS[min(7, int((mean / 2 - least / 2) / span * 8))]
        for mean in means
    )


def _points(chart: ChartData) -> list[str]:
    lines = [f"{len(chart.rows):,} points"]
    for number, axis in ((0, chart.x), (1, chart.y)):
        values = [row[number] for row in chart.rows if row[number] is not None]
        if values and axis.scale != "category":
            low, high = min(values), max(values)  # type: ignore[type-var]
            lines.append(f"{axis.title}: {_said(low)} … {_said(high)}")
    return lines


def _boxes(chart: ChartData) -> list[str]:
    width = min(_LABEL, max(len(str(row[0])) for row in chart.rows))
    lines = []
    for row in chart.rows[:_BARS]:
        low, q1, median, q3, high = map(_said, row[1:6])
        name = f"{_cut(str(row[0]), width):<{width}}  " if width else ""
        lines.append(f"{name}{low} ├ {q1} [ {median} ] {q3} ┤ {high}")
    return lines


def _cells(chart: ChartData) -> list[str]:
    """Name the cells with the highest values."""
    place = {name: number for number, name in enumerate(chart.fields)}

    def label(row: tuple[Value, ...], name: str) -> str:
        end = f" to {_said(row[place[name + '2']])}" if f"{name}2" in place else ""
        return f"{_said(row[place[name]])}{end}"

    known = [row for row in chart.rows if isinstance(row[-1], int | float)]
    known.sort(key=lambda row: -float(row[-1]))  # type: ignore[arg-type]
    cells = [(f"{label(row, 'x')}, {label(row, 'y')}", row[-1]) for row in known]
    return _drawn(cells) if cells else []


_TEXTS = {
    "bar": _bars,
    "line": _curves,
    "area": _curves,
    "scatter": _points,
    "hist": _bars,
    "box": _boxes,
    "heatmap": _cells,
}
