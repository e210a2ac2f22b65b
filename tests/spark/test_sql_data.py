"""What a statement of SQL names as read and written, by its text alone."""

from __future__ import annotations

import logging

import pytest

from spark_kernel.spark.sql_data import data_of_sql


def names(text: str) -> tuple[list[str], list[str]]:
    """Give the names of what is read and written."""
    data = data_of_sql(text)
    return [one.name for one in data.inputs], [one.name for one in data.outputs]


@pytest.mark.parametrize(
    ("text", "read", "written"),
    [
        ("SELECT 1", [], []),
        ("SELECT * FROM range(3)", [], []),
        ("VALUES (1)", [], []),
        ("SELECT * FROM a.b.c JOIN v USING (id)", ["a.b.c", "v"], []),
        ("SELECT * FROM t WHERE x IN (SELECT y FROM z)", ["t", "z"], []),
        ("SELECT * FROM parquet.`/data/p`", ["/data/p"], []),
        ("WITH q AS (SELECT * FROM r) INSERT INTO db.t SELECT * FROM q", ["r"], ["db.t"]),
        ("WITH t AS (SELECT * FROM t) SELECT * FROM t", ["t"], []),
        ("INSERT OVERWRITE TABLE t PARTITION (a = 1) SELECT * FROM s", ["s"], ["t"]),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", ["t", "s"], ["t"]),
        ("DELETE FROM t WHERE a = 1", ["t"], ["t"]),
        ("CREATE TABLE t AS SELECT * FROM s", ["s"], ["t"]),
        ("CREATE TEMPORARY VIEW v AS SELECT * FROM s", ["s"], ["v"]),
        ("CREATE GLOBAL TEMPORARY VIEW v AS SELECT 1", [], ["global_temp.v"]),
        ("DROP TABLE IF EXISTS t", [], ["t"]),
        ("TRUNCATE TABLE t", [], ["t"]),
        ("CREATE DATABASE d", [], []),
        ("SHOW TABLES", [], []),
        ("SET a = b", [], []),
    ],
)
def test_names_are_found(text: str, read: list[str], written: list[str]) -> None:
    assert names(text) == (read, written)


@pytest.mark.parametrize(
    "text",
    ["SELECT * FROM my_function(1)", "SELECT * FROM IDENTIFIER('t')", "SELECT * FROM {frame}"],
)
def test_what_hides_its_source_is_unknown(text: str) -> None:
    assert names(text)[0] == ["unknown source"]


@pytest.mark.parametrize(
    "text", ["nonsense here", "CALL cat.proc(1)", "BEGIN SELECT 1; END", "SELECT 1 " * 20_000]
)
def test_what_is_not_understood_is_unknown_on_both_sides(text: str) -> None:
    assert names(text) == (["unknown source"], ["unknown target"])


def test_nothing_is_said_of_what_is_not_understood(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        data_of_sql("OPTIMIZE t")
    assert not caplog.records
