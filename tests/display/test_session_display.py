"""What a person sees of the session: in a waiting cell, on its card, in the banner."""

from __future__ import annotations

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from spark_kernel.display.session import banner_text, session_card, status_text, waiting_view
from spark_kernel.protocol.events import (
    Application,
    Cluster,
    Link,
    Problem,
    SessionState,
    SessionStatus,
    StageName,
    StageRecord,
)
from spark_kernel.protocol.mimebundle import HTML, TEXT

UI = Link("spark-ui", "Spark UI", "http://localhost:4040")
LOG = Link("driver-log", "Driver log", "file:///home/ada/logs/driver%20log.log")
STARTING = SessionStatus(
    state=SessionState.STARTING,
    stage=StageName.CLUSTER_ATTACHING,
    message="Attaching to cluster prod (spark://host:7077)",
    elapsed_s=3.0,
    cluster=Cluster("prod", "spark://host:7077"),
    stages=(
        StageRecord(StageName.RUNTIME_STARTED, 0.0, 0.42),
        StageRecord(StageName.DRIVER_STARTING, 0.5, 2.04),
        StageRecord(StageName.CLUSTER_ATTACHING, 2.54),
    ),
    links=(LOG,),
    versions={"python": "3.11.7", "spark": "4.3.0", "java": "17.0.15"},
)
READY = replace(
    STARTING,
    state=SessionState.READY,
    stage=StageName.SPARK_READY,
    message="Spark 4.3.0 ready on prod",
    stages=(
        *STARTING.stages[:2],
        StageRecord(StageName.CLUSTER_ATTACHING, 2.54, 1.0),
        StageRecord(StageName.SPARK_READY, 3.54, 0.0),
    ),
    application=Application("app-7", "my notebook"),
    links=(UI, LOG),
)
FAILED = replace(
    STARTING,
    state=SessionState.FAILED,
    message="The master does not answer.",
    stages=(*STARTING.stages[:2], StageRecord(StageName.CLUSTER_ATTACHING, 2.54, 4.0)),
    error=Problem("ClusterUnreachableError", "The master does not answer.", "start the master"),
)
LOST = replace(
    READY,
    state=SessionState.LOST,
    message="The driver ended unexpectedly (signal 9)",
    application=None,
    error=Problem("DriverLost", "The driver ended unexpectedly (signal 9)", "run `%spark restart`"),
)
STOPPED = replace(READY, state=SessionState.STOPPED, message="Spark was stopped", application=None)
STATES = [STARTING, READY, FAILED, LOST, STOPPED]
EVIL = "<script>alert('x')</script><img src=x onerror=alert(1)>&\"'"


class Page(HTMLParser):
    """The tags, links and text of a piece of HTML; style is no text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(html)
        self.close()

    @property
    def anchors(self) -> list[str | None]:
        """Where its links lead."""
        return [value for name, value in self.attributes if name == "href"]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag; called by the parser."""
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        """Note text; called by the parser."""
        if self.tags[-1:] != ["style"]:
            self.text += data


def state_of(status: SessionStatus) -> str:
    return status.state.value


# -- a cell that waits -------------------------------------------------------------------------


def test_waiting_cell_sees_each_stage_with_its_mark_and_time():
    text = waiting_view(STARTING, 2.6, is_over=False)[TEXT]
    assert text.splitlines() == [
        "Waiting for Spark (3 s)",
        "✓ Runtime started (0.4 s)",
        "✓ Preparing the driver (2.0 s)",
        "… Attaching to cluster prod (spark://host:7077)",
    ]


def test_html_of_a_waiting_cell_says_what_its_text_says():
    view = waiting_view(STARTING, 2.6, is_over=False)
    page = " ".join(Page(view[HTML]).text.split())
    for line in view[TEXT].splitlines()[1:]:
        assert line in page
    assert "Waiting for Spark 3 s" in page


def test_waiting_cell_sees_that_the_runtime_has_started():
    status = replace(STARTING, stages=STARTING.stages[:1], message="Starting Spark")
    text = waiting_view(status, 0.2, is_over=False)[TEXT]
    assert text.splitlines() == ["Waiting for Spark (0 s)", "✓ Runtime started (0.4 s)"]


def test_stage_that_failed_is_marked():
    text = waiting_view(FAILED, 5.0, is_over=False)[TEXT]
    assert text.splitlines()[-1] == "✗ Attaching to the cluster (4.0 s)"
    assert "spark-kernel-failed" in waiting_view(FAILED, 5.0, is_over=False)[HTML]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (READY, "✓ Spark 4.3.0 ready on prod (waited 2.6 s)"),
        (FAILED, "✗ The master does not answer."),
        (STOPPED, "✗ Spark was stopped"),
        (LOST, "✗ The driver ended unexpectedly (signal 9)"),
        (STARTING, "… No longer waiting for Spark, which goes on starting"),
    ],
    ids=["done", "failed", "stopped", "lost", "interrupted"],
)
def test_wait_that_is_over_is_one_line(status, line):
    view = waiting_view(status, 2.6, is_over=True)
    assert view[TEXT] == line
    page = Page(view[HTML])
    assert line in page.text
    assert "summary" in page.tags


def test_stages_can_still_be_opened_once_the_wait_is_over():
    page = Page(waiting_view(READY, 2.6, is_over=True)[HTML])
    assert page.tags.count("li") == 4
    assert "Preparing the driver (2.0 s)" in page.text
    assert ("open", None) not in page.attributes


# -- the card ----------------------------------------------------------------------------------


def test_card_of_a_running_session_shows_where_it_runs():
    card = session_card(READY)
    for said in ("prod", "spark://host:7077", "my notebook (app-7)", "Spark 4.3.0", "Java 17.0.15"):
        assert said in card[TEXT]
        assert said in Page(card[HTML]).text
    assert UI.url in card[TEXT]


def test_card_begins_with_how_things_stand():
    assert session_card(READY)[TEXT].splitlines()[0].split(maxsplit=1) == ["State", READY.message]
    said = session_card(FAILED)[TEXT].splitlines()[0].split(maxsplit=1)
    assert said == ["State", f"failed: {FAILED.message}"]


def test_card_does_not_say_the_master_twice():
    status = replace(READY, cluster=Cluster("local[*]", "local[*]"))
    assert "Master" not in session_card(status)[TEXT]


def test_card_of_a_failed_session_tells_what_to_do():
    card = session_card(FAILED)
    assert "start the master" in card[TEXT]
    assert "start the master" in Page(card[HTML]).text


def test_problem_without_a_hint_shows_no_empty_one():
    status = replace(FAILED, error=Problem("Odd", "It is odd."))
    assert "Hint" not in session_card(status)[TEXT]
    assert "Hint" not in banner_text(status, "1.0")


def test_link_that_a_browser_may_follow_is_one():
    assert Page(session_card(READY)[HTML]).anchors == [UI.url]


def test_link_opens_elsewhere_and_hands_nothing_on():
    attributes = Page(session_card(READY)[HTML]).attributes
    assert ("target", "_blank") in attributes
    assert ("rel", "noopener") in attributes


def test_file_on_the_kernels_machine_is_shown_as_its_path():
    card = session_card(READY)
    assert "/home/ada/logs/driver log.log" in card[TEXT]
    assert "/home/ada/logs/driver log.log" in Page(card[HTML]).text
    assert "/home/ada/logs/driver log.log" in banner_text(READY, "1.0")


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "file:///etc/passwd",
        "data:text/html,<script>alert(1)</script>",
        " http://x",
        "vbscript:x",
    ],
)
def test_link_that_a_browser_must_not_follow_is_text(url):
    status = replace(READY, links=(Link("spark-ui", "Spark UI", url),))
    views = [session_card(status), *(waiting_view(status, 1.0, over) for over in (True, False))]
    for view in views:
        assert Page(view[HTML]).anchors == []


# -- everything --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATES, ids=state_of)
def test_text_is_always_there(status):
    bundles = [session_card(status), *(waiting_view(status, 1.0, over) for over in (True, False))]
    for bundle in bundles:
        assert bundle[TEXT].strip()
        assert bundle[HTML].strip()
    assert banner_text(status, "1.0")
    assert status_text(status)


@pytest.mark.parametrize("status", STATES, ids=state_of)
def test_nothing_that_comes_from_outside_becomes_markup(status):
    evil = replace(
        status,
        message=EVIL,
        cluster=Cluster(EVIL, EVIL + "2"),
        application=Application(EVIL, EVIL),
        links=(Link("spark-ui", EVIL, "http://x/" + EVIL), Link("driver-log", EVIL, EVIL)),
        error=Problem(EVIL, EVIL, EVIL) if status.error else None,
        versions={EVIL: EVIL},
    )
    views = [session_card(evil), *(waiting_view(evil, 1.0, over) for over in (True, False))]
    for view in views:
        page = Page(view[HTML])
        assert not {"script", "img"} & set(page.tags)
        assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert EVIL in Page(views[0][HTML]).text, "it is shown as it is, not left out"


def test_status_in_one_line():
    assert status_text(FAILED) == "prod: failed (The master does not answer.)"


# -- the banner --------------------------------------------------------------------------------


def test_banner_names_kernel_and_versions_first():
    first = banner_text(READY, "1.2.3").splitlines()[0]
    assert first == "PySpark (cluster) 1.2.3: Spark 4.3.0, Java 17.0.15, Python 3.11.7"


@pytest.mark.parametrize("status", STATES, ids=state_of)
def test_banner_ends_with_where_to_begin(status):
    assert "%spark?" in banner_text(status, "1.0").splitlines()[-1]


def test_banner_while_starting_says_what_happens():
    text = banner_text(STARTING, "1.0")
    assert "Spark on prod (spark://host:7077): Attaching to cluster prod" in text


def test_banner_of_a_ready_session_names_application_and_links():
    text = banner_text(READY, "1.0")
    assert "Attached to prod (spark://host:7077) as app-7" in text
    assert "Spark UI: http://localhost:4040" in text


@pytest.mark.parametrize("status", [FAILED, LOST], ids=state_of)
def test_banner_of_a_session_that_went_wrong_gives_reason_and_hint(status):
    text = banner_text(status, "1.0")
    assert f"Spark on prod (spark://host:7077): {status.state.value}" in text
    assert f"{status.error.name}: {status.error.message}" in text
    assert f"Hint: {status.error.hint}" in text
    assert "Attached" not in text


def test_banner_of_a_stopped_session_says_so():
    text = banner_text(STOPPED, "1.0")
    assert "Spark on prod (spark://host:7077): Spark was stopped" in text
    assert "Attached" not in text


def test_banner_without_versions_is_no_broken_sentence():
    status = replace(STARTING, versions={})
    assert banner_text(status, "1.0").splitlines()[0] == "PySpark (cluster) 1.0"


def test_banner_does_not_say_the_master_twice():
    status = replace(READY, cluster=Cluster("local[*]", "local[*]"))
    assert "Attached to local[*] as app-7" in banner_text(status, "1.0")
