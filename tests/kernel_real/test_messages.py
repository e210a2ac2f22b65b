"""What the kernel tells of Spark: the messages, the banner, and what clients may ask."""

from __future__ import annotations

import jsonschema

from kernel_real.notebook import Notebook
from kernel_real.schemas import BANNER_UPDATE, SPARK_STATUS, STAGES


def test_messages_keep_to_the_contract(shared: Notebook) -> None:
    shared.receive()
    for content in shared.statuses:
        jsonschema.validate(content, SPARK_STATUS)
    for content in shared.banners:
        jsonschema.validate(content, BANNER_UPDATE)
    assert shared.statuses
    assert shared.banners


def test_messages_belong_to_no_cell(shared: Notebook) -> None:
    shared.receive()
    ours = [m for m in shared.unparented if m["header"]["msg_type"] != "status"]
    assert {m["header"]["msg_type"] for m in ours} >= {"spark_status", "banner_update"}
    assert all(m["parent_header"] == {} for m in ours)
    heard = [*shared.statuses, *shared.banners]
    assert len([m for m in ours if m["content"] in heard]) == len(heard)


def test_stages_come_in_the_order_of_the_contract_and_end_with_spark_ready(
    shared: Notebook,
) -> None:
    stages = shared.status["stages"]
    names = [stage["stage"] for stage in stages]
    assert names == [name for name in STAGES if name in names]
    assert names[0] == "runtime_started"
    assert names[-1] == "spark_ready"
    assert "libraries_uploading" not in names  # there was nothing to upload
    heard = [STAGES.index(status["stage"]) for status in shared.statuses]
    assert heard == sorted(heard)
    ends = [stage["started_s"] + stage["duration_s"] for stage in stages]
    for stage, end in zip(stages[1:], ends, strict=False):
        assert abs(stage["started_s"] - end) < 0.1
    assert shared.status["elapsed_s"] >= ends[-1] - 0.1


def test_ready_status_names_cluster_application_and_links(shared: Notebook) -> None:
    status = shared.status
    assert status["cluster"] == {"name": "local[*]", "master": "local[*]", "deploy_mode": "client"}
    told = shared.run("print(sc.applicationId, sc.appName, sc.uiWebUrl, sep='|')").stdout.strip()
    links = {link["rel"]: link["url"] for link in status["links"]}
    application = status["application"]
    assert f"{application['id']}|{application['name']}|{links['spark-ui']}" == told
    assert links["driver-log"].startswith("file://")
    assert status["error"] is None


def test_kernel_info_tells_the_truth_about_the_ready_session(shared: Notebook) -> None:
    info = shared.kernel_info()
    assert info["implementation"] == "spark-kernel"
    assert info["language_info"]["name"] == "python"
    assert {"resource info", "spark status", "spark cancel"} <= set(info["supported_features"])
    assert shared.status["application"]["id"] in info["banner"]
    assert "4.3.0" in info["banner"]
    texts = [link["text"] for link in info["help_links"]]
    assert texts[:2] == ["PySpark (cluster)", "PySpark Reference"]
