"""Who owns the Spark jobs that a piece of Python code starts: the cell that it runs for.

The owner follows the code: through coroutines and tasks as a context variable, into threads from
whoever started them, and into pools with each piece of work, also those of an earlier cell.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any

import wrapt

from spark_kernel.protocol.events import Cell

if TYPE_CHECKING:
    from spark_kernel.spark.calls import Call

__all__ = [
    "OWNER_PREFIX",
    "CellRun",
    "JobOwner",
    "current_owner",
    "current_task",
    "disown",
    "follow_threads",
    "owned_by",
]

OWNER_PREFIX = "spark-kernel-cell-"
_ATTRIBUTE = "_spark_kernel_owner"
_numbers = itertools.count(1)


class JobOwner:
    """Owns the jobs of one run of a cell; an interrupt ends it, and the cell gets another.

    Attributes
    ----------
    tag
        The job tag, and the job group unless the user has one.
    description
        What Spark's UI says of the jobs.
    is_cancelled
        Whether its code must not start jobs any more.
    is_watched
        Whether the sampler looks at it; it is told as soon as there may be a job.
    calls
        The calls into the driver that are under way, by thread.
    run
        The run of the cell that it belongs to; None for that of streaming queries.
    last_thread
        The thread of its latest call.
    """

    def __init__(
        self,
        cell: Cell,
        description: str,
        run: CellRun | None = None,
        streams: JobOwner | None = None,
    ) -> None:
        self.cell = cell
        self.description = description
        self.run = run
        self.tag = f"{OWNER_PREFIX}{next(_numbers)}"
        self.is_cancelled = False
        self.is_watched = False
        self.calls: dict[int, Call] = {}
        self.last_thread = 0
        self._streams = streams

    @property
    def owner(self) -> JobOwner:
        """Itself, as what a thread inherits is either this or a ``CellRun``."""
        return self

    @property
    def is_in_pyspark(self) -> bool:
        """Whether its latest caller is still at it, or waits elsewhere for what a job brings.

        Results come through sockets of their own, and with Arrow the job runs meanwhile.
        """
        frame = sys._current_frames().get(self.last_thread)
        while frame is not None:
            if str(frame.f_globals.get("__name__", "")).startswith("pyspark."):
                return True
            frame = frame.f_back
        return False

    @property
    def streams(self) -> JobOwner:
        """Who owns the jobs of the streaming queries that it starts: no interrupt ends them."""
        if self._streams is None:
            self._streams = JobOwner(self.cell, self.description)
            self._streams._streams = self._streams
        return self._streams


class CellRun:
    """One run of a cell, from its request to its reply.

    Attributes
    ----------
    thread
        The identifier of the thread that runs it.
    task
        The task that runs it where the cell awaits something.
    """

    def __init__(self, cell: Cell, description: str) -> None:
        self.cell = cell
        self.thread = threading.get_ident()
        self.task: asyncio.Task[Any] | None = None
        self._request = current_task()
        self._owner = JobOwner(cell, description, self)
        self._owners = [self._owner]
        self._ended: JobOwner | None = None

    @property
    def owner(self) -> JobOwner:
        """Owns the jobs that the calling code starts from now on.

        After an interrupt, only the cell's own code may start any: not the tasks that it made.
        """
        return self._owner if self._ended is None or self._is_own_code() else self._ended

    @property
    def used_tags(self) -> list[str]:
        """The tags of all its owners that have asked Spark for anything."""
        return [owner.tag for owner in self._owners if owner.last_thread]

    @property
    def is_interrupted(self) -> bool:
        """Whether it was ever interrupted."""
        return self._ended is not None

    def renew(self, *, is_cancelled: bool = False) -> JobOwner:
        """End the present owner and give the cell another; gives the one that ended.

        Parameters
        ----------
        is_cancelled
            Whether the next one cannot ask the driver for anything either.
        """
        ended = self._owner
        ended.is_cancelled = True
        self._owner = JobOwner(self.cell, ended.description, self, ended._streams)
        self._owner.is_cancelled = is_cancelled
        self._owners.append(self._owner)
        self._ended = ended
        return ended

    def _is_own_code(self) -> bool:
        if threading.get_ident() != self.thread:
            return False
        return current_task() is (self.task or self._request)


_current: ContextVar[CellRun | JobOwner | None] = ContextVar("spark_kernel_owner", default=None)


def current_task() -> asyncio.Task[Any] | None:
    """Give the task that the calling code is part of, or None."""
    return asyncio.current_task() if asyncio._get_running_loop() is not None else None


def current_owner() -> JobOwner | None:
    """Give the owner of what this code starts, or None; on the path of every call into Spark."""
    found = _current.get()
    if found is None:
        found = getattr(threading.current_thread(), _ATTRIBUTE, None)
    return None if found is None else found.owner


@contextmanager
def owned_by(owner: CellRun | JobOwner | None) -> Iterator[None]:
    """Let this code, and what it starts, belong to an owner."""
    token = _current.set(owner)
    try:
        yield
    finally:
        _current.reset(token)


def disown(thread: threading.Thread) -> threading.Thread:
    """Let a thread of the kernel's own belong to nobody, whoever starts it."""
    setattr(thread, _ATTRIBUTE, None)
    return thread


def follow_threads() -> None:
    """Let owners follow into threads and pools from now on; harmless when called again."""
    if not isinstance(vars(threading.Thread)["start"], wrapt.FunctionWrapper):
        threading.Thread.start = _start(threading.Thread.start)  # type: ignore[method-assign]
        wrapt.register_post_import_hook(_hook_executor, "concurrent.futures.thread")
        wrapt.register_post_import_hook(_hook_pool, "multiprocessing.pool")


@wrapt.function_wrapper
def _start(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
    if not hasattr(instance, _ATTRIBUTE):
        # py4j's own threads run what the driver calls back, for whoever it may be.
        target = getattr(instance, "_target", None)
        is_foreign = str(getattr(target, "__module__", "")).startswith("py4j.")
        setattr(instance, _ATTRIBUTE, None if is_foreign else current_owner())
    return wrapped(*args, **kwargs)


def _hook_executor(module: Any) -> None:
    @wrapt.function_wrapper
    def submit(wrapped: Any, _: Any, args: Any, kwargs: Any) -> Any:
        if not args:
            return wrapped(*args, **kwargs)
        return wrapped(_carried(args[0]), *args[1:], **kwargs)

    module.ThreadPoolExecutor.submit = submit(module.ThreadPoolExecutor.submit)


def _hook_pool(module: Any) -> None:
    @wrapt.function_wrapper
    def hand_in(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
        if not args or not isinstance(instance, module.ThreadPool):
            return wrapped(*args, **kwargs)  # a pool of processes
        return wrapped(_carried(args[0]), *args[1:], **kwargs)

    for name in ("apply_async", "_map_async", "imap", "imap_unordered"):
        setattr(module.Pool, name, hand_in(getattr(module.Pool, name)))


def _carried(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give a function that runs for whoever hands it in."""
    owner = current_owner()
    return function if owner is None else partial(_run_for, owner, function)


def _run_for(owner: JobOwner, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    token = _current.set(owner)
    try:
        return function(*args, **kwargs)
    finally:
        _current.reset(token)
