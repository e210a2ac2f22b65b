"""The whole exception tree, by what the user can do about it.

::

    SparkKernelError
    ├── ConfigurationError        change a setting
    ├── InstallationError         install or repair something
    │   ├── JavaNotFoundError
    │   ├── SparkNotFoundError
    │   └── SparkVersionError
    ├── SparkStartError           Spark did not start: read the reason, then `%spark restart`
    │   ├── DriverStartError      the driver JVM ended or never answered
    │   └── ClusterUnreachableError
    ├── SparkStoppedError         Spark is not running: `%spark restart`
    ├── CancelRequestError        what was to be cancelled cannot be: correct the request
    ├── LogRequestError           what is asked of the driver's log makes no sense: correct it
    ├── SparkJobCancelledError    someone cancelled a job: run the cell again if it was a mistake
    ├── SqlParameterError         a `:name` in SQL has no value that Spark can take
    ├── ChartError                a chart cannot be drawn so: another column or kind
    ├── NotebookError             a file is no notebook, or holds nothing of what is asked for
    └── KernelspecError           a kernelspec could not be written or removed

    UserWarning
    └── LateSettingWarning        a setting came too late to count
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "CancelRequestError",
    "ChartError",
    "ClusterUnreachableError",
    "ConfigurationError",
    "DriverLostError",
    "DriverStartError",
    "InstallationError",
    "JavaNotFoundError",
    "KernelspecError",
    "LateSettingWarning",
    "LibraryError",
    "LogRequestError",
    "NotebookError",
    "ResourceRequestError",
    "SparkJobCancelledError",
    "SparkKernelError",
    "SparkNotFoundError",
    "SparkStartError",
    "SparkStoppedError",
    "SparkVersionError",
    "SqlParameterError",
    "StaleRequestError",
    "StaleSessionError",
]


class SparkKernelError(Exception):
    """An error whose text says what happened and what to do.

    Parameters
    ----------
    message
        What happened and where, in a sentence or two.
    hint
        What to do about it; empty where nothing is known.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nHint: {self.hint}" if self.hint else self.message

    def _render_traceback_(self) -> list[str]:
        """Say what IPython shows in place of a traceback: our frames would explain nothing."""
        return [f"{type(self).__name__}: {self}"]


class ConfigurationError(SparkKernelError):
    """A setting of the kernel or of Spark is unknown, mistyped or contradictory."""


class InstallationError(SparkKernelError):
    """Something that the kernel stands on is missing, broken or of the wrong version."""


class JavaNotFoundError(InstallationError):
    """No usable Java runtime.

    Parameters
    ----------
    tried
        One line for each place that was looked at, with what was wrong there.
    needed
        The versions that would do, such as ``17 to 25``.
    remedy
        What mends it: the one command, or the setting to correct.
    """

    def __init__(self, tried: Sequence[str], needed: str, remedy: str) -> None:
        self.tried = tuple(tried)
        self.needed = needed
        places = "".join(f"\n  - {line}" for line in self.tried)
        super().__init__(
            f"No usable Java was found; Spark needs Java {needed}. Tried:{places}",
            remedy,
        )


class SparkNotFoundError(InstallationError):
    """Neither SPARK_HOME nor an installed pyspark leads to a Spark."""


class SparkVersionError(InstallationError):
    """The Spark of SPARK_HOME and the installed pyspark do not fit together."""

    def __init__(self, spark_home: str, spark_version: str, pyspark_version: str) -> None:
        self.spark_home = spark_home
        self.spark_version = spark_version
        self.pyspark_version = pyspark_version
        series = ".".join(spark_version.split(".")[:2])
        super().__init__(
            f"SPARK_HOME ({spark_home}) is Spark {spark_version}, but the installed pyspark is "
            f"{pyspark_version}; the two must be of the same series.",
            f"run `pip install 'pyspark=={series}.*'`, or unset SPARK_HOME to use pyspark's own",
        )


class SparkStartError(SparkKernelError):
    """Spark did not start; the kernel stays usable."""


class DriverStartError(SparkStartError):
    """The driver JVM ended, or did not answer in time, before Spark was ready.

    Parameters
    ----------
    exit_status
        The exit status of the process, negative for a signal, or None while it runs.
    log_path
        The driver's log.
    """

    def __init__(
        self, message: str, hint: str = "", *, exit_status: int | None = None, log_path: str = ""
    ) -> None:
        super().__init__(message, hint)
        self.exit_status = exit_status
        self.log_path = log_path


class ClusterUnreachableError(SparkStartError):
    """No connection to the cluster's master."""


class NoContextError(SparkKernelError):
    """``sc`` is used on Spark Connect, which has none."""

    def __init__(self) -> None:
        super().__init__(
            "Spark Connect has no SparkContext, so there are neither `sc` nor RDDs.",
            "use `spark` and DataFrames (spark.range, spark.createDataFrame, df.mapInPandas)",
        )


class SparkStoppedError(SparkKernelError):
    """Spark was stopped, or is not started by this configuration."""


class DriverLostError(SparkKernelError):
    """The driver ended while a cell used it."""


class StaleSessionError(SparkKernelError):
    """Something is used that belongs to a session that has ended."""


class CancelRequestError(SparkKernelError):
    """A request to cancel something makes no sense, or could not be carried out."""


class SparkJobCancelledError(SparkKernelError):
    """A job was cancelled with ``%spark cancel`` or by a client, not by an interrupt."""


class LibraryError(SparkKernelError):
    """A library could not be had, or Spark did not take it."""


class LogRequestError(SparkKernelError):
    """A request for the driver's log makes no sense, or the log cannot be read."""


class ResourceRequestError(SparkKernelError):
    """A request for ``resource_info`` makes no sense."""


class StaleRequestError(SparkKernelError):
    """A notebook that was sent to be judged makes no sense, or cannot be judged now."""


class KernelspecError(SparkKernelError):
    """A kernelspec could not be written, found or removed."""


class SqlParameterError(SparkKernelError):
    """A parameter of a statement of SQL has no value, or none that Spark can take."""


class ChartError(SparkKernelError):
    """A chart of these columns and of this kind cannot be drawn."""


class NotebookError(SparkKernelError):
    """A file cannot be read as a notebook, or has no records of runs."""


class LateSettingWarning(UserWarning):
    """A setting was given to a session that already runs, where it cannot take effect."""
