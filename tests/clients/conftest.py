"""A place for each client: its own folder, and a check that it leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from kernel_real.leftovers import MARK, assert_nothing_left, kill_all
from kernel_real.notebook import KERNEL, NotebookMaker
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from nbformat.v4 import new_notebook as notebook_of

from spark_kernel.protocol.progress import PROGRESS_MIME

CELLS = [
    "factor = 2",
    "from pyspark.sql import functions as F\nframe = spark.range(10)\nframe.count()",
    'frame.select((F.col("id") * factor).alias("twice")).agg(F.sum("twice")).show()',
    "sc.parallelize(range(4), 2).map(lambda n: n * factor).sum()",
    "spark",
]


@dataclass(frozen=True)
class Place:
    """Where a client runs.

    Parameters
    ----------
    folder
        Its working folder.
    environ
        The environment of a client that is a process of its own.
    """

    folder: Path
    environ: dict[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the tests' own environment, which must succeed."""
        run = subprocess.run(
            [Path(sys.executable).with_name(command[0]), *command[1:]],
            cwd=self.folder,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert run.returncode == 0, run.stderr
        return run

    def write(self, name: str) -> Path:
        """Write the notebook of the tests."""
        path = self.folder / name
        nbformat.write(example(), path)
        return path


@pytest.fixture
def place(new_notebook: NotebookMaker, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Give a place, and look for what is left of whatever was started there."""
    folder, mark = new_notebook.next_place()
    temporary = folder / "tmp"
    temporary.mkdir()
    monkeypatch.setenv(MARK, mark)
    monkeypatch.setenv("TMPDIR", str(temporary))
    monkeypatch.chdir(folder)
    try:
        yield Place(folder, dict(os.environ))
        assert_nothing_left(mark, temporary)
    finally:
        kill_all(mark)


def example() -> NotebookNode:
    """Give a notebook that computes something with Spark, a Python worker and a parameter."""
    cells = [new_code_cell(source) for source in CELLS]
    cells[0].metadata["tags"] = ["parameters"]
    kernelspec = {"name": KERNEL, "display_name": "PySpark (cluster)", "language": "python"}
    return notebook_of(cells=cells, metadata={"kernelspec": kernelspec})


def assert_computed(notebook: NotebookNode, factor: int = 2) -> None:
    """Check what the example computed, and what it keeps of the wait for Spark."""
    cells = {cell.source: cell for cell in notebook.cells}
    first, table, workers, card = (cells[source] for source in CELLS[1:])
    displays = [output.data for output in first.outputs if output.output_type == "display_data"]
    (wait,) = [data for data in displays if PROGRESS_MIME not in data]
    # Shown only where the machine is slow enough; then once, however often it was updated.
    assert all(data[PROGRESS_MIME]["is_final"] for data in displays if PROGRESS_MIME in data)
    assert len(displays) <= 2
    assert len(wait["text/plain"].splitlines()) == 1
    assert "ready" in wait["text/plain"]
    assert first.outputs[-1].data["text/plain"] == "10"
    assert f"{45 * factor}|" in table.outputs[-1].text
    assert workers.outputs[-1].data["text/plain"] == str(6 * factor)
    assert "<table" in card.outputs[-1].data["text/html"]
    assert all(output.output_type != "error" for cell in notebook.cells for output in cell.outputs)
    nbformat.validate(notebook)
