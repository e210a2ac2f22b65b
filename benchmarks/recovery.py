"""How soon the death of a driver is told, and how soon the next cell has Spark again.

The driver is killed (kill -9) while nothing runs, and in the middle of a job. Before each kill
Spark is restarted by hand, with the same cell, which is what coming back is compared with; it also
keeps the kernel from giving up a session that is lost again and again.
"""

from __future__ import annotations

import time
from typing import Any

import click

from benchmarks.cases import Bench
from benchmarks.kernels import Kernel
from benchmarks.report import Figure, run_line, table

__all__ = ["measure_recovery"]

_TARGET_S = 5.0
_TIMEOUT_S = 60.0
_POLL_S = 0.002
_BEGIN_S = 2.0
_USE = "spark.range(1).count()"
_JOB = (
    "spark.range(0, 400, 1, 400).selectExpr(\"java_method('java.lang.Thread', 'sleep', 200L)\")"
    ".write.format('noop').mode('overwrite').save()"
)
_SITUATIONS = {"nothing runs": "", "a job runs": _JOB}


def measure_recovery(bench: Bench, kills: int = 10) -> str:
    """Measure, and give the section.

    Parameters
    ----------
    kills
        How often the driver is killed in each situation.
    """
    figures = []
    with Kernel(bench.ours("ours", {})) as kernel:
        for title, code in _SITUATIONS.items():
            told: list[float] = []
            ended: list[float] = []
            back: list[float] = []
            restarted: list[float] = []
            for _ in range(kills):
                restarted.append(_seconds_of(kernel, f"%spark restart\n{_USE}"))
                kernel.refind_java()
                told_s, ended_s = _kill(kernel, code)
                told.append(told_s)
                ended += ended_s
                back.append(_seconds_of(kernel, _USE))
            for until, times in (("state `lost`", told), ("the cell's error", ended)):
                if times:
                    name = f"killed while {title}: to {until}"
                    figures.append(Figure(name, times, (), _TARGET_S, is_absolute=True))
            name = f"killed while {title}: the next cell, with Spark again"
            figures.append(Figure(name, back, restarted, None))
        kernel.refind_java()
    for figure in figures:
        click.echo(" | ".join(figure.row()))
    return "\n\n".join(
        [
            "## A driver that dies",
            run_line(f"python -m benchmarks recovery --kills {kills}"),
            "From the kill until the kernel says `lost`, and until the cell that used Spark has "
            f"its error; then the time of the next cell, `{_USE}`, until its reply, beside that "
            "of the same cell after `%spark restart`.",
            table(figures, baseline="by `%spark restart`"),
        ]
    )


def _seconds_of(kernel: Kernel, code: str) -> float:
    started = time.perf_counter()
    kernel.run(code)
    return time.perf_counter() - started


def _kill(kernel: Kernel, code: str) -> tuple[float, list[float]]:
    """Kill the driver; gives the seconds to the state, and to the reply of the cell if any."""
    cell = kernel.submit(code) if code else ""
    time.sleep(_BEGIN_S)
    kernel.sent()
    started = time.perf_counter()
    kernel.java.kill()
    told: list[float] = []
    ended: list[float] = []
    while not told or len(ended) < bool(cell):
        seconds = time.perf_counter() - started
        if seconds > _TIMEOUT_S:
            raise RuntimeError("the kernel did not tell that its driver was killed")
        if any(_says_lost(kernel.read(sent)) for sent in kernel.sent()):
            told.append(seconds)
        if cell and not ended and (reply := kernel.reply(cell, _POLL_S)) is not None:
            ended.append(time.perf_counter() - started)
            if reply.get("ename") != "DriverLostError":
                raise RuntimeError(f"the cell did not end with the driver: {reply}")
        time.sleep(_POLL_S)
    return told[0], ended


def _says_lost(message: dict[str, Any]) -> bool:
    is_status = message["msg_type"] == "spark_status"
    return is_status and bool(message["content"]["state"] == "lost")
