"""The shape of the package: which layer imports which, what a module shows, and how large it is."""

from __future__ import annotations

import ast
import graphlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

import spark_kernel

PACKAGE = "spark_kernel"
FOLDER = Path(spark_kernel.__file__).parent
MODULE_LINES = 400
FUNCTION_LINES = 60

HEIGHTS = {
    "__main__": 5,
    "cli": 4,
    "kernel": 3,
    "magics": 2,
    "export": 2,
    "spark": 1,
    "display": 1,
    "recording": 1,
    "protocol": 0,
    "errors": 0,
    "redaction": 0,
    "__init__": 0,
}
"""How high each part of the package stands; a part imports nothing that stands above it."""

STRANGERS = {"spark", "display", "recording"}
"""Parts that never import each other."""

FORBIDDEN = {
    "spark": {"IPython", "ipykernel", "traitlets"},
    "display": {"IPython", "ipykernel", "traitlets"},
    "magics": {"ipykernel"},
    "export": {"ipykernel"},
    "recording": {"ipykernel"},
    "cli": {"ipykernel"},
}
"""Foreign packages that a part does without."""


@dataclass(frozen=True)
class Import:
    """One module that another names in an import."""

    importer: str
    imported: str
    line: int
    is_for_types: bool

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


class Project:
    """The modules of a package, by their names, as text.

    Parameters
    ----------
    files
        Source by path inside the package, such as ``spark/driver.py``.
    """

    def __init__(self, files: Mapping[str, str]) -> None:
        self.sources = {_module_name(path): source for path, source in files.items()}
        self.trees = {name: ast.parse(source) for name, source in self.sources.items()}
        self.folders = {_module_name(path) for path in files if path.endswith("__init__.py")}
        self.imports = [found for name in self.trees for found in self._imports_of(name)]

    def problems(self) -> list[str]:
        """Everything that is wrong."""
        return [
            *map(str, filter(_is_upward, self.imports)),
            *map(str, filter(_is_forbidden, self.imports)),
            *self.cycle(),
            *(problem for name in self.trees for problem in self.shape_problems(name)),
        ]

    def _imports_of(self, name: str) -> Iterator[Import]:
        typing_blocks = [
            child
            for node in ast.walk(self.trees[name])
            if isinstance(node, ast.If) and _is_type_checking(node.test)
            for statement in node.body
            for child in ast.walk(statement)
        ]
        for node in ast.walk(self.trees[name]):
            for imported in self._named_by(node, name):
                yield Import(name, imported, node.lineno, node in typing_blocks)

    def _named_by(self, node: ast.AST, importer: str) -> Iterator[str]:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = self._origin(node, importer)
            for alias in node.names:
                submodule = f"{origin}.{alias.name}"
                yield submodule if submodule in self.trees else origin
        elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
            named = node.args[0] if node.args else None
            if isinstance(named, ast.Constant):
                yield str(named.value)

    def _origin(self, node: ast.ImportFrom, importer: str) -> str:
        if not node.level:
            return node.module or ""
        parts = importer.split(".")
        above = node.level - (importer in self.folders)
        return ".".join([*parts[: len(parts) - above], *filter(None, [node.module])])

    def cycle(self) -> Iterator[str]:
        graph: dict[str, set[str]] = {name: set() for name in self.trees}
        for found in self.imports:
            if found.imported in graph and not found.is_for_types:
                graph[found.importer].add(found.imported)
        try:
            graphlib.TopologicalSorter(graph).prepare()
        except graphlib.CycleError as error:
            yield "a cycle: " + " <- ".join(error.args[1])

    def shape_problems(self, name: str) -> Iterator[str]:
        tree = self.trees[name]
        if not ast.get_docstring(tree):
            yield f"{name} has no docstring"
        yield from (f"{name}: {problem}" for problem in _export_problems(tree))
        lines = len(self.sources[name].splitlines())
        if lines > MODULE_LINES:
            yield f"{name} has {lines} lines"
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                if length > FUNCTION_LINES:
                    yield f"{name}.{node.name} has {length} lines"


def _module_name(path: str) -> str:
    parts = [PACKAGE, *Path(path).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _part(module: str) -> str:
    """Give the part of the package that a module of it belongs to."""
    return module.split(".")[1] if "." in module else "__init__"


def _is_ours(module: str) -> bool:
    return module.split(".")[0] == PACKAGE


def _is_upward(found: Import) -> bool:
    if not _is_ours(found.imported):
        return False
    importer, imported = _part(found.importer), _part(found.imported)
    if importer not in HEIGHTS or imported not in HEIGHTS:
        return True  # a new part: where it stands has to be said above
    if importer != imported and {importer, imported} <= STRANGERS:
        return True
    return HEIGHTS[importer] < HEIGHTS[imported]


def _is_forbidden(found: Import) -> bool:
    part = _part(found.importer)
    if _is_ours(found.imported):
        return part == "protocol" and _part(found.imported) != "protocol"
    foreign = found.imported.split(".")[0]
    if part == "protocol":
        return foreign not in sys.stdlib_module_names
    return foreign in FORBIDDEN.get(part, ())


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def _called(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def _export_problems(tree: ast.Module) -> Iterator[str]:
    names = _top_level_names(tree)
    listed = _exported(tree)
    if listed is None:
        if any(not name.startswith("_") for name in _definitions(tree)):
            yield "has no __all__"
        return
    if listed != sorted(listed, key=_sort_key):
        yield "__all__ is not sorted"
    for name in listed:
        if name not in names:
            yield f"__all__ names {name}, which it has not"


def _exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return [str(name) for name in ast.literal_eval(node.value)]
    return None


def _sort_key(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest: the order that ruff keeps."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def _definitions(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from map(ast.unparse, targets)


def _top_level_names(tree: ast.Module) -> set[str]:
    imported = {
        alias.asname or alias.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return imported | set(_definitions(tree))


def the_package() -> Project:
    """Read the package as it is."""
    paths = sorted(FOLDER.rglob("*.py"))
    return Project({str(path.relative_to(FOLDER)): path.read_text("utf-8") for path in paths})


# -- the package -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def package() -> Project:
    """Give the package, parsed once."""
    return the_package()


def test_package_is_seen_whole(package):
    assert {"kernel", "cli", "magics", "spark", "display", "protocol", "errors"} <= {
        _part(name) for name in package.trees
    }
    assert any(found.imported == "spark_kernel.protocol.events" for found in package.imports)


def test_no_module_imports_from_above(package):
    assert [str(found) for found in package.imports if _is_upward(found)] == []


def test_each_part_does_without_what_it_should_not_know(package):
    assert [str(found) for found in package.imports if _is_forbidden(found)] == []


def test_no_importcycle(package):
    assert list(package.cycle()) == []


def test_every_module_says_what_it_owns_and_shows_and_is_of_a_readable_size(package):
    assert [problem for name in package.trees for problem in package.shape_problems(name)] == []


# -- the checker itself ------------------------------------------------------------------------

DOC = '"""What it owns."""\n'


def problems(files: Mapping[str, str]) -> list[str]:
    """Check a fabricated package."""
    return Project({path: DOC + source for path, source in files.items()}).problems()


UPWARD = {
    "plainly": {"spark/a.py": "from spark_kernel.kernel import x"},
    "as a module": {"protocol/a.py": "import spark_kernel.errors"},
    "to the side": {"spark/a.py": "from spark_kernel.display.session import y"},
    "to the other side": {"display/a.py": "from spark_kernel.spark import session"},
    "kernel to cli": {"kernel/a.py": "from spark_kernel.cli import main"},
    "inside a function": {"magics/a.py": "def _f():\n    from spark_kernel.kernel import app"},
    "for types alone": {
        "spark/a.py": "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    from spark_kernel.magics.spark import S"
    },
    "relatively": {"display/a.py": "from ..kernel import app"},
    "from the root": {"spark/a.py": "from spark_kernel import kernel", "kernel/__init__.py": ""},
    "by a call": {"spark/a.py": "import importlib\nimportlib.import_module('spark_kernel.kernel')"},
    "to a part that stands nowhere": {"spark/a.py": "from spark_kernel.attic import x"},
    "from a part that stands nowhere": {"attic/a.py": "from spark_kernel.errors import x"},
}


@pytest.mark.parametrize("files", UPWARD.values(), ids=UPWARD)
def test_checker_sees_an_import_from_above(files):
    assert any("imports spark_kernel" in problem for problem in problems(files))


DOWNWARD = {
    "magics to spark": {"magics/a.py": "from spark_kernel.spark.session import S"},
    "cli to kernel": {"cli/a.py": "from spark_kernel.kernel.config import S"},
    "kernel to the root": {"kernel/a.py": "from spark_kernel import __version__"},
    "inside a part": {"spark/a.py": "from spark_kernel.spark.b import x", "spark/b.py": ""},
    "another package of like name": {"spark/a.py": "from spark_kernel_extra.kernel import x"},
}


@pytest.mark.parametrize("files", DOWNWARD.values(), ids=DOWNWARD)
def test_checker_lets_an_import_from_below_pass(files):
    assert problems(files) == []


FOREIGN = {
    "spark/a.py": "import traitlets",
    "spark/b.py": "def _f():\n    from IPython.display import display",
    "spark/c.py": "if TYPE_CHECKING:\n    import ipykernel.kernelapp",
    "protocol/a.py": "import psutil",
    "protocol/b.py": "from spark_kernel.errors import SparkKernelError",
    "magics/a.py": "from ipykernel.kernelbase import Kernel",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_checker_sees_a_package_that_a_part_must_not_know(name):
    (problem,) = problems({name: FOREIGN[name]})
    assert problem.startswith(f"{_module_name(name)}:")


def test_checker_lets_the_standard_library_into_protocol():
    assert problems({"protocol/a.py": "import json\nfrom collections.abc import Mapping"}) == []


def test_checker_sees_a_cycle_that_closes_inside_a_function():
    (problem,) = problems(
        {
            "spark/a.py": "from spark_kernel.spark.b import x",
            "spark/b.py": "from spark_kernel.spark import c",
            "spark/c.py": "def _f():\n    from spark_kernel.spark.a import y",
        }
    )
    assert problem.startswith("a cycle: ")
    assert all(f"spark_kernel.spark.{name}" in problem for name in "abc")


def test_checker_takes_a_type_for_nocycle():
    typed = "if typing.TYPE_CHECKING:\n    from spark_kernel.spark.a import y"
    files = {"spark/a.py": "from spark_kernel.spark.b import x", "spark/b.py": typed}
    assert problems(files) == []


SHAPES = {
    "no __all__": ("def shown(): ...", "has no __all__"),
    "unsorted": ("__all__ = ['b', 'a']\na = b = 1", "not sorted"),
    "class after function": ("__all__ = ['a', 'B']\nclass B: ...\ndef a(): ...", "not sorted"),
    "missing": ("__all__ = ['gone']", "names gone"),
    "long module": ("#\n" * MODULE_LINES, f"has {MODULE_LINES + 1} lines"),
    "long function": (
        "class _C:\n    def f(self):\n" + "        pass\n" * FUNCTION_LINES,
        f"f has {FUNCTION_LINES + 1} lines",
    ),
}


@pytest.mark.parametrize(("source", "said"), SHAPES.values(), ids=SHAPES)
def test_checker_sees_a_module_out_of_shape(source, said):
    (problem,) = problems({"spark/a.py": source})
    assert said in problem


def test_checker_sees_a_missing_docstring():
    assert Project({"spark/a.py": ""}).problems() == ["spark_kernel.spark.a has no docstring"]


def test_checker_lets_a_module_of_the_largest_size_pass():
    function = "def _f():\n" + "    pass\n" * (FUNCTION_LINES - 1)
    filler = "#\n" * (MODULE_LINES - 1 - FUNCTION_LINES)
    assert problems({"spark/a.py": function + filler}) == []
