"""The progress of a cell under a person's hands: keys, buttons, a console, a kernel that ends."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from lab.conftest import Browser, NotebookPage

_WORK = """\
import os, time
from threading import Thread
def wait_for(path):
    def look(_):
        while not os.path.exists(path):
            time.sleep(0.1)
    sc.parallelize([0], 1).foreach(look)
"""
_TWO, _AFTER, _SLOW = range(3)
_CELLS = (
    f"{_WORK}first = Thread(target=wait_for, args=[os.path.abspath('first')])\n"
    "first.start()\n"
    "while not sc.statusTracker().getActiveJobsIds(): time.sleep(0.1)\n"
    "wait_for(os.path.abspath('second')); first.join()",
    "6 * 7",
    f"{_WORK}wait_for('/never')",
)
_KEEP = """button => {
    window.kept = button;
    window.blurs = 0;
    button.addEventListener('blur', () => window.blurs++);
    button.focus();
}"""


@pytest.fixture(scope="module")
def notebook(browser: Browser) -> Iterator[NotebookPage]:
    """Give a notebook whose Spark is ready."""
    notebook = browser.open(*_CELLS)
    notebook.wait_ready()
    yield notebook


def progress(notebook: NotebookPage, number: int) -> Any:
    """Give the progress of a cell."""
    return notebook.cell(number).locator(".spark-kernel-progress")


def wait_started_again(notebook: NotebookPage) -> None:
    """Wait until the next kernel has its Spark."""
    notebook.page.wait_for_selector(".spark-kernel-status [data-kind=wait]")
    notebook.wait_ready()


def test_button_keeps_the_focus_when_the_job_above_it_ends(notebook: NotebookPage) -> None:
    notebook.run(_TWO)
    jobs = progress(notebook, _TWO).locator(".spark-kernel-row .spark-kernel-cancel:visible")
    jobs.nth(1).wait_for()
    jobs.nth(1).evaluate(_KEEP)
    (notebook.lab.root / "second").touch()
    finished = progress(notebook, _TWO).get_by_role("button", name="1 finished job", exact=True)
    finished.wait_for()
    assert notebook.page.evaluate("document.activeElement === window.kept && !window.blurs")
    finished.click()
    assert finished.get_attribute("aria-expanded") == "true"
    assert progress(notebook, _TWO).locator("a:visible", has_text="Job").count() == 2


def test_keyboard_goes_on_after_a_cell_was_cancelled_with_it(notebook: NotebookPage) -> None:
    notebook.cancel(_TWO).focus()
    notebook.page.keyboard.press("Space")
    notebook.wait_text(progress(notebook, _TWO), "1 cancelled")
    notebook.wait_done(_TWO)
    notebook.wait_text(progress(notebook, _TWO).get_by_role("status"), "This cell was cancelled.")
    assert "1 cancelled" in notebook.page.locator("*:focus").inner_text()
    notebook.page.keyboard.press("ArrowDown")
    notebook.page.keyboard.press("Shift+Enter")
    notebook.wait_done(_AFTER)
    assert "42" in notebook.cell(_AFTER).inner_text()


def test_cancel_says_that_there_was_nothing_to_cancel(notebook: NotebookPage) -> None:
    notebook.command("Cancel All Spark Jobs")
    asked = notebook.page.locator(".jp-Dialog")
    notebook.wait_text(asked, "No Spark job was running")
    asked.locator("button").click()


def test_console_shows_progress_and_cancels(notebook: NotebookPage) -> None:
    notebook.command("New Console for Notebook")
    console = notebook.page.locator(".jp-CodeConsole")
    console.locator(".jp-CodeConsole-promptCell .cm-content").click()
    notebook.page.keyboard.insert_text(_CELLS[_SLOW])
    notebook.page.keyboard.press("Shift+Enter")
    head = console.locator(".spark-kernel-head")
    notebook.wait_text(head, "1 Spark job running")
    head.locator(".spark-kernel-cancel").click()
    notebook.wait_text(head, "1 cancelled")
    notebook.wait_text(console.locator(".jp-CodeConsole-content"), "KeyboardInterrupt")
    assert console.locator(".spark-kernel-cancel:visible").count() == 0


def test_job_whose_kernel_is_restarted_runs_no_more(notebook: NotebookPage) -> None:
    notebook.page.locator(".lm-TabBar-tab", has_text=notebook.name).first.click()
    notebook.run(_SLOW)
    notebook.cancel(_SLOW).wait_for()
    notebook.command("Restart Kernel…")
    notebook.page.locator(".jp-Dialog .jp-mod-accept").click()
    notebook.cancel(_SLOW).wait_for(state="detached")
    wait_started_again(notebook)
    # Most often the kernel still finds the time to tell.
    head = progress(notebook, _SLOW).locator(".spark-kernel-head")
    assert re.search("1 cancelled|the kernel ended", head.inner_text())


def test_outcome_of_a_job_is_not_known_where_its_kernel_died(notebook: NotebookPage) -> None:
    notebook.run(_SLOW)
    notebook.cancel(_SLOW).wait_for()
    notebook.lab.kill_kernel()
    notebook.wait_text(progress(notebook, _SLOW), "the kernel ended, so the outcome is not known")
    assert notebook.cancel(_SLOW).count() == 0
    wait_started_again(notebook)  # a server does not end while it restarts a kernel
