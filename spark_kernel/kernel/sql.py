"""Brings SQL into a shell: the magics."""

from __future__ import annotations

from spark_kernel.kernel.shell import SparkShell
from spark_kernel.magics.sql import SqlControls, SqlMagics

__all__ = ["install_sql"]


def install_sql(shell: SparkShell, controls: SqlControls) -> None:
    """Register the magics."""
    shell.register_magics(SqlMagics(shell, controls))
