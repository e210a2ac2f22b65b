"""A driver that dies: told at once, started again by the next use, and nothing old gets through."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kernel_real.leftovers import wait_until
from kernel_real.notebook import Notebook, NotebookMaker, Result
from spark_kernel.protocol.progress import PROGRESS_MIME

PREPARE = """
import time
from pyspark.sql import functions as F
from pyspark.sql.types import LongType

frame = spark.range(3)
column = F.col("id")
rdd = sc.parallelize([1])
old_spark, old_sc = spark, sc
doubled = F.udf(lambda n: n * 2, LongType())
kept = {"answer": 42}
frame.select(doubled("id")).collect()
frame.createOrReplaceTempView("numbers")
"""
SLOW = "spark.range(0, 60, 1, 60).selectExpr(\"java_method('java.lang.Thread', 'sleep', 1000L)\")"
JOBS = {
    "Python workers": "sc.parallelize(range(2), 2).map(lambda n: time.sleep(60)).count()",
    "rows on their way": f"{SLOW}.toLocalIterator().__next__(); {SLOW}.collect()",
    "toPandas": f"{SLOW}.toPandas()",
}
GONE = "cached data and temporary views are gone"


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook whose driver the tests kill."""
    with new_notebook() as notebook:
        notebook.run(PREPARE)
        yield notebook


def kill_driver(notebook: Notebook) -> None:
    """Kill the driver, and wait until the kernel has told of it."""
    notebook.driver.kill()
    notebook.wait_for_state("lost", timeout_s=20)


def begin(notebook: Notebook, code: str) -> Result:
    """Run a cell until its job is shown."""
    running = notebook.submit(code)

    def shows_a_job() -> bool:
        assert running.reply is None, running.error
        return any(PROGRESS_MIME in display["data"] for display in running.displays)

    notebook.wait_for(shows_a_job, 60, "the display of the job")
    return running


def test_next_use_starts_spark_again_and_says_what_is_gone(notebook: Notebook) -> None:
    first = notebook.status["application"]["id"]
    kill_driver(notebook)
    status = notebook.status
    assert "signal 9" in status["message"]
    assert status["error"]["name"] == "DriverLostError"
    assert "starts it again" in status["error"]["hint"]
    assert status["message"] in notebook.kernel_info()["banner"]
    assert notebook.value("kept['answer']") == "42"
    assert notebook.state == "lost"  # a cell that needs no Spark starts none
    notebook.statuses.clear()
    result = notebook.run("spark.range(5).count()")
    assert result.text == "5"
    assert GONE in result.shown
    assert notebook.statuses[0]["state"] == "restarting"
    assert notebook.status["application"]["id"] != first
    assert "TABLE_OR_VIEW_NOT_FOUND" in notebook.run("spark.table('numbers').count()").error
    # A UDF is Python's own, and works again.
    assert notebook.value("spark.range(3).select(doubled('id')).collect()[2][0]") == "4"
    assert len(list(notebook.temporary.glob("spark-kernel-*"))) == 1


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("frame.count()", "DataFrame"),
        ("frame.join(spark.range(3), 'id').count()", "DataFrame"),
        ("spark.range(3).join(frame, 'id').count()", "DataFrame"),
        ("spark.range(3).filter(column > 1).count()", "Column"),
        ("rdd.count()", "RDD"),
        ("sc.union([sc.parallelize([1]), rdd]).count()", "SparkContext"),
        ("old_spark.range(3).count()", "SparkSession"),
        ("old_sc.parallelize([1]).count()", "SparkContext"),
        ("frame._jdf.count()", "object"),
    ],
)
def test_old_object_is_refused_by_what_it_is(notebook: Notebook, code: str, kind: str) -> None:
    assert notebook.value("spark.range(2).count()") == "2"
    result = notebook.run(code)
    assert result.error.startswith(f"StaleSessionError: This {kind} belongs to the Spark session")
    assert len(result.traceback) <= 3


def test_old_objects_that_are_let_go_of_take_nothing_of_the_new_session(
    notebook: Notebook,
) -> None:
    # Ids of Java objects begin again, so these would be let go of in their place.
    notebook.run(
        "import gc\nnew = [spark.range(n) for n in range(200)]\n"
        "frame = column = rdd = old_spark = old_sc = None\ngc.collect(); time.sleep(0.5)"
    )
    assert notebook.value("sum(one.count() for one in new[:20])") == "190"


@pytest.mark.parametrize("job", JOBS)
def test_cell_whose_driver_dies_ends_with_the_cause(notebook: Notebook, job: str) -> None:
    notebook.value("%spark restart")
    running = begin(notebook, JOBS[job])
    notebook.driver.kill()
    result = notebook.finish(running, 30)
    assert result.error.startswith("DriverLostError: The driver ended unexpectedly (signal 9")
    assert len(result.traceback) <= 3
    assert "Traceback" not in result.stderr
    assert notebook.value("spark.range(4).count()") == "4"


def test_exit_of_the_driver_is_told_with_its_status(notebook: Notebook) -> None:
    notebook.value("%spark restart")
    result = notebook.run("spark._jvm.java.lang.Runtime.getRuntime().halt(7)")
    assert result.error.startswith("DriverLostError: The driver ended unexpectedly (exit status 7)")
    assert notebook.value("spark.range(4).count()") == "4"


def test_context_that_ends_in_a_living_driver_is_lost_as_well(notebook: Notebook) -> None:
    notebook.value("%spark restart")
    # As a cluster does that ends the application.
    result = notebook.run("sc._jsc.sc().stop()\nspark.range(4).count()")
    assert result.error.startswith("DriverLostError: The Spark application was ended")
    assert len(result.traceback) <= 3
    notebook.wait_for_state("lost", timeout_s=20)
    assert notebook.value("spark.range(4).count()") == "4"
    # And without any cell that notices.
    notebook.statuses.clear()
    notebook.value("sc._jsc.sc().stop()")
    notebook.wait_for_state("lost", timeout_s=20)
    assert notebook.value("spark.range(4).count()") == "4"
    assert len(notebook.find_processes("bin/java")) == 1


def test_driver_that_dies_again_and_again_is_not_started_for_ever(notebook: Notebook) -> None:
    notebook.value("%spark restart")
    for _ in range(2):
        kill_driver(notebook)
        assert notebook.value("spark.range(4).count()") == "4"
    kill_driver(notebook)
    assert "3 sessions were lost within 10 minutes" in notebook.status["error"]["hint"]
    refused = notebook.run("spark.range(4).count()")
    assert refused.error.startswith("SparkStoppedError: ")
    assert "%spark restart" in refused.error
    assert notebook.value("kept['answer']") == "42"
    notebook.value("%spark restart")
    assert notebook.value("spark.range(4).count()") == "4"


@pytest.mark.parametrize("command", ["restart", "stop"])
def test_spark_is_restarted_or_stopped_under_a_job(notebook: Notebook, command: str) -> None:
    notebook.value("spark.range(1).count()")
    subshell = notebook.new_subshell()
    running = begin(notebook, JOBS["Python workers"])
    beside = notebook.submit(f"%spark {command}", subshell)
    ended = notebook.finish(running, 60)
    assert (
        ended.error == "SparkStoppedError: Spark was stopped or restarted while this cell used it."
    )
    assert notebook.finish(beside, 60).status == "ok"
    notebook.value("%spark restart")
    assert notebook.value("spark.range(4).count()") == "4"
    assert wait_until(lambda: len(list(notebook.temporary.glob("spark-kernel-*"))) == 1, 10)


def test_session_stays_lost_where_that_is_wanted(new_notebook: NotebookMaker) -> None:
    with new_notebook({"SPARK_KERNEL_RESTART_ON_LOSS": "false"}) as notebook:
        notebook.value("spark.range(1).count()")
        kill_driver(notebook)
        assert notebook.status["error"]["hint"] == "run `%spark restart`"
        assert "%spark restart" in notebook.run("spark.range(1).count()").error
        notebook.value("%spark restart")
        assert notebook.value("spark.range(4).count()") == "4"


def test_driver_that_runs_out_of_memory_says_so_and_what_to_raise(
    new_notebook: NotebookMaker,
) -> None:
    conf = {
        "spark.driver.memory": "512m",
        "spark.driver.extraJavaOptions": "-XX:+ExitOnOutOfMemoryError",
    }
    with new_notebook({"SPARK_KERNEL_CONF": json.dumps(conf)}) as notebook:
        notebook.value("spark.range(1).count()")
        fill = "jvm = spark._jvm\nkept = []\nwhile True:\n"
        fill += "    kept.append(jvm.java.nio.ByteBuffer.allocate(64 << 20))"
        result = notebook.run(fill)
        assert result.error.startswith("DriverLostError: The driver ended unexpectedly (exit st")
        assert "java.lang.OutOfMemoryError: Java heap space" in result.error
        assert "raise spark.driver.memory" in result.error
        assert notebook.value("spark.range(4).count()") == "4"


def test_session_that_nobody_uses_is_given_back_and_comes_back(new_notebook: NotebookMaker) -> None:
    with new_notebook({"SPARK_KERNEL_IDLE_TIMEOUT_MIN": "0.03"}) as notebook:
        notebook.value("kept = 7\nspark.range(1).count()")
        # A job keeps it, however long; so does a cell that only computes.
        notebook.value(f"{SLOW}.limit(4).collect()")
        assert notebook.state == "ready"
        notebook.wait_for_state("stopped", timeout_s=30)
        assert "0.03 minutes without use" in notebook.status["message"]
        assert notebook.find_processes("bin/java") == []
        assert notebook.value("kept") == "7"
        assert notebook.state == "stopped"
        assert notebook.value("spark.range(kept).count()") == "7"


def test_rows_that_are_shown_as_the_driver_dies_give_way_to_the_reason(notebook: Notebook) -> None:
    notebook.value("old = spark.range(3)")
    running = begin(notebook, SLOW)
    kill_driver(notebook)
    result = notebook.finish(running, 30)
    assert result.status == "ok"
    assert result.text.startswith("The driver ended unexpectedly (signal 9")
    assert notebook.value("old").startswith("This DataFrame belongs to the Spark session that")
    assert notebook.run("display(old)").error.startswith("StaleSessionError")
    assert "[3 rows]" in notebook.value("spark.range(3)")
