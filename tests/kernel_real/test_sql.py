"""``%%sql`` and ``%sql``: statements, parameters, results, errors and completion."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel_real.notebook import Notebook, Result
from kernel_real.shown_errors import visible

PREPARE = """
least, airport = 2, "a'; DROP TABLE x; --"
frame = spark.range(3)
spark.range(10).selectExpr("id", "id % 3 AS `the rest`").createOrReplaceTempView("numbers")
"""


@pytest.fixture(scope="module")
def sql(shared: Notebook) -> Iterator[Notebook]:
    """Give a notebook with a view, and some variables."""
    shared.value(PREPARE)
    yield shared
    shared.value("spark.catalog.dropTempView('numbers')")


JOBS = "spark.sparkContext._jsc.sc().dagScheduler().numTotalJobs()"


def tables_in(result: Result) -> int:
    """Count the tables that a cell shows."""
    return len([c for c in result.displays if "application/vnd.dataresource+json" in c["data"]])


def test_last_result_is_shown_once_and_kept(sql: Notebook) -> None:
    result = sql.run("%%sql --as kept\nSELECT id FROM numbers WHERE id > :least")
    assert result.status == "ok"
    assert tables_in(result) == 1
    assert result.text == ""
    assert result.stdout == ""
    assert sql.value("[_ is kept, [row.id for row in kept.collect()]]") == (
        "[True, [3, 4, 5, 6, 7, 8, 9]]"
    )


def test_several_statements_are_told_one_by_one(sql: Notebook) -> None:
    result = sql.run(
        "%%sql\nCREATE OR REPLACE TEMPORARY VIEW few AS SELECT 1 AS a;\n"
        "-- a comment; with a semicolon\nSELECT ';';\nSELECT a + 1 AS b FROM few;"
    )
    first, second, third = result.stdout.splitlines()
    assert first.startswith("1 · Created view few · ") and first.endswith(" s")
    assert second.startswith("2 · Query, not run")
    assert third.startswith("3 · Query · ")
    assert "b\n" in result.shown


def test_values_are_bound_and_never_pasted(sql: Notebook) -> None:
    sql.value("import datetime, decimal")
    sql.value(
        "day, price, flags, none = datetime.date(2024, 1, 2), decimal.Decimal('1.50'), [1, 2], None"
    )
    sql.value("x = %sql SELECT :airport AS a, :day AS d, :price AS p, :flags AS f, :none AS n")
    assert sql.value("x.collect()[0] == (airport, day, price, flags, None)") == "True"
    braces = sql.run("%sql SELECT '{airport} $airport' AS a")
    assert "{airport} $airport" in braces.text


WRONG = {
    "%sql SELECT :lest": "SqlParameterError: There is no variable 'lest' for the parameter :lest.",
    "%sql SELECT :frame": "`frame.createOrReplaceTempView('frame')` makes it a table",
    "%sql SELECT :print": "There is no variable 'print'",
}


@pytest.mark.parametrize("code", WRONG)
def test_parameter_that_cannot_be_bound_is_named_before_anything_runs(
    sql: Notebook, code: str
) -> None:
    result = sql.run(code)
    assert WRONG[code] in result.error
    assert len(result.traceback) <= 3


def test_function_uses_its_own_variables(sql: Notebook) -> None:
    sql.value(
        "def above(limit):\n    return get_ipython().run_line_magic('sql', 'SELECT :limit a')"
    )
    assert sql.value("above(7).collect()") == "[Row(a=7)]"


USAGE = ["%%sql --lim 3\nSELECT 1", "%%sql --limit x\nSELECT 1", "%%sql --as 1a\nSELECT 1",
         "%%sql --chart pie\nSELECT 1", "%%sql --agg sun\nSELECT 1",
         "%%sql SELECT 1\nSELECT 2", "%%sql --limit 3 --x a\nSELECT 1 a",
         "%%sql\n-- nothing", "%sql"]  # fmt: skip


@pytest.mark.parametrize("code", USAGE)
def test_wrong_use_is_told_in_a_line(sql: Notebook, code: str) -> None:
    result = sql.run(code)
    assert result.status == "error"
    assert result.stderr.startswith("UsageError: %%sql")
    assert result.stderr.count("\n") == 1


def test_first_statement_that_fails_ends_the_cell_and_is_marked(sql: Notebook) -> None:
    result = sql.run("%%sql --as never\nSELECT 1;\n\nSELECT id,\n  nme FROM numbers;\nSELECT 3")
    assert result.error.startswith("AnalysisException: [UNRESOLVED_COLUMN")
    assert result.stdout.count("\n") == 1
    said = "\n".join(visible(result))
    assert "\nnme FROM numbers\n^^^\n" in said
    assert f"Cell In[{result.reply['execution_count']}], line 5, statement 2 of 3" in said
    assert "run_cell_magic" not in said
    place = "sys.last_value._spark_kernel_sql"
    assert sql.value(f"import sys\n{place}.statement_number, {place}.of, {place}.cell_line") == (
        "(2, 3, 4)"
    )
    assert sql.value("'never' in globals()") == "False"


def test_place_of_a_parse_error_is_known(sql: Notebook) -> None:
    assert sql.run("%sql SELECT 1 FRM x y").error.startswith("ParseException")
    assert sql.value("import sys\nsys.last_value._spark_kernel_sql.line") == "1"


def test_place_of_an_error_in_the_rows_is_known(sql: Notebook) -> None:
    result = sql.run("%%sql\nSELECT id / (id - id) FROM numbers")
    assert "DIVIDE_BY_ZERO" in result.error
    assert "       ^^^^^^^^^^^^^^" in visible(result)


def test_commands_say_what_they_did(sql: Notebook) -> None:
    result = sql.run(
        "%%sql\nDROP TABLE IF EXISTS made;\nCREATE TABLE made (a INT) USING parquet;\n"
        "INSERT INTO made VALUES (1), (2);\nDROP TABLE made"
    )
    said = [line.split(" · ")[1] for line in result.stdout.splitlines()]
    assert said == [
        "Table made is gone",
        "Created table made",
        "Inserted 2 rows into made",
        "Dropped table made",
    ]
    assert tables_in(result) == 0


def test_command_with_rows_shows_them_and_explain_is_text(sql: Notebook) -> None:
    assert "numbers" in sql.run("%%sql\nSHOW TABLES").shown
    explained = sql.run("%%sql\nEXPLAIN SELECT 1")
    assert "Physical Plan" in explained.stdout
    assert explained.displays == []


def test_script_is_one_statement(sql: Notebook) -> None:
    result = sql.run(
        "%%sql\nBEGIN\n  DECLARE n INT DEFAULT 1;\n  SELECT n + 1 AS m;\nEND;\nSELECT 5 AS five"
    )
    assert result.status == "ok"
    assert result.stdout.splitlines()[0].startswith("1 · ")
    assert "five" in result.shown


def test_empty_result_shows_its_header(sql: Notebook) -> None:
    shown = sql.run("%%sql\nSELECT id FROM numbers WHERE false").shown
    assert "id" in shown
    assert "0 rows" in shown or "no rows" in shown


def test_only_the_rows_that_are_shown_are_read(sql: Notebook) -> None:
    before = int(sql.value(JOBS))
    result = sql.run("%%sql --limit 2\nSELECT id FROM range(1000);\nSELECT id FROM range(1000)")
    assert tables_in(result) == 1
    assert int(sql.value(JOBS)) == before + 1


def test_line_gives_a_frame(sql: Notebook) -> None:
    result = sql.run("x = %sql SELECT 1 AS one")
    assert (result.displays, result.text) == ([], "")
    assert sql.value("x.columns") == "['one']"
    assert "one" in sql.run("%sql SELECT 1 AS one").text


def test_session_of_the_notebook_is_used(sql: Notebook) -> None:
    sql.value("kept_spark = spark\nspark = spark.newSession()")
    sql.value("spark.range(1).createOrReplaceTempView('only_here')")
    try:
        assert sql.run("%sql SELECT * FROM only_here").status == "ok"
    finally:
        sql.value("spark = kept_spark")


# -- completion --------------------------------------------------------------------------------


def completed(notebook: Notebook, code: str) -> list[str]:
    """Complete at the bar; gives what fits."""
    position = code.index("|")
    code = code.replace("|", "")
    reply = notebook.ask(notebook.client.complete(code, position))
    assert reply["status"] == "ok"
    return list(reply["matches"])


COMPLETED = {
    "%%sql\nSELECT * FROM num|": "numbers",
    "%%sql\nSELECT n.| FROM numbers AS n": "`the rest`",
    "%%sql\nSELECT 1;\nSELECT i| FROM numbers": "id",
    "%%sql\nSELECT date_t|": "date_trunc",
    "%%sql\nsel|": "select",
    "%%sql\nSELECT * FROM numbers WHERE id > :lea|": "least",
    "%%sql --ch|": "--chart",
    "%%sql --chart h|": "heatmap",
    "%sql SELECT * FROM num|": "numbers",
    "x = 1\ny = spark.sql('SELECT i| FROM numbers')": "id",
    'spark.sql("""\nSELECT *\nFROM num|\n""").show()': "numbers",
}


@pytest.mark.parametrize("code", COMPLETED)
def test_sql_is_completed(sql: Notebook, code: str) -> None:
    # The first answer may come before Spark has told the names.
    sql.wait_for(lambda: COMPLETED[code] in completed(sql, code), 30, "the name")


def test_text_in_sql_and_python_are_not_completed_as_sql(sql: Notebook) -> None:
    assert "numbers" not in completed(sql, "%%sql\nSELECT 'num|")
    assert "numbers" not in completed(sql, "num|")
    assert "least" in completed(sql, "leas|")
