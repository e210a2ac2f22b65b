"""Memory of kernel and driver over a thousand jobs, with progress and without."""

from __future__ import annotations

import json
import statistics
from dataclasses import dataclass, field

import click

from benchmarks.cases import Bench
from benchmarks.kernels import Kernel
from benchmarks.report import Figure, grid, run_line, shown, table

__all__ = ["measure_memory"]

_STEP = 100
_STEPS = 10
_SETTLED = 200
_GROWTH = 5 * 2**20
_RETAINED = 100
_CONF = {
    # Else what Spark itself keeps of the first thousand jobs would be all that is seen to grow.
    "spark.ui.retainedJobs": str(_RETAINED),
    "spark.ui.retainedStages": str(_RETAINED),
    "spark.sql.ui.retainedExecutions": str(_RETAINED),
    # Each shuffle has a new thread, which lives for a minute, until there are as many: 1,024.
    "spark.sql.shuffleExchange.maxThreadThreshold": "16",
}
_JOB = "rows = spark.range(1000).selectExpr('sum(id)').collect()"
_SINGLE_CELLS = 50
_LOOP = f"for _ in range({_STEP - _SINGLE_CELLS}): {_JOB}"
"""Long enough to be shown; the cells with one job each are not."""

_COLLECT = "import gc; gc.collect();"


@dataclass
class _Series:
    """What one kernel used after each step, in bytes."""

    resident: list[int] = field(default_factory=list)
    heap: list[int] = field(default_factory=list)

    def take(self, kernel: Kernel) -> None:
        kernel.run(_COLLECT)
        self.heap.append(kernel.driver.used_heap())
        self.resident.append(kernel.process.memory_info().rss)


def measure_memory(bench: Bench) -> str:
    """Measure, and give the section."""
    conf = {"SPARK_KERNEL_CONF": json.dumps(_CONF)}
    series = {"on": _Series(), "off": _Series()}
    with (
        Kernel(bench.ours("on", conf)) as on,
        Kernel(bench.ours("off", {**conf, "SPARK_KERNEL_PROGRESS": "0"})) as off,
    ):
        for step in range(_STEPS):
            for kernel in (on, off) if step % 2 == 0 else (off, on):
                taken = series[kernel.case.name]
                _run_step(kernel)
                taken.take(kernel)
                click.echo(
                    f"{(step + 1) * _STEP} jobs, progress {kernel.case.name}: kernel "
                    f"{shown(taken.resident[-1], 'MiB')}, heap {shown(taken.heap[-1], 'MiB')}"
                )
    return _report(series["on"], series["off"], f"Java {bench.java.version}")


def _run_step(kernel: Kernel) -> None:
    for _ in range(_SINGLE_CELLS):
        kernel.run(_JOB)
    kernel.run(_LOOP)


def _report(on: _Series, off: _Series, java: str) -> str:
    def growth(values: list[int]) -> list[float]:
        """Give the rise of the line through all values from the settled one on."""
        settled = values[_SETTLED // _STEP - 1 :]
        line = statistics.linear_regression(range(len(settled)), settled)
        return [line.slope * (len(settled) - 1)]

    def figure(title: str, with_it: list[int], without: list[int]) -> Figure:
        title = f"growth of the {title}, from {_SETTLED} to {_STEP * _STEPS:,} jobs"
        return Figure(title, growth(with_it), growth(without), _GROWTH, "MiB", is_absolute=True)

    columns = (on.resident, off.resident, on.heap, off.heap)
    rows = [
        [f"{(step + 1) * _STEP:,}", *(shown(column[step], "MiB") for column in columns)]
        for step in range(_STEPS)
    ]
    figures = [
        figure("kernel's resident memory", on.resident, off.resident),
        figure("driver's used heap after a collection", on.heap, off.heap),
    ]
    head = ["jobs", "kernel, on", "kernel, off", "heap, on", "heap, off"]
    return "\n".join(
        [
            "## Memory over 1,000 jobs",
            "",
            run_line("python -m benchmarks memory", java),
            "",
            f"Two kernels of ours, progress on and off, {_STEP} jobs in turn: {_SINGLE_CELLS} "
            f"cells with one short job, and one cell with {_STEP - _SINGLE_CELLS}, which is shown. "
            f"Spark retains {_RETAINED} jobs, stages and executions, and 16 threads for shuffles "
            "(by default 1,000 and 1,024), so that what it keeps itself does not grow. The heap is "
            "what `System.gc()` leaves in use. Growth is that of the line through all samples, as "
            "the heap moves by some MiB from one to the next.",
            "",
            table(figures, "progress on", "progress off"),
            "",
            grid(head, rows),
        ]
    )
