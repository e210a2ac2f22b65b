"""Whole stories in JupyterLab: a start, two windows, a dead driver, a cluster, another day."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import nbformat
import pytest
from kernel_real.cluster import Cluster, standalone_cluster
from kernel_real.leftovers import kill_all, wait_until
from kernel_real.notebook import NotebookMaker

from lab.conftest import Browser, NotebookPage
from spark_kernel.kernel.clusters import FILE_NAME
from spark_kernel.protocol.progress import PROGRESS_MIME

_LOOK, _SLOW, _AFTER, _ON = range(4)
_CELLS = (
    "spark.range(10).count()",
    "import time; sc.parallelize(range(80), 80).map(lambda n: time.sleep(0.5)).count()",
    "6 * 7",
    "%spark provenance on",
)
_STAGES = ("lost", "Preparing the driver", "Attaching to cluster", "ready")
_HEAR = """() => {
  let last = '';
  window.said = [];
  const hear = () => {
    const text = document.querySelector('.spark-kernel-status .spark-kernel-text')?.textContent;
    if (text && last !== text) window.said.push(last = text);
  };
  new MutationObserver(hear).observe(
    document.body, { subtree: true, childList: true, characterData: true });
  hear();
}"""
"""Keeps what the status bar says."""
_PROVENANCE = "@spark-kernel/labextension/provenance"
_CLUSTER = """
[analytics]
master = "{master}"
conf = {{ "spark.driver.host" = "127.0.0.1", "spark.executor.memory" = "512m" }}
"""


@pytest.fixture(scope="module")
def notebook(browser: Browser) -> Iterator[NotebookPage]:
    """Give a notebook in provenance mode; what its status bar says is kept from the start on."""
    notebook = browser.open(*_CELLS)
    notebook.page.evaluate(_HEAR)
    notebook.wait_ready()
    notebook.run(_ON)
    notebook.wait_done(_ON)
    yield notebook


@pytest.fixture
def cluster(new_notebook: NotebookMaker) -> Iterator[Cluster]:
    """Run a standalone cluster, and name it in Jupyter's configuration."""
    folder, mark = new_notebook.next_place()
    file = Path(os.environ["JUPYTER_CONFIG_DIR"], FILE_NAME)
    try:
        with standalone_cluster(folder, mark) as cluster:
            cluster.add_worker(is_awaited=False)
            file.write_text(_CLUSTER.format(master=cluster.url))
            yield cluster
    finally:
        file.unlink(missing_ok=True)
        kill_all(mark)


def stages_said(notebook: NotebookPage) -> list[str]:
    """Give the stages that the status bar has told of since this was asked before, in order."""
    texts = notebook.page.evaluate("window.said.splice(0)")
    for stage in _STAGES:
        said = [re.search(r" (\d+) s$", text) for text in texts if stage in text]
        times = [int(match[1]) for match in said if match]
        assert times == sorted(times), texts
    found = [stage for text in texts for stage in _STAGES if stage in text]
    return [stage for stage, _ in groupby(found)]


def begin(notebook: NotebookPage) -> None:
    """Run the slow cell until its job is shown as running."""
    notebook.run(_SLOW)
    notebook.cancel(_SLOW).wait_for()
    notebook.wait_text(notebook.status, "1 job · ")


def progress_of(notebook: NotebookPage, number: int) -> list[str]:
    """Give what each of the displays of progress in a cell's outputs says."""
    shown = notebook.cell(number).locator(".spark-kernel-progress")
    return list(shown.all_inner_texts())


def test_stages_of_a_start_are_told_in_order(notebook: NotebookPage) -> None:
    said = stages_said(notebook)
    assert said == [stage for stage in _STAGES if stage in said]
    assert said[-2:] == ["Attaching to cluster", "ready"]


def test_two_windows_show_a_job_and_either_ends_it(
    notebook: NotebookPage, browser: Browser
) -> None:
    notebook.save_to_disk()
    other = browser.open(name=notebook.name)
    other.wait_ready()
    begin(notebook)
    other.cancel(_SLOW).wait_for()
    assert len(progress_of(other, _SLOW)) == 1
    other.cancel(_SLOW).click()
    notebook.wait_done(_SLOW)
    other.wait_text(other.cell(_SLOW), "1 cancelled")
    assert "1 cancelled" in progress_of(notebook, _SLOW)[0]
    notebook.save_to_disk()
    nbformat.validate(notebook.file)
    outputs = notebook.file.cells[_SLOW].outputs
    assert [PROGRESS_MIME in output.get("data", {}) for output in outputs] == [True, False]
    assert notebook.record(_SLOW)["status"] == "interrupted"
    # Nobody has done anything to the notebook here: JupyterLab is not to ask which one counts.
    assert not other.is_dirty
    for is_opened_anew in (False, True):
        if is_opened_anew:
            other.open()
            other.wait_text(other.cell(_SLOW), "KeyboardInterrupt")
        shows_next_run(notebook, other)
    other.page.close()


def shows_next_run(notebook: NotebookPage, other: NotebookPage) -> None:
    """Run the slow cell again: a window that shows its latest run shows this one alone."""
    assert "1 cancelled" in other.cell(_SLOW).inner_text()
    begin(notebook)
    other.cancel(_SLOW).wait_for()
    assert len(progress_of(other, _SLOW)) == 1
    assert "KeyboardInterrupt" not in other.cell(_SLOW).inner_text()
    assert "[ ]" in other.cell(_SLOW).locator(".jp-InputPrompt").inner_text()
    notebook.cancel(_SLOW).click()
    notebook.wait_done(_SLOW)
    other.wait_text(other.cell(_SLOW), "1 cancelled")
    assert len(progress_of(other, _SLOW)) == 1
    assert not other.is_dirty
    notebook.save_to_disk()


def test_driver_dies_at_work_and_the_next_cell_starts_spark_again(notebook: NotebookPage) -> None:
    begin(notebook)
    stages_said(notebook)
    notebook.lab.kill_driver()
    notebook.wait_done(_SLOW)
    assert "DriverLostError" in notebook.cell(_SLOW).inner_text()
    (progress,) = progress_of(notebook, _SLOW)
    assert "1 with unknown outcome" in progress
    assert notebook.cancel(_SLOW).count() == 0
    notebook.wait_text(notebook.status, "lost")
    assert "signal 9" in notebook.status.get_attribute("title")
    notebook.run(_AFTER)
    notebook.wait_done(_AFTER)
    assert "lost" in notebook.status.inner_text()  # nobody has needed Spark
    notebook.run(_LOOK)
    notebook.wait_done(_LOOK)
    notebook.wait_ready()
    assert stages_said(notebook) == list(_STAGES)


def test_notebook_is_opened_again_while_its_job_runs(notebook: NotebookPage) -> None:
    notebook.command("New Console for Notebook")  # whose cells are no other notebook's
    notebook.page.locator(".jp-CodeConsole-promptCell").wait_for()
    notebook.page.locator(".lm-TabBar-tab", has_text=notebook.name).first.click()
    notebook.run(_SLOW)
    notebook.cancel(_SLOW).wait_for()
    notebook.type(_AFTER, " + 1")
    notebook.wait_text(notebook.cell(_AFTER), "Changed since it ran")
    assert notebook.cancel(_SLOW).count() == 1  # which makes the page draw all the time
    assert notebook.cell(_SLOW).locator(".spark-kernel-note").count() == 0
    notebook.save_to_disk()
    notebook.open()
    notebook.cancel(_SLOW).click()
    notebook.wait_text(notebook.cell(_SLOW), "1 cancelled")
    assert len(progress_of(notebook, _SLOW)) == 1
    notebook.wait_text(notebook.cell(_AFTER), "Changed since it ran")
    assert wait_until(lambda: notebook.is_dirty, 10)  # no other window will save how it ended
    notebook.save_to_disk()
    assert notebook.record(_SLOW)["status"] == "interrupted"


def test_no_way_of_writing_a_record_goes_round_the_setting(notebook: NotebookPage) -> None:
    before = [notebook.record(number) for number in (_LOOK, _SLOW)]
    notebook.lab.choose(_PROVENANCE, {"writeRecords": False})
    notebook.open()
    notebook.run(_LOOK)
    notebook.wait_done(_LOOK)
    notebook.command("Move Cell Down")
    notebook.command("Move Cell Up")
    begin(notebook)
    notebook.save_to_disk()
    notebook.open()
    notebook.cancel(_SLOW).click()
    notebook.wait_text(notebook.cell(_SLOW), "1 cancelled")
    notebook.save_to_disk()
    assert [notebook.record(number) for number in (_LOOK, _SLOW)] == before
    notebook.lab.choose(_PROVENANCE, {})


def test_notebook_is_opened_again_after_its_kernel_has_ended(notebook: NotebookPage) -> None:
    begin(notebook)
    notebook.save_to_disk()
    notebook.page.goto("about:blank")
    notebook.lab.end_kernels()
    notebook.open()
    notebook.wait_text(notebook.cell(_SLOW), "not finished when this was saved")
    assert len(progress_of(notebook, _SLOW)) == 1
    assert notebook.cell(_SLOW).locator(".spark-kernel-cancel:visible").count() == 0
    notebook.wait_text(notebook.cell(_AFTER), "Changed since it ran")
    assert notebook.record(_AFTER)["status"] == "ok"


def test_card_attaches_the_notebook_to_a_cluster(notebook: NotebookPage, cluster: Cluster) -> None:
    notebook.status.click()
    card = notebook.page.locator(".spark-kernel-card")
    card.get_by_text("Attach to Another Cluster").click()
    dialog = notebook.page.locator(".jp-Dialog")
    dialog.locator("select").select_option("analytics")
    dialog.locator(".jp-mod-accept").click()
    dialog.get_by_role("button", name="Attach to Another Cluster").click()
    notebook.wait_text(notebook.status, "analytics · ")
    notebook.wait_ready()
    notebook.run(_LOOK)
    notebook.wait_done(_LOOK)
    notebook.status.click()
    notebook.wait_text(card.locator("dl"), cluster.url)
    notebook.wait_text(card.locator("dl"), cluster.applications[0])
    notebook.wait_text(card.locator("tbody"), "127.0.0.1")
