"""Which files, connections and processes of a cell's Python code are noticed."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from spark_kernel.kernel.python_files import PythonFiles, is_own_file, is_written
from spark_kernel.protocol.events import Cell
from spark_kernel.protocol.provenance import DataKind
from spark_kernel.spark.ownership import CellRun, owned_by


@pytest.fixture(scope="module")
def files() -> Iterator[PythonFiles]:
    """Give one for all tests: its hook stays for good."""
    made = PythonFiles(dict)
    made.is_on = True
    yield made
    made.is_on = False


@pytest.fixture
def run() -> CellRun:
    return CellRun(Cell({}), "a cell")


def test_a_file_that_is_read_is_an_input_as_it_was_then(
    files: PythonFiles, run: CellRun, tmp_path: Path
) -> None:
    path = tmp_path / "a file.csv"
    path.write_text("a,b")
    with owned_by(run):
        path.read_text()
    path.write_text("longer by now")
    (read,), written = files.taken(run)
    assert (read.kind, read.name, read.format) == (DataKind.FILE, path.as_uri(), "python")
    assert read.fingerprint is not None
    assert (read.fingerprint.files, read.fingerprint.bytes) == (1, 3)
    assert written == ()


def test_a_file_that_is_written_is_an_output_also_when_it_is_read_again(
    files: PythonFiles, run: CellRun, tmp_path: Path
) -> None:
    with owned_by(run):
        (tmp_path / "x").write_text("1")
        (tmp_path / "x").read_text()
        (tmp_path / "x").rename(tmp_path / "y")
    read, (written,) = files.taken(run)
    assert read == ()
    assert written.name == (tmp_path / "y").as_uri()


def test_what_is_missing_or_nobodys_is_not_told(
    files: PythonFiles, run: CellRun, tmp_path: Path
) -> None:
    (tmp_path / "x").write_text("1")
    with owned_by(run), pytest.raises(FileNotFoundError):
        (tmp_path / "missing").read_text()
    assert files.taken(run) == ((), ())


def test_files_are_bounded_and_counted(files: PythonFiles, run: CellRun, tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / str(number)).write_text("")
    with owned_by(run):
        for number in range(60):
            (tmp_path / str(number)).read_text()
    read, _ = files.taken(run)
    assert len(read) == 51
    assert read[-1].note == "and 10 more files"


def test_a_process_is_told_without_its_arguments(files: PythonFiles, run: CellRun) -> None:
    with owned_by(run):
        os.system("true --password=hunter2")
    (process,), _ = files.taken(run)
    assert (process.kind, process.name) == (DataKind.OTHER, "process")
    assert "hunter2" not in repr(process)


def test_nothing_is_noticed_while_it_is_off(
    files: PythonFiles, run: CellRun, tmp_path: Path
) -> None:
    (tmp_path / "x").write_text("1")
    files.is_on = False
    with owned_by(run):
        (tmp_path / "x").read_text()
    files.is_on = True
    assert files.taken(run) == ((), ())


@pytest.mark.parametrize(
    "path",
    [
        "/data/a.py",
        os.__file__,
        str(Path(sys.prefix, "share", "a.csv")),
        "/proc/meminfo",
        "HOME/.cache/fonts.json",
        "TEMPORARY/ipykernel_12/1.txt",
        "TEMPORARY/blockmgr-1f/0a/rdd_1_0",
    ],
)
def test_files_of_the_system_are_not_the_cells(path: str) -> None:
    place = path.replace("HOME", str(Path.home())).replace("TEMPORARY", tempfile.gettempdir())
    assert not is_own_file(place)


@pytest.mark.parametrize("name", ["spark-data.csv", "a.csv", "spark-runs/a.parquet"])
def test_a_file_in_the_temporary_folder_may_be_the_cells(name: str) -> None:
    assert is_own_file(str(Path(tempfile.gettempdir(), name)))


@pytest.mark.parametrize(
    ("mode", "flags", "expected"),
    [
        ("r", 0, False),
        ("rb", os.O_RDWR, False),
        ("r+", 0, True),
        ("xb", 0, True),
        (None, os.O_RDONLY | os.O_CLOEXEC, False),
        (None, os.O_WRONLY | os.O_CREAT, True),
    ],
)
def test_whether_a_file_is_written_is_in_mode_or_flags(
    mode: str | None, flags: int, expected: bool
) -> None:
    assert is_written(mode, flags) is expected
