"""What a statement is said to have done, and where an error is in it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from spark_kernel.protocol.sql import SQL_PLACE, SqlPlace
from spark_kernel.spark.error_reports.report import build_report
from spark_kernel.spark.error_reports.surroundings import Surroundings
from spark_kernel.spark.error_reports.user_code import Notebook
from spark_kernel.spark.sql_runs import described, place_of
from spark_kernel.spark.sql_statements import split_statements

SAID = {
    "CREATE TABLE a.b (c INT)": "Created table a.b",
    "CREATE OR REPLACE TEMPORARY VIEW v AS SELECT 1": "Created view v",
    "CREATE TABLE IF NOT EXISTS t (c INT)": "Table t is there",
    "DROP TABLE IF EXISTS t": "Table t is gone",
    "drop view `my view`": "Dropped view `my view`",
    "ALTER TABLE t ADD COLUMN c INT": "Changed table t",
    "TRUNCATE TABLE t": "Emptied table t",
    "CACHE LAZY TABLE t": "Cached table t",
    "USE DATABASE d": "Using database d",
    "USE d": "Using d",
    "INSERT INTO t VALUES (1)": "Inserted into t",
    "INSERT OVERWRITE TABLE t SELECT 1": "Overwrote t",
    "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a": "Inserted into t",
    "DELETE FROM t WHERE a = 1": "Deleted from t",
    "CLEAR CACHE": "Done",
    "CREATE": "Done",
}


@pytest.mark.parametrize(("text", "expected"), SAID.items())
def test_command_is_told_in_a_few_words(text: str, expected: str) -> None:
    (statement,) = split_statements(text)
    assert described(statement, SimpleNamespace()) == expected  # type: ignore[arg-type]


def marks_of(place: SqlPlace) -> tuple[str, ...]:
    """Give what a report shows of a place."""
    error = ValueError()
    setattr(error, SQL_PLACE, place)
    return build_report(error, Surroundings(Notebook({}, str))).statement


def test_place_comes_from_what_spark_says() -> None:
    second = split_statements("SELECT 1;\n\nSELECT a,\n  b FROM t")[1]
    place = place_of(ValueError("no column; line 2 pos 2;"), second, 2, 2)
    assert place == SqlPlace(2, 2, second.text, 2, 3, 3)
    assert marks_of(place) == ("b FROM t", "^")


def test_place_comes_from_the_context_where_there_is_one() -> None:
    (statement,) = split_statements("SELECT 1,\n\tabc FROM t")
    context = SimpleNamespace(
        contextType=lambda: SimpleNamespace(name="SQL"),
        objectType=lambda: "",
        startIndex=lambda: 11,
        stopIndex=lambda: 13,
    )
    error = ValueError()
    error.getQueryContext = lambda: [context]  # type: ignore[attr-defined]
    place = place_of(error, statement, 1, 1)
    assert (place.line, place.column, place.width) == (2, 2, 3)
    assert marks_of(place) == ("abc FROM t", "^^^")


def test_place_that_is_not_known_marks_nothing() -> None:
    (statement,) = split_statements("SELECT 1")
    assert marks_of(place_of(ValueError("?"), statement, 1, 1)) == ()
