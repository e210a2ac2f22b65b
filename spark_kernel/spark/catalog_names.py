"""The names that Spark's catalog has, as far as they are known: nobody waits long for them.

A thread, ``spark-names``, asks Spark for what is missing or old, and ends when there is nothing
more to ask. What is known is given meanwhile, and whoever asks waits a moment at most.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from spark_kernel.spark.ownership import disown

__all__ = ["CATALOGS", "DATABASES", "FUNCTIONS", "CatalogNames", "Wanted", "columns", "tables"]

_log = logging.getLogger(__name__)
_MOST_LISTS = 200
_MOST_NAMES = 5_000
_FILE = re.compile(r"`[^`]*[/:][^`]*`$")

Wanted = tuple[str, str]
"""A list of names: of which kind, and of what."""
CATALOGS: Wanted = ("catalogs", "")
DATABASES: Wanted = ("databases", "")
FUNCTIONS: Wanted = ("functions", "")


def tables(database: str = "") -> Wanted:
    """Want the tables of a database, or of the current one; a name is as it stands in SQL."""
    return "tables", database


def columns(table: str) -> Wanted:
    """Want the columns of a table."""
    return "columns", table


class CatalogNames:
    """Names of the catalog of one session at a time.

    Parameters
    ----------
    session_of
        Gives the session, or None while there is none; must not block.
    """

    def __init__(self, session_of: Callable[[], Any]) -> None:
        self._session_of = session_of
        self._changed = threading.Condition()
        self._lists: OrderedDict[Wanted, tuple[int, tuple[str, ...]]] = OrderedDict()
        self._queue: list[Wanted] = []
        self._thread: threading.Thread | None = None
        self._session: Any = None
        self._age = 0
        self._asked_at = 0.0

    def forget(self) -> None:
        """Note that the names may have changed, as after each cell."""
        self._age += 1

    def known(self, wanted: Iterable[Wanted], wait_s: float) -> dict[Wanted, tuple[str, ...]]:
        """Give what is known, having waited a moment for what is not known at all."""
        lists = list(wanted)
        session = self._session_of()
        if session is None:
            return {}
        with self._changed:
            if session is not self._session:
                self._session = session
                self._lists.clear()
            missing = [one for one in lists if one not in self._lists]
            old = [one for one in lists if one in self._lists and self._is_old(one)]
            is_stuck = self._asked_at and time.monotonic() - self._asked_at > wait_s
            self._ask([*missing, *old])
            if missing and not is_stuck:
                self._changed.wait_for(lambda: all(one in self._lists for one in missing), wait_s)
            return {one: self._lists[one][1] for one in lists if one in self._lists}

    def _is_old(self, wanted: Wanted) -> bool:
        return self._lists[wanted][0] < self._age

    def _ask(self, wanted: list[Wanted]) -> None:
        """Let the thread ask Spark; called with the lock held."""
        self._queue = [*wanted, *(one for one in self._queue if one not in wanted)][:_MOST_LISTS]
        if self._queue and self._thread is None:
            self._thread = threading.Thread(target=self._run, name="spark-names", daemon=True)
            disown(self._thread).start()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._queue:
                    self._thread = None
                    return
                wanted, session, age = self._queue.pop(0), self._session, self._age
                self._asked_at = time.monotonic()
            found: tuple[str, ...] = ()
            try:
                found = tuple(_ask_spark(session, *wanted))[:_MOST_NAMES]
            except Exception:  # no such table, or the driver has ended: there are no names then
                _log.debug("no names: %s", wanted, exc_info=True)
            with self._changed:
                self._asked_at = 0.0
                if session is self._session:
                    self._lists[wanted] = (age, found)
                    self._lists.move_to_end(wanted)
                    while len(self._lists) > _MOST_LISTS:
                        self._lists.popitem(last=False)
                self._changed.notify_all()


def _ask_spark(session: Any, kind: str, name: str) -> list[str]:
    if kind == "columns":
        # What is no table may be a file, as in json.`/data`: Spark would read all of it.
        is_file = _FILE.search(name) is not None or not session.catalog.tableExists(name)
        return [] if is_file else list(session.table(name).columns)
    if kind == "tables":
        rows = session.sql(f"SHOW TABLES IN {name}" if name else "SHOW TABLES").collect()
        return [row[1] for row in rows if not (name and row[2])]
    return [row[0] for row in session.sql(f"SHOW {kind.upper()}").collect()]
