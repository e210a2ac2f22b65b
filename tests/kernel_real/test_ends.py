"""However a kernel or its driver ends, nothing of them is left on the machine."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import pytest

from kernel_real.leftovers import MARK, assert_nothing_left, wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from spark_kernel.spark.run_folder import remove_orphans

PYTHON_WORKERS = "sc.parallelize(range(4), 2).map(lambda n: n * 2).sum()"


def start_with_workers(notebook: Notebook) -> None:
    """Get a driver and Python workers to run, and files of theirs to be on disk."""
    assert notebook.value(PYTHON_WORKERS) == "12"
    assert notebook.find_processes("pyspark.daemon")
    assert any(notebook.temporary.glob("spark-kernel-*"))


def test_client_shuts_the_kernel_down(new_notebook: NotebookMaker) -> None:
    with new_notebook() as notebook:
        start_with_workers(notebook)
        with pytest.raises(AssertionError, match="left behind"):
            notebook.assert_nothing_left(timeout_s=0)  # the check does find what is there
        notebook.client.shutdown()
        assert wait_until(lambda: not notebook.is_alive, 20)
        # It was over before the kernel was: nothing ends on its own later.
        notebook.assert_nothing_left(timeout_s=0)


def test_client_restarts_the_kernel(new_notebook: NotebookMaker) -> None:
    with new_notebook() as notebook:
        start_with_workers(notebook)
        before = {process.pid for process in notebook.processes}
        notebook.restart()
        assert notebook.driver.is_running()
        assert not before & {process.pid for process in notebook.processes}
        assert len(list(notebook.temporary.glob("spark-kernel-*"))) == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_kernel_is_killed(new_notebook: NotebookMaker, number: signal.Signals) -> None:
    with new_notebook() as notebook:
        start_with_workers(notebook)
        notebook.process.send_signal(number)
        assert wait_until(lambda: not notebook.is_alive, 20)
        notebook.assert_nothing_left()


LAUNCHER = """
import sys, time
from jupyter_client.manager import KernelManager

manager = KernelManager(kernel_name="pyspark_cluster", connection_file="connection.json")
manager.start_kernel()
client = manager.blocking_client()
client.start_channels()
client.wait_for_ready(timeout=60)
client.execute(sys.argv[1], reply=True, timeout=90)
print("runs", flush=True)
time.sleep(100)
"""


def test_program_that_started_the_kernel_is_killed(new_notebook: NotebookMaker) -> None:
    folder, mark = new_notebook.next_place()
    temporary = folder / "tmp"
    temporary.mkdir()
    environ = {**os.environ, MARK: mark, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        [sys.executable, "-c", LAUNCHER, PYTHON_WORKERS],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=folder,
    ) as launcher:
        assert launcher.stdout is not None
        assert "runs" in launcher.stdout.readline()
        assert any(temporary.glob("spark-kernel-*"))
        launcher.kill()
    assert_nothing_left(mark, temporary)


def sweep(notebook: Notebook) -> None:
    """Do what the next kernel does when it starts.

    A driver that has not been talked to yet does not know that it owns its folder: killed with
    its kernel in the first seconds, it leaves that to the next one.
    """
    assert wait_until(lambda: not notebook.processes, 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(notebook.temporary))
        # A process that is just ending may hold its lock a little longer than its environment.
        folders = notebook.temporary.glob
        assert wait_until(lambda: remove_orphans() or not list(folders("spark-kernel-*")), 15), [
            str(path) for path in notebook.temporary.rglob("*")
        ]


def wait_for_launch(notebook: Notebook) -> None:
    """Wait for the first moment in which there is a driver process."""
    assert notebook.driver.is_running()


def wait_for_attaching(notebook: Notebook) -> None:
    """Wait until the driver answers, and the session is being made."""
    notebook.wait_for_stage("cluster_attaching")


@pytest.mark.parametrize("moment", [wait_for_launch, wait_for_attaching])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_kernel_is_killed_while_spark_starts(
    new_notebook: NotebookMaker, moment: Callable[[Notebook], None], number: signal.Signals
) -> None:
    with new_notebook() as notebook:
        moment(notebook)
        notebook.process.send_signal(number)
        assert wait_until(lambda: not notebook.is_alive, 20)
        sweep(notebook)
        notebook.assert_nothing_left()


@pytest.mark.parametrize("moment", [wait_for_launch, wait_for_attaching])
def test_kernel_is_shut_down_while_spark_starts(
    new_notebook: NotebookMaker, moment: Callable[[Notebook], None]
) -> None:
    with new_notebook() as notebook:
        moment(notebook)
        notebook.client.shutdown()
        assert wait_until(lambda: not notebook.is_alive, 20)
        notebook.assert_nothing_left(timeout_s=0)


def test_driver_is_killed_during_a_job_then_restarted_then_crashes(
    new_notebook: NotebookMaker,
) -> None:
    with new_notebook() as notebook:
        notebook.value("import pyspark.sql.functions as F\nkept = 1")
        start_with_workers(notebook)
        slow = notebook.submit(
            "sc.parallelize([0], 1).map(lambda n: __import__('time').sleep(60)).count()"
        )
        notebook.listen(1)
        assert slow.reply is None
        notebook.driver.kill()
        assert notebook.finish(slow, 30).status == "error"
        notebook.wait_for_state("lost", timeout_s=30)
        assert notebook.value("kept + 1") == "2"
        notebook.value("%spark restart")
        assert (
            notebook.value(f"{PYTHON_WORKERS}, kept, spark.range(3).select(F.sum('id')).first()[0]")
            == "(12, 1, 3)"
        )
        assert len(list(notebook.temporary.glob("spark-kernel-*"))) == 1
        log = notebook.driver_log
        notebook.driver.send_signal(signal.SIGSEGV)
        notebook.wait_for_state("lost", timeout_s=30)
        assert list(notebook.folder.glob("hs_err*")) == []  # nothing beside the user's notebook
    assert "SIGSEGV" in log.with_suffix(".crash").read_text()


def test_driver_that_hangs_is_killed_when_the_kernel_ends(new_notebook: NotebookMaker) -> None:
    with new_notebook({"SPARK_KERNEL_STOP_TIMEOUT_S": "2"}) as notebook:
        start_with_workers(notebook)
        notebook.driver.suspend()
        notebook.client.shutdown()
        assert wait_until(lambda: not notebook.is_alive, 30)
        notebook.assert_nothing_left()


def test_driver_that_hangs_is_killed_with_the_timeouts_that_clients_have(
    new_notebook: NotebookMaker,
) -> None:
    with new_notebook() as notebook:
        start_with_workers(notebook)
        notebook.driver.suspend()
        notebook.shut_down()  # terminates the kernel after 2.5 s, and kills it after 5
        # The driver still has time to end by itself.
        notebook.assert_nothing_left(timeout_s=30)


@pytest.fixture
def hang_up() -> Iterator[None]:
    """Let new kernels hear when a terminal is closed: under nohup they would be born deaf to it."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("hang_up")
def test_two_kernels_at_once_do_not_disturb_each_other(new_notebook: NotebookMaker) -> None:
    with new_notebook() as one, new_notebook() as other:
        for notebook in (one, other):
            notebook.wait_for_state("ready")
        cells = [
            n.submit("spark.range(1_000_000).selectExpr('sum(id)').first()[0]")
            for n in (one, other)
        ]
        values = [n.finish(cell).text for n, cell in zip((one, other), cells, strict=True)]
        assert values == ["499999500000"] * 2
        statuses = [one.status, other.status]
        assert statuses[0]["application"]["id"] != statuses[1]["application"]["id"]
        links = [{link["rel"]: link["url"] for link in status["links"]} for status in statuses]
        assert links[0]["spark-ui"] != links[1]["spark-ui"]
        assert links[0]["driver-log"] != links[1]["driver-log"]
        one.process.send_signal(signal.SIGHUP)  # as a terminal does that is closed
        assert wait_until(lambda: not one.is_alive, 20)
        one.assert_nothing_left()
        assert other.value("spark.range(3).count()") == "3"


def test_twenty_kernels_come_and_go_at_any_moment(new_notebook: NotebookMaker) -> None:
    moments = random.Random(20130901)
    for number in range(20):
        with new_notebook() as notebook:
            time.sleep(moments.uniform(0, 3) if number % 5 else 0)
            print("kernel", number, notebook.state)  # for whoever reads that one was left
            if number % 3 == 2:
                notebook.process.send_signal(moments.choice([signal.SIGKILL, signal.SIGTERM]))
                assert wait_until(lambda: not notebook.is_alive, 20)
                sweep(notebook)
