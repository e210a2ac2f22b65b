"""The cluster card, the settings of the extension, and what is said of records: one notebook."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from kernel_real.leftovers import wait_until

from lab.conftest import Browser, NotebookPage
from spark_kernel.protocol.provenance import KEY
from spark_kernel.recording.cells import strip
from spark_kernel.recording.summary import latest_run, summary_content

_CLUSTERS = '{"small": {"master": "local[1]"}}'
_CHANGE, _SLOW, _ON, _JOB, _PLAIN, _FAILING, _ABOVE, _BELOW = range(8)
_CELLS = (
    "%%spark_conf\nspark.sql.shuffle.partitions=7\nspark.my.password=hunter2",
    "import time; sc.parallelize(range(80), 80).map(lambda n: time.sleep(0.5)).count()",
    "%spark provenance on",
    "spark.range(1000).selectExpr('sum(id)').collect()",
    "6 * 7",
    "1 / 0",
    "kept = 1",
    "kept + 1",
)


@pytest.fixture(scope="module")
def clusters() -> Iterator[None]:
    """Name another cluster, before the server starts."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SPARK_KERNEL_CLUSTERS", _CLUSTERS)
        yield


@pytest.fixture(scope="module")
def notebook(clusters: None, browser: Browser) -> Iterator[NotebookPage]:
    """Give a notebook whose Spark is ready, with another cluster that it can attach to."""
    notebook = browser.open(*_CELLS)
    notebook.wait_ready()
    yield notebook


def card(notebook: NotebookPage) -> Any:
    """Give the card, opened if it is not."""
    if not notebook.page.locator(".spark-kernel-card:visible").count():
        notebook.status.click()
    return notebook.page.locator(".spark-kernel-card")


def press(notebook: NotebookPage, name: str) -> Any:
    """Press a button of the card; gives the dialog that it opens."""
    card(notebook).get_by_role("button", name=name).click()
    return notebook.page.locator(".jp-Dialog")


def test_settings_with_their_origin_are_in_sight_while_a_cell_runs(notebook: NotebookPage) -> None:
    notebook.run(_CHANGE)
    notebook.wait_done(_CHANGE)
    notebook.run(_SLOW)
    notebook.cancel(_SLOW).wait_for()
    shown = card(notebook)
    notebook.wait_text(shown.locator("tbody td"), "of")
    shown.get_by_text("Settings").click()
    notebook.wait_text(shown.locator("dt.spark-kernel-chosen"), "spark.sql.shuffle.partitions")
    shown.get_by_label("Filter settings").fill("shuffle")
    notebook.wait_text(shown.locator("dd"), "%%spark_conf")
    assert shown.locator(".spark-kernel-list dt").count() == 1
    assert notebook.cancel(_SLOW).count() == 1


def test_clusters_to_attach_to_are_named_while_a_cell_runs(notebook: NotebookPage) -> None:
    asked = press(notebook, "Attach")
    asked.locator("option[value=small], option:has-text('small')").first.wait_for(state="attached")
    asked.get_by_role("button", name="Ok").click()
    notebook.wait_text(asked, "Cached data, temporary views and DataFrames are lost")
    assert "waits until the cells" in asked.inner_text()
    asked.get_by_role("button", name="Cancel").click()
    notebook.cancel(_SLOW).click()
    notebook.wait_done(_SLOW)
    assert "local[*]" in notebook.status.inner_text()


def test_spark_is_stopped_and_started_from_the_card(notebook: NotebookPage) -> None:
    asked = press(notebook, "Stop Spark")
    assert "gets its resources back" in asked.inner_text()
    asked.get_by_role("button", name="Stop Spark").click()
    notebook.wait_text(notebook.status, "stopped")
    notebook.wait_text(notebook.page.locator("button:focus"), "Start Spark")
    card(notebook).get_by_label("Filter settings").fill("password")
    notebook.wait_text(card(notebook).locator("dt"), "spark.my.password")
    notebook.wait_text(card(notebook), "These are for the next session")
    assert "hunter2" not in card(notebook).inner_text()
    press(notebook, "Start Spark")
    notebook.wait_ready()


def test_the_notebook_sums_up_its_run_as_other_clients_do(notebook: NotebookPage) -> None:
    for number in (_ON, _JOB, _PLAIN, _FAILING):
        notebook.run(number)
        notebook.wait_done(number)
    notebook.save()
    assert wait_until(lambda: KEY in notebook.file.metadata, 10)
    file = notebook.file
    told = file.metadata[KEY]
    assert told["settings"]["spark.sql.shuffle.partitions"] == "7"
    assert told["cells"] == {"ok": 3, "error": 1, "interrupted": 0, "aborted": 0}
    assert told == summary_content(latest_run(file), told["settings"])
    assert strip(file) == 5
    assert KEY not in file.metadata


def test_each_record_is_one_line(notebook: NotebookPage) -> None:
    for number, said in ((_JOB, "job"), (_PLAIN, r"just now|\d min ago"), (_FAILING, "failed")):
        # The progress of a job that took long enough to have one tells of its record too.
        lines = notebook.cell(number).locator(
            ".spark-kernel-record:visible, .spark-kernel-progress"
        )
        assert re.search(said, lines.inner_text())
        assert notebook.cell(number).locator(".spark-kernel-note").count() == 0


def test_cell_below_one_that_ran_later_is_marked(notebook: NotebookPage) -> None:
    for number in (_ABOVE, _BELOW, _ABOVE):
        notebook.run(number)
        notebook.wait_done(number)
    notebook.wait_text(notebook.cell(_BELOW), "Out of date: kept comes from")
    notebook.run(_BELOW)
    notebook.wait_text(notebook.cell(_BELOW), "Out of date", is_there=False)


def test_choices_take_effect_at_once(notebook: NotebookPage) -> None:
    page = notebook.page
    notebook.type(_PLAIN, " + 1")
    notebook.wait_text(notebook.cell(_PLAIN), "Changed since it ran")
    notebook.command("Settings Editor")
    page.locator(".jp-PluginList-entry", has_text="Spark Provenance").click()
    page.get_by_label("Mark cells that are out of date").uncheck()
    page.get_by_label("Show a line for each record").uncheck()
    page.locator(".lm-TabBar-tab", has_text=notebook.name).first.click()
    notebook.wait_text(notebook.cell(_PLAIN), "Changed since it ran", is_there=False)
    assert notebook.cell(_JOB).locator(".spark-kernel-record span").count() == 0


def test_notebook_7_has_the_card_too(notebook: NotebookPage, browser: Browser) -> None:
    other = browser.open(name=notebook.name, view="notebooks")
    other.wait_ready()
    notebook.wait_text(card(other), "Versions")
    other.status.click()
    other.page.locator(".spark-kernel-card").wait_for(state="hidden")
    other.page.close()
