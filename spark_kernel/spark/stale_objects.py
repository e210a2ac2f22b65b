"""Objects of a driver that has ended: refused before they reach the next one.

The ids of Java objects begin again with each driver, so an old one would name some other object
there. Each gateway's client knows whether its driver has ended.
"""

from __future__ import annotations

import sys
from datetime import datetime
from types import FrameType
from typing import Any, NoReturn

from spark_kernel.errors import StaleSessionError

__all__ = ["EndedContext", "check_arguments", "end_client", "refuse"]


class EndedContext:
    """Stands in PySpark's old context for Java's; false, as PySpark takes that for stopped."""

    def __init__(self, ended: str) -> None:
        self._ended = ended

    def __bool__(self) -> bool:
        return False

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(self._ended)


def end_client(client: Any) -> str:
    """Let nothing of a gateway's client be used any more; gives when that was."""
    ended = f"{datetime.now():%H:%M}"
    client.ended = ended
    return ended


def refuse(ended: str) -> NoReturn:
    """Say what is used that belongs to an ended driver.

    Raises
    ------
    StaleSessionError
        Always.
    """
    raise StaleSessionError(
        f"This {_used(sys._getframe(1))} belongs to the Spark session that ended at {ended}.",
        "run the cells again that make it; the present session knows nothing of it",
    )


def check_arguments() -> None:
    """Refuse old objects as arguments from now on; harmless when called again."""
    from py4j.java_gateway import JavaObject

    JavaObject._get_object_id = _object_id


def _object_id(self: Any) -> Any:
    ended = getattr(self._gateway_client, "ended", "")
    if ended:
        refuse(ended)
    return self._target_id


def _used(frame: FrameType | None) -> str:
    """Name the kind of object in whose method the notebook is."""
    name = "object"
    while frame is not None:
        module = str(frame.f_globals.get("__name__", ""))
        if module.startswith("pyspark."):
            instance = frame.f_locals.get("self")
            name = type(instance).__name__ if instance is not None else name
        elif name != "object":
            break  # the notebook's own code
        frame = frame.f_back
    return name
