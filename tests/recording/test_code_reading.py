"""What the source of a cell tells of names, magics and SQL."""

from __future__ import annotations

import pytest

from spark_kernel.recording.code.cell import BindingKind, CellCode
from spark_kernel.recording.code.reading import read_code
from spark_kernel.recording.code.sql import read_sql

USES = {
    "print(a)": "a",
    "a = 1\nprint(a)": "",
    "print(a)\na = 1": "a",
    "a += 1": "a",
    "if c:\n    a = 1\nprint(a)": "a c",
    "if c:\n    a = 1\nelse:\n    a = 2\nprint(a)": "c",
    "for a in b:\n    pass\nprint(a)": "a b",
    "while c:\n    a = 1\nprint(a)": "a c",
    "try:\n    a = f()\nexcept E as e:\n    print(e)\nprint(a)": "E a f",
    "try:\n    import a\nexcept ImportError:\n    a = None\na": "",
    "with open(p) as a:\n    a.read()": "p",
    "[a for a in b if a in c]": "b c",
    "[(x, y) for x in xs for y in ys(x)]": "xs ys",
    "{k: v for k, v in a.items()}": "a",
    "(w := a) + w": "a",
    "[w := a for a in b]\nw": "b",
    "lambda x: x + a": "a",
    "def f(x, y=a, *z, k=b, **q):\n    return x, y, z, k, q": "a b",
    "def f():\n    return a": "",
    "def f():\n    return a\nf()": "a",
    "def g():\n    return a\ndef f():\n    return g()\nf()": "a",
    "def f():\n    a = 1\n    def g():\n        nonlocal a\n        a = 2\n    return a\nf()": "",
    "def f():\n    global a\n    a = 1\nf()": "",
    "@a\ndef f():\n    return b": "a b",
    "class A(B, metaclass=M):\n    x = y\n    def m(self):\n        return x": "B M y",
    "class A:\n    x = 1\n    y = x": "",
    "match a:\n    case [b, *c]:\n        b, c\n    case {'k': d, **e}:\n        d, e": "a",
    "from m import a as b\nb": "",
    "import a.b\na.b.c": "",
    "del a": "",
    "a: int = b": "b",
    "async def f():\n    return await a\nawait f()": "a",
    "async for x in a:\n    x": "a",
    "print(len(range(3)), sorted, __name__)": "",
    "display(a)": "a",
    "f'{a:{b}}'": "a b",
    "a[b] = c": "a b c",
    "a.b = c": "a c",
    "%time x = a": "a",
    "%%time\nx = a": "a",
    "%%capture out\nprint(a)\nout": "a",
    "x = !ls {a}": "",
    "frame = %sql SELECT :a": "a spark",
    "%%sql --as f --limit 3\nSELECT * FROM t WHERE x > :a AND y = ':no'": "a spark view t",
    "spark.sql('SELECT * FROM t')": "spark view t",
    "spark.table('db.T')": "spark view t",
    "spark.sql(f'SELECT * FROM t WHERE a > {a}')": "a spark view t",
    "sc.range(3)": "sc spark",
}


def named(code: CellCode) -> str:
    """Give the names that a cell uses, those that are surely needed or not."""
    return " ".join(sorted(code.uses))


@pytest.mark.parametrize(("source", "names"), USES.items())
def test_names_that_come_from_above(source: str, names: str) -> None:
    code = read_code(source)
    assert code.opaque == ""
    assert named(code) == names


BINDS = {
    "a = b = 1": "a b",
    "a, (b, *c) = x": "a b c",
    "import a.b, c as d": "a d",
    "from m import e as f, g": "f g",
    "def f(): pass\nclass A: pass": "A f",
    "for i in range(3):\n    j = i": "i j",
    "with a as b, c as (d, e): pass": "b d e",
    "[x for x in y]": "",
    "[w := x for x in y]": "w",
    "def f():\n    local = 1": "f",
    "del a": "a",
    "a += 1": "a",
    "%%sql --as f\nSELECT 1": "f",
    "%%capture out\n1": "out",
    "df.createOrReplaceTempView('V')": "view v",
    "%%sql\nCREATE TEMP VIEW v AS SELECT 1; SELECT * FROM v": "view v",
    "a.b = 1\na[0] = 2": "",
}


@pytest.mark.parametrize(("source", "names"), BINDS.items())
def test_names_that_it_binds(source: str, names: str) -> None:
    assert " ".join(sorted(read_code(source).binds)) == names


@pytest.mark.parametrize(
    ("source", "is_certain"),
    [
        ("a = 1", True),
        ("if c:\n    a = 1", False),
        ("if c:\n    a = 1\nelse:\n    a = 2", True),
        ("for a in b: pass", False),
        ("try:\n    a = 1\nfinally:\n    pass", True),
        ("with b as a: pass", True),
        ("match b:\n    case a: pass", False),
    ],
)
def test_what_a_branch_binds_is_not_certain(source: str, is_certain: bool) -> None:
    assert read_code(source).binds["a"].is_certain is is_certain


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("import a", BindingKind.MODULE),
        ("def a(): pass", BindingKind.FUNCTION),
        ("a = 1 + 2", BindingKind.CONSTANT),
        ("a = f'{b}'", BindingKind.CONSTANT),
        ("a = (1, 'x')", BindingKind.CONSTANT),
        ("a = [1]", BindingKind.OTHER),
        ("a = spark.range(3)", BindingKind.FRAME),
        ("a = spark.read.option('header', True).csv('x').filter('y > 1')", BindingKind.FRAME),
        ("a = spark.read", BindingKind.OTHER),
        ("b = spark.range(3)\na = b.groupBy('id').count()", BindingKind.FRAME),
        ("b = spark.range(3)\na = b.count()", BindingKind.CONSTANT),
        ("b = spark.range(3)\na = b.collect()", BindingKind.OTHER),
        ("a = %sql SELECT 1", BindingKind.FRAME),
        ("a = 1\na = []", BindingKind.OTHER),
        ("a = b = c", BindingKind.OTHER),
        ("class a: pass", BindingKind.OTHER),
    ],
)
def test_kind_of_what_is_bound(source: str, kind: BindingKind) -> None:
    assert read_code(source).binds["a"].kind is kind


@pytest.mark.parametrize(
    ("source", "mutates", "touches"),
    [
        ("a.b = 1", "a", ""),
        ("a.b[c] = 1", "a", ""),
        ("a[0].x += 1", "a", ""),
        ("del a[0]", "a", ""),
        ("a.append(1)", "", "a"),
        ("f(a, k=b.c, *d)", "", "a b d"),
        ("print(a, len(b))", "", ""),
        ("for x in a: pass", "", "a"),
        ("a += [1]", "", "a"),
        ("def f():\n    a.append(1)", "", ""),
        ("def f():\n    a.append(1)\n    b.c = 1\nf()", "b", "a"),
        ("spark.conf.set('x', 1)", "", "spark"),
        ("spark.read.csv('x').show()", "", ""),
        ("spark.conf.get('x')", "", ""),
        ("spark.udf.register('f', g)", "", "g spark"),
        ("sc.setLogLevel('x')", "", "spark"),
        ("sc.parallelize([1])", "", ""),
        ("%%spark_conf\nspark.a = 1", "", "spark"),
        ("%spark restart", "", "spark"),
        ("%%sql\nSET a = b", "", "spark"),
        ("%%sql\nINSERT INTO t SELECT * FROM s", "view t", ""),
        ("f.write.saveAsTable('db.t')", "view t", "f"),
    ],
)
def test_names_that_it_may_change(source: str, mutates: str, touches: str) -> None:
    code = read_code(source)
    assert " ".join(sorted(code.mutates)) == mutates
    assert " ".join(sorted(code.touches)) == touches


@pytest.mark.parametrize(
    "source",
    [
        *("exec('a = 1')", "eval('a')", "globals()['a'] = 1", "vars()['a']", "from m import *"),
        *("%run other.py", "%load_ext autoreload", "%%unknown\nx", "%whatever", "a b", "def f("),
        *("import importlib\nimportlib.reload(m)", "get_ipython().run_cell('x')", "cd folder"),
        *("import sys\nsys.modules", "%%sql\nSELEKT 1 FORM", "__import__('m')"),
    ],
)
def test_what_may_do_anything_is_opaque(source: str) -> None:
    assert read_code(source).opaque


@pytest.mark.parametrize(
    "source",
    [
        *("!ls", "x = !ls", "%%bash\nls", "%pip install x", "%env", "print(_)", "Out[3]", "_4"),
        *("%%sql\nSELECT rand()", "spark.sql('SELECT now()')", "spark.catalog.listTables()"),
        *("%%sql\nSHOW TABLES", "%%sql\nSELECT * FROM t TABLESAMPLE (5 ROWS)"),
    ],
)
def test_what_no_record_tells_of_by_its_form(source: str) -> None:
    code = read_code(source)
    assert code.outside
    assert not code.opaque


@pytest.mark.parametrize(
    "source", ["%matplotlib inline", "%config a.b = 1", "%%html\n<b>", "len?", "%spark info", "# x"]
)
def test_what_only_shows_things_is_harmless(source: str) -> None:
    code = read_code(source)
    assert (code.uses, code.binds, code.opaque, code.outside) == ({}, {}, "", ())


def test_cells_that_only_look_after_spark_are_told() -> None:
    assert read_code("%spark stale\n%spark info").is_housekeeping
    assert not read_code("%spark restart").is_housekeeping
    assert not read_code("%spark info\n1").is_housekeeping


@pytest.mark.parametrize(
    ("text", "reads", "makes", "changes", "parameters"),
    [
        ("SELECT * FROM db.A JOIN `b` ON a.x = b.x", "a b", "", "", ""),
        ("WITH q AS (SELECT * FROM a) SELECT * FROM q", "a", "", "", ""),
        ("SELECT * FROM parquet.`/data/x`", "", "", "", ""),
        ("CREATE OR REPLACE TEMP VIEW v AS SELECT * FROM a", "a", "v", "", ""),
        ("CREATE TABLE t USING parquet AS SELECT * FROM a", "a", "t", "", ""),
        ("DROP TABLE IF EXISTS t", "", "t", "", ""),
        ("INSERT OVERWRITE TABLE t SELECT * FROM a", "a", "", "t", ""),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET *", "s", "", "t", ""),
        ("DELETE FROM t WHERE a = :x", "", "", "t", "x"),
        ("SELECT ':no', a FROM t WHERE b > :yes -- :nor", "t", "", "", "yes"),
        ("EXPLAIN EXTENDED SELECT * FROM t", "t", "", "", ""),
        ("SELECT (SELECT max(x) FROM a) FROM b WHERE x IN (SELECT x FROM c)", "a b c", "", "", ""),
    ],
)
def test_sql_names_what_it_reads_and_writes(
    text: str, reads: str, makes: str, changes: str, parameters: str
) -> None:
    code = read_sql(text)
    assert code.is_readable
    found = [
        " ".join(sorted(name.removeprefix("view ") for name in names))
        for names in (code.reads, code.makes, code.changes, code.parameters)
    ]
    assert found == [reads, makes, changes, parameters]


@pytest.mark.parametrize("text", ["SELECT rand(3)", "SELECT randn(1), shuffle(array(1), 2)"])
def test_chance_with_a_seed_is_none(text: str) -> None:
    assert read_sql(text).outside == ()


def test_deep_nesting_ends_in_something_that_may_do_anything() -> None:
    assert read_code("(" * 5000 + ")" * 5000).opaque
    assert read_code("-" * 20000 + "1").opaque
