"""What people see of Spark in JupyterLab and in Notebook 7."""

from __future__ import annotations

from lab.conftest import Browser


def test_status_bar_tells_of_the_start_and_of_the_cluster(browser: Browser) -> None:
    notebook = browser.open("1 + 1")
    seen = notebook.page.wait_for_selector(".spark-kernel-status [data-kind=wait]")
    assert seen
    notebook.wait_ready()
    assert "ready" in notebook.status.inner_text()
    notebook.page.screenshot(path="/tmp/lab-shots/status.png")
