"""On YARN: how the application stands is told from its submission on, and none is left behind."""

from __future__ import annotations

import getpass
import json
import signal
import urllib.request
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from kernel_real.leftovers import kill_all, marked_processes, wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from kernel_real.schemas import RESOURCE_INFO
from kernel_real.yarn_cluster import YarnCluster, missing_for_yarn, yarn_cluster
from spark_kernel.spark.installation import find_spark

pytestmark = pytest.mark.skipif(bool(missing_for_yarn()), reason=missing_for_yarn())


@pytest.fixture(scope="module")
def cluster(new_notebook: NotebookMaker) -> Iterator[YarnCluster]:
    """Give a cluster without nodes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("USER", getpass.getuser())
        with yarn_cluster(*new_notebook.next_place()) as started:
            yield started


@pytest.fixture(scope="module")
def environ(cluster: YarnCluster) -> dict[str, str]:
    """Name clusters: the one that there is, and some that there are not."""
    conf = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        # What executors need is here already: without, half a gigabyte is copied for each start.
        "spark.yarn.jars": f"local:{find_spark({}).jars}/*",
        "spark.yarn.queue": "notebooks",
        "spark.yarn.report.interval": "200ms",
        "spark.yarn.scheduler.heartbeat.interval-ms": "500",
        "spark.yarn.am.memory": "256m",
        "spark.yarn.am.memoryOverhead": "64m",
        "spark.executor.memory": "512m",
        "spark.executor.memoryOverhead": "128m",
        "spark.executor.instances": "1",
        "spark.yarn.historyServer.address": "127.0.0.1:18080",
        "spark.yarn.tags": "mine",
    }
    there = {"HADOOP_CONF_DIR": str(cluster.conf_folder)}
    nowhere = cluster.folder / "nowhere"
    nowhere.mkdir()
    (nowhere / "yarn-site.xml").write_text(
        "<configuration><property><name>yarn.resourcemanager.address</name>"
        "<value>127.0.0.1:1</value></property></configuration>"
    )
    pool: dict[str, Any] = {"master": "yarn", "conf": conf, "environment": there}
    clusters = {
        "pool": pool,
        "no-queue": {**pool, "conf": {**conf, "spark.yarn.queue": "nosuch"}},
        "gone": {**pool, "environment": {"HADOOP_CONF_DIR": str(nowhere)}},
        "unset": {"master": "yarn"},
    }
    return {"SPARK_KERNEL_CLUSTERS": json.dumps(clusters), "SPARK_KERNEL_CLUSTER": "pool"}


@pytest.fixture(scope="module")
def notebook(environ: dict[str, str], new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook on the cluster."""
    with new_notebook(environ) as made:
        yield made


def accepted(notebook: Notebook, cluster: YarnCluster) -> str:
    """Wait until an application is told to be accepted; gives its id."""
    told = "is ACCEPTED in queue"
    notebook.wait_for(lambda: told in notebook.status["message"], 60, "the state ACCEPTED")
    identifier = notebook.status["message"].split()[3]
    assert identifier in cluster.applications("ACCEPTED")
    return identifier


def test_wait_for_the_queue_is_told_and_can_be_given_up(
    notebook: Notebook, cluster: YarnCluster
) -> None:
    identifier = accepted(notebook, cluster)
    message = notebook.status["message"]
    assert message.startswith(f"Waiting for YARN: {identifier} is ACCEPTED in queue root.notebooks")
    result = notebook.submit("spark.range(3).count()")
    notebook.wait_for(lambda: "is ACCEPTED in queue" in result.shown, 30, "the wait in the cell")
    notebook.interrupt()
    assert notebook.finish(result).error.startswith("KeyboardInterrupt")
    assert cluster.living == [identifier]
    notebook.run("%spark stop")
    assert wait_until(lambda: not cluster.living, 20)
    assert cluster.applications("KILLED") == [identifier]


def test_node_that_joins_brings_spark_with_all_its_links(
    notebook: Notebook, cluster: YarnCluster
) -> None:
    restart = notebook.submit("%spark restart")
    accepted(notebook, cluster)
    cluster.add_node()
    assert notebook.finish(restart).status == "ok"
    assert notebook.value("spark.range(5).count()") == "5"
    identifier = notebook.status["application"]["id"]
    assert cluster.living == [identifier]
    links = {link["rel"]: link["url"] for link in notebook.status["links"]}
    assert links["spark-ui"].endswith(f"/proxy/{identifier}")
    assert links["cluster-manager"] == f"{cluster.web_url}/cluster/app/{identifier}"
    assert links["history-server"] == f"http://127.0.0.1:18080/history/{identifier}"
    for rel in ("spark-ui", "cluster-manager", "application-master"):
        with urllib.request.urlopen(links[rel], timeout=20) as page:
            assert page.status == 200, rel
    reply = notebook.control("resource_info_request", {})
    jsonschema.validate(reply, RESOURCE_INFO, jsonschema.Draft202012Validator)
    (executor,) = reply["resources"][2]["executors"]
    with urllib.request.urlopen(executor["logs"]["stderr"], timeout=20) as page:
        assert "stderr" in page.read().decode()
    shown = notebook.run("%spark info").shown
    assert links["application-master"] in shown


def test_next_session_of_the_notebook_has_an_application_and_links_of_its_own(
    notebook: Notebook, cluster: YarnCluster
) -> None:
    first = notebook.status["application"]["id"]
    code = "spark.stop()\nfrom pyspark.sql import SparkSession\n"
    notebook.value(f"{code}spark = SparkSession.builder.getOrCreate()\nspark.range(5).count()")
    second = notebook.status["application"]["id"]
    assert second > first
    assert cluster.living == [second]
    links = {link["rel"]: link["url"] for link in notebook.status["links"]}
    assert links["cluster-manager"] == f"{cluster.web_url}/cluster/app/{second}"
    # An attempt of an application has its number, and so have the folders of its logs.
    assert second.removeprefix("application_") in links["application-master"]


def test_killed_application_is_told_with_its_cause_and_made_anew(
    notebook: Notebook, cluster: YarnCluster
) -> None:
    cluster.kill_application(notebook.status["application"]["id"])
    lost = notebook.wait_for_state("lost", timeout_s=30)
    assert "ended by its cluster" in lost["message"]
    assert notebook.value("spark.range(6).count()") == "6"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("no-queue", "YARN has no such queue"),
        ("gone", "YARN's ResourceManager cannot be reached (127.0.0.1:1: Connection refused)"),
        ("unset", "HADOOP_CONF_DIR is not set"),
    ],
)
def test_what_is_wrong_with_the_cluster_is_said_in_a_line(
    notebook: Notebook, name: str, told: str
) -> None:
    result = notebook.run(f"%spark attach {name}")
    assert told in result.error
    assert len(result.traceback) < 6


def test_nothing_is_left_on_the_cluster_however_the_kernel_ends(
    notebook: Notebook, cluster: YarnCluster
) -> None:
    assert notebook.run("%spark attach pool").status == "ok"
    (first,) = cluster.living
    cluster.kill_node()
    restart = notebook.submit("%spark restart")
    second = accepted(notebook, cluster)
    assert not restart.is_done
    notebook.process.send_signal(signal.SIGKILL)
    assert wait_until(lambda: not cluster.living, 40)
    assert second in cluster.applications("KILLED")
    assert first not in cluster.living  # its master was lost with the node
    # Killed while it cleans up, the driver would leave its folder.
    assert wait_until(lambda: not marked_processes(notebook.mark), 30)
    kill_all(notebook.mark)
