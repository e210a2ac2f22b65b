"""A DataFrame shows its first rows: as a cell's last value, and in ``display(df, limit=N)``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from kernel_real.notebook import Notebook
from kernel_real.tables import EVERY_TYPE, EVERY_VALUE, jobs_of, rows_of, tables_of
from spark_kernel.protocol.table import DATA_RESOURCE

TESTS = Path(__file__).parent.parent
PREPARE = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from pyspark.sql import functions as F, Row
from kernel_real.table_properties import check
settings = get_ipython().kernel.frames.settings
spark.range(1).count()
"""


@pytest.fixture(scope="module")
def notebook(shared: Notebook) -> Notebook:
    """Give the notebook, prepared."""
    shared.value(PREPARE)
    return shared


@pytest.fixture(autouse=True)
def _restore(notebook: Notebook) -> Iterator[None]:
    yield
    notebook.value("settings.preview, settings.preview_rows = 'rows', 100")


def test_last_value_is_a_table_in_three_forms(notebook: Notebook):
    data = notebook.run("spark.range(1000)").data
    assert set(data) == {"text/plain", "text/html", DATA_RESOURCE}
    assert data["text/plain"].endswith("[first 100 rows; more with display(df, limit=N)]")
    assert rows_of(data) == [{"id": number} for number in range(100)]
    assert notebook.value("spark.range(3)").endswith("[3 rows]")


def test_display_takes_a_limit_and_says_so_of_what_it_does_not_take(notebook: Notebook):
    (data,) = tables_of(notebook.run("display(spark.range(1000), limit=5)"))
    assert len(rows_of(data)) == 5
    assert "did you mean limit?" in notebook.run("display(spark.range(3), limt=3)").error
    assert "not for int" in notebook.run("display(3, limit=3)").error
    assert "limit=20" in notebook.run("display(spark.range(3), limit=-1)").error


def test_display_of_anything_else_is_as_in_ipython(notebook: Notebook):
    code = "display(1, 'two', include=['text/plain']); display({'text/plain': 'x'}, raw=True)"
    result = notebook.run(code)
    assert [data["text/plain"] for data in tables_of(result)] == ["1", "'two'", "x"]
    code = "handle = display(spark.range(2), 3, display_id=True); handle.update('new')"
    shown = notebook.run(code).displays
    assert len({content["transient"]["display_id"] for content in shown}) == 1
    assert "[2 rows]" in shown[0]["data"]["text/plain"]
    assert shown[-1]["data"]["text/plain"] == "'new'"


def test_rows_are_read_once_and_no_more_than_needed(notebook: Notebook):
    notebook.value("seen = spark.sparkContext.accumulator(0)")
    notebook.value("counted = F.udf(lambda x: (seen.add(1), x)[1], 'long')")
    notebook.value("frame = spark.range(0, 100000, 1, 50).select(counted('id').alias('x'))")
    result = notebook.run("display(frame, limit=10)")
    assert jobs_of(result) <= 1
    assert len(rows_of(tables_of(result)[0])) == 10
    assert int(notebook.value("seen.value")) <= 2000  # one partition, not fifty


def test_every_type_keeps_its_meaning(notebook: Notebook):
    notebook.value("spark.conf.set('spark.sql.session.timeZone', 'Europe/Berlin')")
    try:
        (row,) = rows_of(notebook.run(EVERY_TYPE).data)
    finally:
        notebook.value("spark.conf.unset('spark.sql.session.timeZone')")
    assert row == EVERY_VALUE


def test_generated_tables_are_what_spark_says(notebook: Notebook):
    zone, times = "'spark.sql.session.timeZone'", "'spark.sql.timeType.enabled'"
    notebook.value(f"spark.conf.set({zone}, 'America/New_York'); spark.conf.set({times}, True)")
    try:
        result = notebook.run("check(spark, 10)", timeout_s=240)
        assert result.status == "ok", "\n".join(result.traceback[-40:])
    finally:
        notebook.value(f"spark.conf.unset({zone}); spark.conf.unset({times})")


def test_user_defined_types_are_shown_as_their_objects_are(notebook: Notebook):
    notebook.value("from pyspark.ml.linalg import Vectors")
    code = "spark.createDataFrame([(Vectors.dense([1.0, 2.0]), None), (None, 1)], ['v', 'x'])"
    assert "[1.0,2.0]" in notebook.value(code)
    code = "spark.createDataFrame([(Vectors.dense([0.5] * 10_000),)], ['v'])"
    assert "… (40,001 characters)" in notebook.run(code).data["text/html"]


def test_field_of_a_struct_is_not_a_column_of_its_name(notebook: Notebook):
    sql = "select named_struct('day', date'2024-01-01') event, date'1999-09-09' day"
    code = f'spark.sql("{sql}").alias("event")'
    expected = {"event": {"day": "2024-01-01"}, "day": "1999-09-09"}
    assert rows_of(notebook.run(code).data) == [expected]


def test_odd_and_equal_names_are_kept_apart(notebook: Notebook):
    code = "spark.sql('select 1 a, 2 a, 3 `A`, 4 `x.y`, 5 `b``q`, 6 `<b>`, struct(1 a, 2 a) s')"
    result = notebook.run(code)
    row = rows_of(result.data)[0]
    assert [row[name] for name in ("a", "a_2", "A", "x.y", "b`q", "<b>")] == [1, 2, 3, 4, 5, 6]
    assert row["s"] == "{1, 2}"
    assert "<b>" not in result.data["text/html"]


def test_long_cells_are_cut_before_they_travel(notebook: Notebook):
    result = notebook.run("spark.sql(\"select repeat('x', 10000000) s, sequence(1, 9999) a\")")
    assert "… (10,000,000 characters)" in result.data["text/html"]
    assert len(json.dumps(result.data)) < 20_000


def test_only_some_of_very_many_columns_are_read(notebook: Notebook):
    many = "*[F.lit(i).alias(f'c{i}') for i in range(1999)], F.raise_error(F.lit('x'))"
    result = notebook.run(f"spark.range(2).select({many})")
    assert "of 2,000 columns" in result.text
    assert len(rows_of(result.data)[0]) == 250


def test_nothing_to_show_is_said(notebook: Notebook):
    assert notebook.value("spark.range(0)").endswith("[0 rows]")
    assert notebook.value("spark.range(3).select()") == "[3 rows; no columns]"


def test_rows_that_cannot_be_read_leave_the_cell_as_it_is_in_plain_pyspark(notebook: Notebook):
    notebook.value("bad = F.udf(lambda x: 1 // 0, 'long')")
    result = notebook.run("spark.range(3).select(bad('id').alias('x'))")
    assert result.status == "ok"
    assert result.text.splitlines() == [
        "ZeroDivisionError: integer division or modulo by zero",
        "`display(df)` shows the whole error.",
        "x  bigint",
    ]
    error = notebook.run("display(spark.range(3).select(bad('id')))").error
    assert error.startswith("PythonException")


def test_interrupt_of_a_preview_is_one_of_the_cell(notebook: Notebook):
    notebook.value("import time; slow = F.udf(lambda x: time.sleep(60) or x, 'long')")
    result = notebook.submit("spark.range(3).select(slow('id'))")
    notebook.wait_for(lambda: jobs_of(result), 60, "the job")
    notebook.interrupt()
    assert "KeyboardInterrupt" in notebook.finish(result, 30).error
    assert notebook.value("spark.range(3)").endswith("[3 rows]")


def test_number_of_rows_is_set_for_later_cells(notebook: Notebook):
    assert "first 2 rows" in notebook.run("%spark rows 2").stdout
    assert len(rows_of(notebook.run("spark.range(9)").data)) == 2
    assert "schema" in notebook.run("%spark rows 0").stdout
    assert notebook.value("spark.range(9)").endswith("\nid  bigint")
    assert "a number of rows" in notebook.run("%spark rows x").error


def test_plans_that_take_long_can_be_left_unread(notebook: Notebook):
    notebook.value("settings.preview = 'cheap'")
    sorted_ = "spark.range(5).join(spark.range(5), 'id').orderBy('id')"
    result = notebook.run(sorted_)
    assert "Not read yet, for that takes a sort and a join" in result.text
    assert jobs_of(result) == 0
    assert "[5 rows]" in notebook.value("spark.range(5)")
    assert "first 3 rows" in notebook.run(f"display({sorted_}, limit=3)").shown
    assert "[5 rows]" in notebook.value(f"kept = {sorted_}.cache(); kept.count(); kept")
    notebook.value("settings.preview = 'schema'")
    assert "id  bigint" in notebook.value("spark.range(5)")


def test_huge_limit_warns_and_reads_no_more_than_fits(notebook: Notebook):
    result = notebook.run("display(spark.range(10_000_000), limit=1_000_000)")
    assert "limit=1,000,000 is more than a notebook takes well" in result.stderr
    (data,) = tables_of(result)
    assert len(json.dumps(data)) < 600_000
    assert "of the first" in data["text/plain"]


def test_lists_of_rows_and_of_catalog_objects_are_tables_too(notebook: Notebook):
    data = notebook.run("spark.range(3).collect()").data
    assert data["text/plain"] == "[Row(id=0), Row(id=1), Row(id=2)]"
    assert rows_of(data) == [{"id": 0}, {"id": 1}, {"id": 2}]
    assert rows_of(notebook.run("spark.sparkContext.parallelize([Row(a=1)]).take(1)").data)
    names = [row["name"] for row in rows_of(notebook.run("spark.catalog.listDatabases()").data)]
    assert "default" in names
    assert set(notebook.run("[1, 2]").data) == {"text/plain"}
    mixed = notebook.run("[Row(a=1, b=2), Row(b=3, a=4), Row(a=5, b=6)]").data
    assert set(mixed) == {"text/plain"}
    assert rows_of(notebook.run("[Row(a='\\ud800')]").data) == [{"a": "?"}]


def test_pandas_is_shown_on_request_and_pandas_on_spark_always(notebook: Notebook):
    notebook.value("import pandas as pd; import pyspark.pandas as ps")
    notebook.value("pdf = pd.DataFrame({'a': [1, 2, 3], 'b': ['x', None, pd.NaT]})")
    (data,) = tables_of(notebook.run("display(pdf, limit=2)"))
    assert rows_of(data) == [{"a": 1, "b": "x"}, {"a": 2, "b": None}]
    assert DATA_RESOURCE not in notebook.run("pdf").data
    notebook.value("psdf = ps.DataFrame({'a': [3, 1]}, index=[10, 20])")
    expected = [{"index": 10, "a": 3}, {"index": 20, "a": 1}]
    assert rows_of(notebook.run("psdf").data) == expected
    assert rows_of(notebook.run("psdf.a").data) == expected
