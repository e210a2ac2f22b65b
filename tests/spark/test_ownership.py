"""The owner of jobs follows the code: into tasks, threads and pools, and through an interrupt."""

from __future__ import annotations

import asyncio
import multiprocessing
import multiprocessing.pool
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from multiprocessing.pool import Pool, ThreadPool
from typing import Any

import pytest

from spark_kernel.protocol.events import Cell
from spark_kernel.spark.ownership import (
    OWNER_PREFIX,
    CellRun,
    JobOwner,
    current_owner,
    disown,
    follow_threads,
    owned_by,
)

pytestmark = pytest.mark.timeout(60)
PATIENCE_S = 20.0
POOL_METHODS = ("apply_async", "_map_async", "imap", "imap_unordered")


@pytest.fixture(autouse=True)
def followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let owners follow into threads during a test, and threads be as they were after it."""
    places = [(threading.Thread, "start"), (ThreadPoolExecutor, "submit")]
    for owner, name in [*places, *((Pool, name) for name in POOL_METHODS)]:
        monkeypatch.setattr(owner, name, vars(owner)[name])
    follow_threads()


def run_of(name: str = "one") -> CellRun:
    """Make a run of a cell on the calling thread."""
    return CellRun(Cell({"header": {"msg_id": name}}), f"In [1]: {name}")


def in_thread(look: Callable[[], Any] = current_owner) -> Any:
    """Give what a function gives in a new thread."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(look()))
    thread.start()
    thread.join(PATIENCE_S)
    return found[0]


class Looking(threading.Thread):
    """A thread with a ``run`` of its own."""

    found: JobOwner | None = None

    def run(self) -> None:
        """Look who owns it."""
        self.found = current_owner()


class Waiting:
    """A thread that waits to be asked who owns it."""

    def __init__(self) -> None:
        self._question = threading.Event()
        self._answer: list[JobOwner | None] = []
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        self._question.wait(PATIENCE_S)
        self._answer.append(current_owner())

    def owner(self) -> JobOwner | None:
        """Ask, and end the thread."""
        self._question.set()
        self._thread.join(PATIENCE_S)
        return self._answer[0]


# -- code --------------------------------------------------------------------------------------


def test_code_outside_of_cells_belongs_to_nobody():
    assert current_owner() is None
    assert in_thread() is None


def test_code_of_a_cell_belongs_to_its_run_and_no_longer():
    run = run_of()
    with owned_by(run):
        assert current_owner() is run.owner
        with owned_by(run.owner.streams):
            assert current_owner() is run.owner.streams
        with owned_by(None):
            assert current_owner() is None
        assert current_owner() is run.owner
    assert current_owner() is None


def test_each_run_has_a_tag_of_its_own_also_of_the_same_cell():
    tags = [run_of().owner.tag for _ in range(100)]
    assert len(set(tags)) == 100
    assert all(tag.startswith(OWNER_PREFIX) and "," not in tag for tag in tags)


# -- threads -----------------------------------------------------------------------------------


def test_thread_belongs_to_whoever_starts_it():
    run = run_of()
    with owned_by(run):
        thread = Looking()  # made here, started below
        assert in_thread() is run.owner
        assert in_thread(in_thread) is run.owner, "and so does what it starts"
    thread.start()
    thread.join(PATIENCE_S)
    assert thread.found is None


def test_thread_of_a_subclass_follows():
    run, thread = run_of(), Looking()
    with owned_by(run):
        thread.start()
    thread.join(PATIENCE_S)
    assert thread.found is run.owner


def test_timer_follows():
    run, found = run_of(), []
    timer = threading.Timer(0.001, lambda: found.append(current_owner()))
    with owned_by(run):
        timer.start()
    timer.join(PATIENCE_S)
    assert found == [run.owner]


def test_thread_that_outlives_its_cell_still_belongs_to_it():
    first, second = run_of("one"), run_of("two")
    with owned_by(first):
        thread = Waiting()
    with owned_by(second):
        assert thread.owner() is first.owner


def test_cells_in_two_threads_do_not_mix():
    barrier = threading.Barrier(2)

    def work() -> tuple[JobOwner | None, list[JobOwner | None]]:
        run = run_of()
        with owned_by(run):
            barrier.wait(PATIENCE_S)
            seen = [in_thread() for _ in range(50)]
            barrier.wait(PATIENCE_S)
        return run.owner, seen

    with ThreadPoolExecutor(2) as pool:
        (one, of_one), (two, of_two) = (f.result() for f in [pool.submit(work) for _ in "12"])
    assert one is not two
    assert set(of_one) == {one}
    assert set(of_two) == {two}


def test_disowned_thread_belongs_to_nobody_whoever_starts_it():
    thread = disown(Looking())
    with owned_by(run_of()):
        thread.start()
    thread.join(PATIENCE_S)
    assert thread.found is None


def test_thread_of_py4j_belongs_to_nobody():
    found: list[JobOwner | None] = []

    def answer() -> None:
        found.append(current_owner())

    answer.__module__ = "py4j.clientserver"
    with owned_by(run_of()):
        thread = threading.Thread(target=answer)
        thread.start()
    thread.join(PATIENCE_S)
    assert found == [None]


def test_following_twice_is_following_once():
    start, submit = vars(threading.Thread)["start"], vars(ThreadPoolExecutor)["submit"]
    follow_threads()
    assert vars(threading.Thread)["start"] is start
    assert vars(ThreadPoolExecutor)["submit"] is submit


# -- pools -------------------------------------------------------------------------------------


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    """Give an executor whose one thread was started by an earlier cell."""
    with ThreadPoolExecutor(1) as made:
        with owned_by(run_of("earlier")):
            assert made.submit(current_owner).result(PATIENCE_S) is not None
        yield made


@contextmanager
def thread_pool() -> Iterator[ThreadPool]:
    """Give a pool that an earlier cell made."""
    with owned_by(run_of("earlier")):
        pool = ThreadPool(1)
    try:
        yield pool
    finally:
        pool.close()
        pool.join()


def test_work_of_an_executor_belongs_to_whoever_hands_it_in(executor):
    one, two = run_of("one"), run_of("two")
    for run in (one, two, one):
        with owned_by(run):
            assert executor.submit(current_owner).result(PATIENCE_S) is run.owner
            assert list(executor.map(lambda _: current_owner(), "ab")) == [run.owner] * 2


def test_work_of_an_executor_gets_its_arguments_and_its_error(executor):
    with owned_by(run_of()):
        future = executor.submit(lambda *a, **k: (a, k), 1, 2, owner=3, function=4)
        assert future.result(PATIENCE_S) == ((1, 2), {"owner": 3, "function": 4})
        with pytest.raises(ZeroDivisionError):
            executor.submit(lambda: 1 / 0).result(PATIENCE_S)
        with pytest.raises(TypeError):
            executor.submit()


HAND_IN: dict[str, Callable[[ThreadPool], list[Any]]] = {
    "apply": lambda pool: [pool.apply(current_owner)],
    "apply_async": lambda pool: [pool.apply_async(current_owner).get(PATIENCE_S)],
    "map": lambda pool: pool.map(lambda _: current_owner(), "ab"),
    "map_async": lambda pool: pool.map_async(lambda _: current_owner(), "ab").get(PATIENCE_S),
    "starmap": lambda pool: pool.starmap(lambda _, __: current_owner(), ["ab", "cd"]),
    "imap": lambda pool: list(pool.imap(lambda _: current_owner(), "ab")),
    "imap in chunks": lambda pool: list(pool.imap(lambda _: current_owner(), "abcd", 2)),
    "imap_unordered": lambda pool: list(pool.imap_unordered(lambda _: current_owner(), "ab")),
}


@pytest.mark.parametrize("hand_in", HAND_IN.values(), ids=HAND_IN)
def test_work_of_a_thread_pool_belongs_to_whoever_hands_it_in(hand_in):
    with thread_pool() as pool:
        for run in (run_of("one"), run_of("two")):
            with owned_by(run):
                assert set(hand_in(pool)) == {run.owner}


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # of 3.12 about forks
def test_pool_of_processes_is_left_alone():
    with owned_by(run_of()), multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.map(abs, [-1, -2]) == [1, 2]
        assert pool.apply(abs, (-3,)) == 3


# -- asyncio -----------------------------------------------------------------------------------


async def look() -> JobOwner | None:
    """Look who owns a coroutine that is suspended for a moment."""
    await asyncio.sleep(0)
    return current_owner()


def test_coroutines_tasks_and_their_threads_belong_to_the_cell(executor):
    async def cell() -> list[JobOwner | None]:
        loop = asyncio.get_running_loop()
        return [
            await look(),
            await asyncio.create_task(look()),
            *await asyncio.gather(look(), look()),
            await asyncio.to_thread(current_owner),
            await loop.run_in_executor(None, current_owner),
            await loop.run_in_executor(executor, current_owner),
        ]

    run = run_of()
    with owned_by(run):
        assert set(asyncio.run(cell())) == {run.owner}


def test_tasks_of_two_cells_in_one_loop_do_not_mix():
    async def cell(run: CellRun) -> set[JobOwner | None]:
        with owned_by(run):
            found = {await look(), *await asyncio.gather(*(look() for _ in range(20)))}
            return found | {await asyncio.to_thread(current_owner)}

    async def both(one: CellRun, two: CellRun) -> list[set[JobOwner | None]]:
        return list(await asyncio.gather(cell(one), cell(two)))

    runs = (run_of("one"), run_of("two"))
    assert asyncio.run(both(*runs)) == [{run.owner} for run in runs]


# -- an interrupt ------------------------------------------------------------------------------


def test_interrupt_ends_the_owner_and_gives_the_cell_another():
    run = run_of()
    with owned_by(run):
        before = current_owner()
        assert run.renew() is before
        after = current_owner()
    assert before is not None
    assert after is not None
    assert (before.is_cancelled, after.is_cancelled) == (True, False)
    assert after.tag != before.tag
    assert (after.cell, after.run, after.description) == (run.cell, run, before.description)


def test_threads_of_an_interrupted_cell_get_the_ended_owner_and_later_ones_the_new():
    run = run_of()
    with owned_by(run):
        earlier = Waiting()
        ended = run.renew()
        assert earlier.owner() is ended
        assert in_thread() is run.owner
    assert run.owner is not ended


def test_work_that_was_handed_in_before_the_interrupt_gets_the_ended_owner(executor):
    gate, run = threading.Event(), run_of()
    with owned_by(run):
        executor.submit(gate.wait, PATIENCE_S)
        queued = executor.submit(current_owner)
        ended = run.renew()
        later = executor.submit(current_owner)
    gate.set()
    assert queued.result(PATIENCE_S) is ended
    assert later.result(PATIENCE_S) is run.owner


def test_tasks_of_an_interrupted_cell_get_the_ended_owner_and_its_own_code_the_new():
    async def cell(run: CellRun) -> None:
        run.task = asyncio.current_task()
        gate, thread_gate = asyncio.Event(), threading.Event()

        async def waiting() -> tuple[JobOwner | None, JobOwner | None]:
            await gate.wait()
            return current_owner(), await asyncio.to_thread(current_owner)

        def in_other_thread() -> JobOwner | None:
            thread_gate.wait(PATIENCE_S)
            return current_owner()

        task = asyncio.create_task(waiting())
        thread = asyncio.create_task(asyncio.to_thread(in_other_thread))
        await asyncio.sleep(0)
        ended = run.renew()
        gate.set()
        thread_gate.set()
        assert await task == (ended, ended)
        assert await thread is ended
        assert current_owner() is run.owner is not ended

    run = run_of()
    with owned_by(run):
        asyncio.run(cell(run))


def test_second_interrupt_ends_the_second_owner_alone():
    run = run_of()
    with owned_by(run):
        of_first = Waiting()
        first = run.renew()
        of_second = Waiting()
        second = run.renew()
        assert of_first.owner() is first
        assert of_second.owner() is second
        assert current_owner() not in (first, second)
    assert (first.is_cancelled, second.is_cancelled) == (True, True)
    assert not run.owner.is_cancelled


def test_owner_of_streams_is_another_and_outlives_the_interrupt():
    run = run_of()
    streams = run.owner.streams
    assert streams.tag != run.owner.tag
    assert streams.run is None
    assert streams.cell is run.cell
    assert streams.streams is streams, "a query that starts a query"
    run.renew()
    assert run.owner.streams is streams
    assert not streams.is_cancelled
