"""Runs the ``spark-kernel`` command, in this process or as a person would."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from click.testing import CliRunner, Result

from spark_kernel.cli import main

MakeJava = Callable[..., Path]
WriteSpec = Callable[..., Path]


def run(*arguments: str, typed: str = "") -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(main, arguments, input=typed, prog_name="spark-kernel")


def run_process(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command that pip installed."""
    command = Path(sys.executable).with_name("spark-kernel")
    return subprocess.run(
        [command, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
