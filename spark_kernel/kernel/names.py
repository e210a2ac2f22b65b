"""Keeps ``spark`` and ``sc`` in the notebook's namespace.

Before Spark is ready they are stand-ins that wait on first use; from the first cell after that
on they are PySpark's own objects. A name that the notebook has given another value is left alone.
"""

from __future__ import annotations

import dis
from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any

import wrapt

from spark_kernel.protocol.events import SessionState

if TYPE_CHECKING:
    from types import CodeType

    from spark_kernel.spark.session import KernelSession

__all__ = ["SparkNames"]

_NAMES = ("spark", "sc")
_USES = ("LOAD_NAME", "LOAD_GLOBAL", "STORE_NAME", "STORE_GLOBAL")


class _StandIn(wrapt.LazyObjectProxy[Any]):
    """Becomes the object of its callback on first use; shown without waiting for it."""

    def __init__(self, callback: Callable[[], Any], text: Callable[[], str]) -> None:
        super().__init__(callback)
        self._self_text = text

    def __repr__(self) -> str:
        return self._self_text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": self._self_text()}


def _is_read(code: CodeType, name: str) -> bool:
    """Whether code reads a name before it gives it a value, as ``spark = ...`` does."""
    if name not in code.co_names:
        return False
    uses = (step.opname for step in dis.get_instructions(code) if step.argval == name)
    return next((use for use in uses if use in _USES), "").startswith("LOAD_")


class SparkNames:
    """The names of the session in one namespace.

    Parameters
    ----------
    require
        Gives the session, waiting for it.
    """

    def __init__(self, session: KernelSession, require: Callable[[], Any]) -> None:
        self._session = session
        self._require = require
        self._namespace: MutableMapping[str, Any] = {}
        self._given: dict[str, Any] = {}
        self._seen: tuple[int, SessionState] | None = None

    def install(self, namespace: MutableMapping[str, Any]) -> None:
        """Put the names into a namespace, new or just emptied."""
        self._namespace = namespace
        self._give(self._stand_ins())
        self._seen = None

    def prepare(self, code: CodeType) -> None:
        """Get the names ready for code that is about to run, waiting for Spark if it uses them.

        Called before every statement, so it costs next to nothing where there is nothing to do.
        """
        if "spark" in code.co_names:
            self._session.check()
        seen = (self._session.generation, self._session.status.state)
        if seen != self._seen:
            self._seen = seen
            self._adopt()
            if not self._is_stopped_by_notebook():
                self._replace(self._stand_ins())
        if any(self._is_waiting(name) and _is_read(code, name) for name in _NAMES):
            spark = self._require()
            self._replace({"spark": spark, "sc": self._session.driver.context_of(spark)})

    def _adopt(self) -> None:
        """Take a session that the notebook made and named itself for ours: the name follows it."""
        if self._session.is_ready:
            living = self._session.driver.existing()
            self._given |= {
                name: value
                for name, value in living.items()
                if value is not None and self._namespace.get(name) is value
            }

    def _is_waiting(self, name: str) -> bool:
        return isinstance(self._namespace.get(name), _StandIn)

    def _is_stopped_by_notebook(self) -> bool:
        """Whether the notebook still holds the session that it stopped, as in plain PySpark."""
        session = self._session
        is_stopped = session.status.state is SessionState.STOPPED and session.driver.is_running
        return is_stopped and not isinstance(self._given.get("spark"), _StandIn)

    def _stand_ins(self) -> dict[str, Any]:
        def text(name: str) -> str:
            return f"<{name}: {self._session.status.message}>"

        return {
            "spark": _StandIn(self._require, lambda: text("spark")),
            "sc": _StandIn(self._require_context, lambda: text("sc")),
        }

    def _require_context(self) -> Any:
        return self._session.driver.context_of(self._require())

    def _give(self, values: dict[str, Any]) -> None:
        self._namespace.update(values)
        self._given = values

    def _replace(self, values: dict[str, Any]) -> None:
        held = {name: self._namespace.get(name) for name in _NAMES}
        self._namespace.update(
            {name: new for name, new in values.items() if held[name] is self._given[name]}
        )
        self._given = values
