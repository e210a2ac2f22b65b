"""``spark-kernel run``: a real kernel, whose Spark does not start, as these cells need none."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill.cli import _resolve_type
from spark_kernel_command import WriteSpec, run, run_process

from spark_kernel.cli.run import value_of
from spark_kernel.cli.run_progress import CellProgress
from spark_kernel.protocol.provenance import KEY, CellRecord, JobRecord, RunStatus

WriteNotebook = Callable[..., Path]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder of its own, with kernels whose Spark does not start by itself."""
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("SPARK_KERNEL_START_MODE", "off")
    return folder


@pytest.fixture
def write(place: Path) -> WriteNotebook:
    """Write a notebook of sources."""

    def written(*sources: str, name: str = "in.ipynb", **metadata: Any) -> Path:
        cells = [new_code_cell(source) for source in sources]
        cells[0].metadata["tags"] = ["parameters"]
        nbformat.write(
            new_notebook(cells=[new_markdown_cell("# Title"), *cells], metadata=metadata), name
        )
        return place / name

    return written


def read(name: str) -> Any:
    """Read a notebook, which must be a valid one."""
    notebook = nbformat.read(name, as_version=4)
    nbformat.validate(notebook)
    return notebook


def recorded(notebook: Any) -> list[str | None]:
    """Give the status of each code cell's record."""
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [cell.metadata.get(KEY, {}).get("status") for cell in codes]


def test_notebook_runs_in_place_with_parameters_records_and_lineage(write: WriteNotebook):
    write("n = 1", "import os\nprint(n * 2, os.path.basename(os.getcwd()))", "")
    Path("{data}").mkdir()
    finished = run_process(
        "run", "in.ipynb", "-o", "in.ipynb", "-p", "n", "21", "-p", "unknown", "x",
        "--cwd", "{data}", "--lineage", "events.ndjson",
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    lines = finished.stdout.splitlines()
    assert [line.split("]")[0] for line in lines if line.startswith("[")] == [
        "[1/3",
        "[2/3",
        "[3/3",
    ]
    assert "n = 1" in finished.stdout
    assert "unknown" in next(line for line in lines if line.startswith("Warning"))
    assert lines[-1].startswith("3 cells")
    assert lines[-1].endswith(": in.ipynb")
    notebook = read("in.ipynb")
    printed = [
        one.text for cell in notebook.cells for one in cell.get("outputs", []) if "text" in one
    ]
    assert printed == ["42 {data}\n"]
    assert recorded(notebook)[:3] == ["ok", "ok", "ok"]
    assert notebook.metadata[KEY].cells.ok == 3
    assert notebook.metadata.papermill.input_path == "in.ipynb"
    events = [json.loads(line) for line in Path("events.ndjson").read_text().splitlines()]
    assert [event["eventType"] for event in events] == [
        "START",
        *["START", "COMPLETE"] * 3,
        "COMPLETE",
    ]
    assert events[0]["run"]["runId"] == notebook.metadata[KEY].run_id
    told = run("lineage", "in.ipynb", "-o", "again.ndjson")
    assert told.output == "8 events: again.ndjson\n"


def test_failing_cell_ends_the_run_and_the_cells_below_it_have_no_record(write: WriteNotebook):
    path = write("1", "raise ValueError('on purpose')", "print('never')")
    finished = run_process("run", "in.ipynb", "-o", "out.ipynb")
    assert finished.returncode == 1
    assert "Cell 2 of 3 failed: ValueError: on purpose" in finished.stderr
    assert "as far as it ran is out.ipynb" in finished.stderr
    assert len(finished.stderr.splitlines()) <= 3
    notebook = read("out.ipynb")
    assert recorded(notebook) == ["ok", "error", None]
    assert notebook.metadata[KEY].status == "error"
    assert recorded(read(str(path))) == [None] * 3


def interrupted(number: int, *, is_stubborn: bool = False) -> tuple[int, str]:
    """Run the notebook and signal when its cell runs; give the exit status and stderr.

    A stubborn cell is signalled a second time.
    """
    command = [Path(sys.executable).with_name("spark-kernel"), "run", "in.ipynb", "-o", "out.ipynb"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not Path("pid").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    if is_stubborn:
        assert process.stdout is not None
        assert any("Interrupting" in line for line in process.stdout)
        process.send_signal(number)
    _, said = process.communicate(timeout=60)
    return process.returncode, said


def is_alive(name: str) -> bool:
    """Whether the process lives whose id a cell has written to a file."""
    try:
        os.kill(int(Path(name).read_text()), 0)
    except ProcessLookupError:
        return False
    return True


BUSY = "import os, time, pathlib\npathlib.Path('pid').write_text(str(os.getpid()))\ntime.sleep(60)"


def test_ctrl_c_interrupts_the_cell_saves_the_notebook_and_ends_the_kernel(write: WriteNotebook):
    write("1", BUSY, "2")
    status, said = interrupted(signal.SIGINT)
    assert status == 130
    assert "Interrupted in cell 2 of 3." in said
    assert recorded(read("out.ipynb")) == ["ok", "interrupted", None]
    assert read("out.ipynb").metadata[KEY].status == "interrupted"
    assert not is_alive("pid")


def test_second_signal_ends_a_kernel_whose_cell_does_not_end(write: WriteNotebook):
    stubborn = BUSY.replace("time.sleep(60)", "") + (
        "while True:\n    try:\n        time.sleep(60)\n    except KeyboardInterrupt:\n        pass"
    )
    write("1", stubborn, "2")
    status, said = interrupted(signal.SIGTERM, is_stubborn=True)
    assert status == 143
    assert "Interrupted in cell 2 of 3." in said
    assert recorded(read("out.ipynb")) == ["ok", None, None]
    assert read("out.ipynb").metadata[KEY].status == "error"
    assert not is_alive("pid")


def test_cell_that_runs_too_long_is_interrupted_and_records_can_be_left_out(write: WriteNotebook):
    write("1", "import time\ntime.sleep(60)")
    finished = run_process(
        "run", "in.ipynb", "-o", "out.ipynb", "--timeout", "1", "--no-provenance"
    )
    assert finished.returncode == 1
    assert "Cell 2 of 2 ran longer than 1 s" in finished.stderr
    assert KEY not in Path("out.ipynb").read_text()


def test_kernel_that_dies_is_said(write: WriteNotebook):
    write("1", "import os\nos._exit(3)")
    finished = run_process("run", "in.ipynb", "-o", "out.ipynb")
    assert finished.returncode == 1
    assert "The kernel died in cell 2 of 2." in finished.stderr
    assert recorded(read("out.ipynb")) == ["ok", None]


def test_kernel_that_does_not_start_leaves_the_notebook_as_it_was(
    write: WriteNotebook, write_kernelspec: WriteSpec
):
    write_kernelspec("broken", [sys.executable, "-c", "raise SystemExit(3)"])
    path = write("1")
    before = path.read_bytes()
    result = run("run", "in.ipynb", "-o", "in.ipynb", "--kernel", "broken")
    assert result.exit_code == 1
    assert "The kernel broken did not start" in result.stderr
    assert "Nothing was run" in result.stderr
    assert path.read_bytes() == before


WRONG = {
    "missing.ipynb -o out.ipynb": "missing.ipynb cannot be read: No such file",
    "text.ipynb -o out.ipynb": "text.ipynb is no notebook",
    "in.ipynb -o missing/out.ipynb": "There is no folder",
    "in.ipynb -o .": "OUT (.) is a folder",
    "in.ipynb -o out.ipynb -k pyspark_clustr": "did you mean 'pyspark_cluster'?",
    "in.ipynb -o out.ipynb --cwd missing": "There is no folder missing",
    "in.ipynb": "Missing option '-o'",
    "in.ipynb -o out.ipynb -p n": "requires 2 arguments",
    "scala.ipynb -o out.ipynb": "a notebook of scala",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_arguments_run_nothing(arguments: str, write: WriteNotebook):
    write("1")
    write(
        "1", name="scala.ipynb", kernelspec={"name": "x", "display_name": "X", "language": "scala"}
    )
    Path("text.ipynb").write_text("text")
    result = run("run", *arguments.split())
    assert result.exit_code == 2
    assert WRONG[arguments] in result.stderr
    assert not Path("out.ipynb").exists()


def test_missing_extra_is_named(write: WriteNotebook, monkeypatch: pytest.MonkeyPatch):
    write("1")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = run("run", "in.ipynb", "-o", "out.ipynb")
    assert result.exit_code == 2
    assert "pip install 'spark-kernel[run]'" in result.stderr


@pytest.mark.parametrize("text", ["True", "None", "3", "-4", "2.5", "1e3", "nan", "x", "", "1_000"])
def test_parameters_have_the_types_that_papermill_gives_them(text: str):
    expected = _resolve_type(text)
    assert repr(value_of(text)) == repr(expected)


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


RECORD = CellRecord(1, "c", "ana", "h", RunStatus.OK, "ab", jobs=(JobRecord(1, "succeeded"),))


def test_terminal_shows_a_cell_in_place_and_nothing_of_it_moves_the_cursor():
    terminal = Terminal()
    progress = CellProgress(10, terminal, clock=iter(range(0, 1000, 5)).__next__)
    progress.start()
    progress.cell_started("\n\x1b[2Jx = 1\r\n")
    progress.cell_finished({"status": "ok"}, RECORD)
    progress.stop()
    progress.stop()
    running, done = terminal.getvalue().split("\r")[1:]
    assert "running" in running
    assert running.endswith("\x1b[K")
    assert "\x1b[2J" not in running
    assert done.startswith("[ 1/10]")
    assert "ok" in done
    assert done.endswith("1 job\x1b[K\n")


def test_pipe_gets_a_line_of_a_cell_when_it_is_done():
    stream = io.StringIO()
    progress = CellProgress(1, stream, clock=iter(range(0, 1000, 90)).__next__)
    progress.cell_started("x" * 500)
    assert stream.getvalue() == ""
    progress.cell_finished({"status": "error"}, None)
    assert stream.getvalue().count("\n") == 1
    assert "failed" in stream.getvalue()
    assert "1 min 30 s" in stream.getvalue()
    assert len(stream.getvalue()) < 130
