"""Reads the statements of a cell that bind names."""

# ruff: noqa: N802  # what ast calls the methods of a visitor

from __future__ import annotations

import ast
from dataclasses import replace

from spark_kernel.recording.code.cell import FRAME_BINDING, Binding, BindingKind
from spark_kernel.recording.code.names import NameBook
from spark_kernel.recording.code.scopes import Comprehension
from spark_kernel.recording.code.values import chain_of, kind_of

__all__ = ["BindingReader"]


class BindingReader(NameBook):
    """Reads assignments, imports and ``del``."""

    def visit_Assign(self, node: ast.Assign) -> None:
        """Read an assignment."""
        binding = self.value_of(node.value)
        for target in node.targets:
            self._assign(target, binding, node.value)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        """Read an assignment with a type; a type alone binds nothing."""
        self.visit(node.annotation)
        if node.value is not None:
            self._assign(node.target, self.value_of(node.value), node.value)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """Read ``a += b``, which may change what ``a`` was."""
        self.visit(node.value)
        if isinstance(node.target, ast.Name):
            name = node.target.id
            self.use(name)
            self.touch(name)
            is_number = self.kind(name) is BindingKind.CONSTANT
            kind = BindingKind.CONSTANT if is_number else BindingKind.OTHER
            self.bind(name, Binding(kind))
        else:
            self._assign(node.target, Binding(BindingKind.OTHER), node.value)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """Read ``a := b``, which binds outside of a comprehension."""
        binding = self.value_of(node.value)
        inner = []
        while self.scopes and isinstance(self.scopes[-1], Comprehension):
            inner.append(self.scopes.pop())
        self.bind(node.target.id, binding)
        self.scopes.extend(reversed(inner))

    def value_of(self, node: ast.expr) -> Binding:
        """Read the value of an assignment; gives how it binds."""
        with self.collecting() as (held, late):
            self.visit(node)
        kind = kind_of(node, lambda name: None if self.is_own(name) else self.kind(name))
        return self._binding(kind, held, late, node)

    def _binding(
        self, kind: BindingKind, held: set[str], late: set[str], node: ast.expr
    ) -> Binding:
        match kind:
            case BindingKind.FRAME:
                return FRAME_BINDING
            case BindingKind.MODULE | BindingKind.FUNCTION if isinstance(node, ast.Name):
                before = self.found.binds.get(node.id) or self.known.get(node.id)
                return before or Binding(BindingKind.OTHER)
            case BindingKind.CONSTANT:
                return Binding(kind)
        return Binding(BindingKind.OTHER, late=frozenset(late), held=frozenset(held))

    def _assign(self, target: ast.expr, binding: Binding, value: ast.expr | None) -> None:
        match target:
            case ast.Name(id=name):
                self.bind(name, binding)
            case ast.Tuple(elts=targets) | ast.List(elts=targets):
                self._unpack(targets, binding, value)
            case ast.Starred(value=inner):
                self._assign(inner, replace(binding, kind=BindingKind.OTHER), None)
            case ast.Attribute() | ast.Subscript():
                self.visit(target.value)
                if isinstance(target, ast.Subscript):
                    self.visit(target.slice)
                self.mutate(chain_of(target)[0])

    def _unpack(self, targets: list[ast.expr], binding: Binding, value: ast.expr | None) -> None:
        values: list[ast.expr] = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        of_name = self.kind
        for number, target in enumerate(targets):
            part = replace(binding, kind=BindingKind.OTHER)
            if len(values) == len(targets):
                kind = kind_of(values[number], of_name)
                part = self._binding(kind, set(binding.held), set(binding.late), values[number])
            self._assign(target, part, values[number] if len(values) == len(targets) else None)

    def bind_target(self, target: ast.expr, held: set[str], late: set[str]) -> None:
        """Bind what a loop or a ``with`` binds."""
        binding = Binding(BindingKind.OTHER, late=frozenset(late), held=frozenset(held))
        self._assign(target, binding, None)

    def visit_Import(self, node: ast.Import) -> None:
        """Read ``import a.b as c``."""
        for alias in node.names:
            self.found.imports.add(alias.name)
            name = alias.asname or alias.name.split(".")[0]
            module = alias.name if alias.asname else name
            self.bind(name, Binding(BindingKind.MODULE, module=module))

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Read ``from a import b``; what is imported is not changed by its methods, as a rule."""
        module = "." * node.level + (node.module or "")
        self.found.imports.add(module)
        for alias in node.names:
            if alias.name == "*":
                self.found.opaque = self.found.opaque or f"from {module} import *"
                continue
            binding = Binding(BindingKind.MODULE, module=f"{module}.{alias.name}")
            self.bind(alias.asname or alias.name, binding)

    def visit_Delete(self, node: ast.Delete) -> None:
        """Read ``del``, which binds a name to nothing."""
        for target in node.targets:
            self._assign(target, Binding(BindingKind.OTHER), None)
