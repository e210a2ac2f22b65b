"""Tells errors of Spark's from others, and reads what they hold.

Nothing of PySpark is imported: an error of its own is there only once its module is.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from spark_kernel.errors import SparkKernelError
from spark_kernel.redaction import redacted

__all__ = [
    "Said",
    "causes_of",
    "full_text",
    "is_group",
    "is_of_spark",
    "is_shown_by_itself",
    "members",
    "what_it_says",
]

_log = logging.getLogger(__name__)
_MODULES = ("pyspark.errors.", "py4j.protocol", "grpc")
_PICKLING = ("Could not serialize object", "Object too large to serialize")
_SHOWN_BY_ITSELF = "_render_traceback_"
_TEXT_LIMIT = 64_000
_CHAIN = 20
_MEMBERS = 20
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
    return modules[0].startswith(("pickle.", "_pickle.")) and str(error).startswith(_PICKLING)


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


def members(error: BaseException) -> Iterator[BaseException]:
    """Give the errors of a group, those of groups inside it too."""
    inner: Sequence[BaseException] = getattr(error, "exceptions", ())
    for member in inner[:_MEMBERS]:
        if is_group(member):
            yield from members(member)
        else:
            yield member


def is_group(error: BaseException) -> bool:
    """Whether an error is a group of others; Python 3.10 has none of its own."""
    return any(kind.__name__ == "BaseExceptionGroup" for kind in type(error).__mro__)


def full_text(error: BaseException, limit: int = _TEXT_LIMIT) -> str:
    """Give ``str`` of an error as it can be shown; never raises.

    Errors of Java's ask the driver for it, which may be gone.
    """
    try:
        return _bounded(str(error), limit)
    except Exception as failure:
        _log.info("an error could not be asked what it says: %s", type(failure).__name__)
        return _bounded(str(vars(error).get("_desc") or vars(error).get("errmsg") or ""), limit)


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
