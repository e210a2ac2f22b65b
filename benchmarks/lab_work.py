"""What a page costs while Spark works, and whether it answers meanwhile."""

from __future__ import annotations

import click

from benchmarks.lab_page import Sides, in_turn
from benchmarks.report import Added, added_table, shown

__all__ = ["measure_work"]

_JOBS = 300
_MANY = (
    "from multiprocessing.pool import ThreadPool\n"
    f"with ThreadPool(8) as pool: pool.map(lambda n: spark.range(1).count(), range({_JOBS // 2}))"
)
"""Each count is two jobs."""
_WARM_UP = "spark.range(0, 1000, 1, 1000).count()"
_FIRST, _LONG, _CROWD = range(3)
_ANSWER_S = 0.1


def measure_work(sides: Sides, pairs: int, tasks: int) -> str:
    """Measure, and give the part of the section."""
    sources = [_WARM_UP, f"spark.range(0, {tasks}, 1, {tasks}).count()", _MANY]
    pages = {}
    for side, browser in sides.items():
        pages[side] = browser.open(browser.server.write(*sources))
        pages[side].run(_FIRST)
        pages[side].run(_CROWD)
    found: dict[str, dict[str, list[float]]] = {}

    def note(what: str, side: str, value: float) -> None:
        found.setdefault(what, {name: [] for name in sides})[side].append(value)

    for number in range(pairs):
        for side in in_turn(sides, number):
            page = pages[side]
            if number < max(1, pairs // 2):
                page.longest_task()
                before = page.spent()
                page.run(_LONG)
                spent = page.spent().since(before)
                note("tasks", side, spent.tasks)
                note("scripts", side, spent.scripts)
                note("processor", side, spent.processor)
                note("longest task", side, page.longest_task())
            page.longest_task()
            page.watch_frames()
            page.run(_CROWD)
            note("frame", side, page.longest_frame())
            note("crowd", side, page.longest_task())
            said = {what: shown(values[side][-1], "ms") for what, values in found.items()}
            click.echo(f"{side} the extension: {said}")
    for side, page in pages.items():
        page.close()
        sides[side].server.end_kernels()
    long = [
        Added("main thread", found["tasks"], "s"),
        Added("of it, scripts", found["scripts"], "s"),
        Added("all processes of the browser", found["processor"], "s"),
        Added("longest task of the page", found["longest task"], "ms", most=_ANSWER_S),
    ]
    crowd = [
        Added("longest task of the page", found["crowd"], "ms", most=_ANSWER_S),
        Added("longest time without a frame", found["frame"], "ms", most=_ANSWER_S),
    ]
    return (
        f"### A page while Spark works\n\nCPU while a job of {tasks:,} tasks runs, which keeps all "
        "cores of the machine busy. A task of the page that is shorter than 50 ms counts as 0.\n\n"
        f"{added_table(long)}\n\nA cell that runs {_JOBS} jobs, eight at a time:\n\n"
        f"{added_table(crowd)}"
    )
