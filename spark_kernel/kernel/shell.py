"""IPython's shell, with ``spark`` and ``sc`` in its namespace."""

from __future__ import annotations

import logging
import re
import sys
import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from types import CodeType
from typing import Any

from ipykernel.zmqshell import ZMQInteractiveShell

from spark_kernel.errors import SparkKernelError, StaleSessionError
from spark_kernel.kernel.error_display import ErrorDisplay
from spark_kernel.kernel.interrupts import Interrupts
from spark_kernel.kernel.names import SparkNames
from spark_kernel.spark.error_reports.kinds import raised_below_pyspark

__all__ = ["SparkShell"]

_log = logging.getLogger(__name__)
_PLACE = re.compile(r"(?P<file>/\S{0,300}/ipykernel_\d+/\d+\.py):(?P<line>\d+)")


class SparkShell(ZMQInteractiveShell):
    """Makes a cell that names ``spark`` wait for it before it runs.

    Waiting inside the run of the cell's code matters: ipykernel only logs a KeyboardInterrupt
    that comes between the request and the code, and its client would wait for ever.
    """

    end_behind: Callable[[BaseException, float], BaseException | None] | None = None
    """Gives the end of the session that is behind an error, if any."""
    names: SparkNames | None = None
    interrupts: Interrupts | None = None
    error_display: ErrorDisplay | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._began = threading.local()
        super().__init__(*args, **kwargs)

    def use_names(self, names: SparkNames) -> None:
        """Keep these names in the namespace from now on, through ``%reset`` too."""
        self.names = names
        self._install_names()

    def init_user_ns(self) -> None:
        """Fill a new or emptied namespace; called by IPython."""
        super().init_user_ns()
        self._install_names()

    def _install_names(self) -> None:
        if self.names is not None:
            self.names.install(self.user_ns)
            self.user_ns_hidden.update({name: self.user_ns[name] for name in ("spark", "sc")})

    async def run_code(
        self, code_obj: CodeType, result: Any = None, *, async_: bool = False
    ) -> bool:
        """Run the code of a cell; called by IPython for each statement or more."""
        if self.names is not None:
            self.names.prepare(code_obj)
        if self.interrupts is None:
            return bool(await super().run_code(code_obj, result, async_=async_))
        self._began.at = time.monotonic()
        with self.interrupts.code_running(async_):
            is_failed = bool(await super().run_code(code_obj, result, async_=async_))
        if is_failed and result is not None:
            error = self._cause_of(result.error_in_exec)
            result.error_in_exec = error or result.error_in_exec
        return is_failed

    def _cause_of(self, error: BaseException | None) -> BaseException | None:
        """Give what is behind an error: an interrupt of the cell, or the end of the driver."""
        if error is None or self.interrupts is None:
            return None
        interrupt = self.interrupts.interruption_of(error)
        # An error of Java's turns into a stale object where its driver ended just then.
        is_said = isinstance(error, SparkKernelError) and not isinstance(error, StaleSessionError)
        if interrupt is not None or is_said or self.end_behind is None:
            return interrupt
        if not raised_below_pyspark(error):
            return None
        try:
            return self.end_behind(error, getattr(self._began, "at", float("inf")))
        except (Exception, KeyboardInterrupt):  # the user's own error is shown all the same
            _log.exception("whether the session has ended is not known")
            return None

    def name_place(self, text: str) -> str:
        """Name the cells whose temporary files a text names, as tracebacks do."""

        def named(place: re.Match[str]) -> str:
            label = self.compile.format_code_name(place["file"])
            return f"{label[1]}:{place['line']}" if label else place[0]

        return _PLACE.sub(named, text)

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show what a cell raised; an ``await`` that was interrupted like any other code."""
        is_of_cell = kwargs.get("running_compiled_code")
        with self.interrupts.failing() if self.interrupts and is_of_cell else nullcontext():
            self._show_error(exc_tuple, *args, **kwargs)

    def _show_error(self, exc_tuple: Any, *args: Any, **kwargs: Any) -> None:
        if self.interrupts is not None and exc_tuple is None:
            error = self._cause_of(sys.exc_info()[1])
            if error is not None:
                exc_tuple = (type(error), error, error.__traceback__)
        if not self._showed_short(exc_tuple, *args, **kwargs):
            super().showtraceback(exc_tuple, *args, **kwargs)

    def _showed_short(
        self,
        exc_tuple: Any,
        filename: Any = None,
        tb_offset: Any = None,
        exception_only: bool = False,
        running_compiled_code: bool = False,
    ) -> bool:
        """Show an error of Spark's in its short form; whether it was one."""
        error = exc_tuple[1] if exc_tuple else sys.exc_info()[1]
        if error is None and not exc_tuple:
            error = getattr(sys, "last_value", None)  # as IPython does for %tb
        if self.error_display is None or exception_only:
            return False
        if error is None:
            return False
        try:
            view = self.error_display.view(error)
        except KeyboardInterrupt:  # the cell has failed all the same, and its client must hear it
            view = self.error_display.brief_view(error)
        if view is None:
            return False
        self._get_exc_info(exc_tuple)  # keeps it for %debug and %tb
        self._showtraceback(type(error), view.evalue, view.lines)
        self.error_display.show_details(view)
        if self.call_pdb:
            self.debugger(force=True)
        return True
