"""Hooks for nbclient and nbconvert: they put the records of a run into the notebook.

Whoever asks for these hooks asks for the records, so they are written whatever mode the kernel is
in; without provenance mode they know neither inputs nor outputs.
"""

from __future__ import annotations

import logging
import os
from collections.abc import MutableMapping
from typing import Any

from spark_kernel.protocol.provenance import KEY
from spark_kernel.recording.cells import mapping_of, reply_record, session_of, write_record
from spark_kernel.recording.summary import latest_run, summary_content

__all__ = ["PROVENANCE_VARIABLE", "Recorder", "enable", "record", "summarize"]

PROVENANCE_VARIABLE = "SPARK_KERNEL_PROVENANCE"
"""What asks a kernel for provenance mode."""

_MOST_SESSIONS = 64

_log = logging.getLogger(__name__)


class Recorder:
    """Writes records into cells, and remembers what kernels say for the notebook.

    Parameters
    ----------
    run_id
        A UUID for the run, if it is one run that is recorded.
    """

    def __init__(self, run_id: str = "") -> None:
        self._run_id = run_id
        self._settings: dict[str, dict[str, Any]] = {}

    def record(self, cell: MutableMapping[str, Any], execute_reply: Any) -> None:
        """Put the record of a reply into its cell; never fails."""
        try:
            metadata = mapping_of(execute_reply).get("metadata")
            write_record(cell, metadata)
            found = reply_record(execute_reply)
            if found is not None:
                self._remember(found.kernel.session, session_of(metadata).get("settings"))
        except Exception:
            _log.warning("The record of a cell was not written.", exc_info=True)

    def _remember(self, session: str, settings: Any) -> None:
        known = self._settings.pop(session, {})
        self._settings[session] = settings if isinstance(settings, dict) else known
        if len(self._settings) > _MOST_SESSIONS:
            del self._settings[next(iter(self._settings))]

    def summarize(self, notebook: MutableMapping[str, Any], *, is_failed: bool = False) -> None:
        """Sum up in the notebook's metadata what was recorded in its cells; never fails.

        A notebook whose latest run was recorded by others keeps what they said of it.
        """
        try:
            metadata = notebook.setdefault("metadata", {})
            run = latest_run(notebook)
            if not run:
                metadata.pop(KEY, None)
                return
            session = run[0][1].kernel.session
            if session in self._settings:
                metadata[KEY] = summary_content(
                    run, self._settings[session], is_failed=is_failed, run_id=self._run_id
                )
        except Exception:
            _log.warning("The summary of a notebook was not written.", exc_info=True)


_recorder = Recorder()
"""Of the hooks: nbclient is given functions, and traitlets copies whatever they are bound to."""


def record(*, cell: Any, execute_reply: Any, **_: Any) -> None:
    """Record a cell that nbclient has executed: its hook ``on_cell_executed``."""
    _recorder.record(cell, execute_reply)


def summarize(*, notebook: Any, **_: Any) -> None:
    """Sum up a notebook that nbclient has executed: its hook ``on_notebook_complete``."""
    _recorder.summarize(notebook)


def enable(config: Any) -> None:
    """Set the hooks in a ``jupyter_nbconvert_config.py``, and ask kernels for provenance mode.

    Parameters
    ----------
    config
        The ``c`` of that file.
    """
    os.environ.setdefault(PROVENANCE_VARIABLE, "1")
    config.NotebookClient.on_cell_executed = record
    config.NotebookClient.on_notebook_complete = summarize
    # nbconvert calls no hook at the end of a notebook.
    config.Exporter.preprocessors.append(_converted)
    config.ClearOutputPreprocessor.remove_metadata_fields.update({KEY})


def _converted(notebook: Any, resources: Any) -> tuple[Any, Any]:
    _recorder.summarize(notebook)
    return notebook, resources
