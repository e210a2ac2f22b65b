"""What a page costs while Spark works, and how soon it answers and a click ends it."""

from __future__ import annotations

import time

import click

from benchmarks.lab_page import LabPage, Sides, in_turn
from benchmarks.report import Added, added_table, shown

__all__ = ["measure_work"]

_JOBS = 300
_MANY = (
    "from multiprocessing.pool import ThreadPool\n"
    f"with ThreadPool(8) as pool: pool.map(lambda n: spark.range(1).count(), range({_JOBS // 2}))"
)
"""Each count is two jobs."""
_WARM_UP = "spark.range(0, 1000, 1, 1000).count()"
_SLEEP = "import time; sc.parallelize(range(40), 2).map(lambda n: time.sleep(1)).count()"
"""A job of 20 s, whose tasks are in Python."""

_FIRST, _LONG, _CROWD, _SLOW = range(4)
_BUTTONS = {
    "with": ".spark-kernel-head .spark-kernel-cancel:visible",
    "without": "[data-jp-item-name=interrupt] .jp-ToolbarButtonComponent",
}
"""Of the cell's progress, and JupyterLab's own."""

_AT_WORK_MS = 3_000
_ANSWER_S = 0.1
_END_S = 1.0
_CPU_TARGET_S = 0.0
"""No more than the HTML costs that is shown without the extension."""

_Found = dict[str, dict[str, list[float]]]
"""Figures by what they are of and by side."""


def measure_work(sides: Sides, pairs: int, tasks: int) -> str:
    """Measure, and give the part of the section; the long job runs in every other pair."""
    sources = [_WARM_UP, f"spark.range(0, {tasks}, 1, {tasks}).count()", _MANY, _SLEEP]
    pages = {}
    for side, browser in sides.items():
        pages[side] = browser.open(browser.server.write(*sources))
        pages[side].run(_FIRST)
        pages[side].run(_CROWD)
    found: _Found = {}
    for number in range(pairs):
        for side in in_turn(sides, number):
            taken = _crowd(pages[side]) | _ended(pages[side], _BUTTONS[side])
            if number % 2 == 0:
                taken |= _long(pages[side])
            for what, value in taken.items():
                found.setdefault(what, {name: [] for name in sides})[side].append(value)
            said = ", ".join(f"{what} {shown(value, 'ms')}" for what, value in taken.items())
            click.echo(f"{side} the extension: {said}")
    for side, page in pages.items():
        page.close()
        sides[side].server.end_kernels()
    return _report(found, tasks)


def _long(page: LabPage) -> dict[str, float]:
    page.longest_task()
    before, started = page.spent(), time.perf_counter()
    page.run(_LONG)
    spent = page.spent().since(before)
    return {
        "job": time.perf_counter() - started,
        "processor": spent.processor,
        "tasks": spent.tasks,
        "scripts": spent.scripts,
        "longest": page.longest_task(),
    }


def _crowd(page: LabPage) -> dict[str, float]:
    page.longest_task()
    page.watch_frames()
    page.run(_CROWD)
    return {"frame": page.longest_frame(), "crowd": page.longest_task()}


def _ended(page: LabPage, button: str) -> dict[str, float]:
    page.begin(_SLOW)
    page.settle(_AT_WORK_MS)
    took = page.end(button)
    page.run(_FIRST)  # the session is as well as before
    return {"end": took}


def _report(found: _Found, tasks: int) -> str:
    long = [
        Added("the cell", found["job"], "s"),
        Added("CPU of the browser", found["processor"], "s", _CPU_TARGET_S),
        Added("tasks of the page's main thread", found["tasks"], "s"),
        Added("scripts among them", found["scripts"], "s"),
        Added("longest task of the page", found["longest"], "ms", most=_ANSWER_S),
    ]
    crowd = [
        Added("longest task of the page", found["crowd"], "ms", most=_ANSWER_S),
        Added("longest time without a frame", found["frame"], "ms", most=_ANSWER_S),
    ]
    end = [Added("from the click to the end of the cell", found["end"], "s", most=_END_S)]
    return (
        f"### A page while Spark works\n\nA job of {tasks:,} tasks keeps all cores of the machine "
        "busy. The CPU is that of all processes of the browser, by the system; tasks are by the "
        "clock, with the time in which they wait for a core. A task below 50 ms counts as 0.\n\n"
        f"{added_table(long)}\n\nA cell that runs {_JOBS} jobs, eight at a time:\n\n"
        f"{added_table(crowd)}\n\nA job of 20 s in tasks of Python's, ended after 3 s: "
        "by *Cancel cell* with the extension, by JupyterLab's own button without it. The next cell "
        "ran each time.\n\n"
        f"{added_table(end)}"
    )
