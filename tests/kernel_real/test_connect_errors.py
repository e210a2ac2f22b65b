"""Errors on a Spark Connect server: the same conditions, in the client's own classes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel_real.connect_server import notebook_on_a_server
from kernel_real.notebook import Notebook, NotebookMaker
from kernel_real.shown_errors import details, failed, hint, marked, visible

PREPARE = """from pyspark.sql import functions as F
people = spark.createDataFrame([(1, "Ann"), (2, "Bob")], "id long, name string")
people.createOrReplaceTempView("people")
def half(x):
    zero = x - x
    return 1 / zero
lock = __import__("threading").Lock()
bad = F.lit(1) / (F.col("id") - 1)
"""


@pytest.fixture(scope="module")
def notebook(new_notebook: NotebookMaker) -> Iterator[Notebook]:
    """Give a notebook on a server."""
    with notebook_on_a_server(new_notebook) as made:
        made.value(PREPARE)
        yield made


MISTAKES = {
    "column": (
        "people.select('nam').collect()",
        "AnalysisException: [UNRESOLVED_COLUMN.WITH_SUGGESTION] A column",
        "did you mean `name`?",
    ),
    "table": (
        "spark.table('peeple').collect()",
        "AnalysisException: [TABLE_OR_VIEW_NOT_FOUND] The table or view `peeple` cannot be found.",
        "listTables()",
    ),
    "ambiguous": (
        "people.join(people, people.id == people.id).select(people.id).collect()",
        'AnalysisException: [AMBIGUOUS_COLUMN_REFERENCE] Column "id" is ambiguous.',
        "give the frames an alias",
    ),
    "types": (
        "people.select(F.col('name') + F.array(F.lit(1))).collect()",
        "AnalysisException: [DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES] Cannot resolve",
        "make the types agree",
    ),
    "cast": (
        "people.select(F.col('name').cast('int')).collect()",
        "NumberFormatException: [CAST_INVALID_INPUT] The value",
        "try_cast",
    ),
    "path": (
        "spark.read.parquet('/no/such/path').count()",
        "AnalysisException: [PATH_NOT_FOUND] Path does not exist: file:/no/such/path.",
        "check the path",
    ),
    "exists": (
        "people.write.parquet('/tmp')",
        "AnalysisException: [PATH_ALREADY_EXISTS] Path file:/tmp already exists.",
        '`.mode("overwrite")` replaces it',
    ),
    "permission": (
        "people.write.parquet('/proc/no')",
        "SparkException: IOException: Mkdirs failed to create",
        "Spark may not read or write there",
    ),
    "data source": (
        "spark.read.format('delta').load('/x').count()",
        "UnknownException: [DATA_SOURCE_NOT_FOUND] Failed to find the data source: delta.",
        "its package is missing",
    ),
    "lock": (
        "people.select(F.udf(lambda x: lock.locked())('id')).collect()",
        "PicklingError: cannot be sent to the workers: cannot pickle '_thread.lock' object",
        "make it inside the function",
    ),
    "worker that dies": (
        "people.select(F.udf(lambda x: __import__('os')._exit(9))('id')).collect()",
        "SparkException: Python worker exited unexpectedly",
        "ended by itself",
    ),
}


@pytest.mark.parametrize(("code", "head", "advice"), MISTAKES.values(), ids=MISTAKES)
def test_mistake_is_named_with_its_line_and_what_to_do(notebook, code, head, advice):
    result = failed(notebook, f"answer = 42\n{code}")
    assert visible(result)[0].startswith(head)
    place, source = marked(result)
    assert place.endswith("line 2")
    assert source == code
    assert advice in hint(result)


FUNCTIONS = {
    "udf": "people.select(F.udf(half, 'double')('id')).collect()",
    "toPandas": "people.select(F.udf(half, 'double')('id')).toPandas()",
    "pandas": "people.mapInPandas(lambda frames: map(half, [1]), 'id long').collect()",
}


@pytest.mark.parametrize("code", FUNCTIONS.values(), ids=FUNCTIONS)
def test_line_inside_a_function_on_a_worker_is_marked(notebook, code):
    result = failed(notebook, code)
    assert visible(result)[0] == (
        "PythonException: [PYTHON_EXCEPTION] ZeroDivisionError: division by zero"
    )
    place, source = marked(result)
    assert "line 6, in half" in place or "in half on a worker" in place
    assert source == "return 1 / zero"
    assert f"      1 {code}" in visible(result)
    assert "Worker traceback" in details(result)["text/plain"]


def test_line_where_a_column_was_made_is_marked_when_an_operation_fails_of_it(notebook):
    result = failed(notebook, "people.select(bad).collect()")
    assert visible(result)[0].startswith("ArithmeticException: [DIVIDE_BY_ZERO]")
    assert marked(result)[1] == 'bad = F.lit(1) / (F.col("id") - 1)'
    assert "      1 people.select(bad).collect()" in visible(result)
    assert "JVM cause" in details(result)["text/plain"]


def test_place_in_a_statement_of_sql_is_marked(notebook):
    lines = visible(failed(notebook, 'spark.sql("select id\\n frm people").collect()'))
    assert lines[0].startswith("ParseException: [PARSE_SYNTAX_ERROR]")
    assert lines[1].endswith("people") and lines[2].strip() == "^^^"


def test_streaming_query_that_fails_is_named_with_the_line_in_its_function(notebook):
    notebook.value(
        "query = (spark.readStream.format('rate').load().select(F.udf(half, 'double')('value'))\n"
        "    .writeStream.queryName('ticks').format('noop').start())"
    )
    result = failed(notebook, "query.awaitTermination()")
    assert "ZeroDivisionError: division by zero" in visible(result)[0]
    assert marked(result)[1] == "return 1 / zero"
    assert any("streaming query ticks" in line for line in visible(result))
