"""Which cells of a notebook the result of a cell stands on, by names and by data.

The order is that of the document: for each name that a cell uses, the nearest cell above that
binds it is upstream, and so is every cell between that may change its value.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from spark_kernel.recording.code.cell import SESSION_NAMES, Binding, BindingKind, CellCode

__all__ = ["CellDependencies", "Dependencies", "Upstream"]


@dataclass(frozen=True)
class Upstream:
    """A cell above.

    Attributes
    ----------
    cell
        Which of the cells that were read, from 0 on.
    name
        Through which name, if by one; empty for what may do anything.
    is_strong
        Whether it surely counts; else it may.
    is_import
        Whether it only imports the name: what else the cell does is no matter then.
    """

    cell: int
    name: str
    is_strong: bool
    is_import: bool = False


@dataclass(frozen=True)
class CellDependencies:
    """What a cell stands on.

    Attributes
    ----------
    upstreams
        Each cell and name once.
    unbound
        Names that nothing above it binds.
    names
        All names whose values it may have used.
    """

    upstreams: tuple[Upstream, ...]
    unbound: tuple[str, ...]
    names: frozenset[str]


@dataclass
class _Found:
    """What was found for one cell so far."""

    cell: int
    strong: dict[tuple[int, str], bool] = field(default_factory=dict)
    unbound: dict[str, None] = field(default_factory=dict)
    names: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    held: set[tuple[str, int]] = field(default_factory=set)

    def add(self, cell: int, name: str, is_strong: bool) -> None:
        key = (cell, name)
        self.strong[key] = is_strong or self.strong.get(key, False)


@dataclass(frozen=True)
class _Resolved:
    """What a name stands for at some place: who binds it, and who may have changed it since."""

    binders: tuple[tuple[int, Binding], ...]
    changers: tuple[int, ...]
    opaque: tuple[int, ...]


class Dependencies:
    """What depends on what, among all code cells of a notebook.

    Parameters
    ----------
    codes
        In the order of the notebook.
    """

    def __init__(self, codes: Sequence[CellCode]) -> None:
        self._codes = codes
        self._events: dict[str, list[int]] = defaultdict(list)
        for cell, code in enumerate(codes):
            for name in {*code.binds, *code.mutates, *code.touches}:
                self._events[name].append(cell)
        self._opaque = [cell for cell, code in enumerate(codes) if code.opaque]

    def of(self, cell: int) -> CellDependencies:
        """Give what a cell stands on."""
        found = _Found(cell)
        for name, is_needed in self._codes[cell].uses.items():
            self._use(name, is_needed, found)
        upstreams = tuple(
            Upstream(*key, is_strong, is_strong and self._is_import(*key))
            for key, is_strong in found.strong.items()
        )
        return CellDependencies(upstreams, tuple(found.unbound), frozenset(found.names))

    def _is_import(self, cell: int, name: str) -> bool:
        code = self._codes[cell]
        is_changed = name in code.mutates
        return not is_changed and code.binds[name].kind is BindingKind.MODULE

    def writers(self, name: str) -> Iterator[int]:
        """Give every cell that binds or may change a name, wherever it stands."""
        is_fixed = self.is_fixed(name)
        for cell in self._events.get(name, []):
            code = self._codes[cell]
            if name in code.binds or name in code.mutates or not is_fixed:
                yield cell
        yield from self._opaque

    def is_fixed(self, name: str) -> bool:
        """Whether only a new binding changes what a name stands for, by all that binds it."""
        found = (self._codes[cell].binds.get(name) for cell in self._events.get(name, ()))
        return self._is_fixed(name, [binding for binding in found if binding is not None])

    def _is_bound_anywhere(self, name: str) -> bool:
        return any(name in self._codes[cell].binds for cell in self._events.get(name, ()))

    def _use(self, name: str, is_needed: bool, found: _Found) -> None:
        """Follow a name that is looked up where the cell stands."""
        if name in found.used:
            return
        found.used.add(name)
        found.names.add(name)
        at = found.cell
        resolved = self._resolve(name, at)
        for cell, _ in resolved.binders:
            found.add(cell, name, is_strong=True)
        for cell in resolved.changers:
            found.add(cell, name, is_strong=False)
        for cell in resolved.opaque:
            found.add(cell, "", is_strong=False)
        # A function that is called may bind a global name, which counts as a change.
        is_bound = bool(resolved.binders or resolved.opaque or resolved.changers)
        is_bound = is_bound or name in SESSION_NAMES
        if is_needed and not is_bound and name not in self._codes[at].binds:
            found.unbound[name] = None
        self._carry(resolved, found)

    def _carry(self, resolved: _Resolved, found: _Found) -> None:
        """Follow what a value looks up when it is used, and what it holds on to."""
        for cell, binding in resolved.binders:
            for late in sorted(binding.late):
                # Missed only when it is called, and a cell may merely hand a function on.
                self._use(late, not self._is_bound_anywhere(late), found)
            for held in sorted(binding.held):
                self._hold(held, cell + 1, found)
        for cell in resolved.changers:
            # What changed it may have put a function into it.
            for name in self._codes[cell].uses:
                self._hold(name, cell + 1, found)

    def _hold(self, name: str, at: int, found: _Found) -> None:
        """Follow a value that another holds on to since a place in the notebook."""
        if (name, at) in found.held:
            return
        found.held.add((name, at))
        resolved = self._resolve(name, at)
        if not resolved.binders and name not in self._events:
            return
        bindings = [binding for _, binding in resolved.binders]
        for binding in bindings:
            for late in sorted(binding.late):
                self._use(late, False, found)
        if not self._is_fixed(name, bindings):
            found.names.add(name)
            for cell in self._changers_between(name, at, found.cell):
                found.add(cell, name, is_strong=False)
            for cell, binding in resolved.binders:
                for held in sorted(binding.held - {name}):
                    self._hold(held, cell + 1, found)
                if name in binding.held:
                    self._hold(name, cell, found)

    def _changers_between(self, name: str, at: int, end: int) -> Iterator[int]:
        """Give the cells that may change a value, until its name is bound to another."""
        events = self._events.get(name, [])
        for cell in events[bisect_left(events, at) : bisect_left(events, end)]:
            code = self._codes[cell]
            binding = code.binds.get(name)
            if name in code.mutates or name in code.touches:
                yield cell
            if binding is not None and binding.is_certain:
                return

    def _resolve(self, name: str, at: int) -> _Resolved:
        events = self._events.get(name, [])
        binders: list[tuple[int, Binding]] = []
        changers: list[int] = []
        perhaps: list[int] = []
        end = -1
        for cell in reversed(events[: bisect_left(events, at)]):
            code = self._codes[cell]
            binding = code.binds.get(name)
            if binding is not None:
                binders.append((cell, binding))
                if binding.is_certain:
                    end = cell
                    break
            elif name in code.mutates:
                changers.append(cell)
            else:
                perhaps.append(cell)
        if not self._is_fixed(name, [binding for _, binding in binders]):
            changers += perhaps
        opaque = [cell for cell in self._opaque if end < cell < at]
        return _Resolved(tuple(binders), tuple(changers), tuple(opaque))

    @staticmethod
    def _is_fixed(name: str, bindings: Sequence[Binding]) -> bool:
        """Whether only a new binding changes what a name stands for."""
        if name in SESSION_NAMES or not bindings:
            return False
        return all(binding.kind is not BindingKind.OTHER for binding in bindings)
