"""An interrupt ends what a cell does, in Spark too, and nothing else."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import psutil
import pytest

from kernel_real.leftovers import wait_until
from kernel_real.notebook import Notebook, NotebookMaker, Result

PREPARE = """
import asyncio, threading, time
from concurrent.futures import ThreadPoolExecutor
from pyspark.sql import functions as F
import pandas as pd
kept = 42
spark.range(3).createOrReplaceTempView("kept_view")
cached = spark.range(7).cache()
cached.count()
sc.setLocalProperty("my.property", "mine")
pool = ThreadPoolExecutor(10)

@F.udf("long")
def slow(x):
    time.sleep(60)
    return x

@F.pandas_udf("long")
def slow_pandas(x: pd.Series) -> pd.Series:
    time.sleep(60)
    return x

def sleep_in_tasks(seconds=60):
    return sc.parallelize(range(2), 2).map(lambda x: time.sleep(seconds)).count()

endless = spark.range(10**13).selectExpr("sum(id % 7) AS s")

def plan_for_long():
    frame = spark.range(1)
    for i in range(3000):
        frame = frame.withColumn(f"c{i}", F.col("id") + i)
    return frame.collect()

def running_tasks():
    names = [t.getName() for t in sc._jvm.java.lang.Thread.getAllStackTraces().keySet()]
    return [name for name in names if "task launch worker for task" in name]

def state():
    jobs = len(sc.statusTracker().getActiveJobsIds())
    return (kept, spark.sql("SELECT count(*) FROM kept_view").collect()[0][0], cached.count(),
            cached.storageLevel.useMemory, sc.getLocalProperty("my.property"),
            jobs, spark.range(5).count(), spark.getActiveSession() is spark)
"""
STATE = "(42, 3, 7, True, 'mine', 0, 5, True)"

IN_SPARK = {
    "RDD action with Python workers": "sleep_in_tasks()",
    "SQL": "endless.collect()",
    "Python UDF": "spark.range(4).select(slow('id')).collect()",
    "pandas UDF": "spark.range(4).select(slow_pandas('id')).collect()",
    "toPandas with Arrow": """
spark.conf.set("spark.sql.execution.arrow.pyspark.enabled", True)
endless.toPandas()""",
    "toPandas without Arrow": """
spark.conf.set("spark.sql.execution.arrow.pyspark.enabled", False)
endless.toPandas()""",
    "toLocalIterator": "list(endless.toLocalIterator())",
    "broadcast join": "spark.range(5).join(F.broadcast(endless), F.expr('id = s')).collect()",
    "loop of short jobs": """
while True:
    try:
        spark.range(100).count()
    except Exception as error:
        print("swallowed", error)""",
    "jobs in ten threads": "list(pool.map(lambda i: sleep_in_tasks(), range(40)))",
    "threads that end with the with": """
with ThreadPoolExecutor(10) as own:
    futures = [own.submit(sleep_in_tasks) for _ in range(40)]""",
    "plain threads": """
threads = [threading.Thread(target=sleep_in_tasks) for _ in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]""",
    "await of a thread": "await asyncio.to_thread(sleep_in_tasks)",
    "job in a coroutine": """
async def count():
    return endless.collect()
await count()""",
    "jobs in tasks": """
async def count():
    return endless.collect()
await asyncio.gather(count(), count())""",
    "own job group": """
sc.setJobGroup("mine", "my own")
try:
    sleep_in_tasks()
finally:
    for name in ("spark.jobGroup.id", "spark.job.description", "spark.job.interruptOnCancel"):
        sc.setLocalProperty(name, None)""",
}
IN_PYTHON = {
    "sleep": "time.sleep(60)",
    "loop": "while True: pass",
    "between jobs": "spark.range(5).count(); time.sleep(60)",
    "long planning": "plan_for_long()",
    "await": "await asyncio.sleep(60)",
    "blocking code in tasks": """
async def block():
    time.sleep(60)
await asyncio.gather(block(), block())""",
    "code after an await": "await asyncio.sleep(0); time.sleep(60)",
}


@pytest.fixture(scope="module")
def prepared(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook with something to lose."""
    with new_notebook() as notebook:
        notebook.value(PREPARE)
        yield notebook


def begin(notebook: Notebook, code: str, sign: str = "") -> Result:
    """Run a cell until its Spark jobs are shown, or until it has printed a sign."""
    result = notebook.submit(f"print({sign!r})\n{code}" if sign else code)
    begun = (lambda: sign in result.stdout) if sign else (lambda: bool(result.displays))
    notebook.wait_for(begun, 60, f"the beginning of {code!r}")
    return result


def assert_interrupted(notebook: Notebook, result: Result) -> None:
    """Check that a cell ended with one clean KeyboardInterrupt, and that all else is as it was."""
    notebook.finish(result, 30)
    assert result.error.startswith("KeyboardInterrupt:"), result.error
    assert len(result.traceback) <= 12, result.traceback
    assert "py4j" not in "\n".join([*result.traceback, result.stderr]).lower()
    assert "swallowed" not in result.stdout
    assert wait_until(lambda: notebook.value("running_tasks()") == "[]", 20)
    assert_state(notebook)


def assert_state(notebook: Notebook) -> None:
    """Check that nothing is lost; that a job has ended, Spark's tracker may hear a little later."""
    wait_until(lambda: notebook.value("state()") == STATE, 20)
    assert notebook.value("state()") == STATE


def python_workers(notebook: Notebook) -> list[psutil.Process]:
    """Give the Python processes that run tasks; the daemon that forks them is none."""
    daemons = notebook.find_processes("pyspark.daemon")
    return [p for p in daemons if any("pyspark.daemon" in w for w in p.parent().cmdline())]


@pytest.mark.parametrize("code", IN_SPARK.values(), ids=IN_SPARK)
def test_interrupt_ends_the_jobs_of_the_cell_and_nothing_else(
    prepared: Notebook, code: str
) -> None:
    result = begin(prepared, code)
    prepared.interrupt()
    assert_interrupted(prepared, result)


@pytest.mark.parametrize("code", IN_PYTHON.values(), ids=IN_PYTHON)
def test_interrupt_ends_the_code_of_the_cell_and_nothing_else(
    prepared: Notebook, code: str
) -> None:
    result = begin(prepared, code, sign="begun")
    prepared.listen(0.5)
    prepared.interrupt_by_signal()
    assert_interrupted(prepared, result)


def test_python_workers_of_cancelled_tasks_are_gone(prepared: Notebook) -> None:
    result = begin(prepared, "sleep_in_tasks()")
    assert len(python_workers(prepared)) >= 2
    prepared.interrupt()
    assert_interrupted(prepared, result)
    assert wait_until(lambda: not python_workers(prepared), 20)


def test_interrupt_while_a_large_result_is_read(prepared: Notebook) -> None:
    result = begin(prepared, "while True: spark.range(2_000_000).collect()", sign="begun")
    prepared.listen(1)
    prepared.interrupt()
    assert_interrupted(prepared, result)


def test_await_termination_is_interrupted_and_the_query_goes_on(prepared: Notebook) -> None:
    start = """
query = spark.readStream.format("rate").load().writeStream.format("noop").start()
query.awaitTermination()"""
    result = begin(prepared, start)
    prepared.interrupt()
    prepared.finish(result, 30)
    assert "goes on; `%spark cancel" in result.error
    assert len(result.traceback) <= 12
    prepared.value("seen = (query.lastProgress or {'batchId': -1})['batchId']")
    advanced = "query.isActive and (query.lastProgress or {'batchId': -1})['batchId'] > seen"
    assert wait_until(lambda: prepared.value(advanced) == "True", 30)
    identifier = prepared.value("str(query.id)").strip("'")
    assert f"Stopped query {identifier}" in prepared.run(f"%spark cancel {identifier}").stdout
    assert prepared.value("query.isActive") == "False"


def test_code_that_catches_the_interrupt_may_go_on_with_spark(prepared: Notebook) -> None:
    code = """
try:
    sleep_in_tasks()
except KeyboardInterrupt:
    after = spark.range(11).count()"""
    result = begin(prepared, code)
    prepared.interrupt()
    assert prepared.finish(result, 30).status == "ok"
    assert prepared.value("after") == "11"


def test_waiting_work_of_an_interrupted_cell_never_runs_in_spark(prepared: Notebook) -> None:
    code = (
        "futures = [pool.submit(sleep_in_tasks) for _ in range(60)]; [f.result() for f in futures]"
    )
    result = begin(prepared, code)
    prepared.interrupt()
    assert_interrupted(prepared, result)
    assert prepared.value("all(isinstance(f.exception(), KeyboardInterrupt) for f in futures)")
    assert (
        prepared.value("list(pool.map(lambda i: spark.range(i).count(), range(3)))") == "[0, 1, 2]"
    )


def test_interrupt_leaves_what_an_earlier_cell_has_left_running(prepared: Notebook) -> None:
    prepared.value("earlier = pool.submit(sleep_in_tasks, 4)")
    result = begin(prepared, "time.sleep(60)", sign="begun")
    prepared.interrupt()
    assert "KeyboardInterrupt" in prepared.finish(result, 30).error
    assert prepared.value("earlier.result()") == "2"


def test_interrupt_of_an_idle_kernel_does_nothing(prepared: Notebook) -> None:
    for interrupt in (prepared.interrupt, prepared.interrupt_by_signal):
        interrupt()
        prepared.listen(0.3)
    assert_state(prepared)


def test_local_properties_survive_a_call_that_is_given_up(prepared: Notebook) -> None:
    # A call of the driver's own that no cancelled job ends: its connection is closed under it.
    result = begin(prepared, "sc._jvm.java.lang.Thread.sleep(60000)", sign="begun")
    prepared.listen(0.5)
    prepared.interrupt()
    assert_interrupted(prepared, result)


@pytest.mark.parametrize("name", ["RDD action with Python workers", "SQL", "toPandas with Arrow"])
def test_first_cell_of_a_notebook_can_be_interrupted(
    new_notebook: NotebookMaker, name: str
) -> None:
    with new_notebook() as notebook:
        result = notebook.submit(f"{PREPARE}\nprint('begun')\n{IN_SPARK[name]}")
        notebook.wait_for(lambda: "begun" in result.stdout, 120, "the work")
        shown = len(result.displays)
        notebook.wait_for(lambda: len(result.displays) > shown + 1, 60, "the job")
        notebook.interrupt()
        assert_interrupted(notebook, result)


def test_two_hundred_interrupts_at_random_moments_break_nothing(prepared: Notebook) -> None:
    generator = random.Random(20261123)
    cells = (
        "while True: spark.range(10).count()",
        "while True: sc.parallelize(range(2), 2).map(lambda x: x).collect()",
        "while True: list(pool.map(lambda i: spark.range(i).count(), range(10)))",
        "while True: spark.range(100).toPandas()",
        "while True: [str(i) for i in range(1000)]",
        "while True: await asyncio.to_thread(lambda: spark.range(10).count())",
    )
    for number in range(200):
        result = prepared.submit(f"print('begun')\n{cells[number % len(cells)]}")
        prepared.wait_for(lambda: "begun" in result.stdout, 30, "the cell")  # noqa: B023
        time.sleep(generator.random() * 0.3)
        prepared.interrupt()
        prepared.finish(result, 20)
        assert result.error.startswith("KeyboardInterrupt:"), (number, result.error)
    assert_state(prepared)
    assert wait_until(lambda: prepared.value("running_tasks()") == "[]", 20)


def test_interrupt_gets_through_while_the_driver_hangs(prepared: Notebook) -> None:
    result = begin(prepared, "sleep_in_tasks()")
    prepared.driver.suspend()
    try:
        prepared.interrupt()
        prepared.finish(result, 30)
        assert result.error.startswith("KeyboardInterrupt:")
        assert prepared.value("kept") == "42"
        waiting = prepared.submit("spark.range(5).count()")
        prepared.listen(1)
        prepared.interrupt()
        assert prepared.finish(waiting, 30).error.startswith("KeyboardInterrupt:")
    finally:
        prepared.driver.resume()
    assert wait_until(lambda: prepared.value("running_tasks()") == "[]", 20)
    assert_state(prepared)
