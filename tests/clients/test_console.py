"""``jupyter console`` in a real terminal."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pexpect
import pytest
from kernel_real.gated_java import GatedJava
from kernel_real.leftovers import MARK, marked_processes

from clients.conftest import Place

# Python 3.12 and later warn of a fork beside threads; pexpect executes the console at once.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x07")


@contextmanager
def console(place: Place, **environ: str) -> Iterator[pexpect.spawn]:
    """Open a terminal with a console in it; in the end the terminal is closed."""
    child = pexpect.spawn(
        str(Path(sys.executable).with_name("jupyter")),
        ["console", "--kernel", "pyspark_cluster"],
        # Who answers where the cursor is would have to be a whole terminal.
        env={**place.environ, **environ, "TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        cwd=str(place.folder),
        dimensions=(50, 200),
        encoding="utf-8",
        timeout=90,
    )
    try:
        yield child
    finally:
        child.close(force=True)


def text_before(child: pexpect.spawn) -> str:
    """Give what the terminal showed before the text that was waited for, as a person reads it."""
    return _ESCAPES.sub("", child.before)


def test_console_shows_the_banner_waits_for_spark_and_is_interrupted(
    place: Place, tmp_path: Path
) -> None:
    java = GatedJava(tmp_path / "java")
    with console(place, SPARK_KERNEL_JAVA_HOME=str(java.home)) as child:
        child.expect(r"In \[")
        assert "PySpark (cluster)" in text_before(child)
        assert "`spark` and `sc` are there" in text_before(child)
        child.sendline("6 * 7")
        child.expect(r"Out\[[^\n]*42")
        child.sendline("spark.range(3).count()")
        child.expect("Waiting for Spark")
        child.sendintr()
        child.expect("KeyboardInterrupt: the wait for Spark was interrupted")
        child.expect(r"In \[")
        child.sendline("'still ' + 'alive'")
        child.expect("'still alive'")
        java.open()
        child.sendline("spark.range(11).count() * 1000")
        child.expect(r"Out\[[^\n]*11000")
        child.expect(r"In \[")
        # A console shows a display once and no updates, so progress is one line, not a flood.
        child.sendline("import time; sc.range(4, numSlices=4).map(lambda n: time.sleep(1)).count()")
        child.expect(r"Out\[[^\n]*4")
        assert text_before(child).count("1 job running") == 1
        child.expect(r"In \[")
        child.sendline("sc.range(4, numSlices=4).map(lambda n: time.sleep(60)).count()")
        child.expect("1 job running")
        child.sendintr()
        child.expect("KeyboardInterrupt: the cell was interrupted")
        child.sendline("6 * 111")
        child.expect(r"Out\[.*666")
        child.expect(r"In \[")
        child.sendline("exit")
        child.expect(pexpect.EOF)
        child.wait()
        assert child.exitstatus == 0


def test_terminal_that_is_closed_takes_everything_along(place: Place) -> None:
    with console(place) as child:
        child.expect(r"In \[")
        child.sendline("sc.parallelize(range(4), 2).map(lambda n: n * 1000).sum()")
        child.expect(r"Out\[.*6000")
        assert len(marked_processes(place.environ[MARK])) >= 4
