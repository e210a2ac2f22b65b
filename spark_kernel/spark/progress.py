"""What the jobs of one cell have done so far: samples go in, values come out; no drawing, no I/O.

Bounded: of jobs that are over, the newest are kept and the others only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from spark_kernel.protocol.progress import (
    CellProgress,
    Hint,
    JobProgress,
    QueryProgress,
    RunState,
    StageProgress,
    TaskCounts,
)
from spark_kernel.spark.job_states import job_state, state_of

__all__ = ["JobBook", "TaskLookup", "read_running"]

_KEPT_JOBS = 20
_SLOW_STAGE_MS = 5_000
_SKEW_RATIO = 3.0
_SKEW_TASKS = 3
_LOOKUP_INTERVAL_MS = 2_000
TaskLookup = Callable[[int, int, str], Mapping[str, Any] | None]
"""Gives one task of a stage and attempt: "running", "longest" or "failed"; may take a while."""


_StageKey = tuple[int, int, int]
"""Context, stage and attempt."""


class JobBook:
    """The jobs of one cell.

    Parameters
    ----------
    cell_id
        As the protocol has it.
    name_place
        Names the places in the notebook's code that are named in a stage's name.
    """

    def __init__(self, cell_id: str, name_place: Callable[[str], str] = str) -> None:
        self._cell_id = cell_id
        self._name_place = name_place
        self._jobs: dict[tuple[int, int], JobProgress] = {}
        self._bytes: dict[tuple[int, int], tuple[int, int]] = {}
        self._queries: dict[str, QueryProgress] = {}
        self._hints: dict[_StageKey, dict[Hint, str]] = {}
        self._looked_at: dict[tuple[_StageKey, str], tuple[int, int]] = {}
        self._failed_task: dict[_StageKey, str] = {}
        self._dropped = TaskCounts()
        self._dropped_bytes = (0, 0)
        self._dropped_jobs = self._dropped_failures = 0
        self._began: int | None = None
        self._had_executors: int | None = None
        self._now = 0

    # -- what is known ---------------------------------------------------------------------

    def running(self, context: int) -> list[int]:
        """Give the ids of the jobs of a context that were not over when last seen."""
        return [
            job.id
            for (of_context, _), job in self._jobs.items()
            if of_context == context and not job.state.is_over
        ]

    @property
    def has_running(self) -> bool:
        """Whether a job or a query was not over when last seen."""
        jobs = self._jobs.values()
        return self.has_active_queries or any(not job.state.is_over for job in jobs)

    @property
    def has_active_queries(self) -> bool:
        """Whether a streaming query ran when last seen."""
        return any(query.is_active for query in self._queries.values())

    @property
    def longest_running_s(self) -> float:
        """For how long the oldest running job has run, by the driver's clock."""
        ages = [
            self._now - job.submitted
            for job in self._jobs.values()
            if not job.state.is_over and job.submitted is not None
        ]
        return max(ages, default=0) / 1000

    @property
    def elapsed_s(self) -> float:
        """Seconds between the first job's submission and the last change."""
        return 0.0 if self._began is None else max(0.0, (self._now - self._began) / 1000)

    # -- samples ---------------------------------------------------------------------------

    def take_job(
        self, context: int, seen: Mapping[str, Any], now: int, ui_url: str, look: TaskLookup | None
    ) -> None:
        """Take what a sample says of a job.

        Parameters
        ----------
        context
            Number of the Spark context: after a restart, ids begin again.
        look
            Asks for a telling task; None where there is no time for it.
        """
        key = (context, int(seen["id"]))
        known = self._jobs.get(key)
        if "status" not in seen:  # Spark has forgotten it, so it is over
            if known is not None and not known.state.is_over:
                self._end(key, known)
            return
        self._now = max(self._now, now)
        submitted = seen["submitted"]
        if submitted is not None and (self._began is None or submitted < self._began):
            self._began = submitted
        state = job_state(seen["status"], (stage["reason"] for stage in seen["stages"]))
        stages = tuple(
            self._stage(context, stage, now, ui_url, look)
            for stage in sorted(seen["stages"], key=lambda s: (s["id"], s["attempt"]))
        )
        self._jobs[key] = JobProgress(
            id=key[1],
            description=seen["description"] or self._name_place(seen["name"]),
            state=state,
            tasks=_counts(seen, known.tasks if known else None),
            url=_job_url(ui_url, key[1]),
            submitted=submitted,
            duration_s=_seconds(submitted, seen["completed"] or now),
            stages=stages,
            omitted_stages=seen["omitted_stages"],
        )
        self._bytes[key] = (seen["input_bytes"], seen["shuffle_read_bytes"])
        if state.is_over:
            self._prune()

    def take_query(self, seen: Mapping[str, Any]) -> None:
        """Take what a sample says of a streaming query."""
        self._queries[seen["run_id"]] = _query(seen)

    def note_waiting(self, executors: int | None, now: int) -> None:
        """Note how many executors there are, if known: a job without any waits for the cluster."""
        if executors != 0:
            self._had_executors = now if executors else None
            return
        for key, job in self._jobs.items():
            if job.state is RunState.RUNNING and job.tasks.active == 0:
                since = max(filter(None, (job.submitted, self._had_executors)), default=now)
                text = _waiting_text((now - since) / 1000, is_lost=since != job.submitted)
                stages = tuple(
                    _with_hint(stage, Hint.NO_EXECUTORS, text) if not stage.state.is_over else stage
                    for stage in job.stages
                )
                self._jobs[key] = replace(job, stages=stages)

    def context_ended(self, context: int) -> None:
        """Note that nothing more will be heard of the jobs of a context, nor of its queries."""
        for key, job in list(self._jobs.items()):
            if key[0] == context and not job.state.is_over:
                self._end(key, job)
        for run, query in self._queries.items():
            self._queries[run] = replace(query, is_active=False)

    # -- values ----------------------------------------------------------------------------

    def progress(self, is_final: bool) -> CellProgress:
        """Give all of it as a value."""
        jobs = [job for _, job in sorted(self._jobs.items())]
        total = self._dropped
        for job in jobs:
            total = total + job.tasks
        failed = sum(job.state in (RunState.FAILED, RunState.CANCELLED) for job in jobs)
        over = sum(job.state.is_over for job in jobs)
        return CellProgress(
            cell_id=self._cell_id,
            elapsed_s=self.elapsed_s,
            is_final=is_final,
            jobs=tuple(jobs),
            queries=tuple(self._queries.values()),
            omitted_jobs=self._dropped_jobs,
            running=len(jobs) - over,
            finished=over + self._dropped_jobs,
            failed=failed + self._dropped_failures,
            tasks=total,
            input_bytes=self._dropped_bytes[0] + sum(read for read, _ in self._bytes.values()),
            shuffle_bytes=self._dropped_bytes[1] + sum(read for _, read in self._bytes.values()),
        )

    # -- inside ----------------------------------------------------------------------------

    def _end(self, key: tuple[int, int], job: JobProgress) -> None:
        stages = tuple(
            stage if stage.state.is_over else replace(stage, state=RunState.UNKNOWN)
            for stage in job.stages
        )
        idle = replace(job.tasks, active=0)
        self._jobs[key] = replace(job, state=RunState.UNKNOWN, tasks=idle, stages=stages)

    def _prune(self) -> None:
        """Drop the oldest jobs that succeeded, then the oldest that did not; keep their counts."""
        over = [key for key, job in sorted(self._jobs.items()) if job.state.is_over]
        excess = len(over) - _KEPT_JOBS
        if excess <= 0:
            return
        over.sort(key=lambda key: self._jobs[key].state is not RunState.SUCCEEDED)
        for key in over[:excess]:
            job = self._jobs.pop(key)
            read, shuffled = self._bytes.pop(key, (0, 0))
            self._dropped = self._dropped + job.tasks
            self._dropped_bytes = (self._dropped_bytes[0] + read, self._dropped_bytes[1] + shuffled)
            self._dropped_jobs += 1
            self._dropped_failures += job.state in (RunState.FAILED, RunState.CANCELLED)
            for stage in job.stages:
                of_stage = (key[0], stage.id, stage.attempt)
                self._hints.pop(of_stage, None)
                self._failed_task.pop(of_stage, None)
                for kind in ("running", "longest", "failed"):
                    self._looked_at.pop((of_stage, kind), None)

    def _stage(
        self, context: int, seen: Mapping[str, Any], now: int, ui_url: str, look: TaskLookup | None
    ) -> StageProgress:
        key = (context, seen["id"], seen["attempt"])
        if seen["spill_bytes"]:
            self._hint(key, Hint.SPILL, "data did not fit into memory and went to disk")
        if look is not None:
            self._look_for_failures(key, seen, now, look)
            self._look_for_skew(key, seen, now, look)
        return StageProgress(
            id=key[1],
            attempt=key[2],
            name=self._name_place(seen["name"]),
            state=state_of(seen["status"]),
            tasks=_counts(seen, None),
            url=f"{ui_url}/stages/stage/?id={key[1]}&attempt={key[2]}" if ui_url else "",
            duration_s=_seconds(seen["submitted"], seen["completed"] or now),
            input_bytes=seen["input_bytes"],
            shuffle_read_bytes=seen["shuffle_read_bytes"],
            shuffle_write_bytes=seen["shuffle_write_bytes"],
            spill_bytes=seen["spill_bytes"],
            hints=tuple(self._hints.get(key, {}).items()),
        )

    def _look_for_failures(
        self, key: _StageKey, seen: Mapping[str, Any], now: int, look: TaskLookup
    ) -> None:
        number = seen["failed"]
        if not number:
            return
        if self._is_due(key, "failed", number, now):
            task = look(key[1], key[2], "failed")
            if task:
                where = f", one on {task['host']}: {_first_line(task['error'])}"
                self._failed_task[key] = where
        tasks = "1 task failed" if number == 1 else f"{number:,} tasks failed"
        self._hint(key, Hint.FAILED_TASKS, f"{tasks}{self._failed_task.get(key, '')}")

    def _look_for_skew(
        self, key: _StageKey, seen: Mapping[str, Any], now: int, look: TaskLookup
    ) -> None:
        """Look for a task far longer than the others, where one may be: few are left, or none."""
        ended = seen["ended"]
        took = (seen["completed"] or now) - (seen["launched"] or now)
        if ended < _SKEW_TASKS or took < _SLOW_STAGE_MS:
            return
        mean_ms = seen["run_ms"] / ended
        kind = "longest" if seen["completed"] else "running"
        is_near_its_end = seen["active"] <= max(1, ended // 4)
        if not is_near_its_end or took < _SKEW_RATIO * mean_ms:
            return
        if not self._is_due(key, kind, seen["completed"] or ended, now):
            return
        task = look(key[1], key[2], kind)
        if task is None or task["duration_ms"] < _SLOW_STAGE_MS:
            return
        others = (
            mean_ms
            if kind == "running"
            else max(0.0, seen["run_ms"] - task["duration_ms"]) / max(1, ended - 1)
        )
        if task["duration_ms"] > _SKEW_RATIO * others:
            verb = "has run for" if kind == "running" else "took"
            self._hint(
                key,
                Hint.SKEW,
                f"task {task['index']} {verb} {task['duration_ms'] / 1000:.0f} s, "
                f"the others took {others / 1000:.1f} s on average",
            )

    def _is_due(self, key: _StageKey, kind: str, value: int, now: int) -> bool:
        """Whether to look again: something has changed, and the last look is a while ago.

        A stage that is still at it is looked at again even if nothing has changed.
        """
        last = self._looked_at.get((key, kind))
        if last is not None:
            at, seen = last
            if now - at < _LOOKUP_INTERVAL_MS or (value == seen and kind != "running"):
                return False
        self._looked_at[(key, kind)] = (now, value)
        return True

    def _hint(self, key: _StageKey, hint: Hint, text: str) -> None:
        self._hints.setdefault(key, {})[hint] = text


def read_running(
    found: Mapping[str, Any], ui_url: str, cell_of: Callable[[str], str]
) -> tuple[list[JobProgress], list[QueryProgress], dict[int, str]]:
    """Read what ``CellJobs.running`` gives: jobs, queries, and whose cell each job is.

    Parameters
    ----------
    cell_of
        Names the cell of an owner's tag; empty where it is not known.
    """
    jobs = [
        JobProgress(
            id=seen["id"],
            description=seen["description"] or seen["name"],
            state=RunState.RUNNING,
            tasks=_counts(seen, None),
            url=_job_url(ui_url, seen["id"]),
            submitted=seen["submitted"],
            duration_s=_seconds(seen["submitted"], found["now"]),
        )
        for seen in sorted(found["jobs"], key=lambda seen: int(seen["id"]))
    ]
    queries = [_query(seen) for seen in found["queries"] if seen["is_active"]]
    return jobs, queries, {seen["id"]: cell_of(seen["owner"]) for seen in found["jobs"]}


def _job_url(ui_url: str, job: int) -> str:
    return f"{ui_url}/jobs/job/?id={job}" if ui_url else ""


def _query(seen: Mapping[str, Any]) -> QueryProgress:
    return QueryProgress(
        id=seen["id"],
        name=seen["name"],
        batch_id=seen.get("batch"),
        input_rows_per_s=seen.get("input_rate"),
        processed_rows_per_s=seen.get("processed_rate"),
        is_active=seen["is_active"],
    )


def _counts(seen: Mapping[str, Any], known: TaskCounts | None) -> TaskCounts:
    """Count tasks; what is done never becomes less, also where a lost stage is run again."""
    done = min(seen["done"], seen["tasks"]) if seen["tasks"] > 0 else seen["done"]
    failed = seen["failed"]
    if known is not None:
        done, failed = max(done, known.completed), max(failed, known.failed)
    skipped = seen.get("skipped", 0)
    is_over = state_of(seen["status"]).is_over
    active = 0 if is_over else max(0, seen["active"])  # some are still being killed
    return TaskCounts(max(0, seen["tasks"]), done, active, failed, skipped)


def _seconds(start: int | None, end: int) -> float | None:
    return None if start is None else max(0, end - start) / 1000


def _first_line(text: str) -> str:
    return text.strip().split("\n", 1)[0][:300]


def _waiting_text(waited_s: float, *, is_lost: bool) -> str:
    """Say that a job has no executors: a standalone master that forgot it never gives it any."""
    remedy = "; if it was restarted, `%spark restart` joins it anew" if waited_s >= 30 else ""
    since = "any more" if is_lost else "yet"
    return f"no executor {since}; the job has waited for the cluster for {waited_s:.0f} s{remedy}"


def _with_hint(stage: StageProgress, hint: Hint, text: str) -> StageProgress:
    others = tuple(pair for pair in stage.hints if pair[0] is not hint)
    return replace(stage, hints=(*others, (hint, text)))
