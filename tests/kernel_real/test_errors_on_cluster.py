"""Errors that only executors of their own can have: lost, out of memory, shuffle data gone."""

from __future__ import annotations

import json

from kernel_real.cluster import standalone_cluster
from kernel_real.leftovers import kill_all, wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from kernel_real.shown_errors import details, failed, hint, marked, visible

CONF = {
    "spark.driver.host": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.cores.max": "1",
    "spark.task.maxFailures": "1",
    "spark.stage.maxConsecutiveAttempts": "1",
    "spark.driver.maxResultSize": "1m",
}
PREPARE = """import os, signal
from glob import glob
from pyspark.sql import functions as F
def kill(_):
    status = open(f"/proc/{os.getppid()}/stat").read()  # of the daemon, whose parent is the JVM
    os.kill(int(status.rpartition(")")[2].split()[1]), signal.SIGKILL)
def lose_shuffle(_):
    for file in glob(os.environ["SPARK_LOCAL_DIRS"] + "/**/shuffle_*.data", recursive=True):
        os.remove(file)
pairs = sc.parallelize(range(4), 2).map(lambda n: (n % 2, n)).groupByKey(2)
"""


def test_what_happens_to_executors_is_told_with_the_cell_and_the_task(
    new_notebook: NotebookMaker,
) -> None:
    folder, mark = new_notebook.next_place()
    try:
        with standalone_cluster(folder, mark) as cluster:
            cluster.add_worker()
            environ = {
                "SPARK_KERNEL_MASTER": cluster.url,
                "SPARK_KERNEL_CONF": json.dumps(CONF),
            }
            with new_notebook(environ) as notebook:
                notebook.value(PREPARE)
                check_that_lost_shuffle_data_is_told(notebook)
                check_that_a_large_result_is_told(notebook)
                check_that_a_lost_executor_is_told(notebook)
                check_that_a_full_executor_is_told(notebook)
    finally:
        kill_all(mark)


def check_that_lost_shuffle_data_is_told(notebook: Notebook) -> None:
    notebook.value("pairs.count(); sc.parallelize([0], 1).map(lose_shuffle).collect()")
    result = failed(notebook, "pairs.count()")
    assert visible(result)[0].startswith("Py4JJavaError: FetchFailedException: ")
    assert marked(result)[1] == "pairs.count()"
    assert "shuffle data was lost" in hint(result)


def check_that_a_large_result_is_told(notebook: Notebook) -> None:
    result = failed(notebook, "sc.parallelize(['x' * 2_000_000], 1).collect()")
    assert "bigger than spark.driver.maxResultSize" in visible(result)[0]
    assert "collect less" in hint(result)


def check_that_a_lost_executor_is_told(notebook: Notebook) -> None:
    resources = {"types": ["spark"]}
    assert wait_until(
        lambda: notebook.control("resource_info_request", resources)["resources"][0]["executors"],
        20,
    )
    result = failed(notebook, "sc.parallelize([0], 1).map(kill).collect()")
    assert visible(result)[0].startswith("Py4JJavaError: ExecutorLostFailure (executor 0 exited")
    assert marked(result)[1] == "sc.parallelize([0], 1).map(kill).collect()"
    assert any("host 127.0.0.1, executor 0" in line for line in visible(result))
    assert "an executor ran out of memory" in hint(result)
    assert "Log of executor 0" in details(result)["text/html"]


def check_that_a_full_executor_is_told(notebook: Notebook) -> None:
    code = "spark.range(1).selectExpr(\"length(repeat('x', int(id) + 2000000000))\").collect()"
    result = failed(notebook, code)
    assert marked(result)[1] == code
    assert any("executor 1" in line for line in visible(result))
    assert "an executor ran out of memory" in hint(result)
