"""Reads functions and classes: what they read of global names is looked up when they run."""

# ruff: noqa: N802  # what ast calls the methods of a visitor

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import contextmanager

from spark_kernel.recording.code.bindings import BindingReader
from spark_kernel.recording.code.cell import Binding, BindingKind
from spark_kernel.recording.code.scopes import Comprehension, Deferred, Scope, function_scope

__all__ = ["FunctionReader"]

_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class FunctionReader(BindingReader):
    """Reads what has a scope of its own."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """Read a function: what it reads is looked up when it is called."""
        self._define(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        """Read a coroutine function."""
        self._define(node)

    def _define(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        with self.collecting() as (held, _):
            for decorator in node.decorator_list:
                self.visit(decorator)
            self._visit_signature(node.args)
            if node.returns is not None:
                self.visit(node.returns)
        deferred = self._read_function(node, node.body)
        is_wrapped = bool(node.decorator_list)
        binding = Binding(
            BindingKind.FUNCTION, late=frozenset(deferred.reads), held=frozenset(held)
        )
        if not self.scopes:
            self.found.functions[node.name] = deferred
        self.bind(node.name, binding)
        if is_wrapped and not self.deferred:
            self._run(deferred)  # a decorator may call it at once

    def visit_Lambda(self, node: ast.Lambda) -> None:
        """Read a lambda, which is often called where it stands."""
        self._visit_signature(node.args)
        deferred = self._read_function(node, [ast.Expr(node.body)])
        for _, late in self.collected:
            late |= deferred.reads
        if not self.deferred:
            self._run(deferred)

    def _run(self, deferred: Deferred) -> None:
        for name in deferred.reads:
            self.use(name, is_needed=False)
        self.found.touches |= deferred.touches
        self.found.mutates |= deferred.mutates

    def _visit_signature(self, arguments: ast.arguments) -> None:
        for default in [*arguments.defaults, *filter(None, arguments.kw_defaults)]:
            self.visit(default)
        for argument in [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]:
            if argument.annotation is not None:
                self.visit(argument.annotation)

    def _read_function(self, node: _Function, body: list[ast.stmt]) -> Deferred:
        deferred = Deferred()
        self.scopes.append(function_scope(node))
        self.deferred.append(deferred)
        collected, self.collected = self.collected, []
        try:
            for statement in body:
                self.visit(statement)
        finally:
            self.scopes.pop()
            self.deferred.pop()
            self.collected = collected
        if self.deferred:
            self.deferred[-1].add(deferred)
        return deferred

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """Read a class, whose body runs at once and whose methods later."""
        with self.collecting() as (held, late):
            for part in [*node.decorator_list, *node.bases, *(k.value for k in node.keywords)]:
                self.visit(part)
            methods = Deferred()
            self.scopes.append(Scope(set(), is_class=True))
            try:
                for statement in node.body:
                    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
                        with self._deferring(methods):
                            self._define(statement)
                    else:
                        self.visit(statement)
            finally:
                self.scopes.pop()
        if self.deferred:
            self.deferred[-1].add(methods)
        if not self.scopes:
            self.found.functions[node.name] = methods
        late |= methods.reads
        self.bind(
            node.name,
            Binding(BindingKind.OTHER, late=frozenset(late), held=frozenset(held)),
        )

    @contextmanager
    def _deferring(self, deferred: Deferred) -> Iterator[None]:
        self.deferred.append(deferred)
        try:
            yield
        finally:
            self.deferred.pop()

    def visit_ListComp(self, node: ast.ListComp) -> None:
        """Read a comprehension, whose targets are its own."""
        self._comprehension(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        """Read a comprehension of a set."""
        self._comprehension(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        """Read a comprehension of a dictionary."""
        self._comprehension(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        """Read a generator, as if it ran where it stands."""
        self._comprehension(node)

    def _comprehension(self, node: _Comprehension) -> None:
        first = node.generators[0].iter
        self.visit(first)
        if isinstance(first, ast.Name):
            self.touch(first.id)
        own = {
            one.id
            for generator in node.generators
            for one in ast.walk(generator.target)
            if isinstance(one, ast.Name)
        }
        self.scopes.append(Comprehension(own))
        try:
            for number, generator in enumerate(node.generators):
                for part in [*([generator.iter] if number else []), *generator.ifs]:
                    self.visit(part)
            for field in ("elt", "key", "value"):
                if (value := getattr(node, field, None)) is not None:
                    self.visit(value)
        finally:
            self.scopes.pop()
