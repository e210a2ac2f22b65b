"""Tables: exact in each form, escaped, bounded, and honest about what is left out."""

from __future__ import annotations

import json
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_kernel.display.table import MAX_BYTES, most_rows, schema_view, table_view
from spark_kernel.protocol.table import DATA_RESOURCE, Cut, Kind, Schema, Table, TableColumn, Value

FIELD_TYPES = {
    *("string", "number", "integer", "boolean", "object", "array", "date", "time", "datetime"),
    "any",
}
EVIL = "<script>alert(1)</script>&\"'\x1f\x1e\x1d"


class Cells(HTMLParser):
    """Reads the table of a page, as a browser does: a cell ends where the next begins.

    Attributes
    ----------
    rows
        The texts of the cells of the body.
    heads
        The names in the header.
    tags
        Every tag that was seen.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.heads: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self._into: list[str] | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a row or a cell."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "span"):
            self._into = self.rows[-1] if tag == "td" else self.heads
            self._into.append("")
        elif tag != "i":
            self._into = None

    def handle_endtag(self, tag: str) -> None:
        """End the table."""
        if tag in ("table", "span"):
            self._into = None

    def handle_data(self, data: str) -> None:
        """Take the text of a cell."""
        if self._into is not None:
            self._into[-1] += data

    @property
    def body(self) -> list[list[str]]:
        """The cells below the header, without the breaks between the rows."""
        return [[*row[:-1], row[-1].removesuffix("\n")] for row in self.rows if row]


def column(name: str, kind: Kind, *values: Value, type_: str = "") -> TableColumn:
    return TableColumn(name, type_ or kind.value, kind, values)


def table(*columns: TableColumn, **more: Any) -> Table:
    return Table(columns, len(columns[0].values), **more)


def size_of(data: dict[str, Any]) -> int:
    return len(json.dumps(data, ensure_ascii=False).encode())


def test_every_form_holds_the_values_exactly():
    big = 2**63 - 1
    data = table_view(
        table(
            column("i", Kind.INTEGER, 1, big, None),
            column("d", Kind.DECIMAL, Decimal("1.10"), Decimal("0E-2"), None),
            column("f", Kind.FLOAT, float("nan"), float("-inf"), 0.1),
            column("b", Kind.BOOLEAN, True, False, None),
        )
    )
    assert Cells(data["text/html"]).body == [
        ["1", "1.10", "NaN", "true"],
        [str(big), "0.00", "-Infinity", "false"],
        ["NULL", "NULL", "0.1", "NULL"],
    ]
    assert data[DATA_RESOURCE]["data"] == [
        {"i": 1, "d": "1.10", "f": "NaN", "b": True},
        {"i": str(big), "d": "0.00", "f": "-INF", "b": False},
        {"i": None, "d": None, "f": 0.1, "b": None},
    ]
    json.dumps(data, allow_nan=False)
    assert data["text/plain"].splitlines() == [
        "                  i        d          f  b",
        "            integer  decimal      float  boolean",
        "-------------------  -------  ---------  -------",
        "                  1     1.10        NaN  true",
        "9223372036854775807     0.00  -Infinity  false",
        "               NULL     NULL        0.1  NULL",
        "[3 rows]",
    ]


def test_nested_numbers_are_not_rounded_either():
    nested = '[9007199254740993,1.1000000000000000000001,1.5,{"a":null}]'
    resource = table_view(table(column("a", Kind.ARRAY, nested)))[DATA_RESOURCE]
    expected = ["9007199254740993", "1.1000000000000000000001", 1.5, {"a": None}]
    assert resource["data"] == [{"a": expected}]
    assert resource["schema"]["fields"][0]["type"] == "array"


def test_timestamps_are_iso_8601_in_the_data():
    zoned = column("t", Kind.TIMESTAMP, "2024-07-01 12:00:00.5+02:00")
    far = column("far", Kind.TIMESTAMP, "+12345-01-01 00:00:00Z")
    resource = table_view(table(zoned, far))[DATA_RESOURCE]
    assert resource["data"][0]["t"] == "2024-07-01T12:00:00.5+02:00"
    assert [field["type"] for field in resource["schema"]["fields"]] == ["datetime", "string"]


def test_markup_is_escaped_wherever_it_stands():
    data = table_view(table(column(EVIL, Kind.TEXT, EVIL, type_=EVIL), noun=EVIL, remark=EVIL))
    page = Cells(data["text/html"])
    assert page.body == [[EVIL.replace("\x1f", "�").replace("\x1e", "�").replace("\x1d", "�")]]
    assert data["text/html"].count("<script>") == 1  # ours
    schema = schema_view(Schema(((EVIL, EVIL),), EVIL, is_failure=True))
    assert "<script>" not in schema["text/html"]


@settings(deadline=None, max_examples=150)
@given(
    st.lists(st.text(max_size=20), min_size=1, max_size=4).flatmap(
        lambda names: st.tuples(
            st.just(names),
            st.lists(
                st.tuples(*(st.none() | st.text(max_size=30) for _ in names)),
                min_size=1,
                max_size=4,
            ),
        )
    )
)
def test_any_text_comes_back_from_the_html_and_the_data(drawn):
    names, rows = drawn
    columns = zip(*rows, strict=True)
    data = table_view(
        table(*(column(n, Kind.TEXT, *c) for n, c in zip(names, columns, strict=True)))
    )
    unmarked = {ord(mark): "\ufffd" for mark in "\x1f\x1e\x1d"} | {13: None, 0: None, 10: None}

    def seen(text: str | None) -> str:
        return "NULL" if text is None else text.translate(unmarked)

    page = Cells(data["text/html"])
    shown = [[cell.translate({13: None, 0: None, 10: None}) for cell in row] for row in page.body]
    assert shown == [[seen(text) for text in row] for row in rows]
    allowed = {"style", "div", "table", "caption", "thead", "tr", "th", "span", "small", "tbody"}
    assert page.tags <= allowed | {"td", "i", "p", "script"}
    assert not any(name.startswith("on") for name, _ in page.attributes)
    resource = data[DATA_RESOURCE]
    fields = [field["name"] for field in resource["schema"]["fields"]]
    assert len(set(fields)) == len(names)
    assert [field.get("title", field["name"]) for field in resource["schema"]["fields"]] == names
    assert [tuple(row.values()) for row in resource["data"]] == rows


def test_names_that_stand_there_twice_are_numbered_in_the_data():
    one = column("a", Kind.INTEGER, 1)
    resource = table_view(table(one, one, column("a_2", Kind.INTEGER, 2)))[DATA_RESOURCE]
    assert list(resource["data"][0]) == ["a", "a_3", "a_2"]
    assert resource["schema"]["fields"][1]["title"] == "a"


def test_cut_values_say_so_with_their_true_length():
    data = table_view(
        table(
            column("s", Kind.TEXT, Cut("x" * 2000, 10_000_000)),
            column("b", Kind.BINARY, Cut("AB" * 64, 1_000, "bytes")),
            column("long", Kind.TEXT, "y" * 1_000),
        )
    )
    (row,) = Cells(data["text/html"]).body
    assert row[0].endswith("… (10,000,000 characters)")
    assert row[1].endswith("… (1,000 bytes)")
    assert row[2].endswith("… (1,000 characters)")
    assert data[DATA_RESOURCE]["data"][0]["s"].endswith("… (10,000,000 characters)")
    assert data[DATA_RESOURCE]["data"][0]["long"] == "y" * 1_000
    assert "…" in data["text/plain"]


def test_footer_says_what_there_is_and_how_to_see_more():
    one = column("a", Kind.INTEGER, *range(100))
    assert table_view(table(one, has_more=True))["text/plain"].endswith(
        "\n[first 100 rows; more with display(df, limit=N)]"
    )
    assert table_view(table(one, has_more=True, can_read_more=False))["text/plain"].endswith(
        "\n[first 100 rows]"
    )
    assert (
        "[100 rows; 1 of 2,000 columns]"
        in table_view(table(one, omitted_columns=1_999))["text/plain"]
    )
    assert "1 of 2,000 columns" in table_view(table(one, omitted_columns=1_999))["text/html"]


def test_nothing_is_shown_without_a_word():
    nothing = table_view(table(column("a", Kind.TEXT)))
    assert nothing["text/plain"].endswith("[0 rows]")
    assert nothing[DATA_RESOURCE]["data"] == []
    bare = table_view(Table((), 3))
    assert bare["text/plain"] == "[3 rows; no columns]"
    assert "3 rows" in bare["text/html"]
    assert DATA_RESOURCE not in bare


HUGE = {
    "many rows": [column("a", Kind.INTEGER, *range(34_000))],
    "many columns": [column(f"column {n}", Kind.TEXT, *["some text"] * 100) for n in range(250)],
    "long texts": [column(f"c{n}", Kind.TEXT, *["<" * 2000] * 100) for n in range(250)],
    "wide letters": [column("c", Kind.TEXT, *["漢" * 2000] * 1000)],
    "long names": [column("n" * 200 + str(n), Kind.TEXT, None) for n in range(250)],
    "nulls": [column(f"c{n}", Kind.TEXT, *[None] * 1000) for n in range(100)],
}


@pytest.mark.parametrize("columns", HUGE.values(), ids=HUGE)
@pytest.mark.parametrize("max_bytes", [64 * 1024, MAX_BYTES])
def test_bytes_are_bounded_whatever_is_in_it(columns, max_bytes):
    shown = table(*columns)
    fixed = size_of(table_view(table(*(column(c.name, c.kind) for c in columns))))
    data = table_view(shown, max_bytes)
    assert size_of(data) <= max_bytes + 2 * fixed
    rows = len(Cells(data["text/html"]).body)
    if rows < shown.row_count:
        assert f"{rows:,} of the {shown.row_count:,} rows" in data["text/html"]
        assert "of the notebook" in data["text/html"]
    assert rows <= most_rows(len(columns), max_bytes)
    omitted = data[DATA_RESOURCE]["spark_kernel"]["omitted"]["rows"]
    assert omitted == shown.row_count - len(data[DATA_RESOURCE]["data"])


def test_some_rows_fit_however_long_their_values_are():
    data = table_view(table(*HUGE["long texts"]))
    assert len(Cells(data["text/html"]).body) >= 3


def test_text_is_as_wide_as_a_terminal_and_its_columns_stand_below_each_other():
    wide = [column(f"c{n}", Kind.TEXT, "漢字" * 30, "e\u0301\n") for n in range(9)]
    lines = table_view(table(*wide))["text/plain"].splitlines()
    assert "2 of 9 columns" in lines[-1]
    assert max(map(len, lines)) <= 110
    assert lines[4].startswith("e\u0301\\n")


def test_schema_names_all_columns_that_fit_and_the_reason():
    columns = tuple((f"c{n}", "int") for n in range(100))
    data = schema_view(Schema(columns, "Because.", omitted_columns=5))
    assert data["text/plain"].startswith("Because.\nc0")
    assert "[45 more columns]" in data["text/plain"]
    assert "5 more columns" in data["text/html"]


def test_fields_have_types_of_the_table_schema():
    kinds = [column(kind.value, kind, None) for kind in Kind]
    fields = table_view(table(*kinds))[DATA_RESOURCE]["schema"]["fields"]
    assert {field["type"] for field in fields} <= FIELD_TYPES


SORTED = {
    "n": column("a", Kind.DECIMAL, Decimal("1.00")),
    "f": column("a", Kind.FLOAT, 0.5),
    "s": column("a", Kind.TEXT, "x"),
    "d": column("a", Kind.TIMESTAMP, "2024-07-01 12:00:00.5+02:00", None),
    "": column("a", Kind.TIMESTAMP, "+12345-07-01 12:00:00.5+02:00"),
}


@pytest.mark.parametrize("code", SORTED)
def test_columns_say_how_the_browser_compares_them(code):
    page = Cells(table_view(table(SORTED[code]))["text/html"])
    assert dict(page.attributes).get("data-sort", "") == code
