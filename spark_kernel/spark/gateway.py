"""Connects Python to the driver JVM through py4j, without its delay for long replies.

A reply of more than 8,192 bytes leaves the JVM in several segments, and Nagle's algorithm there
waits for an acknowledgement that the kernel of the operating system here delays: 44 ms for each.
Asking for immediate acknowledgement around every read, and a larger buffer, ends that.
"""

from __future__ import annotations

import io
import logging
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import import_module
from typing import Any

from py4j import clientserver, java_gateway
from py4j.protocol import MEMORY_COMMAND_NAME, SUCCESS, VOID_TYPE, Py4JNetworkError

from spark_kernel.spark.calls import CallGivenUp, CallTracker
from spark_kernel.spark.cell_jobs import CellJobs
from spark_kernel.spark.driver import Connection
from spark_kernel.spark.ownership import JobOwner
from spark_kernel.spark.stale_objects import check_arguments, refuse

__all__ = ["PromptClientServer", "connect"]

# It tells of a broken call through the root logger, which it thereby sets up to print into the
# cell: a page, where the error that the cell ends with is a line.
java_gateway.logging = logging.getLogger(java_gateway.__name__)

_BUFFER_BYTES = 64 * 1024
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None) if sys.platform == "linux" else None


class _PromptReader(io.RawIOBase):
    """Reads a socket, acknowledging at once; Linux forgets the option after a while."""

    def __init__(self, connected: socket.socket, option: int) -> None:
        self._socket = connected
        self._option = option

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._socket.setsockopt(socket.IPPROTO_TCP, self._option, 1)
        return self._socket.recv_into(buffer)


class _PromptConnection(clientserver.ClientServerConnection):  # type: ignore[misc]
    """A connection, and with it a thread of the driver.

    Attributes
    ----------
    owner, cell_jobs
        Whose jobs that thread starts, and in which context.
    is_given_up
        Whether nobody waits for its answer any more.
    """

    owner: JobOwner | None = None
    cell_jobs: CellJobs | None = None
    is_given_up = False

    def send_command(self, command: str) -> Any:
        try:
            return super().send_command(command)
        except Py4JNetworkError:
            if self.is_given_up:
                self.close()
                raise CallGivenUp from None
            raise

    def connect_to_java_server(self) -> None:
        super().connect_to_java_server()
        if _QUICKACK is not None:
            # The reply to the authentication has been read, so the stock stream holds nothing.
            self.stream.close()  # type: ignore[has-type]
            self.stream = io.BufferedReader(_PromptReader(self.socket, _QUICKACK), _BUFFER_BYTES)


class _PromptClient(clientserver.JavaClient):  # type: ignore[misc]
    """A client whose calls are tracked.

    Attributes
    ----------
    ended
        When its driver ended; empty while that may live.
    """

    tracker: CallTracker | None = None
    ended = ""

    def send_command(self, command: str, retry: bool = True, binary: bool = False) -> Any:
        if self.ended:
            if command[0] == MEMORY_COMMAND_NAME[0]:
                return SUCCESS + VOID_TYPE  # there is nothing left to let go of
            refuse(self.ended)
        if self.tracker is None:
            return super().send_command(command, retry, binary)
        return self.tracker.send(self, super().send_command, command, retry, binary)

    def _create_new_connection(self) -> _PromptConnection:
        connection = _PromptConnection(
            self.java_parameters, self.python_parameters, self.gateway_property, self
        )
        if self.tracker is not None:
            self.tracker.note_connection(connection)
        connection.connect_to_java_server()
        self.set_thread_connection(connection)
        return connection


class PromptClientServer(clientserver.ClientServer):  # type: ignore[misc]
    """py4j's ``ClientServer`` whose connections acknowledge at once.

    Parameters
    ----------
    tracker
        Stands around every call.
    """

    def __init__(self, *args: Any, tracker: CallTracker | None = None, **kwargs: Any) -> None:
        self._tracker = tracker
        super().__init__(*args, **kwargs)

    def _create_gateway_client(self) -> _PromptClient:
        client = _PromptClient(
            self.java_parameters,
            self.python_parameters,
            finalizer_deque=self._create_finalizer_worker(),
        )
        client.tracker = self._tracker
        return client


def connect(connection: Connection, tracker: CallTracker | None = None) -> Any:
    """Make PySpark's own gateway to a running driver, with its imports of Java classes.

    Parameters
    ----------
    tracker
        Stands around every call; calls of a gateway without pinned threads go past it.

    Returns
    -------
    ``ClientServer``, or ``JavaGateway`` where PYSPARK_PIN_THREAD is false.
    """
    launcher: Any = import_module("pyspark.java_gateway")
    check_arguments()
    with _environment(
        PYSPARK_GATEWAY_PORT=str(connection.port), PYSPARK_GATEWAY_SECRET=connection.secret
    ):
        stock = launcher.ClientServer
        launcher.ClientServer = partial(PromptClientServer, tracker=tracker)
        try:
            return launcher.launch_gateway()
        finally:
            launcher.ClientServer = stock


@contextmanager
def _environment(**values: str) -> Iterator[None]:
    """Set variables for a moment: left there, a script started from a cell would join us."""
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
