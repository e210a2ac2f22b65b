"""The links to what a cluster shows of an application."""

from __future__ import annotations

from spark_kernel.protocol.events import Link
from spark_kernel.spark.cluster_links import cluster_links, executor_log_url, history_link

UI = Link("spark-ui", "Spark UI", "http://10.0.0.1:4040")
LOG = Link("driver-log", "Driver log", "file:///log")


def test_links_are_rewritten_and_those_that_only_a_template_tells_are_added():
    templates = {
        "spark-ui": "https://hub/{port}/{application_id}",
        "cluster-manager": "http://master:8080",
    }
    assert cluster_links([LOG, UI], templates, "app-1") == (
        Link("spark-ui", "Spark UI", "https://hub/4040/app-1"),
        Link("cluster-manager", "Cluster manager", "http://master:8080"),
        LOG,
    )


def test_log_of_an_executor_goes_where_its_template_says_with_its_query():
    url = "http://10.0.0.1:8081/logPage/?appId=app-1&executorId=0&logType=stdout"
    templates = {"executor-log": "https://hub/{host}/{port}{path}"}
    assert executor_log_url(url, templates, "app-1") == (
        "https://hub/10.0.0.1/8081/logPage/?appId=app-1&executorId=0&logType=stdout"
    )
    assert executor_log_url(url, {}, "app-1") == url


def test_nothing_is_added_that_nobody_tells():
    assert cluster_links([], {}, "app-1") == ()
    assert history_link({}, "app-1") is None


def test_history_server_is_the_one_that_spark_is_told_of():
    for address in ("history:18080", "http://history:18080/"):
        link = history_link({"spark.yarn.historyServer.address": address}, "app-1")
        assert link is not None
        assert link.url == "http://history:18080/history/app-1"
