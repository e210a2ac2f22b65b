"""``%spark stop`` and ``%spark restart`` in the states that the tests of these states leave out."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kernel_real.cluster import Cluster, standalone_cluster
from kernel_real.leftovers import kill_all, wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from spark_kernel.protocol.progress import PROGRESS_MIME

SLOW_JOB = "sc.parallelize([0], 1).map(lambda n: __import__('time').sleep(60)).count()"
NOT_A_SIZE = "%%spark_conf --restart\nspark.driver.memory=much"


@pytest.fixture(scope="module")
def lonely(new_notebook: NotebookMaker) -> Iterator[Cluster]:
    """Give a cluster without workers."""
    folder, mark = new_notebook.next_place()
    try:
        with standalone_cluster(folder, mark) as cluster:
            yield cluster
    finally:
        kill_all(mark)


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker, lonely: Cluster) -> Iterator[Notebook]:
    """Give a notebook that can be attached to the cluster without workers."""
    conf = {"spark.driver.host": "127.0.0.1"}
    clusters = {"here": {"master": "local[2]"}, "lonely": {"master": lonely.url, "conf": conf}}
    environ = {"SPARK_KERNEL_CLUSTERS": json.dumps(clusters), "SPARK_KERNEL_CLUSTER": "here"}
    with new_notebook(environ) as notebook:
        notebook.value("kept = 7")
        notebook.wait_for_state("ready")
        yield notebook


def check_stopped(notebook: Notebook) -> None:
    """Check that `%spark stop` leaves nothing, and that `%spark restart` works from there."""
    assert notebook.run("%spark stop").error == ""
    notebook.wait_for_state("stopped", timeout_s=20)
    assert notebook.find_processes("bin/java") == []
    assert notebook.run("spark.range(1)").error.startswith("SparkStoppedError")


def check_restarted(notebook: Notebook) -> None:
    """Check that `%spark restart` makes a session."""
    notebook.value("%spark restart")
    assert notebook.value("spark.range(kept).count()") == "7"
    assert len(notebook.find_processes("SparkSubmit")) == 1


def test_lost(notebook: Notebook) -> None:
    notebook.driver.kill()
    notebook.wait_for_state("lost", timeout_s=20)
    check_stopped(notebook)
    check_restarted(notebook)


def test_hung_under_a_job_and_idle(notebook: Notebook) -> None:
    subshell = notebook.new_subshell()
    running = notebook.submit(SLOW_JOB)
    notebook.wait_for(
        lambda: any(PROGRESS_MIME in d["data"] for d in running.displays), 60, "the job"
    )
    notebook.driver.suspend()
    beside = notebook.submit("%spark stop", subshell)
    assert notebook.finish(running).error.startswith("SparkStoppedError")
    assert notebook.finish(beside).error == ""
    assert notebook.state == "stopped"
    assert notebook.find_processes("bin/java") == []
    check_restarted(notebook)
    notebook.driver.suspend()
    check_restarted(notebook)


def test_failed(notebook: Notebook) -> None:
    assert "memory setting" in notebook.run(NOT_A_SIZE).error
    assert notebook.state == "failed"
    assert "memory setting" in notebook.run("%spark restart").error
    assert notebook.state == "failed"
    check_stopped(notebook)
    assert "memory setting" in notebook.run("%spark restart").error
    # The next test starts it again.
    assert "next session" in notebook.run("%%spark_conf\n-spark.driver.memory").stdout


def test_waiting_for_executors(notebook: Notebook, lonely: Cluster) -> None:
    def is_waiting() -> bool:
        return notebook.status["message"].startswith("Waiting for executors")

    attaching = notebook.submit("%spark attach lonely")
    notebook.wait_for(is_waiting, 60, "the wait")
    (first,) = lonely.applications
    notebook.interrupt()
    assert notebook.finish(attaching).error.startswith("KeyboardInterrupt")
    notebook.statuses.clear()
    restarting = notebook.submit("%spark restart")
    notebook.wait_for(lambda: notebook.statuses and is_waiting(), 60, "the wait")
    assert wait_until(lambda: first not in lonely.applications, 20)
    notebook.interrupt()
    assert notebook.finish(restarting).error.startswith("KeyboardInterrupt")
    check_stopped(notebook)
    assert wait_until(lambda: lonely.applications == [], 20)
