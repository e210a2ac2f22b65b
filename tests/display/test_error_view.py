"""The few lines of an error, and what is folded below: bounded, escaped, nothing lost unsaid."""

from __future__ import annotations

from spark_kernel.display.error import error_details, error_lines, error_text
from spark_kernel.protocol.error_report import CodePlace, ErrorReport, ErrorSection
from spark_kernel.protocol.events import Link

PLACES = tuple(CodePlace("Cell In[1]", n, "", f"line {n}") for n in range(1, 6))
SECTIONS = (
    ErrorSection("Python traceback", "Traceback <b>x</b>"),
    ErrorSection("JVM cause 1 of 2: IOException (root)", "java.io.IOException"),
    ErrorSection("JVM cause 2 of 2: SparkException", "org.apache.spark.SparkException"),
)
LINKS = (
    Link("spark-ui", "Stage 2", "http://host:4040/stages/stage/?id=2&attempt=0"),
    Link("driver-log", "Driver log", "file:///tmp/driver%20log"),
    Link("spark-ui", "Evil", "javascript:alert(1)"),
)
REPORT = ErrorReport(
    "AnalysisException",
    "TABLE_OR_VIEW_NOT_FOUND",
    ("No table <script>.",),
    places=PLACES[:1],
    facts="Task 1 in stage 2.0",
    hint="look",
    sections=SECTIONS,
    links=LINKS,
)


def plain(lines: list[str]) -> list[str]:
    """Give lines without colours."""
    return [line.replace("\x1b[", "\x1b").translate({27: None}) for line in lines]


def test_lines_say_what_where_and_what_to_do():
    text = "\n".join(error_lines(REPORT))
    order = ["AnalysisException", "[TABLE_OR_VIEW_NOT_FOUND] No table", "Cell In[1]", "---->",
             "Task 1 in stage 2.0", "Hint:"]  # fmt: skip
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)


def test_lines_are_few_however_much_there_is_and_say_what_is_cut():
    report = ErrorReport(
        "E", "X", ("y" * 5000, *["more"] * 50), ("select", "^"), PLACES, "facts", "hint"
    )
    lines = error_lines(report)
    assert len(lines) <= 12
    assert max(map(len, lines)) < 600
    assert "…" in "".join(lines[:4])


def test_only_the_first_place_is_marked():
    text = "\n".join(error_lines(ErrorReport("E", places=PLACES[:2])))
    assert text.count("---->") == 1
    assert text.index("---->") < text.index("line 1") + 200


def test_details_are_one_line_as_text_and_say_what_there_is():
    text = error_details([REPORT])["text/plain"]
    assert text == "`%spark error` shows the whole: Python traceback, 2 JVM causes, links"


def test_details_are_escaped_and_only_web_links_can_be_followed():
    html = error_details([REPORT])["text/html"]
    assert "&lt;b&gt;x&lt;/b&gt;" in html and "<b>x" not in html
    assert 'href="http://host:4040/stages/stage/?id=2&amp;attempt=0"' in html
    assert 'href="javascript' not in html
    assert "<code>/tmp/driver log</code>" in html
    assert html.count("<details") == html.count("</details>") == 1 + len(SECTIONS)


def test_details_are_bounded_and_say_what_is_left_out():
    many = tuple(ErrorSection(f"Part {n}", "x" * 10_000) for n in range(20))
    html = error_details([ErrorReport("E", sections=many)])["text/html"]
    assert len(html) < 100_000
    assert "14 more are left out here" in html


def test_several_reports_are_numbered():
    text = error_details([REPORT, REPORT])["text/html"]
    assert "1: Python traceback" in text and "2: Python traceback" in text


def test_whole_text_has_everything_and_no_colours():
    text = error_text([REPORT])
    for part in (
        "No table <script>.",
        "---->",
        "Hint: look",
        "java.io.IOException",
        "/tmp/driver log",
    ):
        assert part in text
    assert "\x1b" not in text
