"""What is asked of the driver's log, where the real thing is not needed: reasons and secrets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from spark_kernel.kernel.driver_log_request import LogDesk
from spark_kernel.protocol.error_content import ErrorMoment, error_content
from spark_kernel.protocol.error_report import ErrorReport, FailedTask
from spark_kernel.protocol.events import Link
from spark_kernel.spark.driver_log import DriverLog


def desk_of(folder: Path, conf: Mapping[str, str] | None = None, is_remote: bool = False) -> Any:
    """Give a desk for a session without a driver."""
    driver = SimpleNamespace(is_remote=is_remote, pid=None, launch_settings={})
    settings = SimpleNamespace(log_folder=folder, conf=conf or {}, secrets={"spark.vault"})
    return LogDesk(SimpleNamespace(driver=driver, settings=settings))  # type: ignore[arg-type]


def test_reason_is_told_where_there_is_no_log(tmp_path):
    desk = desk_of(tmp_path / "nowhere")
    assert "No driver has been started" in desk.reply({})["reason"]
    assert desk.end() is None
    assert "Spark Connect" in desk_of(tmp_path, is_remote=True).reply({})["reason"]


def test_log_before_a_move_to_a_server_can_still_be_read(tmp_path):
    log = DriverLog(tmp_path, 1 << 30)
    log.write("before\n")
    desk = desk_of(tmp_path, is_remote=True)
    reply = desk.reply({})
    assert (reply["log"], reply["lines"]) == (None, [])
    assert desk.reply({"log": reply["logs"][0]["id"]})["lines"] == ["before"]


def test_secrets_of_the_session_are_hidden_and_nothing_is_shown_where_that_is_unknown(tmp_path):
    DriverLog(tmp_path, 1 << 30).write("open with s3cr3t-value\n")
    conf = {"spark.vault": "s3cr3t-value"}
    assert desk_of(tmp_path, conf).reply({})["lines"] == ["open with ***"]
    reply = desk_of(tmp_path, {"spark.redaction.regex": "(?<!a*)b("}).reply({})
    assert reply["lines"] == []
    assert "only Java" in reply["reason"]


@pytest.mark.parametrize("field", ["after", "around"])
def test_place_that_is_gone_leads_to_the_present_end(tmp_path, field):
    log = DriverLog(tmp_path, 1 << 30)
    log.write("one\ntwo\n")
    desk = desk_of(tmp_path)
    position = desk.reply({})["position"]
    log.path.write_text("three\n")
    reply = desk.reply({field: position})
    assert (reply["lines"], reply["is_continued"]) == (["three"], False)


def test_error_tells_clients_of_its_stage_and_its_moment():
    task = FailedTask(1, 0, stage=3, stage_attempt=0)
    links = (Link("spark-ui", "Stage 3", "http://h/3"),)
    reports = [ErrorReport("E", links=links, task=task), ErrorReport("F", condition="X")]
    told = error_content(reports, ErrorMoment("cell", datetime.now(timezone.utc), "app-1"))
    stage = {"id": 3, "attempt": 0, "url": "http://h/3"}
    assert [error["stage"] for error in told["errors"]] == [stage, None]
    assert (told["cell_id"], told["application_id"], told["log"]) == ("cell", "app-1", None)
