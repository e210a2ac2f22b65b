"""The thread that watches cells: when it asks the driver, when it rests, and what it tells."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from spark_kernel.protocol.events import Cell
from spark_kernel.protocol.progress import CellProgress, ProgressSampled, RunState
from spark_kernel.spark import sampling
from spark_kernel.spark.calls import Call
from spark_kernel.spark.ownership import CellRun, JobOwner
from spark_kernel.spark.sampling import Sampler

pytestmark = pytest.mark.timeout(60)
PATIENCE_S = 20.0
INTERVAL_S = 0.005
QUIET_S = 0.1
"""Twenty intervals: what does not come in them does not come."""

BYTES = ("input_bytes", "shuffle_read_bytes")
COUNTS = ("done", "active", "failed", "skipped", "omitted_stages", *BYTES)
NAMED = {"name": "count", "description": "", "status": "RUNNING", "completed": None}
NEW_JOB = {**dict.fromkeys(COUNTS, 0), **NAMED, "tasks": 10, "stages": []}


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, and fail if it never is."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(0.002)


class FakeCellJobs:
    """The driver's half, with jobs that are set by hand and a clock that stands still.

    Attributes
    ----------
    asked
        How many samples were taken.
    """

    def __init__(self) -> None:
        self.ui_url = "http://driver:4040"
        self.java = self
        self.now = 1_000_000
        self.asked = self.settled = 0
        self.limit = 100
        self.fails: Callable[[], bool] = lambda: False
        self.task_fails = False
        self.jobs: dict[int, dict[str, Any]] = {}
        self.queries: list[dict[str, Any]] = []

    def settle(self, timeout_ms: int) -> None:
        self.settled += 1

    def sample(
        self, first_new: int, running: list[int], job_limit: int, stage_limit: int
    ) -> dict[str, Any]:
        """Give the new jobs and those asked for, as Spark's store would."""
        self.asked += 1
        if self.fails():
            raise ConnectionError("the driver does not answer")
        new = sorted(number for number in list(self.jobs) if number >= first_new)
        cut = new[: min(job_limit, self.limit)]
        return {
            "now": self.now,
            "next": cut[-1] + 1 if cut else first_new,
            "is_cut": len(cut) < len(new),
            "executors": 1,
            "jobs": [dict(self.jobs.get(number, {"id": number})) for number in (*running, *cut)],
            "queries": [dict(query) for query in self.queries],
        }

    def task(self, stage: int, attempt: int, kind: str) -> None:
        if self.task_fails:
            raise ConnectionError("the driver does not answer")

    def run_job(self, number: int, owner: JobOwner, for_ms: int = 60_000, **known: Any) -> None:
        """Let a job run that was begun some time ago."""
        self.jobs[number] = {
            **NEW_JOB,
            "id": number,
            "owner": owner.tag,
            "submitted": self.now - for_ms,
            **known,
        }

    def end_job(self, number: int) -> None:
        end = {"status": "SUCCEEDED", "completed": self.now, "done": 10, "active": 0}
        self.jobs[number] = {**self.jobs[number], **end}

    def run_query(self, owner: JobOwner, is_active: bool = True) -> None:
        self.queries = [
            {"owner": owner.tag, "id": "q", "run_id": "r", "name": "", "is_active": is_active}
        ]


class Scene:
    """A sampler, the driver that it asks, and all that it told."""

    def __init__(self) -> None:
        self.driver: FakeCellJobs | None = FakeCellJobs()
        self.told: list[ProgressSampled] = []
        self.sampler = Sampler(lambda: self.driver, self.told.append, interval_s=INTERVAL_S)
        self.sampler.start()

    def begin(self, name: str = "cell") -> JobOwner:
        """Begin a cell, which is in a call into the driver."""
        parent = {"header": {"msg_id": name}, "metadata": {"cellId": f"{name}-of-notebook"}}
        owner = CellRun(Cell(parent), name).owner
        self.call(owner)
        return owner

    def call(self, owner: JobOwner) -> None:
        """Let an owner call the driver, as the tracker does."""
        owner.calls[1] = Call()
        if not owner.is_watched:
            self.sampler.watch(owner)

    def hang_up(self, owner: JobOwner) -> None:
        """End the call, and wait until nobody watches the owner any more."""
        owner.calls.clear()
        wait_until(lambda: not owner.is_watched)

    def show(self, number: int = 0) -> JobOwner:
        """Begin a cell with a long job, and wait until it is shown."""
        assert self.driver is not None
        owner = self.begin()
        self.driver.run_job(number, owner)
        wait_until(lambda: bool(self.of(owner)))
        return owner

    def end(self, owner: JobOwner) -> None:
        owner.calls.clear()
        self.sampler.finish(owner.cell)

    def of(self, owner: JobOwner) -> list[CellProgress]:
        return [told.progress for told in self.told if told.cell.id == owner.cell.id]

    def sampled(self, times: int = 3) -> None:
        assert self.driver is not None
        driver, wanted = self.driver, self.driver.asked + times
        wait_until(lambda: driver.asked >= wanted)


@pytest.fixture
def scene() -> Iterator[Scene]:
    """Give a sampler that runs; at the end its thread is gone."""
    made = Scene()
    yield made
    made.sampler.stop(PATIENCE_S)
    assert "spark-progress" not in [thread.name for thread in threading.enumerate()]


@pytest.fixture
def driver(scene: Scene) -> FakeCellJobs:
    """Give the driver that the sampler asks."""
    assert scene.driver is not None
    return scene.driver


def is_asked(driver: FakeCellJobs) -> bool:
    before = driver.asked
    threading.Event().wait(QUIET_S)
    return driver.asked > before


# -- when it asks ------------------------------------------------------------------------------


def test_nothing_is_asked_while_nothing_is_watched(scene, driver):
    assert not is_asked(driver)


def test_cell_in_a_call_is_watched_and_one_without_a_job_rests(scene, driver):
    owner = scene.begin()
    assert owner.is_watched
    scene.sampled()
    scene.hang_up(owner)
    assert not is_asked(driver)
    assert scene.told == []


def test_next_call_of_a_resting_cell_wakes_it(scene, driver):
    owner = scene.begin()
    scene.hang_up(owner)
    driver.run_job(0, owner)
    scene.call(owner)
    wait_until(lambda: bool(scene.told))
    assert scene.of(owner)[-1].running == 1


def test_job_that_goes_on_without_a_call_is_watched_to_its_end(scene, driver):
    owner = scene.show()
    owner.calls.clear()
    scene.sampled(5)
    driver.end_job(0)
    scene.hang_up(owner)
    assert scene.of(owner)[-1].finished == 1
    assert not is_asked(driver)


def test_progress_that_is_off_watches_nothing_and_on_again_it_does(scene, driver):
    scene.sampler.is_enabled = False
    driver.run_job(0, scene.begin("off"))
    assert not is_asked(driver)
    scene.sampler.is_enabled = True
    owner = scene.begin("on")
    driver.run_job(1, owner)
    wait_until(lambda: bool(scene.of(owner)))
    assert {told.cell.id for told in scene.told} == {"on"}


# -- what it tells -----------------------------------------------------------------------------


def test_short_jobs_are_not_shown(scene, driver):
    owner = scene.begin()
    for number in range(20):
        driver.run_job(number, owner, for_ms=100)
        scene.sampled(1)
        driver.end_job(number)
    scene.sampler.finish(owner.cell)
    scene.hang_up(owner)
    assert scene.told == []


def test_short_jobs_that_go_on_for_long_are_shown(scene, driver):
    owner = scene.begin()
    driver.run_job(0, owner, for_ms=100)
    driver.end_job(0)
    scene.sampled()
    driver.now += 5_000
    driver.run_job(1, owner, for_ms=100)
    wait_until(lambda: bool(scene.told))
    assert scene.of(owner)[-1].finished == 1


def test_what_has_not_changed_is_not_told_again(scene, driver):
    scene.show()
    scene.sampled(10)
    assert len(scene.told) == 1


def test_end_of_a_cell_is_told_before_finish_returns(scene, driver):
    owner = scene.show()
    driver.end_job(0)
    owner.calls.clear()
    scene.sampler.interval_s = 3600  # it does not wait for the next time
    scene.sampler.finish(owner.cell)
    last = scene.of(owner)[-1]
    assert [progress.is_final for progress in scene.of(owner)].count(True) == last.is_final
    assert (last.finished, last.running, last.tasks.completed) == (1, 0, 10)
    assert driver.settled == 1


def test_job_that_outlives_its_cell_is_told_of_until_it_ends(scene, driver):
    owner = scene.show()
    scene.end(owner)
    assert not scene.of(owner)[-1].is_final
    assert scene.sampler.owners_of(owner.cell.id) == [owner]
    assert "cell-of-notebook".startswith(scene.sampler.cell_of(owner.tag) or "nobody")
    driver.run_job(0, owner, done=5)
    wait_until(lambda: scene.of(owner)[-1].tasks.completed == 5)
    driver.end_job(0)
    wait_until(lambda: scene.of(owner)[-1].is_final)
    assert sum(progress.is_final for progress in scene.of(owner)) == 1
    assert scene.sampler.owners_of(owner.cell.id) == []


def test_job_that_a_thread_starts_after_the_end_of_its_cell_is_told_of_to_its_end(scene, driver):
    owner = scene.begin()
    scene.hang_up(owner)
    scene.sampler.finish(owner.cell)
    driver.run_job(0, owner)
    scene.call(owner)
    wait_until(lambda: bool(scene.told))
    driver.end_job(0)
    scene.hang_up(owner)
    assert scene.of(owner)[-1].is_final
    assert scene.sampler._watched == {}


def test_jobs_of_two_cells_are_told_apart(scene, driver):
    one, two = scene.begin("one"), scene.begin("two")
    driver.run_job(0, one, description="of one")
    driver.run_job(1, two, description="of two")
    wait_until(lambda: bool(scene.of(one)) and bool(scene.of(two)))
    for owner, said in ((one, "of one"), (two, "of two")):
        (job,) = scene.of(owner)[-1].jobs
        assert job.description == said


def test_jobs_before_and_after_an_interrupt_are_of_one_cell(scene, driver):
    first = scene.begin()
    run = first.run
    driver.run_job(0, first)
    driver.end_job(0)
    run.renew()
    scene.call(run.owner)
    driver.run_job(1, run.owner)
    wait_until(lambda: bool(scene.told) and len(scene.told[-1].progress.jobs) == 2)
    assert scene.sampler.owners_of("cell") == [first, run.owner]


def test_many_new_jobs_are_asked_for_in_parts_and_none_is_missed(scene, driver):
    owner, driver.limit = scene.begin(), 7
    for number in range(100):
        driver.run_job(number, owner)
        driver.end_job(number)
    wait_until(lambda: bool(scene.told) and scene.told[-1].progress.finished == 100)
    assert scene.told[-1].progress.tasks.completed == 1000


def test_batches_of_a_streaming_query_are_not_listed_as_jobs(scene, driver):
    owner = scene.begin()
    scene.call(owner.streams)
    driver.run_query(owner.streams)
    driver.run_job(0, owner.streams)
    wait_until(lambda: bool(scene.told))
    scene.sampled()
    progress = scene.told[-1].progress
    assert [query.id for query in progress.queries] == ["q"]
    assert progress.jobs == ()
    owner.calls.clear()
    owner.streams.calls.clear()
    scene.sampler.finish(owner.cell)
    assert not scene.told[-1].progress.is_final, "the query goes on"
    driver.run_query(owner.streams, is_active=False)
    wait_until(lambda: scene.told[-1].progress.is_final)


# -- when something goes wrong -----------------------------------------------------------------


def test_sample_that_fails_now_and_then_harms_nothing(scene, driver):
    driver.fails = lambda: driver.asked % 2 == 1
    scene.show()
    scene.sampled(6)
    assert scene.told[-1].progress.jobs[0].state is RunState.RUNNING
    driver.end_job(0)
    wait_until(lambda: scene.told[-1].progress.finished == 1)


def test_driver_that_answers_no_more_ends_the_jobs_and_the_watch(scene, driver):
    owner = scene.show()
    driver.fails = lambda: True
    scene.hang_up(owner)
    assert scene.told[-1].progress.jobs[0].state is RunState.UNKNOWN
    assert not is_asked(driver)
    driver.fails = lambda: False
    other = scene.begin("other")
    driver.run_job(1, other)
    wait_until(lambda: bool(scene.of(other)))


def test_cell_whose_driver_fails_at_the_end_is_still_told_to_be_over(scene, driver):
    owner = scene.show()
    driver.fails = lambda: True
    scene.end(owner)
    assert scene.told[-1].progress.is_final


def test_driver_that_hung_for_a_while_is_soon_asked_again(scene, driver, monkeypatch):
    monkeypatch.setattr(sampling, "_LONGEST_PAUSE_S", INTERVAL_S)
    owner = scene.begin()
    hung = threading.Event()
    driver.fails = lambda: hung.wait(3.0)  # a tenth of the time would be half a minute of rest
    wait_until(lambda: driver.asked > 0)
    hung.wait(2.5)
    driver.fails = lambda: False
    driver.run_job(0, owner)
    wait_until(lambda: bool(scene.of(owner)))


def test_look_up_that_fails_costs_no_job_of_the_sample(scene, driver):
    driver.task_fails = True
    counts = ("attempt", "done", "ended", "run_ms", "shuffle_write_bytes", "spill_bytes", *BYTES)
    stage = {"id": 0, "name": "", "status": "ACTIVE", "reason": "", "tasks": 2, "failed": 1}
    times = dict.fromkeys(("submitted", "launched", "completed"))
    owner = scene.begin()
    driver.run_job(0, owner, stages=[{**dict.fromkeys(counts, 0), **stage, **times, "active": 1}])
    driver.run_job(1, owner)
    driver.end_job(1)
    wait_until(lambda: bool(scene.told))
    scene.sampled(10)
    assert scene.told[-1].progress.finished == 1


def test_new_context_ends_the_jobs_of_the_old_and_begins_to_count_again(scene, driver):
    owner = scene.begin()
    for number in range(5):
        driver.run_job(number, owner)
    wait_until(lambda: bool(scene.told) and scene.told[-1].progress.running == 5)
    scene.driver = second = FakeCellJobs()
    second.run_job(0, owner, description="again")
    wait_until(lambda: scene.told[-1].progress.running == 1)
    progress = scene.told[-1].progress
    assert [job.id for job in progress.jobs] == [0, 1, 2, 3, 4, 0]
    assert [job.state for job in progress.jobs] == [RunState.UNKNOWN] * 5 + [RunState.RUNNING]
    scene.driver = None
    wait_until(lambda: scene.told[-1].progress.running == 0)


# -- memory and the thread ---------------------------------------------------------------------


def test_cells_that_are_over_are_forgotten(scene, driver):
    for number in range(30):
        owner = scene.begin(str(number))
        driver.run_job(number, owner, for_ms=60_000 if number % 2 else 100)
        scene.sampled(1)
        driver.end_job(number)
        owner.calls.clear()
        scene.sampler.finish(owner.cell)
    wait_until(lambda: not scene.sampler._watched)
    assert scene.sampler._of_tag == {}
    assert scene.sampler.cell_of(owner.tag) == ""


def test_stop_twice_and_without_a_start_is_harmless(scene):
    scene.sampler.stop(PATIENCE_S)
    scene.sampler.stop(PATIENCE_S)
    Sampler(lambda: None, lambda event: None).stop()


def test_cells_can_begin_and_end_after_the_stop(scene):
    owner = scene.begin()
    scene.sampler.finish(Cell({"header": {"msg_id": "unknown"}}))
    scene.sampler.stop(PATIENCE_S)
    scene.sampler.finish(owner.cell)
    scene.sampler.finish(scene.begin("later").cell)
