"""Notebooks as documents: records in the file, results on paper, and hostile content."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import nbformat
import pytest
from kernel_real.leftovers import wait_until
from nbformat.v4 import new_code_cell, new_notebook, new_output

from lab.conftest import ALL_IN_PAGE, NOTEBOOKS, Browser, Lab, NotebookPage
from spark_kernel.protocol.progress import PROGRESS_MIME
from spark_kernel.protocol.provenance import KEY

_ON, _LONG, _GONE, _MOVED, _PARTS, _TABLE, _CHART, _ERROR = range(8)
_CELLS = (
    "%spark provenance on",
    "import time; time.sleep(1)",
    "gone = 1",
    "moved = 2",
    "first = 3\n\nsecond = 4",
    "frame = spark.range(0, 120, 1, 2).selectExpr('id', '1000 - id AS down', \"'<b>' AS name\")\n"
    "sc.parallelize(range(4), 2).map(lambda n: time.sleep(0.5)).count()\n"
    "frame",
    "display(frame, chart='bar', x='name', y='down')",
    "sc.parallelize([0], 1).map(lambda n: 1 // n).collect()",
)
_HOSTILE = {
    "version": "1.0",
    "cell_id": "<b>cell</b>",
    "is_final": True,
    "elapsed_s": 1e300,
    "jobs": [
        {
            "id": 1e300,
            "description": "<img src=x onerror='window.harmed = 1'>" * 1000,
            "state": "succeeded",
            "url": "javascript:window.harmed=1",
            "tasks": {"total": 1e300, "completed": -5, "active": "many", "failed": None},
            "stages": [{"id": 1, "name": "<script>window.harmed=1</script>", "url": "data:,x"}]
            * 500,
        }
    ]
    * 500,
    "queries": "none",
    "totals": {"running": 1e300, "finished": -1, "tasks": [], "input_bytes": 1e300},
}


_SCROLL = """part => {
  const scrolled = document.querySelector('.jp-WindowedPanel-outer');
  scrolled.scrollTop = part * scrolled.scrollHeight;
}"""
_ARE_BELOW = """([first, last]) => {
  const cells = [...document.querySelectorAll('.jp-Notebook .jp-Cell')];
  const shown = cells.filter(cell => cell.style.display !== 'none');
  const isThere = number => number >= first && number <= last;
  return shown.some(cell => isThere(Number(cell.dataset.windowedListIndex))) &&
    shown.every(cell => {
      const outputs = cell.querySelector('.jp-Cell-outputWrapper');
      const note = cell.querySelector('.spark-kernel-note');
      return note?.parentElement === cell && cell.querySelector('.jp-Cell-inputWrapper') &&
        outputs.compareDocumentPosition(note) === Node.DOCUMENT_POSITION_FOLLOWING;
    });
}"""
"""Whether one of some cells is shown, and all that are have their notes below their outputs."""


@pytest.fixture(scope="module")
def notebook(browser: Browser) -> Iterator[NotebookPage]:
    """Give a notebook in provenance mode."""
    notebook = browser.open(*_CELLS)
    notebook.wait_text(notebook.page.locator("#jp-main-statusbar"), "| Idle")
    notebook.run(_ON)
    notebook.wait_done(_ON)
    yield notebook


def select(notebook: NotebookPage, number: int) -> None:
    """Select a cell, for commands."""
    notebook.cell(number).locator(".jp-InputArea-prompt").first.click()


def records(notebook: NotebookPage) -> dict[str, tuple[Any, Any]]:
    """Save, and give the count of each cell that has run, and that of its record."""
    notebook.save_to_disk()
    return {
        cell.id: (cell.execution_count, cell.metadata.get(KEY, {}).get("execution_count"))
        for cell in notebook.file.cells
        if cell.execution_count or KEY in cell.metadata
    }


def test_records_follow_cells_that_are_moved_deleted_and_brought_back(
    notebook: NotebookPage,
) -> None:
    for number in (_LONG, _GONE, _MOVED):
        notebook.run(number)
    select(notebook, _GONE)
    notebook.page.keyboard.press("d")
    notebook.page.keyboard.press("d")
    select(notebook, _GONE)  # now the one that is moved
    notebook.command("Move Cell Up")
    notebook.wait_done(_GONE)
    notebook.wait_done(_LONG)
    want = {"cell-0": (1, 1), "cell-1": (2, 2), "cell-3": (4, 4)}
    assert records(notebook) == want
    for _ in range(2):
        notebook.page.keyboard.press("z")
    notebook.wait_text(notebook.cell(_GONE), "gone")
    # Whether it has run is JupyterLab's to say.
    assert records(notebook) in (want, {**want, "cell-2": (3, 3)})
    notebook.run(_GONE)
    notebook.wait_text(notebook.cell(_GONE), "[5]")
    assert records(notebook) == {**want, "cell-2": (5, 5)}


def test_of_a_split_cell_the_part_that_keeps_the_outputs_keeps_the_record(
    notebook: NotebookPage,
) -> None:
    notebook.run(_PARTS)
    notebook.wait_done(_PARTS)
    before = records(notebook)
    notebook.cell(_PARTS).locator(".cm-line").nth(1).click()
    notebook.command("Split Cell")
    notebook.wait_text(notebook.cell(_PARTS + 1), "second")
    assert records(notebook) == before
    notebook.page.keyboard.press("z")
    notebook.wait_text(notebook.cell(_PARTS + 1), "frame")
    assert records(notebook) == before


def test_results_are_recorded_by_restart_and_run_all(notebook: NotebookPage) -> None:
    notebook.command("Restart Kernel and Run All")
    notebook.page.locator(".jp-Dialog .jp-mod-accept").click()
    notebook.wait_text(notebook.cell(_LONG), "[2]")
    notebook.wait_done(_ERROR)
    wanted = {f"cell-{number}": (number + 1, number + 1) for number in range(len(_CELLS))}
    assert wait_until(lambda: records(notebook) == wanted, 10)
    nbformat.validate(notebook.file)


def test_results_are_in_an_exported_page_and_on_paper(
    notebook: NotebookPage, browser: Browser
) -> None:
    path = notebook.lab.root / notebook.name
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    page = browser.browser.new_page()
    page.goto(path.with_suffix(".html").as_uri(), wait_until="domcontentloaded")
    page.get_by_text("50 of 100").wait_for()
    table = page.locator(".spark-kernel-table").first
    table.get_by_role("button", name="down").click()
    assert table.locator("tbody td").first.inner_text() == "99"
    assert page.get_by_text(re.compile(r"\d tasks")).count() >= 1
    assert page.get_by_text("ZeroDivisionError").count() >= 1
    assert page.locator("img[src^='data:image/png']").count() == 1
    page.emulate_media(media="print")
    rows = table.locator("tbody tr")
    box, last = table.bounding_box(), rows.last.bounding_box()
    assert rows.count() == 50
    assert last["y"] + last["height"] <= box["y"] + box["height"]
    assert not table.get_by_role("button", name="Next rows").is_visible()
    page.close()


@pytest.mark.parametrize("mode", ["contentVisibility", "full"])
def test_a_cell_that_was_out_of_sight_has_its_line_below_its_outputs(
    lab: Lab, browser: Browser, mode: str
) -> None:
    """The modes are the default of JupyterLab 4.6, and that of 4.4."""
    record = {"source_sha256": "0" * 64, "status": "ok", "finished": "2026-01-01T00:00:00Z"}
    output = new_output("stream", text="\n" * 40)
    cells = [
        new_code_cell(
            f"{i}", id=f"cell-{i}", execution_count=1, outputs=[output], metadata={KEY: record}
        )
        for i in range(60)
    ]
    spec = {"name": "python3", "display_name": "python3", "language": "python"}
    name = f"{mode}.ipynb"
    nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), lab.root / name)
    lab.choose(NOTEBOOKS, {"windowingMode": mode})
    page = browser.open(name=name)
    lab.choose(NOTEBOOKS, ALL_IN_PAGE)
    page.wait_text(page.cell(0), "Changed since it ran")
    for part, cells_there in ((1, [59, 59]), (0.5, [10, 50]), (0, [1, 1]), (1, [59, 59])):
        page.page.evaluate(_SCROLL, part)
        page.page.wait_for_function(_ARE_BELOW, arg=cells_there)
    page.page.close()


def test_hostile_file_shows_text_and_no_live_link(lab: Lab, browser: Browser) -> None:
    data = {PROGRESS_MIME: _HOSTILE, "text/plain": "fallback"}
    metadata = {
        KEY: {"source_sha256": "x", "status": "<b>", "user": "<img src=x>", "finished": "9" * 50}
    }
    cell = new_code_cell("1", id="cell-0", metadata=metadata)
    cell.outputs = [new_output("display_data", data, metadata=metadata)]
    spec = {"name": "python3", "display_name": "python3", "language": "python"}
    nbformat.write(new_notebook(cells=[cell], metadata={"kernelspec": spec}), lab.root / "x.ipynb")
    page = browser.open(name="x.ipynb")
    shown = page.cell(0).locator(".spark-kernel-progress")
    page.wait_text(shown, "Spark jobs")
    while shown.locator("[aria-expanded=false]:visible").count():
        shown.locator("[aria-expanded=false]:visible").first.click()
    page.wait_text(shown, "<img src=x onerror")
    page.wait_text(shown, "<script>")
    assert shown.locator("img, script, a").count() == 0
    assert page.page.evaluate("window.harmed") is None
    page.page.close()
