"""What the shell shows of an error: ours for Spark's, IPython's own for every other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from spark_kernel.errors import ConfigurationError
from spark_kernel.kernel.error_display import ErrorDisplay
from spark_kernel.kernel.shell import SparkShell
from spark_kernel.spark.error_reports.surroundings import Surroundings

TABLE = "[TABLE_OR_VIEW_NOT_FOUND] The table or view `x` cannot be found. SQLSTATE: 42P01"
AnalysisException = type(
    "AnalysisException",
    (Exception,),
    {"__module__": "pyspark.errors.exceptions.captured", "__str__": lambda self: TABLE},
)


def spark_error() -> Exception:
    """Give an error of Spark's."""
    error: Exception = AnalysisException()
    vars(error).update(_desc=TABLE, _stackTrace=f"org.x.AnalysisException: {TABLE}\n\tat a.b(c)")
    return error


@pytest.fixture
def shell() -> Iterator[InteractiveShell]:
    """Give a shell without a kernel."""
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


@pytest.fixture
def display(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> ErrorDisplay:
    """Give a display of errors whose hook of threads is taken back."""
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    return ErrorDisplay(shell, Surroundings)


def test_error_of_spark_is_ours_and_every_other_is_not(display):
    view = display.view(spark_error())
    assert view.evalue == TABLE
    assert "TABLE_OR_VIEW_NOT_FOUND" in view.lines[0]
    assert display.view(ValueError("x")) is None
    assert display.view(None) is None
    assert display.view(SyntaxError("x")) is None


def test_error_that_says_by_itself_what_is_shown_is_left_alone(display):
    try:
        raise ConfigurationError("no such value") from spark_error()
    except ConfigurationError as error:
        assert display.view(error) is None


def test_error_below_another_is_shortened_and_the_other_stays_on_top(display):
    try:
        try:
            raise spark_error()
        except Exception as cause:
            raise KeyError("mine") from cause
    except KeyError as error:
        view = display.view(error)
        assert error.__cause__ is not None
    text = "\n".join(view.lines)
    assert view.evalue == "'mine'"
    assert text.index("TABLE_OR_VIEW") < text.index("direct cause") < text.index("KeyError")
    assert text.count("TABLE_OR_VIEW") == 1


class BaseExceptionGroup(Exception):  # noqa: N818  (the name is what it is known by)
    """A group as Python has it from 3.11 on."""

    def __init__(self, message: str, exceptions: list[Exception]) -> None:
        super().__init__(message)
        self.exceptions = exceptions


def test_error_in_a_nested_group_is_found(display):
    inner = BaseExceptionGroup("inner", [spark_error()])
    view = display.view(BaseExceptionGroup("outer", [ValueError("first"), inner]))
    assert view.lines[0] == "BaseExceptionGroup: outer"
    assert "ValueError: first" in view.lines
    assert len(view.reports) == 2
    assert display.view(BaseExceptionGroup("plain", [ValueError()])) is None


def test_group_says_how_many_of_its_errors_are_shown_and_keeps_each_in_the_fold(display):
    others = [ValueError(f"number {n} password=hunter2") for n in range(49)]
    view = display.view(BaseExceptionGroup("many", [spark_error(), *others]))
    text = "\n".join(view.lines)
    assert "20 of its 50 errors are shown" in text and " 1 of 50 " in text
    assert "`%spark error` shows them" in view.lines[-1]
    display.show_details(view)
    assert "ValueError: number 18 password=***" in display.last_text
    assert "hunter2" not in text + display.last_text + view.details["text/html"]


def test_error_is_told_in_a_line_where_asking_what_it_says_was_interrupted(display, monkeypatch):
    class Py4JJavaError(Exception):
        __module__ = "py4j.protocol"

        def __str__(self) -> str:
            raise KeyboardInterrupt

    error = Py4JJavaError()
    vars(error).update(java_exception=object(), errmsg="An error occurred while calling o1.x.\n")
    view = display.view(error)
    assert view.evalue == "An error occurred while calling o1.x."
    assert display.brief_view(error).lines == [f"Py4JJavaError: {view.evalue}"]
    assert display.brief_view(ValueError("x")).lines == ["ValueError: x"]


def test_interrupt_while_an_error_is_shown_still_lets_an_error_go_out(display, shell, monkeypatch):
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    sent: list[Any] = []
    monkeypatch.setattr(display, "_view", interrupted)
    monkeypatch.setattr(shell, "_showtraceback", lambda *shown: sent.append(shown))
    monkeypatch.setattr(shell, "error_display", display, raising=False)
    monkeypatch.setattr(shell, "interrupts", None, raising=False)
    error = spark_error()
    showtraceback = SparkShell._showed_short
    assert showtraceback(shell, (type(error), error, None))
    assert sent == [(type(error), TABLE, [f"AnalysisException: {TABLE}"])]
    assert display.last_text == ""


def test_other_mode_of_tracebacks_is_ipythons(display, shell):
    shell.InteractiveTB.set_mode("Verbose")
    try:
        assert display.view(spark_error()) is None
    finally:
        shell.InteractiveTB.set_mode("Context")


def test_report_that_cannot_be_made_leaves_the_error_to_ipython(shell, monkeypatch, caplog):
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)

    def fail(notebook: Any) -> Surroundings:
        raise RuntimeError("no surroundings")

    assert ErrorDisplay(shell, fail).view(spark_error()) is None
    assert "could not be made" in caplog.text


def test_details_that_cannot_be_sent_break_nothing(display, shell, monkeypatch, caplog):
    view = display.view(spark_error())

    def fail(**_: Any) -> None:
        raise OSError("closed")

    monkeypatch.setattr(shell.display_pub, "publish", fail)
    display.show_details(view)
    assert "could not be shown" in caplog.text
    assert "JVM cause 1 of 1" in display.last_text


def test_reply_says_what_the_message_said(display):
    view = display.view(spark_error())
    display.show_details(view)
    reply = {"status": "error", "traceback": view.lines, "evalue": "raw password=hunter2"}
    assert display.amend(reply)["evalue"] == TABLE
    other = {"status": "error", "traceback": ["x"], "evalue": "kept"}
    assert display.amend(other) == other


def test_threads_error_is_printed_short_and_any_other_as_ever(display, capsys):
    seen: list[Any] = []
    hook = display.thread_hook(seen.append)
    thread = SimpleNamespace(name="worker")
    hook(SimpleNamespace(exc_value=spark_error(), thread=thread))
    assert "Exception in thread worker:" in capsys.readouterr().err
    other = SimpleNamespace(exc_value=ValueError(), thread=thread)
    hook(other)
    assert seen == [other]


def test_there_is_nothing_to_tell_before_the_first_error(display):
    assert display.last_text == ""
