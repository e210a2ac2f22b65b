"""What is shown of a cluster: everything escaped, bounded, and true."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spark_kernel.display.resources import resource_card
from spark_kernel.protocol.events import (
    Application,
    Cluster,
    Link,
    SessionState,
    SessionStatus,
    StageName,
)
from spark_kernel.protocol.resources import ExecutorResources, SparkResources, spark_resource

MARKUP = "<script>alert(1)</script>"
STATUS = SessionStatus(
    state=SessionState.READY,
    stage=StageName.SPARK_READY,
    message="Spark 4.3.0 ready on analytics",
    elapsed_s=1.0,
    cluster=Cluster("analytics", "spark://host:7077"),
    application=Application("app-1", "Sales"),
    links=(Link("spark-ui", "Spark UI", "http://host:4040"),),
    versions={"spark": "4.3.0"},
)
EXECUTOR = ExecutorResources(
    id="1",
    host="worker-7",
    is_active=True,
    cores=4,
    active_tasks=3,
    failed_tasks=2,
    memory_used_bytes=1024,
    memory_max_bytes=1 << 30,
    disk_used_bytes=0,
    logs={"stdout": "http://worker-7:8081/out", "stderr": None},
)
FOUND = SparkResources(
    taken=0.0,
    user="ada",
    started="2026-01-01T00:00:00.000Z",
    versions={"scala": "2.13.18"},
    metrics={
        "executors": (2, None),
        "cores": (3, 8),
        "storage_memory": (1024, 2 << 30),
        "heap": (5 << 20, 1 << 30),
        "active_tasks": (3, 8),
        "active_jobs": (1, None),
    },
    executors=(EXECUTOR, replace(EXECUTOR, id="0", is_active=False)),
)


def test_card_says_what_there_is_and_what_is_in_use():
    card = resource_card(STATUS, FOUND, 0.1)
    for told in (
        "2 executors with 8 cores",
        "3 in use",
        "1 job, 3 tasks",
        "1.0 KiB of 2.0 GiB",
        "ada",
        "Scala 2.13.18",
        "worker-7",
        "3 of 4",
        "0 (gone)",
        "http://worker-7:8081/out",
        "app-1",
        "http://host:4040",
    ):
        assert told in card["text/plain"]
        assert told in card["text/html"]


def test_nothing_is_invented_where_nothing_is_known():
    card = resource_card(replace(STATUS, state=SessionState.LOST, application=None), None, None)
    assert "executor" not in card["text/plain"].lower()
    entry = spark_resource(STATUS, None)
    assert {metric["value"] for metric in entry["metrics"]} == {None}
    assert (entry["executors"], entry["application"]["user"]) == ([], None)
    assert entry["versions"]["scala"] is None


@pytest.mark.parametrize("field", ["id", "host"])
def test_what_comes_from_the_cluster_is_escaped(field):
    found = replace(FOUND, executors=(replace(EXECUTOR, **{field: MARKUP}),), user=MARKUP)
    html = resource_card(STATUS, found, None)["text/html"]
    assert MARKUP not in html
    assert "&lt;script&gt;" in html


def test_link_that_is_no_page_is_none():
    logs = {"stdout": "javascript:alert(1)", "stderr": None}
    found = replace(FOUND, executors=(replace(EXECUTOR, logs=logs),))
    assert "javascript" not in resource_card(STATUS, found, None)["text/html"]


def test_hundreds_of_executors_are_counted_and_not_all_drawn():
    found = replace(FOUND, executors=(EXECUTOR,) * 200, omitted_executors=800)
    card = resource_card(STATUS, found, None)
    assert "and 980 more executors" in card["text/plain"]
    assert len(card["text/html"]) < 30_000
    assert spark_resource(STATUS, found)["omitted"] == {"executors": 800}


def test_old_answer_says_how_old_it_is():
    assert "As of 61 s ago" in resource_card(STATUS, FOUND, 61.2)["text/plain"]
    assert "As of" not in resource_card(STATUS, FOUND, 1.0)["text/plain"]
