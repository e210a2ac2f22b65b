"""Tells errors of Spark's from others, and reads what they hold.

Nothing of PySpark is imported: an error of its own is there only once its module is.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spark_kernel.errors import SparkKernelError
from spark_kernel.redaction import redacted
from spark_kernel.spark.error_reports.remembered import remember

__all__ = [
    "Said",
    "causes_of",
    "full_text",
    "held_text",
    "is_group",
    "is_of_spark",
    "is_shown_by_itself",
    "link_before",
    "members",
    "raised_below_pyspark",
    "what_it_says",
]

_log = logging.getLogger(__name__)
_MODULES = ("pyspark.errors.", "py4j.protocol.")
_RPC = "grpc."
_PICKLING = ("Could not serialize object", "Object too large to serialize")
_SHOWN_BY_ITSELF = "_render_traceback_"
_TEXT_LIMIT = 64_000
_CHAIN = 20
_WRAPPED = "An error occurred while calling "


@dataclass(frozen=True)
class Said:
    """What an error says, without asking anybody.

    Parameters
    ----------
    text
        Its message.
    stack
        Java's stack trace with the causes; empty where there is none.
    condition
        Spark's name of it, if the error knows it by itself.
    """

    text: str
    stack: str = ""
    condition: str = ""


def is_of_spark(error: BaseException) -> bool:
    """Whether an error comes out of PySpark, and is not one that is shown in its own way."""
    if is_shown_by_itself(error):
        return False
    modules = [f"{kind.__module__}." for kind in type(error).__mro__]
    if any(module.startswith(_MODULES) for module in modules):
        return True
    if any(module.startswith(_RPC) for module in modules):  # or else of a client of the user's
        return raised_below_pyspark(error)
    return modules[0].startswith(("pickle.", "_pickle.")) and str(error).startswith(_PICKLING)


def raised_below_pyspark(error: BaseException) -> bool:
    """Whether an error comes from PySpark, or from what it calls."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    names = (str(frame.f_globals.get("__name__", "")) for frame in frames)
    return any(name.split(".", 1)[0] in ("pyspark", "py4j") for name in names)


def is_shown_by_itself(error: BaseException) -> bool:
    """Whether an error says what IPython is to show, as all of ours do."""
    return isinstance(error, SparkKernelError) or hasattr(error, _SHOWN_BY_ITSELF)


def causes_of(error: BaseException) -> list[BaseException]:
    """Give an error with those that led to it, as Python shows them, itself first."""
    chain: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in chain and len(chain) < _CHAIN:
        chain.append(current)
        if current.__cause__ is not None or current.__suppress_context__:
            current = current.__cause__
        else:
            current = current.__context__
    return chain


def link_before(error: BaseException) -> str:
    """Give what Python writes between an error and the one that led to it."""
    if error.__cause__ is not None:
        return "The above exception was the direct cause of the following exception:"
    return "During handling of the above exception, another exception occurred:"


def members(error: BaseException) -> Iterator[BaseException]:
    """Give the errors of a group, those of groups inside it too."""
    inner: Sequence[BaseException] = getattr(error, "exceptions", ())
    for member in inner:
        if is_group(member):
            yield from members(member)
        else:
            yield member


def is_group(error: BaseException) -> bool:
    """Whether an error is a group of others; Python 3.10 has none of its own."""
    return any(kind.__name__ == "BaseExceptionGroup" for kind in type(error).__mro__)


def full_text(error: BaseException, limit: int = _TEXT_LIMIT) -> str:
    """Give ``str`` of an error as it can be shown; never raises.

    Errors of Java's ask the driver for it, which may be gone, or hang until an interrupt.
    """
    try:
        said = str(error)
        remember(error, said)
        return _bounded(said, limit)
    except (Exception, KeyboardInterrupt) as failure:
        _log.info("an error could not be asked what it says: %s", type(failure).__name__)
        return held_text(error, limit)


def held_text(error: BaseException, limit: int = _TEXT_LIMIT) -> str:
    """Give what an error holds of what it says; asks nobody, and lets nobody ask any more."""
    held = vars(error)
    said = str(held.get("_desc") or held.get("_message") or held.get("errmsg") or "").strip()
    remember(error, said)
    return _bounded(said, limit)


def what_it_says(error: BaseException) -> Said:
    """Read what an error holds."""
    held = vars(error)
    if "_desc" in held:  # of Java's, converted
        return Said(_bounded(held["_desc"]), _bounded(held.get("_stackTrace") or ""))
    if "java_exception" in held:
        return _of_java(full_text(error))
    condition = held.get("_errorClass") or ""
    if "_message" in held:
        stack = held.get("_stacktrace") or ""
        return Said(_bounded(str(held["_message"] or "")), _bounded(str(stack)), str(condition))
    return Said(_of_rpc(error) or full_text(error))


def _of_java(text: str) -> Said:
    """Read the text of an exception of Java's: what was called, then its stack trace."""
    if text.startswith(_WRAPPED):
        text = text.partition("\n: ")[2] or text
    return Said("", text)


def _of_rpc(error: BaseException) -> str:
    """Give what an error of gRPC's says, without its dump of the channel."""
    code, details = getattr(error, "code", None), getattr(error, "details", None)
    if not (callable(code) and callable(details)):
        return ""
    status: Any = code()
    return _bounded(f"{getattr(status, 'name', status)}: {details()}")


def _bounded(text: str, limit: int = _TEXT_LIMIT) -> str:
    """Cut what is too long, in its middle: the root cause stands at the end."""
    if len(text) > limit:
        half = limit // 2
        text = f"{text[:half]}\n… {len(text) - limit:,} characters are left out …\n{text[-half:]}"
    return redacted(text)
