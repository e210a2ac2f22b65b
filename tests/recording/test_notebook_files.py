"""Notebooks as files: what is changed is changed, and all else stays as it was formatted."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import nbformat
import pytest
from recorded import RECORD, cell, notebook, quiet_line, reply

from spark_kernel.errors import NotebookError
from spark_kernel.recording.cells import strip, write_record
from spark_kernel.recording.files import strip_text, write_in_place


def recorded_notebook():
    """Give a notebook with records, and texts that are written in more than one way."""
    made = notebook(cell("print('Grüße 😀')\n1.5", quiet_line(RECORD)), cell("b\nc"))
    for number, one in enumerate(made.cells):
        one.id = f"cell-{number}"
        if number:
            write_record(one, reply(RECORD))
    return made


def plain(made):
    """Give a notebook without records."""
    strip(made)
    return made


FORMATS = {
    "nbformat": lambda made: nbformat.writes(made) + "\n",
    "no line at the end": nbformat.writes,
    "four spaces": lambda made: json.dumps(made, indent=4),
    "tabs": lambda made: json.dumps(made, indent="\t") + "\n\n",
    "escapes": lambda made: json.dumps(made, indent=1),
    "one line": json.dumps,
    "compact": lambda made: json.dumps(made, separators=(",", ":")),
    "lines of DOS": lambda made: nbformat.writes(made).replace("\n", "\r\n"),
    "byte order mark": lambda made: "\ufeff" + json.dumps(made, indent=2, ensure_ascii=False),
    "other order": lambda made: json.dumps(dict(reversed(list(made.items()))), indent=1),
}


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_stripped_notebook_is_formatted_as_it_was(write):
    assert strip_text(write(recorded_notebook()), "x") == write(plain(recorded_notebook()))


@pytest.mark.parametrize("write", FORMATS.values(), ids=FORMATS)
def test_notebook_without_records_is_the_same_to_the_byte(write):
    text = write(plain(recorded_notebook())) + "  "
    assert strip_text(text, "x") == text


def test_half_a_pair_of_surrogates_survives():
    text = json.dumps(recorded_notebook(), ensure_ascii=False).replace("😀", "😀\\ud83d")
    assert json.loads(strip_text(text, "x"))["cells"][1]["source"].endswith("\ud83d')\n1.5")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"worksheets": []}', "[" * 100_000])
def test_what_is_no_notebook_is_said(text):
    with pytest.raises(NotebookError, match=r"some\.ipynb is no notebook"):
        strip_text(text, "some.ipynb")


def test_file_is_replaced_with_its_mode_behind_its_link(tmp_path: Path):
    target, link = tmp_path / "target.ipynb", tmp_path / "link.ipynb"
    target.write_text("old")
    target.chmod(0o640)
    link.symlink_to(target)
    write_in_place(link, "new\r\n")
    assert target.read_bytes() == b"new\r\n"
    assert link.is_symlink()
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_file_that_cannot_be_written_is_as_it_was(tmp_path: Path):
    target = tmp_path / "target.ipynb"
    target.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        write_in_place(target, "half \ud83d")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
