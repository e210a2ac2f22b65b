"""The record of every cell: what it says of each way to end, and that Spark says the same."""

from __future__ import annotations

import hashlib
import json
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from kernel_real.notebook import Notebook, NotebookMaker, Result
from spark_kernel.protocol.progress import PROGRESS_MIME
from spark_kernel.protocol.provenance import KEY, SESSION
from spark_kernel.protocol.record_reading import record_of

SLEEP = "java_method('java.lang.Thread', 'sleep', {ms}L)"
AGGREGATE = """
(spark.range(0, 20000, 1, 4).selectExpr("id % 7 AS k", "id AS v").groupBy("k").count()
    .repartition(3).write.mode("overwrite").parquet({place!r}))
spark.read.parquet({place!r}).orderBy("k").collect()
"""


def reply_metadata(notebook: Notebook, result: Result) -> dict[str, Any]:
    """Give what the reply of a cell says of it."""
    return dict(notebook.metadata_of(result)[KEY])


def record(notebook: Notebook, code: str, **how: Any) -> dict[str, Any]:
    """Run a cell; gives its record, which can be read back."""
    found = reply_metadata(notebook, notebook.finish(notebook.submit(code, **how)))
    assert record_of(found) is not None
    return found


def kept(result: Result) -> list[dict[str, Any]]:
    """Give the records that a saved notebook keeps of a cell: those of the last displays."""
    last = {c["transient"].get("display_id", n): c for n, c in enumerate(result.displays)}
    return [c["metadata"][KEY] for c in last.values() if KEY in c["metadata"]]


def from_rest(notebook: Notebook, what: str) -> list[dict[str, Any]]:
    """Ask Spark's REST API."""
    url = notebook.value("print(sc.uiWebUrl) or sc.uiWebUrl").strip("'")
    identifier = notebook.status["application"]["id"]
    with urllib.request.urlopen(f"{url}/api/v1/applications/{identifier}/{what}") as answer:
        return list(json.load(answer))


def test_figures_are_those_of_the_rest_api(shared: Notebook, tmp_path: Path) -> None:
    found = record(shared, AGGREGATE.format(place=str(tmp_path / "p")))
    ids = [job["id"] for job in found["jobs"]]
    jobs = {job["jobId"]: job for job in from_rest(shared, "jobs") if job["jobId"] in ids}
    assert len(ids) == len(jobs) >= 3
    for job in found["jobs"]:
        told = jobs[job["id"]]
        assert job["state"] == told["status"].lower()
        assert job["stages"] == told["numCompletedStages"] + told["numFailedStages"]
        assert job["tasks"] == told["numTasks"] - told["numSkippedTasks"]
        assert job["failed_tasks"] == told["numFailedTasks"]
    numbers = {number for told in jobs.values() for number in told["stageIds"]}
    stages = [one for one in from_rest(shared, "stages") if one["stageId"] in numbers]
    totals = found["totals"]
    for ours, theirs in (
        ("input_bytes", "inputBytes"),
        ("input_records", "inputRecords"),
        ("output_bytes", "outputBytes"),
        ("output_records", "outputRecords"),
        ("shuffle_read_bytes", "shuffleReadBytes"),
        ("shuffle_write_bytes", "shuffleWriteBytes"),
        ("spill_bytes", "diskBytesSpilled"),
    ):
        assert totals[ours] == sum(stage[theirs] for stage in stages), ours
    assert totals["output_records"] == 7
    assert totals["executor_run_s"] == sum(s["executorRunTime"] for s in stages) / 1000
    assert totals["executor_cpu_s"] == round(sum(s["executorCpuTime"] for s in stages) / 1e9, 3)
    assert totals["jvm_gc_s"] == sum(s["jvmGcTime"] for s in stages) / 1000


def test_cell_without_spark_has_a_record(shared: Notebook) -> None:
    result = shared.run("1 + 1  # é")
    found = reply_metadata(shared, result)
    assert found["source_sha256"] == hashlib.sha256("1 + 1  # é".encode()).hexdigest()
    assert (found["status"], found["jobs"], found["provenance"]) == ("ok", [], False)
    assert (found["inputs"], found["outputs"]) == (None, None)
    assert found["execution_count"] == result.reply["execution_count"]  # type: ignore[index]
    assert found["spark"]["application_id"] == shared.status["application"]["id"]
    assert found["kernel"]["session"] == record(shared, "2")["kernel"]["session"]
    assert result.displays == []


def test_error_is_told_by_its_name_alone(shared: Notebook) -> None:
    found = record(shared, "raise ValueError('hunter2')")
    assert (found["status"], found["error"]) == ("error", {"name": "ValueError"})
    assert "hunter2" not in json.dumps(found)


def test_failed_job_is_told(shared: Notebook) -> None:
    found = record(shared, "spark.range(1).selectExpr('raise_error(\"x\")').collect()")
    assert found["status"] == "error"
    assert [job["state"] for job in found["jobs"]] == ["failed"]


@pytest.mark.parametrize("code", ["spark.range(1, 5, 1, 4).selectExpr({sleep!r}).collect()"])
def test_interrupted_cell_has_a_cancelled_job(shared: Notebook, code: str) -> None:
    cell = shared.submit(code.format(sleep=SLEEP.format(ms=20_000)))
    shared.wait_for(lambda: cell.displays, 30, "the progress of the cell")
    shared.interrupt()
    found = reply_metadata(shared, shared.finish(cell))
    assert (found["status"], found["error"]) == ("interrupted", {"name": "KeyboardInterrupt"})
    assert [job["state"] for job in found["jobs"]] == ["cancelled"]


def test_interrupt_of_the_notebooks_own_making_is_an_error(shared: Notebook) -> None:
    assert record(shared, "raise KeyboardInterrupt")["status"] == "error"


def test_interrupted_async_cell_is_interrupted(shared: Notebook) -> None:
    cell = shared.submit("import asyncio\nprint('there')\nawait asyncio.sleep(30)")
    shared.wait_for(lambda: cell.stdout, 30, "the beginning of the cell")
    shared.interrupt()
    assert reply_metadata(shared, shared.finish(cell))["status"] == "interrupted"


def test_aborted_cell_had_no_run(shared: Notebook) -> None:
    first = shared.submit("import time; time.sleep(0.3); 1 / 0", stop_on_error=True)
    second = shared.submit("spark.range(5).count()", cell_id="the-cell")
    shared.wait_for(lambda: second.reply, 30, "the reply to the aborted cell")
    shared.finish(first)
    found = reply_metadata(shared, second)
    assert (found["status"], found["cell_id"], found["jobs"]) == ("aborted", "the-cell", [])
    assert (found["started"], found["finished"], found["duration_s"]) == (None, None, None)


def test_jobs_of_threads_and_pools_are_the_cells(shared: Notebook) -> None:
    code = """
import threading
from concurrent.futures import ThreadPoolExecutor
thread = threading.Thread(target=lambda: spark.range(1, 9, 1, 2).foreach(print))
thread.start()
with ThreadPoolExecutor(2) as pool:
    list(pool.map(lambda number: spark.range(number).rdd.count(), [3, 4]))
thread.join()
"""
    assert len(record(shared, code)["jobs"]) == 3


def test_cells_of_two_subshells_have_their_own_jobs(shared: Notebook) -> None:
    code = f"spark.range(0, 2, 1, {{tasks}}).selectExpr({SLEEP.format(ms=300)!r}).rdd.count()"
    other = shared.submit(code.format(tasks=1), subshell=shared.new_subshell())
    own = shared.submit(code.format(tasks=2))
    for result, tasks in ((other, 1), (own, 2)):
        found = reply_metadata(shared, shared.finish(result))
        assert [job["tasks"] for job in found["jobs"]] == [tasks]


def test_job_that_still_runs_is_told_as_running(shared: Notebook) -> None:
    sleep = SLEEP.format(ms=1500)
    code = f"""
import threading, time
tracker = spark.sparkContext.statusTracker()
thread = threading.Thread(
    target=lambda: spark.range(0, 1, 1, 1).selectExpr({sleep!r}).collect())
thread.start()
while not tracker.getActiveJobsIds():
    time.sleep(0.01)
"""
    (job,) = record(shared, code)["jobs"]
    assert (job["state"], job["duration_s"]) == ("running", None)
    shared.value("thread.join()")


def test_batches_of_a_stream_are_not_jobs_of_its_cell(shared: Notebook, tmp_path: Path) -> None:
    code = f"""
query = (spark.readStream.format("rate").load().writeStream.format("parquet")
    .option("path", {str(tmp_path / "out")!r})
    .option("checkpointLocation", {str(tmp_path / "state")!r}).start())
query.processAllAvailable()
"""
    found = record(shared, code)
    shared.value("query.stop()")
    assert (found["status"], found["jobs"]) == ("ok", [])


def test_stage_of_two_jobs_counts_once_and_a_skipped_one_not_at_all(shared: Notebook) -> None:
    code = """
pairs = spark.sparkContext.parallelize(range(1000), 2).map(lambda n: (n % 5, n))
grouped = pairs.reduceByKey(lambda a, b: a + b, 2)
grouped.count(); grouped.count()
"""
    first, second = record(shared, code)["jobs"]
    assert (first["stages"], second["stages"]) == (2, 1)
    assert (first["tasks"], second["tasks"]) == (4, 2)


def test_many_jobs_are_listed_up_to_a_hundred_and_all_counted(shared: Notebook) -> None:
    code = "rdd = sc.parallelize([1], 1)._jrdd\nfor _ in range(105): rdd.count()"
    found = record(shared, code)
    assert len(found["jobs"]) == 100
    assert found["omitted"] == {"jobs": 5}


def test_settings_of_the_notebook_are_in_the_sum(shared: Notebook) -> None:
    key = "spark.sql.shuffle.partitions"
    before = record(shared, "spark.range(1).count()")["config_sha256"]
    changed = record(shared, f"before = spark.conf.get('{key}'); spark.conf.set('{key}', 11)")
    after = record(shared, f"spark.conf.set('{key}', before); spark.conf.unset('{key}')")
    assert len({before, changed["config_sha256"]}) == 2
    assert after["config_sha256"] == before


# -- provenance mode ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def full(new_notebook: NotebookMaker) -> Any:
    """Give a notebook in provenance mode."""
    with new_notebook({"SPARK_KERNEL_PROVENANCE": "1"}) as notebook:
        notebook.wait_for_state("ready")
        yield notebook


def test_cell_shows_its_record_in_one_line(full: Notebook) -> None:
    result = full.run("print('x')")
    assert [c["data"]["text/plain"].count("\n") for c in result.displays] == [0]
    (shown,) = kept(result)
    told = reply_metadata(full, result)
    assert SESSION not in shown
    assert {name: value for name, value in told.items() if name != SESSION} == shown
    assert (shown["provenance"], shown["inputs"], shown["outputs"]) == (True, [], [])


def test_progress_carries_the_record_where_there_is_progress(full: Notebook) -> None:
    sleep = SLEEP.format(ms=900)
    result = full.run(f"spark.range(0, 2, 1, 2).selectExpr({sleep!r}).collect()")
    carriers = [c for c in result.displays if KEY in c["metadata"]]
    assert {PROGRESS_MIME in content["data"] for content in carriers} == {True}
    (shown,) = kept(result)
    assert [job["state"] for job in shown["jobs"]] == ["succeeded"]


def test_record_of_an_error_comes_after_it(full: Notebook) -> None:
    result = full.run("1 / 0")
    kinds = [message["header"]["msg_type"] for message in result.messages]
    assert kinds[-3:] == ["error", "display_data", "status"]
    assert [one["status"] for one in kept(result)] == ["error"]


def test_record_comes_below_all_that_a_cell_prints(full: Notebook) -> None:
    result = full.run("import sys; print('out'); print('err', file=sys.stderr)")
    shown = [m["header"]["msg_type"] for m in result.messages]
    streams = [number for number, kind in enumerate(shown) if kind == "stream"]
    assert len(streams) == 2
    assert max(streams) < shown.index("display_data")


@pytest.mark.parametrize("part", ["_end", "_use", "_data", "_unsent"])
def test_cell_is_well_when_its_record_fails(full: Notebook, part: str) -> None:
    """Broken on purpose, by the notebook: nothing of it fails by itself."""
    told = "a cell could not be recorded"
    before = full.kernel_log.count(told)
    full.value(f"recorder = get_ipython().kernel.recorder; recorder.{part} = None")
    try:
        assert full.value("spark.range(3).count()") == "3"
        assert full.kernel_log.count(told) == before + 1
    finally:
        repair = "{}" if part == "_unsent" else f"type(recorder).{part}.__get__(recorder)"
        full.value(f"recorder.{part} = {repair}; recorder._has_failed = False")
    assert record(full, "1 + 1")["status"] == "ok"


def test_silent_and_empty_cells_show_nothing(full: Notebook) -> None:
    silent = full.finish(full.submit("1", silent=True))
    assert silent.displays == full.run("  ").displays == []
    assert reply_metadata(full, silent)["status"] == "ok"


def test_data_is_told_of_spark_and_of_python(full: Notebook, tmp_path: Path) -> None:
    place, table = tmp_path / "frame", tmp_path / "a.csv"
    wrote = record(full, f"spark.range(9).write.parquet({str(place)!r})")
    assert [one["name"] for one in wrote["outputs"]] == [place.as_uri()]
    full.value(f"open({str(table)!r}, 'w').write('a,b')")
    read = record(full, f"spark.read.parquet({str(place)!r}).count(), open({str(table)!r}).read()")
    assert {one["name"]: one["format"] for one in read["inputs"]} == {
        place.as_uri(): "parquet",
        table.as_uri(): "python",
    }
    assert read["outputs"] == []


def test_libraries_of_the_notebook_and_settings_are_told(full: Notebook) -> None:
    full.value("spark.range(1).count()")
    found = record(full, "import pandas as pd; from yaml import safe_load")
    names = {one["name"].lower() for one in found["libraries"]}
    assert {"pyspark", "pandas", "pyyaml"} <= names
    assert found[SESSION]["settings"]["spark.master"]
    assert not any(name.startswith("spark.app.") for name in found[SESSION]["settings"])


def test_command_switches_and_says_how_it_stands(full: Notebook) -> None:
    assert "Provenance is on" in full.run("%spark provenance").stdout
    off = full.run("%spark provenance off")
    assert "Provenance is off" in off.stdout
    assert off.displays == []
    assert record(full, "spark.range(1).count()")["provenance"] is False
    assert kept(full.run("%spark provenance on"))
    assert record(full, "spark.range(1).count()")["inputs"] == []


def test_restart_within_a_cell_loses_nothing_of_it(full: Notebook, tmp_path: Path) -> None:
    code = f"""
spark.range(3).write.parquet({str(tmp_path / "p")!r})
spark.stop()
spark = SparkSession.builder.getOrCreate()
spark.read.parquet({str(tmp_path / "p")!r}).collect()
"""
    full.value("from pyspark.sql import SparkSession")
    found = record(full, code)
    place = (tmp_path / "p").as_uri()
    assert [one["name"] for one in found["inputs"]] == [place]
    assert [one["name"] for one in found["outputs"]] == [place]
    assert len(found["jobs"]) >= 2


def test_cell_whose_driver_died_has_a_record_that_claims_nothing(full: Notebook) -> None:
    pid = full.driver.pid
    result = full.run(f"import os, signal\nos.kill({pid}, signal.SIGKILL)\nspark.range(5).count()")
    found = reply_metadata(full, result)
    assert (found["status"], found["inputs"], found["outputs"]) == ("error", None, None)
    assert found["totals"]["input_bytes"] is None
    assert kept(result)
