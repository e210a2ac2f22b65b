"""Tells a run of a notebook to whoever wants OpenLineage events: a file, or a server.

Nothing here stops a run: what cannot be told is logged once, and the run goes on.
"""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from spark_kernel.errors import InstallationError, NotebookError
from spark_kernel.protocol.provenance import KEY, CellRecord, RunStatus
from spark_kernel.recording.cells import mapping_of, reply_record
from spark_kernel.recording.summary import latest_run, summary_content
from spark_kernel.redaction import redacted

if TYPE_CHECKING:
    from openlineage.client import OpenLineageClient
    from openlineage.client.event_v2 import RunEvent
    from openlineage.client.transport import Transport

    from spark_kernel.recording.lineage import NotebookLineage

__all__ = ["LINEAGE_VARIABLE", "RunLineage", "follow_run", "job_name", "send_notebook"]

LINEAGE_VARIABLE = "SPARK_KERNEL_LINEAGE"
"""Names the file or the server for whoever runs notebooks."""

_KEY_VARIABLE = "OPENLINEAGE_API_KEY"
_NAMESPACE_VARIABLE = "OPENLINEAGE_NAMESPACE"
_TIMEOUT_S = 5.0
_RETRIES = {"total": 1, "connect": 1, "read": 0, "backoff_factor": 0.2}

_log = logging.getLogger(__name__)


class RunLineage:
    """Tells one run, as it goes on.

    Parameters
    ----------
    make
        Makes the events.
    client
        Sends them.
    """

    def __init__(self, make: NotebookLineage, client: OpenLineageClient) -> None:
        self._make = make
        self._client = client
        self._is_broken = False

    def start(self) -> None:
        """Tell that the notebook has begun."""
        self._send(self._make.started(datetime.now(timezone.utc)))

    def cell(self, cell: Mapping[str, Any], index: int, execute_reply: Any) -> None:
        """Tell of a cell; never fails."""
        try:
            record = reply_record(execute_reply)
            if record is not None and not self._is_broken:
                self._send(*self._make.cell(_cell_name(cell, index), record))
        except Exception as error:
            self._give_up(error)

    def finish(self, notebook: Mapping[str, Any], *, is_failed: bool) -> None:
        """Tell that the notebook has ended, even if not all of its cells could be told."""
        try:
            run = latest_run(notebook)
            found = [record for _, record in run]
            summary = (
                summary_content(run, {}, is_failed=is_failed, run_id=self._make.run_id)
                if run
                else {"status": (RunStatus.ERROR if is_failed else RunStatus.OK).value}
            )
            self._send(self._make.finished(summary, found))
            self._client.close(_TIMEOUT_S)
        except Exception as error:
            self._give_up(error)

    def _send(self, *events: RunEvent) -> None:
        try:
            for event in events:
                self._client.emit(event)
        except Exception as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        if not self._is_broken:
            _log.warning("The lineage of this run is not told completely: %s", _reason(error))
        self._is_broken = True


def follow_run(target: str, input_path: Any, run_id: str) -> RunLineage | None:
    """Begin to tell a run; None if nobody wants to know, or it cannot be told.

    Parameters
    ----------
    target
        A file or a URL; empty for what the environment says.
    input_path
        The notebook.
    """
    target = target or os.environ.get(LINEAGE_VARIABLE, "")
    if not target:
        return None
    try:
        follower = RunLineage(_lineage(job_name(input_path), run_id), _client(target))
        follower.start()
    except Exception as error:
        _log.warning("The lineage of this run is not told: %s", _reason(error))
        return None
    return follower


def send_notebook(notebook: Mapping[str, Any], path: Path, target: str) -> int:
    """Tell the latest run of a notebook that has been run already.

    Its events have the same identifiers each time.

    Returns
    -------
    int
        How many events were sent.

    Raises
    ------
    NotebookError
        If it holds no records, or the events could not be sent.
    """
    run = latest_run(notebook)
    if not run:
        raise NotebookError(
            f"{path} holds no records of a run.",
            "run it with `spark-kernel run`, or see docs/provenance.md",
        )
    metadata = mapping_of(notebook.get("metadata"))
    told = mapping_of(metadata.get(KEY))
    is_failed = told.get("status") == RunStatus.ERROR.value
    run_id = _run_id(told, run[0][1])
    summary = summary_content(run, {}, is_failed=is_failed, run_id=run_id)
    # A cell is named by its place in the whole notebook, as while it ran.
    places = {id(cell): index for index, cell in enumerate(notebook["cells"])}
    found = [record for _, record in run]
    origin = mapping_of(metadata.get("papermill")).get("input_path")
    make = _lineage(job_name(origin or path), run_id)
    began = min((one.started for one in found if one.started), default=None)
    events = [make.started(began or datetime.now(timezone.utc))]
    for cell, record in run:
        events += make.cell(_cell_name(cell, places[id(cell)]), record)
    events.append(make.finished(summary, found))
    _send_all(events, target)
    return len(events)


def _send_all(events: Iterable[RunEvent], target: str) -> None:
    try:
        client = _client(target)
        for event in events:
            client.emit(event)
        client.close(_TIMEOUT_S)
    except InstallationError:
        raise
    except Exception as error:
        raise NotebookError(
            f"The lineage cannot be sent: {_reason(error)}",
            "name a file, or the URL of an OpenLineage server such as http://HOST:5000",
        ) from None


def job_name(path: Any) -> str:
    """Name the job of a notebook by its path as given, or its file where that tells a machine."""
    given = PurePosixPath(str(path or "notebook"))
    is_plain = not given.is_absolute() and ".." not in given.parts
    return str(given.with_suffix("")) if is_plain and given.name else given.stem or "notebook"


def _lineage(name: str, run_id: str) -> NotebookLineage:
    try:
        from spark_kernel.recording.lineage import NotebookLineage
    except ImportError as error:
        raise _not_installed() from error
    return NotebookLineage(os.environ.get(_NAMESPACE_VARIABLE) or "default", name, run_id)


def _cell_name(cell: Mapping[str, Any], index: int) -> str:
    from spark_kernel.recording.lineage import cell_name

    return cell_name(cell, index)


def _client(target: str) -> OpenLineageClient:
    try:
        from openlineage.client import OpenLineageClient
    except ImportError as error:
        raise _not_installed() from error
    return OpenLineageClient(transport=_transport(target))


def _not_installed() -> InstallationError:
    return InstallationError(
        "OpenLineage's client is not installed.", "run `pip install 'spark-kernel[lineage]'`"
    )


def _transport(target: str) -> Transport:
    from openlineage.client.transport.file import FileConfig, FileTransport
    from openlineage.client.transport.http import HttpConfig, HttpTransport

    if not target.lower().startswith(("http://", "https://")):
        # The notebook may run in another folder.
        return FileTransport(FileConfig(str(Path(target).expanduser().absolute()), append=True))
    parts = urlsplit(target)
    options: dict[str, Any] = {
        "url": f"{parts.scheme}://{parts.netloc}",
        "timeout": _TIMEOUT_S,
        "retry": _RETRIES,
    }
    if parts.path.strip("/"):
        options["endpoint"] = f"{parts.path}?{parts.query}" if parts.query else parts.path
    if key := os.environ.get(_KEY_VARIABLE):
        options["auth"] = {"type": "api_key", "apiKey": key}
    return HttpTransport(HttpConfig.from_dict(options))


def _run_id(told: Mapping[str, Any], first: CellRecord) -> str:
    """Give the UUID of a run, which is made of its first record where the notebook has none."""
    try:
        return str(uuid.UUID(str(told.get("run_id"))))
    except ValueError:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{first.kernel.session} {first.started}"))


def _reason(error: Exception) -> str:
    """Say what went wrong in one line, without keys."""
    text = redacted(str(error)) or type(error).__name__
    key = os.environ.get(_KEY_VARIABLE)
    line = " ".join(text.split())[:300]
    return line.replace(key, "***") if key else line
