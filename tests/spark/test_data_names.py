"""Names of data hold no secret, and say where the data is all the same."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from spark_kernel.protocol.provenance import DataKind, Fingerprint
from spark_kernel.spark.data_names import jdbc_name, read_dataset, read_fingerprint, shown_uri


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("jdbc:postgresql://h:5432/db?user=ann&password=hunter2", "jdbc:postgresql://h:5432/db#t"),
        ("jdbc:postgresql://ann:hunter2@h/db", "jdbc:postgresql://h/db#t"),
        (
            "jdbc:sqlserver://h:1433;databaseName=shop;user=ann;password=hunter2",
            "jdbc:sqlserver://h:1433;databaseName=shop#t",
        ),
        ("jdbc:oracle:thin:ann/hunter2@//h:1521/svc", "jdbc:oracle:thin:@//h:1521/svc#t"),
        ("jdbc:oracle:thin:ann/hunter2@h:1521:sid", "jdbc:oracle:thin:@h:1521:sid#t"),
        ("jdbc:derby:memory:db;create=true;password=hunter2", "jdbc:derby:memory:db#t"),
        ("jdbc:mysql://h1,h2/db?token=hunter2", "jdbc:mysql://h1,h2/db#t"),
    ],
)
def test_jdbc_is_named_without_users_and_parameters(url: str, expected: str) -> None:
    assert jdbc_name(url, "t") == expected


@pytest.mark.parametrize("table", ["(select 'hunter2') t", "", "select 1"])
def test_query_behind_jdbc_is_not_told(table: str) -> None:
    assert jdbc_name("jdbc:h2:mem:x", table) == "jdbc:h2:mem:x#query"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("file:/data/a b/*.csv", "file:///data/a b/*.csv"),
        ("file:///data/a?.csv", "file:///data/a?.csv"),
        ("hdfs://nn:8020/data/year=2024", "hdfs://nn:8020/data/year=2024"),
        ("s3a://KEY:hunter2@bucket/data", "s3a://KEY:***@bucket/data"),
        ("https://host/data.csv?sig=hunter2", "https://host/data.csv"),
        ("abfss://box@account.dfs.example/d", "abfss://box@account.dfs.example/d"),
    ],
)
def test_uris_are_told_without_secrets(uri: str, expected: str) -> None:
    assert shown_uri(uri) == expected


def test_long_names_are_cut() -> None:
    assert len(shown_uri("file:/" + "a" * 5000)) < 1100


def test_dataset_is_read_as_the_driver_tells_it() -> None:
    found = {
        "kind": "table",
        "name": "spark_catalog.default.t",
        "format": "orc",
        "location": "file:/warehouse/t",
        "fingerprint": {"files": 2, "bytes": 10, "modified": 1_700_000_000_123},
    }
    dataset = read_dataset(found)
    assert dataset.kind is DataKind.TABLE
    assert dataset.location == "file:///warehouse/t"
    moment = datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=timezone.utc)
    assert dataset.fingerprint == Fingerprint(2, 10, moment)


def test_versions_and_empty_places_are_fingerprints_too() -> None:
    assert read_fingerprint({"version": 3}) == Fingerprint(version="3")
    assert read_fingerprint({"files": 0, "bytes": 0, "modified": None}) == Fingerprint(0, 0)
    assert read_fingerprint(None) is None
