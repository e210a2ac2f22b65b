"""Which columns a chart shows, and as what: those named, and a sensible choice of others."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spark_kernel.errors import ChartError
from spark_kernel.protocol.chart import AGGREGATES, AUTO, KINDS, ChartRequest

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

__all__ = ["ChartColumn", "Choice", "choose"]

_NUMBERS = {"byte", "short", "integer", "long", "float", "double", "decimal"}
_WHOLE = {"byte", "short", "integer", "long"}
_TIMES = {"date", "timestamp", "timestamp_ntz"}
_CATEGORIES = {"string", "char", "varchar", "boolean", "time", "void"}
_SYNONYMS = {"mean": "avg", "average": "avg"}
_LISTED = 20
_SERIES = 10


@dataclass(frozen=True)
class ChartColumn:
    """A column of a frame.

    Attributes
    ----------
    type
        As Spark writes it.
    family
        ``number``, ``time``, ``category`` or ``other``, which has no place on an axis.
    least_step
        The exponent of the smallest difference of two values; None where there is none.
    """

    name: str
    position: int
    type: str
    family: str
    least_step: int | None = None


@dataclass(frozen=True)
class Choice:
    """What is drawn: every name is a column, and the kind and the aggregate are known.

    Attributes
    ----------
    agg
        One of ``AGGREGATES``; empty where nothing is aggregated.
    """

    kind: str
    x: ChartColumn | None
    ys: tuple[ChartColumn, ...]
    color: ChartColumn | None
    agg: str


def choose(frame: DataFrame, request: ChartRequest) -> Choice:
    """Choose what a chart of a frame shows.

    Raises
    ------
    ChartError
        If there is no such kind, column or aggregate, or they do not go together.
    """
    kind = _one_of(request.kind, (*KINDS, AUTO), "kind of chart")
    agg = _SYNONYMS.get(request.agg, request.agg)
    agg = _one_of(agg, AGGREGATES, "aggregate") if agg else ""
    columns = [_column(field, number) for number, field in enumerate(frame.schema.fields)]
    x = _named(columns, request.x) if request.x else None
    ys = tuple(_named(columns, name) for name in request.y)
    color = _named(columns, request.color) if request.color else None
    if len(ys) > _SERIES:
        raise ChartError(
            f"A chart takes at most {_SERIES} columns as y, and {len(ys):,} are named.",
            "`df.unpivot(...)` makes rows of columns",
        )
    if len(ys) > 1 and color is not None:
        raise ChartError(
            "Several columns as y have a colour each, and leave none for `color`.",
            "give one y, or no color",
        )
    free = [column for column in columns if column not in (x, color, *ys)]
    if kind == AUTO:
        kind = _kind_for(x, ys, agg, free)
    x, ys = _completed(kind, x, ys, agg, free)
    return _checked(Choice(kind, x, ys, color, _aggregate(kind, agg, ys, color)), columns)


def _one_of(name: str, known: Sequence[str], what: str) -> str:
    if name in known:
        return name
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else ""
    raise ChartError(f"There is no {what} {name!r}; there are {', '.join(known)}.", hint)


def _column(field: Any, position: int) -> ChartColumn:
    kind = type(field.dataType).typeName()
    family = "other"
    if kind in _NUMBERS:
        family = "number"
    elif kind in _TIMES:
        family = "time"
    elif kind in _CATEGORIES:
        family = "category"
    step = 0 if kind in _WHOLE else -field.dataType.scale if kind == "decimal" else None
    return ChartColumn(field.name, position, field.dataType.simpleString(), family, step)


def _named(columns: Sequence[ChartColumn], name: str) -> ChartColumn:
    found = [column for column in columns if column.name == name]
    found = found or [column for column in columns if column.name.lower() == name.lower()]
    if len(found) == 1:
        return found[0]
    if found:
        raise ChartError(
            f"{len(found)} columns are called {name!r}.", "`df.toDF(...)` gives them new names"
        )
    names = [column.name for column in columns]
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else ""
    raise ChartError(f"There is no column {name!r}; {_listed(columns, near)}.", hint)


def _listed(columns: Iterable[ChartColumn], near: Sequence[str] = ()) -> str:
    """List columns with their types, those first that may be meant."""
    ranks = {name: rank for rank, name in enumerate(near)}
    ordered = sorted(columns, key=lambda column: ranks.get(column.name, len(ranks)))
    shown = [f"{column.name} ({column.type[:40]})" for column in ordered[:_LISTED]]
    more = len(ordered) - len(shown)
    return f"there are {', '.join(shown)}{f' and {more:,} more' if more else ''}"


def _first(columns: Sequence[ChartColumn], *families: str) -> ChartColumn | None:
    for family in families:
        for column in columns:
            if column.family == family:
                return column
    return None


def _kind_for(
    x: ChartColumn | None, ys: Sequence[ChartColumn], agg: str, free: Sequence[ChartColumn]
) -> str:
    """Choose a kind by the types of the columns."""
    if x is None:
        if ys:
            return "line" if _first(free, "time") else "bar" if _first(free, "category") else "hist"
        x = _first(free, "time", "category", "number")
        others = [column for column in free if column != x]
        ys = [y for y in [_first(others, "number")] if y is not None]
    if x is None or x.family == "category":
        return "bar"
    if x.family == "time":
        return "line" if ys or agg else "hist"
    return ("scatter" if not agg else "line") if ys else "hist"


def _completed(
    kind: str,
    x: ChartColumn | None,
    ys: tuple[ChartColumn, ...],
    agg: str,
    free: Sequence[ChartColumn],
) -> tuple[ChartColumn | None, tuple[ChartColumn, ...]]:
    """Choose the columns that a kind needs and that are not named."""
    is_free = x is None and not ys
    if kind == "hist":
        return (x, ys) if not is_free else (_first(free, "number", "time"), ())
    if kind == "box":
        first = _first(free, "number")
        chosen = _first(free, "category") if is_free else x
        return chosen, ys or (() if first is None else (first,))
    order = {
        "bar": ("category", "time", "number"),
        "line": ("time", "number", "category"),
        "area": ("time", "number", "category"),
        "scatter": ("number", "time", "category"),
        "heatmap": ("category", "number", "time"),
    }[kind]
    chosen = x or _first(free, *order)
    free = [column for column in free if column != chosen]
    if not ys and (kind in ("scatter", "heatmap") or (is_free and agg != "count")):
        y = _first(free, *(order if kind == "heatmap" else ("number",)))
        ys = (y,) if y is not None else ()
    return chosen, ys


def _aggregate(kind: str, agg: str, ys: Sequence[ChartColumn], color: ChartColumn | None) -> str:
    if kind in ("scatter", "box", "hist"):
        return ""
    measured = [color] if kind == "heatmap" else list(ys)
    is_number = all(column is not None and column.family == "number" for column in measured)
    return agg or ("sum" if measured and is_number else "count")


_NEEDED = {
    "x": {
        "hist": ("number", "time"),
        "bar": ("category", "number", "time"),
        "line": ("time", "number", "category"),
        "area": ("time", "number", "category"),
        "scatter": ("number", "time", "category"),
        "heatmap": ("number", "time", "category"),
        "box": ("category", "number", "time"),
    },
    "y": {
        "scatter": ("number", "time", "category"),
        "heatmap": ("number", "time", "category"),
        "box": ("number",),
    },
}
"""The families of columns that a kind takes."""


def _checked(choice: Choice, columns: Sequence[ChartColumn]) -> Choice:
    kind, x, ys = choice.kind, choice.x, choice.ys
    if kind == "hist":
        if ys and (x is not None or len(ys) > 1):
            raise ChartError("A hist takes one column, as x, and counts its values.")
        x, ys = x or (ys[0] if ys else None), ()
    if kind in ("heatmap", "box", "hist") and len(ys) > 1:
        raise ChartError(f"A {kind} takes one column as y.")
    if kind != "box" or x is not None:
        _require(kind, "x", x, columns)
    if kind in _NEEDED["y"]:
        for y in ys or (None,):
            _require(kind, "y", y, columns)
    if kind == "scatter" and len(ys) > 1 and any(y.family != "number" for y in ys):
        raise ChartError(f"Several columns as y are columns of numbers; {_listed(columns)}.")
    measured = (choice.color,) if kind == "heatmap" else ys
    for column in measured:
        if choice.agg not in ("", "count") and (column is None or column.family != "number"):
            what = f"{column.name!r} is {column.type}" if column else "there is no such column"
            raise ChartError(
                f"The {choice.agg} needs a column of numbers, and {what}; {_listed(columns)}.",
                "agg='count' counts the values",
            )
    if choice.color is not None and choice.color.family == "other":
        raise ChartError(f"{choice.color.name!r} is {choice.color.type}, which has no colour.")
    return Choice(kind, x, ys, choice.color, choice.agg)


def _require(
    kind: str, role: str, column: ChartColumn | None, columns: Sequence[ChartColumn]
) -> None:
    families = _NEEDED[role][kind]
    wanted = " or ".join("text" if family == "category" else family for family in families)
    if column is None:
        raise ChartError(f"A {kind} needs a column for {role}: {wanted}; {_listed(columns)}.")
    if column.family not in families:
        raise ChartError(
            f"{column.name!r} is {column.type}; as {role}, a {kind} takes {wanted}; "
            f"{_listed(columns)}.",
            "`bar` counts the values of a text" if kind == "hist" else "",
        )
