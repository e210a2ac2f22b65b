"""What a cell shows of its Spark jobs while they run, and what it keeps of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell
from nbformat.v4 import new_notebook as notebook_of

from kernel_real.leftovers import MARK, assert_nothing_left, kill_all
from kernel_real.notebook import KERNEL, Message, Notebook, NotebookMaker, Result
from spark_kernel.protocol.progress import PROGRESS_MIME

MAX_BYTES = 64 * 1024
MESSAGES_A_SECOND = 4
JITTER = timedelta(milliseconds=50)
FINAL_TIMEOUT_S = 30
HELPERS = """
import threading, time
from concurrent.futures import ThreadPoolExecutor
from pyspark import TaskContext

sc = spark.sparkContext

def sleep_in_tasks(tasks, ms):
    slept = f"java_method('java.lang.Thread', 'sleep', {ms}L)"
    frame = spark.range(0, tasks, 1, tasks).selectExpr(slept)
    frame.write.format("noop").mode("overwrite").save()

sleep_in_tasks(2, 0)
"""
LONG = "sleep_in_tasks(6, 500)"


# -- what was shown ----------------------------------------------------------------------------


def messages_of(result: Result) -> list[Message]:
    """Give the messages that told of a cell's jobs."""
    kinds = ("display_data", "update_display_data")
    displays = [m for m in result.messages if m["header"]["msg_type"] in kinds]
    return [m for m in displays if PROGRESS_MIME in m["content"]["data"]]


def states_of(result: Result) -> list[dict[str, Any]]:
    """Give what they said."""
    return [message["content"]["data"][PROGRESS_MIME] for message in messages_of(result)]


def check(result: Result) -> dict[str, Any]:
    """Check everything that holds of every display; gives its last state."""
    messages, states = messages_of(result), states_of(result)
    assert messages, "nothing was shown"
    kinds = [message["header"]["msg_type"] for message in messages]
    assert kinds == ["display_data"] + ["update_display_data"] * (len(messages) - 1)
    assert len({message["content"]["transient"]["display_id"] for message in messages}) == 1
    parents = {message["parent_header"]["msg_id"] for message in messages}
    assert len(parents) == 1
    assert {state["cell_id"] for state in states} == parents
    assert [state["is_final"] for state in states] == [False] * (len(states) - 1) + [True]
    for message in messages:
        assert set(message["content"]["data"]) == {PROGRESS_MIME, "text/html", "text/plain"}
        assert len(json.dumps(message["content"]).encode()) <= MAX_BYTES
    check_rate(messages[:-1])
    check_counts(states)
    assert "<script" not in "".join(m["content"]["data"]["text/html"] for m in messages)
    return states[-1]


def check_rate(messages: list[Message]) -> None:
    dates = [message["header"]["date"] for message in messages]
    for earlier, later in zip(dates, dates[MESSAGES_A_SECOND:], strict=False):
        assert later - earlier >= timedelta(seconds=1) - JITTER


def check_counts(states: list[dict[str, Any]]) -> None:
    """Check that no count of any job goes back, and that they end complete."""
    for before, after in itertools.pairwise(states):
        assert after["elapsed_s"] >= before["elapsed_s"]
        known = {job["id"]: job["tasks"] for job in after["jobs"]}
        pairs = [(job["tasks"], known[job["id"]]) for job in before["jobs"] if job["id"] in known]
        for old, new in [*pairs, (before["totals"]["tasks"], after["totals"]["tasks"])]:
            for count in ("total", "completed", "failed", "skipped"):
                assert new[count] >= old[count]
    last = states[-1]
    assert last["totals"]["finished"] == len(last["jobs"]) + last["omitted"]["jobs"]
    assert last["totals"]["running"] == last["totals"]["tasks"]["active"] == 0


def check_in_time(result: Result) -> dict[str, Any]:
    """Check a display whose last word comes before its cell is done."""
    last = check(result)
    assert result.messages[-1]["content"].get("execution_state") == "idle"
    return last


def run(notebook: Notebook, code: str) -> Result:
    result = notebook.run(code)
    assert result.error == ""
    return result


def wait_for_final(notebook: Notebook, result: Result) -> dict[str, Any]:
    """Wait for the last word of a cell that is done; Spark says late that a job has failed."""
    notebook.wait_for(
        lambda: any(state["is_final"] for state in states_of(result)),
        FINAL_TIMEOUT_S,
        "the final state",
    )
    return check(result)


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook with two cores for the tests of this module."""
    with new_notebook({"SPARK_KERNEL_MASTER": "local[2]"}) as made:
        run(made, HELPERS)
        yield made


# -- one job -----------------------------------------------------------------------------------


def test_long_job_is_shown_while_it_runs_and_its_summary_stays(notebook):
    result = run(notebook, "print('before')\n" + LONG + "\nprint('after')")
    last = check_in_time(result)
    (job,) = last["jobs"]
    assert job["state"] == "succeeded"
    assert job["tasks"] == {"total": 6, "completed": 6, "active": 0, "failed": 0, "skipped": 0}
    assert job["description"].endswith("]: print('before')")
    (stage,) = job["stages"]
    assert (stage["state"], stage["tasks"]["completed"], stage["hints"]) == ("succeeded", 6, [])
    url = run(notebook, "print(sc.uiWebUrl)").stdout.strip()
    assert job["url"] == f"{url}/jobs/job/?id={job['id']}"
    assert stage["url"].startswith(f"{url}/stages/stage/?id={stage['id']}")
    assert len(result.shown.splitlines()) == 1
    assert "6 tasks" in result.shown


def test_tasks_are_shown_as_running_and_as_done_while_others_go_on(notebook):
    result = run(notebook, "sleep_in_tasks(4, 2000)")
    check_in_time(result)
    jobs = [state["jobs"][0]["tasks"] for state in states_of(result)[:-1]]
    stages = [state["jobs"][0]["stages"][0]["tasks"] for state in states_of(result)[:-1]]
    for shown in (jobs, stages):
        counts = {(tasks["completed"], tasks["active"]) for tasks in shown}
        assert {(0, 2), (2, 2)} <= counts


def test_short_job_shows_nothing(notebook):
    attempts = (run(notebook, "sleep_in_tasks(2, 0)") for _ in range(5))
    assert any(messages_of(result) == [] for result in attempts)  # a busy machine may be slow


def test_cell_without_spark_shows_nothing(notebook):
    assert run(notebook, "time.sleep(0.7)").displays == []


def test_stages_whose_shuffle_is_there_already_are_skipped(notebook):
    code = (
        "pairs = sc.parallelize(range(4), 4).map(lambda n: (n % 2, n)).reduceByKey(max, 2)\n"
        "pairs.count()\n"
        "pairs.map(lambda pair: time.sleep(1)).count()"
    )
    first, second = check_in_time(run(notebook, code))["jobs"]
    assert (first["tasks"]["completed"], first["tasks"]["skipped"]) == (6, 0)
    assert (second["tasks"]["completed"], second["tasks"]["skipped"]) == (2, 4)
    assert second["tasks"]["total"] == 6
    assert second["state"] == "succeeded"


def test_stage_of_ten_thousand_tasks_ends_at_its_true_total(notebook):
    result = run(notebook, "sleep_in_tasks(10_000, 0)")
    (job,) = check_in_time(result)["jobs"]
    assert (job["tasks"]["total"], job["tasks"]["completed"]) == (10_000, 10_000)
    assert job["stages"][0]["tasks"]["completed"] == 10_000
    assert "10,000 tasks" in result.shown


def test_cancelled_job_is_shown_as_such(notebook):
    cell = notebook.submit("sleep_in_tasks(4, 60_000)")
    notebook.wait_for(lambda: messages_of(cell), 60, "the display")
    notebook.interrupt()
    assert "KeyboardInterrupt" in notebook.finish(cell).error
    last = wait_for_final(notebook, cell)
    assert [job["state"] for job in last["jobs"]] == ["cancelled"]
    assert last["totals"]["failed"] == 1


# -- many jobs ---------------------------------------------------------------------------------


def test_jobs_that_run_at_the_same_time_are_shown_together(notebook):
    code = "with ThreadPoolExecutor(3) as pool:\n"
    code += "    list(pool.map(sleep_in_tasks, [3] * 3, [500] * 3))"
    result = run(notebook, code)
    last = check_in_time(result)
    assert [job["state"] for job in last["jobs"]] == ["succeeded"] * 3
    assert last["totals"]["tasks"]["completed"] == 9
    assert max(state["totals"]["running"] for state in states_of(result)) >= 2


def test_three_hundred_short_jobs_are_counted_and_few_are_listed(notebook):
    code = (
        "numbers = sc._jsc.parallelize([1, 2, 3, 4], 2)\n"
        "for _ in range(300):\n    numbers.count()\n    time.sleep(0.01)"
    )
    last = check_in_time(run(notebook, code))
    assert len(last["jobs"]) <= 20
    assert last["omitted"]["jobs"] == 300 - len(last["jobs"])
    assert (last["totals"]["finished"], last["totals"]["failed"]) == (300, 0)
    assert last["totals"]["tasks"]["completed"] == last["totals"]["tasks"]["total"] == 600


def test_jobs_of_many_threads_are_all_counted(notebook):
    code = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "numbers = sc._jsc.parallelize([1, 2], 2)\n"
        "with ThreadPoolExecutor(8) as pool:\n"
        "    for _ in pool.map(lambda _: (numbers.count(), time.sleep(0.02)), range(300)):\n"
        "        pass\n"
        "time.sleep(1)"
    )
    last = check_in_time(run(notebook, code))
    assert (last["totals"]["finished"], last["totals"]["failed"]) == (300, 0)
    assert last["totals"]["tasks"]["completed"] == last["totals"]["tasks"]["total"] == 600


def test_description_of_the_user_is_escaped(notebook):
    evil = "<script>alert('x')</script>&<img src=x>"
    result = run(notebook, f"sc.setJobDescription({evil!r})\n{LONG}\nsc.setJobDescription(None)")
    last = check_in_time(result)
    assert last["jobs"][0]["description"] == evil
    for message in messages_of(result):
        assert "<img" not in message["content"]["data"]["text/html"]
    assert "&lt;script&gt;" in messages_of(result)[-1]["content"]["data"]["text/html"]


# -- longer than the cell ----------------------------------------------------------------------


def test_job_that_outlives_its_cell_is_shown_there_and_no_other_cell_ends_it(notebook):
    code = (
        "gate = threading.Event()\nthread = threading.Thread(target=sleep_in_tasks, args=(8, 1000))"
    )
    starting = run(notebook, code + "\nthread.start()")
    other = notebook.submit("print('now')\ntime.sleep(60)")
    notebook.wait_for(lambda: other.stdout and messages_of(starting), 60, "both cells")
    notebook.interrupt()
    assert "KeyboardInterrupt" in notebook.finish(other).error
    assert messages_of(other) == []
    (job,) = wait_for_final(notebook, starting)["jobs"]
    assert (job["state"], job["tasks"]["completed"]) == ("succeeded", 8)


def test_job_that_begins_after_the_end_of_its_cell_is_shown_there_to_its_end(notebook):
    code = (
        "gate = threading.Event()\nthread = threading.Thread(target=lambda: gate.wait(60) and WORK)"
    )
    starting = run(notebook, code.replace("WORK", LONG) + "\nthread.start()")
    waking = run(notebook, "gate.set()\nthread.join()")
    assert messages_of(waking) == []
    (job,) = wait_for_final(notebook, starting)["jobs"]
    assert job["tasks"]["completed"] == 6


QUERY = """
query = (spark.readStream.format("rate").load().writeStream.format("noop")
         .queryName("<b>rates</b>").trigger(processingTime="200 milliseconds").start())
"""


@pytest.mark.parametrize("end", ["query.stop()", "query.stop()\n%spark jobs"])
def test_streaming_query_is_shown_in_the_cell_that_started_it_until_it_stops(notebook, end):
    cell = run(notebook, QUERY)
    notebook.wait_for(
        lambda: any((state["queries"] or [{}])[0].get("batch_id") for state in states_of(cell)),
        60,
        "a batch",
    )
    assert states_of(cell)[-1]["jobs"] == [], "its batches are not listed"
    run(notebook, end)
    (query,) = wait_for_final(notebook, cell)["queries"]
    assert (query["name"], query["is_active"]) == ("<b>rates</b>", False)
    assert "<b>rates" not in messages_of(cell)[-1]["content"]["data"]["text/html"]


# -- what runs, and switches -------------------------------------------------------------------


def test_jobs_are_listed_from_a_subshell_while_a_cell_runs(notebook):
    subshell = notebook.new_subshell()
    cell = notebook.submit("sleep_in_tasks(4, 60_000)")
    notebook.wait_for(lambda: messages_of(cell), 60, "the display")
    listing = notebook.finish(notebook.submit("%spark jobs", subshell))
    assert not cell.is_done
    notebook.interrupt()
    notebook.finish(cell)
    (job,) = wait_for_final(notebook, cell)["jobs"]
    line = next(line for line in listing.shown.splitlines() if line.startswith(f"{job['id']} "))
    assert job["description"] in line
    assert "%spark cancel ID" in listing.shown


def test_progress_can_be_turned_off_and_on(notebook):
    assert "off" in run(notebook, "%spark progress off").stdout
    assert messages_of(run(notebook, LONG)) == []
    assert "0.35 s" in run(notebook, "%spark progress on").stdout
    check_in_time(run(notebook, LONG))


def test_progress_that_is_configured_off_shows_nothing_until_it_is_turned_on(
    new_notebook: NotebookMaker,
) -> None:
    with new_notebook({"SPARK_KERNEL_MASTER": "local[2]", "SPARK_KERNEL_PROGRESS": "0"}) as quiet:
        run(quiet, HELPERS)
        assert messages_of(run(quiet, LONG)) == []
        run(quiet, "%spark progress on")
        check_in_time(run(quiet, LONG))


# -- failures ----------------------------------------------------------------------------------

FAILING = """
def work(numbers):
    task = TaskContext.get()
    if task.partitionId() == 1 and task.attemptNumber() < {times}:
        raise ValueError("<first> line\\nsecond line")
    time.sleep(0.7)

sc.parallelize(range(4), 4).foreachPartition(work)
"""


@pytest.fixture(scope="module")
def retrying(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook without Spark's UI, which tries a task three times."""
    conf = json.dumps({"spark.ui.enabled": "false"})
    environ = {"SPARK_KERNEL_MASTER": "local[2,3]", "SPARK_KERNEL_CONF": conf}
    with new_notebook(environ) as made:
        run(made, HELPERS)
        yield made


@pytest.mark.parametrize(("times", "state"), [(1, "succeeded"), (3, "failed")])
def test_failed_tasks_are_counted_with_a_hint_and_without_links(retrying, times, state):
    result = retrying.run(FAILING.format(times=times))
    assert result.status == ("ok" if state == "succeeded" else "error")
    (job,) = wait_for_final(retrying, result)["jobs"]
    assert (job["state"], job["tasks"]["failed"], job["url"]) == (state, times, "")
    (stage,) = job["stages"]
    assert (stage["tasks"]["failed"], stage["url"], stage["hints"]) == (times, "", ["failed_tasks"])
    (text,) = stage["hint_texts"]
    noun = "1 task failed" if times == 1 else "3 tasks failed"
    assert text.startswith(f"{noun}, one on ")
    assert "second line" not in text
    assert "<first>" not in messages_of(result)[-1]["content"]["data"]["text/html"]
    if state == "succeeded":
        assert job["tasks"]["completed"] == job["tasks"]["total"] == 4


# -- saved -------------------------------------------------------------------------------------


def test_saved_notebook_holds_one_final_summary(
    new_notebook: NotebookMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, mark = new_notebook.next_place()
    temporary = folder / "tmp"
    temporary.mkdir()
    for name, value in {
        MARK: mark,
        "TMPDIR": str(temporary),
        "SPARK_KERNEL_MASTER": "local[2]",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    metadata = {"kernelspec": {"name": KERNEL, "display_name": KERNEL, "language": "python"}}
    saved = notebook_of(cells=[new_code_cell(HELPERS), new_code_cell(LONG)], metadata=metadata)
    try:
        NotebookClient(saved, timeout=120).execute()
        assert_nothing_left(mark, temporary)
    finally:
        kill_all(mark)
    outputs = [output for output in saved.cells[1].outputs if output.output_type == "display_data"]
    (summary,) = outputs
    content = summary.data[PROGRESS_MIME]
    assert content["is_final"]
    assert content["jobs"][0]["tasks"]["completed"] == 6
    assert len(summary.data["text/plain"].splitlines()) == 1
    nbformat.validate(saved)
