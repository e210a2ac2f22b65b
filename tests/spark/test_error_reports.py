"""What is read out of the texts of Spark's errors; each text was recorded from Spark 4.3."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from spark_kernel.redaction import redacted
from spark_kernel.spark.error_reports.hints import Clues, find_hint
from spark_kernel.spark.error_reports.java import failed_task, read_causes
from spark_kernel.spark.error_reports.kinds import causes_of, full_text, is_of_spark, what_it_says
from spark_kernel.spark.error_reports.message import CallSite, marked_statement, read_message
from spark_kernel.spark.error_reports.remembered import _hook_errors
from spark_kernel.spark.error_reports.report import build_report
from spark_kernel.spark.error_reports.surroundings import Surroundings
from spark_kernel.spark.error_reports.user_code import Notebook, is_library, place
from spark_kernel.spark.error_reports.worker import read_worker

COLUMN = """[UNRESOLVED_COLUMN.WITH_SUGGESTION] A column, variable, or function parameter with \
name `nme` cannot be resolved. Did you mean one of the following? [`name`, `id`]. SQLSTATE: 42703; \
line 2 pos 1;
'Project [id#0L, 'nme]
+- SubqueryAlias people
   +- LogicalRDD [id#0L, name#1], false
"""
TABLE = """[TABLE_OR_VIEW_NOT_FOUND] The table or view `peple` cannot be found. Verify the \
spelling and correctness of the schema and catalog.
Search path: [`system`.`builtin`, `system`.`session`, `spark_catalog`.`default`].
If you did not qualify the name with a schema, verify the current_schema() output, or qualify the \
name with the correct schema and catalog.
To tolerate the error on drop use DROP VIEW IF EXISTS or DROP TABLE IF EXISTS. SQLSTATE: 42P01;
'UnresolvedRelation [peple], [], false
"""
PARSE = """
[PARSE_SYNTAX_ERROR] Syntax error at or near 'people'. SQLSTATE: 42601 (line 1, pos 13)

== SQL ==
select * frm people
-------------^^^
where x
"""
DIVISION = """[DIVIDE_BY_ZERO] Division by zero. Use `try_divide` to tolerate divisor being 0 and \
return NULL instead. SQLSTATE: 22012
== DataFrame ==
"__truediv__" was called from
line 3 in cell [7]
"""
SQL_DIVISION = """[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012
== SQL (line 1, position 8) ==
SELECT 1/0 FROM people
       ^^^
"""
AGGREGATE = """[MISSING_AGGREGATION] The non-aggregating expression "name" is based on columns.
Add the columns or the expression to the GROUP BY. SQLSTATE: 42803;
Aggregate [id#0L], [id#0L, name#1]
+- LogicalRDD [id#0L, name#1], false
"""
WORKER = """[PYTHON_EXCEPTION] An exception was thrown from the Python worker: \
Traceback (most recent call last):
  File "/x/site-packages/pyspark/python/lib/pyspark.zip/pyspark/worker.py", line 4327, in invoke_udf
    run_process()
  File "/tmp/ipykernel_12/345.py", line 9, in outer
    return half(x)
           ^^^^^^^
  File "/tmp/ipykernel_12/345.py", line 7, in half
    return 1 / (x - x)
           ~~^~~~~~~~~
  File "/x/site-packages/pandas/core/generic.py", line 6321, in __getattr__
    return object.__getattribute__(self, name)
ZeroDivisionError: division
by zero
 SQLSTATE: 38000"""
JAVA = """org.apache.spark.SparkException: Job aborted due to stage failure: Task 3 in stage 2.1 \
failed 4 times, most recent failure: Lost task 3.3 in stage 2.1 (TID 7) (10.0.0.9 executor 5): \
java.io.IOException: Mkdirs failed to create file:/proc/x
\tat org.apache.hadoop.fs.ChecksumFileSystem.create(ChecksumFileSystem.java:774)

Driver stacktrace:
\tat org.apache.spark.scheduler.DAGScheduler.abortStage(DAGScheduler.scala:4560)
Caused by: java.io.IOException: Mkdirs failed to create file:/proc/x
\tat org.apache.hadoop.fs.ChecksumFileSystem.create(ChecksumFileSystem.java:774)
\t... 12 more
"""
NOTEBOOK = Notebook({}, lambda file: "Cell In[4]" if "ipykernel_12" in file else "")


def made(module: str, name: str, said: str = "", **held: Any) -> BaseException:
    """Make an error of a class as PySpark has it."""
    kind = type(name, (Exception,), {"__module__": module, "__str__": lambda self: said})
    error: BaseException = kind()
    vars(error).update(held)
    return error


def captured(name: str, text: str, stack: str = "") -> BaseException:
    """Make an error that PySpark has converted from one of Java's."""
    return made("pyspark.errors.exceptions.captured", name, text, _desc=text, _stackTrace=stack)


def raised_in(module: str, error: BaseException) -> BaseException:
    """Raise an error in code of a module."""
    code = "def fail(error):\n    raise error"
    namespace: dict[str, Any] = {"__name__": module}
    exec(code, namespace)
    try:
        namespace["fail"](error)
    except Exception as raised:
        return raised
    raise AssertionError


def test_error_of_java_says_again_what_it_said_when_it_was_shown():
    asked = []

    class Py4JJavaError(Exception):
        def __str__(self) -> str:
            asked.append(1)
            return "once"

    _hook_errors(SimpleNamespace(Py4JJavaError=Py4JJavaError))
    error = Py4JJavaError()
    vars(error)["java_exception"] = object()
    assert str(error) == full_text(error) == str(error) == "once"
    assert len(asked) == 2


# -- what is said ----------------------------------------------------------------------------------


def test_message_loses_state_place_and_plan():
    message = read_message(COLUMN)
    assert message.condition == "UNRESOLVED_COLUMN.WITH_SUGGESTION"
    assert message.lines == (
        "A column, variable, or function parameter with name `nme` cannot be resolved. "
        "Did you mean one of the following? [`name`, `id`].",
    )
    assert message.position == (2, 1)
    assert not message.is_whole


def test_message_loses_what_every_message_of_its_kind_says():
    assert read_message(TABLE).lines == ("The table or view `peple` cannot be found.",)


def test_message_of_several_lines_is_kept():
    assert len(read_message(AGGREGATE).lines) == 2


@pytest.mark.parametrize(
    ("text", "statement"),
    [
        (PARSE, ("select * frm people", "             ^^^")),
        (SQL_DIVISION, ("SELECT 1/0 FROM people", "       ^^^")),
        (TABLE, ()),
    ],
)
def test_statement_is_the_marked_line(text, statement):
    assert read_message(text).statement == statement


def test_place_in_a_statement_is_marked_and_a_long_line_cut():
    assert marked_statement("select id,\n  nme from x", (2, 2)) == ("nme from x", "^^^")
    assert marked_statement("select", (5, 0)) == ()
    assert marked_statement("select\ta + b", (1, 7), 5) == ("select\ta + b", "      \t^^^^^")
    assert marked_statement("select a +\n b", (1, 7), 50) == ("select a +", "       ^^^")
    assert marked_statement("x" * 500 + " a + " + "b" * 300, (1, 501), 300)[1].strip()[:2] == "^^"
    line, marks = marked_statement("x" * 500 + " nme", (1, 501))
    assert len(line) <= 125 and line[marks.index("^") :].startswith("nme")


def test_call_site_of_a_column_is_read_and_compared_with_the_line():
    (site,) = read_message(DIVISION).call_sites
    assert (site.line, site.cell) == (3, 7)
    assert site.is_in("ratio = a / b")
    assert not site.is_in("import os")
    assert CallSite("col", 1).is_in("F.col('x')")


def test_text_that_is_not_of_spark_is_kept_as_it_is():
    message = read_message("no [such] thing\nSecond line")
    assert message.condition == "" and message.lines == ("no [such] thing", "Second line")


RUNS = ["\n", " ", "\t", " \n", "a", "a.", "[", "Query [id = ", "\n== SQL of x ", "column ",
        "Lost task ", "Container ", "executor ", "BROADCAST", "'", "\n\tat ",
        "Caused by: "]  # fmt: skip


@pytest.mark.parametrize("run", RUNS)
def test_what_repeats_in_a_text_is_read_in_one_pass(run):
    text = run * 10_000
    for whole in (text, f"[X] a{text}b", f"{WORKER}{text}", f"x.SparkException: {text}"):
        build_report(captured("AnalysisException", whole, whole), Surroundings(NOTEBOOK))
        find_hint(Clues("X", whole))
        read_message(whole)
        read_worker(whole)
        read_causes(whole)


# -- workers and Java ------------------------------------------------------------------------------


def test_frames_of_a_worker_are_the_users_and_the_last_lines_what_was_raised():
    worker = read_worker(WORKER)
    assert worker is not None
    assert [(frame.line, frame.function) for frame in worker.frames] == [(9, "outer"), (7, "half")]
    assert worker.said == "ZeroDivisionError: division\nby zero"
    assert worker.kind == "ZeroDivisionError"
    assert "SQLSTATE" not in worker.text


def test_worker_error_with_a_cause_is_the_one_that_got_out():
    again = WORKER.replace(" SQLSTATE: 38000", "") + (
        "\nDuring handling of the above exception, another exception occurred:\n\n"
        'Traceback (most recent call last):\n  File "/home/me/etl.py", line 3, in load\n'
        "    raise KeyError\nKeyError: 'x'\n SQLSTATE: 38000"
    )
    worker = read_worker(again)
    assert worker is not None
    assert worker.said == "KeyError: 'x'"
    assert [frame.file for frame in worker.frames] == ["/home/me/etl.py"]
    assert "ZeroDivisionError" in worker.text


def test_text_without_a_traceback_is_of_no_worker():
    assert read_worker(JAVA) is None


def test_causes_of_java_come_root_first_with_their_frames():
    root, top = read_causes(JAVA)
    assert (root.short_kind, top.short_kind) == ("IOException", "SparkException")
    assert "... 12 more" in root.text
    assert top.said.endswith("Mkdirs failed to create file:/proc/x")
    assert "Driver stacktrace" in top.text
    assert read_causes("") == []


def test_failed_task_is_told_as_far_as_it_is_known():
    task = failed_task(JAVA)
    assert str(task) == "Task 3.3 in stage 2.1, tried 4 times, host 10.0.0.9, executor 5"
    assert (
        str(failed_task("Task 0 in stage 5.0 failed 1 times"))
        == "Task 0 in stage 5.0, tried 1 time"
    )
    assert failed_task("nothing") is None


# -- whose error it is -----------------------------------------------------------------------------


def test_errors_of_spark_are_told_from_others():
    assert is_of_spark(captured("AnalysisException", TABLE))
    assert is_of_spark(made("py4j.protocol", "Py4JNetworkError"))
    assert is_of_spark(made("_pickle", "PicklingError", "Could not serialize object: TypeError: x"))
    assert not is_of_spark(made("_pickle", "PicklingError", "Can't pickle x"))
    assert not is_of_spark(raised_in("notebook", made("grpc._channel", "_InactiveRpcError")))
    assert is_of_spark(
        raised_in("pyspark.sql.connect.client.core", made("grpc._channel", "_InactiveRpcError"))
    )
    assert not is_of_spark(ValueError("x"))
    dressed = captured("AnalysisException", TABLE)
    vars(dressed)["_render_traceback_"] = list
    assert not is_of_spark(dressed)


def test_chain_ends_where_python_ends_it():
    first, second = ValueError(), KeyError()
    second.__context__, first.__context__ = first, second
    assert causes_of(second) == [second, first]
    second.__suppress_context__ = True
    assert causes_of(second) == [second]


def test_error_that_cannot_be_asked_gives_what_it_holds():
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise ConnectionRefusedError

    error = BrokenError()
    error._desc = "the driver is gone"  # type: ignore[attr-defined]
    assert full_text(error) == "the driver is gone"


def test_long_text_is_cut_in_its_middle():
    said = what_it_says(captured("UnknownException", "a" * 1_000_000 + "root"))
    assert len(said.text) < 70_000
    assert said.text.endswith("root") and "characters are left out" in said.text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("url jdbc:x://me:pass@db/x", "url jdbc:x://me:***@db/x"),
        ("password=hunter2 x", "password=*** x"),
        ("fs.s3a.secret.key: 'abcdef'", "fs.s3a.secret.key: '***'"),
        ("x?access_token=abc&y=1", "x?access_token=***&y=1"),
        ("the token was wrong", "the token was wrong"),
        ("Unexpected token: select", "Unexpected token: select"),
        ("{'token': 'abcdef'}", "{'token': '***'}"),
    ],
)
def test_secrets_in_a_text_are_not_shown(text, shown):
    assert redacted(text) == shown


# -- the report ------------------------------------------------------------------------------------


def test_report_of_a_function_points_into_it_and_names_who_called_it():
    report = build_report(captured("PythonException", WORKER), Surroundings(NOTEBOOK))
    assert report.condition == "PYTHON_EXCEPTION"
    assert report.message == ("ZeroDivisionError: division", "by zero")
    (found,) = report.places
    assert (found.where, found.line) == ("Cell In[4]", 7)
    assert found.role == "in half, called by outer on a worker"
    assert found.source == "return 1 / (x - x)"


def test_report_of_java_says_what_the_cause_says():
    error = made(
        "py4j.protocol",
        "Py4JJavaError",
        f"An error occurred while calling o1.x.\n: {JAVA}",
        java_exception=object(),
        errmsg="An error occurred while calling o1.x.\n",
    )
    report = build_report(error, Surroundings(NOTEBOOK))
    assert report.message == ("IOException: Mkdirs failed to create file:/proc/x",)
    assert report.facts.endswith("host 10.0.0.9, executor 5")
    titles = [section.title for section in report.sections]
    assert titles == [
        "Python traceback",
        "JVM cause 1 of 2: IOException (root)",
        "JVM cause 2 of 2: SparkException",
    ]


def test_report_keeps_all_that_was_said_in_its_sections():
    report = build_report(captured("AnalysisException", COLUMN), Surroundings(NOTEBOOK))
    assert "SubqueryAlias people" in report.sections[0].text


def test_cell_of_an_earlier_kernel_is_not_taken_for_one_of_this():
    found = place("/tmp/ipykernel_99/1.py", 3, "f", NOTEBOOK, "x = 1")
    assert (found.where, found.source) == ("A cell of an earlier kernel", "x = 1")
    assert not is_library("/tmp/ipykernel_99/1.py")
    assert is_library("/usr/lib/python3.11/json/decoder.py")
    assert not is_library("/home/me/project/etl.py")


# -- hints -----------------------------------------------------------------------------------------

HINTS = {
    "nearest column": (COLUMN, "did you mean `name`?"),
    "lost executor": ("ExecutorLostFailure (executor 1 exited) Reason: x", "an executor was lost"),
    "killed container": ("Container killed by YARN for exceeding memory", "an executor ran out"),
    "exit 137": ("ExecutorLostFailure: Command exited with code 137", "an executor ran out"),
    "fetch": ("org.apache.spark.shuffle.FetchFailedException: x", "shuffle data was lost"),
    "heap": ("java.lang.OutOfMemoryError: Java heap space", "the driver's heap"),
    "result": ("is bigger than spark.driver.maxResultSize (1024.0 KiB)", "collect less"),
    "broadcast": ("Could not execute broadcast in 300 secs", "spark.sql.broadcastTimeout"),
    "permission": ("AccessControlException: Permission denied: user=me", "may not read or write"),
    "gone session": ("[INVALID_HANDLE.SESSION_CLOSED] x", "`%spark restart`"),
    "cancelled": ("[OPERATION_CANCELED] x", "run the cell again"),
    "server": ("UNAVAILABLE: failed to connect to all addresses", "`%spark status`"),
    "unknown": ("something else", ""),
}


@pytest.mark.parametrize(("text", "start"), HINTS.values(), ids=HINTS)
def test_hint_is_found(text, start):
    found = find_hint(Clues(read_message(text).condition, text))
    assert start in found and bool(start) == bool(found)


@pytest.mark.parametrize(
    ("raised", "start"),
    [
        ("NameError: name 'x' is not defined", "is the name misspelt"),
        ("ModuleNotFoundError: No module named 'x'", "a module that the workers lack"),
        ("PySparkRuntimeError: [RESULT_COLUMN_NAMES_MISMATCH] x", "what the function returns"),
        ("PySparkAttributeError: [ATTRIBUTE_NOT_SUPPORTED] x", ""),
        ("ValueError: x", "some row made the function fail"),
    ],
)
def test_hint_goes_by_what_a_function_has_raised(raised, start):
    found = find_hint(Clues("PYTHON_EXCEPTION", raised + "\n\nmore"))
    assert found.startswith(start) and bool(found) == bool(start)


def test_class_of_what_a_worker_raised_is_shown_without_its_package():
    text = WORKER.replace("ZeroDivisionError: division", "pyspark.errors.base.PySparkError: x")
    report = build_report(captured("PythonException", text), Surroundings(NOTEBOOK))
    assert report.message[0] == "PySparkError: x"


def test_what_a_users_function_says_is_no_word_of_sparks():
    clues = Clues("PYTHON_EXCEPTION", "ConnectionRefusedError: Connection refused\n\nx")
    assert "some row made the function fail" in find_hint(clues)


def test_methods_in_a_stack_do_not_mislead():
    stack = "java.lang.IllegalStateException: odd\n\tat x.FetchFailed.call(x.java:1)"
    report = build_report(captured("UnknownException", "odd", stack), Surroundings(NOTEBOOK))
    assert report.hint == ""


def test_error_of_java_whose_driver_is_gone_still_has_a_line():
    error = made("py4j.protocol", "Py4JJavaError", "An error occurred while calling o1.x.\n",
                 java_exception=object(), errmsg="")  # fmt: skip
    report = build_report(error, Surroundings(NOTEBOOK))
    assert report.message == ("An error occurred while calling o1.x.",)


def test_hint_takes_the_nearest_of_the_names_that_there_are():
    clues = Clues("TABLE_OR_VIEW_NOT_FOUND", TABLE, ("flights", "people"))
    assert find_hint(clues) == "did you mean `people`?"
    assert "listTables" in find_hint(Clues("TABLE_OR_VIEW_NOT_FOUND", TABLE, ("flights",)))
