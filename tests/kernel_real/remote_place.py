"""Another host, as far as the network is concerned: a network namespace whose cable can be cut."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

_PREFIX = "sparktest"


def why_no_place() -> str:
    """Say why there can be none on this machine; empty where there can."""
    if os.geteuid() != 0:
        return "a network namespace needs root"
    return "" if shutil.which("ip") else "a network namespace needs the command `ip`"


class RemotePlace:
    """A place with a cable to this machine.

    Attributes
    ----------
    host
        The address of the place.
    near_host
        The address of this machine at the near end of the cable.
    """

    def __init__(self) -> None:
        number = os.getpid()
        self.name = f"{_PREFIX}-{number}"
        self._cable = f"st{number}"
        network = f"10.{200 + number // 250 % 50}.{number % 250}"
        self.near_host, self.host = f"{network}.1", f"{network}.2"

    @property
    def prefix(self) -> list[str]:
        """The words before a command that is to run there."""
        return ["ip", "netns", "exec", self.name]

    def build(self) -> None:
        """Make it, and the cable."""
        _ip("netns", "add", self.name)
        _ip("link", "add", self._cable, "type", "veth", "peer", "name", "far", "netns", self.name)
        _ip("addr", "add", f"{self.near_host}/30", "dev", self._cable)
        _ip("link", "set", self._cable, "up")
        _ip("-n", self.name, "addr", "add", f"{self.host}/30", "dev", "far")
        _ip("-n", self.name, "link", "set", "lo", "up")
        _ip("-n", self.name, "link", "set", "far", "up")

    def cut(self) -> None:
        """Cut the cable: nothing arrives any more, and nobody is told."""
        _ip("-n", self.name, "link", "set", "far", "down")

    def mend(self) -> None:
        """Mend the cable."""
        _ip("-n", self.name, "link", "set", "far", "up")

    def remove(self) -> None:
        """Remove what there is of it."""
        for words in (["link", "del", self._cable], ["netns", "del", self.name]):
            subprocess.run(["ip", *words], check=False, capture_output=True)


@contextmanager
def remote_place() -> Iterator[RemotePlace]:
    """Have a place for a while; those of test runs that were killed are removed first."""
    listed = subprocess.run(["ip", "netns", "list"], check=True, capture_output=True, text=True)
    for name in (line.split()[0] for line in listed.stdout.splitlines() if line):
        owner = name.removeprefix(f"{_PREFIX}-")
        if owner != name and not psutil.pid_exists(int(owner)):
            _ip("netns", "del", name)
    place = RemotePlace()
    try:
        place.build()
        yield place
    finally:
        place.remove()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
