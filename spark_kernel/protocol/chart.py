"""A chart as values: few enough to draw, reduced by Spark from however many rows there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

__all__ = ["AGGREGATES", "AUTO", "KINDS", "Axis", "ChartData", "ChartRequest", "Value"]

KINDS = ("bar", "line", "area", "scatter", "hist", "box", "heatmap")
AUTO = "auto"
AGGREGATES = ("count", "sum", "avg", "min", "max", "median")

Value = str | int | float | date | None


@dataclass(frozen=True)
class ChartRequest:
    """What is asked for; empty where it is left to the kernel.

    Attributes
    ----------
    kind
        One of ``KINDS``, or ``AUTO``.
    y
        One column or more.
    """

    kind: str = AUTO
    x: str = ""
    y: Sequence[str] = ()
    color: str = ""
    agg: str = ""


@dataclass(frozen=True)
class Axis:
    """What a direction, or the colour, of a chart stands for.

    Attributes
    ----------
    scale
        ``number``, ``time`` or ``category``.
    order
        The categories as they are to stand; empty for the other scales.
    """

    title: str
    scale: str
    order: tuple[str, ...] = ()


@dataclass(frozen=True)
class ChartData:
    """What a chart shows.

    Attributes
    ----------
    kind
        One of ``KINDS``.
    notes
        What was aggregated, binned, sampled and left out.
    fields
        The names of the values in each row: ``x``, ``y`` and ``color``; ``x2`` and ``y2`` where
        bins end; ``value`` in the cells of a heatmap; of boxes ``low``, ``q1``, ``median``, ``q3``,
        ``high`` and ``count``.
    is_additive
        Whether the values of several colours add up, so that they may be stacked.
    """

    kind: str
    title: str
    x: Axis
    y: Axis
    fields: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]
    color: Axis | None = None
    notes: tuple[str, ...] = ()
    is_additive: bool = False
