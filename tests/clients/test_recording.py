"""Records of runs in notebooks: papermill, nbclient, nbconvert and ``spark-kernel run``."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from clients.conftest import Place
from spark_kernel.protocol.progress import PROGRESS_MIME
from spark_kernel.protocol.provenance import KEY
from spark_kernel.recording import record, summarize
from spark_kernel.recording.cells import records, strip

CONFIGURATION = "import spark_kernel.recording; spark_kernel.recording.enable(c)\n"
SPARK = "spark.range(factor * 100).repartition(2).count()"


def notebook_of(*sources: str) -> NotebookNode:
    """Give a notebook with a parameter in its first cell."""
    cells = [new_code_cell(source) for source in ("factor = 2", *sources)]
    cells[0].metadata["tags"] = ["parameters"]
    kernelspec = {"name": "pyspark_cluster", "display_name": "PySpark", "language": "python"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernelspec})


def read(path: Path) -> NotebookNode:
    """Read a notebook, which must be a valid one."""
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    return notebook


def statuses(notebook: Any) -> dict[str, str | None]:
    """Give how each cell ended, by its last line."""
    return {
        cell["source"].splitlines()[-1]: found.status.value if found else None
        for cell, found in records(notebook)
    }


@pytest.fixture
def without_spark(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no kernel start Spark: these cells need none."""
    monkeypatch.setenv("SPARK_KERNEL_START_MODE", "off")


def test_papermill_records_a_notebook_that_fails_in_the_middle(place: Place) -> None:
    sources = (SPARK, "spark.table('gone')", "print('never')")
    nbformat.write(notebook_of(*sources), place.folder / "in.ipynb")
    with pytest.raises(AssertionError, match="TABLE_OR_VIEW_NOT_FOUND"):
        place.run(
            "papermill", "--engine", "spark_kernel", "in.ipynb", "out.ipynb", "-p", "factor", "5",
            "--no-progress-bar",
        )  # fmt: skip
    notebook = read(place.folder / "out.ipynb")
    assert statuses(notebook) == {
        "factor = 2": "ok",
        "factor = 5": "ok",
        SPARK: "ok",
        sources[1]: "error",
        sources[2]: None,
    }
    cell, found = next(one for one in records(notebook) if one[0]["source"] == SPARK)
    assert found.is_full
    assert found.cell_id == cell["id"]
    assert found.source_sha256 == hashlib.sha256(SPARK.encode()).hexdigest()
    assert [job.state for job in found.jobs] == ["succeeded"] * len(found.jobs)
    assert found.jobs
    assert found.totals.shuffle_write_bytes > 0
    assert found.spark.version
    summary = notebook.metadata[KEY]
    assert summary.status == "error"
    assert summary.cells == {"ok": 3, "error": 1, "interrupted": 0, "aborted": 0}
    assert summary.jobs == len(found.jobs)
    assert summary.settings["spark.master"] == found.spark.master
    assert notebook.metadata.papermill.exception is True
    assert notebook.metadata.papermill.parameters == {"factor": 5}
    shown = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    progress = [output for output in shown if PROGRESS_MIME in output.get("data", {})]
    strip(notebook)
    assert KEY not in {key for cell in notebook.cells for key in cell.metadata}
    assert all(KEY not in output.metadata for output in progress)
    nbformat.validate(notebook)


@pytest.mark.usefixtures("without_spark")
def test_nbclient_records_with_the_hooks_and_a_later_run_replaces_its_records(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPARK_KERNEL_PROVENANCE", "1")
    notebook = notebook_of("print(factor)")
    started = []
    for _ in range(2):
        NotebookClient(
            notebook, timeout=120, on_cell_executed=record, on_notebook_complete=summarize
        ).execute()
        nbformat.validate(notebook)
        assert list(statuses(notebook).values()) == ["ok", "ok"]
        started.append(notebook.metadata[KEY].started)
    assert started[0] < started[1]
    assert str(notebook).count("source_sha256") == 4  # two in cells, and two in their outputs
    assert "2\n" in [output.get("text") for output in notebook.cells[1].outputs]


@pytest.mark.usefixtures("without_spark")
def test_nbconvert_records_with_one_line_of_configuration_and_clears_them(place: Place) -> None:
    (place.folder / "config.py").write_text(CONFIGURATION)
    nbformat.write(notebook_of("print(factor)"), place.folder / "in.ipynb")
    environ = {
        name: text for name, text in place.environ.items() if name != "SPARK_KERNEL_PROVENANCE"
    }
    here = Place(place.folder, {**environ, "SPARK_KERNEL_START_MODE": "off"})

    def convert(name: str, *options: str) -> NotebookNode:
        here.run(
            "jupyter", "nbconvert", "--config=config.py", "--to", "notebook", "--output", "out",
            name, *options,
        )  # fmt: skip
        return read(place.folder / "out.ipynb")

    executed = convert("in.ipynb", "--execute")
    assert set(statuses(executed).values()) == {"ok"}
    assert all(found.is_full for _, found in records(executed))
    assert executed.metadata[KEY].cells.ok == 2
    assert convert("out.ipynb").metadata[KEY] == executed.metadata[KEY]
    convert("out.ipynb", "--clear-output")
    assert KEY not in (place.folder / "out.ipynb").read_text()


def test_run_records_jobs_and_shows_them(place: Place) -> None:
    nbformat.write(notebook_of(SPARK, "print(factor)"), place.folder / "in.ipynb")
    finished = place.run("spark-kernel", "run", "in.ipynb", "-o", "out.ipynb", "-p", "factor", "7")
    lines = finished.stdout.splitlines()
    assert len(lines) == 5
    assert "job" in next(line for line in lines if SPARK in line)
    assert lines[-1].endswith("out.ipynb")
    notebook = read(place.folder / "out.ipynb")
    assert set(statuses(notebook).values()) == {"ok"}
    found = next(found for cell, found in records(notebook) if cell["source"] == SPARK)
    result = next(cell for cell in notebook.cells if cell.source == SPARK)
    assert any(one.get("data", {}).get("text/plain") == "700" for one in result.outputs)
    assert f"{len(found.jobs)} job" in lines[-1]
