"""What people see of Spark in JupyterLab and in Notebook 7."""

from __future__ import annotations

from typing import Any

from lab.conftest import Browser, NotebookPage

_SLOW = "import time\nsc.parallelize(range({tasks}), {tasks}).map(lambda n: time.sleep({s})).count()"


def test_start_job_and_cancel_are_in_sight(browser: Browser) -> None:
    notebook = browser.open("spark.range(10).count()", _SLOW.format(tasks=80, s=0.5), "6 * 7")
    page = notebook.page
    assert page.wait_for_selector(".spark-kernel-status [data-kind=wait]")
    notebook.wait_ready()
    assert "ready" in notebook.status.inner_text()
    notebook.run(1)
    cancel = notebook.cell(1).locator(".spark-kernel-head .spark-kernel-cancel")
    cancel.wait_for()
    page.wait_for_timeout(2500)
    page.screenshot(path="/tmp/lab-shots/progress.png")
    assert "| Busy" in page.inner_text("#jp-main-statusbar")
    assert "1 job" in notebook.status.inner_text()
    cancel.click()
    notebook.wait_done(1)
    assert "KeyboardInterrupt" in notebook.cell(1).inner_text() or "Cancelled" in notebook.cell(1).inner_text()
    page.screenshot(path="/tmp/lab-shots/cancelled.png")
    notebook.run(2)
    notebook.wait_done(2)
    assert "42" in notebook.cell(2).inner_text()
