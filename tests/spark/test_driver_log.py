"""The driver's log: private, bounded while it grows, readable from its end."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from spark_kernel.spark.driver_log import DriverLog

ENDLESS = 1 << 30
WRITER = r"""
import os, sys
for number, _ in enumerate(sys.stdin):
    os.write(2, b"%04d of the driver\n" % number * 100)
    print(flush=True)
"""


@pytest.fixture
def log(tmp_path: Path) -> DriverLog:
    """Give a log that is never rotated."""
    return DriverLog(tmp_path / "logs", ENDLESS)


def write(log: DriverLog, data: bytes) -> None:
    with log.path.open("ab") as file:
        file.write(data)


def test_only_the_user_may_read_it(log):
    assert log.path.stat().st_mode & 0o077 == 0
    assert log.path.parent.stat().st_mode & 0o077 == 0


def test_only_the_user_may_read_the_older_part(tmp_path):
    log = DriverLog(tmp_path, max_bytes=10)
    write(log, b"secret " * 10)
    log.rotate_if_large()
    assert log.older_path.stat().st_mode & 0o077 == 0


def test_note_is_marked_as_the_kernels_own(log):
    write(log, b"from the driver\n")
    log.note("from us: é")
    assert log.tail(10) == ["from the driver", "[spark-kernel] from us: é"]


def test_notes_and_rotations_leave_no_file_open(tmp_path):
    log = DriverLog(tmp_path, max_bytes=1)
    before = len(list(Path("/proc/self/fd").iterdir()))
    log.note("text")
    log.rotate_if_large()
    assert len(list(Path("/proc/self/fd").iterdir())) == before


# -- its end -----------------------------------------------------------------------------------


def test_tail_gives_the_last_lines_in_order(log):
    write(log, b"".join(b"%d\n" % number for number in range(100)))
    assert log.tail(3) == ["97", "98", "99"]


def test_tail_of_a_short_log_is_all_of_it(log):
    write(log, b"one\ntwo")
    assert log.tail(100) == ["one", "two"]


def test_tail_of_an_empty_log_is_empty(log):
    assert log.tail(10) == []


def test_tail_of_a_huge_log_reads_no_more_than_64_kib(log):
    write(log, b"a\n" * 1_000_000)
    lines = log.tail(1_000_000)
    assert sum(len(line) + 1 for line in lines) <= 64 * 1024
    assert len(lines) > 30_000


def test_tail_takes_bytes_that_are_no_text(log):
    write(log, b"before\n\xff\xfe\nafter\n")
    assert log.tail(3)[::2] == ["before", "after"]


def test_log_that_the_user_removed_is_empty_and_stays_usable(log):
    log.path.unlink()
    assert log.tail(10) == []
    log.rotate_if_large()
    log.note("again")
    assert log.tail(10) == ["[spark-kernel] again"]


# -- rotation ----------------------------------------------------------------------------------


def test_small_log_is_not_rotated(tmp_path):
    log = DriverLog(tmp_path, max_bytes=100)
    write(log, b"x" * 100)
    log.rotate_if_large()
    assert log.path.stat().st_size == 100
    assert not log.older_path.exists()


def test_rotation_moves_the_text_to_the_older_part(tmp_path):
    log = DriverLog(tmp_path, max_bytes=10)
    for text in (b"first " * 10, b"second " * 10):
        write(log, text)
        log.rotate_if_large()
        assert log.path.stat().st_size == 0
        assert log.older_path.read_bytes() == text


def test_log_stays_bounded_while_a_driver_writes_to_it(tmp_path):
    log = DriverLog(tmp_path, max_bytes=10_000)
    descriptor = log.open()
    sizes = []
    with subprocess.Popen(
        [sys.executable, "-c", WRITER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=descriptor,
    ) as driver:
        os.close(descriptor)
        assert driver.stdin is not None
        assert driver.stdout is not None
        for _ in range(100):
            driver.stdin.write(b"\n")
            driver.stdin.flush()
            driver.stdout.readline()
            log.rotate_if_large()
            sizes.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
        driver.communicate()
    assert 10_000 < max(sizes) < 25_000
    # The file is open in append mode: after it was emptied it has no hole at its beginning.
    assert b"\0" not in log.path.read_bytes() + log.older_path.read_bytes()
    assert log.tail(1) == ["0099 of the driver"]


def test_driver_goes_on_writing_after_a_rotation(tmp_path):
    log = DriverLog(tmp_path, max_bytes=10)
    descriptor = log.open()
    with subprocess.Popen(
        ["sh", "-c", "echo before the rotation >&2; read go; echo after >&2"],
        stdin=subprocess.PIPE,
        stderr=descriptor,
    ) as driver:
        os.close(descriptor)
        wait_for_text(log)
        log.rotate_if_large()
        driver.communicate(b"go\n")
    assert log.older_path.read_text() == "before the rotation\n"
    assert log.tail(10) == ["after"]


def wait_for_text(log: DriverLog) -> None:
    pause = threading.Event()
    while log.path.stat().st_size == 0:  # the test's own timeout is the deadline
        pause.wait(0.005)


# -- how many are kept -------------------------------------------------------------------------


def test_newest_twenty_logs_are_kept_with_their_older_parts(tmp_path):
    for number in range(30):
        (tmp_path / f"driver-20200101-0000{number:02}-1.log").touch()
        (tmp_path / f"driver-20200101-0000{number:02}-1.log.1").touch()
    (tmp_path / "notes.txt").touch()
    log = DriverLog(tmp_path, ENDLESS)
    kept = sorted(tmp_path.glob("driver-*.log"))
    assert len(kept) == 20
    assert kept[-1] == log.path
    assert kept[0].name == "driver-20200101-000011-1.log"
    assert len(list(tmp_path.glob("*.log.1"))) == 19
    assert (tmp_path / "notes.txt").exists()


def test_two_drivers_of_one_kernel_do_not_share_a_log(tmp_path):
    assert DriverLog(tmp_path, ENDLESS).path != DriverLog(tmp_path, ENDLESS).path
