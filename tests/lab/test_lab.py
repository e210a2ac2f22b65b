"""What people see of Spark in JupyterLab and in Notebook 7: most tests share one notebook."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from kernel_real.leftovers import wait_until

from lab.conftest import Browser, NotebookPage
from spark_kernel.protocol.record_reading import record_of

_SLEEP = "import time; sc.parallelize(range(80), 80).map(lambda n: time.sleep(0.5)).count()"
_MARKUP = "<img src=x onerror='document.title=1'>"
_START, _SLOW, _AFTER, _MANY, _NAMED, _ON, _RECORDED, _OFF = range(8)
_CELLS = (
    "spark.range(10).count()",
    _SLEEP,
    "6 * 7",
    "from multiprocessing.pool import ThreadPool\n"
    "with ThreadPool(8) as pool: pool.map(lambda n: spark.range(1).count(), range(150))",
    f'sc.setJobDescription("{_MARKUP}"); {_SLEEP}',
    "%spark provenance on",
    "spark.range(1000).selectExpr('sum(id)').collect()",
    "%spark provenance off",
)


@pytest.fixture(scope="module")
def notebook(browser: Browser) -> Iterator[NotebookPage]:
    """Give a notebook whose Spark is ready; its start has been in sight."""
    notebook = browser.open(*_CELLS)
    assert notebook.page.wait_for_selector(".spark-kernel-status [data-kind=wait]")
    notebook.wait_ready()
    yield notebook


def test_a_running_job_is_in_sight_and_ends_with_a_click(notebook: NotebookPage) -> None:
    assert "ready" in notebook.status.inner_text()
    notebook.run(_SLOW)
    notebook.cancel(_SLOW).wait_for()
    assert notebook.cell(_SLOW).locator(".jp-OutputArea-output").count() == 1
    notebook.wait_text(notebook.status, "1 job · ")
    assert "| Busy" in notebook.page.inner_text("#jp-main-statusbar")
    notebook.cancel(_SLOW).click()
    notebook.wait_done(_SLOW)
    assert "KeyboardInterrupt" in notebook.cell(_SLOW).inner_text()
    assert notebook.cancel(_SLOW).count() == 0
    notebook.run(_AFTER)
    notebook.wait_done(_AFTER)
    assert "42" in notebook.cell(_AFTER).inner_text()


def test_a_job_is_cancelled_after_the_page_was_loaded_anew(notebook: NotebookPage) -> None:
    notebook.run(_SLOW)
    notebook.cancel(_SLOW).wait_for()
    notebook.save()
    notebook.page.reload(wait_until="domcontentloaded")
    notebook.wait()
    notebook.cancel(_SLOW).click()
    notebook.wait_text(notebook.cell(_SLOW), "1 cancelled")
    notebook.wait_ready()
    assert notebook.cell(_SLOW).locator(".spark-kernel-progress").count() == 1


def test_many_jobs_leave_the_page_able_to_answer(notebook: NotebookPage) -> None:
    notebook.run(_MANY)
    notebook.wait_done(_MANY)
    assert "Spark jobs" in notebook.cell(_MANY).inner_text()
    assert notebook.cell(_MANY).locator(".spark-kernel-progress *").count() < 1000


def test_markup_in_a_job_name_is_text(notebook: NotebookPage) -> None:
    notebook.run(_NAMED)
    shown = notebook.cell(_NAMED).locator(".spark-kernel-progress")
    notebook.wait_text(shown, "<img src=x")
    assert shown.locator("img").count() == 0
    job = notebook.cell(_NAMED).locator(".spark-kernel-row .spark-kernel-cancel")
    job.first.click()
    notebook.wait_done(_NAMED)
    assert "SparkJobCancelledError" in notebook.cell(_NAMED).inner_text()


def test_a_record_goes_into_its_cell_and_away_again(notebook: NotebookPage) -> None:
    for number in (_ON, _RECORDED, _AFTER):
        notebook.run(number)
        notebook.wait_done(number)
    notebook.save()
    assert wait_until(lambda: notebook.record(_RECORDED) is not None, 10)
    record = record_of(notebook.record(_RECORDED))
    assert record is not None and len(record.jobs) >= 1
    assert "session" not in notebook.record(_RECORDED)
    assert notebook.record(_START) is None
    notebook.type(_AFTER, " + 1")
    notebook.wait_text(notebook.cell(_AFTER), "Changed since it ran")
    notebook.command("Remove All Run Records")
    notebook.wait_text(notebook.cell(_AFTER), "Changed since it ran", is_there=False)
    for way in ("Up", "Down"):
        notebook.command(f"Move Cell {way}")  # which is a cell that goes, and one that comes
    notebook.save_to_disk()
    assert not notebook.has_records


def test_a_rerun_without_the_mode_removes_the_record(notebook: NotebookPage) -> None:
    notebook.run(_ON)
    notebook.wait_done(_ON)
    notebook.run(_AFTER)
    notebook.wait_done(_AFTER)
    notebook.run(_OFF)
    notebook.wait_done(_OFF)
    notebook.run(_RECORDED)
    notebook.wait_done(_RECORDED)
    notebook.save()
    assert wait_until(lambda: notebook.record(_AFTER) is not None, 10)
    assert notebook.record(_RECORDED) is None


def test_notebook_7_shows_the_cluster_and_what_was(
    notebook: NotebookPage, browser: Browser
) -> None:
    other = browser.open(name=notebook.name, view="notebooks")
    other.wait_ready()
    assert "ready" in other.status.inner_text()
    assert "Spark jobs" in other.cell(_MANY).inner_text()
    assert other.cancel(_MANY).count() == 0
    other.page.close()


def test_notebooks_of_other_kernels_are_left_alone(browser: Browser) -> None:
    other = browser.open("1 + 1", kernel="python3")
    other.wait_text(other.page.locator("#jp-main-statusbar"), "| Idle")
    other.run(0)
    other.wait_done(0)
    assert other.page.locator(".spark-kernel-status:visible").count() == 0
    other.page.close()


def test_the_card_tells_of_the_cluster_and_restarts_spark(notebook: NotebookPage) -> None:
    notebook.status.click()
    card = notebook.page.locator(".spark-kernel-card")
    notebook.wait_text(card, "python 3")
    notebook.wait_text(card.locator("tbody"), "driver")
    assert card.locator("a[href^='http']").count() >= 1
    card.get_by_text("Restart Spark").click()
    asked = notebook.page.locator(".jp-Dialog")
    notebook.wait_text(asked, "Cached data, temporary views and DataFrames are lost")
    asked.get_by_role("button", name="Restart Spark").click()
    notebook.page.wait_for_selector(".spark-kernel-status [data-kind=wait]")
    notebook.wait_ready()
