"""A page after a thousand cells with a Spark job and a record each: memory, and typing."""

from __future__ import annotations

import click

from benchmarks.lab_page import LabPage, Sides, in_turn
from benchmarks.report import Added, added_table, grid, shown

__all__ = ["measure_page_memory"]

_CELLS = 1_000
_STEPS = (250, 500, 1_000)
_AGAIN, _TIMES = 100, 3
_JOB = "spark.range(1).count()"
_ON = "%spark provenance on"
_ADDED_BYTES = 5 * 2**20
_ANSWER_S = 0.1
_CALM_MS = 2_500
"""The extension waits up to 1.5 s for the end of edits before it looks what they mean."""


def measure_page_memory(sides: Sides, pairs: int) -> str:
    """Measure, and give the part of the section."""
    pages = {}
    for side, browser in sides.items():
        pages[side] = browser.open(browser.server.write(_ON, *[_JOB] * (_CELLS - 1)))
        pages[side].run(0)
    heaps: dict[str, list[float]] = {side: [] for side in sides}
    rows = [_row("no cell", pages)]
    done = 1
    for step in _STEPS:
        _run(pages, done, step - 1)
        done = step
        rows.append(_row(f"{step:,} cells", pages, heaps))
    typing = _type(sides, pages, pairs)
    for number in range(_TIMES):
        _run(pages, 1, _AGAIN)
        if number in (0, _TIMES - 1):
            rows.append(_row(f"{_AGAIN} of them again, {number + 1} times", pages))
    for side, page in pages.items():
        page.close()
        sides[side].server.end_kernels()
    latest = {side: [found[-1]] for side, found in heaps.items()}
    memory = Added(f"JavaScript after {_CELLS:,} cells", latest, "MiB", _ADDED_BYTES)
    head = ["after", *(f"{what}, {side}" for what in ("JavaScript", "nodes") for side in sides)]
    return (
        f"### A notebook of {_CELLS:,} cells\n\nEach is `{_JOB}`, and has a record, as the kernel "
        "is in provenance mode. JavaScript is what a collection leaves in use; nodes of the page "
        "are those of cells out of sight too. Ten letters are typed into a cell that has run.\n\n"
        f"{added_table([memory, *typing])}\n\n{grid(head, rows)}"
    )


def _run(pages: dict[str, LabPage], first: int, last: int) -> None:
    """Run cells on both sides at once: memory does not mind."""
    for page in pages.values():
        page.begin(first, last)
    for page in pages.values():
        page.finish()


def _row(
    title: str, pages: dict[str, LabPage], heaps: dict[str, list[float]] | None = None
) -> list[str]:
    memory = {side: page.memory() for side, page in pages.items()}
    for side, (heap, _) in memory.items():
        if heaps is not None:
            heaps[side].append(heap)
    click.echo(f"{title}: {memory}")
    said = [shown(heap, "MiB") for heap, _ in memory.values()]
    return [title, *said, *(shown(nodes, "") for _, nodes in memory.values())]


def _type(sides: Sides, pages: dict[str, LabPage], pairs: int) -> list[Added]:
    work: dict[str, list[float]] = {side: [] for side in sides}
    longest: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(pairs):
        for side in in_turn(sides, number):
            page = pages[side]
            page.longest_task()
            before = page.spent()
            page.type("abcdefghij")
            page.settle(_CALM_MS)
            work[side].append(page.spent().since(before).tasks)
            longest[side].append(page.longest_task())
    return [
        Added("typing ten letters: main thread", work, "ms", _ANSWER_S),
        Added("typing ten letters: longest task", longest, "ms", most=_ANSWER_S),
    ]
