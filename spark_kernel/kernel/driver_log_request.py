"""``spark_log_request``: parts of the driver's log, also while a cell runs or the driver hangs.

Read from the file, on a thread of its own; nothing here waits for the driver.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from spark_kernel.errors import LogRequestError
from spark_kernel.protocol.driver_log import LogPart, LogPosition, log_content, read_position
from spark_kernel.protocol.messages import refusal
from spark_kernel.spark.driver_log_reading import LogFolder
from spark_kernel.spark.driver_log_redaction import LogRedaction
from spark_kernel.spark.session import KernelSession

__all__ = ["LogDesk"]

_log = logging.getLogger(__name__)
_MOST_BYTES = 256 * 1024
_FEWEST_BYTES = 1024
_FIELDS = ("after", "around", "log", "max_bytes")
_POSITION_HINT = "it is the `position` of an earlier reply, or the `log` of an error, as it was"
_NO_DRIVER = "No driver has been started yet; it writes its log from its start on."
_OF_SERVER = "Spark runs on a Spark Connect server, and the log of its driver is there."
_HIDDEN = (
    "The log is not shown: `spark.redaction.regex` says what is secret in a way that only Java "
    "understands."
)


class LogDesk:
    """Answers requests, from any thread."""

    def __init__(self, session: KernelSession) -> None:
        self._session = session
        self._folder = LogFolder(session.settings.log_folder)
        self._redaction: tuple[Mapping[str, str], LogRedaction] | None = None

    def end(self) -> LogPosition | None:
        """Give the place where the log of the driver ends now; None where there is none."""
        try:
            names = [] if self._session.driver.is_remote else self._folder.names()
            return self._folder.end(names[0]) if names else None
        except OSError as error:
            _log.info("the end of the log is not known: %s", error)
            return None

    def reply(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Make the content of a ``spark_log_reply``."""
        try:
            return self._reply(content)
        except LogRequestError as error:
            return refusal(error)
        except OSError as error:
            return refusal(LogRequestError(f"The log cannot be read: {error.strerror}.", ""))

    def _reply(self, content: Mapping[str, Any]) -> dict[str, Any]:
        for name in content:
            if name not in _FIELDS:
                known = ", ".join(f"`{field}`" for field in _FIELDS)
                raise LogRequestError(f"There is no field {str(name)[:80]!r}.", f"it has {known}")
        driver, names = self._session.driver, self._folder.names()
        is_running = driver.pid is not None
        current = "" if driver.is_remote or not names else names[0]
        try:
            redaction = self._redact()
        except re.error:
            return log_content(None, _HIDDEN, names, is_running)
        limit, over = _limit(content), not is_running
        part = self._asked(content, limit, is_over=lambda name: over or name != current)
        if part is None and current:
            part = self._folder.tail(current, limit, is_over=over)
            if content.get("after") or content.get("around"):
                part = replace(part, is_continued=False)
        if part is None:
            return log_content(None, _OF_SERVER if driver.is_remote else _NO_DRIVER, names, False)
        part = replace(part, lines=redaction.lines(part.lines))
        return log_content(part, "", names, is_running)

    def _asked(
        self, content: Mapping[str, Any], limit: int, is_over: Callable[[str], bool]
    ) -> LogPart | None:
        """Give what is asked for by a place or a name; None where there is none of either."""
        position = _position(content, "around")
        if position is not None:
            return self._folder.around(position, limit)
        position = _position(content, "after")
        if position is not None:
            return self._folder.after(position, limit, is_over=is_over(position.log))
        name = content.get("log")
        if name is None:
            return None
        if not isinstance(name, str) or not self._folder.has(name):
            raise LogRequestError(
                f"There is no log {str(name)[:80]!r}.",
                "`logs` of a reply names those that there are",
            )
        return self._folder.tail(name, limit, is_over=is_over(name))

    def _redact(self) -> LogRedaction:
        """Give what hides secrets; made anew only where the settings are others."""
        settings = self._session.settings
        conf = {**self._session.driver.launch_settings, **settings.conf}
        if self._redaction is None or self._redaction[0] != conf:
            self._redaction = conf, LogRedaction(conf, settings.secrets)
        return self._redaction[1]


def _limit(content: Mapping[str, Any]) -> int:
    limit = content.get("max_bytes")
    if limit is None:
        return _MOST_BYTES
    if type(limit) is not int or limit <= 0:
        raise LogRequestError(f"`max_bytes` is no number of bytes: {str(limit)[:80]!r}.")
    return min(max(limit, _FEWEST_BYTES), _MOST_BYTES)


def _position(content: Mapping[str, Any], field: str) -> LogPosition | None:
    given = content.get(field)
    if given is None:
        return None
    position = read_position(given)
    if position is None:
        raise LogRequestError(f"`{field}` is no place in a log.", _POSITION_HINT)
    return position
