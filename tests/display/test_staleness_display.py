"""How verdicts are shown: a line each, whatever stands in a notebook."""

from __future__ import annotations

from spark_kernel.display.staleness import staleness_text, staleness_view
from spark_kernel.protocol.staleness import (
    CellVerdict,
    Reason,
    ReasonKind,
    StalenessReport,
    Verdict,
)

CHANGED = Reason(
    Verdict.STALE, ReasonKind.INPUT_CHANGED, "data/a.csv changed: 3 files instead of 2"
)
LATER = Reason(Verdict.UNKNOWN, ReasonKind.OUT_OF_ORDER, "[7], below, had run before it " * 5)
REPORT = StalenessReport(
    "/books/flights.ipynb",
    (
        CellVerdict(1, "c1", 1, "import pandas as pd"),
        CellVerdict(2, "c2", 2, "flights.count()", (CHANGED, LATER), ("Spark was set otherwise",)),
        CellVerdict(10, "c3", None, "x" * 300, (LATER,)),
    ),
)


def test_a_line_for_each_cell_and_a_summary() -> None:
    lines = staleness_text(REPORT).splitlines()
    assert lines[0] == f"✓  [1] {'import pandas as pd':<36}  fresh"
    assert lines[1].startswith(
        f"✗  [2] {'flights.count()':<36}  stale    data/a.csv changed: 3 files"
    )
    assert "1 more reason)" in " ".join(staleness_text(REPORT).split())
    assert lines[-1] == "3 cells: 1 fresh, 1 stale, 1 unknown."
    assert max(map(len, lines)) <= 100


def test_all_reasons_and_notes_are_told_when_asked_for() -> None:
    text = staleness_text(REPORT, is_verbose=True)
    assert "      - unknown: [7], below, had run before it" in text
    assert "      - note: Spark was set otherwise" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_terminal_without_the_marks_gets_plain_ones() -> None:
    plain = staleness_text(StalenessReport("", REPORT.cells[:2]), is_plain=True)
    assert plain.startswith("+ [1]")
    assert plain.isascii()


def test_summary_says_when_all_is_well_or_there_is_nothing() -> None:
    assert staleness_text(StalenessReport("", REPORT.cells[:1])).endswith("The cell is fresh.")
    assert staleness_text(StalenessReport("", ())) == "There is no code cell with a result."


def test_hostile_text_is_escaped_and_stays_on_its_line() -> None:
    evil = "<script>alert(1)</script>\n\x1b[31m\u202e"
    reason = Reason(Verdict.STALE, ReasonKind.INPUT_CHANGED, evil)
    cell = CellVerdict(1, evil, 1, evil, (reason, reason), (evil,))
    view = staleness_view(StalenessReport(f"/x/{evil}.ipynb", (cell,)))
    assert "<script" not in view["text/html"]
    assert "&lt;script&gt;" in view["text/html"]
    assert "\x1b" not in view["text/html"] + view["text/plain"]
    assert len(view["text/plain"].splitlines()) <= 4


def test_a_huge_notebook_is_cut() -> None:
    cells = tuple(CellVerdict(number, "", number, "x") for number in range(1, 1001))
    view = staleness_view(StalenessReport("", cells))
    assert "and 500 more cells" in view["text/html"]
    assert "and 500 more cells" in view["text/plain"]
    assert "All 1,000 cells are fresh." in view["text/plain"]
