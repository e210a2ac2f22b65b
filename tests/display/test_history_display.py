"""The history of a notebook, as text and as a page: whole, bounded and safe."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from html.parser import HTMLParser

from spark_kernel.display.history import history_text
from spark_kernel.display.history_page import history_page
from spark_kernel.display.timeline import Timeline
from spark_kernel.protocol.history import HistoryCell, NotebookHistory, history_content
from spark_kernel.protocol.provenance import (
    CellRecord,
    DataKind,
    Dataset,
    JobRecord,
    KernelRecord,
    LibraryRecord,
    RunStatus,
    SparkRecord,
    Totals,
)

START = datetime(2026, 11, 25, 4, 9, 13, tzinfo=timezone.utc)
RECORD = CellRecord(
    execution_count=1,
    cell_id="c1",
    user="ana",
    host="gateway",
    status=RunStatus.OK,
    source_sha256="ab",
    started=START,
    finished=START + timedelta(seconds=2),
    duration_s=2.0,
    kernel=KernelRecord("pyspark_cluster", "0.1", "s1"),
    spark=SparkRecord("4.3.0", "local[*]", "local"),
    jobs=(JobRecord(1, "succeeded", 1, 8, 0, 0.5), JobRecord(2, "failed", 1, 8, 1, 9.0)),
    totals=Totals(input_bytes=2048, output_bytes=10),
    inputs=(Dataset(DataKind.FILE, "file:///data/a.csv", "csv"),),
    outputs=(Dataset(DataKind.TABLE, "lake.t", "delta"),),
    libraries=(LibraryRecord("pandas", "2.3"),),
    is_full=True,
)


def history(*records: CellRecord | None, title: str = "flights.count()") -> NotebookHistory:
    cells = [
        HistoryCell(number, f"c{number}", number, title, record)
        for number, record in enumerate(records, 1)
    ]
    return NotebookHistory("/books/flights.ipynb", tuple(cells), {"spark.a": "b"})


def later(seconds: float) -> CellRecord:
    started = START + timedelta(seconds=seconds)
    return replace(RECORD, started=started, finished=started + timedelta(seconds=2))


class Page(HTMLParser):
    """Collects what a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_a_line_for_each_cell_within_a_hundred_columns() -> None:
    text = history_text(history(*map(later, range(0, 400, 2)), title="x" * 200))
    lines = text.splitlines()
    assert len([line for line in lines if line.startswith("✓")]) == 200
    assert max(map(len, lines)) <= 100
    assert "200 of 200 cells ran" in text
    assert lines[-1] == "400 jobs · 400 KiB read · 2.0 KiB written · busy for 6 min 40 s"


def test_data_and_people_are_told_when_asked_for() -> None:
    text = history_text(history(RECORD, None), is_verbose=True)
    assert "reads file:///data/a.csv (csv)" in text
    assert "writes lake.t (delta)" in text
    assert "ana on gateway" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_terminal_without_the_marks_gets_plain_ones() -> None:
    assert history_text(history(RECORD, title="x" * 200), is_plain=True).isascii()


def test_the_page_needs_nothing_else_and_no_script() -> None:
    text = history_page(history(RECORD, later(9), None))
    page = Page(text)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "form"}
    assert not [name for name in page.attributes if name.startswith("on")]
    assert "http://" not in text
    assert "https://" not in text
    for told in ("file:///data/a.csv (csv)", "lake.t (delta)", "pandas", "spark.a", "ana"):
        assert told in text


def test_everything_in_a_notebook_is_hostile() -> None:
    evil = '"><script>alert(1)</script>\x1b[1m{{ 7 * 7 }}'
    record = replace(
        RECORD,
        user=evil,
        host=evil,
        error_name=evil,
        inputs=(Dataset(DataKind.FILE, evil, evil),),
        libraries=(LibraryRecord(evil, evil),),
        spark=SparkRecord(evil, evil, evil, evil),
        kernel=KernelRecord(evil, evil, evil),
        jobs=(JobRecord(1, evil, 1, 1, 0, 1.0),),
    )
    found = replace(history(record, title=evil), notebook=evil, settings={evil: evil})
    page = history_page(found)
    assert "script" not in Page(page).tags
    assert "49" not in page
    assert "\x1b" not in page + history_text(found, is_verbose=True)


def test_secrets_in_names_of_data_are_hidden() -> None:
    dataset = Dataset(DataKind.JDBC, "jdbc:x://ana:hunter2@db/t?password=hunter2", "jdbc")
    found = history(replace(RECORD, inputs=(dataset,)))
    assert "hunter2" not in history_page(found) + history_text(found, is_verbose=True)


def test_a_huge_notebook_is_bounded() -> None:
    datasets = tuple(Dataset(DataKind.FILE, f"file:///{n}", "csv") for n in range(50))
    records = [replace(later(n), inputs=datasets) for n in range(1500)]
    page = history_page(history(*records))
    assert "and 500 more cells" in page
    assert len(page) < 8_000_000


def test_long_idle_times_are_short() -> None:
    spans = [(START + timedelta(hours=n), START + timedelta(hours=n, minutes=1)) for n in range(3)]
    timeline = Timeline(spans)
    assert [gap.text for gap in timeline.gaps] == ["59 min 0 s idle"] * 2
    assert all(gap.is_shortened and gap.width < 10 for gap in timeline.gaps)
    places = [timeline.place(*span) for span in spans]
    assert places[0][0] == 0
    assert round(places[2][0] + places[2][1]) == 100
    assert all(20 < width < 40 for _, width in places)


def test_times_that_overlap_or_are_none_have_a_place() -> None:
    half = START + timedelta(seconds=1)
    timeline = Timeline([(START, half), (START, START + timedelta(seconds=2)), (half, half)])
    assert timeline.place(START, half) == (0, 50)
    assert timeline.place(half, half) == (50, 0)
    assert timeline.gaps == []
    assert Timeline([]).ticks() == []
    assert Timeline([(START, START)]).place(START, START)[1] == 0


def test_json_has_the_names_that_are_documented() -> None:
    content = history_content(history(RECORD, None))
    assert content["statuses"] == {"ok": 1}
    assert (content["jobs"], content["input_bytes"], content["output_bytes"]) == (2, 2048, 10)
    assert content["cells"][0]["record"]["user"] == "ana"
    assert content["cells"][1]["record"] is None
