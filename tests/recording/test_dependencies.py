"""Which cells a cell stands on."""

from __future__ import annotations

import pytest

from spark_kernel.recording.code.sequence import read_cells
from spark_kernel.recording.dependencies import Dependencies


def upstream(*sources: str) -> str:
    """Give what the last cell stands on, such as ``1 2?``: ``?`` is for what may count."""
    found = Dependencies(read_cells([(source, None) for source in sources])).of(len(sources) - 1)
    strong = {one.cell for one in found.upstreams if one.is_strong}
    every = sorted({one.cell for one in found.upstreams})
    told = [f"{cell + 1}" if cell in strong else f"{cell + 1}?" for cell in every]
    return " ".join([*told, *(f"!{name}" for name in found.unbound)])


CASES = {
    "nothing": ("1", ""),
    "the nearest that binds": (("a = 1", "a = 2", "a"), "2"),
    "not those below": (("a", "a = 1")[::-1], "1"),
    "no cell": (("b = 1", "a"), "!a"),
    "a branch, and what is above it": (("a = 1", "if c:\n    a = 2", "a"), "1 2"),
    "an augmented assignment": (("a = 1", "a += 1", "a"), "2"),
    "a change in between": (("a = []", "a.append(1)", "a"), "1 2?"),
    "a change by a function": (("a = []", "f(a)", "a"), "1 2?"),
    "a change by assignment": (("a = []", "a[0] = 1", "a"), "1 2?"),
    "a look in between": (("a = []", "print(len(a))", "a"), "1"),
    "a change before it was bound": (("a = []", "a.append(1)", "a = 2", "a"), "3"),
    "a number is not changed": (("a = 1", "f(a)", "a"), "1"),
    "a frame is not changed": (("a = spark.range(3)", "a.show()\nf(a)", "a.count()"), "1"),
    "a module is not changed": (("import a", "a.f()", "a.g()"), "1"),
    "a module is patched": (("import a", "a.f = 1", "a.g()"), "1 2?"),
    "a function's global at the call": (("g = 1", "def f(): return g", "g = 2", "f()"), "2 3"),
    "a function's function": (
        ("def g(): return h", "def f(): return g()", "h = 1", "f()"),
        "1 2 3",
    ),
    "a method's global": (
        ("class A:\n    def m(self): return g", "a = A()", "g = 1", "a.m()"),
        "2 3",
    ),
    "a lambda's global": (("f = lambda: g", "g = 1", "f()"), "1 2"),
    "a function in a list": (
        ("a = []", "def f(): return g", "a.append(f)", "g = 1", "a[0]()"),
        "1 3? 4",
    ),
    "a function that changes": (("a = []", "def f(): a.append(1)", "f()", "a"), "1 3?"),
    "a function that binds": (("def f():\n    global a\n    a = 1", "f()", "a"), "2?"),
    "another name for it": (("a = []", "b = a", "b.append(1)", "a"), "1 3?"),
    "a value that is held": (("a = []", "b = {'a': a}", "a.append(1)", "b"), "2 3?"),
    "a held name bound anew": (("a = []", "b = [a]", "a = 5", "b"), "2"),
    "a frame looks at settings": (
        ("f = spark.range(3)", "spark.conf.set('a', 'b')", "f.show()"),
        "1 2?",
    ),
    "settings for what uses spark": (("%%spark_conf\na=b", "spark.range(3).show()"), "1?"),
    "code that may do anything": (("a = 1", "exec('a = 2')", "a"), "1 2?"),
    "what ran before it was bound": (("exec('x')", "a = 1", "a"), "2"),
    "an import of everything": (("from m import *", "a"), "1?"),
    "a view": (("f = spark.range(3)\nf.createOrReplaceTempView('v')", "%sql SELECT * FROM v"), "1"),
    "a view in SQL": (
        ("%%sql\nCREATE TEMP VIEW v AS SELECT 1", "%%sql --as f\nSELECT * FROM v", "f.show()"),
        "2",
    ),
    "a table that is filled": (
        ("%sql CREATE TABLE t (a INT)", "%sql INSERT INTO t SELECT 1", "spark.table('t')"),
        "1 2?",
    ),
    "a parameter of SQL": (("least = 3", "%sql SELECT * FROM t WHERE a > :least"), "1"),
    "magic": (("a = 1", "%time b = a", "b"), "2"),
    "a comprehension's own": (("[x for x in range(3)]", "x"), "!x"),
    "a deleted name": (("a = 1", "del a", "a"), "2"),
    "names that the kernel gives": ("spark, sc, display, In, get_ipython, len", ""),
    "itself": (("a = 1", "a = a + 1"), "1"),
}


@pytest.mark.parametrize(("sources", "expected"), CASES.values(), ids=CASES)
def test_a_cell_stands_on(sources: tuple[str, ...] | str, expected: str) -> None:
    given = (sources,) if isinstance(sources, str) else sources
    assert upstream(*given) == expected


def test_functions_that_call_each_other_end() -> None:
    assert upstream("def f(): return g()", "def g(): return f()", "f()") == "1 2"


def test_a_held_circle_ends() -> None:
    assert upstream("a = []", "b = [a]", "a.append(b)", "b.append(a)", "a, b") == "1 2 3? 4?"
