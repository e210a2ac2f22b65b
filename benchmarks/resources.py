"""How long ``resource_info`` takes on the control channel, whatever cell and driver do.

Beside it, the answer of plain ipykernel to ``kernel_info_request`` on the same channel while the
same cell runs: what any message costs there.
"""

from __future__ import annotations

import signal
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import click

from benchmarks.cases import Bench
from benchmarks.kernels import Kernel
from benchmarks.report import grid, run_line, shown

__all__ = ["measure_resources"]

_TARGET_S = 0.010
_SHARE = 0.99
_PAUSE_S = 0.02
_BEGIN_S = 1.0
_RESOURCES, _KERNEL_INFO = "resource_info_request", "kernel_info_request"
_JOB = (
    "spark.range(0, 400, 1, 400).selectExpr(\"java_method('java.lang.Thread', 'sleep', 200L)\")"
    ".write.format('noop').mode('overwrite').save()"
)
_LOOP = "while True:\n    sum(range(1000))"


@dataclass(frozen=True)
class _State:
    """What goes on while it is asked; the code runs until it is interrupted."""

    title: str
    code: str = ""
    prepare: Callable[[Kernel], None] = lambda kernel: None
    undo: Callable[[Kernel], None] = lambda kernel: None
    is_ours: bool = False


_STATES = (
    _State("nothing runs"),
    _State("a Spark job runs on all cores", _JOB),
    _State("a cell computes in Python", _LOOP),
    _State(
        "the driver hangs (SIGSTOP)",
        prepare=lambda kernel: kernel.java.send_signal(signal.SIGSTOP),
        undo=lambda kernel: kernel.java.send_signal(signal.SIGCONT),
        is_ours=True,
    ),
    _State("Spark is on its way", "%spark restart", is_ours=True),
    _State("the driver was killed", prepare=lambda kernel: kernel.java.kill(), is_ours=True),
)


def measure_resources(bench: Bench, requests: int = 200) -> str:
    """Measure, and give the section.

    Parameters
    ----------
    requests
        How often is asked in each state.
    """
    rows = []
    for state in _STATES:
        with Kernel(bench.ours("ours", {})) as ours:
            found = _measure(ours, state, _RESOURCES, requests)
        others: list[float] = []
        if not state.is_ours:
            with Kernel(bench.plain()) as plain:
                others = _measure(plain, state, _KERNEL_INFO, requests)
        rows.append(_row(state, found, others))
        click.echo(" | ".join(rows[-1]))
    head = ["while", "median", "99 of 100", "worst", "", "plain: median", "plain: 99 of 100"]
    return "\n\n".join(
        [
            "## Answering `resource_info`",
            run_line(f"python -m benchmarks resources --requests {requests}"),
            "On the control channel, from the request to the reply. Beside it, what plain "
            "ipykernel takes to answer `kernel_info_request` there. The target is "
            f"{shown(_TARGET_S, 'ms')} for 99 of 100.",
            grid(head, rows),
        ]
    )


def _measure(kernel: Kernel, state: _State, kind: str, requests: int) -> list[float]:
    cell = kernel.submit(state.code) if state.code else ""
    state.prepare(kernel)
    time.sleep(_BEGIN_S if state.code != "%spark restart" else 0)
    times = []
    for _ in range(requests):
        times.append(kernel.ask_on_control(kind))
        time.sleep(_PAUSE_S)
    state.undo(kernel)
    if cell:
        kernel.interrupt()
        kernel.reply(cell, 30)
    return times


def _row(state: _State, ours: Sequence[float], plain: Sequence[float]) -> list[str]:
    most = _quantile(ours)
    return [
        state.title,
        shown(statistics.median(ours), "ms"),
        shown(most, "ms"),
        shown(max(ours), "ms"),
        "met" if most <= _TARGET_S else "**missed**",
        shown(statistics.median(plain), "ms") if plain else "-",
        shown(_quantile(plain), "ms") if plain else "-",
    ]


def _quantile(times: Sequence[float]) -> float:
    """Give the time within which 99 of 100 answers came."""
    return sorted(times)[max(0, round(len(times) * _SHARE) - 1)]
