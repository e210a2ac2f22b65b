"""Gives the cluster back when nobody has used the notebook for a while."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from spark_kernel.spark.ownership import disown

__all__ = ["IdleWatch"]

_log = logging.getLogger(__name__)
_LOOKS = 20
"""How often it is looked in the time of one timeout."""

_LEAST_PAUSE_S = 0.05
_MOST_PAUSE_S = 30.0


class IdleWatch:
    """Stops a session that is not used; without a timeout it does nothing, and has no thread.

    Parameters
    ----------
    timeout_s
        Seconds without use after which the session is stopped; 0 for never.
    is_in_use
        Whether a cell, a job or a streaming query runs now.
    stop
        Called when the time is over, for as long as that is so.
    """

    def __init__(
        self, timeout_s: float, is_in_use: Callable[[], bool], stop: Callable[[], None]
    ) -> None:
        self._timeout_s = timeout_s
        self._is_in_use = is_in_use
        self._stop = stop
        self._used_at = time.monotonic()
        self._is_stopping = threading.Event()

    def start(self) -> None:
        """Look from now on."""
        if self._timeout_s > 0:
            thread = threading.Thread(target=self._run, name="spark-idle", daemon=True)
            disown(thread).start()

    def stop(self) -> None:
        """End; may be called twice."""
        self._is_stopping.set()

    def touch(self) -> None:
        """Note that the session is used."""
        self._used_at = time.monotonic()

    def _run(self) -> None:
        pause_s = min(_MOST_PAUSE_S, max(_LEAST_PAUSE_S, self._timeout_s / _LOOKS))
        while not self._is_stopping.wait(pause_s):
            try:
                if self._is_in_use():
                    self.touch()
                elif time.monotonic() - self._used_at >= self._timeout_s:
                    self._stop()
            except Exception as error:  # the driver ends, or does not answer
                _log.info("whether Spark is in use is not known: %s", str(error).split("\n", 1)[0])
                self.touch()
