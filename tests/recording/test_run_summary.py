"""The summary of a run in a notebook's metadata, and the hooks that write it."""

from __future__ import annotations

import os
import subprocess
import sys

import nbformat
import pytest
from recorded import RECORD, cell, later, notebook, reply
from traitlets.config import Config

from spark_kernel.protocol.provenance import KEY, LibraryRecord, RunStatus, Totals
from spark_kernel.recording import enable, record, summarize
from spark_kernel.recording.cells import write_record
from spark_kernel.recording.hooks import Recorder
from spark_kernel.recording.summary import latest_run, summary_content


def recorded(*runs, recorder=None, **settings):
    """Give a notebook whose cells have run, with a recorder that has seen them."""
    cells = [cell(f"cell {number}") for number in range(len(runs))]
    for one, run in zip(cells, runs, strict=True):
        (recorder or Recorder()).record(one, {"metadata": reply(run, **settings)})
    return notebook(*cells)


def summary_of(*runs, **options):
    """Sum up a notebook whose cells have run."""
    return summary_content(latest_run(recorded(*runs)), {}, **options)


def test_summary_adds_up_its_cells():
    summary = summary_of(
        RECORD,
        later(10, totals=Totals(input_bytes=5), libraries=(LibraryRecord("pandas", "2.3"),)),
        later(20, status=RunStatus.ERROR, jobs=(), omitted_jobs=0, spark=None, error_name="E"),
    )
    assert summary["started"] == "2026-11-25T04:09:13.250Z"
    assert summary["finished"] == "2026-11-25T04:09:34.250Z"
    assert summary["duration_s"] == 21.0
    assert summary["status"] == "error"
    assert summary["cells"] == {"ok": 2, "error": 1, "interrupted": 0, "aborted": 0}
    assert summary["jobs"] == 10
    assert summary["totals"]["input_bytes"] == 25
    assert summary["totals"]["output_bytes"] is None
    assert [one["name"] for one in summary["libraries"]] == ["pandas", "pyspark"]
    assert (summary["user"], summary["host"], summary["cluster"]) == ("ana", "gateway", "local[*]")
    assert summary["kernel"]["session"] == "s1"


def test_summary_is_of_the_kernel_that_ran_last():
    old = later(-1000, kernel=later(0).kernel.__class__("spark-kernel", "0.1", "s0"))
    assert summary_of(old, RECORD)["cells"]["ok"] == 1


def test_cell_that_is_meant_to_fail_does_not_fail_the_run():
    made = recorded(later(0, status=RunStatus.ERROR), RECORD)
    made.cells[1].metadata["tags"] = ["raises-exception"]
    assert summary_content(latest_run(made), {})["status"] == "ok"


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [("ok", "ok"), ("ok interrupted", "interrupted"), ("interrupted error aborted", "error")],
)
def test_status_is_the_worst_of_the_cells(statuses, expected):
    assert summary_of(*(later(0, status=RunStatus(one)) for one in statuses.split()))[
        "status"
    ] == expected  # fmt: skip


def test_run_that_no_record_tells_the_end_of_has_failed():
    assert summary_of(RECORD, is_failed=True)["status"] == "error"


def test_settings_are_redacted_and_bounded():
    recorder = Recorder("7c9e6679-7425-40de-944b-e07fc1f90ae7")
    secrets = {
        "spark.hadoop.fs.s3a.secret.key": "sesame-1",
        "spark.x": "jdbc:x://ana:sesame-2@h/db?password=sesame-3",
        "spark.long": "y" * 1000,
        **{f"spark.z{number}": "1" for number in range(400)},
    }
    made = recorded(RECORD, recorder=recorder, **secrets)
    recorder.summarize(made)
    settings = made.metadata[KEY]["settings"]
    assert len(settings) == 300
    assert "sesame" not in str(made)
    assert len(settings["spark.long"]) == 500
    assert made.metadata[KEY]["run_id"] == "7c9e6679-7425-40de-944b-e07fc1f90ae7"
    nbformat.validate(made)


def test_summary_of_others_is_kept_and_one_without_records_goes():
    made = recorded(RECORD)
    made.metadata[KEY] = {"of": "others"}
    Recorder().summarize(made)
    assert made.metadata[KEY] == {"of": "others"}
    for one in made.cells[1:]:
        one.execution_count, one.outputs = None, []
    Recorder().summarize(made)
    assert KEY not in made.metadata


def test_hooks_of_nbclient_take_what_nbclient_gives():
    one = cell()
    record(cell=one, cell_index=0, execute_reply={"metadata": reply(RECORD, a="b")})
    made = notebook(one)
    summarize(notebook=made)
    assert made.metadata[KEY]["settings"] == {"a": "b"}


@pytest.mark.parametrize("given", [None, {}, {"metadata": None}, "x", 3])
def test_hook_never_fails(given):
    one = cell()
    record(cell=one, cell_index=0, execute_reply=given)
    record(cell=None, cell_index=0, execute_reply=given)
    summarize(notebook=None)
    assert KEY not in one.metadata


def test_one_line_configures_nbconvert(monkeypatch):
    monkeypatch.setenv("SPARK_KERNEL_PROVENANCE", "")  # so that it is put back as it was
    monkeypatch.delenv("SPARK_KERNEL_PROVENANCE")
    config = Config()
    enable(config)
    assert os.environ["SPARK_KERNEL_PROVENANCE"] == "1"
    assert config.NotebookClient.on_cell_executed is record
    assert config.NotebookClient.on_notebook_complete is summarize


def test_user_says_whether_the_kernel_looks_for_inputs(monkeypatch):
    monkeypatch.setenv("SPARK_KERNEL_PROVENANCE", "0")
    enable(Config())
    assert os.environ["SPARK_KERNEL_PROVENANCE"] == "0"


def test_nbconvert_clears_records_with_the_outputs(monkeypatch):
    from nbconvert.exporters import NotebookExporter

    monkeypatch.setenv("SPARK_KERNEL_PROVENANCE", "1")
    config = Config()
    config.ClearOutputPreprocessor.enabled = True
    enable(config)
    made = recorded(RECORD)
    made.metadata[KEY] = {"of": "others"}
    text, _ = NotebookExporter(config=config).from_notebook_node(made)
    assert KEY not in text


def test_hooks_import_no_client():
    script = (
        "import sys, spark_kernel.recording\n"
        "print([m for m in ('nbclient', 'papermill', 'nbformat', 'IPython', 'pyspark', 'zmq')"
        " if m in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert finished.stdout.strip() == "[]"


def test_written_record_needs_no_summary():
    one = cell()
    assert write_record(one, reply(RECORD))
    made = notebook(one)
    assert KEY not in made.metadata
