"""``%spark error``: all that is known of the last error of Spark's."""

from __future__ import annotations

from typing import Any

__all__ = ["show_error"]


def show_error(shell: Any) -> None:
    """Print the whole of the last error that the shell has shown."""
    display = getattr(shell, "error_display", None)
    text = display.last_text if display is not None else ""
    print(text or "There was no error of Spark's in this notebook yet.")
