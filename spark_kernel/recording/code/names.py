"""Keeps what is found of the names in a cell, while its statements are read in their order."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from spark_kernel.recording.code.cell import (
    SESSION_NAMES,
    Binding,
    BindingKind,
    CellCode,
    Reference,
)
from spark_kernel.recording.code.scopes import Deferred, Scope

__all__ = ["NameBook"]


@dataclass
class _Found:
    """What was found in a cell so far; see ``CellCode``."""

    uses: dict[str, bool] = field(default_factory=dict)
    binds: dict[str, Binding] = field(default_factory=dict)
    mutates: set[str] = field(default_factory=set)
    touches: set[str] = field(default_factory=set)
    functions: dict[str, Deferred] = field(default_factory=dict)
    references: dict[Reference, None] = field(default_factory=dict)
    opaque: str = ""
    outside: dict[str, None] = field(default_factory=dict)
    imports: set[str] = field(default_factory=set)


class NameBook(ast.NodeVisitor):
    """What is found in statements; ``result`` is what they tell.

    A name that is only bound in a branch may come from above as well. What a function does with
    global names counts for the cell that defines it where that cell may call it too.

    Parameters
    ----------
    known
        What the cells above have bound, as far as their order tells.
    """

    def __init__(self, known: Mapping[str, Binding]) -> None:
        self.known = known
        self.found = _Found()
        self.certain: set[str] = set()
        self._maybe: set[str] = set()
        self.scopes: list[Scope] = []
        self.deferred: list[Deferred] = []
        self.collected: list[tuple[set[str], set[str]]] = []
        self._read_here: set[str] = set()

    @property
    def result(self) -> CellCode:
        """What all that was read tells."""
        found = self.found
        called: set[str] = set()
        while pending := [
            name for name in found.functions if name not in called and name in self._read_here
        ]:
            for name in pending:
                called.add(name)
                deferred = found.functions[name]
                self._read_here |= deferred.reads
                found.touches |= deferred.touches
                found.mutates |= deferred.mutates
                for read in deferred.reads - self.certain:
                    found.uses.setdefault(read, False)
        binds = {
            name: replace(binding, is_certain=name in self.certain)
            for name, binding in found.binds.items()
        }
        return CellCode(
            uses=found.uses,
            binds=binds,
            mutates=frozenset(found.mutates),
            touches=frozenset(found.touches),
            late_mutates={n: frozenset(one.mutates) for n, one in found.functions.items()},
            late_touches={n: frozenset(one.touches) for n, one in found.functions.items()},
            references=tuple(found.references),
            opaque=found.opaque,
            outside=tuple(found.outside),
            imports=frozenset(found.imports),
        )

    def read(self, statements: Iterable[ast.stmt]) -> None:
        """Read statements, one after the other."""
        for statement in statements:
            self.visit(statement)

    # -- names -----------------------------------------------------------------------------

    def kind(self, name: str) -> BindingKind | None:
        """Tell what a global name stands for; None if nothing binds it."""
        binding = self.found.binds.get(name) or self.known.get(name)
        if binding is not None:
            return binding.kind
        return BindingKind.FRAME if name in SESSION_NAMES else None

    def is_own(self, name: str) -> bool:
        """Whether a name belongs to a function or class that is being read."""
        for depth, scope in enumerate(reversed(self.scopes)):
            if scope.is_class and depth:
                continue
            if name in scope.outer:
                return False
            if name in scope.own:
                return True
        return False

    def use(self, name: str, *, is_needed: bool = True) -> None:
        """Note that a name is read."""
        if self.is_own(name):
            return
        for held, late in self.collected:
            (late if self.deferred else held).add(name)
        if self.deferred:
            self.deferred[-1].reads.add(name)
            return
        self._read_here.add(name)
        if name in self.certain:
            return
        # What may do anything may have bound it.
        is_missing = is_needed and name not in self._maybe and not self.found.opaque
        self.found.uses[name] = is_missing or self.found.uses.get(name, False)

    def bind(self, name: str, binding: Binding) -> None:
        """Note that a name is bound."""
        scope = self.scopes[-1] if self.scopes else None
        if scope is not None and name not in scope.outer:
            scope.own.add(name)
            return
        if self.deferred:
            self.deferred[-1].mutates.add(name)
            return
        before = self.found.binds.get(name)
        if before is not None and before.kind is not binding.kind:
            late, held = before.late | binding.late, before.held | binding.held
            binding = Binding(BindingKind.OTHER, late=late, held=held)
        self.found.binds[name] = binding
        self.certain.add(name)
        self._maybe.add(name)

    def touch(self, name: str) -> None:
        """Note that the value of a name may be changed."""
        if name and not self.is_own(name):
            (self.deferred[-1] if self.deferred else self.found).touches.add(name)

    def mutate(self, name: str) -> None:
        """Note that the value of a name is changed."""
        if name and not self.is_own(name):
            (self.deferred[-1] if self.deferred else self.found).mutates.add(name)

    def refer(self, reference: Reference) -> None:
        """Note a name with attributes, called or not."""
        if reference.names[0] and self.is_own(reference.names[0]):
            reference = replace(reference, names=("", *reference.names[1:]))
        self.found.references[reference] = None

    @contextmanager
    def collecting(self) -> Iterator[tuple[set[str], set[str]]]:
        """Collect the names that are read, and those that functions in between will read."""
        pair: tuple[set[str], set[str]] = (set(), set())
        self.collected.append(pair)
        try:
            yield pair
        finally:
            self.collected.pop()
