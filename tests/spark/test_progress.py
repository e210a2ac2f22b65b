"""What samples of a cell's jobs add up to: counts that only grow, true totals, and hints."""

from __future__ import annotations

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from spark_kernel.protocol.progress import (
    CellProgress,
    Hint,
    JobProgress,
    RunState,
    StageProgress,
    TaskCounts,
)
from spark_kernel.spark.progress import JobBook, read_running

pytestmark = pytest.mark.timeout(60)
KEPT = 20
UI = "http://driver:4040"
BEGAN = 1_000_000
BYTES = ("input_bytes", "shuffle_read_bytes", "shuffle_write_bytes", "spill_bytes")
STAGE_COUNTS = ("done", "ended", "active", "failed", "run_ms", *BYTES)
JOB_COUNTS = ("done", "active", "failed", "skipped", "omitted_stages", *BYTES[:2])


def seen_stage(number: int, status: str = "ACTIVE", **known: Any) -> dict[str, Any]:
    """Give a stage as a sample tells it: 10 tasks, begun when its job was."""
    times = {"submitted": BEGAN, "launched": BEGAN, "completed": ended_at(status)}
    named = {"id": number, "attempt": 0, "name": f"stage {number}", "status": status, "reason": ""}
    return {**named, **times, **dict.fromkeys(STAGE_COUNTS, 0), "tasks": 10, **known}


def seen_job(number: int, status: str = "RUNNING", **known: Any) -> dict[str, Any]:
    """Give a job as a sample tells it: 10 tasks, and no stage unless one is given."""
    times = {"submitted": BEGAN, "completed": ended_at(status)}
    named = {"id": number, "owner": "tag", "name": "count", "description": "", "status": status}
    counts = {**dict.fromkeys(JOB_COUNTS, 0), "tasks": 10, "stages": []}
    return {**named, **times, **counts, **known}


def ended_at(status: str) -> int | None:
    return BEGAN + 1_000 if status in ("SUCCEEDED", "FAILED", "COMPLETE") else None


def seen_query(run: str = "run", **known: Any) -> dict[str, Any]:
    """Give a streaming query as a sample tells it."""
    return {"id": "query", "run_id": run, "name": "", "is_active": True, **known}


@dataclass
class Told:
    """A book, and the look-ups that it made."""

    book: JobBook = field(default_factory=lambda: JobBook("cell"))
    task: Mapping[str, Any] | None = None
    looks: list[tuple[int, int, str]] = field(default_factory=list)

    def look(self, stage: int, attempt: int, kind: str) -> Mapping[str, Any] | None:
        """Give the task that was set."""
        self.looks.append((stage, attempt, kind))
        return self.task

    def take(self, *jobs: dict[str, Any], at: int = 1_000, context: int = 1) -> CellProgress:
        """Take jobs, some milliseconds after the first began."""
        for job in jobs:
            self.book.take_job(context, job, BEGAN + at, UI, self.look)
        return self.book.progress(is_final=False)

    def stage(self, at: int = 1_000, **known: Any) -> StageProgress:
        """Take a job with one stage; gives the stage."""
        (job,) = self.take(seen_job(1, stages=[seen_stage(1, **known)]), at=at).jobs
        return job.stages[0]


@pytest.fixture
def told() -> Told:
    return Told()


def only(progress: CellProgress) -> JobProgress:
    (job,) = progress.jobs
    return job


# -- one job -----------------------------------------------------------------------------------


def test_empty_book_has_nothing(told):
    progress = told.book.progress(is_final=True)
    assert progress == CellProgress("cell", 0.0, is_final=True)
    assert not told.book.has_running
    assert told.book.running(1) == []


def test_running_job_reads_as_the_sample_tells_it(told):
    stage = seen_stage(4, done=3, active=2, failed=1, input_bytes=7, shuffle_write_bytes=8)
    progress = told.take(
        seen_job(3, description="mine", done=3, active=2, failed=1, stages=[stage], input_bytes=7)
    )
    job = only(progress)
    assert (job.id, job.description, job.state) == (3, "mine", RunState.RUNNING)
    assert job.tasks == TaskCounts(10, 3, 2, 1)
    assert job.url == f"{UI}/jobs/job/?id=3"
    assert (job.submitted, job.duration_s) == (BEGAN, 1.0)
    (shown,) = job.stages
    assert (shown.id, shown.name, shown.state) == (4, "stage 4", RunState.RUNNING)
    assert shown.tasks == TaskCounts(10, 3, 2, 1)
    assert shown.url == f"{UI}/stages/stage/?id=4&attempt=0"
    assert (shown.input_bytes, shown.shuffle_write_bytes) == (7, 8)
    assert (progress.running, progress.finished, progress.failed) == (1, 0, 0)
    assert progress.tasks == job.tasks
    assert (progress.input_bytes, progress.elapsed_s) == (7, 1.0)
    assert told.book.running(1) == [3]
    assert told.book.longest_running_s == 1.0


def test_without_a_ui_there_are_no_links_and_without_time_no_look_ups(told):
    stage = seen_stage(1, failed=1)
    told.book.take_job(1, seen_job(1, stages=[stage]), BEGAN, "", None)
    job = only(told.book.progress(is_final=False))
    assert (job.url, job.stages[0].url, job.stages[0].hints) == ("", "", ())


def test_job_that_is_over_lasted_until_its_end_whenever_it_is_sampled(told):
    job = only(told.take(seen_job(1, "SUCCEEDED", done=10), at=90_000))
    assert (job.state, job.duration_s) == (RunState.SUCCEEDED, 1.0)
    assert not told.book.has_running
    assert told.book.longest_running_s == 0


@pytest.mark.parametrize("tasks", [0, -1])
def test_unknown_total_is_zero_and_holds_nothing_back(told, tasks):
    stage = seen_stage(1, tasks=tasks, done=7)
    job = only(told.take(seen_job(1, tasks=tasks, done=7, active=1, stages=[stage])))
    assert job.tasks == TaskCounts(0, 7, 1)
    assert job.stages[0].tasks == TaskCounts(0, 7)


def test_skipped_tasks_are_told(told):
    job = only(told.take(seen_job(1, "SUCCEEDED", done=4, skipped=6)))
    assert job.tasks == TaskCounts(10, 4, skipped=6)


def test_no_task_of_a_job_that_is_over_is_shown_as_running(told):
    told.take(seen_job(1, active=2))
    assert only(told.take(seen_job(1, "FAILED", active=2, failed=1))).tasks.active == 0


def test_stage_that_is_tried_again_is_there_twice_and_its_job_keeps_its_counts(told):
    told.take(seen_job(1, done=8, stages=[seen_stage(2, done=8)]))
    stages = [
        seen_stage(2, attempt=1, done=1, tasks=3),
        seen_stage(3),
        seen_stage(2, "FAILED", done=8, reason="FetchFailed"),
    ]
    job = only(told.take(seen_job(1, done=6, stages=stages)))
    assert [(stage.id, stage.attempt) for stage in job.stages] == [(2, 0), (2, 1), (3, 0)]
    assert [stage.state for stage in job.stages][:2] == [RunState.FAILED, RunState.RUNNING]
    assert (job.state, job.tasks.completed) == (RunState.RUNNING, 8)
    done = only(told.take(seen_job(1, "SUCCEEDED", done=10, stages=stages)))
    assert done.tasks == TaskCounts(10, 10)


def test_speculative_copies_do_not_count_beyond_the_total(told):
    assert only(told.take(seen_job(1, done=12))).tasks.completed == 10


def test_job_that_failed_and_one_that_was_cancelled_differ(told):
    error = seen_stage(1, "FAILED", reason="Job aborted due to stage failure: Task 3 ...")
    stop = seen_stage(2, "FAILED", reason="Job 2 cancelled by an interrupt of its cell")
    jobs = (seen_job(1, "FAILED", stages=[error]), seen_job(2, "FAILED", stages=[stop]))
    progress = told.take(*jobs)
    assert [job.state for job in progress.jobs] == [RunState.FAILED, RunState.CANCELLED]
    assert (progress.finished, progress.failed) == (2, 2)


def test_error_of_the_user_that_speaks_of_cancelling_is_a_failure(told):
    reason = "Job aborted due to stage failure: ... ValueError: order 7 was cancelled"
    stage = seen_stage(1, "FAILED", reason=reason)
    assert only(told.take(seen_job(1, "FAILED", stages=[stage]))).state is RunState.FAILED


def test_job_that_spark_has_forgotten_is_over_with_unknown_outcome(told):
    told.take(seen_job(1, done=9, active=1, stages=[seen_stage(1)]))
    job = only(told.take({"id": 1}))
    assert (job.state, job.tasks) == (RunState.UNKNOWN, TaskCounts(10, 9))
    assert job.stages[0].state is RunState.UNKNOWN
    assert told.book.running(1) == []


def test_forgotten_job_that_was_over_or_never_seen_changes_nothing(told):
    assert told.take(seen_job(1, "SUCCEEDED", done=10)) == told.take({"id": 1}, {"id": 2})


# -- counts ------------------------------------------------------------------------------------


def history(chance: random.Random) -> list[dict[str, Any]]:
    """Make samples of a job whose stages lose output, fail and are skipped now and then."""
    total = chance.choice([1, 7, 200, 10_000])
    samples, done, failed = [], 0, 0
    for _ in range(chance.randint(1, 30)):
        failed += chance.choice([0, 0, 0, 1, 5])
        done = min(total, done + chance.randint(0, max(1, total // 3)))
        if chance.random() < 0.2:
            done = chance.randint(0, done)  # an executor is lost with what it held
        active = chance.randint(0, total - done)
        samples.append(seen_job(1, tasks=total, done=done, active=active, failed=failed))
    skipped = chance.randint(0, total - 1)
    end = {"done": total - skipped, "skipped": skipped, "failed": failed}
    if any(sample["done"] > end["done"] for sample in samples):
        end.update(done=total, skipped=0)
    return [*samples, seen_job(1, "SUCCEEDED", tasks=total, **end)]


@pytest.mark.parametrize("seed", range(50))
def test_counts_never_go_backwards_and_end_at_the_truth(seed):
    told, samples = Told(), history(random.Random(seed))
    states = [told.take(sample, at=300 * number) for number, sample in enumerate(samples)]
    for before, after in itertools.pairwise(states):
        assert after.tasks.completed >= before.tasks.completed
        assert after.tasks.failed >= before.tasks.failed
        assert after.elapsed_s >= before.elapsed_s
    for state in states:
        assert 0 <= state.tasks.completed <= state.tasks.total
    end = samples[-1]
    truth = TaskCounts(end["tasks"], end["done"], 0, end["failed"], end["skipped"])
    assert states[-1].tasks == only(states[-1]).tasks == truth


def test_pruning_keeps_the_totals_the_newest_and_the_failed(told):
    for number in range(300):
        status = "FAILED" if number in (5, 120) else "SUCCEEDED"
        job = seen_job(number, status, done=9, failed=number % 2, stages=[seen_stage(number)])
        progress = told.take({**job, "input_bytes": 3, "shuffle_read_bytes": 4})
        assert len(progress.jobs) <= KEPT
        done = number + 1
        assert progress.tasks == TaskCounts(done * 10, done * 9, 0, done // 2)
    assert (progress.finished, progress.failed, progress.running) == (300, 2, 0)
    assert progress.omitted_jobs == 300 - len(progress.jobs)
    assert (progress.input_bytes, progress.shuffle_bytes) == (900, 1200)
    assert [job.id for job in progress.jobs] == [5, 120, *range(282, 300)]
    assert told.book._hints == {}


def test_failed_jobs_are_dropped_too_when_there_are_many_and_running_ones_never(told):
    told.take(*(seen_job(number) for number in range(30)))
    progress = told.take(*(seen_job(number, "FAILED") for number in range(30, 90)))
    assert [job.id for job in progress.jobs] == [*range(30), *range(70, 90)]
    assert (progress.finished, progress.failed, progress.omitted_jobs) == (60, 60, 40)
    assert told.book.running(1) == list(range(30))


# -- hints -------------------------------------------------------------------------------------


def hint(stage: StageProgress) -> tuple[Hint, str]:
    (found,) = stage.hints
    return found


def test_stage_without_trouble_has_no_hint_and_asks_for_nothing(told):
    assert told.stage(done=9, ended=9, run_ms=900).hints == ()
    assert told.looks == []


def test_spill_is_a_hint_that_stays(told):
    assert hint(told.stage(spill_bytes=5)) == hint(told.stage(status="COMPLETE"))
    assert hint(told.stage())[0] is Hint.SPILL


@pytest.mark.parametrize("task", [{"host": "node-7", "error": "\nOOM: no\n\tat x"}, None])
def test_failed_tasks_are_told_with_host_and_first_line(told, task):
    told.task = task
    kind, text = hint(told.stage(failed=1200))
    assert (kind, told.looks) == (Hint.FAILED_TASKS, [(1, 0, "failed")])
    where = ", one on node-7: OOM: no" if task else ""
    assert text == f"1,200 tasks failed{where}"


def test_failures_are_looked_up_at_most_every_two_seconds_and_only_when_there_are_more(told):
    failures = [1, 2, 3, 3, 3, 4]
    for at, failed in zip((0, 300, 2_000, 4_000, 9_000, 9_300), failures, strict=True):
        told.stage(at=at, failed=failed)
    assert len(told.looks) == 3


def test_number_of_failed_tasks_in_the_hint_is_true_at_the_end(told):
    told.stage(at=0, failed=1)
    assert hint(told.stage(status="FAILED", at=300, failed=4))[1] == "4 tasks failed"


@pytest.mark.parametrize(
    ("longest_ms", "known", "said"),
    [
        (40_000, {}, "has run for 40 s, the others took 2.0 s"),
        (40_000, {"status": "COMPLETE", "ended": 10, "run_ms": 58_000}, "took 40 s"),
        (5_500, {}, None),
        (4_000, {"run_ms": 900}, None),
        (40_000, {"ended": 2}, None),
        (40_000, {"active": 3}, None),
    ],
    ids=["running", "finished", "not so long", "short", "too few", "still at it"],
)
def test_skew_is_one_task_far_longer_than_the_others(told, longest_ms, known, said):
    told.task = {"index": 6, "duration_ms": longest_ms}
    stage = {"status": "ACTIVE", "ended": 9, "done": 9, "active": 1, "run_ms": 18_000, **known}
    if stage["status"] == "COMPLETE":
        stage["completed"] = BEGAN + 41_000
    found = told.stage(at=41_000, **stage).hints
    assert [kind for kind, _ in found] == ([Hint.SKEW] if said else [])
    assert all(said in text and "task 6" in text for _, text in found)


def test_running_skew_is_looked_at_again_as_it_grows_though_not_each_time(told):
    for at in range(40_000, 50_000, 300):
        told.task = {"index": 6, "duration_ms": at}
        stage = told.stage(at=at, done=9, ended=9, active=1, run_ms=9_000)
    assert 4 <= len(told.looks) <= 6
    assert any(f"has run for {seconds} s" in hint(stage)[1] for seconds in (48, 49, 50))


def test_job_without_any_executor_tells_how_long_it_has_waited(told):
    told.take(seen_job(1, stages=[seen_stage(1)]), seen_job(2, active=1, stages=[seen_stage(2)]))
    told.book.note_waiting(0, BEGAN + 65_000)
    first, second = told.book.progress(is_final=False).jobs
    assert hint(first.stages[0])[0] is Hint.NO_EXECUTORS
    assert "no executor yet" in hint(first.stages[0])[1]
    assert "65 s; if it was restarted, `%spark restart`" in hint(first.stages[0])[1]
    assert second.stages[0].hints == (), "it has tasks that run"
    again = told.take(seen_job(1, stages=[seen_stage(1)]))
    told.book.note_waiting(1, BEGAN + 66_000)
    assert again.jobs[0].stages[0].hints == (), "there is one now"
    told.book.note_waiting(0, BEGAN + 70_000)
    lost = told.book.progress(is_final=False).jobs[0].stages[0]
    assert hint(lost)[1] == "no executor any more; the job has waited for the cluster for 4 s"


# -- two contexts ------------------------------------------------------------------------------


def test_same_job_ids_of_two_contexts_are_two_jobs(told):
    told.take(seen_job(0, "SUCCEEDED", done=10), seen_job(1, active=2, stages=[seen_stage(0)]))
    told.book.context_ended(1)
    progress = told.take(seen_job(0, done=4), context=2)
    assert [job.id for job in progress.jobs] == [0, 1, 0]
    states = [job.state for job in progress.jobs]
    assert states == [RunState.SUCCEEDED, RunState.UNKNOWN, RunState.RUNNING]
    assert progress.tasks == TaskCounts(30, 14)
    assert (told.book.running(1), told.book.running(2)) == ([], [0])
    assert told.take({"id": 0}, context=1).running == 1, "the first context's is over already"


def test_hints_of_a_stage_are_not_those_of_the_same_number_in_another_context(told):
    told.take(seen_job(0, "SUCCEEDED", stages=[seen_stage(0, "COMPLETE", spill_bytes=1)]))
    progress = told.take(seen_job(0, stages=[seen_stage(0)]), context=2)
    assert [len(job.stages[0].hints) for job in progress.jobs] == [1, 0]


# -- queries -----------------------------------------------------------------------------------


def test_query_reads_as_the_sample_tells_it_and_runs_until_it_says_otherwise(told):
    told.book.take_query(seen_query(name="mine"))
    assert told.book.has_active_queries
    assert told.book.has_running
    told.book.take_query(
        seen_query(name="mine", batch=3, input_rate=1.5, processed_rate=None, is_active=False)
    )
    (query,) = told.book.progress(is_final=False).queries
    assert (query.id, query.name, query.batch_id) == ("query", "mine", 3)
    assert (query.input_rows_per_s, query.processed_rows_per_s) == (1.5, None)
    assert not query.is_active
    assert not told.book.has_running


def test_query_that_is_started_again_is_another_run_and_ends_with_its_context(told):
    told.book.take_query(seen_query("one", is_active=False))
    told.book.take_query(seen_query("two"))
    assert [q.is_active for q in told.book.progress(is_final=False).queries] == [False, True]
    told.book.context_ended(1)
    assert not told.book.has_running


def test_running_is_read_with_cells_and_without_ended_queries():
    found = {
        "now": BEGAN + 2_000,
        "jobs": [seen_job(10, name="b", owner="tag"), seen_job(9, description="a", owner="")],
        "queries": [seen_query(), seen_query("other", is_active=False)],
    }
    jobs, queries, cells = read_running(found, UI, {"tag": "cell", "": ""}.__getitem__)
    assert [(job.id, job.description, job.duration_s) for job in jobs] == [
        (9, "a", 2.0),
        (10, "b", 2.0),
    ]
    assert jobs[0].url == f"{UI}/jobs/job/?id=9"
    assert [query.id for query in queries] == ["query"]
    assert cells == {10: "cell", 9: ""}
