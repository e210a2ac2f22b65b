"""On a standalone cluster: attached means that executors can be had, and until then it says so."""

from __future__ import annotations

import json
import re
import urllib.request
from contextlib import suppress
from typing import Any

import jsonschema
import psutil

from kernel_real.cluster import standalone_cluster
from kernel_real.leftovers import kill_all, marked_processes, wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from kernel_real.schemas import RESOURCE_INFO, SPARK_STATUS
from spark_kernel.protocol.progress import PROGRESS_MIME

CONF = {
    "spark.driver.host": "127.0.0.1",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.cores.max": "1",
    "spark.executor.extraJavaOptions": "-Dwhere.am.i=on-the-executor",
}
ON_EXECUTOR = "java_method('java.lang.System', 'getProperty', 'where.am.i') AS place"


def times_told(notebook: Notebook) -> list[int]:
    """Give the seconds that the messages have named so far, each once."""
    messages = [status["message"] for status in notebook.statuses]
    found = [re.search(r"executors from analytics .* for (\d+) s", message) for message in messages]
    return list(dict.fromkeys(int(match[1]) for match in found if match))


def check_that_an_interrupt_frees_the_executors(notebook: Notebook, mark: str) -> None:
    """Interrupt a job with a Python worker; the next job needs the core that it held."""
    result = notebook.submit(
        "import time\nsc.parallelize([0], 1).map(lambda n: time.sleep(90)).count()"
    )
    notebook.wait_for(lambda: result.displays, 60, "the display of the job")
    assert wait_until(lambda: python_workers(mark), 20)
    notebook.interrupt()
    assert notebook.finish(result, 30).error.startswith("KeyboardInterrupt")
    assert notebook.value("spark.range(7).count()") == "7"
    assert wait_until(lambda: not python_workers(mark), 20)


def check_that_resource_info_tells_of_the_executor(notebook: Notebook) -> None:
    """Ask what the cluster has given, and read the logs that it points at."""

    def executors() -> list[dict[str, Any]]:
        return list(notebook.control("resource_info_request", {})["resources"][2]["executors"])

    assert wait_until(executors, 20)
    reply = notebook.control("resource_info_request", {})
    jsonschema.validate(reply, RESOURCE_INFO, jsonschema.Draft202012Validator)
    (executor,) = executors()
    assert (executor["id"], executor["host"], executor["cores"]) == ("0", "127.0.0.1", 1)
    assert executor["is_active"]
    for name in ("stdout", "stderr"):
        with urllib.request.urlopen(executor["logs"][name], timeout=10) as page:
            assert name in page.read().decode()


def python_workers(mark: str) -> list[psutil.Process]:
    """Give the Python processes that run tasks: what the executors' daemons have forked."""
    found = []
    for process in marked_processes(mark):
        with suppress(psutil.Error):
            parent = process.parent()
            words = [*process.cmdline(), *(parent.cmdline() if parent else [])]
            if words.count("pyspark.daemon") == 2:
                found.append(process)
    return found


def test_kernel_waits_for_executors_and_says_so_until_a_worker_joins(
    new_notebook: NotebookMaker,
) -> None:
    folder, mark = new_notebook.next_place()
    try:
        with standalone_cluster(folder, mark) as cluster:
            environ = {
                "SPARK_KERNEL_MASTER": cluster.url,
                "SPARK_KERNEL_CLUSTER_NAME": "analytics",
                "SPARK_KERNEL_CONF": json.dumps(CONF),
            }
            with new_notebook(environ) as notebook:
                notebook.wait_for_stage("cluster_attaching")
                assert f"analytics ({cluster.url})" in notebook.status["message"]
                waiting = notebook.submit("spark.range(10).count()")
                notebook.wait_for(lambda: len(times_told(notebook)) > 1, 60, "how long it waits")
                assert times_told(notebook) == sorted(times_told(notebook))
                status = notebook.status
                jsonschema.validate(status, SPARK_STATUS)
                assert status["state"] == "starting"
                assert status["stage"] == "cluster_attaching"
                assert status["message"].startswith("Waiting for executors from analytics")
                assert "Waiting for executors" in waiting.shown
                assert waiting.reply is None
                assert "Waiting for executors" in notebook.banners[-1]["banner"]
                assert len(cluster.applications) == 1

                cluster.add_worker()
                ready = notebook.wait_for_state("ready")
                assert notebook.finish(waiting).text == "10"
                waits = [d["data"] for d in waiting.displays if PROGRESS_MIME not in d["data"]]
                assert len(waits[-1]["text/plain"].splitlines()) == 1
                assert ready["cluster"] == {
                    "name": "analytics",
                    "master": cluster.url,
                    "deploy_mode": "client",
                }
                assert ready["application"]["id"] in cluster.applications
                assert ready["application"]["id"].startswith("app-")
                code = f'spark.range(1).selectExpr("{ON_EXECUTOR}").first().place'
                assert notebook.value(code) == "'on-the-executor'"
                worker = (
                    "sc.parallelize([0], 1).map(lambda n: __import__('sys').executable).first()"
                )
                assert notebook.value(f"import sys\n{worker} == sys.executable") == "True"
                check_that_resource_info_tells_of_the_executor(notebook)
                check_that_an_interrupt_frees_the_executors(notebook, mark)
            assert cluster.applications == []
    finally:
        kill_all(mark)
