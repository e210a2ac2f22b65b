"""The ``%spark`` magic."""

from __future__ import annotations

import difflib
from typing import Any, Protocol

from IPython.core.error import UsageError
from IPython.core.magic import Magics, cell_magic, line_magic, magics_class
from IPython.display import display

from spark_kernel.display.session import session_card
from spark_kernel.magics import conf, error, libraries, progress, provenance
from spark_kernel.magics.frames import FrameDisplay, set_rows
from spark_kernel.protocol.mimebundle import MimeBundle
from spark_kernel.spark.session import KernelSession

__all__ = ["SparkMagics"]

_LOG_LINES = 40
_COMMANDS = (
    "status",
    "info",
    "jobs",
    "cancel",
    "progress",
    "rows",
    "attach",
    "conf",
    "add",
    "libraries",
    "restart",
    "stop",
    "logs",
    "error",
    "provenance",
)
_WITH_ARGUMENTS = (
    "cancel",
    "progress",
    "rows",
    "attach",
    "conf",
    "add",
    "libraries",
    "logs",
    "provenance",
)


class SparkControls(progress.JobControls, provenance.ProvenanceControls, Protocol):
    """What the magic needs of the kernel."""

    @property
    def spark_session(self) -> KernelSession:
        """The session of the kernel."""

    @property
    def frames(self) -> FrameDisplay:
        """Shows DataFrames."""

    def resource_card(self) -> MimeBundle:
        """Show what the cluster has."""

    @property
    def cluster_names(self) -> list[str]:
        """The names of the clusters that there are."""

    def attach(self, cluster: str) -> None:
        """Move to another cluster and wait for it."""

    def require_spark(self) -> Any:
        """Give the session, waiting for it."""

    def restart_spark(self) -> None:
        """Start Spark anew and wait for it."""


@magics_class
class SparkMagics(Magics):
    """Magics of the kernel.

    Parameters
    ----------
    controls
        The kernel, as far as magics may use it.
    """

    def __init__(self, shell: Any, controls: SparkControls) -> None:
        super().__init__(shell)
        self._controls = controls

    @line_magic
    def spark(self, line: str) -> None:
        """Look after the Spark session of this notebook.

        Usage::

            %spark status       how things stand: cluster, application, versions, links
            %spark info         what the cluster has and what is in use: executors, cores, memory
            %spark jobs         what runs now, from which cell, and how far it is
            %spark cancel ID    stop a job, or a streaming query; also `stage N`, `cell ID`, `all`
            %spark progress     how progress is shown; `on`, `off` or seconds change it
            %spark rows N       how many rows a DataFrame shows; 0 for its schema alone
            %spark attach NAME  move to another cluster; without a name, which clusters there are
            %spark conf [PREFIX]  the settings in force, and where each comes from; the cell magic
                                %%spark_conf changes them
            %spark add WHAT     add a jar, a Maven coordinate, a .py, package folder, zip, wheel,
                                archive or file, or an address of one; `--pip NAME==VERSION`,
                                `--repository URL`, `--exclude GROUP:ARTIFACT`, `--restart`
            %spark libraries    what was added; `forget NAME` leaves one out from now on
            %spark restart      end Spark and start it anew, also after a failure; Python
                                variables stay, cached data and temporary views are gone
            %spark stop         end Spark and give its resources back
            %spark logs [N]     the last N lines of the driver log (40 by default)
            %spark error        the whole of the last error: Python traceback, traceback of the
                                worker, causes in the JVM, links
            %spark provenance   whether cells keep who ran them, when and on which data; `on` or
                                `off` changes it

        Without a command it is ``%spark status``. Settings are read when the kernel starts; see
        ``c.SparkKernel`` in ``spark_kernel_config.py``.
        """
        command, rest = [*line.split(maxsplit=1), "", ""][:2]
        command = command or "status"
        arguments = rest.split()
        if command not in _COMMANDS:
            near = difflib.get_close_matches(command, _COMMANDS, n=1)
            hint = f"did you mean `%spark {near[0]}`?" if near else ""
            raise UsageError(
                f"%spark has no command {command!r}; {hint or 'it has ' + ', '.join(_COMMANDS)}"
            )
        if arguments and command not in _WITH_ARGUMENTS:
            raise UsageError(f"%spark {command} takes nothing more, but got {arguments[0]!r}")
        if command == "add":
            self._add(rest)  # as it is written: a path may hold blanks
            return
        getattr(self, f"_{command}")(*arguments)

    def _status(self) -> None:
        display(session_card(self._controls.spark_session.status), raw=True)

    def _info(self) -> None:
        display(self._controls.resource_card(), raw=True)

    def _jobs(self) -> None:
        progress.show_jobs(self._controls)

    def _cancel(self, *arguments: str) -> None:
        progress.cancel(self._controls, list(arguments))

    def _progress(self, *arguments: str) -> None:
        progress.set_progress(self._controls, list(arguments))

    def _rows(self, *arguments: str) -> None:
        set_rows(self._controls.frames, list(arguments))

    def _attach(self, name: str = "", *rest: str) -> None:
        if rest:
            raise UsageError("%spark attach takes the name of one cluster")
        if name:
            self._controls.attach(name)
            self._status()
            return
        names = self._controls.cluster_names
        print("\n".join(names) or "No cluster is named yet; see `spark-kernel clusters --help`.")

    def _conf(self, prefix: str = "", *rest: str) -> None:
        if rest:
            raise UsageError("%spark conf takes the beginning of a name, such as spark.sql")
        conf.show(self._controls.spark_session, prefix)

    @cell_magic
    def spark_conf(self, line: str, cell: str) -> None:
        """Change settings of Spark, for this session where that is possible.

        Usage::

            %%spark_conf [--restart]
            spark.sql.shuffle.partitions = 64
            -spark.executor.memory
            # or a JSON object; null takes a change back, as the minus does

        What needs a new session counts from the next one on; ``--restart`` makes it at once.
        Settings are added to those that there are, and stay through ``%spark restart``.
        """
        conf.change(self._controls.spark_session, line, cell, self._controls.restart_spark)

    def _add(self, words: str) -> None:
        controls = self._controls
        libraries.add(controls.spark_session, controls.require_spark, words, controls.restart_spark)

    def _libraries(self, *words: str) -> None:
        libraries.show(self._controls.spark_session.libraries, list(words))

    def _restart(self) -> None:
        self._controls.restart_spark()
        self._status()

    def _stop(self) -> None:
        self._controls.spark_session.stop()
        self._status()

    def _error(self) -> None:
        error.show_error(self.shell)

    def _provenance(self, *arguments: str) -> None:
        provenance.set_provenance(self._controls, list(arguments))

    def _logs(self, count: str = str(_LOG_LINES), *rest: str) -> None:
        if rest or not count.isdecimal() or int(count) == 0:
            raise UsageError("%spark logs takes a number of lines, such as `%spark logs 100`")
        driver = self._controls.spark_session.driver
        none = (
            "The driver is the server's, and so is its log."
            if driver.is_remote
            else "There is no driver log yet."
        )
        print("\n".join(driver.log_tail(int(count))) or none)
