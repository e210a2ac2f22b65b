"""Shows errors of Spark's in their short form; all others are left to IPython.

Runs on the thread of the cell. Where anything goes wrong here, IPython shows the error as ever.
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from spark_kernel.kernel.notebook_code import notebook_of
from spark_kernel.protocol.error_content import ERROR_MIME, ErrorMoment, error_content
from spark_kernel.protocol.error_report import ErrorReport
from spark_kernel.protocol.mimebundle import MimeBundle
from spark_kernel.spark.error_reports.kinds import (
    causes_of,
    full_text,
    held_text,
    is_group,
    is_of_spark,
    is_shown_by_itself,
    link_before,
    members,
)
from spark_kernel.spark.error_reports.quiet import keep_quiet
from spark_kernel.spark.error_reports.remembered import let_remember
from spark_kernel.spark.error_reports.surroundings import Surroundings
from spark_kernel.spark.error_reports.user_code import Notebook, user_places

__all__ = ["ErrorDisplay", "ErrorView"]

_log = logging.getLogger(__name__)
_DEFAULT_MODE = "Context"
_GROUP_LINES = 40
_MEMBERS = 20


@dataclass(frozen=True)
class ErrorView:
    """What is shown of an error.

    Parameters
    ----------
    evalue
        What the error says by itself, as clients take it.
    lines
        In place of the traceback.
    """

    evalue: str
    lines: list[str]
    reports: tuple[ErrorReport, ...]

    @property
    def details(self) -> MimeBundle:
        """What is folded below."""
        from spark_kernel.display.error import error_details

        return error_details(self.reports)

    def display(self, moment: ErrorMoment | None) -> dict[str, Any]:
        """Give what is folded below, and what a client can do with it."""
        if moment is None:
            return {**self.details}
        return {**self.details, ERROR_MIME: error_content(self.reports, moment)}


class ErrorDisplay:
    """Knows the last error of Spark's, and how one is shown.

    Parameters
    ----------
    surroundings
        Gives what is known beside an error.
    moment
        Gives when and where it is, for clients; None where that is not known.
    """

    def __init__(
        self,
        shell: InteractiveShell,
        surroundings: Callable[[Notebook], Surroundings],
        moment: Callable[[], ErrorMoment | None] = lambda: None,
    ) -> None:
        self._shell = shell
        self._surroundings = surroundings
        self._moment = moment
        self._last: ErrorView | None = None
        self._of_thread = threading.local()
        keep_quiet()
        let_remember()
        threading.excepthook = self.thread_hook(threading.excepthook)

    @property
    def last_text(self) -> str:
        """All that is known of the last error of Spark's; empty where there was none."""
        from spark_kernel.display.error import error_text

        return error_text(self._last.reports) if self._last is not None else ""

    def view(self, error: BaseException | None) -> ErrorView | None:
        """Give what to show of an error; None where it is IPython's to show."""
        if error is None or self._shell.InteractiveTB.mode != _DEFAULT_MODE:
            return None
        try:
            return self._view(error)
        except Exception:
            _log.exception("the report of an error could not be made")
            return None

    def brief_view(self, error: BaseException) -> ErrorView:
        """Give one line of what an error holds, where showing more was interrupted."""
        said = held_text(error) or full_text(error)
        return ErrorView(said, [": ".join(filter(None, [type(error).__name__, said]))], ())

    def show_details(self, view: ErrorView) -> None:
        """Show what is folded below an error that has just been shown, and keep it."""
        self._of_thread.view = view
        if not view.reports:
            return
        self._last = view
        try:
            shown = view.display(self._moment())
            self._shell.display_pub.publish(data=shown, metadata={})
        except (Exception, KeyboardInterrupt):  # the error itself is out
            _log.exception("the details of an error could not be shown")

    def amend(self, reply: Mapping[str, Any]) -> dict[str, Any]:
        """Let the reply of a cell say what its error message has said."""
        last: ErrorView | None = getattr(self._of_thread, "view", None)
        if last is not None and reply.get("traceback") == last.lines:
            return {**reply, "evalue": last.evalue}
        return dict(reply)

    def thread_hook(self, hook: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """Print the short form of what ends a thread of the notebook's."""

        def excepthook(arguments: Any) -> Any:
            view = self.view(arguments.exc_value)
            if view is None:
                return hook(arguments)
            name = arguments.thread.name if arguments.thread is not None else "?"
            print(f"Exception in thread {name}:", *view.lines, sep="\n", file=sys.stderr)
            print(view.details["text/plain"], file=sys.stderr)
            self._last = view
            return None

        return excepthook

    # -- what is shown ---------------------------------------------------------------------

    def _view(self, error: BaseException) -> ErrorView | None:
        if is_group(error):
            return self._group(error)
        if is_shown_by_itself(error):
            return None  # it says shortly what its cause says at length
        chain = causes_of(error)
        position = next((n for n, one in enumerate(chain) if is_of_spark(one)), None)
        if position is None:
            return None
        found = chain[position]
        report, lines = self._report(found)
        if position:
            above = chain[position - 1]
            lines.append(f"\n{link_before(above)}\n")
            with _cut_off(above):
                lines += self._shell.InteractiveTB.structured_traceback(
                    type(error), error, error.__traceback__, tb_offset=1
                )
        return ErrorView(full_text(error), lines, (report,))

    def _report(self, error: BaseException) -> tuple[ErrorReport, list[str]]:
        # Imported at the first error: what reads them would delay every start of a kernel.
        from spark_kernel.display.error import error_lines
        from spark_kernel.spark.error_reports.report import build_report

        report = build_report(error, self._surroundings(notebook_of(self._shell)))
        return report, error_lines(report)

    def _plain(self, error: BaseException) -> ErrorView:
        """Show an error that is not Spark's, for it stands in a group with one that is."""
        from spark_kernel.spark.error_reports.report import plain_report

        report = plain_report(error, notebook_of(self._shell))
        return ErrorView(full_text(error), report.sections[0].text.splitlines(), (report,))

    def _group(self, group: BaseException) -> ErrorView | None:
        """Show a group as Python does: its own line, then each of its errors."""
        within = list(members(group))
        if not any(is_of_spark(one) for member in within for one in causes_of(member)):
            return None
        lines = [f"{type(group).__name__}: {full_text(group)}"]
        reports: list[ErrorReport] = []
        notebook = notebook_of(self._shell)
        for place in user_places(group.__traceback__, notebook)[-1:]:
            lines.append(f"{place.where}, line {place.line}")
            lines.append(f"----> {place.line} {place.source}")
        if len(within) > _MEMBERS:
            lines.append(f"{_MEMBERS} of its {len(within):,} errors are shown")
        for number, member in enumerate(within[:_MEMBERS], 1):
            lines.append(f"---------------- {number} of {len(within):,} ----------------")
            view = self._view(member) or self._plain(member)
            lines += view.lines
            reports += view.reports
        left = len(lines) - _GROUP_LINES
        if left > 0:
            lines = [*lines[:_GROUP_LINES], f"… {left} lines more: `%spark error` shows them"]
        return ErrorView(full_text(group), lines, tuple(reports))


@contextmanager
def _cut_off(error: BaseException) -> Iterator[None]:
    """Let an error seem to have no cause, which has been shown already."""
    cause, is_suppressed = error.__cause__, error.__suppress_context__
    error.__cause__, error.__suppress_context__ = None, True
    try:
        yield
    finally:
        error.__cause__, error.__suppress_context__ = cause, is_suppressed
