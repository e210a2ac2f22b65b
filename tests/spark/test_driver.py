"""The driver as a process, with small scripts in its place that behave and misbehave."""

from __future__ import annotations

import os
import queue
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from spark_kernel.errors import DriverStartError
from spark_kernel.spark.driver import Connection, Driver
from spark_kernel.spark.driver_log import DriverLog
from spark_kernel.spark.launch import LaunchCommand
from spark_kernel.spark.run_folder import RunFolder

pytestmark = pytest.mark.timeout(60)
PATIENCE_S = 20.0
PREAMBLE = """
import os, signal, struct, subprocess, sys, time

def connect(port=4242, secret="s3cr3t-\u00e9"):
    path = os.environ["_PYSPARK_DRIVER_CONN_INFO_PATH"]
    data = secret.encode()
    with open(path + ".part", "wb") as file:
        file.write(struct.pack(">ii", port, len(data)) + data)
    os.rename(path + ".part", path)

def put(data):
    os.write(1, data)

def log(text):
    os.write(2, text.encode() + b"\\n")

def wait():  # for a line, or for the end of the kernel
    sys.stdin.readline()

"""
"""What the scripts can do; PySpark's gateway server writes the connection file in this format."""


class FakeDriver(Driver):
    """A driver whose output and end are recorded."""

    def __init__(self, command: LaunchCommand, folder: RunFolder, log: DriverLog) -> None:
        self.pieces: list[str] = []
        self.exits: queue.SimpleQueue[int] = queue.SimpleQueue()
        super().__init__(command, folder, log, self.pieces.append, self.exits.put)

    @property
    def output(self) -> str:
        """All that was handed on so far."""
        return "".join(self.pieces)

    def go_on(self) -> None:
        """Let a script that waits go on."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def wait_for_log(self, text: str) -> None:
        """Wait until the script has written a text to its standard error."""
        wait_until(lambda: text in "\n".join(self.log.tail(1000)))


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, and fail if it never is."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not is_so():
        assert time.monotonic() < deadline, "it never came to be"
        pause.wait(0.005)


def is_running(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


Launch = Callable[..., FakeDriver]


@pytest.fixture
def launch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Launch]:
    """Launch scripts as drivers; at the end nothing of any of them is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    launched: list[FakeDriver] = []

    def start(script: str, *, log_max_bytes: int = 1 << 30, **environ: str) -> FakeDriver:
        argv = (sys.executable, "-I", "-S", "-c", PREAMBLE + script)
        log = DriverLog(tmp_path / "logs", log_max_bytes)
        launched.append(FakeDriver(LaunchCommand(argv, environ, True), RunFolder(), log))
        return launched[-1]

    yield start
    for driver in launched:
        driver.stop(PATIENCE_S)
        assert not driver.is_alive
    assert "spark-driver" not in [thread.name for thread in threading.enumerate()]
    assert list(tmp_path.glob("spark-kernel-*")) == []


@pytest.fixture
def up(launch: Launch) -> Launch:
    """Launch scripts as drivers that can be talked to."""

    def start(script: str, **more: object) -> FakeDriver:
        driver = launch("connect(); wait()\n" + script, **more)
        assert driver.wait_for_connection(PATIENCE_S) is not None
        driver.go_on()
        return driver

    return start


# -- the start ---------------------------------------------------------------------------------


def test_driver_says_how_to_reach_it(launch):
    driver = launch("connect(); wait()")
    assert driver.wait_for_connection(PATIENCE_S) == Connection(4242, "s3cr3t-é")
    assert driver.is_alive


def test_last_words_of_java_for_want_of_memory_are_in_its_log(up):
    words = "Terminating due to java.lang.OutOfMemoryError: Java heap space"
    driver = up(f"put(b'a row\\n{words}\\n'); os._exit(3)")
    assert driver.exits.get(timeout=PATIENCE_S) == 3
    assert driver.log.tail(1) == [words]


def test_driver_that_ends_early_gives_no_connection(launch):
    driver = launch("log('no such class'); sys.exit(3)")
    assert driver.wait_for_connection(PATIENCE_S) is None
    assert driver.exits.get(timeout=PATIENCE_S) == 3
    assert driver.process.returncode == 3
    assert driver.log.tail(1) == ["no such class"]


def test_driver_that_never_answers_is_an_error_that_names_its_log(launch):
    driver = launch("wait()")
    with pytest.raises(DriverStartError) as caught:
        driver.wait_for_connection(0.05)
    assert caught.value.log_path == str(driver.log.path)
    assert caught.value.log_path in caught.value.hint


def test_wait_for_a_connection_ends_when_the_driver_is_stopped(launch):
    driver = launch("log('up'); wait()")
    driver.wait_for_log("up")
    found: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
    waiter = threading.Thread(target=lambda: found.put(driver.wait_for_connection(PATIENCE_S)))
    waiter.start()
    driver.stop(PATIENCE_S)
    assert found.get(timeout=PATIENCE_S) is None
    waiter.join()


@pytest.mark.parametrize("name", ["missing", "not-executable"])
def test_command_that_cannot_be_started_is_an_error_and_leaves_nothing(tmp_path, monkeypatch, name):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "not-executable").touch()
    command = LaunchCommand((str(tmp_path / name),), {}, False)
    with pytest.raises(DriverStartError, match=name) as caught:
        FakeDriver(command, RunFolder(), DriverLog(tmp_path / "logs", 1 << 30))
    assert "spark-kernel doctor" in caught.value.hint
    assert list(tmp_path.glob("spark-kernel-*")) == []


def test_environment_is_that_of_the_command_alone(up, monkeypatch):
    monkeypatch.setenv("LEAKED", "1")
    driver = up("print(sorted(os.environ), flush=True); wait()", GIVEN="1", LC_CTYPE="C.UTF-8")
    wait_until(lambda: "\n" in driver.output)
    assert driver.output == "['GIVEN', 'LC_CTYPE', '_PYSPARK_DRIVER_CONN_INFO_PATH']\n"


def test_interrupt_of_the_kernels_group_does_not_reach_the_driver(launch):
    driver = launch("wait()")
    assert os.getsid(driver.process.pid) == driver.process.pid
    assert os.getpgid(driver.process.pid) != os.getpgid(0)


# -- what it prints ----------------------------------------------------------------------------


def test_standard_output_is_handed_on_and_standard_error_logged(up):
    driver = up("put(b'to the cell'); log('to the log'); wait()")
    wait_until(lambda: driver.output == "to the cell")
    driver.wait_for_log("to the log")
    assert driver.log.tail(10) == ["to the log"]


def test_what_java_itself_says_before_it_can_be_talked_to_is_for_the_log(launch):
    driver = launch(
        "put(b'Unrecognized'); wait(); connect(); wait(); put(b'from the cell'); wait()"
    )
    driver.wait_for_log("Unrecognized")
    driver.go_on()
    assert driver.wait_for_connection(PATIENCE_S) is not None
    assert driver.output == ""
    driver.go_on()
    wait_until(lambda: driver.output == "from the cell")


def test_character_in_two_parts_arrives_as_one(up):
    driver = up("put(b'\\xc3'); log('half'); wait(); put(b'\\xa9'); wait()")
    driver.wait_for_log("half")
    driver.drain_output()
    driver.go_on()
    wait_until(lambda: bool(driver.output))
    assert driver.pieces == ["é"], "nor is an empty text handed on in between"


def test_bytes_that_are_no_text_do_not_end_the_reading(up):
    driver = up("put(b'\\xff\\xfe'); log('odd'); wait(); put(b'after'); wait()")
    driver.wait_for_log("odd")
    driver.drain_output()
    driver.go_on()
    wait_until(lambda: driver.output.endswith("after"))


def test_draining_hands_on_what_was_printed_before(up):
    driver = up("put(b'x' * 50_000); log('printed'); wait()")
    driver.wait_for_log("printed")
    driver.drain_output()
    assert driver.output == "x" * 50_000


def test_more_than_a_pipe_holds_arrives_whole_and_in_order(up):
    driver = up("for n in range(200_000): print(n)")
    assert driver.exits.get(timeout=PATIENCE_S) == 0
    assert driver.output.split() == [str(number) for number in range(200_000)]


def test_last_words_are_not_lost(up):
    driver = up("put(b'last words'); os._exit(1)")
    assert driver.exits.get(timeout=PATIENCE_S) == 1
    assert driver.output == "last words"


def test_draining_a_stopped_driver_is_harmless(up):
    driver = up("put(b'x'); wait()")
    driver.stop(PATIENCE_S)
    driver.drain_output()
    assert driver.output == "x"


def test_large_log_is_rotated_while_the_driver_runs(up):
    driver = up("log('x' * 2000); put(b'.'); wait()", log_max_bytes=1000)
    wait_until(driver.log.older_path.exists)
    wait_until(lambda: driver.log.path.stat().st_size == 0)


# -- its end -----------------------------------------------------------------------------------


def test_end_that_nobody_asked_for_is_told_once(up):
    driver = up("wait(); os.kill(os.getpid(), signal.SIGKILL)")
    driver.go_on()
    assert driver.exits.get(timeout=PATIENCE_S) == -signal.SIGKILL
    driver.stop(PATIENCE_S)
    assert driver.exits.empty()


def test_end_is_told_after_standard_output_was_closed(up):
    driver = up("os.close(1); log('closed'); wait(); sys.exit(4)")
    driver.wait_for_log("closed")
    driver.go_on()
    assert driver.exits.get(timeout=PATIENCE_S) == 4


def test_stop_lets_the_driver_end_by_itself(up):
    driver = up("wait(); log('cleaned up'); sys.exit(5)")
    driver.stop(PATIENCE_S)
    assert driver.process.returncode == 5
    assert driver.log.tail(1) == ["cleaned up"]
    assert not driver.run_folder.exists()
    assert driver.exits.empty(), "it was asked to"


def test_stop_twice_is_harmless(up):
    driver = up("wait()")
    driver.stop(PATIENCE_S)
    driver.stop(PATIENCE_S)
    assert not driver.run_folder.exists()


def test_stop_from_two_threads_is_harmless(up):
    driver = up("wait()")
    threads = [threading.Thread(target=driver.stop, args=(PATIENCE_S,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert not driver.is_alive
    assert not driver.run_folder.exists()


def test_stop_of_a_driver_that_is_gone_is_harmless(up):
    driver = up("")
    driver.exits.get(timeout=PATIENCE_S)
    driver.stop(PATIENCE_S)
    assert not driver.run_folder.exists()


def test_listener_may_stop_the_driver_that_it_hears_of(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    is_stopped = threading.Event()
    ready = threading.Event()

    def stop(_: int) -> None:
        ready.wait(PATIENCE_S)
        driver.stop(PATIENCE_S)
        is_stopped.set()

    folder = RunFolder()
    command = LaunchCommand(("true",), {"PATH": os.defpath}, True)
    driver = Driver(command, folder, DriverLog(tmp_path / "logs", 1 << 30), print, stop)
    ready.set()
    assert is_stopped.wait(PATIENCE_S)
    assert not folder.path.exists()
    driver.stop(PATIENCE_S)


def test_driver_that_does_not_end_is_killed(up):
    driver = up("signal.signal(signal.SIGTERM, signal.SIG_IGN); log('up'); time.sleep(600)")
    driver.wait_for_log("up")
    driver.stop(0.05)
    assert driver.process.returncode == -signal.SIGKILL
    assert "was killed" in driver.log.tail(1)[0]
    assert driver.exits.empty()


@pytest.mark.parametrize("is_connected", [True, False])
def test_children_of_a_driver_that_is_ended_by_force_go_with_it(launch, up, is_connected):
    driver = (up if is_connected else launch)(
        "children = [subprocess.Popen([sys.executable, '-ISc',"
        ' \'import subprocess; subprocess.run(["sleep", "600"])\'], start_new_session=new)'
        " for new in (False, True)]\n"
        "log('up')\n"
        "time.sleep(600)",
        PATH=os.defpath,
    )
    driver.wait_for_log("up")
    parent = psutil.Process(driver.process.pid)
    wait_until(lambda: len(parent.children(recursive=True)) == 4)
    children = [child.pid for child in parent.children(recursive=True)]
    driver.stop(0.05)
    wait_until(lambda: not any(is_running(pid) for pid in children))


def test_driver_that_does_not_listen_yet_is_ended_at_once(launch):
    driver = launch("log('up'); time.sleep(600)")
    driver.wait_for_log("up")
    driver.stop(PATIENCE_S)
    assert driver.process.returncode == -signal.SIGTERM
    assert not driver.run_folder.exists()
    assert driver.exits.empty()


def test_stopped_driver_holds_no_file_open(up):
    def open_files() -> set[str]:
        return {path.name for path in Path("/proc/self/fd").iterdir()}

    before = open_files()
    driver = up("wait()")
    assert open_files() > before
    driver.stop(PATIENCE_S)
    assert open_files() <= before
