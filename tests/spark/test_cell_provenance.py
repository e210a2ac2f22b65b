"""What the record of a cell takes from Spark: jobs, totals, and settings without secrets."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from spark_kernel.protocol.provenance import Totals
from spark_kernel.spark.provenance import NOTHING_USED, CellUse, SettingsBook, settings_of, use_of

TOLD = {
    "jobs": [
        {
            "id": 3,
            "status": "FAILED",
            "reason": "[SPARK_JOB_CANCELLED] Job 3 cancelled by the user",
            "submitted": 1000,
            "completed": 2500,
            "stages": 1,
            "tasks": 4,
            "failed_tasks": 0,
        },
        {
            "id": 4,
            "status": "RUNNING",
            "reason": "",
            "submitted": 2000,
            "completed": None,
            "stages": 1,
            "tasks": 2,
            "failed_tasks": 0,
        },
    ],
    "omitted": 7,
    "totals": {
        **dict.fromkeys(["input_bytes", "input_records", "output_bytes", "output_records"], 5),
        **dict.fromkeys(["shuffle_read_bytes", "shuffle_write_bytes", "spill_bytes"], 6),
        "run_ms": 1500,
        "cpu_ns": 250_000_000,
        "gc_ms": 20,
    },
    "attempt": None,
    "settings": 42,
}


def jobs_that_tell(told: dict[str, Any], settings: dict[str, str] | None = None) -> Any:
    """Give the jobs of a session that has this to say."""
    asked: list[str] = []

    def tell_settings() -> dict[str, str] | None:
        asked.append("settings")
        return settings

    return SimpleNamespace(record=lambda tags, limit: told, settings=tell_settings, asked=asked)


def test_use_is_in_seconds_and_bytes() -> None:
    use = use_of(jobs_that_tell(TOLD), ["tag"])
    assert use.totals == Totals(5, 5, 5, 5, 6, 6, 6, 1.5, 0.25, 0.02)
    assert use.omitted_jobs == 7


def test_a_cancelled_job_did_not_fail_and_a_running_one_has_no_duration() -> None:
    cancelled, running = use_of(jobs_that_tell(TOLD), ["tag"]).jobs
    assert (cancelled.state, cancelled.duration_s) == ("cancelled", 1.5)
    assert (running.state, running.duration_s) == ("running", None)


def test_what_a_server_does_not_tell_is_unknown_also_in_sums() -> None:
    told = {**TOLD, "totals": {"input_bytes": 9}}
    use = use_of(jobs_that_tell(told), ["tag"])
    assert use.totals == Totals(input_bytes=9)
    both = NOTHING_USED + use
    assert both.totals == Totals(input_bytes=9)


def test_uses_of_two_sessions_list_no_more_jobs_than_one() -> None:
    many = CellUse(use_of(jobs_that_tell(TOLD), ["tag"]).jobs * 40)
    both = many + many
    assert len(both.jobs) == 100
    assert both.omitted_jobs == 60


def test_sums_of_settings_are_equal_in_another_session() -> None:
    one = {"spark.app.id": "1", "spark.driver.port": "1", "spark.sql.shuffle.partitions": "7"}
    other = {"spark.app.id": "2", "spark.ui.port": "9", "spark.sql.shuffle.partitions": "7"}
    assert settings_of(one) == settings_of(other)
    assert settings_of(one) != settings_of({**one, "spark.sql.shuffle.partitions": "8"})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("spark.hadoop.fs.s3a.secret.key", "hunter2"),
        ("spark.my.url", "jdbc:x://ana:hunter2@host/db"),
        ("spark.executorEnv.DATABASE", "password=hunter2"),
        ("spark.plain", "hunter2"),
        ("spark.own.rule", "hunter2"),
    ],
)
def test_secrets_are_neither_in_settings_nor_in_their_sum(key: str, value: str) -> None:
    found = settings_of({key: value}, regex="own[.]rule", secrets=["spark.plain"])
    assert "hunter2" not in json.dumps(dict(found.shown))
    assert found == settings_of({key: value.replace("hunter2", "another")}, "own[.]rule", [key])


def test_settings_that_are_shown_are_bounded() -> None:
    found = settings_of({f"spark.x{number}": "v" * 9000 for number in range(1000)})
    assert len(found.shown) == 300
    assert {len(value) for value in found.shown.values()} == {500}


def session() -> Any:
    """Give a session as far as its settings go."""
    driver = SimpleNamespace(settings_at_start=lambda: {"spark.a": "1"})
    settings = SimpleNamespace(secrets=())
    return SimpleNamespace(generation=1, driver=driver, settings=settings)


def test_settings_are_asked_for_again_only_when_they_have_changed() -> None:
    kernel_session, jobs = session(), jobs_that_tell(TOLD, {"spark.a": "1"})
    book = SettingsBook(kernel_session)
    first = book.current(jobs, 1, is_exact=True)
    assert book.current(jobs, 1, is_exact=True) is first is book.known()
    book.current(jobs, 2, is_exact=True)
    assert jobs.asked == ["settings"] * 2


def test_settings_of_a_session_that_has_ended_are_not_known() -> None:
    kernel_session = session()
    book = SettingsBook(kernel_session)
    book.current(jobs_that_tell(TOLD), None, is_exact=False)
    kernel_session.generation += 1
    assert book.known() is None
