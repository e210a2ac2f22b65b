"""Which libraries the code of a notebook uses, by what stands in its namespace."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from spark_kernel.protocol.provenance import LibraryRecord
from spark_kernel.spark.ownership import disown

__all__ = ["UsedLibraries", "library_modules"]

_log = logging.getLogger(__name__)
_MOST = 100
_NAMES = 20_000
_WAIT_S = 2.0
_ALWAYS = ("pyspark",)
_IF_LOADED = ("numpy", "pandas", "pyarrow")
_NOT_USED = frozenset(sys.stdlib_module_names) | {"spark_kernel", "IPython", "ipykernel"}


class UsedLibraries:
    """Finds the libraries that a notebook uses.

    Parameters
    ----------
    shell
        IPython's, with the namespace of the notebook.
    """

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._of_module: Mapping[str, list[str]] | None = None
        self._search: threading.Thread | None = None

    def prepare(self) -> None:
        """Begin to find out which module is of which library: that takes 0.1 s and more."""
        if self._search is None:
            self._search = threading.Thread(
                target=self._read_modules, name="spark-libraries", daemon=True
            )
            disown(self._search).start()

    def least(self) -> tuple[LibraryRecord, ...]:
        """Give what is known without looking."""
        return _records(_ALWAYS)

    def found(self) -> tuple[LibraryRecord, ...]:
        """Give the libraries that the namespace shows, and those that Spark uses with them."""
        hidden = self._shell.user_ns_hidden
        namespace = {
            name: value
            for name, value in list(self._shell.user_ns.items())[:_NAMES]
            if name not in hidden
        }
        modules = library_modules(namespace.values())
        names = {*_ALWAYS, *(name for name in _IF_LOADED if name in sys.modules)}
        for module in modules:
            names.update(self._distributions(module))
        return _records(tuple(sorted(names, key=str.lower)[:_MOST]))

    def _distributions(self, module: str) -> list[str]:
        if _version(module):
            return [module]
        self.prepare()
        if self._search is not None:
            self._search.join(_WAIT_S)
        return list((self._of_module or {}).get(module, ()))

    def _read_modules(self) -> None:
        try:
            self._of_module = metadata.packages_distributions()
        except Exception:
            _log.info("which module is of which library is not known", exc_info=True)
            self._of_module = {}


def library_modules(values: Iterable[Any]) -> set[str]:
    """Give the top-level modules that values come from, without Python's own."""
    found = set()
    for value in values:
        if isinstance(value, ModuleType):
            name = value.__name__
        elif isinstance(value, type | FunctionType | BuiltinFunctionType):
            name = value.__module__
        else:
            name = type(value).__module__
        if isinstance(name, str):
            found.add(name.partition(".")[0])
    return {name for name in found if name not in _NOT_USED and name != "__main__"}


@cache
def _version(distribution: str) -> str:
    try:
        return str(metadata.version(distribution))
    except Exception:  # there is none of this name, or its files are not whole
        return ""


@cache
def _records(names: tuple[str, ...]) -> tuple[LibraryRecord, ...]:
    return tuple(LibraryRecord(name, _version(name)) for name in names)
