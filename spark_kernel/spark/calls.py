"""Stands around every call from Python into the driver: gives its jobs to their owner, and lets an
interrupt end it without breaking the connection.

An exception that is raised while py4j waits for an answer costs the connection, and with it the
thread's local properties; so a call is let finish, which it does as soon as its jobs are cancelled,
and the KeyboardInterrupt is raised after it. One that does not finish is given up: its connection
is closed, and the next one of its thread takes over the local properties.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from spark_kernel.spark import pyspark_state
from spark_kernel.spark.backend import Jobs
from spark_kernel.spark.cell_jobs import CellJobs
from spark_kernel.spark.ownership import JobOwner, current_owner

__all__ = ["Call", "CallGivenUp", "CallTracker"]

_log = logging.getLogger(__name__)
_REBINDING = ("\nsetLocalProperties\n", "\nclearJobTags\n", "\nremoveJobTag\n")
_HEAD = 80
"""Characters of a command in which the name of the method is found."""


class CallGivenUp(BaseException):
    """The connection of a call was closed under it, on purpose."""


class Call:
    """A call into the driver that is under way.

    Attributes
    ----------
    properties
        The local properties of the thread in the driver that answers it.
    """

    def __init__(self) -> None:
        self.connection: Any = None
        self.properties: Any = None
        self._lock = threading.Lock()
        self._is_over = False

    def end(self) -> None:
        """Note that the answer is there: the connection is for the next call now."""
        with self._lock:
            self._is_over = True

    def give_up(self) -> None:
        """End the wait for the answer, from another thread."""
        with self._lock:
            connection = self.connection
            if not self._is_over and connection is not None and connection.socket is not None:
                connection.is_given_up = True
                with suppress(OSError):  # closed already
                    connection.socket.shutdown(socket.SHUT_RDWR)


class _ThreadState(threading.local):
    is_inside = False
    call: Call | None = None
    properties: Any = None
    cell_jobs: CellJobs | None = None


class CallTracker:
    """Knows which calls are under way, and for whom.

    Parameters
    ----------
    watch
        Called when an owner that nobody watches begins a call.
    interruption
        Gives the exception that ends the code of an owner that was cancelled.

    Attributes
    ----------
    watch, interruption
        As they were given.
    cell_jobs
        The jobs of the present session, or None.
    is_hung
        Whether the driver has left a request to cancel something without an answer.
    """

    def __init__(
        self,
        watch: Callable[[JobOwner], None],
        interruption: Callable[[JobOwner], BaseException],
    ) -> None:
        self.cell_jobs: Jobs | None = None
        self.is_hung = False
        self._has_warned = False
        self.watch = watch
        self.interruption = interruption
        self._thread = _ThreadState()

    @property
    def is_inside(self) -> bool:
        """Whether the calling thread is in a call, and must not be torn out of it."""
        return self._thread.is_inside

    def send(self, client: Any, send: Callable[..., Any], command: str, *args: Any) -> Any:
        """Send a command to the driver for the owner of the calling code.

        Raises
        ------
        KeyboardInterrupt
            If the owner was cancelled, before the call or during it.
        """
        thread = self._thread
        owner = current_owner()
        if thread.is_inside or command[0] == "m":  # about memory: no code of the user's
            return send(command, *args)
        if owner is None:
            connection = client.get_thread_connection()
            if getattr(connection, "owner", None) is not None:
                self._guard(self._unbind, connection)
            return send(command, *args)
        is_cleaning_up = owner.run is not None and owner.run.is_interrupted
        if owner.is_cancelled or (self.is_hung and is_cleaning_up):
            raise self.interruption(owner)
        return self._tracked(owner, client, send, command, args)

    def note_connection(self, connection: Any) -> None:
        """Note that the calling thread opens a connection, which may take for ever as well."""
        if self._thread.call is not None:
            self._thread.call.connection = connection

    def _tracked(
        self,
        owner: JobOwner,
        client: Any,
        send: Callable[..., Any],
        command: str,
        args: tuple[Any, ...],
    ) -> Any:
        thread, identifier, call = self._thread, threading.get_ident(), Call()
        thread.is_inside, thread.call = True, call
        call.connection = _connection_of(client)
        owner.calls[identifier] = call
        owner.last_thread = identifier
        try:
            if isinstance(self.cell_jobs, CellJobs):
                if not owner.is_watched:
                    self.watch(owner)
                call.connection = self._bound(client, owner, self.cell_jobs)
                call.properties = thread.properties
            answer = send(command, *args)
        except CallGivenUp:
            raise self.interruption(owner) from None
        finally:
            call.end()
            del owner.calls[identifier]
            thread.is_inside, thread.call = False, None
        if owner.is_cancelled:
            _let_go(answer, client)
            raise self.interruption(owner) from None
        if any(name in command[:_HEAD] for name in _REBINDING):
            connection = _connection_of(client)
            if connection is not None:
                connection.owner = None
        return answer

    def _bound(self, client: Any, owner: JobOwner, jobs: CellJobs) -> Any:
        """Let the driver's thread behind this one start jobs for the owner; gives the connection.

        Of a connection that replaces a broken one, the local properties are those of the old.
        """
        connection = _connection_of(client)
        if getattr(connection, "owner", None) is owner and connection.cell_jobs is jobs:
            return connection
        self._guard(self._bind, client, owner, jobs)
        return _connection_of(client)

    def _bind(self, client: Any, owner: JobOwner, jobs: CellJobs) -> None:
        connection, thread = _connection_of(client), self._thread
        if connection is None or connection.cell_jobs is not jobs:
            is_broken = thread.properties is not None and thread.cell_jobs is jobs
            thread.properties = jobs.java.adopt(thread.properties if is_broken else None)
            thread.cell_jobs = jobs
            if is_broken:
                pyspark_state.set_active_session()
        jobs.java.bind(owner.tag, owner.description)
        connection = _connection_of(client)
        connection.owner, connection.cell_jobs = owner, jobs

    def _unbind(self, connection: Any) -> None:
        jobs, connection.owner = connection.cell_jobs, None
        is_current = jobs is self.cell_jobs
        if is_current and jobs is not None:
            jobs.java.unbind()

    def _guard(self, action: Callable[..., None], *arguments: Any) -> None:
        """Do something of our own in the driver; the user's call must not fail with it."""
        was_inside, self._thread.is_inside = self._thread.is_inside, True
        try:
            action(*arguments)
        except Exception as error:
            level = logging.DEBUG if self._has_warned else logging.WARNING
            self._has_warned = True
            reason = str(error).split("\n", 1)[0]
            _log.log(level, "jobs could not be given to their cell: %s", reason)
        finally:
            self._thread.is_inside = was_inside


def _connection_of(client: Any) -> Any:
    """Give the open connection of the calling thread, or None."""
    connection = client.get_thread_connection()
    return connection if connection is not None and connection.socket is not None else None


def _let_go(answer: str, client: Any) -> None:
    """Let the driver forget the object of an answer that nobody will read."""
    from py4j.java_gateway import get_return_value  # which knows the objects

    with suppress(Exception):  # an answer that tells of an error has none
        get_return_value(answer, client)
