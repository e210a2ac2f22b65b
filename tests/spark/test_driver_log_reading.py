"""A driver's log is read in bounded parts: its end, what came since, and what is around a place."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from spark_kernel.protocol.driver_log import LogPosition, read_position
from spark_kernel.spark.driver_log import DriverLog
from spark_kernel.spark.driver_log_reading import LogFolder

LIMIT = 1_000
ENDLESS = 1 << 30


@pytest.fixture
def log(tmp_path: Path) -> DriverLog:
    """Give a log that can be moved to its older part at will."""
    return DriverLog(tmp_path, max_bytes=ENDLESS)


@pytest.fixture
def folder(tmp_path: Path) -> LogFolder:
    """Give what reads it."""
    return LogFolder(tmp_path)


def rotate(log: DriverLog) -> None:
    """Move what is there to the older part."""
    log._max_bytes = 0
    log.rotate_if_large()


def numbered(first: int, last: int) -> str:
    """Give lines of 10 bytes."""
    return "".join(f"line {number:04}\n" for number in range(first, last))


def test_tail_is_whole_lines_and_counts_what_is_left_out(folder, log):
    log.write(numbered(0, 500))
    part = folder.tail(log.path.name, LIMIT)
    assert part.lines[-1] == "line 0499"
    assert len(part.lines) == 100
    assert part.bytes_before == 4_000


def test_following_gives_each_line_once_and_an_unfinished_one_when_it_is_done(folder, log):
    log.write("one\ntw")
    part = folder.tail(log.path.name, LIMIT)
    assert part.lines == ("one",)
    log.write("o\nthree\n")
    part = folder.after(part.position, LIMIT)
    assert (part.lines, part.is_continued, part.bytes_before) == (("two", "three"), True, 0)
    assert folder.after(part.position, LIMIT).lines == ()


def test_last_line_of_a_dead_driver_needs_no_end(folder, log):
    log.write("one\nlast words")
    part = folder.tail(log.path.name, LIMIT, is_over=True)
    assert part.lines == ("one", "last words")


def test_too_much_at_once_is_left_out_and_counted(folder, log):
    log.write("one\n")
    part = folder.tail(log.path.name, LIMIT)
    log.write(numbered(0, 1_000))
    part = folder.after(part.position, LIMIT)
    assert (len(part.lines), part.bytes_before) == (100, 9_000)
    assert part.lines[-1] == "line 0999"


def test_rotation_loses_no_line(folder, log):
    log.write(numbered(0, 10))
    part = folder.tail(log.path.name, LIMIT)
    log.write("before\n")
    rotate(log)
    log.write("behind\n")
    part = folder.after(part.position, LIMIT)
    assert (part.lines, part.is_continued) == (("before", "behind"), True)
    log.write("more\n")
    assert folder.after(part.position, LIMIT).lines == ("more",)
    assert folder.tail(log.path.name, LIMIT).lines[0] == "line 0000"


def test_log_that_was_cut_is_told(folder, log):
    log.write(numbered(0, 50))
    position = folder.end(log.path.name)
    log.path.write_bytes(b"")
    log.write(numbered(100, 200))
    assert folder.after(position, LIMIT) is None
    assert folder.around(position, LIMIT) is None


def test_place_is_shown_with_what_is_around_it_also_after_a_rotation(folder, log):
    log.write(numbered(0, 200))
    position = folder.end(log.path.name)
    log.write(numbered(200, 400))
    for _ in range(2):
        part = folder.around(position, LIMIT)
        assert part.lines[part.marked] == "line 0200"
        assert (part.lines[0], part.lines[-1]) == ("line 0150", "line 0249")
        assert (part.bytes_before, part.bytes_after) == (1_500, 1_500)
        rotate(log)


def test_one_endless_line_is_cut(folder, log):
    log.write("x" * 10_000 + "\nnext\n")
    part = folder.tail(log.path.name, 100_000)
    assert part.lines[0].endswith("… (10,000 characters)")
    assert part.lines[1] == "next"
    log.write("y" * 5_000)
    unfinished = folder.after(part.position, LIMIT)
    assert len(unfinished.lines) == 1
    log.write("z\nend\n")
    assert folder.after(unfinished.position, LIMIT).lines == ("end",)


def test_bytes_that_are_no_text_and_control_characters_harm_nobody(folder, log):
    with log.path.open("ab") as file:
        file.write(b"a\xff\xfe\x00b\x1b[31mred\x1b[0m\tend\r\n")
    assert folder.tail(log.path.name, LIMIT).lines == ("a\ufffd\ufffd bred    end",)


def test_many_empty_lines_are_bounded(folder, log):
    log.write("\n" * 200_000)
    part = folder.tail(log.path.name, 150_000)
    assert len(part.lines) == 5_000
    assert part.bytes_before == 195_000


def test_only_logs_of_this_process_are_its_own(tmp_path):
    mine = [DriverLog(tmp_path, ENDLESS).path.name for _ in range(2)]
    for stranger in ("driver-20260101-000000-000000-1.log", "driver-x-1.log", "notes.log"):
        (tmp_path / stranger).touch()
    assert LogFolder(tmp_path).names() == sorted(mine, reverse=True)
    assert LogFolder(tmp_path, pid=1).names() == []  # a process that began later
    assert LogFolder(tmp_path, 1, datetime(2025, 1, 1)).names() == [
        "driver-20260101-000000-000000-1.log"
    ]


def test_nothing_but_a_log_can_be_named(folder, log):
    assert folder.has(log.path.name)
    assert not folder.has("driver-20260101-000000-000000-1.log")
    assert not folder.has(f"../{log.path.parent.name}/{log.path.name}")
    assert not folder.has("/etc/passwd")


@pytest.mark.parametrize(
    "content",
    [
        None,
        "x",
        {},
        {"log": "/etc/passwd", "offset": 0, "check": 0},
        {"log": "driver-20260101-000000-000000-1.log", "offset": -1, "check": 0},
        {"log": "driver-20260101-000000-000000-1.log", "offset": True, "check": 0},
        {"log": "driver-20260101-000000-000000-1.log", "offset": 1e300, "check": 0},
        {"log": "driver-20260101-000000-000000-1.log", "offset": 1 << 60, "check": 0},
        {"log": ["x"], "offset": 0, "check": 0},
    ],
)
def test_what_is_no_position_is_not_taken_for_one(content):
    assert read_position(content) is None


def test_position_of_a_log_that_is_gone_is_not_found(folder, log):
    position = LogPosition(log.path.name, 10**9, 0)
    assert folder.after(position, LIMIT) is None
    log.path.unlink()
    assert folder.after(replace(position, offset=5), LIMIT) is None
