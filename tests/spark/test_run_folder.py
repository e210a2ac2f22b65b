"""The temporary folder of a driver: private, locked while it is in use, removed for certain."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from spark_kernel.spark.run_folder import RunFolder, remove_orphans

KERNEL = """
from spark_kernel.spark.run_folder import RunFolder
folder = RunFolder()
print(folder.path, flush=True)
input()
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let temporary files of this process and its children lie in a folder of their own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


def orphan() -> Path:
    """Make a folder whose process is gone."""
    folder = RunFolder()
    os.close(folder.lock_descriptor)
    return folder.path


def test_folder_is_the_users_alone():
    folder = RunFolder()
    assert folder.path.stat().st_mode & 0o077 == 0
    assert folder.connection_file.parent == folder.path
    folder.remove()


def test_each_driver_has_its_own():
    folders = [RunFolder(), RunFolder()]
    assert folders[0].path != folders[1].path
    for folder in folders:
        folder.remove()


def test_remove_deletes_all_that_is_in_it(temporary):
    folder = RunFolder()
    (folder.path / "blockmgr" / "0c").mkdir(parents=True)
    (folder.path / "blockmgr" / "0c" / "shuffle").touch()
    folder.remove()
    assert list(temporary.iterdir()) == []


def test_remove_twice_is_harmless():
    folder = RunFolder()
    folder.remove()
    with tempfile.TemporaryFile() as taken:  # it gets the descriptor that has become free
        folder.remove()
        os.fstat(taken.fileno())


def test_remove_after_somebody_else_removed_it_is_harmless():
    folder = RunFolder()
    folder.connection_file.parent.rename(folder.path.with_name("elsewhere"))
    folder.remove()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(folder.lock_descriptor)


def test_folder_that_was_half_removed_is_still_an_orphan(monkeypatch):
    folder = RunFolder()
    for number in range(20):
        (folder.path / f"blockmgr-{number}").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", die_of_a_signal)
        with pytest.raises(KeyboardInterrupt):
            folder.remove()
    os.close(folder.lock_descriptor)
    assert remove_orphans() == 1
    assert not folder.path.exists()


def die_of_a_signal(*_arguments: object, **_options: object) -> None:
    """End in the middle."""
    raise KeyboardInterrupt


def test_orphan_is_removed_and_counted():
    paths = [orphan(), orphan()]
    (paths[0] / "left.jar").touch()
    assert remove_orphans() == 2
    assert not any(path.exists() for path in paths)
    assert remove_orphans() == 0


def test_looking_for_orphans_leaves_no_file_open():
    orphan()
    in_use = RunFolder()
    before = list(Path("/proc/self/fd").iterdir())
    remove_orphans()
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before)
    in_use.remove()
    assert len(list(Path("/proc/self/fd").iterdir())) == len(before) - 1


def test_folder_in_use_by_this_process_is_kept():
    folder = RunFolder()
    assert remove_orphans() == 0
    assert folder.path.is_dir()
    folder.remove()


def test_folder_of_another_kernel_is_kept_until_that_is_killed():
    command = [sys.executable, "-c", KERNEL]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as kernel:
        assert kernel.stdout is not None
        path = Path(kernel.stdout.readline().strip())
        assert remove_orphans() == 0
        assert path.is_dir()
        kernel.kill()
    assert remove_orphans() == 1
    assert not path.exists()


def test_folder_whose_driver_outlives_the_kernel_is_kept():
    folder = RunFolder()
    with subprocess.Popen(
        ["cat"], stdin=subprocess.PIPE, pass_fds=(folder.lock_descriptor,)
    ) as driver:
        os.close(folder.lock_descriptor)  # as the end of the kernel does
        assert remove_orphans() == 0
        assert folder.path.is_dir()
        driver.kill()
    assert remove_orphans() == 1


def test_what_is_not_ours_is_left_alone(temporary):
    (temporary / "spark-kernel-notes").mkdir()
    (temporary / "spark-kernel-file").touch()
    (temporary / "other-folder").mkdir()
    (temporary / "other-folder" / "lock").touch()
    before = sorted(temporary.iterdir())
    assert remove_orphans() == 0
    assert sorted(temporary.iterdir()) == before


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_folder_of_another_user_is_left_alone():
    path = orphan()
    os.chown(path, 12345, 12345)
    assert remove_orphans() == 0
    assert path.is_dir()
