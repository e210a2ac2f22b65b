"""Where a browser finds Spark's UI, with and without a proxy in between."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from spark_kernel.spark.cell_jobs import CellJobs, ui_url

OWN = "http://driver.example.org:4040"
YARN = "spark.org.apache.hadoop.yarn.server.webproxy.amfilter.AmIpFilter.param.PROXY_URI_BASES"


def context_with(url: str | None, conf: dict[str, str]) -> SimpleNamespace:
    """Give as much of a SparkContext as is asked."""
    settings = SimpleNamespace(getAll=lambda: list(conf.items()))
    return SimpleNamespace(applicationId="app-1", uiWebUrl=url, getConf=lambda: settings)


@pytest.mark.parametrize(
    ("url", "conf", "expected"),
    [
        (OWN, {}, OWN),
        (None, {}, ""),
        (None, {"spark.ui.reverseProxy": "true"}, ""),
        (OWN, {"spark.ui.reverseProxy": "true"}, OWN),
        (
            OWN,
            {"spark.ui.reverseProxy": "true", "spark.ui.reverseProxyUrl": "https://hub/spark/"},
            "https://hub/spark/proxy/app-1",
        ),
        (OWN, {"spark.ui.reverseProxyUrl": "https://hub/spark"}, OWN),
        (
            OWN,
            {YARN: "http://rm:8088/proxy/app-1,http://rm2:8088/proxy/app-1"},
            "http://rm:8088/proxy/app-1",
        ),
    ],
)
def test_links_go_where_a_browser_gets_through(
    url: str | None, conf: dict[str, str], expected: str
) -> None:
    assert ui_url(context_with(url, conf)) == expected


def test_logs_of_executors_are_told_as_a_browser_finds_them() -> None:
    logs = {"executors": [{"id": "1", "logs": {"stdout": "http://far/a"}}, {"id": "2", "logs": {}}]}
    java = SimpleNamespace(resources=lambda limit: json.dumps(logs))
    jobs = CellJobs(java, "", False, lambda url: url.replace("far", "hub"))
    found = [executor["logs"] for executor in jobs.resources(10)["executors"]]
    assert found == [{"stdout": "http://hub/a"}, {}]
