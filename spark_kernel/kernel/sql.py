"""Brings SQL into a shell: the magics, and the completion of what is typed."""

from __future__ import annotations

from typing import Any

from spark_kernel.kernel.shell import SparkShell
from spark_kernel.kernel.sql_completion import SqlCompleter
from spark_kernel.magics.sql import SqlControls, SqlMagics

__all__ = ["install_sql"]


def install_sql(shell: SparkShell, controls: SqlControls) -> None:
    """Register the magics, and complete SQL from now on."""
    shell.register_magics(SqlMagics(shell, controls))
    session = controls.spark_session

    def session_of() -> Any:
        return session.driver.existing()["spark"] if session.is_ready else None

    completer = SqlCompleter(session_of, shell.user_ns)
    shell.Completer.custom_matchers.append(completer.matcher())
    shell.events.register("post_run_cell", lambda _: completer.names.forget())
