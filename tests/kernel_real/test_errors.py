"""Errors of Spark's in a notebook: what is shown first, which line it points at, what is folded."""

from __future__ import annotations

import itertools
import re
import signal
from pathlib import Path

import pytest

from kernel_real.notebook import Notebook, Result
from kernel_real.shown_errors import details, failed, hint, marked, visible

_NUMBERS = itertools.count()

PREPARE = """from pyspark.sql import functions as F
people = spark.createDataFrame([(1, "Ann"), (2, "Bob")], "id long, name string")
people.createOrReplaceTempView("people")
def half(x):
    zero = x - x
    return 1 / zero
"""


@pytest.fixture
def prepared(shared: Notebook) -> Notebook:
    """Give a notebook with something to make mistakes with."""
    if shared.run("half").status != "ok":
        shared.value(PREPARE)
    return shared


ANALYSIS = {
    "column": (
        'people.select("nam")',
        "AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column",
        "did you mean `name`?",
    ),
    "attribute": (
        "people.nam",
        "PySparkAttributeError: [ATTRIBUTE_NOT_SUPPORTED] Attribute `nam` is not supported.",
        "did you mean `name`?",
    ),
    "table": (
        'spark.table("peeple")',
        "AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or view `peeple` cannot be found.",
        "did you mean `people`?",
    ),
    "ambiguous column": (
        'people.join(people.alias("other"), F.lit(True)).select("name")',
        "AnalysisException: [AMBIGUOUS_REFERENCE] Reference `name` is ambiguous",
        "say which one",
    ),
    "types": (
        'people.select(F.col("name") + F.array(F.lit(1)))',
        "AnalysisException: [DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES] Cannot resolve",
        "make the types agree",
    ),
    "path": (
        'spark.read.parquet("/no/such/path")',
        "AnalysisException: [PATH_NOT_FOUND] Path does not exist: file:/no/such/path.",
        "check the path",
    ),
    "aggregate": (
        'people.groupBy("id").agg(F.col("name"))',
        "AnalysisException: [MISSING_AGGREGATION] The non-aggregating expression",
        "group by the column too",
    ),
    "argument": (
        "spark.table(3)",
        "PySparkTypeError: [NOT_EXPECTED_TYPE] Argument `tableName`",
        "",
    ),
    "data source": (
        'spark.read.format("delta").load("/x")',
        "Py4JJavaError: [DATA_SOURCE_NOT_FOUND] Failed to find the data source: delta.",
        "its package is missing: `%spark add io.delta",
    ),
    "static setting": (
        'spark.conf.set("spark.executor.cores", 3)',
        "AnalysisException: [CANNOT_MODIFY_CONFIG",
        "`%%spark_conf --restart`",
    ),
    "lock": (
        "lock = __import__('threading').Lock(); sc.parallelize([1]).map(lambda n: lock).count()",
        "PicklingError: cannot be sent to the workers: cannot pickle '_thread.lock' object",
        "make it inside the function",
    ),
    "session on a worker": (
        "sc.parallelize([1]).map(lambda n: spark.range(n)).count()",
        "PicklingError: cannot be sent to the workers: [CONTEXT_ONLY_VALID_ON_DRIVER]",
        "workers have none",
    ),
}


@pytest.mark.parametrize(("code", "head", "advice"), ANALYSIS.values(), ids=ANALYSIS)
def test_mistake_is_named_with_its_line_and_what_to_do(prepared, code, head, advice):
    result = failed(prepared, f"answer = 42\n{code}")
    assert visible(result)[0].startswith(head)
    place, source = marked(result)
    assert re.fullmatch(r"Cell In\[\d+\], line 2", place)
    assert source == code
    assert advice in hint(result) and bool(advice) == bool(hint(result))


def test_line_of_a_function_is_marked_and_the_cell_that_called_it_named(prepared):
    prepared.value("def pick(frame):\n    columns = ['id']\n    return frame.select('nope')")
    result = failed(prepared, "1 + 1\npick(people)")
    place, source = marked(result)
    assert place.endswith("line 3, in pick")
    assert source == "return frame.select('nope')"
    lines = visible(result)
    assert lines[3].endswith("line 2") and lines[4] == "      2 pick(people)"
    assert lines[3] != place


def test_line_of_an_imported_module_is_marked(prepared, tmp_path: Path):
    (tmp_path / "steps_of_mine.py").write_text("def load(spark):\n    return spark.table('gone')\n")
    prepared.value(f"import sys; sys.path.insert(0, {str(tmp_path)!r})")
    result = failed(prepared, "import steps_of_mine\nsteps_of_mine.load(spark)")
    place, source = marked(result)
    assert place == f"File {tmp_path}/steps_of_mine.py, line 2, in load"
    assert source == "return spark.table('gone')"
    assert visible(result)[4] == "      2 steps_of_mine.load(spark)"


FUNCTIONS = {
    "udf": 'people.select(F.udf(half, "double")("id")).collect()',
    "udf with Arrow": 'people.select(F.udf(half, "double", useArrow=True)("id")).collect()',
    "rdd": "sc.parallelize([1, 2]).map(half).collect()",
    "toPandas": 'people.select(F.udf(half, "double")("id")).toPandas()',
    "foreach": "people.rdd.map(lambda row: row.id).foreach(half)",
}


@pytest.mark.parametrize("code", FUNCTIONS.values(), ids=FUNCTIONS)
def test_line_inside_a_function_on_a_worker_is_marked(prepared, code):
    result = failed(prepared, code)
    assert visible(result)[0] == (
        "PythonException: [PYTHON_EXCEPTION] ZeroDivisionError: division by zero"
    )
    place, source = marked(result)
    assert re.fullmatch(r"Cell In\[\d+\], line 6, in half on a worker", place)
    assert source == "return 1 / zero"
    assert f"      1 {code}" in visible(result)
    (facts,) = [line for line in visible(result) if line.startswith("Task ")]
    assert re.fullmatch(
        r"Task \d+\.0 in stage \d+\.\d, tried 1 time, host \S+, executor driver", facts
    )
    below = details(result)
    assert "Worker traceback" in below["text/plain"] and "JVM cause" in below["text/plain"]


PANDAS = {
    "pandas": "F.pandas_udf(lambda s: s.nope, 'long', F.PandasUDFType.SCALAR)('id')",
    "Arrow": "F.arrow_udf(lambda s: s.nope, 'long')('id')",
}


@pytest.mark.parametrize("column", PANDAS.values(), ids=PANDAS)
def test_line_inside_a_vectorised_function_is_marked(prepared, column):
    number = next(_NUMBERS)
    prepared.value(f"import warnings; warnings.simplefilter('ignore')\nc{number} = \\\n {column}")
    result = failed(prepared, f"people.select(c{number}).collect()")
    assert "has no attribute 'nope'" in visible(result)[0]
    place, source = marked(result)
    assert place.endswith("line 3, in a lambda on a worker")
    assert source == column


@pytest.mark.parametrize("method", ["mapInPandas(work, 'id long')",
                                    "groupBy('id').applyInPandas(work, 'id long')"])  # fmt: skip
def test_line_inside_a_function_over_frames_is_marked(prepared, method):
    prepared.value("def work(frames):\n    raise ValueError('<b>no</b>')\n    yield frames")
    if "apply" in method:
        prepared.value("def work(frame):\n    raise ValueError('<b>no</b>')")
    result = failed(prepared, f"people.{method}.collect()")
    assert "ValueError: <b>no</b>" in visible(result)[0]
    assert marked(result)[1] == "raise ValueError('<b>no</b>')"
    assert "<b>no</b>" not in details(result)["text/html"]
    assert "&lt;b&gt;no&lt;/b&gt;" in details(result)["text/html"]


def test_null_in_a_function_and_a_missing_module_have_hints_of_their_own(prepared):
    prepared.value("def load(x):\n    import not_there\ndef plus(x):\n    return x + 1")
    code = "spark.sql('select cast(null as long) id').select(F.udf({}, 'long')('id')).collect()"
    assert "null comes as None" in hint(failed(prepared, code.format("plus")))
    assert "`%spark add`" in hint(failed(prepared, code.format("load")))


def test_line_where_a_column_was_made_is_marked_when_a_job_fails_of_it(prepared):
    prepared.value("n = 3\nratio = F.lit(1) / (F.col('id') - 1)")
    result = failed(prepared, "people.select(ratio).collect()")
    assert visible(result)[0].startswith("ArithmeticException: [DIVIDE_BY_ZERO] Division by zero.")
    place, source = marked(result)
    assert place.endswith("line 2, where the column is from")
    assert source == "ratio = F.lit(1) / (F.col('id') - 1)"
    assert "      1 people.select(ratio).collect()" in visible(result)
    assert "try_divide" in hint(result)


def test_cast_that_fails_says_how_to_tolerate_it(prepared):
    result = failed(prepared, "people.select(F.col('name').cast('int')).collect()")
    assert visible(result)[0].startswith("NumberFormatException: [CAST_INVALID_INPUT] The value")
    assert marked(result)[1] == "people.select(F.col('name').cast('int')).collect()"
    assert "try_cast" in hint(result)


def test_place_in_a_statement_of_sql_is_marked(prepared):
    result = failed(prepared, 'spark.sql("""select id\n  frm people""")')
    lines = visible(result)
    assert lines[0].startswith("ParseException: [PARSE_SYNTAX_ERROR] Syntax error at or near")
    caret = next(n for n, line in enumerate(lines) if line.strip(" ^") == "")
    assert lines[caret - 1][lines[caret].index("^") :].startswith("people")

    lines = visible(failed(prepared, 'spark.sql("""select id,\n  nam from people""")'))
    assert lines[1:3] == ["nam from people", "^^^"]


def test_files_that_exist_or_may_not_be_written_are_told(prepared, tmp_path: Path):
    result = failed(prepared, f"people.write.parquet({str(tmp_path)!r})")
    assert visible(result)[0].startswith("AnalysisException: [PATH_ALREADY_EXISTS]")
    assert hint(result).startswith('`.mode("overwrite")` replaces it')
    result = failed(prepared, "people.write.parquet('/proc/no')")
    assert visible(result)[0].startswith("Py4JJavaError: IOException: Mkdirs failed to create")
    assert "Spark may not read or write there" in hint(result)
    assert any(line.startswith("Task ") for line in visible(result))


def test_worker_that_dies_or_runs_out_of_memory_is_told(prepared):
    prepared.value("import os\ndef die(x):\n    os._exit(9)\ndef fill(x):\n    raise MemoryError")
    result = failed(prepared, "people.select(F.udf(die)('id')).collect()")
    assert visible(result)[0].startswith("Py4JJavaError: Python worker exited unexpectedly")
    assert "ended by itself" in hint(result)
    result = failed(prepared, "people.select(F.udf(fill)('id')).collect()")
    assert visible(result)[0].endswith("MemoryError")
    assert "ran out of memory" in hint(result)


def test_full_heap_of_the_driver_is_told(prepared):
    result = failed(
        prepared,
        "sc._jvm.java.util.Arrays.copyOf(sc._gateway.new_array(sc._jvm.byte, 1), 2**31 - 1)",
    )
    assert visible(result)[0].startswith("Py4JJavaError: OutOfMemoryError: ")
    assert "the driver's heap is full" in hint(result)


def test_slow_broadcast_is_told(prepared):
    prepared.value("import time\nspark.conf.set('spark.sql.broadcastTimeout', 1)\n"
                   "spark.conf.set('spark.sql.adaptive.enabled', False)")  # fmt: skip
    try:
        slow = (
            "spark.range(2).select(F.udf(lambda n: time.sleep(2) or n, 'long')('id').alias('id'))"
        )
        result = failed(prepared, f"people.join(F.broadcast({slow}), 'id').collect()")
    finally:
        prepared.value("spark.conf.unset('spark.sql.broadcastTimeout')\n"
                       "spark.conf.unset('spark.sql.adaptive.enabled')")  # fmt: skip
    assert visible(result)[0].startswith("Py4JJavaError: Could not execute broadcast in 1 secs.")
    assert "spark.sql.broadcastTimeout" in hint(result)


def test_streaming_query_that_fails_is_named_with_the_line_in_its_function(prepared):
    prepared.value(
        "query = (spark.readStream.format('rate').load().select(F.udf(half, 'double')('value'))\n"
        "    .writeStream.queryName('ticks').format('noop').start())"
    )
    result = failed(prepared, "query.awaitTermination()")
    assert visible(result)[0] == (
        "StreamingQueryException: [PYTHON_EXCEPTION] ZeroDivisionError: division by zero"
    )
    assert marked(result)[1] == "return 1 / zero"
    assert any("streaming query ticks" in line for line in visible(result))


def test_whole_of_the_last_error_is_printed_on_request(prepared):
    failed(prepared, FUNCTIONS["udf"])
    whole = prepared.run("%spark error").stdout
    parts = ["Python traceback\n---", "Worker traceback\n---", "JVM cause 1 of ", "Driver log: "]
    positions = [whole.index(part) for part in parts]
    assert positions == sorted(positions)
    assert "pyspark/sql/classic/dataframe.py" in whole
    assert "\tat org.apache.spark.executor.Executor" in whole
    assert "line 6, in half" in whole
    assert "\x1b" not in whole


def test_what_the_fold_holds_is_all_that_spark_and_python_say(prepared):
    html = details(failed(prepared, "people.select('nam')"))["text/html"]
    for part in (
        "SQLSTATE: 42703",
        "LogicalRDD",
        "\tat org.apache.spark.sql",
        "in _select",
        "Spark UI",
    ):
        assert part in html or part == "in _select", part


def test_order_is_error_then_fold_then_idle(prepared):
    result = failed(prepared, "spark.table('gone')")
    types = [message["header"]["msg_type"] for message in result.messages]
    assert types == ["status", "execute_input", "error", "display_data", "status"]


def test_error_is_told_though_an_interrupt_ended_the_question_what_it_says(prepared):
    prepared.value(
        "try:\n    sc._jvm.java.util.Optional.empty().get()\n"
        "except Exception as error:\n    kept = error"
    )
    prepared.driver.send_signal(signal.SIGSTOP)
    try:
        result = prepared.submit("print('raising')\nraise kept")
        prepared.wait_for(lambda: result.stdout, 30, "the cell")
        prepared.interrupt()
        prepared.finish(result, 20)
    finally:
        prepared.driver.send_signal(signal.SIGCONT)
    types = [message["header"]["msg_type"] for message in result.messages]
    assert types.count("error") == 1
    assert result.error.startswith("Py4JJavaError: An error occurred while calling ")
    assert any("raise kept" in line for line in visible(result))
    assert result.contents("error")[0]["evalue"] == result.error.partition(": ")[2]
    assert (
        "NoSuchElementException"
        in failed(prepared, "sc._jvm.java.util.Optional.empty().get()").error
    )


def test_interrupt_between_two_questions_ends_them_all(prepared):
    prepared.value(
        "import os, signal\n"
        "try:\n    sc._jvm.java.util.Optional.empty().get()\n"
        "except Exception as error:\n    kept = error\n"
        "shell = get_ipython()\n"
        "asked = shell.end_behind\n"
        "def interrupted(error, since):\n"
        "    shell.end_behind = asked\n"
        "    os.kill(os.getpid(), signal.SIGINT)\n"
        "    return asked(error, since)\n"
    )
    prepared.driver.send_signal(signal.SIGSTOP)
    try:
        result = prepared.run("shell.end_behind = interrupted\nraise kept", 20)
    finally:
        prepared.driver.send_signal(signal.SIGCONT)
    assert result.error.startswith("Py4JJavaError: An error occurred while calling ")
    assert prepared.value("spark.range(4).count()") == "4"


# -- wherever it is raised -------------------------------------------------------------------------


def test_chained_error_keeps_what_the_user_raised_on_top(prepared):
    code = "try:\n    spark.table('gone')\nexcept Exception as e:\n    raise KeyError('x') from e"
    result = prepared.run(code)
    assert result.error.startswith("KeyError: ")
    text = "\n".join(result.traceback)
    assert len(result.traceback) <= 20
    assert "direct cause" in text and "TABLE_OR_VIEW_NOT_FOUND" in text
    assert "site-packages/pyspark" not in text
    details(result)


def test_error_in_a_group_is_shown_short_too(prepared):
    code = (
        "def caught():\n    try:\n        spark.table('gone')\n    except Exception as e:\n"
        "        return e\nraise ExceptionGroup('two', [ValueError('first'), caught()])"
    )
    result = prepared.run(code)
    assert result.error == "ExceptionGroup: two (2 sub-exceptions)"
    lines = visible(result)
    assert "ValueError: first" in lines
    assert any(line.startswith("AnalysisException: [TABLE_OR_VIEW") for line in lines)
    details(result)


def test_error_in_a_thread_is_printed_short(prepared):
    result = prepared.run(
        "import threading\ndef work():\n    spark.table('gone')\n"
        "thread = threading.Thread(target=work); thread.start(); thread.join()"
    )
    assert result.status == "ok"
    assert "AnalysisException" in result.stderr and "spark.table('gone')" in result.stderr
    assert len(result.stderr.splitlines()) <= 7


PLACES = {
    "await": "import asyncio\nawait asyncio.sleep(0)\nspark.table('gone')",
    "%%time": "%%time\nx = 1\nspark.table('gone')",
    "magic line": "1\n2\n%time spark.table('gone')",
}


@pytest.mark.parametrize("code", PLACES.values(), ids=PLACES)
def test_line_is_found_in_every_kind_of_cell(prepared, code):
    result = prepared.run(code)
    assert visible(result)[0].startswith("AnalysisException: [TABLE_OR_VIEW_NOT_FOUND]")
    place, source = marked(result)
    assert place.endswith("line 3")
    assert "spark.table('gone')" in source
    details(result)


def test_captured_cell_still_shows_its_error(prepared):
    result = prepared.run("%%capture\nspark.table('gone')")
    (error,) = result.contents("error")
    assert len(error["traceback"]) <= 12


def test_error_that_the_user_shows_is_shown_short(prepared):
    code = "try:\n    spark.table('gone')\nexcept Exception:\n    get_ipython().showtraceback()"
    result = prepared.run(code)
    assert result.status == "ok"
    (error,) = result.contents("error")
    assert len(error["traceback"]) <= 12
    details(result)


def test_error_in_a_subshell_belongs_to_its_cell(prepared):
    subshell = prepared.control("create_subshell_request", {})["subshell_id"]
    try:
        result = failed(prepared, "spark.table('gone')", subshell)
        assert marked(result)[1] == "spark.table('gone')"
    finally:
        prepared.control("delete_subshell_request", {"subshell_id": subshell})


# -- and what is left alone ------------------------------------------------------------------------


def test_other_errors_look_as_in_ipython(prepared):
    lines = prepared.run("1 / 0").traceback
    assert "ZeroDivisionError" in lines[1] and "Traceback (most recent call last)" in lines[1]
    assert prepared.run("1 / 0").displays == []
    assert "SyntaxError" in prepared.run("1 +").error
    assert "UsageError" in prepared.run("%spark nope").error


def test_other_mode_of_tracebacks_shows_all_of_it(prepared):
    prepared.run("%xmode Plain")
    try:
        result = prepared.run("spark.table('gone')")
        assert any("site-packages/pyspark" in line for line in result.traceback)
        assert result.displays == []
    finally:
        prepared.run("%xmode Context")


def test_secret_in_a_message_is_not_shown(prepared):
    code = "people.select(F.raise_error(F.lit('no jdbc:x://me:hunter2@db?password=hunter3'))).collect()"
    result: Result = failed(prepared, "message = 1\n" + code.replace("hunter2", "'\n'hunter2"))
    shown = result.error + details(result)["text/plain"]
    assert "***" in shown and "hunter3" not in result.error


def test_huge_message_is_cut_and_marked(prepared):
    prepared.value("from pyspark.errors import PySparkRuntimeError")
    result = failed(prepared, "raise PySparkRuntimeError('long ' * 20_000_000)")
    assert len(result.error) < 100_000
    assert "characters are left out" in result.error
    assert sum(map(len, result.traceback)) < 3_000


def test_deep_recursion_is_cut_and_marked(prepared):
    prepared.value("def down(n):\n    return down(n - 1) if n else spark.table('gone')")
    result = failed(prepared, "down(900)")
    assert marked(result)[0].endswith("line 2, in down")
    assert "frames are left out" in prepared.run("%spark error").stdout
