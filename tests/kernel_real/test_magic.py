"""The ``%spark`` magic, on a session that starts, stops and starts again."""

from __future__ import annotations

from collections.abc import Iterator

import psutil
import pytest

from kernel_real.conftest import GatedNotebook
from kernel_real.leftovers import wait_until
from kernel_real.notebook import Notebook, NotebookMaker

UDF = """
from pyspark.sql import functions as F
keep = {"a": [1, 2]}
double = F.udf(lambda value: value * 2, "int")
spark.udf.register("triple", lambda value: value * 3, "int")
spark.range(3).select(double("id").alias("d")).agg({"d": "sum"}).first()[0]
"""


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook whose Spark the tests restart and stop."""
    with new_notebook() as made:
        made.wait_for_state("ready")
        yield made


def test_status_is_the_default_and_shows_the_session(shared: Notebook) -> None:
    named, unnamed = shared.run("%spark status"), shared.run("%spark")
    assert named.shown == unnamed.shown
    status = shared.status
    for text in ("local[*]", status["application"]["id"], status["links"][0]["url"], "4.3.0"):
        assert text in named.shown
    assert "<table" in named.displays[0]["data"]["text/html"]


def test_logs_shows_the_end_of_the_driver_log(shared: Notebook) -> None:
    marker = "a line for the end of the log"
    shared.value(f"sc._jvm.java.lang.System.err.println('{marker}')")
    assert shared.run("%spark logs 1").stdout == f"{marker}\n"
    assert marker in shared.run("%spark logs").stdout


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("%spark statsu", "did you mean `%spark status`?"),
        ("%spark restrat", "did you mean `%spark restart`?"),
        ("%spark xyz", "it has status, info, jobs, cancel"),
        ("%spark status now", "takes nothing more"),
        ("%spark logs many", "takes a number"),
    ],
)
def test_mistyped_command_names_what_is_right(shared: Notebook, line: str, said: str) -> None:
    result = shared.run(line)
    assert result.status == "error"
    assert said in result.error + result.stderr
    assert shared.state == "ready"


def test_help_is_shown_in_the_pager(shared: Notebook) -> None:
    reply = shared.run("%spark?").reply
    assert reply is not None
    (page,) = reply["payload"]
    for command in ("%spark status", "%spark restart", "%spark stop", "%spark logs"):
        assert command in page["data"]["text/plain"]


def test_restart_keeps_variables_and_functions_and_loses_cached_data(notebook: Notebook) -> None:
    assert notebook.value(UDF) == "6"
    notebook.value("spark.range(5).createOrReplaceTempView('gone')")
    old, application = notebook.driver, notebook.status["application"]["id"]
    notebook.statuses.clear()
    result = notebook.run("%spark restart")
    assert result.status == "ok"
    assert "ready" in result.shown
    heard = [status["state"] for status in notebook.statuses]
    assert list(dict.fromkeys(heard)) == ["restarting", "ready"]
    assert not old.is_running() or old.status() == psutil.STATUS_ZOMBIE
    status = notebook.wait_for_state("ready")
    assert status["application"]["id"] != application
    assert notebook.value("keep") == "{'a': [1, 2]}"
    again = 'spark.range(4).select(double("id").alias("d")).agg({"d": "sum"}).first()[0]'
    assert notebook.value(again) == "12"
    assert notebook.value("spark.catalog.tableExists('gone')") == "False"


def test_stop_ends_the_driver_and_a_cell_says_how_to_go_on(notebook: Notebook) -> None:
    driver = notebook.driver
    result = notebook.run("%spark stop")
    assert result.status == "ok"
    assert "stopped" in result.shown
    assert not psutil.pid_exists(driver.pid)
    assert notebook.find_processes("SparkSubmit") == []
    status = notebook.wait_for_state("stopped")
    assert status["application"] is None
    refused = notebook.run("spark.range(1)")
    assert refused.error.startswith("SparkStoppedError: ")
    assert "%spark restart" in refused.error
    assert len(refused.traceback) <= 3
    assert notebook.run("%spark stop").status == "ok"  # twice is harmless
    notebook.value("%spark restart")
    assert notebook.value("spark.range(8).count()") == "8"


def test_restart_during_a_start_begins_anew(gated: GatedNotebook) -> None:
    notebook = gated.held()
    first = notebook.find_processes("bin/java")[0]
    restart = notebook.submit("%spark restart")
    assert wait_until(lambda: not psutil.pid_exists(first.pid), 30)
    gated.java.open()
    assert notebook.finish(restart).error == ""
    assert notebook.value("spark.range(3).count()") == "3"
    assert len(notebook.find_processes("SparkSubmit")) == 1


def test_stop_during_a_start_leaves_no_driver(gated: GatedNotebook) -> None:
    notebook = gated.held()
    assert notebook.run("%spark stop").error == ""
    notebook.wait_for_state("stopped")
    assert notebook.find_processes("bin/java") == []
    assert list(notebook.temporary.iterdir()) == []
    assert notebook.run("spark").error.startswith("SparkStoppedError")
    gated.java.open()
    notebook.value("%spark restart")
    assert notebook.value("spark.range(3).count()") == "3"
