"""Names of datasets as OpenLineage has them: https://openlineage.io/docs/spec/naming."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from spark_kernel.protocol.provenance import DataKind, Dataset
from spark_kernel.redaction import without_password

__all__ = ["DatasetName", "name_of", "named"]

_PASSING = {"view", "python", "network", "process"}
"""What is not data that another job could read, of the kind "other"."""

_SCHEMES = {"s3a": "s3", "s3n": "s3", "abfs": "abfss", "wasb": "wasbs"}
_OBJECT_STORES = {"s3", "gs"}
"""Where a name is a key in a bucket, without a slash before it."""

_JDBC = re.compile(r"jdbc:([\w+-]+):(?:[\w+-]+:@?)*//([^/;?#]+)([^#]*)")
_JDBC_SYSTEMS = {"postgresql": "postgres", "mariadb": "mysql", "sqlserver": "mssql"}
_DATABASE = re.compile(r";\s*database(?:Name)?=([^;]+)", re.IGNORECASE)


@dataclass(frozen=True)
class DatasetName:
    """The name of a dataset.

    Attributes
    ----------
    also
        A second name, as a pair of namespace and name: of a table whose files are named first.
    """

    namespace: str
    name: str
    also: tuple[str, str] | None = None


def named(datasets: Iterable[Dataset]) -> list[tuple[DatasetName, Dataset]]:
    """Name datasets, each once; those that exist only inside a run are left out."""
    found: dict[DatasetName, Dataset] = {}
    for dataset in datasets:
        name = name_of(dataset)
        if name is not None:
            found.setdefault(name, dataset)
    return list(found.items())


def name_of(dataset: Dataset) -> DatasetName | None:
    """Name a dataset; None for one that exists only inside a run."""
    name = without_password(dataset.name)
    if not name:
        return None
    if dataset.kind is DataKind.TABLE:
        return _table(name, without_password(dataset.location))
    if dataset.kind is DataKind.JDBC:
        return _jdbc(name)
    if dataset.kind is DataKind.FILE:
        return DatasetName(*_place(name))
    if dataset.format in _PASSING or (dataset.note and not dataset.format):
        return None
    return DatasetName(dataset.format or "other", name)


def _table(name: str, location: str) -> DatasetName:
    if not location:
        return DatasetName("spark", name)
    namespace, path = _place(location)
    return DatasetName(namespace, path, also=(namespace, name))


def _place(uri: str) -> tuple[str, str]:
    """Split where files are into a namespace and a name."""
    if "://" not in uri and not uri.startswith("file:"):
        return "file", uri
    parts = urlsplit(uri)
    scheme = _SCHEMES.get(parts.scheme.lower(), parts.scheme.lower())
    path = unquote(parts.path).rstrip("/") or "/"
    if scheme == "file":
        return "file", path
    if scheme in _OBJECT_STORES:
        path = path.lstrip("/") or "/"
    return f"{scheme}://{parts.netloc}", path


def _jdbc(name: str) -> DatasetName:
    """Name a table of a database; its URL and the table have a ``#`` between them."""
    url, _, table = name.partition("#")
    match = _JDBC.fullmatch(url)
    if match is None:
        return DatasetName(url, table or url)
    system, host, rest = match.groups()
    in_options = _DATABASE.search(rest)
    database = in_options[1] if in_options else re.split(r"[;?]", rest)[0].strip("/")
    parts = [database] if table == "query" else [database, table]
    name = ".".join(filter(None, parts)) or "query"
    return DatasetName(f"{_JDBC_SYSTEMS.get(system, system)}://{host}", name)
