"""What ``%spark conf`` and ``%%spark_conf`` do."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError
from IPython.display import display

from spark_kernel.display.settings import settings_table
from spark_kernel.spark.session import KernelSession
from spark_kernel.spark.settings_in_force import change_settings, settings_in_force

__all__ = ["change", "show"]

_RESTART = "--restart"
_EXAMPLE = "write `spark.sql.ansi.enabled=true`, `-spark.sql.ansi.enabled` or a JSON object"


def show(session: KernelSession, prefix: str) -> None:
    """Show the settings whose names begin so."""
    found = settings_in_force(session, prefix)
    rows = [(setting.key, setting.value, setting.origin) for setting in found]
    display(settings_table(rows), raw=True)


def change(session: KernelSession, line: str, cell: str, restart: Callable[[], None]) -> None:
    """Change settings, and say what became of them.

    Parameters
    ----------
    restart
        Makes the session that those need which cannot change in this one.
    """
    options = line.split()
    if options not in ([], [_RESTART]):
        raise UsageError(f"%%spark_conf takes nothing but {_RESTART}, and got {line!r}")
    changes = change_settings(session, _parse(cell))
    if changes.live:
        print(f"Changed: {', '.join(changes.live)}")
    for key, meant in changes.likely_meant.items():
        print(f"Spark does not know {key}; did you mean {meant}?")
    if not changes.later:
        return
    named = ", ".join(changes.later)
    if options:
        print(f"Starting a session with {named}")
        restart()
    else:
        print(
            f"For the next session: {named}. `%spark restart` makes it; cached data and views go."
        )


def _parse(cell: str) -> dict[str, str | None]:
    """Read settings, one on a line or all in a JSON object; None takes one back."""
    wanted = _parse_json(cell) if cell.lstrip().startswith("{") else _parse_lines(cell)
    if not wanted:
        raise UsageError(f"%%spark_conf got no settings; {_EXAMPLE}")
    return wanted


def _parse_lines(cell: str) -> dict[str, str | None]:
    wanted: dict[str, str | None] = {}
    for number, line in enumerate(cell.splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        is_taken_back = text.startswith("-")
        key, separator, value = text.removeprefix("-").partition("=")
        if bool(separator) is is_taken_back or not key.strip():
            raise UsageError(f"line {number} is no setting; {_EXAMPLE}")
        wanted[key.strip()] = None if is_taken_back else value.strip()
    return wanted


def _parse_json(cell: str) -> dict[str, str | None]:
    try:
        found = json.loads(cell)
    except ValueError as error:
        raise UsageError(f"this is no JSON: {error}") from None
    return {key: None if value is None else _text(key, value) for key, value in found.items()}


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int | float):
        raise UsageError(f"the value of {key} is neither text nor a number")
    return str(value)
