"""What ``%spark stale`` does."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Protocol

from IPython.core.error import UsageError
from IPython.display import display

from spark_kernel.protocol.provenance import CellRecord, Dataset, Fingerprint

__all__ = ["StaleControls", "show_stale"]

_SESSION_NAME = "JPY_SESSION_NAME"
"""Where a Jupyter server says which notebook it started the kernel for."""

_VS_CODE_NAME = "__vsc_ipynb_file__"
_SUFFIX = ".ipynb"


class StaleControls(Protocol):
    """What the command needs of the kernel."""

    def recent_records(self) -> list[tuple[str, CellRecord]]:
        """Give the sources and records of the latest runs of this process."""

    def data_fingerprint(self, dataset: Dataset) -> Fingerprint | None:
        """Ask Spark for the state of some data as it is now; None if it cannot tell."""

    def library_version(self, name: str) -> str | None:
        """Give the version of a library that was added to Spark, or is installed."""


def show_stale(controls: StaleControls, shell: Any, words: list[str]) -> None:
    """Show which results of this notebook, or of the one that is named, are out of date."""
    # Judging reads a lot of code, which a notebook that never asks does without.
    from spark_kernel.display.staleness import staleness_view
    from spark_kernel.recording.environment import Environment
    from spark_kernel.recording.notebooks import read_notebook
    from spark_kernel.recording.recent import recent_notebook, with_recent
    from spark_kernel.recording.staleness import judge

    named = " ".join(words).strip("\"'")
    path = Path(named).expanduser() if named else _own_path(shell)
    recent, history = controls.recent_records(), _history(shell)
    if path is None:
        if not recent:
            raise UsageError(
                "%spark stale knows neither the file of this notebook nor any run; "
                "`%spark stale NOTEBOOK` names the file"
            )
        notebook = recent_notebook(recent, history)
    else:
        notebook = read_notebook(path)
        saved = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        notebook = with_recent(notebook, recent, history, saved)
    environment = Environment(
        path.absolute().parent if path else Path.cwd(),
        controls.library_version,
        ask=controls.data_fingerprint,
    )
    display(staleness_view(judge(notebook, environment)), raw=True)


def _own_path(shell: Any) -> Path | None:
    """Give the file of the notebook that this kernel belongs to, where its client tells."""
    for told in (os.environ.get(_SESSION_NAME), shell.user_ns.get(_VS_CODE_NAME)):
        if isinstance(told, str) and told.endswith(_SUFFIX) and Path(told).is_file():
            return Path(told)
    return None


def _history(shell: Any) -> Mapping[int, str]:
    """Give what this process ran, by its counts; the cell that asks is not over yet."""
    manager = getattr(shell, "history_manager", None)
    sources = list(getattr(manager, "input_hist_raw", ()))
    return {count: str(source) for count, source in enumerate(sources[:-1]) if count}
