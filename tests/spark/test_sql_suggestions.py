"""What may come next in SQL, and the names of the catalog behind it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from spark_kernel.spark.catalog_names import (
    DATABASES,
    FUNCTIONS,
    CatalogNames,
    Wanted,
    columns,
    tables,
)
from spark_kernel.spark.sql_suggestions import spot_at

NAMES: dict[Wanted, tuple[str, ...]] = {
    tables(): ("flights", "odd name"),
    tables("other"): ("planes",),
    DATABASES: ("default", "other"),
    FUNCTIONS: ("date_trunc", "!", "max"),
    columns("flights"): ("origin", "dep delay"),
    columns("other.planes"): ("tail",),
}


def suggested(text: str) -> list[str]:
    """Give what is suggested at the bar."""
    spot = spot_at(*text.split("|"))
    return [] if spot is None else [one.text for one in spot.suggestions(NAMES, ["least", "most"])]


PLACES = {
    "SELECT * FROM fl|": ["flights"],
    "SELECT * FROM `odd|": ["`odd name`"],
    "SELECT * FROM other.|": ["planes"],
    "SELECT o| FROM flights": ["origin"],
    "SELECT f.| FROM flights AS f": ["origin", "`dep delay`"],
    "SELECT F.or| FROM flights f": ["origin"],
    "SELECT planes.| FROM other.planes": ["tail"],
    "SELECT 1 FROM other.planes; SELECT o| FROM flights WHERE x": ["origin"],
    "SELECT date_t|": ["date_trunc"],
    "SELECT DATE_T|": ["DATE_TRUNC"],
    "SELECT :le|": ["least"],
    "SELECT 'fl|": [],
    "SELECT 1 -- fl|": [],
    "SELECT 'a' /* b */ FROM fl|": ["flights"],
}


@pytest.mark.parametrize("text", PLACES)
def test_suggestions_fit_the_place(text: str) -> None:
    found = suggested(text)
    assert [one for one in found if one not in ("or", "on", "order", "offset", "outer", "over",
                                                "overwrite")] == PLACES[text]  # fmt: skip


@pytest.mark.parametrize("piece", ["a", "a.", "`", "--", "/*", "' ", "FROM ", "\n", " ", "x'"])
def test_long_text_is_read_in_one_pass(piece: str) -> None:
    spot_at(piece * 100_000, piece * 100_000)
    spot_at("SELECT " + piece * 100_000 + " FROM ", piece * 100_000)


@pytest.mark.parametrize("text", ["SELECT 'a\\|", 'SELECT "a|', "SELECT /* a|", "-- 'a'|"])
def test_nothing_is_suggested_in_what_has_no_end_yet(text: str) -> None:
    assert suggested(text) == []


def test_keywords_are_written_as_the_user_writes() -> None:
    assert suggested("sel|") == ["select"]
    assert suggested("SEL|") == ["SELECT"]


class FakeSession:
    """Answers like a session, when it is let."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.asked: list[str] = []
        self.tables: dict[str, list[str]] = {}

    def sql(self, text: str) -> Any:
        self.asked.append(text)
        self.gate.wait(30)
        return SimpleNamespace(collect=lambda: [("", "flights", False), ("", "view", True)])

    @property
    def catalog(self) -> Any:
        return SimpleNamespace(tableExists=self.tables.__contains__)

    def table(self, name: str) -> Any:
        self.asked.append(name)
        return SimpleNamespace(columns=self.tables[name])


@pytest.fixture
def session() -> Iterator[FakeSession]:
    made = FakeSession()
    yield made
    made.gate.set()


def test_names_come_when_they_are_known(session: FakeSession) -> None:
    names = CatalogNames(lambda: session)
    assert names.known([tables()], 0.01) == {}
    session.gate.set()
    assert names.known([tables()], 30) == {tables(): ("flights", "view")}


def test_session_that_does_not_answer_is_not_asked_again(session: FakeSession) -> None:
    names = CatalogNames(lambda: session)
    for _ in range(5):
        assert names.known([tables()], 0.01) == {}
    assert session.asked == ["SHOW TABLES"]


def test_old_names_are_given_while_new_ones_are_asked_for(session: FakeSession) -> None:
    session.gate.set()
    names = CatalogNames(lambda: session)
    first = names.known([tables()], 30)
    session.gate.clear()
    names.forget()
    assert names.known([tables()], 30) == first


def test_without_a_session_nothing_is_known_nor_waited_for() -> None:
    assert CatalogNames(lambda: None).known([tables()], 1000) == {}


def test_names_of_another_session_are_forgotten(session: FakeSession) -> None:
    session.gate.set()
    sessions = [session]
    names = CatalogNames(lambda: sessions[-1])
    names.known([tables()], 30)
    sessions.append(FakeSession())
    assert names.known([tables()], 0.01) == {}
    sessions[-1].gate.set()


def test_what_is_not_there_has_no_names(session: FakeSession) -> None:
    assert CatalogNames(lambda: session).known([columns("gone")], 30) == {columns("gone"): ()}


@pytest.mark.parametrize("name", ["json.`/data`", "delta.`s3a://place/data`", "json.`data.json`"])
def test_files_are_not_read_for_the_names_of_their_columns(session: FakeSession, name: str) -> None:
    session.tables = {"flights": ["origin"], "delta.`s3a://place/data`": ["there"]}
    spot = spot_at("SELECT ", f" FROM {name}")
    assert spot is not None and columns(name) in spot.wanted
    known = CatalogNames(lambda: session).known([columns(name), columns("flights")], 30)
    assert known == {columns(name): (), columns("flights"): ("origin",)}
    assert session.asked == ["flights"]
