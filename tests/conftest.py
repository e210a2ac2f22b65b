"""An environment of its own for all tests and their kernels, and a check that nothing is left."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from kernel_real.leftovers import MARK, assert_nothing_left, kill_all
from kernel_real.notebook import Notebook, NotebookMaker, fast_start

settings.register_profile("spark-kernel", deadline=None)  # no test asserts a time
settings.load_profile("spark-kernel")

_STRICT = "NO_SKIPPED_TESTS"
"""The variable with which no test may be skipped."""

_FOREIGN = (
    "COLUMNS",
    "HADOOP_",
    "IPYTHON",
    "JAVA_",
    "JPY_",
    "JUPYTER_",
    "JDK_JAVA_OPTIONS",
    "LINES",
    "MASTER",
    "PYSPARK_",
    "SPARK_",
    "XDG_",
    "YARN_",
)
"""What whoever runs the tests has set for Spark, Java, Jupyter and terminals: none of it counts."""


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say why each skipped test was, where none may be."""
    for report in _skipped(terminalreporter):
        reason = report.longrepr[-1] if isinstance(report.longrepr, tuple) else report.longrepr
        terminalreporter.write_line(f"SKIPPED, and may not be: {report.nodeid}: {reason}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a test was skipped that may not be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _skipped(reporter) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def _skipped(reporter: Any) -> list[Any]:
    # A worker has no reporter: its tests are reported where they are handed out.
    if reporter is None or not os.environ.get(_STRICT):
        return []
    return list(reporter.stats.get("skipped", []))


@pytest.fixture(scope="session", autouse=True)
def session_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Give every test and child process a home, and look for what is left of them at the end."""
    folder = tmp_path_factory.mktemp("session")
    for name in ("home", "jupyter", "ipython", "runtime", "tmp", "notebooks"):
        (folder / name).mkdir()
    bin_folder = str(Path(sys.executable).parent)
    mark = uuid.uuid4().hex
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(_FOREIGN):
                patch.delenv(name)
        for name, value in {
            MARK: mark,
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "tmp"),
            "PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", os.defpath)]),
            "JUPYTER_CONFIG_DIR": str(folder / "jupyter"),
            "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
            "IPYTHONDIR": str(folder / "ipython"),
            "SPARK_KERNEL_FAST_START": "0",
            "SPARK_KERNEL_LOG_FOLDER": str(folder / "logs"),
            "SPARK_KERNEL_CACHE_FOLDER": str(folder / "cache"),
        }.items():
            patch.setenv(name, value)
        patch.setattr(tempfile, "tempdir", None)
        yield folder
        try:
            assert_nothing_left(mark, folder / "tmp")
        finally:
            kill_all(mark)


@pytest.fixture(scope="session")
def archives(session_folder: Path, pytestconfig: pytest.Config) -> Path:
    """Give a cache folder with a class-data archive, which halves each start; kept between runs."""
    folder = Path(pytestconfig.cache.mkdir("spark-kernel"))
    command = [sys.executable, "-m", "spark_kernel.cli", "warm"]
    environ = {**os.environ, **fast_start(folder)}
    with (folder / "made-once").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # there are two workers, and it takes both cores
        made = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=280)
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture(scope="session")
def new_notebook(session_folder: Path, archives: Path) -> NotebookMaker:
    """Start notebooks, each with a kernel of its own: ``with new_notebook() as notebook``."""
    return NotebookMaker(session_folder / "notebooks", os.environ[MARK], archives)


@pytest.fixture(scope="session")
def shared(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook whose Spark is ready; every test leaves it so."""
    with new_notebook() as notebook:
        notebook.wait_for_state("ready")
        yield notebook
