"""``spark-kernel stale``: what it prints, and its exit status for continuous integration."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
from pathlib import Path

import pytest
from spark_kernel_command import run


@pytest.fixture
def write(tmp_path: Path):
    """Write a notebook of one cell that ran with some source."""

    def make(source: str, ran: str | None = None, **changes: object) -> str:
        ran = source if ran is None else ran
        record = {
            "status": "ok",
            "execution_count": 1,
            "source_sha256": hashlib.sha256(ran.encode()).hexdigest(),
            "started": "2026-01-01T10:00:00Z",
            "finished": "2026-01-01T10:00:01Z",
            "kernel": {"session": "s"},
            "inputs": [],
            "outputs": [],
            "libraries": [{"name": "pyspark", "version": importlib.metadata.version("pyspark")}],
            "provenance": True,
            **changes,
        }
        cell = {
            "cell_type": "code",
            "id": "a",
            "metadata": {"spark_kernel": record},
            "execution_count": 1,
            "source": source,
            "outputs": [],
        }
        path = tmp_path / "book.ipynb"
        path.write_text(
            json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
        )
        return str(path)

    return make


def test_all_fresh_is_0(write):
    result = run("stale", write("1 + 1"))
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "The cell is fresh.")


def test_anything_stale_is_1(write):
    result = run("stale", write("1 + 2", "1 + 1"))
    assert result.exit_code == 1
    assert "its source changed since it ran" in result.output


def test_unknown_is_3_unless_it_is_allowed(write):
    path = write("1 + 1", provenance=False)
    assert run("stale", path).exit_code == 3
    assert run("stale", "--allow-unknown", path).exit_code == 0
    assert run("stale", "--allow-unknown", write("1", "2")).exit_code == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        ("{", "no JSON"),
        ("[1]", "is no notebook"),
        ('{"worksheets": []}', "format 4"),
        (b"\xff\xfe", "no JSON"),
    ],
)
def test_what_is_no_notebook_is_2_with_a_hint(tmp_path, content, said):
    path = tmp_path / "book.ipynb"
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run("stale", str(path))
    assert result.exit_code == 2
    assert said in result.output
    assert "Hint:" in result.output
    assert "Traceback" not in result.output


def test_json_is_the_report_alone(write):
    result = run("stale", "--json", write("1 + 2", "1 + 1"))
    content = json.loads(result.output)
    assert result.exit_code == 1
    assert content["version"] == "1.0"
    assert content["counts"] == {"fresh": 0, "stale": 1, "unknown": 0}
    assert content["cells"][0]["reasons"][0]["kind"] == "source_changed"


@pytest.mark.parametrize(
    "record",
    [
        *("x", [], {}, {"status": "ok", "source_sha256": 3}, {"source_sha256": "a", "status": []}),
        {"status": "ok", "source_sha256": "a", "inputs": [{"name": 3}, 4], "kernel": 5},
    ],
)
def test_hostile_records_are_unknown_or_stale_and_never_fresh(tmp_path, record):
    cell = {
        "cell_type": "code",
        "metadata": {"spark_kernel": record},
        "execution_count": 1,
        "source": ["1", 2, None],
        "outputs": [{"metadata": {"spark_kernel": record}}, 7],
    }
    path = tmp_path / "book.ipynb"
    path.write_text(json.dumps({"cells": [cell, 3, {"cell_type": "code"}], "metadata": 4}))
    assert run("stale", str(path)).exit_code in (1, 3)


def test_no_cells_are_fresh(tmp_path):
    path = tmp_path / "book.ipynb"
    path.write_text('{"cells": []}')
    assert run("stale", str(path)).exit_code == 0


def test_history_of_a_notebook_without_records_says_how_to_get_some(tmp_path):
    path = tmp_path / "book.ipynb"
    path.write_text('{"cells": [{"cell_type": "code", "source": "1"}]}')
    result = run("history", str(path))
    assert result.exit_code == 1
    assert "spark-kernel run" in result.output


def test_history_writes_a_page_whole_or_not_at_all(write, tmp_path):
    page = tmp_path / "page.html"
    assert run("history", write("1"), "--html", str(page)).exit_code == 0
    assert page.read_text().endswith("</html>")
    result = run("history", write("1"), "--html", str(tmp_path / "no" / "page.html"))
    assert result.exit_code == 1
    assert "cannot be written" in result.output
    assert sorted(one.name for one in tmp_path.iterdir()) == ["book.ipynb", "home", "page.html"]
