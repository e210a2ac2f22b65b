"""Turns measurements into the tables and sections of ``RESULTS.md``."""

from __future__ import annotations

import datetime
import importlib.metadata
import platform
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import psutil

__all__ = [
    "Added",
    "Figure",
    "added_table",
    "grid",
    "machine_line",
    "put_section",
    "run_line",
    "shown",
    "spread",
    "table",
]


@dataclass(frozen=True)
class Figure:
    """One line: ours against the baseline.

    Parameters
    ----------
    baseline
        May be empty where there is nothing to compare with.
    target
        The most that the ratio may be, or our median where ``is_absolute``; None where nothing
        was promised.
    unit
        What the values are shown in; see ``shown``.
    """

    title: str
    ours: Sequence[float]
    baseline: Sequence[float]
    target: float | None
    unit: str = "s"
    is_absolute: bool = False

    @property
    def ratio(self) -> float:
        """Our median over that of the baseline."""
        return statistics.median(self.ours) / statistics.median(self.baseline)

    def row(self) -> list[str]:
        """Give the cells of its line in the table."""
        ratio = "-" if self.is_absolute or not self.baseline else f"{self.ratio:.2f}"
        cells = [self.title, spread(self.ours, self.unit), spread(self.baseline, self.unit), ratio]
        if self.target is None:
            return [*cells, "-", ""]
        compared = statistics.median(self.ours) if self.is_absolute else self.ratio
        target = shown(self.target, self.unit) if self.is_absolute else f"{self.target:g}"
        return [*cells, f"≤ {target}", "met" if compared <= self.target else "**missed**"]


@dataclass(frozen=True)
class Added:
    """One line: what something adds, measured in pairs with it and without.

    Parameters
    ----------
    values
        By "with" and "without", in the order of the pairs.
    target
        The most that it may add.
    most
        The most that may ever be, with it, where that is what counts: held against the largest.
    """

    title: str
    values: Mapping[str, Sequence[float]]
    unit: str
    target: float | None = None
    most: float | None = None

    def row(self) -> list[str]:
        """Give the cells of its line in the table."""
        ours, others = self.values["with"], self.values["without"]
        added = statistics.median(a - b for a, b in zip(ours, others, strict=True))
        base = statistics.median(others)
        ratio = f"{statistics.median(ours) / base:.2f}" if base else "-"
        sign = "+" if added >= 0 else ""
        cells = [self.title, spread(ours, self.unit), spread(others, self.unit)]
        cells += [f"{sign}{shown(added, self.unit)}", ratio]
        if self.most is not None:
            met, target = max(ours) <= self.most, f"never above {shown(self.most, self.unit)}"
        elif self.target is not None:
            met, target = added <= self.target, f"≤ +{shown(self.target, self.unit)}"
        else:
            return [*cells, "-", ""]
        return [*cells, target, "met" if met else "**missed**"]


def added_table(lines: Sequence[Added]) -> str:
    """Give the table of what is added."""
    head = ["figure", "with", "without", "added", "ratio", "target", ""]
    return grid(head, [line.row() for line in lines])


def shown(value: float, unit: str) -> str:
    """Give a value, in seconds, shares, bytes or pieces, with its unit."""
    match unit:
        case "ms":
            return f"{value * 1000:.1f} ms"
        case "%":
            return f"{value * 100:.2f} %"
        case "KB":
            return f"{value / 1000:,.0f} KB"
        case "MiB":
            return f"{value / 2**20:.1f} MiB"
        case "":
            return f"{value:,.0f}"
        case _:
            return f"{value:.2f} s"


def spread(values: Sequence[float], unit: str) -> str:
    """Give the median, with the smallest and the largest value where there is more than one."""
    if not values:
        return "-"
    median = shown(statistics.median(values), unit)
    if len(values) == 1:
        return median
    return f"{median} ({shown(min(values), unit)} to {shown(max(values), unit)})"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give a table of text."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def table(figures: Sequence[Figure], ours: str = "ours", baseline: str = "plain ipykernel") -> str:
    """Give the table, with medians and the smallest and largest value."""
    head = ["figure", ours, baseline, "ratio", "target", ""]
    return grid(head, [figure.row() for figure in figures])


def run_line(command: str, *versions: str, packages: Sequence[str] = ()) -> str:
    """Say what made the figures, when and on what.

    Parameters
    ----------
    packages
        Which matter beside PySpark and ipykernel.
    """
    named = ("pyspark", "ipykernel", *packages)
    found = [f"{name} {importlib.metadata.version(name)}" for name in named]
    return (
        f"`{command}` on {datetime.date.today()}: {', '.join([machine_line(), *found, *versions])}."
    )


def machine_line() -> str:
    """Say what was measured on, as far as it matters."""
    memory_gib = psutil.virtual_memory().total / 2**30
    return (
        f"{psutil.cpu_count()} cores, {memory_gib:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}"
    )


def put_section(document: str, name: str, text: str) -> str:
    """Give a document in which one section is replaced; what stands around it stays.

    A section stands between ``<!-- name: written by ... -->`` and ``<!-- end of name -->``; one
    that is not there yet comes last.
    """
    begin = f"<!-- {name}: written by `python -m benchmarks {name}` -->"
    end = f"<!-- end of {name} -->"
    section = f"{begin}\n\n{text.strip()}\n\n{end}"
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if pattern.search(document):
        return pattern.sub(lambda _: section, document, count=1)
    return f"{document.rstrip()}\n\n{section}\n"
