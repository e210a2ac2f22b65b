"""Imports PySpark from a thread of our own, whatever a cell imports in the same moment."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

__all__ = ["import_pyspark"]

_PAUSE_S = 0.01


def import_pyspark(*modules: str) -> None:
    """Import modules of PySpark in one piece.

    They import one another in circles. Where a cell imports one of them in the same moment,
    Python would rather give both threads half a module than let them wait for each other, or
    fail the one that comes last (``_DeadlockError``): so all of PySpark's import locks are held
    meanwhile. Its own comes first, with nothing else held, in case the cell was earlier.
    """
    if all(name in sys.modules for name in modules):
        return
    package = Path(str(find_spec("pyspark").origin)).parent  # type: ignore[union-attr]
    paths = [path.relative_to(package.parent).with_suffix("") for path in package.rglob("*.py")]
    names = [".".join(path.parts).removesuffix(".__init__") for path in paths]
    while not _import_alone(modules, names):
        time.sleep(_PAUSE_S)  # the cell goes first


def _import_alone(modules: Sequence[str], names: Sequence[str]) -> bool:
    """Import modules while all import locks with these names are held, if nobody else has one.

    Nothing is waited for with a lock in hand: the cell would be the one to fail.
    """
    importing: Any = import_module("importlib._bootstrap")
    with suppress(importing._DeadlockError), ExitStack() as locks:
        locks.enter_context(importing._ModuleLockManager("pyspark"))
        if any(name not in sys.modules for name in modules):
            for name in names:
                if importing._get_module_lock(name).owner not in (None, threading.get_ident()):
                    return False
                locks.enter_context(importing._ModuleLockManager(name))
        for name in modules:
            import_module(name)
        return True
    return False
