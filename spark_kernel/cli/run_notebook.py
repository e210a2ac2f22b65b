"""Runs a notebook with papermill, for ``spark-kernel run``: checks, progress, signals, the end."""

from __future__ import annotations

import difflib
import logging
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from nbformat import ValidationError
from papermill import execute_notebook  # type: ignore[import-untyped]
from papermill.engines import papermill_engines  # type: ignore[import-untyped]
from papermill.exceptions import (  # type: ignore[import-untyped]
    PapermillException,
    PapermillExecutionError,
)
from papermill.iorw import papermill_io  # type: ignore[import-untyped]

from spark_kernel.cli.kernelspecs import InstalledSpec, found_specs
from spark_kernel.cli.run_kernel import RunKernelManager, Stop, StoppedError
from spark_kernel.cli.run_progress import CellProgress, first_line
from spark_kernel.display.jobs import duration_text, joined, plural
from spark_kernel.errors import KernelspecError, NotebookError
from spark_kernel.protocol.provenance import CellRecord, RunStatus
from spark_kernel.recording.cells import mapping_of, reply_record, tags_of
from spark_kernel.recording.engine import ENGINE, SparkKernelEngine
from spark_kernel.recording.files import read_notebook_file, write_in_place
from spark_kernel.recording.lineage_run import LINEAGE_VARIABLE
from spark_kernel.redaction import redacted

__all__ = ["NotebookRun", "RunRequest", "prepare"]

_DEFAULT_KERNEL = "pyspark_cluster"
_START_TIMEOUT_S = 60
_LONGEST_REASON = 300
_UNFIT = (
    PapermillException,
    ValidationError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What nbformat and papermill raise at a notebook that lacks something, or is of a wrong shape."""


@dataclass(frozen=True)
class RunRequest:
    """What is to be run; paths are as they were given."""

    notebook: Path
    out: Path
    parameters: Mapping[str, object]
    kernel: str = ""
    cwd: Path | None = None
    timeout_s: int | None = None
    is_recorded: bool = True
    lineage: str = ""


def prepare(request: RunRequest) -> NotebookRun:
    """Check everything that can be checked before anything runs.

    Raises
    ------
    NotebookError, KernelspecError
        If something is wrong with what was given.
    """
    notebook = read_notebook_file(request.notebook)
    _check_places(request)
    kernel = _kernel_for(request, notebook)
    cells = list(filter(_is_run, notebook["cells"]))
    is_added = request.parameters and not any(
        "injected-parameters" in tags_of(one) for one in cells
    )
    return NotebookRun(request, kernel, len(cells) + bool(is_added))


class NotebookRun:
    """One run of a notebook.

    Parameters
    ----------
    kernel
        The kernelspec.
    cells
        How many cells there are to run.
    """

    def __init__(self, request: RunRequest, kernel: str, cells: int) -> None:
        self._request = request
        self._kernel = kernel
        self._lineage = _absolute(request.lineage or os.environ.get(LINEAGE_VARIABLE, ""))
        self._file = _OutFile()
        self._progress = CellProgress(cells, sys.stdout)
        self._manager = RunKernelManager(kernel_name=kernel, is_recorded=request.is_recorded)
        self._stop = Stop(self._manager, self._progress.say)
        self._jobs = 0
        self._is_late = False

    def execute(self) -> int:
        """Run it, and give the exit status of the command."""
        handler = _Warnings(self._progress)
        loggers = [logging.getLogger(name) for name in ("papermill", "spark_kernel")]
        for logger in loggers:
            logger.addHandler(handler)
        self._progress.start()
        try:
            with self._stop:
                return self._status()
        finally:
            self._progress.stop()
            for logger in loggers:
                logger.removeHandler(handler)

    def _status(self) -> int:
        try:
            self._execute()
        except PapermillExecutionError as error:
            return self._ended(f"{self._place()} failed: {_reason(error.ename, error.evalue)}")
        except DeadKernelError:
            return self._ended(f"The kernel died in {self._place().lower()}.")
        except StoppedError:
            return self._ended("")
        except OSError as error:
            return self._ended(f"{error.strerror or error}: {error.filename or self._out}")
        except _UNFIT as error:
            return self._ended(f"The notebook cannot be run: {_reason('', error)}")
        except RuntimeError as error:
            return self._ended(f"The kernel {self._kernel} did not start: {_reason('', error)}")
        if self._stop.signal:
            return self._ended("")
        done = joined(
            (
                plural(self._progress.number, "cell"),
                duration_text(self._stop.elapsed_s),
                plural(self._jobs, "job") if self._jobs else "",
            )
        )
        is_whole = self._progress.number >= self._progress.total
        stopped = "" if is_whole else f" (stopped in {self._place().lower()})"
        self._progress.say(f"{done}{stopped}: {self._out}")
        return 0

    def _execute(self) -> None:
        request = self._request
        papermill_engines.register(ENGINE, SparkKernelEngine)
        papermill_io.register(str(request.out), self._file)
        try:
            execute_notebook(
                _without_fields(request.notebook),
                _without_fields(request.out),
                dict(request.parameters),
                engine_name=ENGINE,
                kernel_name=self._kernel,
                language="python",
                progress_bar=False,
                start_timeout=_START_TIMEOUT_S,
                cwd=request.cwd,
                execution_timeout=request.timeout_s,
                interrupt_on_timeout=True,
                km=self._manager,
                is_recorded=request.is_recorded,
                lineage=self._lineage,
                on_notebook_start=self._notebook_started,
                on_cell_execute=self._cell_started,
                on_cell_executed=self._cell_executed,
            )
        finally:
            self._stop.is_over = True
            run_sync(self._manager.end)()

    def _notebook_started(self, **_: Any) -> None:
        self._stop.check()
        self._file.is_open = True

    def _cell_started(self, cell: Any, **_: Any) -> None:
        self._stop.check()
        self._stop.is_cell_running = True
        self._manager.interrupts = 0
        self._progress.cell_started(cell.source)

    def _cell_executed(self, execute_reply: Any, **_: Any) -> None:
        reply = execute_reply or {}
        record = reply_record(reply)
        self._jobs += _job_count(record)
        timeout_s, has_ended = self._request.timeout_s, not self._stop.signal
        self._is_late = bool(timeout_s and has_ended and self._progress.running_s >= timeout_s)
        self._progress.cell_finished(reply.get("content") or {}, record)
        self._stop.is_cell_running = False

    def _place(self) -> str:
        return f"Cell {self._progress.number} of {self._progress.total}"

    @property
    def _out(self) -> str:
        return str(self._request.out)

    def _ended(self, problem: str) -> int:
        """Say how it ended, and give the exit status."""
        self._progress.stop()
        if self._stop.signal:
            where = f" in {self._place().lower()}" if self._progress.number else ""
            problem = f"Interrupted{where}."
        elif self._is_late:
            problem = f"{self._place()} ran longer than {self._request.timeout_s} s (--timeout)."
        kept = (
            f"The notebook as far as it ran is {self._out}."
            if self._file.is_open
            else f"Nothing was run, and {self._out} was not written."
        )
        click.echo(f"Error: {problem}\n{kept}", err=True)
        return 128 + self._stop.signal if self._stop.signal else 1


class _OutFile:
    """Writes a notebook for papermill: in one step, and not before its kernel has started."""

    def __init__(self) -> None:
        self._folder = Path.cwd()  # papermill goes to another folder while it runs the notebook
        self.is_open = False

    def read(self, path: str) -> str:
        """Read a notebook."""
        return (self._folder / path).read_text(encoding="utf-8")

    def write(self, text: str, path: str) -> None:
        """Write a notebook."""
        if self.is_open:
            write_in_place(self._folder / path, text)

    def pretty_path(self, path: str) -> str:
        """Name a notebook."""
        return path


class _Warnings(logging.Handler):
    """Shows what papermill and we warn of, such as a parameter that the notebook does not know."""

    def __init__(self, progress: CellProgress) -> None:
        super().__init__(logging.WARNING)
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        """Show a warning; what is worse ends the run, and is told then."""
        if record.levelno == logging.WARNING:
            self._progress.say(f"Warning: {_reason('', record.getMessage())}")


def _check_places(request: RunRequest) -> None:
    folder = request.out.absolute().parent
    if not folder.is_dir():
        raise NotebookError(f"There is no folder {folder} for OUT.", f"`mkdir -p {folder}` first")
    if request.out.is_dir():
        raise NotebookError(f"OUT ({request.out}) is a folder.", "name the file to write")
    if not os.access(folder, os.W_OK):
        raise NotebookError(f"{folder} cannot be written to.", "name another place for OUT")
    if request.cwd is not None and not request.cwd.is_dir():
        raise NotebookError(f"There is no folder {request.cwd} to run in.", "name another --cwd")


def _kernel_for(request: RunRequest, notebook: Mapping[str, Any]) -> str:
    """Choose the kernelspec: the one that was named, the notebook's if it is ours, or our own."""
    specs = found_specs()
    if request.kernel:
        return _named_kernel(request.kernel, specs)
    told = mapping_of(mapping_of(notebook.get("metadata")).get("kernelspec"))
    spec = specs.get(str(told.get("name")).lower())
    if spec is not None and spec.is_ours:
        return spec.name
    language = str(told.get("language") or "python")
    if language.lower() != "python":
        raise KernelspecError(
            f"{request.notebook} is a notebook of {language}, and this kernel runs Python.",
            "name its kernel with --kernel if it shall be run all the same",
        )
    return _named_kernel(_DEFAULT_KERNEL, specs)


def _named_kernel(name: str, specs: Mapping[str, InstalledSpec]) -> str:
    spec = specs.get(name.lower())
    if spec is None:
        near = difflib.get_close_matches(name.lower(), specs, n=1)
        hint = f"did you mean {near[0]!r}?" if near else "`jupyter kernelspec list` lists them"
        if name == _DEFAULT_KERNEL:
            hint = "run `spark-kernel install`, or name another with --kernel"
        raise KernelspecError(f"There is no kernelspec {name!r}.", hint)
    return spec.name


def _is_run(cell: Any) -> bool:
    """Whether nbclient runs a cell."""
    if not isinstance(cell, Mapping) or cell.get("cell_type") != "code":
        return False
    source = cell.get("source")
    text = "".join(map(str, source)) if isinstance(source, list) else str(source or "")
    return bool(text.strip()) and "skip-execution" not in tags_of(cell)


def _without_fields(path: Path) -> str:
    """Give a path that papermill takes as it is: it fills in what stands in braces."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _absolute(lineage: str) -> str:
    """Give a file by its whole path, as papermill goes to another folder; a URL as it is."""
    return lineage if not lineage or "://" in lineage else str(Path(lineage).absolute())


def _job_count(record: CellRecord | None) -> int:
    if record is None or record.status is RunStatus.ABORTED:
        return 0
    return len(record.jobs) + record.omitted_jobs


def _reason(name: str, text: object) -> str:
    line = first_line(redacted(str(text)), _LONGEST_REASON)
    return ": ".join(filter(None, [name, line]))
