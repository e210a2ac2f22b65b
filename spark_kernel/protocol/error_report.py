"""What is told of an error of Spark's: a few lines, and everything else in sections."""

from __future__ import annotations

from dataclasses import dataclass

from spark_kernel.protocol.events import Link

__all__ = ["CodePlace", "ErrorReport", "ErrorSection", "FailedTask"]


@dataclass(frozen=True)
class CodePlace:
    """A line of the user's own code.

    Parameters
    ----------
    where
        A cell, as IPython names it (``Cell In[3]``), or a file.
    function
        In which function; empty at the top of a cell or module.
    source
        The line itself; empty where it cannot be had.
    role
        What was there, such as ``in UDF half``; empty where the place says it.
    """

    where: str
    line: int
    function: str = ""
    source: str = ""
    role: str = ""


@dataclass(frozen=True)
class ErrorSection:
    """A part of all that is known, such as the traceback of a Python worker."""

    title: str
    text: str


@dataclass(frozen=True)
class ErrorReport:
    """An error of Spark's, as a person needs it.

    Parameters
    ----------
    name
        The class of the error.
    condition
        Spark's name of it, such as ``TABLE_OR_VIEW_NOT_FOUND``; may be empty.
    message
        What Spark says, line by line, without the noise.
    statement
        The line of SQL that is meant, and a line with marks below it; may be empty.
    places
        The user's code, the line to look at first.
    facts
        What is known of where it happened: task, stage, host, executor.
    hint
        What to do; empty where nothing is known.
    task
        The task that failed, where one did.
    """

    name: str
    condition: str = ""
    message: tuple[str, ...] = ()
    statement: tuple[str, ...] = ()
    places: tuple[CodePlace, ...] = ()
    facts: str = ""
    hint: str = ""
    sections: tuple[ErrorSection, ...] = ()
    links: tuple[Link, ...] = ()
    task: FailedTask | None = None


@dataclass(frozen=True)
class FailedTask:
    """The task that made a job fail; None where it is not told.

    Parameters
    ----------
    tries
        How often it was tried.
    """

    task: int
    attempt: int | None
    stage: int
    stage_attempt: int
    tries: int | None = None
    host: str = ""
    executor: str = ""

    def __str__(self) -> str:
        """Tell it in one line."""
        attempt = f".{self.attempt}" if self.attempt is not None else ""
        facts = [f"Task {self.task}{attempt} in stage {self.stage}.{self.stage_attempt}"]
        if self.tries is not None:
            facts.append(f"tried {self.tries} time{'s' if self.tries != 1 else ''}")
        if self.host:
            facts.append(f"host {self.host}")
        if self.executor:
            facts.append(f"executor {self.executor}")
        return ", ".join(facts)
