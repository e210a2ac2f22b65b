"""Each Spark job belongs to the cell that started it, from wherever in the cell it did."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from kernel_real.notebook import Notebook, NotebookMaker, Result

OURS = "spark-kernel-cell-"
DESCRIPTION_LENGTH = 100
HELPERS = """
import asyncio, json, threading, time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.pool import ThreadPool
from pyspark import InheritableThread
from pyspark.sql import SparkSession, functions as F

def count(rows=8):
    return spark.range(rows).count()

def jobs_from(first):
    context = spark.sparkContext._jsc.sc()
    context.listenerBus().waitUntilEmpty()
    jobs, found = context.statusStore().jobsList(None).iterator(), []
    while jobs.hasNext():  # the newest first
        job = jobs.next()
        if job.jobId() < first:
            break
        texts = [o.get() if o.isDefined() else "" for o in (job.description(), job.jobGroup())]
        found.append([job.jobId(), *texts, job.jobTags().mkString(",").split(",")])
    return found[::-1]

def next_job():
    jobs = spark.sparkContext._jsc.sc().statusStore().jobsList(None)
    return jobs.head().jobId() + 1 if jobs.nonEmpty() else 0
"""


@dataclass(frozen=True)
class Job:
    """A job as Spark's status store knows it."""

    id: int
    description: str
    group: str
    tags: list[str]

    @property
    def tag(self) -> str:
        """The tag of its cell: there is exactly one."""
        (tag,) = [tag for tag in self.tags if tag.startswith(OURS)]
        return tag


@dataclass
class Desk:
    """A notebook whose jobs are looked at, always from another cell.

    Attributes
    ----------
    tags
        Those of the cells so far.
    """

    notebook: Notebook
    tags: set[str] = field(default_factory=set)

    @property
    def next_job(self) -> int:
        """The id of the next job."""
        return int(self.notebook.value("next_job()"))

    def jobs_from(self, first: int) -> list[Job]:
        """Give the jobs from an id on."""
        said = self.notebook.run(f"print(json.dumps(jobs_from({first})))")
        assert said.error == ""
        return [Job(*values) for values in json.loads(said.stdout)]

    def run(self, code: str) -> tuple[Result, list[Job]]:
        """Run a cell that must succeed; gives it and the jobs that ran meanwhile."""
        first = self.next_job
        result = self.notebook.run(code)
        assert result.error == ""
        return result, self.jobs_from(first)

    def check(self, result: Result, jobs: list[Job], least: int = 1) -> str:
        """Check that jobs are of one cell and say so; gives its tag, which is a new one."""
        assert len(jobs) >= least
        assert {job.description for job in jobs} == {description(result)}
        (tag,) = {job.tag for job in jobs}
        assert {job.group for job in jobs} == {tag}
        assert tag not in self.tags
        self.tags.add(tag)
        return tag

    def check_run(self, code: str, least: int = 1) -> tuple[Result, list[Job]]:
        """Run a cell, and check that all the jobs meanwhile are its own."""
        result, jobs = self.run(code)
        self.check(result, jobs, least)
        return result, jobs


def description(result: Result) -> str:
    """Give what Spark's UI is to say of a cell's jobs."""
    assert result.reply is not None
    first_line = next(line.strip() for line in result.code.splitlines() if line.strip())
    return f"In [{result.reply['execution_count']}]: {first_line[:DESCRIPTION_LENGTH]}"


@pytest.fixture(scope="module")
def desk(new_notebook: NotebookMaker) -> Iterator[Desk]:
    """Give a notebook with two cores for the tests of this module."""
    with new_notebook({"SPARK_KERNEL_MASTER": "local[2]"}) as notebook:
        assert notebook.run(HELPERS).error == ""
        assert notebook.run("count()").error == ""
        yield Desk(notebook)


# -- what a cell runs by itself ----------------------------------------------------------------

ARROW = "spark.conf.set('spark.sql.execution.arrow.pyspark.enabled', {})\n"
JOIN = "spark.range(1000).join(F.broadcast(spark.range(10)), 'id').collect()"
SUBQUERY = "spark.sql('SELECT id FROM range(9) WHERE id > (SELECT avg(id) FROM range(5))').count()"
FIT = """
from pyspark.ml.evaluation import RegressionEvaluator
from pyspark.ml.linalg import Vectors
from pyspark.ml.regression import LinearRegression
from pyspark.ml.tuning import CrossValidator, ParamGridBuilder
rows = [(float(n), Vectors.dense([n])) for n in range(20)]
points = spark.createDataFrame(rows, ["label", "features"])
line = LinearRegression(maxIter=1)
grid = ParamGridBuilder().addGrid(line.regParam, [0.0, 0.1]).build()
CrossValidator(estimator=line, estimatorParamMaps=grid, evaluator=RegressionEvaluator(),
               numFolds=2, parallelism=2).fit(points)
"""
ITEMS = {
    "DataFrame": ("\n\n  \ncount()", 1),
    "SQL": ("spark.sql('SELECT count(*) FROM range(8)').collect()", 1),
    "RDD": (
        "spark.sparkContext.parallelize(range(9), 2).map(lambda n: n % 3).distinct().count()",
        1,
    ),
    "broadcast join": (JOIN, 2),
    "subquery": (SUBQUERY, 2),
    "toPandas": (ARROW.format("False") + "spark.range(9).toPandas()", 1),
    "toPandas with Arrow": (ARROW.format("True") + "spark.range(9).toPandas()", 1),
    "toLocalIterator": ("list(spark.range(9, numPartitions=3).toLocalIterator())", 3),
    "toLocalIterator that prefetches": (
        "list(spark.range(9, numPartitions=3).toLocalIterator(prefetchPartitions=True))",
        3,
    ),
    "RDD's toLocalIterator": (
        "list(spark.sparkContext.parallelize(range(9), 3).toLocalIterator())",
        3,
    ),
    "write": ("spark.range(9).write.mode('overwrite').parquet('written')", 1),
    "machine learning": (FIT, 8),
    "thread": ("one = threading.Thread(target=count)\none.start()\none.join()", 1),
    "inheritable thread": ("one = InheritableThread(target=count)\none.start()\none.join()", 1),
    "executor": ("with ThreadPoolExecutor(2) as pool:\n    list(pool.map(count, range(4)))", 4),
    "pool": ("with ThreadPool(2) as pool:\n    pool.map(count, range(4))", 4),
    "await": ("await asyncio.sleep(0)\ncount()\nawait asyncio.to_thread(count)", 2),
    "tasks": ("await asyncio.gather(*(asyncio.to_thread(count, n) for n in range(4)))", 4),
    "tasks of coroutines": (
        "async def one():\n    await asyncio.sleep(0)\n    count()\n"
        "await asyncio.gather(one(), asyncio.create_task(one()))",
        2,
    ),
    "long first line": (f"count()  # {'long ' * 100}", 1),
}


@pytest.mark.parametrize(("code", "least"), ITEMS.values(), ids=ITEMS)
def test_jobs_carry_tag_group_and_description_of_their_cell(desk, code, least):
    desk.check_run(code, least)


def test_cell_that_is_run_again_is_another_owner(desk):
    (_, one), (_, two) = desk.check_run("count()"), desk.check_run("count()")
    assert one[0].tag != two[0].tag


def test_cells_that_are_queued_have_each_their_own_jobs(desk):
    first = desk.next_job
    queued = [desk.notebook.submit(f"count({number})") for number in range(1, 5)]
    results = [desk.notebook.finish(result) for result in queued]
    jobs = desk.jobs_from(first)
    for result in results:
        desk.check(result, [job for job in jobs if job.description == description(result)])
    assert {job.description for job in jobs} == {description(result) for result in results}


def test_failing_cell_and_the_one_after_it_have_each_their_own_jobs(desk):
    first = desk.next_job
    failing = desk.notebook.run("spark.sql('SELECT raise_error(id) FROM range(2)').collect()")
    assert failing.status == "error"
    desk.check(failing, desk.jobs_from(first))
    desk.check_run("count()")


# -- threads, pools and tasks of earlier cells -------------------------------------------------


@pytest.mark.parametrize(
    ("make", "use", "end"),
    [
        ("old = ThreadPoolExecutor(1)", "list(old.map(count, range(3)))", "old.shutdown()"),
        ("old = ThreadPool(1)", "old.map(count, range(3))", "old.terminate(); old.join()"),
    ],
    ids=["executor", "pool"],
)
def test_work_for_a_pool_of_an_earlier_cell_belongs_to_whoever_hands_it_in(desk, make, use, end):
    desk.check_run(f"{make}\n{use}", 3)
    desk.check_run(use, 3)
    desk.check_run(f"{use}\ncount()", 4)
    assert desk.notebook.run(end).error == ""


@pytest.mark.parametrize("kind", ["threading.Thread", "InheritableThread"])
def test_thread_that_outlives_its_cell_goes_on_for_it(desk, kind):
    code = "gate = threading.Event()\nold = KIND(target=lambda: gate.wait(60) and count())\n"
    code += "old.start()"
    starting = desk.notebook.run(code.replace("KIND", kind))
    waking, jobs = desk.run("count()\ngate.set()\nold.join()\ncount()")
    of_thread = [job for job in jobs if job.description == description(starting)]
    desk.check(starting, of_thread)
    desk.check(waking, [job for job in jobs if job not in of_thread], 2)


def test_task_that_outlives_its_cell_goes_on_for_it(desk):
    code = "gate = asyncio.Event()\nasync def later():\n    await gate.wait()\n    count()\n"
    starting = desk.notebook.run(
        code + "await asyncio.sleep(0)\nold = asyncio.create_task(later())"
    )
    waking, jobs = desk.run("count()\ngate.set()\nawait old\ncount()")
    of_task = [job for job in jobs if job.description == description(starting)]
    desk.check(starting, of_task)
    desk.check(waking, [job for job in jobs if job not in of_task], 2)


# -- at the same time --------------------------------------------------------------------------


def test_subshells_that_run_at_the_same_time_have_each_their_own_jobs(desk):
    first, subshells = desk.next_job, [desk.notebook.new_subshell() for _ in "ab"]
    assert desk.notebook.run("met = threading.Barrier(3)").error == ""
    code = "'cell {}'\nmet.wait(60)\nfor _ in range(5): count()\narrived = met.wait(60)"
    cells = [desk.notebook.submit(code.format(shell), shell) for shell in (*subshells, "")]
    for cell in cells:
        assert desk.notebook.finish(cell).error == ""
    jobs = desk.jobs_from(first)
    tags = set()
    for cell in cells:
        line = cell.code.splitlines()[0]
        own = [job for job in jobs if job.description.endswith(f": {line}")]
        (tag,) = {job.tag for job in own}
        tags.add(tag)
        assert len(own) >= 5
        assert {job.group for job in own} == {tag}
    assert {job.tag for job in jobs} == tags
    assert len(tags) == 3


# -- what the user has set ---------------------------------------------------------------------


def test_group_and_description_of_the_user_are_kept_and_the_tag_is_that_of_the_cell(desk):
    first = desk.next_job
    own = "spark.sparkContext.setJobGroup('mine', 'my words')\ncount()"
    setting, later = desk.notebook.run(own), desk.notebook.run("count()")
    jobs = desk.jobs_from(first)
    assert (setting.error, later.error) == ("", "")
    assert {(job.group, job.description) for job in jobs} == {("mine", "my words")}
    assert len({job.tag for job in jobs} - desk.tags) == 2
    clearing = "for name in ('spark.jobGroup.id', 'spark.job.description'):\n"
    clearing += "    spark.sparkContext.setLocalProperty(name, None)"
    assert desk.notebook.run(clearing).error == ""
    desk.check_run("count()")


def test_description_of_the_user_is_kept_without_a_group(desk):
    first = desk.next_job
    assert desk.notebook.run("spark.sparkContext.setJobDescription('words')\ncount()").error == ""
    assert desk.notebook.run("count()").error == ""
    jobs = desk.jobs_from(first)
    assert {job.description for job in jobs} == {"words"}
    assert {job.group for job in jobs} == {job.tag for job in jobs}
    assert desk.notebook.run("spark.sparkContext.setJobDescription(None)").error == ""
    desk.check_run("count()")


def test_tags_of_the_user_are_kept_beside_that_of_the_cell(desk):
    _, jobs = desk.run("spark.sparkContext.addJobTag('team')\ncount()")
    assert all("team" in job.tags and job.tag for job in jobs)
    _, jobs = desk.check_run("count()")
    assert all("team" in job.tags for job in jobs)
    for way in ("removeJobTag('team')", "clearJobTags()"):
        _, jobs = desk.check_run(f"spark.sparkContext.{way}\ncount()")
        assert not any("team" in job.tags for job in jobs)


def test_local_properties_of_the_user_survive_cells_and_interrupts(desk):
    look = (
        "[spark.sparkContext.getLocalProperty(name) for name in ('my.own', 'spark.scheduler.pool')]"
    )
    code = "spark.sparkContext.setLocalProperty('my.own', '1')\n"
    code += "spark.sparkContext.setLocalProperty('spark.scheduler.pool', 'fair')\ncount()"
    desk.check_run(code)
    assert desk.notebook.value(look) == "['1', 'fair']"
    waiting = desk.notebook.submit(
        "print('now')\nspark.range(4).rdd.foreach(lambda _: time.sleep(60))"
    )
    desk.notebook.wait_for(lambda: waiting.stdout, 60, "the cell")
    desk.notebook.interrupt()
    assert "KeyboardInterrupt" in desk.notebook.finish(waiting).error
    assert desk.notebook.value(look) == "['1', 'fair']"
    desk.check_run("count()")
    assert (
        desk.notebook.value("spark.sparkContext.setLocalProperty('spark.scheduler.pool', None)")
        == ""
    )


# -- streaming ---------------------------------------------------------------------------------

STREAM = """
from spark_kernel.spark.ownership import current_owner
query = (spark.readStream.format("rate").option("rowsPerSecond", 10).load()
         .writeStream.format("noop").queryName("seen").start())
print(current_owner().tag, current_owner().streams.tag, flush=True)
count()
query.awaitTermination()
"""


def test_jobs_of_a_streaming_query_belong_to_its_cell_and_outlive_its_interrupt(desk):
    first, notebook = desk.next_job, desk.notebook
    cell = notebook.submit(STREAM)
    notebook.wait_for(lambda: cell.stdout, 60, "the query")
    own, streams = cell.stdout.split()
    notebook.interrupt()
    assert "KeyboardInterrupt" in notebook.finish(cell).error
    try:
        later = desk.next_job
        wait = "for _ in range(600):\n    if jobs_from(LATER): break\n    time.sleep(0.1)"
        assert notebook.run(wait.replace("LATER", str(later))).error == ""
        jobs = desk.jobs_from(first)
    finally:
        assert notebook.run("query.stop()").error == ""
    assert {job.tag for job in jobs} <= {own, streams}
    assert {job.tag for job in jobs if job.id >= later} == {streams}
    assert {job.description for job in jobs if job.tag == own} <= {description(cell)}


# -- a restart, last: ids begin again ----------------------------------------------------------


def test_context_that_is_restarted_inside_a_cell_goes_on_for_the_cell(desk):
    code = "count()\nspark.stop()\nspark = SparkSession.builder.getOrCreate()\ncount()\n"
    code += "print(json.dumps(jobs_from(0)))"
    first = desk.next_job
    before = desk.notebook.run(code)
    assert before.error == ""
    jobs = [Job(*values) for values in json.loads(before.stdout)]
    assert first > 0
    assert jobs[0].id == 0
    desk.check(before, jobs)
    desk.check_run("count()")
    desk.check_run("with ThreadPoolExecutor(1) as pool:\n    pool.submit(count).result()")
