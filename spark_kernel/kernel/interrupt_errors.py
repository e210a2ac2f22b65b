"""What an interrupted cell raises, and how IPython shows it: where the notebook's code was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from spark_kernel.kernel.notebook_code import notebook_of
from spark_kernel.spark.error_reports.user_code import user_places

__all__ = [
    "clean_wait",
    "explained_interrupt",
    "hide_interrupts",
    "is_bare_interrupt",
    "is_of_ours",
    "plain_interrupt",
    "raised_in_pyspark",
]

_SHOWN_FRAMES = 4
_OURS = "is_of_spark_kernel"
_RENDER = "_render_traceback_"
_MESSAGE = "the cell was interrupted, and its Spark jobs were cancelled"


def explained_interrupt(
    shell: InteractiveShell, trace: TracebackType | None = None
) -> KeyboardInterrupt:
    """Make the interrupt of a cell whose jobs were cancelled: a few lines, and what was done.

    Parameters
    ----------
    trace
        Where it came from; by default where it is raised.
    """
    error = KeyboardInterrupt(_MESSAGE)
    return _shown_as(error, lambda: _short_trace(error, trace or error.__traceback__, shell))


def plain_interrupt(shell: InteractiveShell, handler: dict[str, Any]) -> KeyboardInterrupt:
    """Make the interrupt of a cell without jobs, shown as IPython shows any.

    Parameters
    ----------
    handler
        The globals of the signal handler, whose frames are left out.
    """
    error = KeyboardInterrupt()

    def render() -> list[str]:
        trace = _without(handler, error.__traceback__)
        shown: list[str] = shell.InteractiveTB.structured_traceback(
            KeyboardInterrupt, error, trace, tb_offset=1
        )
        return shown

    return _shown_as(error, render)


def is_of_ours(error: BaseException) -> bool:
    """Whether it is an interrupt that was made here."""
    return bool(getattr(error, _OURS, False))


def is_bare_interrupt(error: BaseException) -> bool:
    """Whether it is an interrupt that nobody has dressed."""
    return isinstance(error, KeyboardInterrupt) and not hasattr(error, _RENDER)


def hide_interrupts(hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let threads that end with their cell do so without a word of their own."""

    def excepthook(arguments: Any) -> Any:
        if not is_of_ours(arguments.exc_value):
            return hook(arguments)
        return None

    return excepthook


def raised_in_pyspark(trace: TracebackType | None) -> bool:
    """Whether the last frame of a trace is PySpark's."""
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = "" if trace is None else str(trace.tb_frame.f_globals.get("__name__", ""))
    return module.split(".", 1)[0] in ("pyspark", "py4j")


def _shown_as(error: KeyboardInterrupt, render: Callable[[], list[str]]) -> KeyboardInterrupt:
    """Mark an interrupt as ours, and let IPython show it so."""
    setattr(error, _OURS, True)
    setattr(error, _RENDER, render)
    return error


def _without(handler: dict[str, Any], trace: TracebackType | None) -> TracebackType | None:
    """Give a trace without its last frames, which are the signal handler's."""
    entries = []
    while trace is not None and trace.tb_frame.f_globals is not handler:
        entries.append(trace)
        trace = trace.tb_next
    shown: TracebackType | None = None
    for entry in reversed(entries):
        shown = TracebackType(shown, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return shown


def _short_trace(
    error: BaseException, trace: TracebackType | None, shell: InteractiveShell
) -> list[str]:
    """Show where the notebook's own code, and that of its modules, was."""
    shown = []
    for place in user_places(trace, notebook_of(shell)):
        inside = f", in {place.function}" if place.function else ""
        shown += [f"{place.where}, line {place.line}{inside}", f"    {place.source}"]
    return [*shown[-2 * _SHOWN_FRAMES :], f"KeyboardInterrupt: {error}"]


@contextmanager
def clean_wait() -> Iterator[None]:
    """Let an interrupt of the wait end in a line, not in a trace of this kernel."""
    try:
        yield
    except KeyboardInterrupt:
        said = "the wait for Spark was interrupted; Spark goes on starting"
        error = KeyboardInterrupt(said)
        error._render_traceback_ = lambda: [f"KeyboardInterrupt: {said}"]  # type: ignore[attr-defined]
        raise error from None
