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

    def variables_of() -> list[str]:
        hidden = shell.user_ns_hidden
        return [name for name in list(shell.user_ns) if name[:1] != "_" and name not in hidden]

    completer = SqlCompleter(session_of, variables_of)
    shell.Completer.custom_matchers.append(completer.matcher())
    shell.events.register("post_run_cell", lambda _: completer.names.forget())
