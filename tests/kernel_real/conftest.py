"""A notebook whose Spark starts only when a test lets it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel_real.gated_java import GatedJava
from kernel_real.leftovers import wait_until
from kernel_real.notebook import Notebook, NotebookMaker


class GatedNotebook:
    """A notebook with a gate before its Spark.

    Attributes
    ----------
    java
        The gate.
    """

    def __init__(self, notebook: Notebook, java: GatedJava) -> None:
        self.notebook = notebook
        self.java = java

    def held(self) -> Notebook:
        """Give the notebook while its Spark is held on its way."""
        if self.notebook.state not in ("starting", "restarting"):
            self.java.close()
            restart = self.notebook.submit("%spark restart")
            self.notebook.wait_for_stage("driver_starting")
            self.notebook.wait_for(lambda: restart.displays, 30, "the display of the wait")
            self.notebook.interrupt()
            assert "KeyboardInterrupt" in self.notebook.finish(restart).error
        self.notebook.wait_for_stage("driver_starting")
        assert wait_until(lambda: self.notebook.find_processes("bin/java"), 30)
        return self.notebook


@pytest.fixture(scope="module")
def gated(
    new_notebook: NotebookMaker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[GatedNotebook]:
    """Give a gated notebook for the tests of one module."""
    java = GatedJava(tmp_path_factory.mktemp("java") / "home")
    environ = {"SPARK_KERNEL_JAVA_HOME": str(java.home), "SPARK_KERNEL_STOP_TIMEOUT_S": "3"}
    environ["SPARK_KERNEL_PROGRESS"] = "0"  # the display of the wait is what these tests look at
    files = {
        "needs_session.py": _NEEDS_SESSION,
        "needs_active.py": _NEEDS_ACTIVE,
    }
    with new_notebook(environ, files=files) as notebook:
        yield GatedNotebook(notebook, java)


@pytest.fixture
def held(gated: GatedNotebook) -> Notebook:
    """Give a notebook whose Spark is on its way, and stays there until the gate is opened."""
    return gated.held()


_NEEDS_SESSION = '''"""A module that makes itself a session, as scripts do."""

from pyspark.sql import SparkSession


def count():
    return SparkSession.builder.getOrCreate().range(5).count()
'''

_NEEDS_ACTIVE = '''"""A module that asks for the session as it is imported."""

from pyspark.sql import SparkSession

COUNT = SparkSession.active().range(6).count()
'''
