"""What progress costs: a job of 20,000 tasks with and without it, and with sparkmonitor."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from typing import Any

import click

from benchmarks.cases import Bench, Case
from benchmarks.kernels import Kernel, Sent
from benchmarks.report import Figure, grid, run_line, spread, table
from benchmarks.sparkmonitor import VERSION, sparkmonitor_case

__all__ = ["TASKS", "measure_progress"]

TASKS = 20_000
_WARM_UP_TASKS = 1_000
_SHORT_TASKS = 3_000
_PEER_ROUNDS = 2
_LINGER_S = 1.0
_BACKLOG_S = 10.0
_TYPE = "application/vnd.spark-kernel.progress.v1+json"
_JOB = """
import time
started = time.perf_counter()
spark.range(0, {0}, 1, {0}).count()
took = time.perf_counter() - started
time.sleep({1})
took
"""
_DISPLAYS = ("display_data", "update_display_data")
Measured = dict[str, dict[str, list[float]]]


def measure_progress(bench: Bench, pairs: int, tasks: int = TASKS) -> str:
    """Measure, and give the section."""
    measured: Measured = defaultdict(lambda: defaultdict(list))
    rounds = max(2, pairs - pairs % 2)
    _measure_ours(bench, rounds, tasks, measured)
    peers = [bench.plain()]
    note = f"sparkmonitor {VERSION}"
    try:
        peers.append(sparkmonitor_case(bench.plain().environ))
    except (subprocess.CalledProcessError, OSError) as error:
        note = f"no sparkmonitor: {error}"
        click.echo(note)
    for round_number in range(min(pairs, _PEER_ROUNDS)):
        for case in peers if round_number % 2 == 0 else reversed(peers):
            _measure_peer(case, tasks, measured)
    return _report(measured, bench, pairs, tasks, note)


def _measure_ours(bench: Bench, rounds: int, tasks: int, measured: Measured) -> None:
    """Run the job in two kernels, and swap in each round which of them shows progress.

    Two JVMs are never equally fast; this way each counts as much with progress as without.
    """
    with (
        Kernel(bench.ours("started on", {})) as first,
        Kernel(bench.ours("started off", {"SPARK_KERNEL_PROGRESS": "0"})) as second,
    ):
        for kernel in (first, second):
            kernel.run(_JOB.format(_WARM_UP_TASKS, 0))
        for round_number in range(rounds):
            pair = (first, second) if round_number % 2 == 0 else (second, first)
            for kernel, name in zip(pair, ("on", "off"), strict=True):
                if round_number:
                    kernel.run(f"%spark progress {name}")
                _measure_job(kernel, name, tasks, measured)
                if name == "on":
                    lag = _lag_while_going_on(kernel)
                    measured[name]["going_on_lag"].append(lag)


def _measure_peer(case: Case, tasks: int, measured: Measured) -> None:
    """Run the job in a new kernel: sparkmonitor is still busy with a job long after its end."""
    with Kernel(case) as kernel:
        kernel.run(_JOB.format(_WARM_UP_TASKS, 0))
        kernel.record("1", _LINGER_S, _BACKLOG_S)
        _measure_job(kernel, case.name, tasks, measured)


def _measure_job(kernel: Kernel, name: str, tasks: int, measured: Measured) -> None:
    kernel.wait_until_quiet(_BACKLOG_S)
    sent = kernel.record(_JOB.format(tasks, 0), _LINGER_S, _BACKLOG_S)
    ended = kernel.driver.last_job_ended()
    figures = {
        "wall": float(_value(kernel, sent)),
        "messages": float(len(sent)),
        "bytes": float(sum(one.size for one in sent)),
    }
    last = _last_of_monitor(kernel, sent)
    if last is not None:
        figures["lag"] = last - ended
    for key, value in figures.items():
        measured[name][key].append(value)
    shown = ", ".join(f"{key} {value:,.4g}" for key, value in figures.items())
    click.echo(f"{kernel.case.name}, {name}: {shown}")


def _value(kernel: Kernel, sent: list[Sent]) -> str:
    for message in map(kernel.read, sent):
        if message["msg_type"] == "execute_result":
            return str(message["content"]["data"]["text/plain"])
    raise RuntimeError(f"no result in {kernel.case.name}")


def _last_of_monitor(kernel: Kernel, sent: list[Sent]) -> float | None:
    """Give when the final display came, or the last that sparkmonitor had to say."""
    for one in reversed(sent):
        message = kernel.read(one)
        if message["msg_type"] == "comm_msg" or _progress(message).get("is_final"):
            return one.arrived
    return None


def _progress(message: dict[str, Any]) -> dict[str, Any]:
    if message["msg_type"] not in _DISPLAYS:
        return {}
    return dict(message["content"]["data"].get(_TYPE, {}))


def _lag_while_going_on(kernel: Kernel) -> float:
    """Give the time from the end of a job to the display that says so, in a cell that goes on."""
    sent = kernel.record(_JOB.format(_SHORT_TASKS, 1.5), _LINGER_S, _BACKLOG_S)
    ended = kernel.driver.last_job_ended()
    for one in sent:
        jobs = _progress(kernel.read(one)).get("jobs", [])
        if jobs and all(job["state"] != "running" for job in jobs) and one.arrived >= ended:
            return one.arrived - ended
    raise RuntimeError("no display said that the job had ended")


def _report(measured: Measured, bench: Bench, pairs: int, tasks: int, note: str) -> str:
    on, off = measured["on"], measured["off"]
    plain, peer = measured["plain"], measured["sparkmonitor"]
    walls = [Figure("ours: progress on, progress off", on["wall"], off["wall"], 1.02)]
    if peer:
        walls.append(Figure("sparkmonitor, plain ipykernel", peer["wall"], plain["wall"], None))
    final = "the job's end to the final display; sparkmonitor's last message"
    lags = [
        Figure(final, on["lag"], peer["lag"], 0.3, is_absolute=True),
        Figure("the job's end to its display, cell going on", on["going_on_lag"], [], None),
    ]
    names = {"on": "ours, on", "off": "ours, off", "plain": "plain ipykernel"}
    names["sparkmonitor"] = "sparkmonitor"
    rows = [
        [title, spread(measured[name]["messages"], ""), spread(measured[name]["bytes"], "KB")]
        for name, title in names.items()
    ]
    command = f"python -m benchmarks progress --pairs {pairs}"
    if tasks != TASKS:
        command += f" --tasks {tasks}"
    return "\n".join(
        [
            f"## Progress of a job of {tasks:,} tasks",
            "",
            run_line(command, note, f"Java {bench.java.version}"),
            "",
            f"`spark.range(0, {tasks}, 1, {tasks}).count()`, timed in the cell. Ours in two "
            "kernels at once, one started with `SPARK_KERNEL_PROGRESS=0`, in turn; they swap in "
            "each round which of them shows progress, so that a slower JVM counts on both sides. "
            f"Plain ipykernel and sparkmonitor in turn, {min(pairs, _PEER_ROUNDS)} new kernels "
            f"each. Everywhere a job of {_WARM_UP_TASKS:,} tasks goes before. sparkmonitor's "
            "environment sees the same Spark and ipykernel; its comm is opened as its frontend "
            "does.",
            "",
            table(walls, "with", "without"),
            "",
            table(lags, "ours", "sparkmonitor"),
            "",
            f"Sent on iopub for the job, until nothing came for {_LINGER_S:g} s after the reply "
            f"or {_BACKLOG_S:g} s were over, when sparkmonitor may not have said everything yet:",
            "",
            grid(["", "messages", "bytes"], rows),
        ]
    )
