"""A displayed stream says how fast it goes, shows its latest rows, and how to stop it."""

from __future__ import annotations

from dataclasses import replace

from spark_kernel.display.stream import stream_view
from spark_kernel.protocol.stream import StreamView

VIEW = StreamView(
    query_id="1b2c",
    columns=(("time", "timestamp"), ("<b>value", "bigint")),
    rows=(("08:00", "1"), ("08:01", "<script>")),
    batch_id=1234,
    input_rows_per_s=5.4,
    processed_rows_per_s=1000.0,
)


def test_stream_shows_rates_rows_and_how_to_stop_it() -> None:
    text = stream_view(VIEW)["text/plain"]
    assert text.splitlines() == [
        "Stream · batch 1,234 · 5 rows/s in · 1,000 rows/s processed · latest rows",
        "time\t<b>value",
        "08:00\t1",
        "08:01\t<script>",
        "`%spark cancel 1b2c` stops it",
    ]


def test_everything_is_escaped() -> None:
    html = stream_view(VIEW)["text/html"]
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;" in html
    assert 'title="bigint"' in html


def test_stream_without_a_batch_says_so() -> None:
    view = StreamView("1b2c", (("value", "bigint"),))
    assert "Stream · no batch yet" in stream_view(view)["text/plain"]
    assert "<table" not in stream_view(view)["text/html"]


def test_stream_that_brings_its_whole_result_says_so() -> None:
    assert "last rows of the result" in stream_view(replace(VIEW, is_whole=True))["text/plain"]


def test_omitted_columns_are_counted() -> None:
    assert "3 more columns" in stream_view(replace(VIEW, omitted_columns=3))["text/plain"]


def test_stream_that_ended_offers_no_way_to_stop_it() -> None:
    ended = stream_view(replace(VIEW, is_active=False))
    assert ended["text/plain"].startswith("Stream ended · batch 1,234")
    assert "%spark cancel" not in ended["text/plain"] + ended["text/html"]


def test_stream_that_failed_says_why() -> None:
    failed = stream_view(replace(VIEW, is_active=False, error="a task <i>failed"))
    assert failed["text/plain"].startswith("Stream failed: a task <i>failed")
    assert "<i>" not in failed["text/html"]
