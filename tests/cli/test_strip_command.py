"""``spark-kernel strip``, on files and as a filter of git."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from spark_kernel_command import run

PLAIN = {
    "cells": [{"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "source": ["1"]}],
    "metadata": {},
    "nbformat": 4,
    "nbformat_minor": 5,
}
RECORDED = {
    **PLAIN,
    "cells": [{**PLAIN["cells"][0], "metadata": {"spark_kernel": {"status": "ok"}}}],
    "metadata": {"spark_kernel": {}},
}


def text_of(content: object) -> str:
    """Write a notebook as nbformat does."""
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with notebooks."""
    monkeypatch.chdir(tmp_path)
    Path("recorded.ipynb").write_text(text_of(RECORDED))
    Path("plain.ipynb").write_text(text_of(PLAIN))


def test_notebooks_are_stripped_and_those_without_a_trace_not_touched():
    before = Path("plain.ipynb").stat()
    result = run("strip", "recorded.ipynb", "plain.ipynb")
    assert result.exit_code == 0
    assert result.output == "recorded.ipynb: records removed\nplain.ipynb: no records\n"
    assert Path("recorded.ipynb").read_text() == text_of(PLAIN)
    assert Path("plain.ipynb").stat().st_mtime_ns == before.st_mtime_ns
    assert Path("plain.ipynb").stat().st_ino == before.st_ino


def test_file_that_is_no_notebook_is_said_and_the_others_are_stripped():
    Path("text.ipynb").write_bytes(b"\xff")
    result = run("strip", "text.ipynb", "missing.ipynb", "recorded.ipynb")
    assert result.exit_code == 1
    assert "text.ipynb is no notebook" in result.stderr
    assert "missing.ipynb cannot be stripped: No such file" in result.stderr
    assert Path("recorded.ipynb").read_text() == text_of(PLAIN)


def test_standard_input_and_names_are_not_mixed():
    assert run("strip", "-", "plain.ipynb").exit_code == 2


def test_git_commits_no_records(tmp_path: Path):
    command = Path(sys.executable).with_name("spark-kernel")
    environ = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}

    def git(*arguments: str) -> str:
        done = subprocess.run(["git", *arguments], env=environ, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    git("init", "-q")
    git("config", "filter.spark-kernel.clean", f"{command} strip -")
    Path(".gitattributes").write_text("*.ipynb filter=spark-kernel\n")
    git("add", ".")
    assert git("show", ":recorded.ipynb") == text_of(PLAIN)
    assert Path("recorded.ipynb").read_text() == text_of(RECORDED)
    git("-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x")
    changed = {**RECORDED, "metadata": {"spark_kernel": {"version": "1.0"}}}
    Path("recorded.ipynb").write_text(text_of(changed))
    assert git("diff") == ""


def test_lineage_says_what_is_missing():
    assert "Give -o FILE or --to URL" in run("lineage", "plain.ipynb").stderr
    assert run("lineage", "plain.ipynb", "-o", "a", "--to", "http://b").exit_code == 2
    assert "--to takes a URL" in run("lineage", "plain.ipynb", "--to", "host:5000").stderr
    result = run("lineage", "plain.ipynb", "-o", "events.ndjson")
    assert result.exit_code == 1
    assert "plain.ipynb holds no records" in result.stderr
    assert "missing.ipynb cannot be read" in run("lineage", "missing.ipynb", "-o", "a").stderr
