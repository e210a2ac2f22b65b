"""Memory of a page after a thousand cells with a Spark job and a record each."""

from __future__ import annotations

import click

from benchmarks.lab_page import LabPage, Sides
from benchmarks.report import grid, shown

__all__ = ["measure_page_memory"]

_CELLS = 1_000
_STEPS = (250, 500, 1_000)
_AGAIN, _TIMES = 100, 5
_JOB = "spark.range(1).count()"
_ON = "%spark provenance on"


def measure_page_memory(sides: Sides) -> str:
    """Measure, and give the part of the section."""
    pages = {}
    for side, browser in sides.items():
        pages[side] = browser.open(browser.server.write(_ON, *[_JOB] * _CELLS))
        pages[side].run(0)
    rows = [_row("no cell", pages)]
    done = 0
    for step in _STEPS:
        _run(pages, done + 1, step)
        done = step
        rows.append(_row(f"{step:,} cells", pages))
    for number in range(_TIMES):
        _run(pages, 1, _AGAIN)
        if number in (0, _TIMES - 1):
            rows.append(_row(f"{_AGAIN} of them again, {number + 1} times", pages))
    for side, page in pages.items():
        page.close()
        sides[side].server.end_kernels()
    head = ["after", *(f"{what}, {side}" for what in ("JavaScript", "nodes") for side in sides)]
    return (
        f"### Memory of a page\n\nA notebook of {_CELLS:,} cells `{_JOB}`, in provenance mode, so "
        "that each has a record. Bytes of JavaScript after a collection, and nodes of the page, "
        "which are those that JupyterLab keeps for cells out of sight too.\n\n" + grid(head, rows)
    )


def _run(pages: dict[str, LabPage], first: int, last: int) -> None:
    """Run cells on both sides at once: memory does not mind."""
    for page in pages.values():
        page.begin(first, last)
    for page in pages.values():
        page.finish()


def _row(title: str, pages: dict[str, LabPage]) -> list[str]:
    memory = {side: page.memory() for side, page in pages.items()}
    click.echo(f"{title}: {memory}")
    heaps = [shown(heap, "MiB") for heap, _ in memory.values()]
    return [title, *heaps, *(shown(nodes, "") for _, nodes in memory.values())]
