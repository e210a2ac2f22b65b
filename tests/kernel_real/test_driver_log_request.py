"""``spark_log_request``: parts of the driver's log, in every state of the driver."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from kernel_real.leftovers import wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from kernel_real.schemas import SPARK_LOG

_SAY = "sc._jvm.java.lang.System.err.println({!r})"
_SLOW = "sc.parallelize(range(2), 2).map(lambda n: __import__('time').sleep(60)).count()"


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook whose driver the tests may stop and kill."""
    with new_notebook() as notebook:
        notebook.value("spark.range(1).count()")
        yield notebook


def ask(notebook: Notebook, **content: Any) -> dict[str, Any]:
    """Ask on the control channel; gives a reply that keeps to the contract."""
    reply = notebook.control("spark_log_request", content)
    jsonschema.validate(reply, SPARK_LOG, jsonschema.Draft202012Validator)
    return reply


def test_tail_and_what_follows_are_given_without_the_secrets(notebook: Notebook) -> None:
    assert "spark log" in notebook.info["supported_features"]
    reply = ask(notebook)
    assert reply["log"]["is_running"]
    assert reply["log"]["id"] == notebook.driver_log.name
    assert reply["lines"][0].startswith("[spark-kernel]")
    notebook.value(_SAY.format("login with password=hunter2"))
    reply = ask(notebook, after=reply["position"])
    assert reply["lines"] == ["login with password=***"]
    assert reply["is_continued"]
    assert ask(notebook, after=reply["position"])["lines"] == []


def test_answer_comes_while_a_cell_runs_and_the_driver_hangs(notebook: Notebook) -> None:
    cell = notebook.submit(_SLOW)
    notebook.wait_for(lambda: cell.contents("execute_input"), 10, "the start of the cell")
    driver = notebook.driver
    driver.send_signal(signal.SIGSTOP)
    before = len(notebook.seen_states)
    try:
        assert ask(notebook)["lines"]
    finally:
        driver.send_signal(signal.SIGCONT)
    notebook.listen(0.3)
    assert notebook.seen_states[before:] == []
    notebook.interrupt()
    notebook.finish(cell)


def test_error_tells_its_place_in_the_log_its_stage_and_its_cell(notebook: Notebook) -> None:
    code = "sc.parallelize([1], 1).map(lambda n: n / 0).count()"
    result = notebook.finish(notebook.submit(code, cell_id="my-cell"))
    (told,) = (
        content["data"]["application/vnd.spark-kernel.error.v1+json"]
        for content in result.displays
        if "application/vnd.spark-kernel.error.v1+json" in content["data"]
    )
    assert told["cell_id"] == "my-cell"
    stage = told["errors"][0]["stage"]
    assert f"/stages/stage/?id={stage['id']}&attempt=0" in stage["url"]
    notebook.value(_SAY.format("said later"))
    reply = ask(notebook, around=told["log"])
    assert "ZeroDivisionError" in "\n".join(reply["lines"][: reply["marked"]])
    assert "said later" in reply["lines"][reply["marked"] :]


@pytest.mark.parametrize(
    "content",
    [
        {"after": "x"},
        {"around": {"log": "../../etc/passwd", "offset": 0, "check": 0}},
        {"log": "/etc/passwd"},
        {"log": "driver-20200101-000000-000000-1.log"},
        {"max_bytes": -1},
        {"offset": 7},
    ],
)
def test_request_that_makes_no_sense_says_why(notebook: Notebook, content: Any) -> None:
    reply = notebook.control("spark_log_request", content)
    assert (reply["status"], reply["ename"]) == ("error", "LogRequestError")
    assert "Hint" in reply["evalue"] or "max_bytes" in reply["evalue"]


def test_shell_answers_between_two_cells(notebook: Notebook) -> None:
    request = notebook.client.session.msg("spark_log_request", {"max_bytes": 2000})
    notebook.client.shell_channel.send(request)
    assert notebook.ask(request["header"]["msg_id"])["status"] == "ok"


def test_log_of_a_dead_driver_stays_and_a_new_one_is_told(notebook: Notebook) -> None:
    notebook.value(_SAY.format("the last words"))
    old = ask(notebook)
    notebook.driver.kill()
    notebook.wait_for_state("lost")
    assert "the last words" in ask(notebook)["lines"]
    assert wait_until(lambda: not ask(notebook)["log"]["is_running"], 10)
    notebook.value("spark.range(1).count()")
    reply = ask(notebook, after=old["position"])
    assert not reply["log"]["is_current"]
    new = ask(notebook)
    assert new["log"]["id"] != old["log"]["id"]
    assert [log["id"] for log in new["logs"][:2]] == [new["log"]["id"], old["log"]["id"]]
    assert "the last words" in ask(notebook, log=old["log"]["id"])["lines"]
    gone = {**old["position"], "log": "driver-20200101-000000-000000-1.log"}
    reply = ask(notebook, after=gone)
    assert not reply["is_continued"]
    assert reply["log"]["is_current"]
