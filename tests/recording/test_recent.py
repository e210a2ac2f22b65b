"""What a kernel remembers, put into the notebook that it belongs to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from books import Book

from spark_kernel.protocol.provenance import CellRecord
from spark_kernel.protocol.staleness import StalenessReport
from spark_kernel.recording.environment import Environment
from spark_kernel.recording.notebooks import read_notebook
from spark_kernel.recording.recent import recent_notebook, with_recent
from spark_kernel.recording.staleness import judge


class Kernel:
    """A kernel that remembers what it ran of a notebook."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.saved = book.write(), book.clock
        self.history: dict[int, str] = {}
        self.note()

    def note(self) -> None:
        """Remember the sources of the latest runs."""
        for cell in self.book.cells:
            if cell.record is not None and cell.count is not None:
                self.history[cell.count] = cell.source

    @property
    def recent(self) -> list[tuple[str, CellRecord]]:
        """The latest runs."""
        return [(cell.source, cell.record) for cell in self.book.cells if cell.record is not None]

    def save(self) -> None:
        """Write the file."""
        self.saved = self.book.write(), self.book.clock

    def judge(self, saved: datetime | None = None) -> StalenessReport:
        """Judge the saved file with what is remembered."""
        path, moment = self.saved
        notebook = with_recent(read_notebook(path), self.recent, self.history, saved or moment)
        return judge(notebook, Environment(path.parent))

    def verdicts(self) -> str:
        """Give the first letters of the verdicts."""
        return "".join(cell.verdict.value[0] for cell in self.judge().cells)

    def run(self, *numbers: int) -> None:
        """Run some cells."""
        self.book.run(*numbers)
        self.note()


@pytest.fixture
def kernel(tmp_path: Path) -> Kernel:
    """Give a kernel that has run a notebook from top to bottom, which was saved."""
    return Kernel(Book.of(tmp_path, "a = 1", "b = a + 1", "print(b)"))


def test_a_run_since_the_file_was_saved_counts_with_its_source(kernel: Kernel) -> None:
    kernel.book.cells[1].source = "b = a + 2"
    kernel.run(2)
    assert kernel.verdicts() == "ffs"
    assert kernel.judge().cells[2].reasons[0].text == "b comes from [2], which ran later"


def test_an_edit_that_was_saved_since_the_run_is_stale(kernel: Kernel) -> None:
    ran = kernel.recent
    kernel.book.cells[1].source = "b = a + 2"
    kernel.save()
    path, moment = kernel.saved
    notebook = with_recent(read_notebook(path), ran, kernel.history, moment)
    assert judge(notebook, Environment(path.parent)).cells[1].reasons[0].kind.value == (
        "source_changed"
    )


def test_cells_that_ran_again_are_fresh_where_the_runs_in_between_are_known(
    kernel: Kernel,
) -> None:
    kernel.book.cells[1].source = "b = a + 2"
    kernel.run(2, 3)
    assert kernel.verdicts() == "fff"


def test_a_run_in_between_that_may_have_changed_a_value_is_told(kernel: Kernel) -> None:
    kernel.book.cells[2].source = "b = 5"
    kernel.run(3)
    kernel.book.cells[2].source = "print(b)"
    kernel.run(3)
    last = kernel.judge().cells[2]
    assert [reason.text for reason in last.reasons] == [
        "the run [4], which the notebook does not hold, may have changed b"
    ]


def test_runs_of_another_process_are_not_known_by_the_history_of_this(kernel: Kernel) -> None:
    kernel.run(2)
    recent = [(s, replace(r, kernel=replace(r.kernel, session="x"))) for s, r in kernel.recent[:1]]
    path, moment = kernel.saved
    notebook = with_recent(
        read_notebook(path), [*recent, *kernel.recent[1:]], kernel.history, moment
    )
    assert notebook.others == ()


def test_an_older_memory_than_the_file_does_not_count(kernel: Kernel) -> None:
    old = kernel.recent
    kernel.book.restart()
    kernel.run(1, 2, 3)
    kernel.save()
    path, moment = kernel.saved
    notebook = with_recent(read_notebook(path), old, {}, moment - timedelta(days=1))
    assert {cell.record.kernel.session for cell in notebook.cells if cell.record} == {"s1'"}


def test_without_a_file_the_cells_stand_in_the_order_in_which_they_ran(kernel: Kernel) -> None:
    kernel.run(1)
    notebook = recent_notebook(kernel.recent, kernel.history)
    assert [cell.source for cell in notebook.cells] == ["b = a + 1", "print(b)", "a = 1"]
    assert [run.execution_count for run in notebook.others] == [1]
