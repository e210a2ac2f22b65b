"""How long it takes to open a notebook in JupyterLab, whose kernel runs already."""

from __future__ import annotations

import statistics

import click

from benchmarks.lab_page import Sides, in_turn
from benchmarks.report import Added, added_table

__all__ = ["measure_opening"]

_JOBS = ["spark.range(1000).selectExpr('id % 5 AS k').groupBy('k').count().collect()"] * 10
_OTHERS = ["1 + 1"] * 10
_KERNELS = {"pyspark_cluster": ("ours", _JOBS), "python3": ("of another kernel", _OTHERS)}
_CACHES = {False: "warm", True: "cold"}
_TIME_TARGET_S, _TASKS_TARGET_S = 0.1, 0.1
"""A tenth of a second is what nobody notices."""


def measure_opening(sides: Sides, pairs: int) -> str:
    """Measure, and give the part of the section."""
    figures = []
    for kernel, (title, sources) in _KERNELS.items():
        names = {side: _prepared(sides, side, sources, kernel) for side in sides}
        for is_cold, cache in _CACHES.items():
            times: dict[str, list[float]] = {side: [] for side in sides}
            tasks: dict[str, list[float]] = {side: [] for side in sides}
            for number in range(pairs):
                for side in in_turn(sides, number):
                    page = sides[side].open(names[side], is_cold)
                    times[side].append(page.opened_s)
                    page.settle()
                    tasks[side].append(page.spent().tasks)
                    page.close()
            what = f"a notebook {title}, {cache} cache"
            click.echo(f"{what}: { ({side: statistics.median(t) for side, t in times.items()}) }")
            figures.append(Added(f"{what}: time", times, "s", _TIME_TARGET_S))
            figures.append(Added(f"{what}: work of the page", tasks, "s", _TASKS_TARGET_S))
    return (
        "### Opening a notebook\n\nFrom the navigation to cells in sight and an idle kernel, which "
        "ran before, with Spark up. The work is that of the page's main thread until 0.7 s "
        "later. Ours has ten cells with a job's summary each.\n\n" + added_table(figures)
    )


def _prepared(sides: Sides, side: str, sources: list[str], kernel: str) -> str:
    """Write a notebook and run it, so that its kernel is there and the browser's cache is full."""
    name = sides[side].server.write(*sources, kernel=kernel)
    page = sides[side].open(name)
    page.run(0, len(sources) - 1)
    page.save()
    page.close()
    sides[side].open(name).close()
    return name
