"""What a person sees of a cell's jobs: while they run, when they are over, in ``%spark jobs``."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

import spark_kernel.display
from spark_kernel.display.jobs import duration_text, one_line, plural, size_text
from spark_kernel.display.progress import jobs_table, progress_view
from spark_kernel.protocol.mimebundle import HTML, TEXT
from spark_kernel.protocol.progress import (
    PROGRESS_MIME,
    CellProgress,
    Hint,
    JobProgress,
    QueryProgress,
    RunState,
    StageProgress,
    TaskCounts,
    progress_content,
)

MAX_BYTES = 60_000
MiB = 2**20
UI = "http://driver:4040"
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>&\"'"
HUGE = '"é\u202e😀<\n\x1b[31m\ud800' * 10_000
SKEW = (Hint.SKEW, "one task has run 40 s, the median is 2 s")
SCAN = StageProgress(
    9,
    0,
    "scan parquet",
    RunState.SUCCEEDED,
    TaskCounts(100, 100),
    duration_s=4.2,
    input_bytes=1229 * MiB,
    shuffle_write_bytes=300 * MiB,
)
EXCHANGE = StageProgress(
    10,
    1,
    "exchange",
    RunState.RUNNING,
    TaskCounts(100, 12, 8, 2),
    url=f"{UI}/stages/stage/?id=10",
    duration_s=4.9,
    shuffle_read_bytes=120 * MiB,
    spill_bytes=2 * MiB,
    hints=(SKEW,),
)
JOB = JobProgress(
    7,
    "count at <cell line: 3>",
    RunState.RUNNING,
    TaskCounts(200, 112, 8, 2),
    url=f"{UI}/jobs/job/?id=7",
    duration_s=8.4,
    stages=(SCAN, EXCHANGE),
)
OTHER = JobProgress(8, "save", RunState.RUNNING, TaskCounts(19800, 1122, 40), duration_s=2.0)
LIVE = CellProgress(
    "cell",
    12.4,
    jobs=(JOB, OTHER),
    running=2,
    finished=3,
    tasks=TaskCounts(20000, 1234),
    input_bytes=1229 * MiB,
)
DONE = replace(JOB, id=5, state=RunState.SUCCEEDED, tasks=TaskCounts(200, 200), stages=(SCAN,))
FAILED = replace(DONE, id=6, state=RunState.FAILED, tasks=TaskCounts(200, 11, 0, 4))
FINAL = CellProgress(
    "cell",
    12.34,
    is_final=True,
    jobs=(DONE,),
    finished=3,
    omitted_jobs=2,
    tasks=TaskCounts(20000, 20000),
    input_bytes=1229 * MiB,
)
QUERY = QueryProgress("6b0b6a1e", "clicks", 1204, 15234.5, 3.25)


class Page(HTMLParser):
    """The tags, attributes, links and text of a piece of HTML; style is no text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.elements: list[dict[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()
        self.text = " ".join(self.text.split())

    @property
    def anchors(self) -> list[str | None]:
        """Where its links lead."""
        return [element["href"] for element in self.elements if "href" in element]

    @property
    def bars(self) -> dict[str | None, dict[str, str | None]]:
        """Its progress bars, by what they are called."""
        found = [element for element in self.elements if element.get("role") == "progressbar"]
        return {bar["aria-label"]: bar for bar in found}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; called by the parser."""
        self.tags.append(tag)
        self.elements.append(dict(attrs))

    def handle_data(self, data: str) -> None:
        """Note text; called by the parser."""
        if self.tags[-1:] != ["style"]:
            self.text += data


def page_of(progress: CellProgress) -> Page:
    return Page(progress_view(progress)[HTML])


def text_of(progress: CellProgress) -> str:
    text = progress_view(progress)[TEXT]
    assert isinstance(text, str)
    return text


def with_job(job: JobProgress, **changes: object) -> CellProgress:
    """A cell of one running job."""
    job = replace(job, **changes)
    return CellProgress("cell", 1.0, jobs=(job,), running=1, tasks=job.tasks)


# -- while a cell runs -------------------------------------------------------------------------


def test_text_of_a_running_cell_is_its_head_its_jobs_and_their_hints():
    assert text_of(LIVE).splitlines() == [
        "Spark: 2 jobs running, 3 done · 1,234 / 20,000 tasks · 12 s · 1.2 GiB read",
        "  Job 7: count at <cell line: 3> · 112 / 200 tasks · 8 running · 2 failed tasks · 8 s",
        "    ⚠ skew: one task has run 40 s, the median is 2 s",
        "  Job 8: save · 1,122 / 19,800 tasks · 40 running · 2 s",
    ]


def test_page_of_a_running_cell_says_the_same_and_shows_the_stages():
    text = page_of(LIVE).text
    assert "2 jobs running, 3 done · 1,234 / 20,000 tasks · 12 s · 1.2 GiB read" in text
    for said in (
        "Job 7 count at <cell line: 3>",
        "Stage 10 exchange attempt 2 · 8 running · 2 failed tasks · 120 MiB shuffle read"
        " · 2.0 MiB spilled",
        "⚠skew: one task has run 40 s, the median is 2 s",
        "Stage 9 scan parquet 1.2 GiB read · 300 MiB shuffle written",
    ):
        assert said in text


def test_stage_that_runs_stands_before_those_that_do_not():
    text = page_of(LIVE).text
    assert text.index("Stage 10") < text.index("Stage 9")


def test_first_attempt_is_not_counted():
    assert "attempt" not in page_of(with_job(JOB, stages=(SCAN,))).text


def test_job_that_failed_is_seen_while_others_run():
    progress = replace(LIVE, jobs=(FAILED, *LIVE.jobs), failed=1)
    assert "2 jobs running, 2 done, 1 failed" in text_of(progress)
    assert "Job 6: count at <cell line: 3> · 11 / 200 tasks · failed · 4 failed tasks" in text_of(
        progress
    )
    html = progress_view(progress)[HTML]
    assert "Job 6" in html
    assert "<details" not in html, "it does not wait to be opened"


def test_jobs_that_are_over_are_in_a_list_to_open():
    html = progress_view(replace(LIVE, jobs=(DONE, *LIVE.jobs)))[HTML]
    assert html.index("Job 7") < html.index("<details") < html.index("Job 5")
    assert "1 finished job" in html


def test_cell_between_two_jobs_says_what_is_done():
    progress = replace(LIVE, jobs=(DONE,), running=0, finished=1)
    assert text_of(progress).startswith("Spark: 1 job done · ")


@pytest.mark.parametrize("running", [1, 12], ids=["one", "many"])
def test_live_view_does_not_push_the_notebook_away(running):
    stages = tuple(replace(SCAN, id=number) for number in range(30))
    jobs = tuple(replace(JOB, id=number, stages=stages) for number in range(running))
    view = progress_view(replace(LIVE, jobs=jobs, running=running))
    content = view[PROGRESS_MIME]
    page = Page(view[HTML])
    shown = len(re.findall(r"Stage \d+", page.text))
    left_out = sum(int(count) for count in re.findall(r"and (\d+) more stage", page.text))
    assert shown <= max(12, 2 * running)
    assert (
        shown + left_out
        == sum(len(job["stages"]) for job in content["jobs"]) + (content["omitted"]["stages"])
    )


def test_running_jobs_that_are_not_shown_are_counted():
    assert "and 4 more running jobs" in page_of(replace(LIVE, running=6, omitted_jobs=6)).text


def test_jobs_that_are_over_and_not_shown_are_counted():
    assert "2 finished jobs and 2 more jobs" in page_of(replace(LIVE, omitted_jobs=2)).text


# -- bars --------------------------------------------------------------------------------------


def test_bar_tells_its_value_and_its_ends():
    bars = page_of(LIVE).bars
    assert set(bars) == {"All tasks", "Job 7", "Stage 9", "Stage 10", "Job 8"}
    bar = bars["Stage 10"]
    values = (bar["aria-valuemin"], bar["aria-valuenow"], bar["aria-valuemax"])
    assert values == ("0", "12", "100")


def test_bar_has_a_segment_for_each_kind_of_task():
    progress = with_job(JOB, tasks=TaskCounts(200, 50, 20, 10, 100), stages=())
    html = progress_view(progress)[HTML]
    drawn = html[html.index('aria-label="Job 7"') :]
    segments = re.findall(r'<i(?: class="spark-kernel-(\w+)")? style="width:([\d.]+)%">', drawn)
    assert segments == [("", "25"), ("active", "10"), ("bad", "5"), ("skip", "50")]


@pytest.mark.parametrize(
    "tasks",
    [
        TaskCounts(10, 10, 3, 5, 2),
        TaskCounts(10, 12, 0, 0, 0),
        TaskCounts(10, 0, 0, 99, 0),
        TaskCounts(10, 0, 0, 0, 10),
        TaskCounts(0, 5, 5, 5, 5),
    ],
)
def test_bar_is_never_wider_than_its_place(tasks):
    html = progress_view(with_job(JOB, tasks=tasks, stages=()))[HTML]
    for drawn in re.findall(r'role="progressbar".*?</span>', html):
        assert sum(map(float, re.findall(r"width:([\d.]+)%", drawn))) <= 100.1


def test_tasks_that_were_retried_and_are_done_leave_no_failure_in_the_bar():
    progress = with_job(JOB, tasks=TaskCounts(10, 10, 0, 3), stages=())
    assert 'class="spark-kernel-bad"' not in progress_view(progress)[HTML]
    assert "3 failed tasks" in page_of(progress).text


def test_bar_of_an_unknown_total_has_no_value():
    progress = CellProgress(
        "cell", 0.4, jobs=(replace(JOB, tasks=TaskCounts(), stages=()),), running=1
    )
    page = page_of(progress)
    assert set(page.bars) == {"All tasks", "Job 7"}
    assert not any("aria-valuenow" in bar for bar in page.bars.values())
    assert text_of(progress).splitlines()[0] == "Spark: 1 job running · 0.4 s"
    assert "/ 0" not in page.text


def test_tasks_done_of_an_unknown_total_are_told():
    assert "5 tasks" in text_of(with_job(JOB, tasks=TaskCounts(0, 5)))


def test_skipped_tasks_are_not_waited_for():
    progress = with_job(JOB, tasks=TaskCounts(200, 12, 0, 0, 50), stages=())
    assert "12 / 150 tasks · 50 skipped" in text_of(progress)


def test_stage_that_is_skipped_or_waits_says_so():
    skipped = replace(SCAN, state=RunState.SKIPPED, tasks=TaskCounts(40, skipped=40))
    waiting = replace(SCAN, id=11, state=RunState.PENDING, tasks=TaskCounts(8))
    text = page_of(with_job(JOB, stages=(skipped, waiting))).text
    assert "»Stage 9 scan parquet 40 skipped" in text
    assert "Stage 11 scan parquet waiting" in text
    assert "0 / 8" in text


def test_colour_is_never_alone():
    states = {state: page_of(with_job(JOB, state=state, stages=())).text for state in RunState}
    assert len(set(states.values())) == len(RunState)


# -- once it is over ---------------------------------------------------------------------------


def test_cell_that_is_over_is_one_line():
    assert text_of(FINAL) == "Spark: ✓ 3 jobs · 20,000 tasks · 12.3 s · 1.2 GiB read"
    page = page_of(FINAL)
    assert page.text.startswith("✓ 3 jobs · 20,000 tasks · 12.3 s · 1.2 GiB read")
    details = page.elements[page.tags.index("details")]
    assert "open" not in details


def test_jobs_and_stages_can_be_opened_once_it_is_over():
    text = page_of(FINAL).text
    assert "Job 5" in text
    assert "Stage 9" in text
    assert text.endswith("and 2 more jobs")


def test_stages_left_out_of_a_job_are_counted():
    progress = replace(FINAL, jobs=(replace(DONE, omitted_stages=7),))
    assert "and 7 more stages" in page_of(progress).text


def test_cell_whose_job_failed_says_which():
    progress = replace(
        FINAL, jobs=(DONE, FAILED), failed=1, tasks=TaskCounts(400, 211, 0, 4), input_bytes=0
    )
    assert text_of(progress).splitlines() == [
        "Spark: ✗ 3 jobs, 1 failed · 211 / 400 tasks, 4 failed · 12.3 s",
        "  Job 6 failed: count at <cell line: 3>",
    ]


def test_cell_whose_job_was_cancelled_did_not_fail():
    progress = replace(FINAL, jobs=(replace(DONE, state=RunState.CANCELLED),), failed=1)
    assert text_of(progress).startswith("Spark: ⊘ 3 jobs, 1 cancelled · ")
    assert "1 failed" not in text_of(progress)


def test_job_whose_driver_was_lost_is_not_said_to_have_succeeded():
    progress = replace(FINAL, jobs=(replace(DONE, state=RunState.UNKNOWN),))
    assert text_of(progress).startswith("Spark: ? 3 jobs, 1 with unknown outcome · ")


def test_job_that_outlives_its_cell_is_told():
    progress = replace(FINAL, jobs=(DONE, JOB), running=1)
    assert text_of(progress).startswith("Spark: … 4 jobs, 1 still running · ")


def test_skipped_tasks_are_told_once_it_is_over():
    progress = replace(FINAL, tasks=TaskCounts(200, 150, 0, 0, 50))
    assert "· 150 tasks, 50 skipped ·" in text_of(progress)


def test_hints_outlive_the_cell():
    progress = replace(FINAL, jobs=(replace(DONE, stages=(replace(SCAN, hints=(SKEW,)),)),))
    assert text_of(progress).splitlines()[1:] == [
        "  ⚠ Stage 9, skew: one task has run 40 s, the median is 2 s"
    ]
    page = page_of(progress)
    assert "1.2 GiB read · ⚠ skew" in page.text
    assert "one task has run 40 s" in page.text


def test_hint_whose_sentence_says_it_all_is_not_named_as_well():
    hints = ((Hint.NO_EXECUTORS, "no executor yet"), (Hint.FAILED_TASKS, "1 task failed"))
    text = text_of(with_job(JOB, stages=(replace(SCAN, hints=hints),)))
    assert text.splitlines()[2:] == ["    ⚠ no executor yet", "    ⚠ 1 task failed"]


def test_bytes_read_from_shuffles_are_told():
    assert "300 MiB shuffled" in text_of(replace(FINAL, shuffle_bytes=300 * MiB))


# -- streaming queries -------------------------------------------------------------------------


def test_query_that_runs_shows_its_batch_and_its_rates():
    text = text_of(CellProgress("cell", 200.0, queries=(QUERY,)))
    assert text.splitlines() == [
        "Spark: 1 streaming query active · 3 min 20 s",
        "  Query clicks · active · batch 1,204 · 15,234 rows/s in · 3.2 rows/s processed",
    ]


def test_query_without_a_name_is_known_by_its_id():
    query = QueryProgress("6b0b6a1e", "", is_active=False)
    page = page_of(CellProgress("cell", 1.0, queries=(query,)))
    assert "Query 6b0b6a1e ended" in page.text
    assert not page.bars


def test_queries_are_in_the_summary():
    queries = (QUERY, replace(QUERY, id="b", is_active=False))
    assert "2 streaming queries, 1 active" in text_of(replace(FINAL, queries=queries))
    ended = text_of(replace(FINAL, queries=queries[1:]))
    assert ended.startswith("Spark: ✓ 3 jobs · 1 streaming query ended · ")


def test_rate_that_is_no_number_is_left_out():
    query = replace(QUERY, input_rows_per_s=float("nan"), processed_rows_per_s=float("inf"))
    view = progress_view(CellProgress("cell", 1.0, queries=(query,)))
    json.dumps(view, allow_nan=False)
    assert "rows/s" not in view[TEXT]


# -- what comes from outside -------------------------------------------------------------------


@pytest.mark.parametrize("is_final", [False, True], ids=["live", "final"])
def test_nothing_that_comes_from_outside_becomes_markup(is_final):
    stage = replace(EXCHANGE, name=EVIL, url="http://x/" + EVIL, hints=((Hint.SKEW, EVIL),))
    job = replace(JOB, description=EVIL, url="https://x/" + EVIL, stages=(stage,))
    queries = (QueryProgress(EVIL, EVIL), QueryProgress(EVIL, ""))
    progress = replace(LIVE, cell_id=EVIL, is_final=is_final, jobs=(job,), queries=queries)
    page = page_of(progress)
    assert not {"script", "img"} & set(page.tags)
    assert not [name for element in page.elements for name in element if name.startswith("on")]
    assert page.text.count(EVIL) == 5, "it is shown as it is, not left out"


def test_line_breaks_and_control_characters_do_not_break_the_view():
    job = replace(JOB, description="SELECT *\n  FROM t\r\n\x1b[31mred\u202e\ud800", stages=())
    view = progress_view(with_job(job))
    assert "Job 7: SELECT * FROM t [31mred · " in view[TEXT]
    assert len(view[TEXT].splitlines()) == 2
    json.dumps(view, ensure_ascii=False).encode()


def test_long_description_is_cut_and_says_so():
    view = progress_view(with_job(JOB, description="x" * 1000, stages=()))
    content = view[PROGRESS_MIME]["jobs"][0]["description"]
    assert content == "x" * 159 + "…"
    assert content in view[HTML]
    assert max(map(len, view[TEXT].splitlines())) < 200


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,x",
        " http://x",
        "http://x/\n",
        "http://x/" + "y" * 5000,
    ],
    ids=lambda url: url[:16],
)
def test_link_that_a_browser_must_not_follow_is_none(url):
    job = replace(JOB, url=url, stages=(replace(EXCHANGE, url=url),))
    for is_final in (False, True):
        progress = replace(LIVE, jobs=(job,), is_final=is_final)
        assert page_of(progress).anchors == []


def test_link_opens_elsewhere_and_hands_nothing_on():
    page = page_of(LIVE)
    assert page.anchors == [JOB.url, EXCHANGE.url]
    links = [element for element in page.elements if "href" in element]
    assert {(link["target"], link["rel"]) for link in links} == {("_blank", "noopener")}


# -- bounds ------------------------------------------------------------------------------------


def crowd(
    text: str, jobs: int, stages: int, is_final: bool, url: str = f"{UI}/jobs/job/?id=1"
) -> CellProgress:
    """A cell of many jobs in every state, with many stages in every state, and many queries."""
    states = list(RunState)
    hints = ((Hint.SKEW, text),) * 9
    many = tuple(
        StageProgress(n, 0, text, states[n % 7], TaskCounts(100, 4, 3, 2, 1), url=url, hints=hints)
        for n in range(stages)
    )
    return CellProgress(
        text,
        3.0,
        is_final=is_final,
        jobs=tuple(
            JobProgress(n, text, states[n % 7], TaskCounts(100, 4, 3, 2, 1), url=url, stages=many)
            for n in range(jobs)
        ),
        queries=tuple(QueryProgress(text, text, n) for n in range(jobs)),
        running=jobs,
    )


@pytest.mark.parametrize("is_final", [False, True], ids=["live", "final"])
@pytest.mark.parametrize(
    "text", [HUGE, "x" * 100_000, "<&'\"" * 25_000, "count at <cell line: 3>", ""]
)
@pytest.mark.parametrize("url", ["http://x/" + "'&<" * 160, f"{UI}/jobs/job/?id=1"])
def test_bundle_is_never_larger_than_its_bound(text, url, is_final):
    progress = crowd(text, 2000, 500, is_final, url)
    view = progress_view(progress)
    assert len(json.dumps(view).encode()) <= MAX_BYTES
    content = view[PROGRESS_MIME]
    assert content["jobs"], "something is always shown"
    assert len(content["jobs"]) + content["omitted"]["jobs"] == 2000
    shown_stages = sum(len(job["stages"]) for job in content["jobs"])
    assert shown_stages + content["omitted"]["stages"] == 500 * len(content["jobs"])
    assert len(content["queries"]) + content["omitted"]["queries"] == 2000
    assert content["totals"]["running"] == 2000
    assert len(view[TEXT].splitlines()) <= 12
    assert f"and {content['omitted']['queries']:,} more queries" in Page(view[HTML]).text


def test_what_was_left_out_before_is_still_counted():
    progress = replace(crowd("x", 100, 3, is_final=True), omitted_jobs=1000)
    view = progress_view(progress)
    omitted = view[PROGRESS_MIME]["omitted"]["jobs"]
    assert omitted + len(view[PROGRESS_MIME]["jobs"]) == 1100
    assert f"and {omitted:,} more jobs" in Page(view[HTML]).text


def test_what_runs_and_what_failed_stays_longest_then_the_newest():
    jobs = [replace(DONE, id=number, stages=()) for number in range(200)]
    jobs[3] = replace(jobs[3], state=RunState.RUNNING)
    jobs[5] = replace(jobs[5], state=RunState.FAILED)
    shown = progress_view(replace(LIVE, jobs=tuple(jobs)))[PROGRESS_MIME]["jobs"]
    ids = [job["id"] for job in shown]
    assert ids == [3, 5, *range(202 - len(ids), 200)]


def test_stages_that_run_or_have_hints_stay_longest():
    stages = [replace(SCAN, id=number) for number in range(200)]
    stages[2] = replace(stages[2], state=RunState.RUNNING)
    stages[4] = replace(stages[4], hints=(SKEW,))
    view = progress_view(replace(LIVE, jobs=(replace(JOB, stages=tuple(stages)),)))
    ids = [stage["id"] for stage in view[PROGRESS_MIME]["jobs"][0]["stages"]]
    assert ids[:2] == [2, 4]
    assert ids[-1] == 199


def test_usual_view_holds_all_that_is_there():
    assert progress_view(LIVE)[PROGRESS_MIME] == progress_content(LIVE)
    assert progress_view(FINAL)[PROGRESS_MIME] == progress_content(FINAL)


def test_usual_page_is_small():
    assert len(progress_view(LIVE)[HTML].encode()) < 6_000


# -- the page itself ---------------------------------------------------------------------------


def test_every_colour_follows_the_theme_and_has_a_fallback():
    style = re.search(r"<style>(.*?)</style>", progress_view(LIVE)[HTML], re.DOTALL)
    assert style
    colours = [
        line
        for line in re.split(r"[;{}]", style[1])
        if re.search(r"(^|\s)(color|background):", line) and "none" not in line
    ]
    assert len(colours) > 5
    assert all(re.search(r"var\(--jp-[\w-]+, ", colour) for colour in colours)


def test_page_works_without_script_and_moves_nothing():
    for view in (progress_view(LIVE), progress_view(FINAL)):
        assert "script" not in Page(view[HTML]).tags
        assert "animation" not in view[HTML]


def test_rows_wrap_where_there_is_little_room():
    style = (Path(spark_kernel.display.__file__).parent / "templates/progress.css").read_text()
    assert "flex-wrap: wrap" in style
    assert "overflow-wrap: anywhere" in style
    assert not re.search(r"[^-]width: \d+px", style)


# -- %spark jobs -------------------------------------------------------------------------------


def test_table_of_nothing_says_so():
    assert jobs_table([], [], {}) == {TEXT: "No Spark job is running."}


def test_table_shows_each_job_with_its_cell_and_how_to_stop_it():
    table = jobs_table([JOB, OTHER], [], {7: "[3]"})
    lines = table[TEXT].splitlines()
    assert [line.split("  ")[0].strip() for line in lines[:3]] == ["Job", "7", "8"]
    assert re.split(r"\s{2,}", lines[1]) == [
        "7",
        "count at <cell line: 3>",
        "[3]",
        "112 / 200",
        "8",
        "8 s",
    ]
    assert lines[-1] == "`%spark cancel ID` stops a job, `%spark cancel all` everything"
    page = Page(table[HTML])
    assert "count at <cell line: 3>[3]112 / 20088 s" in page.text
    assert page.text.endswith("%spark cancel ID stops a job, %spark cancel all everything")


def test_table_shows_queries_after_jobs():
    text = jobs_table([JOB], [QUERY], {})[TEXT]
    assert text.index("count at") < text.index("6b0b6a1e")
    assert "6b0b6a1e  clicks  active · batch 1,204" in text


def test_table_of_queries_alone_has_no_jobs():
    text = jobs_table([], [QUERY], {})[TEXT]
    assert text.startswith("Query ")
    assert "%spark cancel all" in text


def test_table_escapes_what_comes_from_outside():
    page = Page(
        jobs_table([replace(JOB, description=EVIL)], [QueryProgress(EVIL, EVIL)], {7: EVIL})[HTML]
    )
    assert not {"script", "img"} & set(page.tags)
    assert page.text.count(EVIL) == 4


def test_long_table_says_what_it_leaves_out():
    jobs = [replace(JOB, id=number, description="x" * 10_000) for number in range(350)]
    table = jobs_table(jobs, [QUERY] * 101, {})
    for said in (table[TEXT], Page(table[HTML]).text):
        assert "and 250 more jobs" in said
        assert "and 1 more query" in said
    assert len(table[HTML]) < MAX_BYTES


# -- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "live", "over"),
    [
        (0.84, "0.8 s", "0.8 s"),
        (12.34, "12 s", "12.3 s"),
        (59.97, "59 s", "1 min 0 s"),
        (200.9, "3 min 20 s", "3 min 21 s"),
        (3599.6, "59 min 59 s", "1 h 00 min"),
        (3900, "1 h 05 min", "1 h 05 min"),
        (-1.0, "0.0 s", "0.0 s"),
        (None, "", ""),
        (float("nan"), "", ""),
    ],
)
def test_duration_is_said_as_people_do(seconds, live, over):
    assert duration_text(seconds, is_over=False) == live
    assert duration_text(seconds) == over


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (1023, "1,023 B"),
        (1024, "1.0 KiB"),
        (1229 * MiB, "1.2 GiB"),
        (300 * MiB, "300 MiB"),
        (1024 * MiB - 1, "1.0 GiB"),
        (2**73, "8,192 EiB"),
    ],
)
def test_size_is_said_in_the_units_of_spark(size, text):
    assert size_text(size) == text


def test_words_are_counted():
    counted = [plural(1, "job"), plural(2, "job"), plural(1200, "query"), plural(1, "query")]
    assert counted == ["1 job", "2 jobs", "1,200 queries", "1 query"]


def test_joined_emoji_and_scripts_stay_whole():
    assert one_line("👩\u200d💻 क्\u200dष", 20) == "👩\u200d💻 क्\u200dष"
