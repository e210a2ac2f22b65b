"""A Java that starts only when it is let: what happens before Spark is ready can be looked at."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from spark_kernel.spark.java import JavaRuntime, find_java

_WAITS_AT_MOST_S = 100


def any_java() -> JavaRuntime:
    """Give the Java that a kernel without configuration would find."""
    return find_java("", os.environ, "4.3.0")


class GatedJava:
    """A Java home whose ``java`` waits at a gate, which is closed at first.

    Parameters
    ----------
    home
        Where it is made.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self._gate = home / "open"
        java = any_java()
        (home / "bin").mkdir(parents=True)
        shutil.copy(java.home / "release", home / "release")
        script = home / "bin" / "java"
        script.write_text(
            "#!/usr/bin/env bash\n"
            f"for ((i = 0; i < {_WAITS_AT_MOST_S * 20}; i++)); do\n"
            f"  [ -e {shlex.quote(str(self._gate))} ] && "
            f'exec {shlex.quote(str(java.executable))} "$@"\n'
            "  sleep 0.05\n"
            "done\n"
            "exit 1\n"
        )
        script.chmod(0o755)

    def open(self) -> None:
        """Let every ``java`` through."""
        self._gate.touch()

    def close(self) -> None:
        """Hold every ``java`` that starts from now on."""
        self._gate.unlink(missing_ok=True)
