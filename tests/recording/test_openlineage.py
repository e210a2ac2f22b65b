"""Runs as OpenLineage events, in a file and at a server: what its own client makes of them."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import attr
import pytest
from dateutil.parser import isoparse
from nbformat.v4 import new_output
from openlineage.client import event_v2
from recorded import RECORD, cell, later, notebook, reply

from spark_kernel.errors import NotebookError
from spark_kernel.protocol.provenance import (
    DataKind,
    Dataset,
    Fingerprint,
    RunStatus,
    Totals,
    record_content,
)
from spark_kernel.recording.hooks import Recorder
from spark_kernel.recording.lineage_run import follow_run, job_name, send_notebook

RUN_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
RAW = Dataset(DataKind.FILE, "file:///data/raw.csv", "csv", Fingerprint(1, 10))
CLEAN = Dataset(
    DataKind.TABLE, "lake.clean", "delta", Fingerprint(version="7"), "hdfs://name:8020/lake/clean"
)
RUNS = [
    later(0, inputs=(RAW,), outputs=(CLEAN,), totals=Totals(input_bytes=10, output_records=3)),
    later(10, inputs=(CLEAN,), status=RunStatus.ERROR, error_name="AnalysisException"),
    later(20, status=RunStatus.ABORTED, started=None, finished=None, duration_s=None),
]


class Server(ThreadingHTTPServer):
    """A server that takes events, and can be told to refuse them."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.status = 201

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, self.headers.get("Authorization", "")))
        self.server.events.append(json.loads(body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Give a server that takes events."""
    with Server() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Set nothing for OpenLineage, and work in a folder that nobody else uses."""
    for name in ("OPENLINEAGE_API_KEY", "OPENLINEAGE_NAMESPACE", "SPARK_KERNEL_LINEAGE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def ran(*runs: Any) -> Any:
    """Give a notebook that has run."""
    recorder = Recorder(RUN_ID)
    cells = [cell(f"cell {number}") for number in range(len(runs))]
    for one, run in zip(cells, runs, strict=True):
        recorder.record(one, {"metadata": reply(run)})
    made = notebook(*cells)
    recorder.summarize(made)
    return made


def events_in(path: Path) -> list[dict[str, Any]]:
    """Read the events that were appended to a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_notebook_that_ran_is_told_with_its_cells_below_it(tmp_path: Path):
    made = ran(*RUNS)
    count = send_notebook(made, Path("reports/daily.ipynb"), "events.ndjson")
    events = events_in(tmp_path / "events.ndjson")
    assert count == len(events) == 6
    states = [event["eventType"] for event in events]
    assert states == ["START", "START", "COMPLETE", "START", "FAIL", "FAIL"]
    names = [event["job"]["name"] for event in events]
    first, second = (f"reports/daily.{one.id}" for one in made.cells[1:3])
    assert names == ["reports/daily", first, first, second, second, "reports/daily"]
    assert {event["job"]["namespace"] for event in events} == {"default"}
    assert events[0]["run"]["runId"] == events[-1]["run"]["runId"] == RUN_ID
    for event in events[1:-1]:
        parent = event["run"]["facets"]["parent"]
        assert parent["run"]["runId"] == RUN_ID
        assert parent["job"] == {"namespace": "default", "name": "reports/daily"} | {"facets": {}}
    times = [isoparse(event["eventTime"]) for event in events]
    assert times == sorted(times)


def test_data_of_cells_is_told_and_the_run_has_what_it_read_from_outside(tmp_path: Path):
    send_notebook(ran(*RUNS), Path("daily.ipynb"), "events.ndjson")
    events = events_in(tmp_path / "events.ndjson")
    done, failed, whole = events[2], events[4], events[5]
    (raw,), (clean,) = done["inputs"], done["outputs"]
    assert (raw["namespace"], raw["name"]) == ("file", "/data/raw.csv")
    assert raw["inputFacets"]["inputStatistics"]["size"] == 10
    assert (clean["namespace"], clean["name"]) == ("hdfs://name:8020", "/lake/clean")
    assert clean["outputFacets"]["outputStatistics"]["rowCount"] == 3
    assert clean["facets"]["version"]["datasetVersion"] == "7"
    assert clean["facets"]["symlinks"]["identifiers"][0]["name"] == "lake.clean"
    assert [one["name"] for one in failed["inputs"]] == ["/lake/clean"]
    assert [one["name"] for one in whole["inputs"]] == ["/data/raw.csv"]
    assert [one["name"] for one in whole["outputs"]] == ["/lake/clean"]
    assert whole["run"]["facets"]["sparkKernel_notebook"]["content"]["cells"]["error"] == 1
    assert done["run"]["facets"]["processing_engine"]["version"] == "4.3.0"


def test_record_is_told_and_of_an_error_its_class_alone(tmp_path: Path):
    made = ran(*RUNS)
    made.cells[2].outputs = [
        new_output("error", ename="AnalysisException", evalue="sesame", traceback=["sesame"])
    ]
    made.cells[2].source = "password = 'sesame'"
    send_notebook(made, Path("daily.ipynb"), "events.ndjson")
    text = (tmp_path / "events.ndjson").read_text()
    assert "sesame" not in text
    event = events_in(tmp_path / "events.ndjson")[4]
    assert event["run"]["facets"]["errorMessage"]["message"] == "AnalysisException"
    told = event["run"]["facets"]["sparkKernel_record"]["content"]
    assert told["error"] == record_content(RUNS[1])["error"]


def test_events_are_those_of_the_library(tmp_path: Path):
    send_notebook(ran(*RUNS), Path("daily.ipynb"), "events.ndjson")
    known = {one.name for one in attr.fields(event_v2.RunEvent)}
    for event in events_in(tmp_path / "events.ndjson"):
        assert event.keys() <= known
        event_v2.RunEvent(
            eventTime=event["eventTime"],
            run=event_v2.Run(event["run"]["runId"]),
            job=event_v2.Job(event["job"]["namespace"], event["job"]["name"]),
            producer=event["producer"],
        )
        for facet in event["run"]["facets"].values():
            assert facet["_producer"].startswith("https://")
            assert facet["_schemaURL"].startswith("https://")


def test_run_told_again_has_the_same_identifiers(tmp_path: Path):
    made = ran(*RUNS)
    for name in ("one", "two"):
        send_notebook(made, Path("daily.ipynb"), name)
    ids = [[one["run"]["runId"] for one in events_in(tmp_path / name)] for name in ("one", "two")]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


def test_notebook_without_the_identifier_of_a_run_gets_one_from_its_records(tmp_path: Path):
    made = ran(*RUNS)
    made.metadata.pop("spark_kernel")
    send_notebook(made, Path("daily.ipynb"), "one")
    send_notebook(made, Path("daily.ipynb"), "two")
    assert events_in(tmp_path / "one")[0]["run"] == events_in(tmp_path / "two")[0]["run"]


def test_notebook_without_records_is_said():
    with pytest.raises(NotebookError, match=r"daily\.ipynb holds no records"):
        send_notebook(notebook(cell()), Path("daily.ipynb"), "events.ndjson")


def test_run_is_told_while_it_goes_on(server: Server, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "sesame-key")
    monkeypatch.setenv("OPENLINEAGE_NAMESPACE", "reports")
    follower = follow_run(server.url, "daily.ipynb", RUN_ID)
    assert [event["eventType"] for event in server.events] == ["START"]
    made = ran(*RUNS)
    for number, run in enumerate(RUNS):
        follower.cell(made.cells[number + 1], number + 1, {"metadata": reply(run)})
    assert len(server.events) == 5
    follower.finish(made, is_failed=False)
    assert server.events[-1]["eventType"] == "FAIL"
    assert {event["job"]["namespace"] for event in server.events} == {"reports"}
    assert set(server.asked) == {("/api/v1/lineage", "Bearer sesame-key")}
    assert "sesame" not in json.dumps(server.events)


def test_live_and_later_events_of_a_run_are_the_same(server: Server):
    made = ran(*RUNS)
    follower = follow_run(server.url + "/own/place", "daily.ipynb", RUN_ID)
    for number, run in enumerate(RUNS):
        follower.cell(made.cells[number + 1], number + 1, {"metadata": reply(run)})
    follower.finish(made, is_failed=False)
    live, server.events = server.events, []
    send_notebook(made, Path("daily.ipynb"), server.url + "/own/place")
    assert {path for path, _ in server.asked} == {"/own/place"}
    told = [[(one["eventType"], one["run"]["runId"], one["job"]["name"]) for one in events]
            for events in (live, server.events)]  # fmt: skip
    assert told[0] == told[1]


def test_server_that_refuses_is_told_of_once_and_stops_nothing(
    server: Server, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("OPENLINEAGE_API_KEY", "sesame-key")
    server.status = 403
    with caplog.at_level(logging.WARNING, "spark_kernel"):
        follower = follow_run(server.url + "/?token=sesame-url", "daily.ipynb", RUN_ID)
        made = ran(*RUNS)
        for number, run in enumerate(RUNS):
            follower.cell(made.cells[number + 1], number + 1, {"metadata": reply(run)})
        follower.finish(made, is_failed=True)
    (said,) = [one.getMessage() for one in caplog.records]
    assert "403" in said
    assert "sesame" not in said
    assert len(server.events) == 2  # the end is tried all the same


def test_place_that_cannot_be_written_stops_nothing(caplog: pytest.LogCaptureFixture):
    follower = follow_run("missing/events.ndjson", "daily.ipynb", RUN_ID)
    follower.finish(notebook(cell()), is_failed=False)
    assert len(caplog.records) == 1


def test_later_sending_that_fails_is_an_error(server: Server):
    server.status = 403
    with pytest.raises(NotebookError, match="cannot be sent"):
        send_notebook(ran(*RUNS), Path("daily.ipynb"), server.url)


def test_nothing_is_told_unless_it_is_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    assert follow_run("", "daily.ipynb", RUN_ID) is None
    monkeypatch.setenv("SPARK_KERNEL_LINEAGE", str(tmp_path / "x"))
    assert follow_run("", "daily.ipynb", RUN_ID) is not None


@pytest.mark.parametrize("given", [None, {}, {"metadata": {"spark_kernel": {"status": "ok"}}}, 3])
def test_reply_without_a_record_is_not_told(given: Any, tmp_path: Path):
    follower = follow_run("events.ndjson", "daily.ipynb", RUN_ID)
    follower.cell(cell(), 0, given)
    assert len(events_in(tmp_path / "events.ndjson")) == 1


NAMES = {
    "daily.ipynb": "daily",
    "reports/daily.ipynb": "reports/daily",
    "/home/ana/daily.ipynb": "daily",
    "../daily.ipynb": "daily",
    "": "notebook",
    None: "notebook",
}


@pytest.mark.parametrize("path", NAMES)
def test_job_is_named_by_the_notebook_and_not_by_the_machine(path: Any):
    assert job_name(path) == NAMES[path]


def test_parameters_are_a_job_of_the_same_name_in_each_run(tmp_path: Path):
    made = ran(replace(RECORD))
    made.cells[1].metadata["tags"] = ["injected-parameters"]
    send_notebook(made, Path("daily.ipynb"), "events.ndjson")
    assert events_in(tmp_path / "events.ndjson")[1]["job"]["name"] == "daily.injected-parameters"
