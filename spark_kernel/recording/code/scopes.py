"""Which names a function makes its own."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field

__all__ = ["Comprehension", "Deferred", "Scope", "function_scope"]

_SCOPES = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda


@dataclass
class Scope:
    """A function, a class or a comprehension around what is read.

    Attributes
    ----------
    is_class
        Whether its names are not seen by the functions in it.
    outer
        Names that it declares to be global.
    """

    own: set[str]
    is_class: bool = False
    outer: set[str] = field(default_factory=set)


class Comprehension(Scope):
    """A comprehension, which a walrus in it steps over."""


@dataclass
class Deferred:
    """What a function does with global names when it is called."""

    reads: set[str] = field(default_factory=set)
    touches: set[str] = field(default_factory=set)
    mutates: set[str] = field(default_factory=set)

    def add(self, other: Deferred) -> None:
        """Take in a function that this one defines, and so may call."""
        self.reads |= other.reads
        self.touches |= other.touches
        self.mutates |= other.mutates


def function_scope(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> Scope:
    """Give the names that belong to a function."""
    arguments = node.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    extra = [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    finder = _OwnNames({one.arg for one in [*named, *extra]})
    if not isinstance(node, ast.Lambda):
        finder.read(node.body)
    # A name of the function around this one is no global, and is found there.
    return Scope(finder.own - finder.outer - finder.nonlocal_names, outer=finder.outer)


class _OwnNames(ast.NodeVisitor):
    """Finds what the statements of a function bind, not those of functions in it."""

    def __init__(self, own: set[str]) -> None:
        self.own = own
        self.outer: set[str] = set()
        self.nonlocal_names: set[str] = set()

    def read(self, statements: Iterable[ast.stmt]) -> None:
        for statement in statements:
            self.visit(statement)

    def generic_visit(self, node: ast.AST) -> None:
        if isinstance(node, _SCOPES):
            name = getattr(node, "name", None)
            if name:
                self.own.add(name)
            return
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            self.own |= {
                one.target.id
                for one in ast.walk(node)
                if isinstance(one, ast.NamedExpr) and isinstance(one.target, ast.Name)
            }
            return
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            self.own.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            self.own |= {(one.asname or one.name).split(".")[0] for one in node.names}
        elif isinstance(node, ast.Global):
            self.outer |= set(node.names)
        elif isinstance(node, ast.Nonlocal):
            self.nonlocal_names |= set(node.names)
        elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
            self.own.add(node.name)
        elif isinstance(node, ast.MatchMapping) and node.rest:
            self.own.add(node.rest)
        super().generic_visit(node)
