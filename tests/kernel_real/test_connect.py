"""On a Spark Connect server: the same notebook, through gRPC in place of py4j."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from kernel_real.connect_server import ConnectServer, connect_server, make_certificate, tls_before
from kernel_real.leftovers import wait_until
from kernel_real.notebook import Notebook, NotebookMaker
from kernel_real.schemas import RESOURCE_INFO, SPARK_STATUS
from kernel_real.tables import EVERY_TYPE, EVERY_VALUE, rows_of
from kernel_real.test_libraries import GREETED, MAKE_JAR, make_wheel
from spark_kernel.protocol.progress import PROGRESS_MIME
from spark_kernel.protocol.provenance import KEY

TOKEN = "open-sesame"
SLOW = """from pyspark.sql.functions import col, udf
@udf("long")
def slow(number):
    import time
    time.sleep(2)
    return number
def run_slowly(tasks=40):
    return spark.range(0, tasks, 1, tasks).select(slow("id")).collect()
"""


@pytest.fixture(scope="module")
def server(new_notebook: NotebookMaker) -> Iterator[ConnectServer]:
    """Give a server that anyone may use."""
    folder, mark = new_notebook.next_place()
    with connect_server(folder, mark) as started:
        yield started


@pytest.fixture(scope="module")
def notebook(server: ConnectServer, new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook on the server; every test leaves it ready."""
    clusters = {
        "there": {
            "master": server.url,
            "conf": {"spark.sql.shuffle.partitions": "3", "spark.executor.memory": "3g"},
            "links": {"spark-ui": "https://hub/spark/{application_id}"},
        },
        "here": {"master": "local[1]"},
    }
    environ = {
        "SPARK_KERNEL_CLUSTERS": json.dumps(clusters),
        "SPARK_KERNEL_CLUSTER": "there",
    }
    with new_notebook(environ) as made:
        made.value(SLOW)
        made.wait_for_state("ready")
        yield made


def last_progress(result: Any) -> dict[str, Any]:
    """Give what the last display of a cell's progress said."""
    shown = [c["data"][PROGRESS_MIME] for c in result.displays if PROGRESS_MIME in c["data"]]
    assert shown
    return dict(shown[-1])


def test_start_is_told_and_the_cluster_is_the_server(notebook: Notebook, server: ConnectServer):
    for status in notebook.statuses:
        jsonschema.validate(status, SPARK_STATUS)
    stages = [record["stage"] for record in notebook.status["stages"]]
    assert stages == ["runtime_started", "cluster_attaching", "spark_ready"]
    cluster = {"name": "there", "master": server.url, "deploy_mode": "connect"}
    assert notebook.status["cluster"] == cluster
    identifier = notebook.status["application"]["id"]
    assert notebook.value("spark.conf.get('spark.app.id')") == repr(identifier)
    assert notebook.status["links"] == [
        {"rel": "spark-ui", "text": "Spark UI", "url": f"https://hub/spark/{identifier}"}
    ]
    banner = notebook.kernel_info()["banner"]
    assert f"Attached to there ({server.url}) as {identifier}" in banner
    assert "`spark` is there" in banner
    # What a session cannot set is said, and what it can is set.
    assert wait_until(lambda: "spark.executor.memory" in notebook.status["message"], 10)
    assert notebook.value("spark.conf.get('spark.sql.shuffle.partitions')") == "'3'"


def test_resource_info_tells_what_a_server_tells_and_invents_nothing(notebook: Notebook):
    reply = notebook.control("resource_info_request", {})
    jsonschema.validate(reply, RESOURCE_INFO, jsonschema.Draft202012Validator)
    spark = reply["resources"][2]
    assert spark["state"] == "ready"
    assert spark["versions"]["spark"] == notebook.status["message"].split()[1]
    assert all(spark["versions"][name] for name in ("java", "scala", "hadoop", "python"))
    assert spark["application"]["user"] and spark["application"]["started"].endswith("Z")
    assert all(metric["value"] is None and metric["max"] is None for metric in spark["metrics"])
    assert spark["executors"] == []
    assert "there" in notebook.run("%spark info").shown


def test_names_and_builders_lead_to_the_one_session(notebook: Notebook):
    assert notebook.value("spark").startswith("<SparkSession remote='sc://")
    assert "use spark" in notebook.value("sc")
    assert notebook.run("sc.parallelize([1])").error.startswith("NoContextError: Spark Connect has")
    notebook.value("from pyspark.sql import SparkSession")
    code = "SparkSession.builder.config('spark.sql.shuffle.partitions', 4).getOrCreate() is spark"
    assert notebook.value(code) == "True"
    assert notebook.value("spark.conf.get('spark.sql.shuffle.partitions')") == "'4'"
    assert notebook.value("SparkSession.getActiveSession() is spark") == "True"


def test_tables_are_what_they_are_on_a_driver_of_ones_own(notebook: Notebook):
    notebook.value("spark.conf.set('spark.sql.session.timeZone', 'Europe/Berlin')")
    assert rows_of(notebook.run(EVERY_TYPE).data) == [EVERY_VALUE]
    assert notebook.value("spark.range(1000)").endswith("more with display(df, limit=N)]")
    assert "[first 5 rows" in notebook.run("display(spark.range(1000), limit=5)").shown
    names = rows_of(notebook.run("spark.sql('select 1 a, 2 a')").data)
    assert names == [{"a": 1, "a_2": 2}]
    long = notebook.run("spark.sql(\"select repeat('x', 3000000) s\")").data["text/html"]
    assert "(3,000,000 characters)" in long
    failed = notebook.run("spark.range(3).select('nothing')")
    assert failed.status == "ok"
    assert failed.text.startswith("[UNRESOLVED_COLUMN")
    assert "AnalysisException" in notebook.run("display(spark.range(3).select('nothing'))").error
    notebook.value("get_ipython().kernel.preview = 'cheap'")
    assert "a sort" in notebook.value("spark.range(5).orderBy('id')")
    notebook.value("get_ipython().kernel.preview = 'rows'")
    stream = notebook.run("spark.readStream.format('rate').load()")
    assert stream.text == "DataFrame[timestamp: timestamp, value: bigint]"


def test_progress_shows_the_stages_of_an_operation(notebook: Notebook):
    result = notebook.run("len(run_slowly(3))")
    assert result.text == "3"
    progress = last_progress(result)
    assert progress["is_final"]
    (job,) = progress["jobs"]
    assert job["state"] == "succeeded"
    assert job["tasks"]["total"] == job["tasks"]["completed"] == 3
    assert job["description"].endswith("len(run_slowly(3))")
    (stage,) = job["stages"]
    assert stage["tasks"]["total"] == 3
    assert stage["shuffle_read_bytes"] is None  # a server does not tell


@pytest.mark.parametrize("how", ["interrupt", "interrupt_by_signal"])
def test_interrupt_cancels_what_the_cell_runs_and_the_session_lives_on(notebook: Notebook, how):
    result = notebook.submit("run_slowly()")
    notebook.wait_for(lambda: result.displays, 60, "the display of the job")
    getattr(notebook, how)()
    assert notebook.finish(result, 30).error.startswith("KeyboardInterrupt: the cell was interr")
    assert not any("site-packages/pyspark" in line for line in result.traceback)
    assert last_progress(result)["jobs"][0]["state"] == "cancelled"
    # 40 tasks of 2 s on two cores would keep this waiting.
    assert notebook.value("spark.range(5).count()", 30) == "5"


def test_interrupt_ends_the_work_of_the_cells_threads(notebook: Notebook):
    code = """import threading
ended = []
def work():
    try:
        run_slowly()
    except BaseException as error:
        ended.append(type(error).__name__)
thread = threading.Thread(target=work)
thread.start()
thread.join()"""
    result = notebook.submit(code)
    notebook.wait_for(lambda: result.displays, 60, "the display of the job")
    notebook.interrupt()
    assert notebook.finish(result, 30).error.startswith("KeyboardInterrupt")
    # An interrupted join() leaves a thread that no second one waits for.
    waited = "import time\nwhile not ended:\n    time.sleep(0.1)\nended"
    assert notebook.value(waited, 30) == "['KeyboardInterrupt']"


def test_requests_cancel_a_job_and_refuse_what_a_server_cannot(notebook: Notebook):
    result = notebook.submit("run_slowly()")
    notebook.wait_for(lambda: result.displays, 60, "the display of the job")
    number = last_progress(result)["jobs"][0]["id"]
    refused = notebook.control("spark_cancel_request", {"scope": "stage", "id": 1})
    assert "cannot cancel a single stage" in refused["evalue"]
    reply = notebook.control("spark_cancel_request", {"scope": "job", "id": number})
    assert reply == {"status": "ok", "cancelled": [number]}
    assert notebook.finish(result, 30).error.startswith(f"SparkJobCancelledError: Job {number} was")


def test_interrupt_of_a_wait_leaves_the_streaming_query(notebook: Notebook):
    start = "spark.readStream.format('rate').load().writeStream.format('memory').queryName('ticks')"
    notebook.value(f"query = {start}.start()")
    result = notebook.submit("print('waiting')\nquery.awaitTermination()")
    notebook.wait_for(lambda: result.stdout, 30, "the wait")
    notebook.listen(1)
    notebook.interrupt()
    assert "goes on; `%spark cancel" in notebook.finish(result, 30).error
    assert notebook.value("query.isActive, query.awaitTermination(1)") == "(True, False)"
    assert "Stopped query" in notebook.run("%spark cancel ticks").stdout
    assert notebook.value("query.isActive, query.awaitTermination()") == "(False, None)"


def test_streaming_query_that_runs_counts_as_use(notebook: Notebook):
    start = "spark.readStream.format('rate').load().writeStream.format('memory').queryName('kept')"
    in_use = "get_ipython().kernel.cancel_desk.running_jobs()[1]"
    notebook.value(f"query = {start}.start()")
    assert "name='kept'" in notebook.value(in_use)
    assert "kept" in notebook.run("%spark jobs").shown
    notebook.value("query.stop()")
    assert notebook.value(in_use) == "[]"


def test_settings_are_shown_with_their_origin_and_change(notebook: Notebook):
    notebook.run("%%spark_conf\nspark.sql.ansi.enabled = false")
    shown = notebook.run("%spark conf spark.").shown
    origins = {line.split()[0]: line for line in shown.splitlines() if line.startswith("spark.")}
    assert origins["spark.sql.ansi.enabled"].endswith("%%spark_conf")
    assert "the kernel's defaults" in origins["spark.connect.progress.reportInterval"]


def test_libraries_go_to_the_server_and_to_each_later_session(notebook: Notebook):
    (notebook.folder / "sources").mkdir(exist_ok=True)
    (notebook.folder / "sources" / "tripling.py").write_text("def triple(x):\n    return 3 * x\n")
    (notebook.folder / "sources" / "word.txt").write_text("hello")
    for name in ("tripling.py", "word.txt"):
        assert "Added" in notebook.run(f"%spark add sources/{name}").shown
    notebook.value("""import tripling
@udf("string")
def greet(number):
    from pyspark import SparkFiles
    import tripling
    return open(SparkFiles.get("word.txt")).read() + str(tripling.triple(number))
""")
    greeted = "spark.range(2).select(greet('id').alias('x')).collect()"
    assert notebook.value(greeted) == "[Row(x='hello0'), Row(x='hello3')]"
    notebook.value("frame = spark.range(3)")
    assert notebook.run("%spark restart").status == "ok"
    assert "libraries_uploading" in [record["stage"] for record in notebook.status["stages"]]
    assert notebook.value(greeted) == "[Row(x='hello0'), Row(x='hello3')]"
    assert notebook.run("frame.count()").error.startswith("StaleSessionError: This DataFrame bel")


def test_notebook_moves_to_a_driver_of_its_own_and_back(notebook: Notebook, server: ConnectServer):
    notebook.value("kept = 42")
    assert "ready on here" in notebook.run("%spark attach here").shown
    assert notebook.value("spark.range(3).select(col('id') + 1).count(), sc.master, kept") == (
        "(3, 'local[1]', 42)"
    )
    assert "ready on there" in notebook.run("%spark attach there").shown
    assert notebook.value("spark.range(3).select(col('id') + 1).count(), kept") == "(3, 42)"
    # The session that was left was given back.
    assert server.log.count("Closing session with userId") >= 2


def test_jar_and_wheel_are_there_in_sql_and_in_tasks(notebook: Notebook):
    (notebook.folder / "sources").mkdir(exist_ok=True)
    make_wheel(notebook.folder / "sources", "wheeled", "1.2", is_pure=True)
    notebook.run("%spark attach here")
    notebook.value(MAKE_JAR)
    notebook.value("make_jar('sources/greeter-1.0.jar', 'hello')")
    notebook.run("%spark attach there")
    assert "Added" in notebook.run("%spark add sources/greeter-1.0.jar").shown
    assert "Added" in notebook.run("%spark add sources/wheeled-1.2-py3-none-any.whl").shown
    assert notebook.value("import wheeled; wheeled.version") == "'1.2'"
    notebook.value(
        'version = udf(lambda _: __import__("wheeled").version, "string", useArrow=False)'
    )
    greeted = GREETED.format("Greeter")
    asked = f'spark.range(1).selectExpr("{greeted}").collect()[0][0]'
    assert notebook.value(asked) == "'hello'"
    assert notebook.value("spark.range(1).select(version('id')).collect()[0][0]") == "'1.2'"


def test_script_may_stop_the_session_and_make_another(notebook: Notebook):
    notebook.value("spark.stop()")
    assert notebook.state == "stopped"
    assert notebook.value("spark = SparkSession.builder.getOrCreate()\nspark.range(4).count()") == (
        "4"
    )
    assert notebook.state == "ready"


def test_dead_server_is_told_and_the_session_is_made_anew(
    notebook: Notebook, server: ConnectServer
):
    notebook.value("kept = 43")
    result = notebook.submit("run_slowly()")
    notebook.wait_for(lambda: result.displays, 60, "the display of the job")
    server.kill()
    error = notebook.finish(result, 30).error
    assert error.startswith("DriverLostError: The Spark Connect server cannot be reached")
    assert len(result.traceback) < 5
    notebook.wait_for_state("lost")
    server.start()
    again = notebook.run("spark.range(6).count(), kept")
    assert again.text == "(6, 43)"
    assert "temporary views are gone" in again.shown


def test_session_that_the_server_has_dropped_is_noticed_while_idle(
    notebook: Notebook, server: ConnectServer
):
    notebook.value("spark.range(1).count()")
    server.kill()
    server.start()
    notebook.wait_for_state("lost", timeout_s=30)
    assert notebook.value("spark.range(7).count()") == "7"


def test_session_that_the_server_has_dropped_is_remade_by_the_cell_after(notebook: Notebook):
    # As another client of the same user can, and as a server does after its timeout.
    dropped = """from pyspark.sql.connect.proto import ReleaseSessionRequest
client = spark.client
request = ReleaseSessionRequest(session_id=client._session_id, client_type="another")
request.user_context.CopyFrom(client._config_request_with_metadata().user_context)
client._stub.ReleaseSession(request, metadata=client._builder.metadata())"""
    notebook.value("%spark restart")  # more than three losses in ten minutes are too many
    notebook.value("frame = spark.range(3)")
    assert notebook.run(dropped).error == ""
    lost = notebook.run("frame.count()")
    assert lost.error.startswith("DriverLostError: The Spark Connect server has dropped the sess")
    assert len(lost.traceback) < 5
    assert notebook.state == "lost"
    again = notebook.run("spark.range(7).count()")
    assert again.text == "7"
    assert "temporary views are gone" in again.shown
    assert notebook.run("frame.count()").error.startswith("StaleSessionError")


def test_value_that_the_server_does_not_take_is_told_with_its_key(
    notebook: Notebook, server: ConnectServer
):
    clusters = "get_ipython().kernel.clusters"
    wrong = {"master": server.url, "conf": {"spark.sql.shuffle.partitions": "abc"}}
    notebook.value(f"{clusters} = {{**{clusters}, 'wrong': {wrong!r}}}")
    error = notebook.run("%spark attach wrong").error
    assert "does not take the value of spark.sql.shuffle.partitions" in error
    assert "abc" in error
    assert notebook.status["error"]["name"] == "ConfigurationError"
    notebook.value(f"{clusters} = {{**{clusters}, 'mistyped': {{'master': 'sc://host:port'}}}}")
    assert "ready on there" in notebook.run("%spark attach there").shown
    assert "ConfigurationError" in notebook.run("%spark attach mistyped").error
    assert notebook.value("spark.range(3).count()") == "3"


def test_hung_server_holds_up_neither_answers_nor_interrupts(
    notebook: Notebook, server: ConnectServer
):
    server.signal(signal.SIGSTOP)
    try:
        result = notebook.submit("print('asking')\nspark.range(8).count()")
        notebook.wait_for(lambda: result.stdout, 30, "the cell")
        assert notebook.control("resource_info_request", {})["status"] == "ok"
        notebook.interrupt()
        assert notebook.finish(result, 20).error.startswith("KeyboardInterrupt")
        assert notebook.value("1 + 1", 10) == "2"
    finally:
        server.signal(signal.SIGCONT)
    assert notebook.value("spark.range(8).count()") == "8"


def test_clusters_check_tries_the_server(server: ConnectServer, monkeypatch: pytest.MonkeyPatch):
    clusters = {
        "there": {"master": f"{server.url}/;user_id=someone"},
        "gone": {"master": f"sc://127.0.0.1:1/;token={TOKEN}"},
    }
    monkeypatch.setenv("SPARK_KERNEL_CLUSTERS", json.dumps(clusters))

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "spark_kernel.cli", "clusters", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=120)

    checked = run("check", "there")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "A task ran on" in checked.stdout
    assert "All is well" in checked.stdout
    refused = run("check", "gone")
    assert refused.returncode == 1
    assert "cannot be reached" in refused.stderr
    listed = run("list")
    assert TOKEN not in refused.stderr + refused.stdout + listed.stdout
    assert "token=***" in listed.stdout


def test_token_and_tls_are_spoken_and_never_shown(new_notebook: NotebookMaker, tmp_path: Path):
    folder, mark = new_notebook.next_place()
    certificate, key = make_certificate(tmp_path)
    options = {"spark.connect.authenticate.token": TOKEN}
    with (
        connect_server(folder, mark, **options) as guarded,
        tls_before(guarded.port, certificate, key) as port,
    ):
        clusters = {
            "wrong": {"master": f"sc://localhost:{guarded.port}/;token=not-{TOKEN}"},
            "plain": {"master": f"sc://localhost:{port}"},
            "right": {"master": f"sc://127.0.0.1:{port}/;use_ssl=true;token={TOKEN}"},
        }
        environ = {
            "SPARK_KERNEL_CLUSTERS": json.dumps(clusters),
            "SPARK_KERNEL_CLUSTER": "wrong",
            "GRPC_DEFAULT_SSL_ROOTS_FILE_PATH": str(certificate),
        }
        with new_notebook(environ) as notebook:
            failed = notebook.wait_for_state("failed")
            assert "refused the user" in failed["error"]["message"]
            assert "token" in failed["error"]["hint"]
            assert "wants TLS" in notebook.run("%spark attach plain").error
            assert "ready on right" in notebook.run("%spark attach right").shown
            assert notebook.value("spark.range(3).count()") == "3"
            told = json.dumps(notebook.statuses + notebook.banners) + notebook.kernel_log
            told += json.dumps(notebook.control("resource_info_request", {}))
            told += notebook.run("%spark status").shown + notebook.run("%spark conf spark").shown
            assert TOKEN not in told


def test_record_counts_operations_and_leaves_open_what_a_server_does_not_tell(notebook: Notebook):
    result = notebook.run("spark.range(0, 100, 1, 4).selectExpr('id % 3 AS k').collect()")
    found = notebook.metadata_of(result)[KEY]
    assert found["spark"]["master"] == notebook.status["cluster"]["master"]
    assert [(job["state"], job["tasks"]) for job in found["jobs"]] in ([], [("succeeded", 4)])
    assert found["totals"]["executor_run_s"] is None
    assert (found["inputs"], found["provenance"]) == (None, False)


def test_record_of_jobs_on_a_server_is_of_this_cell_alone(notebook: Notebook):
    first = notebook.metadata_of(notebook.run("len(run_slowly(2))"))[KEY]
    assert [(job["state"], job["failed_tasks"]) for job in first["jobs"]] == [("succeeded", None)]
    second = notebook.metadata_of(notebook.run("1 + 1"))[KEY]
    assert (second["jobs"], second["totals"]["input_bytes"]) == ([], 0)


def test_interrupted_operation_is_recorded_as_cancelled(notebook: Notebook):
    cell = notebook.submit("run_slowly()")
    notebook.wait_for(lambda: cell.displays, 30, "the progress of the cell")
    notebook.interrupt()
    found = notebook.metadata_of(notebook.finish(cell))[KEY]
    assert found["status"] == "interrupted"
    assert [job["state"] for job in found["jobs"]] == ["cancelled"]


def test_provenance_mode_follows_data_and_settings_on_a_server(notebook: Notebook, tmp_path: Path):
    notebook.run("%spark provenance on")
    place = str(tmp_path / "frame")
    wrote = notebook.metadata_of(notebook.run(f"spark.range(5).write.parquet({place!r})"))[KEY]
    assert [place in one["name"] for one in wrote["outputs"]] == [True]
    assert wrote["session"]["settings"]["spark.sql.shuffle.partitions"] == "3"
    changed = notebook.run("spark.conf.set('spark.sql.shuffle.partitions', '9')")
    assert notebook.metadata_of(changed)[KEY]["config_sha256"] != wrote["config_sha256"]
    assert changed.displays[-1]["metadata"][KEY]["provenance"] is True
    notebook.run("spark.conf.set('spark.sql.shuffle.partitions', '3')\n%spark provenance off")
