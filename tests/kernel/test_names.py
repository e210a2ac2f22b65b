"""``spark`` and ``sc`` in a namespace: there from the first cell, and never in the way."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from spark_kernel.errors import SparkStoppedError
from spark_kernel.kernel.names import SparkNames
from spark_kernel.protocol.events import Cluster, SessionState, SessionStatus, StageName
from spark_kernel.spark import pyspark_state


class FakeSpark:
    """Stands for a SparkSession."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.sparkContext = FakeContext(name)


class FakeContext:
    """Stands for a SparkContext."""

    def __init__(self, name: str) -> None:
        self.applicationId = f"app of {name}"


class Notebook:
    """A namespace with the names in it, and a session whose life the test directs."""

    def __init__(self) -> None:
        self.generation = 0
        self.driver = SimpleNamespace(
            is_running=False,
            context_of=lambda spark: spark.sparkContext,
            existing=lambda: {
                "spark": pyspark_state.existing_session(),
                "sc": pyspark_state.active_context(),
            },
        )
        self.status = SessionStatus(
            state=SessionState.STOPPED,
            stage=StageName.RUNTIME_STARTED,
            message="Spark is not started",
            elapsed_s=0.0,
            cluster=Cluster("local[*]", "local[*]"),
        )
        self.waits = 0
        self.spark: FakeSpark | None = None
        self.error: BaseException = SparkStoppedError("Spark is not running.")
        self.cells: dict[str, Any] = {"answer": 42}
        self.names = SparkNames(self, self.require)
        self.names.install(self.cells)

    # -- as the session --------------------------------------------------------------------

    @property
    def is_ready(self) -> bool:
        """Whether there is a session."""
        return self.status.state is SessionState.READY

    def check(self) -> None:
        """Notice nothing: a test directs the session's life."""

    def require(self) -> FakeSpark:
        """Give the session; counts how often a cell had to wait."""
        self.waits += 1
        if self.spark is None:
            raise self.error
        return self.spark

    def go(self, state: SessionState, message: str = "") -> None:
        """Bring the session into a state."""
        self.generation += state.is_pending
        self.driver.is_running = state is SessionState.READY
        if not self.driver.is_running:
            self.spark = None
        self.status = replace(self.status, state=state, message=message or state.value)

    def be_ready(self, name: str = "first") -> FakeSpark:
        """Start the session, up to the end."""
        self.go(SessionState.STARTING)
        self.go(SessionState.READY, f"{name} is ready")
        self.spark = FakeSpark(name)
        return self.spark

    # -- as the shell ----------------------------------------------------------------------

    def run(self, source: str) -> None:
        """Run a cell, as the shell does."""
        code = compile(source, "<cell>", "exec")
        self.names.prepare(code)
        exec(code, self.cells)


@pytest.fixture
def notebook() -> Notebook:
    """Give a notebook whose session is starting."""
    made = Notebook()
    made.go(SessionState.STARTING, "Preparing the driver")
    return made


# -- before Spark is ready ---------------------------------------------------------------------


def test_names_are_there_before_spark_is(notebook):
    assert {"spark", "sc", "answer"} <= set(notebook.cells)


def test_showing_a_name_does_not_wait(notebook):
    notebook.run("")
    for name in ("spark", "sc"):
        assert repr(notebook.cells[name]) == f"<{name}: Preparing the driver>"
        shown = notebook.cells[name]._repr_mimebundle_(include=None, exclude=None)
        assert shown == {"text/plain": f"<{name}: Preparing the driver>"}
    assert notebook.waits == 0


def test_cell_that_does_not_use_spark_does_not_wait(notebook):
    notebook.run("answer += 1")
    notebook.run("sparkle = 'spark'; print_sc = [c for c in 'sc']")
    assert notebook.waits == 0


def test_cell_that_defines_a_use_of_spark_does_not_wait(notebook):
    notebook.run("def count(): return spark.name")
    assert notebook.waits == 0


# -- once it is used ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source", ["name = spark.name", "name = sc.applicationId", "name = str(spark)", "spark"]
)
def test_cell_that_uses_a_name_waits_once_and_gets_the_objects_themselves(notebook, source):
    spark = notebook.be_ready()
    notebook.run(source)
    notebook.run(source)
    assert notebook.waits == 1
    assert notebook.cells["spark"] is spark
    assert notebook.cells["sc"] is spark.sparkContext


def test_stand_in_that_was_kept_becomes_the_object_on_first_use(notebook):
    kept, context = notebook.cells["spark"], notebook.cells["sc"]
    notebook.be_ready()
    assert notebook.waits == 0
    assert kept.name == "first"
    assert isinstance(kept, FakeSpark)
    assert context.applicationId == "app of first"
    assert isinstance(context, FakeContext)
    assert notebook.waits == 2


def test_function_of_an_earlier_cell_finds_the_session(notebook):
    notebook.run("def count(): return spark.name + sc.applicationId")
    notebook.be_ready()
    notebook.run("result = count()")
    assert notebook.cells["result"] == "firstapp of first"


def test_interrupted_wait_leaves_the_names_to_be_used_later(notebook):
    notebook.error = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        notebook.run("spark.name")
    notebook.be_ready()
    notebook.run("name = spark.name")
    assert notebook.cells["name"] == "first"


def test_failed_start_is_told_in_the_cell_and_the_next_one_may_succeed(notebook):
    notebook.go(SessionState.FAILED, "No usable Java")
    kept = notebook.cells["spark"]
    with pytest.raises(SparkStoppedError):
        notebook.run("spark.name")
    assert repr(kept) == "<spark: No usable Java>"
    notebook.be_ready()
    notebook.run("name = spark.name")
    assert (notebook.cells["name"], kept.name) == ("first", "first")


# -- a value of the user's own -----------------------------------------------------------------


def test_giving_a_name_another_value_does_not_wait(notebook):
    notebook.run("spark = 'mine'\nlength = len(spark)")
    assert notebook.cells["length"] == 4
    assert notebook.waits == 0


def test_value_of_the_users_own_is_left_alone_for_ever(notebook):
    notebook.run("spark = 'mine'")
    notebook.be_ready()
    notebook.run("spark, sc")
    notebook.go(SessionState.LOST)
    notebook.run("")
    notebook.be_ready("second")
    notebook.run("spark, sc")
    assert notebook.cells["spark"] == "mine"
    assert notebook.cells["sc"] is notebook.spark.sparkContext


def test_name_that_was_deleted_stays_deleted(notebook):
    notebook.run("del spark")
    notebook.be_ready()
    notebook.run("sc")
    with pytest.raises(NameError):
        notebook.run("spark")


def test_old_value_is_read_before_a_new_one_is_given(notebook):
    notebook.be_ready()
    notebook.run("spark = spark.name")
    assert notebook.cells["spark"] == "first"


# -- the end of a session ----------------------------------------------------------------------


@pytest.mark.parametrize("state", [SessionState.LOST, SessionState.STOPPED, SessionState.FAILED])
def test_session_that_is_gone_is_not_left_under_its_name(notebook, state):
    notebook.be_ready()
    notebook.run("spark")
    notebook.go(state, "It is gone")
    notebook.run("")
    assert repr(notebook.cells["spark"]) == "<spark: It is gone>"
    assert repr(notebook.cells["sc"]) == "<sc: It is gone>"
    with pytest.raises(SparkStoppedError):
        notebook.run("spark.name")


def test_new_session_takes_the_name_of_the_old_one(notebook):
    first = notebook.be_ready("first")
    notebook.run("spark")
    second = notebook.be_ready("second")
    notebook.run("name = spark.name")
    assert notebook.cells["name"] == "second"
    assert notebook.cells["spark"] is second is not first


def test_session_that_the_notebook_stopped_stays_as_in_plain_pyspark(notebook):
    spark = notebook.be_ready()
    notebook.run("spark")
    notebook.go(SessionState.STOPPED)
    notebook.driver.is_running = True  # the notebook stopped the context, and the driver stays
    notebook.run("spark, sc")
    assert notebook.cells["spark"] is spark
    assert notebook.cells["sc"] is spark.sparkContext
    assert notebook.waits == 1


def test_restart_after_the_notebook_stopped_it_brings_the_new_session(notebook):
    notebook.be_ready()
    notebook.run("spark")
    notebook.go(SessionState.STOPPED)
    notebook.driver.is_running = True
    notebook.run("spark")
    second = notebook.be_ready("second")
    notebook.run("spark")
    assert notebook.cells["spark"] is second


def test_session_that_the_notebook_made_under_the_name_is_followed(notebook, monkeypatch):
    import pyspark.sql.session

    own = FakeSpark("own")
    notebook.cells["own"] = own
    notebook.be_ready()
    monkeypatch.setattr(pyspark.sql.session.SparkSession, "_instantiatedSession", own)
    notebook.run("spark = own")
    notebook.go(SessionState.STARTING)
    notebook.go(SessionState.READY)
    notebook.run("")
    monkeypatch.setattr(pyspark.sql.session.SparkSession, "_instantiatedSession", None)
    notebook.go(SessionState.LOST, "The driver is gone")
    notebook.run("")
    assert repr(notebook.cells["spark"]) == "<spark: The driver is gone>"


# -- %reset ------------------------------------------------------------------------------------


def test_emptied_namespace_gets_the_names_again(notebook):
    spark = notebook.be_ready()
    notebook.run("spark = 'mine'")
    notebook.cells.clear()
    notebook.names.install(notebook.cells)
    notebook.run("name = spark.name")
    assert notebook.cells["name"] == "first"
    assert notebook.cells["spark"] is spark


def test_names_move_to_a_new_namespace(notebook):
    notebook.be_ready()
    old, notebook.cells = notebook.cells, {}
    notebook.names.install(notebook.cells)
    notebook.run("name = spark.name")
    assert notebook.cells["name"] == "first"
    assert "name" not in old
