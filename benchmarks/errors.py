"""What it costs to show an error of Spark's, and how many lines a person gets to see.

Cells that fail alternate between our kernel and plain ipykernel with the same PySpark.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import click

from benchmarks.cases import Bench
from benchmarks.kernels import Kernel
from benchmarks.report import Figure, grid, run_line, shown, table

__all__ = ["measure_errors"]

_TARGET = 1.1
_TIMEOUT_S = 60.0
_WARM_UP_ROUNDS = 5
_PREPARE = """from pyspark.sql import functions as F
people = spark.range(4).withColumnRenamed("id", "name")
def half(x):
    return 1 / (x - x)
"""
_CELLS = {
    "a column that is not there": "people.select('nam')",
    "a table that is not there": "spark.table('nowhere')",
    "a Python function that fails": "people.select(F.udf(half, 'double')('name')).collect()",
}


@dataclass
class _Seen:
    """What one kernel took and showed for a cell."""

    times: list[float] = field(default_factory=list)
    lines: int = 0
    sent_bytes: int = 0


def measure_errors(bench: Bench, rounds: int = 40) -> str:
    """Measure, and give the section.

    Parameters
    ----------
    rounds
        How often each cell fails in each kernel.
    """
    figures, sizes = [], []
    with Kernel(bench.ours("ours", {})) as ours, Kernel(bench.plain()) as plain:
        for kernel in (ours, plain):
            kernel.run(_PREPARE)
        for title, code in _CELLS.items():
            seen = {kernel: _Seen() for kernel in (ours, plain)}
            for number in range(_WARM_UP_ROUNDS + rounds):
                for kernel, found in seen.items():
                    _fail(kernel, code, found, is_counted=number >= _WARM_UP_ROUNDS)
            figures.append(Figure(title, seen[ours].times, seen[plain].times, _TARGET, "ms"))
            sizes.append([title, *_sizes(seen[ours]), *_sizes(seen[plain])])
            click.echo(f"{title}: {figures[-1].ratio:.2f}")
    head = ["figure", "ours: lines", "ours: bytes", "plain: lines", "plain: bytes"]
    return "\n\n".join(
        [
            "## Showing an error",
            run_line(f"python -m benchmarks errors --rounds {rounds}"),
            "From the request to the reply of a cell that fails, medians, in turn with plain "
            "ipykernel.",
            table(figures),
            "Lines that are visible: of the traceback and of what was printed. Bytes of all "
            "outputs, with what is folded.",
            grid(head, sizes),
        ]
    )


def _fail(kernel: Kernel, code: str, seen: _Seen, *, is_counted: bool) -> None:
    kernel.sent()
    began = time.perf_counter()
    request = kernel.submit(code)
    reply = kernel.reply(request, _TIMEOUT_S)
    took = time.perf_counter() - began
    if reply is None or reply["status"] != "error":
        raise RuntimeError(f"{code!r} did not fail in {kernel.case.name}: {reply}")
    messages = [kernel.read(sent) for sent in kernel.sent(until_idle_of=request)]
    contents = [m["content"] for m in messages if m["msg_type"] in ("stream", "error")]
    texts = [content.get("text") or "\n".join(content["traceback"]) for content in contents]
    seen.lines = sum(len(text.splitlines()) for text in texts)
    seen.sent_bytes = sum(len(str(message["content"])) for message in messages)
    if is_counted:
        seen.times.append(took)


def _sizes(seen: _Seen) -> list[str]:
    return [shown(seen.lines, ""), shown(seen.sent_bytes, "KB")]
