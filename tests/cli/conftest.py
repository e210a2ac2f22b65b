"""A user of their own for each test: nothing outside of ``tmp_path`` is read or written."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from spark_kernel_command import MakeJava, WriteSpec


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty home, and an environment that sets nothing for Spark or Jupyter."""
    for name in list(os.environ):
        if name.startswith(("SPARK_", "PYSPARK_", "JUPYTER_", "JAVA_", "XDG_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("IPYTHONDIR", str(folder / ".ipython"))
    return folder


@pytest.fixture
def configure(home: Path) -> Callable[[str], Path]:
    """Write the user's spark_kernel_config.py."""

    def write(text: str) -> Path:
        path = home / ".jupyter" / "spark_kernel_config.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return write


@pytest.fixture
def make_java(tmp_path: Path) -> MakeJava:
    """Make a Java home that has no Java in it: a release file, and a script for ``java``."""

    def make(version: str, script: str = "exit 0") -> Path:
        java = tmp_path / f"java-{version}"
        (java / "bin").mkdir(parents=True)
        (java / "release").write_text(f'JAVA_VERSION="{version}"\n')
        (java / "bin" / "java").write_text(f"#!/bin/sh\n{script}\n")
        (java / "bin" / "java").chmod(0o755)
        return java

    return make


@pytest.fixture
def write_kernelspec(home: Path) -> WriteSpec:
    """Write a kernelspec by hand, among the user's own."""

    def write(name: str, argv: list[str], **more: object) -> Path:
        folder = home / ".local" / "share" / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(
            json.dumps({"argv": argv, "display_name": name, "language": "python", **more})
        )
        return folder

    return write
