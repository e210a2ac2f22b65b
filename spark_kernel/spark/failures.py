"""Turns a failed start into one short reason and what to do about it.

The reasons come from the driver's log or from the Java exception of the context's constructor;
both are matched against the few things that really go wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from spark_kernel.errors import (
    DriverStartError,
    SparkKernelError,
    SparkStartError,
    SparkStoppedError,
)
from spark_kernel.protocol.events import SessionState, SessionStatus

__all__ = [
    "RESTART_HINT",
    "explain_application",
    "explain_exception",
    "explain_exit",
    "explain_text",
    "explain_unusable",
]

RESTART_HINT = "run `%spark restart`"


@dataclass(frozen=True)
class _Cause:
    pattern: re.Pattern[str]
    message: str
    hint: str


def _cause(pattern: str, message: str, hint: str) -> _Cause:
    return _Cause(re.compile(pattern, re.IGNORECASE), message, hint)


_CAUSES = (
    _cause(
        r"No space left on device|Disk quota exceeded",
        "The disk is full: {match}.",
        "free some space, or set TMPDIR (and spark.local.dir) to a folder on a larger disk",
    ),
    _cause(
        r"Invalid maximum heap size: \S+|Error parsing.*heap size|Invalid initial heap size: \S+",
        "The driver's memory setting is not one that Java takes: {match}.",
        "set spark.driver.memory to a number with a unit, such as 2g",
    ),
    _cause(
        r"Could not reserve enough space[^\n]*|Cannot allocate memory|"
        r"commit_memory\([^\n]* failed; error='Not enough space'|"
        r"insufficient memory for the Java Runtime",
        "There is not enough memory for the driver: {match}.",
        "lower spark.driver.memory, or give this machine or container more memory",
    ),
    _cause(
        r"System memory \d+ must be at least \d+[^\n]*|Too small maximum heap[^\n]*",
        "The driver was given too little memory: {match}",
        "raise spark.driver.memory; 1g is the least that is of use",
    ),
    _cause(
        r"java\.lang\.OutOfMemoryError: [^\n]+",
        "The driver ran out of memory while it started: {match}.",
        "raise spark.driver.memory",
    ),
    _cause(
        r"(?:Address already in use: )?Service '\w+' failed after \d+ retries "
        r"\(starting from \d+\)|Address already in use",
        "A port that Spark was told to use is taken: {match}.",
        "choose another port (spark.driver.port, spark.ui.port, spark.blockManager.port), "
        "or leave the setting out",
    ),
    _cause(
        r"Cannot assign requested address",
        "Spark was told to use an address that this machine has not: {match}.",
        "correct spark.driver.bindAddress, spark.driver.host or SPARK_LOCAL_IP, or leave them out",
    ),
    _cause(
        r"Could not parse Master URL: '?[^'\n]*'?|Master must either be [^\n]*",
        "Spark does not know this kind of master. {match}.",
        "a master is local[*], spark://HOST:7077, yarn or k8s://HOST:PORT",
    ),
    _cause(
        r"either HADOOP_CONF_DIR or YARN_CONF_DIR must be set[^\n]*",
        "Spark on YARN needs to know the cluster: HADOOP_CONF_DIR is not set.",
        "set it to the folder of yarn-site.xml, in the cluster's environment "
        "(spark_clusters.toml) or where Jupyter is started",
    ),
    _cause(
        r"submitted by user \S+ to unknown queue: \S+",
        "YARN has no such queue: application {match}.",
        "set spark.yarn.queue to a queue that you may use",
    ),
    _cause(
        r"User \S+ (?:cannot submit|does not have permission to submit) [^\n]*?queue:? ?\S+",
        "YARN does not let you use this queue: {match}.",
        "set spark.yarn.queue to a queue that you may use, or ask for the right to this one",
    ),
    _cause(
        r"GSS initiate failed[^\n]*|SIMPLE authentication is not enabled[^\n]*|"
        r"Client cannot authenticate via: ?\[[^\n\]]*\]|Unable to obtain password from user|"
        r"Failed to find any Kerberos tgt",
        "The cluster wants to know who you are, by Kerberos: {match}.",
        "run `kinit` (`klist` tells whether a ticket has expired), or set spark.kerberos.principal "
        "and spark.kerberos.keytab",
    ),
    _cause(
        r"Permission denied: user=\S+, access=\w+, inode=[^:\s]+",
        "Hadoop's file system does not let you: {match}.",
        "ask for a home folder of your own there, or set spark.yarn.stagingDir to a folder that "
        "you may write to",
    ),
    _cause(
        r"SaslException: [^\n]*(?:digest|Mismatched)[^\n]*|"
        r"Expected SaslMessage, received something else|Unknown challenge message|"
        r"AES/GCM[^\n]*mac check[^\n]*|Unable to authenticate[^\n]*",
        "The cluster does not accept this driver's secret: {match}.",
        "set spark.authenticate to true and spark.authenticate.secret to what the cluster has, or "
        "leave both out where it has none",
    ),
    _cause(
        r"All masters are unresponsive[^\n]*|Failed to connect to master [^\n]*",
        "The cluster's master does not answer. {match}",
        "check that the master runs and that its address is right, then `%spark restart`",
    ),
    _cause(
        r"UnknownHostException: [^\n]+",
        "A host name cannot be resolved. {match}.",
        "check the name, or set spark.driver.host and spark.driver.bindAddress",
    ),
    _cause(
        r"Unrecognized (?:VM )?option[: ][^\n]*|Unrecognized option: [^\n]*",
        "The driver's Java does not know an option: {match}.",
        "check spark.driver.extraJavaOptions and the version of Java",
    ),
    _cause(
        r"unresolved dependenc[^\n]*|UNRESOLVED DEPENDENCIES[^\n]*",
        "A library of spark.jars.packages could not be fetched: {match}.",
        "check its coordinates (group:artifact:version) and spark.jars.repositories",
    ),
)
_REFUSED = _cause(
    r"(?:IllegalArgumentException|SparkException|SparkIllegalArgumentException|"
    r"NumberFormatException|ConfigurationException): [^\n]+",
    "Spark refused a setting: {match}",
    "correct the setting, then `%spark restart`",
)
"""What is behind one of these where it ends a start; in a long log they may be of anything."""

_SIGNALS = {
    6: "Java crashed (SIGABRT)",
    9: "it was killed (SIGKILL), often for want of memory",
    15: "it was terminated",
}
_CLASS_PREFIX = re.compile(r"^(?:[\w.]+\.)?(\w+(?:Exception|Error)): ")
_MESSAGE_LIMIT = 300
_ENDED_APPLICATION = re.compile(r"stopped SparkContext|The application ended while it waited")


def explain_text(text: str) -> tuple[str, str] | None:
    """Find a known cause in a text; gives (message, hint), or None."""
    return _explain(text, (*_CAUSES, _REFUSED))


def explain_application(error: BaseException, log_lines: Iterable[str]) -> SparkKernelError | None:
    """Explain a start in which the cluster ended the application; None where that is not known.

    Parameters
    ----------
    error
        What the start raised.
    log_lines
        The end of the log of the driver, which still runs.
    """
    if not _ENDED_APPLICATION.search(str(error)):
        return None
    known = _explain("\n".join(log_lines), _CAUSES)
    return None if known is None else SparkStartError(*known)


def _explain(text: str, causes: Iterable[_Cause]) -> tuple[str, str] | None:
    for cause in causes:
        match = cause.pattern.search(text)
        if match:
            return cause.message.format(match=_shorten(match.group(0))), cause.hint
    return None


def explain_exit(status: int | None, log_lines: Iterable[str], log_path: str) -> DriverStartError:
    """Explain why the driver ended before it could be talked to."""
    lines = list(log_lines)
    known = explain_text("\n".join(lines))
    if known is None:
        reason = _SIGNALS.get(-(status or 0), f"exit status {status}")
        said_by_java = (line for line in reversed(lines) if not line.startswith("[spark-kernel]"))
        last = next((line.strip() for line in said_by_java if line.strip()), "")
        said = f" Its log ends with: {_shorten(last)}" if last else ""
        known = f"The driver ended before it was ready: {reason}.{said}", f"look at {log_path}"
    return DriverStartError(known[0], known[1], exit_status=status, log_path=log_path)


def explain_exception(error: BaseException, log_path: str) -> SparkKernelError:
    """Turn what the start raised into an error for the user."""
    if isinstance(error, SparkKernelError):
        return error
    text = _java_message(error)
    known = explain_text(text)
    if known is None:
        first = next((line for line in text.splitlines() if line.strip()), "")
        known = (
            f"{_shorten(first) or type(error).__name__}",
            f"look at the driver log, {log_path}, then `%spark restart`",
        )
    return SparkStartError(*known)


def _java_message(error: BaseException) -> str:
    """Give the Java exception of a Py4J error with its causes, without the stack."""
    java = getattr(error, "java_exception", None)
    if java is None:
        return f"{type(error).__name__}: {error}".removesuffix(": ")
    said = str(error)
    frames = [line.strip() for line in said.splitlines() if not line.lstrip().startswith("at ")]
    return "\n".join(line.removeprefix(": ") for line in frames[1:]) or said


def _shorten(text: str) -> str:
    text = _CLASS_PREFIX.sub("", " ".join(text.split()))
    return text if len(text) <= _MESSAGE_LIMIT else text[: _MESSAGE_LIMIT - 1] + "…"


def explain_unusable(status: SessionStatus) -> SparkKernelError:
    """Make the error for a cell that needs a session which there is not."""
    if status.state is SessionState.FAILED and status.error is not None:
        return SparkStartError(f"Spark did not start. {status.error.message}", status.error.hint)
    return SparkStoppedError(f"Spark is not running. {status.message}.", RESTART_HINT)
