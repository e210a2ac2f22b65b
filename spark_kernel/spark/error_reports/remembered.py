"""Lets an error of Java's say again what it has said when it was shown.

py4j asks the driver each time, also for the reply of the cell: a driver that hangs would hold that
up, and an interrupt of it would cost the reply.
"""

from __future__ import annotations

from typing import Any

import wrapt

__all__ = ["let_remember", "remember"]

_SAID = "_spark_kernel_said"


def let_remember() -> None:
    """Hook py4j's errors, now or as soon as they are imported."""
    wrapt.register_post_import_hook(_hook_errors, "py4j.protocol")


def remember(error: BaseException, text: str) -> None:
    """Let an error say this from now on, if it would ask the driver."""
    if "java_exception" in vars(error):
        vars(error)[_SAID] = text


def _hook_errors(module: Any) -> None:
    @wrapt.function_wrapper
    def say(wrapped: Any, error: Any, args: Any, kwargs: Any) -> Any:
        said = vars(error).get(_SAID)
        return wrapped(*args, **kwargs) if said is None else said

    module.Py4JJavaError.__str__ = say(module.Py4JJavaError.__str__)
