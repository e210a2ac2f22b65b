"""``resource_info_request`` and ``%spark info``: what there is, in every state of the driver."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kernel_real.conftest import GatedNotebook
from kernel_real.leftovers import wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from kernel_real.schemas import RESOURCE_INFO

FRESH_S = 5.0
SLOW_JOB = "sc.parallelize(range(2), 2).map(lambda n: __import__('time').sleep(60)).count()"


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook whose driver the tests may stop and kill."""
    with new_notebook() as notebook:
        notebook.value("spark.range(1).count()")
        yield notebook


def ask(notebook: Notebook) -> dict[str, Any]:
    """Ask on the control channel; gives a reply that keeps to the contract."""
    reply = notebook.control("resource_info_request", {})
    jsonschema.validate(reply, RESOURCE_INFO, jsonschema.Draft202012Validator)
    return reply


def spark_of(reply: dict[str, Any]) -> dict[str, Any]:
    """Give the part that tells of Spark."""
    return dict(reply["resources"][2])


def value_of(reply: dict[str, Any], name: str) -> tuple[Any, Any]:
    """Give value and maximum of one of Spark's metrics."""
    (metric,) = (metric for metric in spark_of(reply)["metrics"] if metric["name"] == name)
    return metric["value"], metric["max"]


def wait_for_value(notebook: Notebook, name: str, value: float) -> dict[str, Any]:
    """Ask until a metric has a value."""
    assert wait_until(lambda: value_of(ask(notebook), name)[0] == value, 30), ask(notebook)
    return ask(notebook)


def test_every_field_is_there_and_true(notebook: Notebook) -> None:
    assert wait_until(lambda: ask(notebook)["age_s"] < FRESH_S, 10)
    reply = ask(notebook)
    spark = spark_of(reply)
    assert (spark["state"], spark["stage"], spark["error"]) == ("ready", "spark_ready", None)
    application = notebook.value(
        "sc.applicationId, sc.appName, sc.sparkUser(), sc.startTime, sc.version, "
        "sc.defaultParallelism"
    )
    told = spark["application"]
    for value in (told["id"], told["name"], told["user"], spark["versions"]["spark"]):
        assert repr(value) in application
    started = notebook.value(
        f"import datetime\nint(datetime.datetime.fromisoformat('{told['started'][:-1]}+00:00')"
        ".timestamp() * 1000) - sc.startTime"
    )
    assert started == "0"
    assert all(spark["versions"].values())
    assert value_of(reply, "executors") == (1, None)
    cores = int(notebook.value("sc.defaultParallelism"))
    assert value_of(reply, "cores") == (0, cores)
    (executor,) = spark["executors"]
    assert (executor["id"], executor["is_active"], executor["cores"]) == ("driver", True, cores)
    assert executor["logs"] == {"stdout": None, "stderr": None}
    assert executor["memory_max_bytes"] == value_of(reply, "storage_memory")[1] > 0
    assert {link["rel"] for link in spark["links"]} == {"spark-ui", "driver-log"}
    for kind, least in (("system", 1e9), ("kernel", 1e8)):
        (entry,) = (entry for entry in reply["resources"] if entry["type"] == kind)
        memory = entry["metrics"][1]
        assert least < memory["value"] < memory["max"]


def test_types_are_chosen_by_name(notebook: Notebook) -> None:
    reply = notebook.control("resource_info_request", {"types": ["system"]})
    assert [entry["type"] for entry in reply["resources"]] == ["system"]
    reply = notebook.control("resource_info_request", {"types": ["spark", "kernel"]})
    assert [entry["type"] for entry in reply["resources"]] == ["kernel", "spark"]


@pytest.mark.parametrize("types", [["sparks"], "spark", [1], {"spark": True}])
def test_request_that_makes_no_sense_says_what_there_is(notebook: Notebook, types: object) -> None:
    reply = notebook.control("resource_info_request", {"types": types})
    assert (reply["status"], reply["ename"]) == ("error", "ResourceRequestError")
    assert "system, kernel, spark" in reply["evalue"]


def test_shell_answers_between_two_cells(notebook: Notebook) -> None:
    request = notebook.client.session.msg("resource_info_request", {})
    notebook.client.shell_channel.send(request)
    reply = notebook.ask(request["header"]["msg_id"])
    jsonschema.validate(reply, RESOURCE_INFO, jsonschema.Draft202012Validator)


def test_what_runs_and_what_is_cached_is_seen_while_the_cell_runs(notebook: Notebook) -> None:
    notebook.value("kept = spark.range(100_000).cache()\nkept.count()")
    running = notebook.submit(SLOW_JOB)
    reply = wait_for_value(notebook, "active_jobs", 1)
    assert running.reply is None
    assert wait_until(lambda: value_of(ask(notebook), "active_tasks")[0] > 0, 30)
    reply = ask(notebook)
    assert value_of(reply, "cores")[0] > 0
    assert value_of(reply, "storage_memory")[0] > 50_000
    assert reply["age_s"] < FRESH_S
    assert "1 job" in reply["data"]["text/plain"]
    notebook.interrupt()
    assert "KeyboardInterrupt" in notebook.finish(running).error
    notebook.value("kept.unpersist()")
    wait_for_value(notebook, "active_jobs", 0)


def test_no_more_tasks_run_than_there_are_cores(notebook: Notebook) -> None:
    # One follows upon the other, so that Spark has heard of the next before the end of the first.
    notebook.submit(
        "import time; sc.parallelize(range(900), 900).map(lambda _: time.sleep(.1)).count()"
    )
    wait_for_value(notebook, "active_jobs", 1)
    seen: list[tuple[int, int]] = []

    def has_looked_often() -> bool:
        seen.append(tuple(value_of(ask(notebook), "active_tasks")))
        return len([tasks for tasks, _ in seen if tasks]) > 20

    assert wait_until(has_looked_often, 60)
    assert all(tasks <= slots for tasks, slots in seen), seen
    notebook.interrupt()
    wait_for_value(notebook, "active_jobs", 0)


def details(notebook: Notebook) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ask for settings and libraries, until the settings are those of after the question."""
    ask_for = {"types": ["libraries", "settings"]}
    notebook.control("resource_info_request", ask_for)
    replies: list[dict[str, Any]] = []

    def is_known() -> bool:
        replies.append(notebook.control("resource_info_request", ask_for))
        age_s = replies[-1]["resources"][0]["age_s"]
        return age_s is not None and age_s < 1.0

    assert wait_until(is_known, 10)
    settings, libraries = replies[-1]["resources"]
    assert (settings["type"], libraries["type"]) == ("settings", "libraries")
    return settings, libraries


def test_settings_and_libraries_are_told_while_a_cell_runs_without_secrets(
    notebook: Notebook, tmp_path: Path
) -> None:
    (tmp_path / "tools.py").write_text("answer = 42")
    notebook.run(f"%spark add {tmp_path / 'tools.py'}")
    notebook.run("%%spark_conf\nspark.sql.shuffle.partitions=7\nspark.my.password=hunter2")
    running = notebook.submit(SLOW_JOB)
    wait_for_value(notebook, "active_jobs", 1)
    settings, libraries = details(notebook)
    found = {one["key"]: one for one in settings["settings"]}
    assert settings["of"] == "session"
    chosen = found["spark.sql.shuffle.partitions"]
    assert (chosen["value"], chosen["origin"], chosen["is_chosen"]) == ("7", "%%spark_conf", True)
    assert not found["spark.app.id"]["is_chosen"]
    assert "hunter2" not in str(settings)
    order = [one["is_chosen"] for one in settings["settings"]]
    assert order == sorted(order, reverse=True)
    (library,) = libraries["libraries"]
    assert (library["kind"], library["name"]) == ("python", "tools")
    assert running.reply is None
    notebook.interrupt()
    notebook.finish(running)
    assert "settings" not in str(ask(notebook)["resources"])


def test_clusters_to_attach_to_are_told_by_name(
    notebook: Notebook,
) -> None:
    (entry,) = notebook.control("resource_info_request", {"types": ["clusters"]})["resources"]
    assert (entry["clusters"], entry["error"]) == ([], None)


def test_magic_shows_the_same(notebook: Notebook) -> None:
    result = notebook.run("%spark info")
    (shown,) = (display["data"] for display in result.displays)
    spark = spark_of(ask(notebook))
    for value in (
        spark["application"]["id"],
        f"Hadoop {spark['versions']['hadoop']}",
        f"Scala {spark['versions']['scala']}",
        "1 executor with",
        "Executor driver",
        "Driver log",
    ):
        assert value in shown["text/plain"]
    assert spark["application"]["id"] in shown["text/html"]
    assert "As of" not in shown["text/plain"]


def test_driver_that_hangs_is_told_by_the_age_of_the_answer(notebook: Notebook) -> None:
    assert wait_until(lambda: ask(notebook)["age_s"] < FRESH_S, 10)
    driver = notebook.driver
    driver.send_signal(signal.SIGSTOP)
    try:
        assert wait_until(lambda: ask(notebook)["age_s"] > FRESH_S, 30)
        reply = ask(notebook)
        assert spark_of(reply)["state"] == "ready"
        assert value_of(reply, "executors") == (1, None)
        shown = notebook.run("%spark info").shown
        assert "the driver has not answered since" in shown
    finally:
        driver.send_signal(signal.SIGCONT)
    assert wait_until(lambda: ask(notebook)["age_s"] < FRESH_S, 30)


def test_driver_that_is_gone_has_nothing(new_notebook: NotebookMaker) -> None:
    with new_notebook() as notebook:
        notebook.value("spark.range(1).count()")
        wait_for_value(notebook, "executors", 1)
        notebook.driver.kill()
        assert wait_until(lambda: spark_of(ask(notebook))["state"] == "lost", 30)
        reply = ask(notebook)
        spark = spark_of(reply)
        assert "signal 9" in spark["message"]
        assert spark["error"]["hint"]
        assert (spark["application"], spark["executors"]) == (None, [])
        assert {metric["value"] for metric in spark["metrics"]} == {None}
        assert "signal 9" in reply["data"]["text/plain"]
        settings, _ = details(notebook)
        assert settings["of"] == "next"
        assert "signal 9" in notebook.run("%spark info").shown


def test_session_that_is_on_its_way_is_told_by_its_stage(gated: GatedNotebook) -> None:
    notebook = gated.held()
    spark = spark_of(ask(notebook))
    assert (spark["state"], spark["stage"]) == (notebook.state, "driver_starting")
    assert spark["versions"]["python"]
    assert spark["versions"]["scala"] is None
    assert {metric["value"] for metric in spark["metrics"]} == {None}
    assert "Preparing the driver" in notebook.run("%spark info").shown
    gated.java.open()
    notebook.wait_for_state("ready")
    wait_for_value(notebook, "executors", 1)
