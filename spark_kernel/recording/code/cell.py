"""What the source of a cell tells: the names that it binds, uses and may change.

Only values; ``reading.py`` reads them. Names of other things than variables begin with a word
and a blank, which no variable does: ``view delays`` is a table or view.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

__all__ = [
    "FRAME_BINDING",
    "SESSION_NAMES",
    "Binding",
    "BindingKind",
    "CellCode",
    "Reference",
    "view_name",
]

SESSION_NAMES = frozenset({"spark", "sc"})
"""Names that the kernel binds, and what they stand for may be changed by cells: settings, views."""


class BindingKind(Enum):
    """What is known of the value of a name."""

    MODULE = "module"
    FUNCTION = "function"
    FRAME = "frame"
    """A DataFrame or RDD of Spark: no method changes it."""
    CONSTANT = "constant"
    OTHER = "other"

    @property
    def is_fixed(self) -> bool:
        """Whether neither its methods nor a function that it is passed to change it."""
        return self is not BindingKind.OTHER


@dataclass(frozen=True)
class Binding:
    """How a cell binds a name.

    Attributes
    ----------
    is_certain
        Whether every run of the cell binds it.
    module
        The dotted name of what an import binds.
    late
        Names that are looked up when the value is used, as the globals of a function.
    held
        Names whose values this one may hold on to.
    """

    kind: BindingKind
    is_certain: bool = True
    module: str = ""
    late: frozenset[str] = frozenset()
    held: frozenset[str] = frozenset()


FRAME_BINDING = Binding(BindingKind.FRAME, late=frozenset({"spark"}))
"""A frame is lazy: the settings and views of the session count when it is asked for rows."""


@dataclass(frozen=True)
class Reference:
    """A name with the attributes behind it, such as ``np.random.rand``.

    Attributes
    ----------
    is_call
        Whether it is called; then ``texts`` are its arguments that are texts, ``first`` is the
        first where it is one, ``arguments`` counts those without keyword, ``keywords`` names the
        others.
    """

    names: tuple[str, ...]
    is_call: bool = False
    first: str | None = None
    arguments: int = 0
    keywords: frozenset[str] = frozenset()
    texts: tuple[str, ...] = ()


@dataclass(frozen=True)
class CellCode:
    """What a source tells.

    Attributes
    ----------
    uses
        Names whose values come from elsewhere; False of those that the cell itself may have
        bound before.
    binds
        Names that it binds, by how.
    mutates
        Names that it surely changes: ``a.b = c``, ``a[b] = c``.
    touches
        Names that it may change: ``a.b()``, ``f(a)``.
    late_mutates, late_touches
        Of each function that it defines: what it binds or changes when it is called.
    opaque
        What in it may do anything, in words; empty where nothing does.
    outside
        What in it depends on time, chance or the outside by its form, each in words.
    imports
        The modules that it imports, dotted.
    is_housekeeping
        Whether it only looks after Spark, and has no result.
    """

    uses: Mapping[str, bool] = field(default_factory=dict)
    binds: Mapping[str, Binding] = field(default_factory=dict)
    mutates: frozenset[str] = frozenset()
    touches: frozenset[str] = frozenset()
    late_mutates: Mapping[str, frozenset[str]] = field(default_factory=dict)
    late_touches: Mapping[str, frozenset[str]] = field(default_factory=dict)
    references: tuple[Reference, ...] = ()
    opaque: str = ""
    outside: tuple[str, ...] = ()
    imports: frozenset[str] = frozenset()
    is_housekeeping: bool = False


def view_name(name: str) -> str:
    """Give the name under which a table or view stands among the names of a cell.

    Without its database: whether two are the same is not known before Spark is asked.
    """
    return f"view {name.replace('`', '').strip().lower().rpartition('.')[2]}"
