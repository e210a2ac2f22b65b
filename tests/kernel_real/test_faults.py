"""On a cluster that breaks: a job goes on or fails as Spark has it, and everybody is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import psutil
import pytest

from kernel_real.cluster import Cluster, standalone_cluster
from kernel_real.leftovers import kill_all, wait_until
from kernel_real.notebook import Notebook, NotebookMaker, Result
from kernel_real.remote_place import RemotePlace, remote_place, why_no_place
from spark_kernel.protocol.progress import PROGRESS_MIME

LOOPBACK = "127.0.0.1"
PATIENCE_S = 60
CONF = {
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.cores.max": "2",
    "spark.executor.heartbeatInterval": "1s",
    "spark.network.timeout": "4s",
    "spark.network.timeoutInterval": "1s",
}
SLEEPERS = "sc.parallelize(range(4), 4).map(lambda n: __import__('time').sleep(2) or n).sum()"


class Broken:
    """A notebook on a cluster whose parts the tests break.

    Attributes
    ----------
    workers
        The processes of the workers that live.
    far
        The place of the last of them, whose cable can be cut; None where there is no such place.
    """

    def __init__(self, cluster: Cluster, far: RemotePlace | None) -> None:
        self.cluster = cluster
        self.far = far
        self.workers = [cluster.add_worker(at, cores=1, is_awaited=False) for at in (None, far)]
        self.notebook: Notebook

    def spark(self) -> dict[str, Any]:
        """Ask for what there is of Spark."""
        reply = self.notebook.control("resource_info_request", {"types": ["spark"]})
        return dict(reply["resources"][0])

    def executors(self, *, is_active: bool) -> set[str]:
        """Give the ids of the executors that live, or of those that are gone."""
        listed = self.spark()["executors"]
        return {executor["id"] for executor in listed if executor["is_active"] is is_active}

    def metric(self, name: str) -> Any:
        """Give the value of one of Spark's metrics."""
        (metric,) = (metric for metric in self.spark()["metrics"] if metric["name"] == name)
        return metric["value"]

    def wait_for_executors(self, count: int) -> set[str]:
        """Wait until so many live; gives their ids."""
        assert wait_until(
            lambda: self.metric("executors") == len(self.executors(is_active=True)) == count,
            PATIENCE_S,
        ), self.spark()
        return self.executors(is_active=True)

    def begin(self, code: str = SLEEPERS) -> Result:
        """Run a cell until its tasks run."""
        running = self.notebook.submit(code)
        self.notebook.wait_for(
            lambda: any(job["tasks"]["active"] for job in jobs_of(running)),
            PATIENCE_S,
            "a task that runs",
        )
        return running


def jobs_of(result: Result) -> list[dict[str, Any]]:
    """Give the jobs of a cell as they are shown at last."""
    shown = [d["data"][PROGRESS_MIME] for d in result.displays if PROGRESS_MIME in d["data"]]
    return list(shown[-1]["jobs"]) if shown else []


def hints_of(result: Result) -> set[str]:
    """Give the hints of all stages of a cell."""
    return {hint for job in jobs_of(result) for stage in job["stages"] for hint in stage["hints"]}


def executor_processes(worker: psutil.Process) -> list[psutil.Process]:
    """Give the executors that a worker runs."""
    return [p for p in worker.children() if "CoarseGrainedExecutorBackend" in " ".join(p.cmdline())]


@pytest.fixture(scope="module")
def broken(new_notebook: NotebookMaker) -> Iterator[Broken]:
    """Give a notebook on a cluster of two workers, one of them far away where that can be."""
    folder, mark = new_notebook.next_place()
    with ExitStack() as stack:
        far = None if why_no_place() else stack.enter_context(remote_place())
        stack.callback(kill_all, mark)
        host = far.near_host if far else LOOPBACK
        cluster = stack.enter_context(standalone_cluster(folder, mark, host, is_recovering=True))
        broken = Broken(cluster, far)
        environ = {
            "SPARK_KERNEL_MASTER": cluster.url,
            "SPARK_KERNEL_CONF": json.dumps({**CONF, "spark.driver.host": host}),
        }
        broken.notebook = stack.enter_context(new_notebook(environ))
        broken.notebook.wait_for_state("ready")
        yield broken


def test_killed_executor_is_replaced_and_its_task_is_run_again(broken: Broken) -> None:
    before = broken.wait_for_executors(2)
    running = broken.begin()
    (victim,) = executor_processes(broken.workers[0])
    victim.kill()
    ended = broken.notebook.finish(running)
    assert ended.text == "6"
    assert "failed_tasks" in hints_of(ended)
    assert len(before - broken.wait_for_executors(2)) == 1
    (gone,) = broken.executors(is_active=False)
    assert gone in before


def test_worker_whose_cable_is_cut_is_given_up(broken: Broken) -> None:
    if broken.far is None:
        pytest.skip(why_no_place())
    before = broken.wait_for_executors(2)
    running = broken.begin()
    broken.far.cut()
    try:
        ended = broken.notebook.finish(running)
        assert ended.text == "6"
        assert len(before & broken.executors(is_active=False)) == 1
    finally:
        broken.far.mend()
    assert wait_until(lambda: broken.cluster.workers == 2, PATIENCE_S)


def test_job_goes_on_on_the_other_worker_where_one_is_killed(broken: Broken) -> None:
    before = broken.wait_for_executors(2)
    running = broken.begin()
    broken.workers[0].kill()  # its executor ends by itself
    ended = broken.notebook.finish(running)
    assert ended.text == "6"
    (left,) = broken.wait_for_executors(1)
    assert left in before
    assert before - {left} <= broken.executors(is_active=False)
    assert wait_until(lambda: broken.cluster.workers == 1, PATIENCE_S)
    broken.workers[0] = broken.cluster.add_worker(cores=1)
    assert broken.wait_for_executors(2) > {left}


def test_job_without_any_worker_says_so_and_can_be_interrupted(broken: Broken) -> None:
    broken.wait_for_executors(2)
    running = broken.begin()
    for worker in broken.workers:
        victims = [worker, *executor_processes(worker)]
        for process in victims:
            process.kill()
    notebook = broken.notebook
    notebook.wait_for(lambda: "no_executors" in hints_of(running), PATIENCE_S, "the hint")
    assert broken.wait_for_executors(0) == set()
    assert broken.metric("cores") == 0
    assert broken.spark()["state"] == "ready"
    notebook.interrupt()
    assert notebook.finish(running, 30).error.startswith("KeyboardInterrupt")
    broken.workers = [broken.cluster.add_worker()]
    assert notebook.value("spark.range(7).count()") == "7"


def test_master_that_remembers_takes_the_application_over(broken: Broken) -> None:
    notebook, cluster = broken.notebook, broken.cluster
    (application,) = cluster.applications
    cluster.master.kill()
    cluster.master.wait(10)
    assert notebook.value("spark.range(7).count()") == "7"
    cluster.start_master(is_recovering=True)
    assert wait_until(lambda: cluster.applications == [application], PATIENCE_S)
    assert wait_until(lambda: cluster.workers == 1, PATIENCE_S)
    victim = executor_processes(broken.workers[0])[0]
    victim.kill()  # only the master can replace it
    assert notebook.value("spark.range(7).count()") == "7"
    assert notebook.state == "ready"


def test_master_that_forgets_leaves_jobs_waiting(broken: Broken) -> None:
    notebook, cluster = broken.notebook, broken.cluster
    cluster.master.kill()
    cluster.master.wait(10)
    cluster.start_master()
    assert wait_until(lambda: cluster.workers == 1, PATIENCE_S)
    assert cluster.applications == []
    broken.wait_for_executors(0)
    waiting = notebook.submit("spark.range(7).count()")
    notebook.wait_for(lambda: "no_executors" in hints_of(waiting), PATIENCE_S, "the hint")
    notebook.interrupt()
    assert notebook.finish(waiting, 30).error.startswith("KeyboardInterrupt")
    notebook.value("%spark restart")
    assert notebook.value("spark.range(7).count()") == "7"


def test_application_that_its_cluster_ends_is_lost_without_any_cell(broken: Broken) -> None:
    notebook, cluster = broken.notebook, broken.cluster
    assert len(cluster.applications) == 1
    cluster.end_application()
    status = notebook.wait_for_state("lost", timeout_s=20)
    assert status["message"].startswith("The Spark application was ended by its cluster: Master re")
    assert broken.spark()["executors"] == []
    assert notebook.find_processes("SparkSubmit") == []
