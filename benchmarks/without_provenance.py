"""The kernel process without anything that records cells: what its cost is measured against."""

from __future__ import annotations

from typing import Any

from spark_kernel.kernel import kernel
from spark_kernel.kernel.app import SparkKernelApp

__all__ = ["NoRecorder"]


class NoRecorder:
    """Stands in the place of the recorder, and does nothing."""

    reply: Any = None

    def __init__(self, *_: Any) -> None:
        self.is_full = False

    def begin(self, *_: Any) -> NoRecorder:
        """Note nothing."""
        return self

    def session_began(self) -> None:
        """Follow nothing."""

    def session_ends(self) -> None:
        """Ask nothing."""

    def end(self, _: Any) -> None:
        """Make nothing."""

    def show(self, _: Any) -> None:
        """Show nothing."""

    def metadata(self, *_: Any) -> dict[str, Any]:
        """Give nothing."""
        return {}


if __name__ == "__main__":
    kernel.Recorder = NoRecorder  # type: ignore[assignment, misc]
    SparkKernelApp.launch_instance()
