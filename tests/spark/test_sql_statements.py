"""Splitting a cell of SQL, and the parameters in it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_kernel.spark import sql_statements
from spark_kernel.spark.sql_statements import split_statements

SCRIPT = """BEGIN
  DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN SELECT 1; END;
  IF (a > 1) THEN SELECT CASE WHEN b THEN 2 END; END IF;
  label: BEGIN SELECT end FROM t; END label;
  CASE x WHEN 1 THEN SELECT 1; END CASE;
  WHILE x < 3 DO SET x = x + 1; END WHILE;
END"""

CASES = {
    "one": ("SELECT 1", ["SELECT 1"]),
    "semicolon at the end": (" SELECT 1 ; ", ["SELECT 1"]),
    "two": ("SELECT 1;\nSELECT 2", ["SELECT 1", "SELECT 2"]),
    "nothing": (" \n ", []),
    "semicolons alone": (";; ;", []),
    "comments alone": ("-- one; two\n/* three; four */", []),
    "in a text": ("SELECT ';'; SELECT \";\"", ["SELECT ';'", 'SELECT ";"']),
    "in an escaped text": (r"SELECT 'a\';b'; SELECT 2", [r"SELECT 'a\';b'", "SELECT 2"]),
    "in a doubled quote": ("SELECT 'a'';b'; SELECT 2", ["SELECT 'a'';b'", "SELECT 2"]),
    "in a raw text": (r"SELECT r'\'; SELECT 2", [r"SELECT r'\'", "SELECT 2"]),
    "in a name": ("SELECT `a;``b`; SELECT 2", ["SELECT `a;``b`", "SELECT 2"]),
    "in a comment": ("SELECT 1 -- a; b\n + 2; SELECT 3", ["SELECT 1 -- a; b\n + 2", "SELECT 3"]),
    "in a nested comment": ("SELECT /* a /* ; */ ; */ 1", ["SELECT /* a /* ; */ ; */ 1"]),
    "quote in a comment": ("SELECT 1 -- it's\n; SELECT 2", ["SELECT 1", "SELECT 2"]),
    "hint": ("SELECT /*+ BROADCAST(t) */ 1; SELECT 2",
             ["SELECT /*+ BROADCAST(t) */ 1", "SELECT 2"]),
    "dollars": ("CREATE VIEW v AS $$ a; b $$; SELECT 2",
                ["CREATE VIEW v AS $$ a; b $$", "SELECT 2"]),
    "command": ("SHOW TABLES LIKE 'a;b'; SET a = b; SELECT 2",
                ["SHOW TABLES LIKE 'a;b'", "SET a = b", "SELECT 2"]),
    "case": ("SELECT CASE a WHEN 1 THEN 2 END; SELECT 2",
             ["SELECT CASE a WHEN 1 THEN 2 END", "SELECT 2"]),
    "a column called end": ("SELECT begin, end FROM t; SELECT 2",
                            ["SELECT begin, end FROM t", "SELECT 2"]),
    "script": (f"{SCRIPT};\nSELECT 2", [SCRIPT, "SELECT 2"]),
    "empty script": ("BEGIN END; SELECT 2", ["BEGIN END", "SELECT 2"]),
    "script without an end": ("BEGIN SELECT 1; SELECT 2", ["BEGIN SELECT 1; SELECT 2"]),
    "text without an end": ("SELECT 1; SELECT 'a; b", ["SELECT 1", "SELECT 'a; b"]),
    "comment without an end": ("SELECT 1; /* a; b", ["SELECT 1", "/* a; b"]),
    "beyond ASCII": ("SELECT 'ü;😀', 1; SELECT 2", ["SELECT 'ü;😀', 1", "SELECT 2"]),
}  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), CASES.values(), ids=CASES)
def test_cell_is_split_at_the_ends_of_statements(text: str, expected: list[str]) -> None:
    assert [statement.text for statement in split_statements(text)] == expected


PIECES = ["SELECT 1", "'a;b'", '"c"', "`d;`", "-- e;\n", "/* f; */", ";", " ", "\n", "CASE", "END",
          "BEGIN", "(", ")", ":g", "x:y", "'", "$$", "é😀"]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_statements_and_what_is_between_them_give_the_text_back(text: str) -> None:
    statements = split_statements(text)
    end, between = 0, []
    for statement in statements:
        assert text[statement.start :].startswith(statement.text)
        assert statement.line == text.count("\n", 0, statement.start) + 1
        between.append(text[end : statement.start])
        end = statement.start + len(statement.text)
    between.append(text[end:])
    assert all(split_statements(gap) == [] for gap in between)


def test_quote_without_an_end_is_found_without_reading_the_text_again_and_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = ["SELECT 'a;b'", "INSERT INTO t VALUES " + ", ".join(["('a;b')"] * 50)]
    read = []
    tokenizer = sql_statements._tokenizer
    monkeypatch.setattr(sql_statements, "_tokenizer", lambda: read.append(1) or tokenizer())
    tuples = ", ".join(["('a;b')"] * 50)
    for rest in (f"INSERT INTO t VALUES ('it's'), {tuples}", "/* a; '", "`a; b"):
        read.clear()
        assert [one.text for one in split_statements(f"{'; '.join(whole)}; {rest}")][:2] == whole
        assert len(read) < 10
    read.clear()
    assert split_statements("SELECT x'zz'" + "; a" * 50)[0].text.startswith("SELECT x'zz'")
    assert len(read) < 30


@given(st.text(max_size=60))
def test_any_text_can_be_split(text: str) -> None:
    for statement in split_statements(text):
        assert statement.text.strip()


PARAMETERS = {
    "SELECT :a": ("a",),
    "SELECT :a + :b * :a": ("a", "b"),
    "SELECT * FROM t LIMIT :limit": ("limit",),
    "SELECT * FROM IDENTIFIER(:table)": ("table",),
    "SELECT x >:a, (:b), [:c]": ("a", "b", "c"),
    "SELECT:a WHERE x BETWEEN:b AND:c OR NOT:d": ("a", "b", "c", "d"),
    "SELECT CASE WHEN:a THEN:b ELSE:c END LIMIT:d OFFSET:e": ("a", "b", "c", "d", "e"),
    "SELECT 1 FROM t WHERE x LIKE:a AND 2 IN(:b) LIMIT 3 OFFSET:c": ("a", "b", "c"),
    "SELECT offset:field, t.limit:field, CAST(x AS STRUCT<a:INT,offset:BIGINT,values:INT>)": (),
    "SELECT a::int, STRUCT<a:INT>, v:field, v[0]:x": (),
    "SELECT ':a', \":b\", `:c` -- :d": (),
    "SELECT DATE :day": ("day",),
    "EXECUTE IMMEDIATE 'SELECT ?' USING :a": ("a",),
    "label: BEGIN END": (),
}


@pytest.mark.parametrize(("text", "expected"), PARAMETERS.items())
def test_parameters_are_the_names_after_a_colon(text: str, expected: tuple[str, ...]) -> None:
    (statement,) = split_statements(text)
    assert statement.parameters == expected


QUERIES = ["SELECT 1", "(SELECT 1)", "WITH a AS (SELECT 1) SELECT * FROM a", "FROM t SELECT a",
           "VALUES (1)", "TABLE t"]  # fmt: skip
COMMANDS = ["WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a", "FROM t INSERT INTO u SELECT a",
            "CREATE TABLE t AS SELECT 1", "SHOW TABLES", "EXPLAIN SELECT 1"]  # fmt: skip


@pytest.mark.parametrize("text", QUERIES)
def test_query_is_told_from_a_command(text: str) -> None:
    assert split_statements(text)[0].is_query


@pytest.mark.parametrize("text", COMMANDS)
def test_command_is_no_query(text: str) -> None:
    assert not split_statements(text)[0].is_query
