"""Names of datasets, compared with those that OpenLineage's own client makes."""

from __future__ import annotations

import pytest
from openlineage.client.naming import dataset as naming

from spark_kernel.protocol.provenance import DataKind, Dataset
from spark_kernel.recording.lineage_names import name_of, named

FILES = {
    "file:///data/a b/c.csv": naming.LocalFileSystem("/data/a b/c.csv"),
    "file:/data/c/": naming.LocalFileSystem("/data/c"),
    "file:///data/a%20b": naming.LocalFileSystem("/data/a b"),
    "/data/*.csv": naming.LocalFileSystem("/data/*.csv"),
    "hdfs://name:8020/data/x": naming.HDFS("name", "8020", "/data/x"),
    "s3a://bucket/raw/x": naming.S3("bucket", "raw/x"),
    "gs://bucket/raw": naming.GCS("bucket", "raw"),
    "abfss://box@lake.dfs.core.windows.net/raw": naming.ABFSS("box", "lake", "/raw"),
}


@pytest.mark.parametrize("uri", FILES)
def test_files_are_named_as_openlineage_has_it(uri):
    found = name_of(Dataset(DataKind.FILE, uri, "csv"))
    expected = FILES[uri]
    assert (found.namespace, found.name) == (expected.get_namespace(), expected.get_name())


DATABASES = {
    "jdbc:postgresql://db:5432/shop#public.orders": naming.Postgres(
        "db", "5432", "shop", "public", "orders"
    ),
    "jdbc:mysql://db:3306/shop#orders": naming.MySQL("db", "3306", "shop", "orders"),
    "jdbc:oracle:thin:@//db:1521/shop#main.orders": naming.Oracle(
        "db", "1521", "shop", "main", "orders"
    ),
}


@pytest.mark.parametrize("url", DATABASES)
def test_tables_of_databases_are_named_as_openlineage_has_it(url):
    found = name_of(Dataset(DataKind.JDBC, url, "jdbc"))
    expected = DATABASES[url]
    assert (found.namespace, found.name) == (expected.get_namespace(), expected.get_name())


def test_database_among_the_parameters_of_a_url_is_found():
    found = name_of(Dataset(DataKind.JDBC, "jdbc:sqlserver://db:1433;databaseName=shop#dbo.t"))
    assert (found.namespace, found.name) == ("mssql://db:1433", "shop.dbo.t")


def test_database_of_an_unknown_kind_is_named_by_its_url():
    found = name_of(Dataset(DataKind.JDBC, "jdbc:sqlite:/data/x.db#t", "jdbc"))
    assert (found.namespace, found.name) == ("jdbc:sqlite:/data/x.db", "t")


def test_query_of_a_database_is_named_by_the_database():
    found = name_of(Dataset(DataKind.JDBC, "jdbc:mysql://db:3306/shop#query"))
    assert found.name == "shop"


def test_table_is_named_by_its_files_and_by_its_name():
    table = Dataset(DataKind.TABLE, "lake.db.t", "delta", location="s3a://bucket/lake/t")
    found = name_of(table)
    assert (found.namespace, found.name) == ("s3://bucket", "lake/t")
    assert found.also == ("s3://bucket", "lake.db.t")
    assert name_of(Dataset(DataKind.TABLE, "lake.db.t")).name == "lake.db.t"


def test_password_in_a_name_is_not_told():
    found = name_of(Dataset(DataKind.FILE, "https://ana:sesame@host/x?sig=sesame"))
    assert "sesame" not in str(found)


@pytest.mark.parametrize("kind", ["view", "python", "network", "process", ""])
def test_what_exists_only_in_a_run_is_left_out(kind):
    assert named([Dataset(DataKind.OTHER, "x", kind, note="why")]) == []


def test_datasets_are_named_once():
    one = Dataset(DataKind.FILE, "file:///x", "csv")
    other = Dataset(DataKind.FILE, "/x", "text")
    topic = Dataset(DataKind.OTHER, "events", "kafka")
    assert [(name.namespace, name.name) for name, _ in named([one, other, topic])] == [
        ("file", "/x"),
        ("kafka", "events"),
    ]
