"""What ``%spark jobs``, ``%spark cancel`` and ``%spark progress`` do."""

from __future__ import annotations

from typing import Any, Protocol

from IPython.core.error import UsageError
from IPython.display import display

from spark_kernel.display.progress import jobs_table
from spark_kernel.protocol.progress import JobProgress, QueryProgress

__all__ = ["JobControls", "cancel", "set_progress", "show_jobs"]

_LEAST_INTERVAL_S = 0.34


class JobControls(Protocol):
    """What the commands need of the kernel."""

    def running_jobs(self) -> tuple[list[JobProgress], list[QueryProgress], dict[int, str]]:
        """Give the jobs and queries that run, and whose cells the jobs are."""

    def cancel(self, scope: str, identifier: Any = None) -> list[Any]:
        """Cancel something; gives the ids of what was cancelled."""

    @property
    def progress_settings(self) -> tuple[bool, float]:
        """Whether progress is shown, and every how many seconds."""

    def set_progress(self, is_enabled: bool, interval_s: float) -> None:
        """Change how progress is shown, from the next job on."""


def show_jobs(controls: JobControls) -> None:
    """List what runs, with how to stop it."""
    display(jobs_table(*controls.running_jobs()), raw=True)


def cancel(controls: JobControls, arguments: list[str]) -> None:
    """Stop a job by its number, a query by its id or name, a stage, or everything."""
    scope, identifier = _meant(arguments)
    cancelled = controls.cancel(scope, identifier)
    what = "everything" if scope == "all" else f"{scope} {identifier}"
    if cancelled:
        noun = "Stopped" if scope == "query" else "Cancelled"
        ids = ", ".join(map(str, cancelled))
        print(f"{noun} {scope if scope != 'all' else 'jobs'} {ids}.")
    else:
        print(f"There is nothing to cancel: {what} does not run. `%spark jobs` lists what does.")


def _meant(arguments: list[str]) -> tuple[str, Any]:
    match arguments:
        case ["all"]:
            return "all", None
        case ["job" | "stage" as scope, number] if number.isdecimal():
            return scope, int(number)
        case ["query" | "cell" as scope, identifier]:
            return scope, identifier
        case [number] if number.isdecimal():
            return "job", int(number)
        case [identifier] if identifier not in ("job", "stage", "query", "cell"):
            return "query", identifier
    raise UsageError(
        "%spark cancel takes the number of a job, the id or name of a streaming query, "
        "`stage N`, `cell ID` or `all`; `%spark jobs` lists what runs"
    )


def set_progress(controls: JobControls, arguments: list[str]) -> None:
    """Switch progress on or off, or set its interval; say how it is set."""
    is_enabled, interval_s = controls.progress_settings
    match arguments:
        case []:
            pass
        case ["on" | "off" as switch]:
            is_enabled = switch == "on"
        case [seconds] if _is_interval(seconds):
            is_enabled, interval_s = True, float(seconds)
        case _:
            raise UsageError(
                "%spark progress takes `on`, `off` or the seconds between two updates, "
                f"at least {_LEAST_INTERVAL_S}"
            )
    controls.set_progress(is_enabled, interval_s)
    print(f"Progress is shown every {interval_s:g} s." if is_enabled else "Progress is off.")


def _is_interval(text: str) -> bool:
    try:
        return _LEAST_INTERVAL_S <= float(text) < 3600
    except ValueError:
        return False
