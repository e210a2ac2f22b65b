"""The content of our messages: exactly the keys of the contract, and nothing but JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest

from spark_kernel.protocol.events import (
    STAGE_TITLES,
    Application,
    Cell,
    Cluster,
    Link,
    Problem,
    SessionState,
    SessionStatus,
    StageName,
    StageRecord,
)
from spark_kernel.protocol.messages import (
    BANNER_UPDATE,
    SPARK_STATUS,
    SUPPORTED_FEATURES,
    VERSION,
    banner_content,
    status_content,
)
from spark_kernel.protocol.mimebundle import HTML, TEXT, bundle

UI = Link("spark-ui", "Spark UI", "http://localhost:4040")
BARE = SessionStatus(
    state=SessionState.STARTING,
    stage=StageName.RUNTIME_STARTED,
    message="Starting Spark",
    elapsed_s=1.23456,
    cluster=Cluster("prod", "spark://host:7077"),
)
FULL = dataclasses.replace(
    BARE,
    stages=(
        StageRecord(StageName.RUNTIME_STARTED, 0.0, 0.98765),
        StageRecord(StageName.DRIVER_STARTING, 0.98765),
    ),
    application=Application("app-1", "notebook"),
    links=(UI,),
    error=Problem("SparkStartError", "It failed.", "Try again."),
    versions={"spark": "4.3.0"},
)


def test_names_are_those_of_the_contract():
    assert (SPARK_STATUS, BANNER_UPDATE, VERSION) == ("spark_status", "banner_update", "1.0")
    assert "spark status" in SUPPORTED_FEATURES


def test_states_and_stages_are_those_of_the_contract():
    assert {state.value for state in SessionState} == {
        *("starting", "ready", "failed", "lost", "restarting", "stopped")
    }
    assert [stage.value for stage in StageName] == [
        "runtime_started",
        "driver_starting",
        "cluster_attaching",
        "libraries_uploading",
        "spark_ready",
    ]


def test_every_stage_has_a_title():
    assert set(STAGE_TITLES) == set(StageName)


@pytest.mark.parametrize("status", [BARE, FULL], ids=["bare", "full"])
def test_status_has_exactly_the_keys_of_the_contract(status):
    content = status_content(status)
    assert set(content) == {
        *("version", "state", "stage", "message", "elapsed_s", "stages"),
        *("cluster", "application", "links", "error"),
    }
    assert set(content["cluster"]) == {"name", "master", "deploy_mode"}
    for stage in content["stages"]:
        assert set(stage) == {"stage", "started_s", "duration_s"}
    for link in content["links"]:
        assert set(link) == {"rel", "text", "url"}


def test_status_says_what_is_known():
    content = status_content(FULL)
    assert (content["state"], content["stage"]) == ("starting", "runtime_started")
    assert content["elapsed_s"] == 1.235
    assert content["cluster"]["deploy_mode"] == "client"
    assert content["application"] == {"id": "app-1", "name": "notebook"}
    assert content["error"] == {
        "name": "SparkStartError",
        "message": "It failed.",
        "hint": "Try again.",
    }
    assert content["stages"] == [
        {"stage": "runtime_started", "started_s": 0.0, "duration_s": 0.988},
        {"stage": "driver_starting", "started_s": 0.988, "duration_s": None},
    ]


def test_what_is_not_known_is_null_or_empty():
    content = status_content(BARE)
    assert content["application"] is None
    assert content["error"] is None
    assert content["links"] == content["stages"] == []


@pytest.mark.parametrize("state", SessionState)
def test_content_is_json_in_every_state(state):
    content = status_content(dataclasses.replace(FULL, state=state))
    assert json.loads(json.dumps(content)) == content
    assert type(content["state"]) is str


def test_banner_has_exactly_the_keys_of_the_contract():
    content = banner_content("PySpark (cluster)", (UI,))
    assert json.loads(json.dumps(content)) == {
        "banner": "PySpark (cluster)",
        "links": [{"rel": "spark-ui", "text": "Spark UI", "url": "http://localhost:4040"}],
    }


# -- the plain values --------------------------------------------------------------------------


def test_event_cannot_be_changed_on_its_way():
    with pytest.raises(dataclasses.FrozenInstanceError):
        BARE.message = "other"  # type: ignore[misc]


def test_cell_is_known_by_its_request():
    assert Cell({"header": {"msg_id": "abc"}}).id == "abc"
    assert Cell({}).id == ""


def test_bundle_always_has_text():
    assert bundle("text") == {TEXT: "text"}
    assert bundle("text", "<b>html</b>") == {TEXT: "text", HTML: "<b>html</b>"}
