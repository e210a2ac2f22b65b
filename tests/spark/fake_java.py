"""Java homes with no Java in them: a release file, and a shell script for ``java``."""

from __future__ import annotations

from pathlib import Path

__all__ = ["make_java", "speaking"]


def make_java(home: Path, version: str = "17.0.15", *, script: str = "exit 0", **more: str) -> Path:
    """Make a Java home.

    Parameters
    ----------
    version
        What its release file says; empty leaves the file out.
    script
        What ``java`` does.
    more
        Further lines of the release file, such as ``MODULES``.
    """
    (home / "bin").mkdir(parents=True)
    if version:
        lines = {"JAVA_VERSION": version, **more}
        text = "".join(f'{name}="{value}"\n' for name, value in lines.items())
        (home / "release").write_text(text)
    executable = home / "bin" / "java"
    executable.write_text(f"#!/bin/sh\n{script}\n")
    executable.chmod(0o755)
    return home


def speaking(version: str, status: int = 0) -> str:
    """Give a script that answers ``-version`` as a real Java does, on standard error."""
    return (
        f'[ "$1" = -version ] && echo \'openjdk version "{version}" 2025-04-15\' >&2\nexit {status}'
    )
