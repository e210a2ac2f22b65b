"""Reads the source of a cell: Python, magics and SQL."""

# ruff: noqa: N802  # what ast calls the methods of a visitor

from __future__ import annotations

import ast
import builtins
import re
import warnings
from collections.abc import Mapping
from dataclasses import replace

from spark_kernel.recording.code.branches import BranchReader
from spark_kernel.recording.code.cell import (
    FRAME_BINDING,
    SESSION_NAMES,
    Binding,
    BindingKind,
    CellCode,
    Reference,
    view_name,
)
from spark_kernel.recording.code.magics import (
    MagicKind,
    cell_magic_kind,
    line_magic_kind,
    sql_magic,
)
from spark_kernel.recording.code.sql import read_sql
from spark_kernel.recording.code.values import chain_of

__all__ = ["read_code"]

_BUILTINS = frozenset(dir(builtins))
_TRANSFORMED = re.compile(r"^\s*(?:[%!?/,;]|In \[|\.\.\.|>>>)|\?\s*$|=\s*[%!]", re.MULTILINE)
_KNOWN = _BUILTINS | SESSION_NAMES | {"display", "get_ipython", "In", "exit", "quit", "__name__"}
_OUTPUTS = re.compile(r"_{1,3}$|_\d+$|_i+$|_i\d+$|Out$|_oh$|_dh$|_ih$")
"""What IPython binds to the outputs and inputs of cells."""

_OPAQUE_CALLS = {"exec", "eval", "compile", "globals", "__import__"}
_OPAQUE_CHAINS = {
    ("importlib", "reload"),
    ("importlib", "import_module"),
    ("sys", "modules"),
    ("builtins", "exec"),
    ("builtins", "eval"),
}
_LOOKING_CALLS = {
    *("print", "len", "type", "isinstance", "issubclass", "id", "repr", "str", "callable"),
    *("hasattr", "display", "bool", "int", "float", "hash", "help", "dir", "range", "format"),
}
"""Functions that change nothing which they are given."""

_SESSION_READS = {
    *("read", "readStream", "range", "sql", "table", "createDataFrame", "version", "catalog"),
    *("sparkContext", "conf", "builder"),
}
_CONTEXT_READS = {
    *("parallelize", "textFile", "wholeTextFiles", "range", "broadcast", "union", "emptyRDD"),
    *("version", "defaultParallelism", "pickleFile", "binaryFiles", "applicationId", "uiWebUrl"),
}
_CATALOG_LOOKS = ("list", "get", "current", "tableExists", "databaseExists", "functionExists")
_VIEW_MAKERS = {
    *("createOrReplaceTempView", "createTempView", "createGlobalTempView"),
    *("createOrReplaceGlobalTempView", "registerTempTable", "dropTempView", "dropGlobalTempView"),
}
_TABLE_WRITERS = {"saveAsTable", "insertInto", "writeTo"}
_PLACE = re.compile(r"\{[^{}]*\}")


def read_code(source: str, known: Mapping[str, Binding] | None = None) -> CellCode:
    """Read a source; what cannot be read may do anything.

    Parameters
    ----------
    known
        What the cells above have bound.
    """
    reader = _SourceReader(known or {})
    try:
        tree = _parse(source)
        reader.read(tree.body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return CellCode(opaque="code that is no Python")
    return replace(reader.result, is_housekeeping=_is_housekeeping(tree))


def _parse(source: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of invalid escapes: they are the notebook's own
        if not _TRANSFORMED.search(source):
            return ast.parse(source)
        # Imported where there is a magic: that takes longer than reading a hundred cells.
        from IPython.core.inputtransformer2 import TransformerManager

        return ast.parse(TransformerManager().transform_cell(source))


def _is_housekeeping(tree: ast.Module) -> bool:
    return bool(tree.body) and all(
        isinstance(one, ast.Expr)
        and (magic := _magic_of(one.value)) is not None
        and magic[:2] == ("run_line_magic", "spark")
        and line_magic_kind("spark", magic[2]) is MagicKind.HARMLESS
        for one in tree.body
    )


def _magic_of(node: ast.expr) -> tuple[str, ...] | None:
    """Give the method of the shell that a magic became, and its arguments."""
    match node:
        case ast.Call(
            func=ast.Attribute(value=ast.Call(func=ast.Name(id="get_ipython")), attr=method),
            args=arguments,
        ):
            texts = [one.value for one in arguments if isinstance(one, ast.Constant)]
            if len(texts) == len(arguments) and all(isinstance(one, str) for one in texts):
                return (method, *map(str, texts))
    return None


class _SourceReader(BranchReader):
    """Reads expressions, and what stands for a magic."""

    def value_of(self, node: ast.expr) -> Binding:
        """Read the value of an assignment; that of ``%sql`` is a frame."""
        binding = super().value_of(node)
        magic = _magic_of(node) or ()
        return FRAME_BINDING if magic[:2] == ("run_line_magic", "sql") else binding

    def visit_Name(self, node: ast.Name) -> None:
        """Read a name by itself."""
        if not isinstance(node.ctx, ast.Load):
            return
        if not self.is_own(node.id):
            self.refer(Reference((node.id,)))
        self._use_name(node.id)

    def _use_name(self, name: str) -> None:
        if self.is_own(name):
            return
        if _OUTPUTS.match(name) and self.kind(name) is None:
            self.found.outside[f"{name}, the output of whatever ran before"] = None
            return
        if name == "get_ipython":
            self._opaque("get_ipython()")
        if name not in _KNOWN or self.kind(name) is not None:
            self.use(name, is_needed=name not in SESSION_NAMES)
        if name == "sc":
            self.use("spark", is_needed=False)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        """Read a name with attributes."""
        chain = chain_of(node)
        self.refer(Reference(chain))
        self._look_at_chain(chain)
        self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        """Read a call: a method may change its object, and a function what it is given."""
        magic = _magic_of(node)
        if magic is not None:
            self._magic(*magic)
            return
        chain = chain_of(node.func)
        self._refer_to_call(node, chain)
        root = chain[0]
        is_builtin = len(chain) == 1 and self.kind(root) is None and not self.is_own(root)
        if is_builtin and (root in _OPAQUE_CALLS or (root in ("vars", "locals") and not node.args)):
            self._opaque(f"{root}()")
        if len(chain) > 1 and root not in SESSION_NAMES:
            self.touch(root)
        if not (is_builtin and root in _LOOKING_CALLS):
            for argument in [*node.args, *(one.value for one in node.keywords)]:
                self._touch_all(argument)
        self._look_at_data(node, chain)
        self._visit_function(node.func)
        for part in [*node.args, *(one.value for one in node.keywords)]:
            self.visit(part)

    def _visit_function(self, function: ast.expr) -> None:
        """Read what is called, of which its call has told already."""
        if isinstance(function, ast.Attribute):
            self._look_at_chain(chain_of(function))
            self.visit(function.value)
        elif isinstance(function, ast.Name):
            self._use_name(function.id)
        else:
            self.visit(function)

    def _touch_all(self, argument: ast.expr) -> None:
        for one in ast.walk(argument):
            if isinstance(one, ast.Name) and one.id not in SESSION_NAMES:
                self.touch(one.id)

    def _refer_to_call(self, node: ast.Call, chain: tuple[str, ...]) -> None:
        values = [*node.args, *(one.value for one in node.keywords)]
        constants = [one.value for one in values if isinstance(one, ast.Constant)]
        texts = tuple(one for one in constants if isinstance(one, str))
        first = node.args[0] if node.args else None
        self.refer(
            Reference(
                chain,
                is_call=True,
                first=_constant_text(first),
                arguments=len(node.args),
                keywords=frozenset(
                    one.arg or "**"
                    for one in node.keywords
                    if not (isinstance(one.value, ast.Constant) and one.value.value is None)
                ),
                texts=texts,
            )
        )

    def _look_at_chain(self, chain: tuple[str, ...]) -> None:
        root, *parts = chain
        if chain[:2] in _OPAQUE_CHAINS and not self.is_own(root):
            self._opaque(".".join(chain[:2]))
        if root not in SESSION_NAMES or self.is_own(root):
            return
        if root == "spark" and parts[0] == "sparkContext":
            root, parts = "sc", parts[1:]
        if root == "sc":
            is_read = not parts or parts[0] in _CONTEXT_READS
        elif parts[0] == "conf":
            is_read = parts[1:] in ([], ["get"], ["getAll"])
        elif parts[0] == "catalog" and len(parts) > 1:
            is_look = parts[1].startswith(_CATALOG_LOOKS)
            if is_look:
                self.found.outside["what the catalog tells"] = None
            is_read = is_look or parts[1].startswith("drop")
        else:
            is_read = parts[0] in _SESSION_READS
        if not is_read:
            self.touch("spark")

    # -- data ------------------------------------------------------------------------------

    def _look_at_data(self, node: ast.Call, chain: tuple[str, ...]) -> None:
        method = chain[-1] if len(chain) > 1 else ""
        given = node.args[0] if node.args else None
        name = _constant_text(given)
        if method in _VIEW_MAKERS and name is not None:
            self._make(view_name(name))
        elif method in _TABLE_WRITERS and name is not None:
            self.mutate(view_name(name))
        elif method == "table" and name is not None:
            self.use(view_name(name), is_needed=False)
        elif method == "sql" and given is not None:
            text = _text_of(given)
            if text is not None:
                self._sql(text)

    def _make(self, name: str) -> None:
        if self.deferred:
            self.deferred[-1].mutates.add(name)
        else:
            self.bind(name, Binding(BindingKind.FRAME, late=frozenset({"spark"})))

    def _sql(self, text: str) -> None:
        code = read_sql(_PLACE.sub("place__", text))
        for name in code.reads:
            self.use(name, is_needed=False)
        for name in code.makes:
            self._make(name)
        for name in code.changes:
            self.mutate(name)
        for what in code.outside:
            self.found.outside[what] = None
        if code.changes_session:
            self.touch("spark")
        if not code.is_readable:
            self._opaque("SQL that could not be read")

    # -- magics ----------------------------------------------------------------------------

    def _magic(self, method: str, name: str = "", line: str = "", cell: str | None = None) -> None:
        if method in ("system", "getoutput"):
            self.found.outside["a shell command"] = None
            return
        if method not in ("run_line_magic", "run_cell_magic"):
            self._opaque(f"get_ipython().{method}()")
            return
        sign = "%" if cell is None else "%%"
        kind = line_magic_kind(name, line) if cell is None else cell_magic_kind(name)
        match kind:
            case MagicKind.PYTHON:
                self._python_magic(name, line, cell)
            case MagicKind.SQL:
                self._sql_magic(line, cell)
            case MagicKind.SESSION:
                self.use("spark", is_needed=False)
                self.touch("spark")
            case MagicKind.OUTSIDE:
                self.found.outside[f"{sign}{name}"] = None
            case MagicKind.OPAQUE:
                self._opaque(f"{sign}{name}")

    def _python_magic(self, name: str, line: str, cell: str | None) -> None:
        words = line.split()
        while words and words[0].startswith("-"):
            words.pop(0)
        if name == "capture" and words:
            self.bind(words[0], Binding(BindingKind.OTHER))
        code = " ".join(words) if cell is None else cell
        for statement in _parse(code).body:
            self.visit(statement)

    def _sql_magic(self, line: str, cell: str | None) -> None:
        text, name = sql_magic(line, cell)
        self.use("spark", is_needed=False)
        for parameter in sorted(read_sql(text).parameters):
            self.use(parameter)
        self._sql(text)
        if name:
            self.bind(name, FRAME_BINDING)

    def _opaque(self, what: str) -> None:
        self.found.opaque = self.found.opaque or what


def _constant_text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _text_of(node: ast.expr) -> str | None:
    """Give a text with ``{}`` for what is put in; None where nothing of it is known."""
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(
                str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts
            )
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return f"{_text_of(left) or '{}'}{_text_of(right) or '{}'}"
    return None
