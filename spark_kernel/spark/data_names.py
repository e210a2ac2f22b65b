"""Names of data as they may be kept: without users, passwords and tokens."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from spark_kernel.protocol.provenance import DataKind, Dataset, Fingerprint
from spark_kernel.redaction import redacted

__all__ = ["jdbc_name", "read_dataset", "read_fingerprint", "shown_uri"]

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_LENGTH = 1000
_USER = re.compile(r"//[^/@\s]*@")
_ORACLE_USER = re.compile(r"(jdbc:oracle:\w+:)[^@]*@", re.IGNORECASE)
_DATABASE = re.compile(r"\s*(databasename|database)\s*=", re.IGNORECASE)


def jdbc_name(url: str, table: str) -> str:
    """Name a table behind JDBC: URL without user and parameters, ``#``, table.

    Parameters
    ----------
    table
        A name, or a query, which is told as ``query``: its text may hold anything.
    """
    first, *parameters = url.split("?", 1)[0].split(";")
    kept = [first, *(part for part in parameters if _DATABASE.match(part))]
    place = _ORACLE_USER.sub(r"\1@", _USER.sub("//", ";".join(kept)))
    is_query = not table or re.search(r"[\s()]", table.strip()) is not None
    return _cut(f"{redacted(place)}#{'query' if is_query else table.strip()}")


def shown_uri(uri: str) -> str:
    """Give a URI without what only its user may know, local ones as ``file:///``."""
    if uri.startswith("file:/") and not uri.startswith("file://"):
        uri = f"file://{uri[5:]}"
    if uri.startswith(("http:", "https:", "ftp:")):
        uri = uri.split("?", 1)[0]
    return _cut(redacted(uri))


def read_dataset(found: Mapping[str, Any]) -> Dataset:
    """Read what our half in the driver tells of some data."""
    kind, name = DataKind(found["kind"]), str(found["name"])
    if kind is DataKind.JDBC:
        name = jdbc_name(name, str(found.get("table") or ""))
    else:
        name = shown_uri(name)
    return Dataset(
        kind=kind,
        name=name,
        format=str(found.get("format") or "")[:100],
        fingerprint=read_fingerprint(found.get("fingerprint")),
        location=shown_uri(str(found.get("location") or "")),
        note=redacted(str(found.get("note") or ""))[:200],
    )


def read_fingerprint(found: Mapping[str, Any] | None) -> Fingerprint | None:
    """Read what our half in the driver tells of a state of some data."""
    if not found:
        return None
    if found.get("version") is not None:
        return Fingerprint(version=str(found["version"]))
    modified = found.get("modified")
    moment = None if not modified else _EPOCH + timedelta(milliseconds=modified)
    return Fingerprint(files=found["files"], bytes=found["bytes"], modified=moment)


def _cut(text: str) -> str:
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"
