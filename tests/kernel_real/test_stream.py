"""``display()`` of a streaming DataFrame: its latest rows, until it is stopped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel_real.notebook import Notebook, NotebookMaker

PREPARE = """
from pyspark.sql import functions as F
spark.conf.set("spark.sql.shuffle.partitions", 1)
ticks = spark.readStream.format("rate").option("rowsPerSecond", 20).load()
spark.range(1).count()
"""
ACTIVE = "len(spark.streams.active)"


@pytest.fixture(scope="module")
def prepared(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook with a stream."""
    with new_notebook() as notebook:
        notebook.value(PREPARE)
        yield notebook


@pytest.fixture(autouse=True)
def _stop_all(prepared: Notebook) -> Iterator[None]:
    yield
    prepared.value("[query.stop() for query in spark.streams.active]")


def test_latest_rows_are_shown_and_go_on_after_the_cell(prepared: Notebook) -> None:
    result = prepared.run("display(ticks)")
    assert result.status == "ok"
    assert "latest rows" in result.shown
    assert "timestamp\tvalue" in result.shown
    seen = len(result.displays)
    prepared.wait_for(lambda: len(result.displays) > seen + 1, 60, "the next batches")
    ids = {content["transient"]["display_id"] for content in result.displays}
    assert len(ids) == 1
    assert max(content["data"]["text/plain"].count("\n") for content in result.displays) <= 23


def test_stream_as_last_value_is_shown_too(prepared: Notebook) -> None:
    result = prepared.run("ticks.select('value')")
    assert "latest rows" in result.shown
    assert result.text == ""


def test_stream_ends_cleanly_when_it_is_cancelled(prepared: Notebook) -> None:
    result = prepared.run("display(ticks)")
    identifier = prepared.value("spark.streams.active[0].id").strip("'")
    assert identifier in prepared.run("%spark jobs").shown
    assert f"Stopped query {identifier}" in prepared.run(f"%spark cancel {identifier[:8]}").stdout
    prepared.wait_for(lambda: "Stream ended" in result.shown, 30, "the end of the display")
    assert prepared.value(ACTIVE) == "0"


def test_aggregated_stream_shows_its_whole_result(prepared: Notebook) -> None:
    result = prepared.run("display(ticks.groupBy((F.col('value') % 3).alias('k')).count())")
    prepared.wait_for(lambda: result.shown.count("\n") >= 4, 60, "three rows")
    assert "last rows of the result" in result.shown


def test_stream_that_fails_says_why(prepared: Notebook) -> None:
    result = prepared.run("display(ticks.select(F.raise_error(F.lit('no <b>luck'))))")
    prepared.wait_for(lambda: "Stream failed" in result.shown, 60, "the failure")
    assert "<b>luck" not in result.displays[-1]["data"]["text/html"]
    assert prepared.value(ACTIVE) == "0"


def test_interrupt_while_the_first_rows_are_awaited_stops_the_query(prepared: Notebook) -> None:
    result = prepared.submit("display(ticks.where('value < 0'))")
    prepared.wait_for(lambda: result.displays, 30, "the display")
    prepared.interrupt()
    prepared.finish(result, 30)
    assert prepared.value(ACTIVE) == "0"
    assert "Stream ended" in result.shown


def test_running_the_cell_again_ends_the_stream_of_its_last_run(prepared: Notebook) -> None:
    first = prepared.finish(prepared.submit("display(ticks)", cell_id="one"))
    second = prepared.finish(prepared.submit("display(ticks)", cell_id="one"))
    prepared.wait_for(lambda: "Stream ended" in first.shown, 30, "the end of the first display")
    assert "latest rows" in second.shown
    assert prepared.value(ACTIVE) == "1"


def test_other_frames_are_no_streams(prepared: Notebook) -> None:
    assert "[3 rows]" in prepared.value("spark.range(3)")
    assert "[3 rows]" in prepared.run("display(spark.range(3))").shown
    assert "no streams" in prepared.run("display(ticks, limit=3)").error
