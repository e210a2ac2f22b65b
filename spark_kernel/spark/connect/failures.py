"""What a server says when something is wrong, in a line; and what stands for what it has not."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from spark_kernel.errors import (
    ClusterUnreachableError,
    NoContextError,
    SparkKernelError,
    SparkStartError,
)

__all__ = ["NoContext", "details_of", "says_dropped", "start_error", "status_of"]

_TOLD_LENGTH = 300
_DROPPED = ("SESSION_CHANGED", "SESSION_CLOSED", "SESSION_NOT_FOUND")
_NOT_SHOWN = ("__", "_repr_", "_ipython_")


class NoContext:
    """Stands for ``sc`` where there is none."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith(_NOT_SHOWN):
            raise AttributeError(name)
        raise NoContextError

    def __repr__(self) -> str:
        return "<sc: Spark Connect has no SparkContext; use spark>"


def start_error(error: Exception, where: str) -> SparkKernelError:
    """Explain why a server made no session.

    Parameters
    ----------
    where
        Its host and port.
    """
    status, said = status_of(error), details_of(error)
    if status in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return SparkStartError(
            f"The Spark Connect server {where} refused the user: {said}.",
            "give the right token: `;token=...` in the URL, or the variable "
            "SPARK_CONNECT_AUTHENTICATE_TOKEN",
        )
    if status == "UNAVAILABLE":
        return ClusterUnreachableError(
            f"{where} listens, but no Spark Connect session could be made: {said}.",
            "check that it is a Spark Connect server, and whether it wants TLS "
            "(`;use_ssl=true` in the URL; a token implies it, except on localhost)",
        )
    return SparkStartError(
        f"The Spark Connect server {where} did not make a session: {said}.",
        "check the version of Spark there against that of pyspark here",
    )


def says_dropped(text: str) -> bool:
    """Whether a text says that the server knows the session no more."""
    return any(name in text for name in _DROPPED)


def status_of(error: BaseException) -> str:
    """Give gRPC's status of an error, by its name; empty where it has none."""
    for name in ("code", "getGrpcStatusCode"):
        ask = getattr(error, name, None)
        if callable(ask):
            with suppress(Exception):
                return str(ask().name)
    return "UNAVAILABLE" if "StatusCode.UNAVAILABLE" in str(error) else ""


def details_of(error: BaseException) -> str:
    """Give the line of an error that says most."""
    details = getattr(error, "details", None)
    text = details() if callable(details) else None
    if not text:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        telling = [line for line in lines if line.startswith("details = ")]
        text = telling[0].removeprefix("details = ").strip('"') if telling else "".join(lines[:1])
    return str(text or type(error).__name__).split("\n", 1)[0].rstrip(".")[:_TOLD_LENGTH]
