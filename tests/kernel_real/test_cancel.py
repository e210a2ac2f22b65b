"""``spark_cancel_request``, ``%spark cancel`` and interrupts of subshells."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kernel_real.leftovers import wait_until
from kernel_real.notebook import Notebook, NotebookMaker, Result

PREPARE = """
import asyncio, time
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(4)

def sleep_in_tasks(seconds=60):
    return sc.parallelize(range(2), 2).map(lambda x: time.sleep(seconds)).count()

spark.range(1).count()
"""
JOBS = "[int(job) for job in sc.statusTracker().getActiveJobsIds()]"
STAGES = "[int(stage) for stage in sc.statusTracker().getActiveStageIds()]"


@pytest.fixture(scope="module")
def prepared(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook whose cells can begin a long job."""
    with new_notebook() as notebook:
        notebook.value(PREPARE)
        yield notebook


@pytest.fixture(scope="module")
def subshell(prepared: Notebook) -> str:
    """Give a second shell of the same kernel."""
    return prepared.new_subshell()


def begin(notebook: Notebook, code: str = "sleep_in_tasks()", subshell: str = "") -> Result:
    """Run a cell until its job is shown."""
    result = notebook.submit(code, subshell)
    notebook.wait_for(lambda: result.displays, 60, "the display of the job")
    return result


def ask(notebook: Notebook, code: str, subshell: str) -> str:
    """Run a cell beside the one that runs; gives its last value as text."""
    return notebook.finish(notebook.submit(code, subshell)).text


def cancel(notebook: Notebook, scope: str, identifier: object = None) -> list[object]:
    """Send a request that must succeed; gives the ids of what was cancelled."""
    reply = notebook.control("spark_cancel_request", {"scope": scope, "id": identifier})
    assert reply["status"] == "ok", reply
    return list(reply["cancelled"])


def assert_cancelled(notebook: Notebook, result: Result) -> None:
    """Check that a cell ended with a short word of the cancelled job, and that Spark goes on."""
    notebook.finish(result, 30)
    assert result.error.startswith("SparkJobCancelledError"), result.error
    assert "on request" in result.error
    assert len(result.traceback) <= 3
    assert "1 cancelled" in result.shown
    assert wait_until(lambda: notebook.value(JOBS) == "[]", 20)
    assert notebook.value("spark.range(5).count()") == "5"


def test_feature_is_announced(prepared: Notebook) -> None:
    assert "spark cancel" in prepared.info["supported_features"]


@pytest.mark.parametrize(("scope", "listing"), [("job", JOBS), ("stage", STAGES)])
def test_job_or_stage_is_cancelled_by_its_number(
    prepared: Notebook, subshell: str, scope: str, listing: str
) -> None:
    result = begin(prepared)
    (number,) = json.loads(ask(prepared, listing, subshell))
    assert cancel(prepared, scope, number) == [number]
    assert_cancelled(prepared, result)


def test_everything_is_cancelled_whoever_started_it(prepared: Notebook, subshell: str) -> None:
    cells = [begin(prepared), begin(prepared, subshell=subshell)]
    assert len(cancel(prepared, "all")) == 2
    for result in cells:
        assert_cancelled(prepared, result)


def test_running_cell_is_interrupted_by_the_beginning_of_its_id(prepared: Notebook) -> None:
    result = begin(prepared)
    assert cancel(prepared, "cell", result.message_id[:20]) == [result.message_id]
    assert prepared.finish(result, 30).error.startswith("KeyboardInterrupt")


def test_cell_without_id_stands_for_every_running_cell(prepared: Notebook, subshell: str) -> None:
    cells = [begin(prepared), begin(prepared, subshell=subshell)]
    assert len(cancel(prepared, "cell")) == 2
    for result in cells:
        assert prepared.finish(result, 30).error.startswith("KeyboardInterrupt")


def test_jobs_that_outlive_their_cell_are_cancelled_with_it(prepared: Notebook) -> None:
    result = prepared.run("left = pool.submit(sleep_in_tasks)")
    assert wait_until(lambda: prepared.value(JOBS) != "[]", 20)
    prepared.wait_for(lambda: result.displays, 20, "the display of the job")
    assert cancel(prepared, "cell", result.message_id) == [result.message_id]
    assert wait_until(lambda: prepared.value("left.done()") == "True", 20)
    assert prepared.value("type(left.exception()).__name__") == "'KeyboardInterrupt'"
    assert wait_until(lambda: prepared.value(JOBS) == "[]", 20)


def test_streaming_query_is_stopped_by_id_or_name(prepared: Notebook) -> None:
    start = "q = spark.readStream.format('rate').load().writeStream.format('noop')"
    prepared.value(f"{start}.queryName('of clicks').start()")
    identifier = prepared.value("q.id")
    assert cancel(prepared, "query", "of clicks") == [identifier.strip("'")]
    assert prepared.value("q.isActive") == "False"
    prepared.value(f"{start}.start()")
    assert cancel(prepared, "query", prepared.value("q.id").strip("'")[:8]) != []
    assert prepared.value("q.isActive") == "False"


@pytest.mark.parametrize(
    ("scope", "identifier"),
    [("job", 99999), ("stage", 99999), ("query", "none"), ("all", None), ("cell", "none")],
)
def test_what_does_not_run_is_not_cancelled(
    prepared: Notebook, scope: str, identifier: object
) -> None:
    assert cancel(prepared, scope, identifier) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({}, "scope ''"),
        ({"scope": "everything"}, "cell, job, stage, query, all"),
        ({"scope": "job"}, "named by its number"),
        ({"scope": "job", "id": True}, "named by its number"),
        ({"scope": "stage", "id": "<script>"}, "named by its number"),
        ({"scope": "query", "id": 3}, "id or its name"),
    ],
)
def test_request_that_makes_no_sense_gets_a_clear_error(
    prepared: Notebook, content: dict[str, object], said: str
) -> None:
    reply = prepared.control("spark_cancel_request", content)
    assert (reply["status"], reply["ename"]) == ("error", "CancelRequestError")
    assert said in reply["evalue"]


def test_magic_lists_jobs_and_cancels_them_from_another_shell(
    prepared: Notebook, subshell: str
) -> None:
    result = begin(prepared)
    listed = prepared.finish(prepared.submit("%spark jobs", subshell)).shown
    (number,) = json.loads(ask(prepared, JOBS, subshell))
    assert f"{number}" in listed
    assert "sleep_in_tasks()" in listed
    said = prepared.finish(prepared.submit(f"%spark cancel {number}", subshell)).stdout
    assert said == f"Cancelled job {number}.\n"
    assert_cancelled(prepared, result)
    assert "No Spark job is running" in prepared.run("%spark jobs").shown


@pytest.mark.parametrize("arguments", ["", "stage", "stage x", "a b c", "job <b>"])
def test_magic_says_what_it_can_cancel(prepared: Notebook, arguments: str) -> None:
    assert "%spark cancel takes" in prepared.run(f"%spark cancel {arguments}").error


@pytest.mark.parametrize(
    "code",
    [
        "sleep_in_tasks()",
        "await asyncio.to_thread(sleep_in_tasks)",
        "print('begun'); await asyncio.sleep(60)",
        "print('begun')\nwhile True: pass",
        "list(pool.map(lambda i: sleep_in_tasks(), range(8)))",
    ],
)
def test_interrupt_ends_the_cell_of_a_subshell(
    prepared: Notebook, subshell: str, code: str
) -> None:
    result = prepared.submit(code, subshell)
    prepared.wait_for(lambda: result.displays or "begun" in result.stdout, 60, "the work")
    prepared.interrupt()
    prepared.finish(result, 30)
    assert result.error.startswith("KeyboardInterrupt"), result.error
    assert len(result.traceback) <= 12
    assert wait_until(lambda: prepared.value(JOBS) == "[]", 20)
    assert prepared.value("spark.range(5).count()") == "5"
    assert ask(prepared, "spark.range(6).count()", subshell) == "6"


def test_interrupt_ends_the_cells_of_all_shells_at_once(prepared: Notebook, subshell: str) -> None:
    cells = [begin(prepared), begin(prepared, subshell=subshell)]
    prepared.interrupt()
    for result in cells:
        assert prepared.finish(result, 30).error.startswith("KeyboardInterrupt")


def test_cancelling_without_spark_says_so(prepared: Notebook) -> None:
    prepared.run("%spark stop")
    reply = prepared.control("spark_cancel_request", {"scope": "all"})
    assert (reply["status"], reply["ename"]) == ("error", "SparkStoppedError")
    assert "No Spark job is running" in prepared.run("%spark jobs").shown
