"""From an interrupt to the reply, and to the end of the last task; ours beside plain ipykernel."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import click
import psutil
from py4j.protocol import Py4JError

from benchmarks.cases import Bench
from benchmarks.interrupt_cases import INTERRUPT_CASES, InterruptCase
from benchmarks.kernels import Kernel
from benchmarks.report import grid, run_line, shown

__all__ = ["measure_interrupts"]

_TARGET_S = 0.15
_CAP_S = 20.0
_STOCK_REPEATS = 3
_STOCK_CAP_S = 5.0
_TICK_S = 0.005
_SETTLED_S = 0.15
_BEGIN_S = 30.0
_RECOVERY_S = 10.0
_QUIET_S = 10.0
_LATE_S = 8.0
_NEXT_JOB_S = 30.0


@dataclass(frozen=True)
class _Outcome:
    """What one interrupt led to; None is what did not come in time."""

    reply_s: float | None
    gone_s: float | None
    error: str


@dataclass
class _Subject:
    """A kernel that is interrupted again and again; it may be another one after a case."""

    kernel: Kernel
    cap_s: float
    subshell: str = ""

    def prepare(self, case: InterruptCase) -> None:
        if case.setup:
            self.kernel.run(case.setup)
        self.subshell = self.kernel.new_subshell() if case.is_in_subshell else ""

    def interrupt(self, case: InterruptCase) -> _Outcome:
        """Interrupt a cell once, and see to it that the next one can be."""
        try:
            return self._interrupt(case)
        except (Py4JError, psutil.Error) as error:
            self._begin_anew(case, f"the driver is lost: {error}"[:300])
            return _Outcome(None, None, "driver lost")

    def _interrupt(self, case: InterruptCase) -> _Outcome:
        self.kernel.wait_until_quiet(_QUIET_S)
        request = self.kernel.submit(case.code, self.subshell)
        if case.has_tasks and not self._has_tasks():
            self._begin_anew(case, "no task began")
            request = self.kernel.submit(case.code, self.subshell)
            if not self._has_tasks():
                raise TimeoutError(f"no task of {case.title} began in {self.kernel.case.name}")
        time.sleep(random.uniform(*case.moment_s))
        outcome = self._watch_end(request, case)
        if case.may_start_late and self._starts_late():
            outcome = replace(outcome, gone_s=None)
        if outcome.reply_s is None or outcome.gone_s is None:
            self._recover(request, case, outcome)
        self.kernel.sent()
        return outcome

    def finish(self, case: InterruptCase) -> None:
        """Leave the case, with a kernel that works."""
        if case.fills_heap:
            self.kernel = self.kernel.reborn()
            return
        try:
            if case.teardown:
                self.kernel.run(case.teardown, _NEXT_JOB_S)
            self.kernel.run("spark.range(10).count()", _NEXT_JOB_S)
        except RuntimeError as error:
            self._begin_anew(None, f"{case.title}: the next job failed: {error}"[:300])

    def _has_tasks(self) -> bool:
        """Wait for a task that runs; whether there is one."""
        deadline = time.perf_counter() + _BEGIN_S
        while not self.kernel.driver.running_tasks:
            if time.perf_counter() > deadline:
                return False
            time.sleep(_TICK_S)
        return True

    def _starts_late(self) -> bool:
        """Whether a job begins after the reply, before the driver is quiet."""
        deadline = time.perf_counter() + _LATE_S
        still = 0
        while time.perf_counter() < deadline and still < 2:
            still = still + 1 if self.kernel.is_quiet() else 0
            if self.kernel.driver.is_busy:
                return True
        return False

    def _watch_end(self, request: str, case: InterruptCase) -> _Outcome:
        """Interrupt; a task is gone when there is none until a while after the reply."""
        driver, error = self.kernel.driver, ""
        replied: float | None = None
        idle_since: float | None = None if case.has_tasks else 0.0
        started = time.perf_counter()
        self.kernel.interrupt()
        while (now := time.perf_counter() - started) < self.cap_s:
            if replied is not None and idle_since is not None:
                still_s = now - max(replied, idle_since)
                if not case.has_tasks or still_s > _SETTLED_S:
                    break
            if replied is None:
                reply = self.kernel.reply(request, _TICK_S)
                if reply is not None:
                    replied = time.perf_counter() - started
                    error = str(reply.get("ename", reply["status"]))
            else:
                time.sleep(_TICK_S)
            if case.has_tasks:
                is_busy = driver.is_busy
                now = time.perf_counter() - started
                idle_since = None if is_busy else now if idle_since is None else idle_since
        return _Outcome(replied, idle_since, error)

    def _recover(self, request: str, case: InterruptCase, outcome: _Outcome) -> None:
        """Stop what goes on by the driver's own means, else start anew."""
        deadline = time.perf_counter() + _RECOVERY_S
        self.kernel.driver.cancel_all()
        is_back = outcome.reply_s is not None
        while time.perf_counter() < deadline:
            is_back = is_back or self.kernel.reply(request, 0.1) is not None
            if is_back and not self.kernel.driver.is_busy:
                return
            with suppress(Exception):
                self.kernel.driver.cancel_all()
        self._begin_anew(case, "it did not come back")

    def _begin_anew(self, case: InterruptCase | None, reason: str) -> None:
        click.echo(f"{self.kernel.case.name}: a new kernel: {reason}")
        self.kernel = self.kernel.reborn()
        if case is not None:
            self.prepare(case)


def measure_interrupts(
    bench: Bench, repeats: int, only: str = "", stock_cap_s: float = _STOCK_CAP_S
) -> str:
    """Measure, and give the section.

    Parameters
    ----------
    repeats
        How often our kernel is interrupted in each case.
    only
        Part of the titles of the cases to measure; empty for all.
    stock_cap_s
        How long plain ipykernel is waited for.
    """
    todo = [case for case in INTERRUPT_CASES if only.lower() in case.title.lower()]
    stock_repeats = min(repeats, _STOCK_REPEATS)
    ours = _Subject(Kernel(bench.ours("ours", {})), _CAP_S)
    stock = _Subject(Kernel(bench.plain()), stock_cap_s)
    rows = []
    try:
        for case in todo:
            rows.append(_measure_case(case, ours, stock, repeats, stock_repeats))
            click.echo(" | ".join(rows[-1]))
    finally:
        ours.kernel.close()
        stock.kernel.close()
    command = f"python -m benchmarks interrupts --repeats {repeats}"
    if only:
        command += f" --only '{only}'"
    return _report(rows, command, f"Java {bench.java.version}", stock_repeats, stock_cap_s)


def _measure_case(
    case: InterruptCase, ours: _Subject, stock: _Subject, repeats: int, stock_repeats: int
) -> list[str]:
    outcomes: dict[str, list[_Outcome]] = {"ours": [], "stock": []}
    for subject in (ours, stock):
        subject.prepare(case)
    for number in range(repeats):
        outcomes["ours"].append(ours.interrupt(case))
        if number < stock_repeats:
            outcomes["stock"].append(stock.interrupt(case))
    for subject in (ours, stock):
        subject.finish(case)
    for name, found in outcomes.items():
        others = [one.error for one in found if one.error not in ("", "KeyboardInterrupt")]
        if others:
            click.echo(f"{name}: {case.title}: not a KeyboardInterrupt: {others}")
    return _row(case, outcomes["ours"], outcomes["stock"])


def _row(case: InterruptCase, ours: Sequence[_Outcome], stock: Sequence[_Outcome]) -> list[str]:
    cells = [case.title]
    for outcomes in (ours, stock):
        cells.append(_spread([one.reply_s for one in outcomes]))
        gone = [one.gone_s for one in outcomes]
        if case.may_start_late:
            late = gone.count(None)
            cells.append(f"a job came later: {late} of {len(gone)}" if late else "no job came")
        else:
            cells.append(_spread(gone) if case.has_tasks else "-")
    others = sum(one.error not in ("", "KeyboardInterrupt") for one in ours)
    replies = [_CAP_S if one.reply_s is None else one.reply_s for one in ours]
    is_met = statistics.median(replies) <= _TARGET_S
    verdict = "met" if is_met else "**missed**"
    return [*cells, verdict + (f", {others} ended otherwise" if others else "")]


def _spread(values: Sequence[float | None]) -> str:
    """Give the median and the worst; that which never came is worse than all others."""
    times = sorted(float("inf") if value is None else value for value in values)
    never = values.count(None)
    middle = statistics.median(times)
    if never == len(times):
        return f"never ({never} of {len(times)})"
    median = "never" if middle == float("inf") else shown(middle, "ms")
    worst = f"never: {never} of {len(times)}" if never else shown(times[-1], "ms")
    return f"{median} ({worst})"


def _report(
    rows: list[list[str]], command: str, java: str, stock_repeats: int, stock_cap_s: float
) -> str:
    head = [
        "interrupted",
        "ours: reply",
        "ours: last task gone",
        "plain: reply",
        "plain: last task gone",
        f"our median reply ≤ {shown(_TARGET_S, 'ms')}",
    ]
    return "\n".join(
        [
            "## Interrupts",
            "",
            run_line(command, java),
            "",
            "Time from the interrupt, as clients send it, to `execute_reply`, and to the moment "
            "from which on the status store has no active job and the scheduler no running task, "
            "as seen through a py4j connection of the benchmark's own some 150 times a second. "
            "Medians, and the worst in brackets. Plain ipykernel was interrupted "
            f"{stock_repeats} times in turn with ours; what had not come in "
            f"{stock_cap_s:g} s counts as never, and was then cancelled from outside.",
            "",
            grid(head, rows),
        ]
    )
