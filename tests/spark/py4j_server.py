"""A server that speaks py4j's text protocol, with no JVM behind it."""

from __future__ import annotations

import socket
import threading
from types import TracebackType

__all__ = ["Py4jServer"]

VOID, REFUSED = b"!yv\n", b"!x\n"


class Py4jServer:
    """Answers each command of a py4j client.

    The command ``reply`` gets the text that was set for it, any other command nothing (void), as
    the import of a class does.

    Parameters
    ----------
    secret
        What a client has to give before anything else.
    piece_bytes
        How much of a reply is sent at once.
    """

    def __init__(self, secret: str = "s3cr3t", piece_bytes: int = 1 << 20) -> None:
        self.secret = secret
        self.reply = ""
        self.is_cut_short = False
        self.commands: list[list[str]] = []
        self.connections = 0
        self.closed = threading.Semaphore(0)
        self._piece_bytes = piece_bytes
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._threads = [threading.Thread(target=self._accept)]

    def __enter__(self) -> Py4jServer:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), "a client did not close its connection"

    def _accept(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connected,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connected: socket.socket) -> None:
        with connected, connected.makefile("r", encoding="utf-8", newline="\n") as lines:
            if self._authenticate(connected, lines.readline(), lines.readline()):
                command: list[str] = []
                for line in lines:
                    command.append(line.rstrip("\n"))
                    if command[-1] == "e":
                        self.commands.append(command)
                        if not self._answer(connected, command[0]):
                            break
                        command = []
        self.closed.release()

    def _authenticate(self, connected: socket.socket, name: str, secret: str) -> bool:
        is_known = (name, secret) == ("A\n", f"{self.secret}\n")
        connected.sendall(VOID if is_known else REFUSED)
        return is_known

    def _answer(self, connected: socket.socket, name: str) -> bool:
        if name != "reply":
            connected.sendall(VOID)
            return True
        data = f"!ys{self.reply}\n".encode()
        if self.is_cut_short:
            connected.sendall(data[: len(data) // 2])
            return False
        for start in range(0, len(data), self._piece_bytes):
            connected.sendall(data[start : start + self._piece_bytes])
        return True
