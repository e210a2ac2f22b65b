"""``stale`` and ``history`` of a notebook that really ran: fresh as it is, stale when changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kernel_real.leftovers import MARK, assert_nothing_left, kill_all
from kernel_real.notebook import KERNEL, NotebookMaker

SOURCES = (
    "from pyspark.sql import functions as F",
    "flights = spark.read.csv('data/in.csv', header=True, inferSchema=True)",
    "least = 1",
    "late = flights.filter(F.col('a') > least)\nlate.createOrReplaceTempView('late')",
    "late.write.mode('overwrite').parquet('data/out')",
    "%%sql --as by_a\nSELECT a, count(*) AS n FROM late GROUP BY a",
    "import json\nwith open('data/in.csv') as file:\n    text = file.read()\nlen(text)",
    "%spark stale",
)
Content = dict[str, Any]


@pytest.fixture(scope="module")
def folder(new_notebook: NotebookMaker) -> Iterator[Path]:
    """Give where a notebook ran, in provenance mode, from top to bottom."""
    place, mark = new_notebook.next_place()
    (place / "data").mkdir()
    temporary = place / "tmp"
    temporary.mkdir()
    data = place / "data" / "in.csv"
    data.write_text("a,b\n1,2\n3,4\n")
    os.utime(data, (1_700_000_000, 1_700_000_000))
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "execution_count": None,
            "outputs": [],
            "source": source,
        }
        for number, source in enumerate(SOURCES, 1)
    ]
    spec = {"name": KERNEL, "display_name": "PySpark (cluster)", "language": "python"}
    metadata = {"kernelspec": spec}
    notebook = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    (place / "in.ipynb").write_text(json.dumps(notebook))
    try:
        run = command(
            place, "run", "in.ipynb", "-o", "out.ipynb", **{MARK: mark, "TMPDIR": str(temporary)}
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert_nothing_left(mark, temporary)
        yield place
    finally:
        kill_all(mark)


def command(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run ``spark-kernel`` there."""
    return subprocess.run(
        [Path(sys.executable).with_name("spark-kernel"), *arguments],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def judged(folder: Path, change: Callable[[Content], None] = lambda _: None) -> str:
    """Give the first letters of the verdicts on a changed copy."""
    content = json.loads((folder / "out.ipynb").read_text())
    change(content)
    (folder / "changed.ipynb").write_text(json.dumps(content))
    report = json.loads(command(folder, "stale", "--json", "changed.ipynb").stdout)
    return "".join(cell["verdict"][0] for cell in report["cells"])


def test_what_nothing_has_changed_is_fresh(folder: Path) -> None:
    done = command(folder, "stale", "-v", "out.ipynb")
    assert done.returncode == 0, done.stdout
    assert "All 7 cells are fresh." in done.stdout


def test_the_notebook_itself_finds_its_cells_fresh(folder: Path) -> None:
    content = json.loads((folder / "out.ipynb").read_text())
    shown = "".join(
        "".join(output.get("data", {}).get("text/plain", []))
        for output in content["cells"][-1]["outputs"]
    )
    assert "All 7 cells are fresh." in shown


def test_each_change_is_noticed(folder: Path) -> None:
    def edit(content: Content) -> None:
        content["cells"][2]["source"] = "least = 2"

    def forget(content: Content) -> None:
        del content["cells"][2]["metadata"]["spark_kernel"]
        content["cells"][2]["outputs"] = []

    def other_version(content: Content) -> None:
        for cell in content["cells"]:
            for owner in (cell, *cell["outputs"]):
                record = owner["metadata"].get("spark_kernel", {})
                record["libraries"] = [{"name": "pyspark", "version": "1.0"}]

    def other_session(content: Content) -> None:
        cell = content["cells"][2]
        for owner in (cell, *cell["outputs"]):
            owner["metadata"]["spark_kernel"]["kernel"]["session"] = "another"

    def swap(content: Content) -> None:
        cells = content["cells"]
        cells[2], cells[3] = cells[3], cells[2]

    assert judged(folder, edit) == "ffssssf"
    assert judged(folder, forget) == "ffuuuuf"
    assert judged(folder, other_version) == "sssssss"
    assert judged(folder, other_session) == "fffuuuf"
    assert judged(folder, swap)[2] == "u"


def test_each_change_of_data_is_noticed(folder: Path) -> None:
    data, out = folder / "data" / "in.csv", folder / "data" / "out"
    before = data.stat().st_mtime
    data.write_text("a,b\n1,2\n3,5\n")
    try:
        assert judged(folder) == "fsfssss"
    finally:
        os.utime(data, (before, before))
    extra = out / "part-more"
    extra.write_text("x")
    assert judged(folder) == "ffffsff"
    extra.unlink()
    assert judged(folder) == "fffffff"


def test_history_tells_what_ran_on_which_data(folder: Path) -> None:
    # A long path of the tests' folder leads to other lines, and to the same words.
    text = " ".join(command(folder, "history", "-v", "out.ipynb").stdout.split())
    assert "8 of 8 cells ran" in text
    assert "data/in.csv (csv)" in text
    assert "data/out (parquet)" in text
    assert "late (view)" in text
    content = json.loads(command(folder, "history", "--json", "out.ipynb").stdout)
    assert content["jobs"] >= 2
    assert command(folder, "history", "out.ipynb", "--html", "page.html").returncode == 0
    page = (folder / "page.html").read_text()
    assert "data/out (parquet)" in page
