"""``%spark``: what it understands, what it shows, and what it says to mistakes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import CapturedIO, capture_output
from traitlets.config import Config

from spark_kernel.errors import SparkStartError
from spark_kernel.magics import libraries as magics_libraries
from spark_kernel.magics.spark import SparkMagics
from spark_kernel.protocol.events import Cluster, SessionState, SessionStatus, StageName


class Session:
    """A session as far as the magic looks at one."""

    def __init__(self) -> None:
        self.log: list[str] = []
        self.status = SessionStatus(
            state=SessionState.FAILED,
            stage=StageName.DRIVER_STARTING,
            message="The master does not answer.",
            elapsed_s=1.0,
            cluster=Cluster("prod", "spark://host:7077"),
        )

    @property
    def driver(self) -> Session:
        """Stand for the driver too."""
        return self

    def stop(self) -> None:
        """End the session."""
        self.log.append("stopped")

    is_remote = False

    def log_tail(self, lines: int) -> list[str]:
        """Give the last lines of a log of a thousand."""
        return [f"line {number}" for number in range(1000)][-lines:]


class Kernel:
    """The kernel as far as the magic may use it."""

    def __init__(self) -> None:
        self.spark_session = Session()
        self.error: Exception | None = None

    def restart_spark(self) -> None:
        """Start Spark anew."""
        if self.error is not None:
            raise self.error
        self.spark_session.log.append("restarted")

    def stop_spark(self) -> None:
        """End Spark."""
        self.spark_session.stop()


@pytest.fixture(scope="module")
def shell() -> Iterator[InteractiveShell]:
    """Give a shell without a kernel."""
    yield InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    InteractiveShell.clear_instance()


@pytest.fixture
def kernel(shell: InteractiveShell) -> Kernel:
    """Give a kernel whose magic is in the shell."""
    made = Kernel()
    shell.register_magics(SparkMagics(shell, made))
    return made


def run(shell: InteractiveShell, line: str) -> CapturedIO:
    """Run ``%spark`` as a cell does; gives what it showed."""
    with capture_output() as captured:
        shell.run_line_magic("spark", line)
    return captured


def card(captured: CapturedIO) -> str:
    """Give the text of the one thing that was displayed."""
    (output,) = captured.outputs
    assert set(output.data) == {"text/plain", "text/html"}
    return str(output.data["text/plain"])


# -- what it does ------------------------------------------------------------------------------


@pytest.mark.parametrize("line", ["status", "", "   ", " status "])
def test_status_is_what_it_shows_unasked(shell, kernel, line):
    shown = card(run(shell, line))
    assert "The master does not answer." in shown
    assert "prod" in shown
    assert kernel.spark_session.log == []


@pytest.mark.parametrize(("line", "done"), [("restart", "restarted"), ("stop", "stopped")])
def test_command_is_done_and_the_status_shown(shell, kernel, line, done):
    assert "prod" in card(run(shell, line))
    assert kernel.spark_session.log == [done]


def test_restart_that_fails_is_an_error_in_the_cell(shell, kernel):
    kernel.error = SparkStartError("Spark did not start.", "install Java")
    with pytest.raises(SparkStartError), capture_output() as captured:
        shell.run_line_magic("spark", "restart")
    assert captured.outputs == []


def test_logs_are_printed_from_their_end(shell, kernel):
    assert run(shell, "logs 2").stdout == "line 998\nline 999\n"
    assert len(run(shell, "logs").stdout.splitlines()) == 40


def test_missing_log_is_said(shell, kernel, monkeypatch):
    monkeypatch.setattr(kernel.spark_session, "log_tail", lambda lines: [])
    assert run(shell, "logs").stdout == "There is no driver log yet.\n"


def test_name_with_blanks_reaches_add_as_it_is_written(shell, kernel, monkeypatch):
    added = []
    monkeypatch.setattr(magics_libraries, "add", lambda *given: added.append(given[2]))
    kernel.require_spark = None
    run(shell, 'add  "a  b.py" c.jar ')
    assert shlex.split(added[0]) == ["a  b.py", "c.jar"]


# -- what it says to mistakes ------------------------------------------------------------------


def mistake(shell: InteractiveShell, line: str) -> str:
    """Run ``%spark`` with a mistake; gives what is said to it."""
    with pytest.raises(UsageError) as caught, capture_output() as captured:
        shell.run_line_magic("spark", line)
    assert not captured.outputs
    return str(caught.value)


@pytest.mark.parametrize(
    ("line", "near"), [("stauts", "status"), ("restrat", "restart"), ("log", "logs")]
)
def test_mistyped_command_names_the_nearest(shell, kernel, line, near):
    said = mistake(shell, line)
    assert repr(line) in said
    assert f"did you mean `%spark {near}`?" in said


@pytest.mark.parametrize("line", ["xyzzy", "__init__", "STOP now", "spark"])
def test_unknown_command_does_nothing_and_names_all(shell, kernel, line):
    said = mistake(shell, line)
    assert all(command in said for command in ("status", "restart", "stop", "logs"))
    assert kernel.spark_session.log == []


@pytest.mark.parametrize("command", ["status", "restart", "stop"])
def test_word_too_many_is_named_and_nothing_done(shell, kernel, command):
    assert "'now'" in mistake(shell, f"{command} now")
    assert kernel.spark_session.log == []


@pytest.mark.parametrize("count", ["0", "-5", "many", "1.5", "10 20", "²"])
def test_logs_take_a_number_of_lines(shell, kernel, count):
    assert "%spark logs 100" in mistake(shell, f"logs {count}")


# -- its help ----------------------------------------------------------------------------------


def test_help_names_every_command(shell, kernel):
    with capture_output() as captured:
        shell.run_line_magic("pinfo", "%spark")
    (output,) = captured.outputs or [None]
    text = captured.stdout if output is None else output.data["text/plain"]
    assert all(f"%spark {command}" in text for command in ("status", "restart", "stop", "logs"))
    assert "spark_kernel_config.py" in text
