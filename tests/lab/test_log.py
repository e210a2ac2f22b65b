"""The driver's log in JupyterLab and Notebook 7, and the errors that lead to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from lab.conftest import Browser, NotebookPage

_FAILING, _SAYING, _MANY, _MISSING, _RESTART, _READY = range(6)
_CELLS = (
    "import time; sc.parallelize([1, 0], 2).map(lambda n: time.sleep(2) or 1 / n).count()",
    "sc._jvm.java.lang.System.err.println("
    "\"26/11/25 10:00:00 WARN Mine: <img src=x onerror='document.title=1'> password=hunter2\")",
    "for n in range(200): sc._jvm.java.lang.System.err.println(f'26/11/25 10:00:00 INFO A: n{n}')",
    "spark.table('nix')",
    "%spark restart",
    "spark.range(3).count()",
)
_DIRTY = ".lm-TabBar-tab.jp-mod-dirty"
_OUTER, _TRACEBACK = re.compile("^Details: "), re.compile("^Python traceback$")


@pytest.fixture(scope="module")
def notebook(browser: Browser) -> Iterator[NotebookPage]:
    """Give a notebook whose Spark is ready, with a cell that failed in Spark."""
    notebook = browser.open(*_CELLS)
    notebook.wait_ready()
    done(notebook, _FAILING)
    yield notebook


def done(notebook: NotebookPage, number: int) -> None:
    """Run a cell to its end, also one that has run before."""
    prompt = notebook.cell(number).locator(".jp-InputPrompt")
    before = prompt.inner_text()
    notebook.run(number)
    notebook.page.wait_for_function(
        "([prompt, before]) => prompt.textContent !== before && /\\d/.test(prompt.textContent)",
        arg=[prompt.element_handle(), before],
        timeout=60_000,
    )


def saved(notebook: NotebookPage) -> None:
    """Save the notebook, which need not be where a person is."""
    notebook.cell(_READY).locator(".jp-InputArea-prompt").first.click()
    notebook.save()
    notebook.page.wait_for_selector(_DIRTY, state="detached")


def log_of(notebook: NotebookPage) -> Any:
    """Give the lines in the panel of the log."""
    return notebook.page.locator(".spark-kernel-log-lines")


def button(notebook: NotebookPage, name: str) -> Any:
    """Give a button of the panel."""
    return notebook.page.locator(".spark-kernel-log-bar").get_by_role("button", name=name)


def test_error_leads_to_its_place_in_the_log_and_to_its_stage(notebook: NotebookPage) -> None:
    actions = notebook.cell(_FAILING).locator(".spark-kernel-error-actions")
    stage = actions.locator("a", has_text="Stage")
    assert re.search(r"^http://.*/stages/stage/\?id=\d+&attempt=0$", stage.get_attribute("href"))
    assert notebook.cell(_FAILING).locator("details summary", has_text=_OUTER).count() == 1
    actions.get_by_role("button", name="Driver log").click()
    here = log_of(notebook).locator("[aria-current]")
    here.wait_for()
    assert re.search(r" ERROR .* aborting job", here.inner_text())
    notebook.page.locator(".spark-kernel-log-note", has_text="at the time of the error").wait_for()


def test_log_is_followed_and_stays_where_a_person_reads(notebook: NotebookPage) -> None:
    button(notebook, "Follow").click()
    done(notebook, _SAYING)
    line = log_of(notebook).locator("> div", has_text="Mine")
    line.wait_for()
    assert line.inner_text().endswith("<img src=x onerror='document.title=1'> password=***")
    assert line.get_attribute("data-level") == "warn"
    done(notebook, _MANY)
    log_of(notebook).locator("> div", has_text="n199").wait_for()
    assert button(notebook, "Follow").get_attribute("aria-pressed") == "true"
    log_of(notebook).hover()
    notebook.page.mouse.wheel(0, -600)
    paused = notebook.page.locator(".spark-kernel-log-bar [aria-pressed=false]")
    paused.wait_for()
    log_of(notebook).press("Home")
    paused.click()
    log_of(notebook).locator("> div", has_text="n199").wait_for()


def test_lines_are_found_and_filtered_by_their_level(notebook: NotebookPage) -> None:
    bar = notebook.page.locator(".spark-kernel-log-bar")
    search = bar.get_by_role("searchbox")
    search.fill("a: N19")
    search.press("Enter")
    notebook.wait_text(bar, "1 of 11")
    assert log_of(notebook).locator("[aria-current] mark").inner_text() == "A: n19"
    search.press("Shift+Enter")
    notebook.wait_text(bar, "11 of 11")
    levels = bar.get_by_label("Least level that is shown")
    levels.select_option("error")
    notebook.wait_text(bar, "0 lines")
    shown = log_of(notebook).locator("> div:not([data-divider])")
    assert set(shown.evaluate_all("all => all.map(one => one.dataset.level)")) == {"error"}
    levels.select_option("all")
    search.press("Escape")
    notebook.wait_text(log_of(notebook), "n198")


def test_folds_stay_as_a_person_left_them(notebook: NotebookPage) -> None:
    saved(notebook)
    for title in (_OUTER, _TRACEBACK):
        notebook.cell(_FAILING).locator("summary", has_text=title).click()
        is_open(notebook, _FAILING, title)
    assert notebook.page.locator(_DIRTY).count() == 0
    done(notebook, _FAILING)
    is_open(notebook, _FAILING, _TRACEBACK)
    done(notebook, _MISSING)
    notebook.cell(_MISSING).locator("details:not([open]) > summary", has_text=_OUTER).click()
    is_open(notebook, _MISSING, _TRACEBACK)
    saved(notebook)
    notebook.page.reload(wait_until="domcontentloaded")
    notebook.wait()
    for number in (_FAILING, _MISSING):
        is_open(notebook, number, _OUTER)
        is_open(notebook, number, _TRACEBACK)


def is_open(notebook: NotebookPage, number: int, title: re.Pattern[str]) -> None:
    """Wait until a fold is open, in the one display of the error."""
    notebook.cell(number).locator("details[open] > summary", has_text=title).wait_for()
    assert notebook.cell(number).locator("summary", has_text=_OUTER).count() == 1


def test_log_goes_on_with_the_next_driver(notebook: NotebookPage) -> None:
    notebook.wait_ready()
    notebook.command("Show Driver Log")
    notebook.wait_text(log_of(notebook), "n199")
    done(notebook, _RESTART)
    done(notebook, _READY)
    log_of(notebook).locator("[data-divider]", has_text="Another driver").wait_for()
    drivers = notebook.page.locator(".spark-kernel-log-bar").get_by_label("Driver")
    drivers.select_option(index=1)
    notebook.page.locator(".spark-kernel-log-note", has_text="has ended").wait_for()
    notebook.wait_text(log_of(notebook), "n199")


def test_stage_of_a_driver_that_is_gone_is_shown_in_the_progress(notebook: NotebookPage) -> None:
    cell = notebook.cell(_FAILING)
    stage = cell.locator(".spark-kernel-error-actions button", has_text="Stage")
    stage.click()
    row = cell.locator(".spark-kernel-progress li[aria-current]")
    row.wait_for()
    assert stage.inner_text() in row.inner_text()
    cell.get_by_role("button", name="Driver log").click()
    here = log_of(notebook).locator("[aria-current]")
    here.wait_for()
    assert "aborting job" in here.inner_text()


def test_notebook_7_shows_the_log_below_the_notebook(
    notebook: NotebookPage, browser: Browser
) -> None:
    saved(notebook)
    other = browser.open(name=notebook.name, view="notebooks")
    other.wait_ready()
    other.status.click()
    other.page.locator(".spark-kernel-card").get_by_role("button", name="Driver log").click()
    log_of(other).locator("> div").first.wait_for()
    other.page.close()
