"""Reads branches and loops: what they bind may not be bound behind them."""

# ruff: noqa: N802  # what ast calls the methods of a visitor

from __future__ import annotations

import ast
from collections.abc import Iterable

from spark_kernel.recording.code.cell import Binding, BindingKind
from spark_kernel.recording.code.functions import FunctionReader

__all__ = ["BranchReader"]


class BranchReader(FunctionReader):
    """Reads statements that hold others."""

    def visit_If(self, node: ast.If) -> None:
        """Read both branches: what one alone binds may not be bound."""
        self.visit(node.test)
        self.branches([node.body, node.orelse])

    def branches(self, bodies: list[list[ast.stmt]]) -> None:
        """Read blocks of which one runs; what all of them bind is bound."""
        before = set(self.certain)
        ends = []
        for body in bodies:
            self.certain = set(before)
            for statement in body:
                self.visit(statement)
            ends.append(self.certain)
        self.certain = set.intersection(*ends) if ends else before

    def perhaps(self, body: Iterable[ast.AST]) -> None:
        """Read what may not run."""
        before = set(self.certain)
        for part in body:
            self.visit(part)
        self.certain = before

    def visit_While(self, node: ast.While) -> None:
        """Read a loop, which may not run at all."""
        self.visit(node.test)
        self.perhaps([*node.body, *node.orelse])

    def visit_For(self, node: ast.For) -> None:
        """Read a loop, which may use up what it goes over."""
        self._loop(node)

    def visit_AsyncFor(self, node: ast.AsyncFor) -> None:
        """Read an asynchronous loop."""
        self._loop(node)

    def _loop(self, node: ast.For | ast.AsyncFor) -> None:
        with self.collecting() as (held, late):
            self.visit(node.iter)
        if isinstance(node.iter, ast.Name):
            self.touch(node.iter.id)
        before = set(self.certain)
        self.bind_target(node.target, held, late)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)
        self.certain = before

    def visit_Try(self, node: ast.Try) -> None:
        """Read a body that may end anywhere."""
        before = set(self.certain)
        for statement in [*node.body, *node.orelse]:
            self.visit(statement)
        ends = [self.certain]
        for handler in node.handlers:
            self.certain = set(before)
            if handler.type is not None:
                self.visit(handler.type)
            if handler.name:
                self.bind(handler.name, Binding(BindingKind.OTHER))
            for statement in handler.body:
                self.visit(statement)
            ends.append(self.certain)
        self.certain = set.intersection(*ends)
        for statement in node.finalbody:
            self.visit(statement)

    visit_TryStar = visit_Try  # noqa: N815  # what ast calls it

    def visit_With(self, node: ast.With) -> None:
        """Read a block with its resources."""
        self._with(node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> None:
        """Read an asynchronous block with its resources."""
        self._with(node)

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        for item in node.items:
            with self.collecting() as (held, late):
                self.visit(item.context_expr)
            if isinstance(item.context_expr, ast.Name):
                self.touch(item.context_expr.id)
            if item.optional_vars is not None:
                self.bind_target(item.optional_vars, held, late)
        for statement in node.body:
            self.visit(statement)

    def visit_Match(self, node: ast.Match) -> None:
        """Read cases of which one may run."""
        self.visit(node.subject)
        for case in node.cases:
            self.perhaps([case.pattern, *filter(None, [case.guard]), *case.body])

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        """Read what a pattern binds."""
        self.generic_visit(node)
        if node.name:
            self.bind(node.name, Binding(BindingKind.OTHER))

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        """Read what the rest of a sequence is bound to."""
        if node.name:
            self.bind(node.name, Binding(BindingKind.OTHER))

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        """Read what the rest of a mapping is bound to."""
        self.generic_visit(node)
        if node.rest:
            self.bind(node.rest, Binding(BindingKind.OTHER))
