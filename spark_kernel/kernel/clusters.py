"""Reads named clusters: ``spark_clusters.toml`` and ``c.SparkKernel.clusters``.

Secrets stay where they are, in the environment or in a file of the user's alone; a cluster only
names them.
"""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Collection, Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from spark_kernel.errors import ConfigurationError
from spark_kernel.redaction import holds_secret
from spark_kernel.spark.connect.address import check_url
from spark_kernel.spark.profiles import PLACEHOLDERS, ClusterProfile, placeholders_of

__all__ = ["FILE_NAME", "ClusterTable", "find_cluster", "read_clusters", "read_profile"]

FILE_NAME = "spark_clusters.toml"
_toml: Any = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
_TEXTS = ("master", "description", "java_home")
_TABLES = ("conf", "environment", "links")
_RELATIONS = (
    "spark-ui",
    "driver-log",
    "executor-log",
    "history-server",
    "cluster-manager",
    "application-master",
)
_REFERENCES = ("env", "file")
_IN_BRACES = re.compile(
    r"""\{\s*((?:env|"env"|'env'|file|"file"|'file')\s*=\s*(?:"(?:[^"\\\n]|\\.)*"|'[^'\n]*'))\s*\}"""
)
"""A reference to a secret, as TOML has it."""


class ClusterTable(dict[str, Any]):
    """What is written of one cluster, and where that is.

    Attributes
    ----------
    where
        The file.
    references
        The references to secrets that stand in the file; None where there is no file.
    """

    where = "c.SparkKernel.clusters"
    references: list[Mapping[str, str]] | None = None


def read_clusters(folders: Iterable[str]) -> dict[str, ClusterTable]:
    """Read the files of clusters; the same name in a more specific folder counts.

    Parameters
    ----------
    folders
        Where they may be, the most specific first.

    Raises
    ------
    ConfigurationError
        If a file cannot be read, or is no table of tables.
    """
    found: dict[str, ClusterTable] = {}
    for folder in reversed(list(folders)):
        path = Path(folder, FILE_NAME)
        if not path.is_file():
            continue
        try:
            text = path.read_text(encoding="utf-8")
            tables = _toml.loads(text)
            references = [_toml.loads(found[1]) for found in _IN_BRACES.finditer(text)]
        except (OSError, ValueError) as error:
            raise ConfigurationError(f"{path} cannot be read: {error}.", "correct it") from error
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise ConfigurationError(
                    f"{path} has {name!r} outside of any cluster.",
                    "each cluster is a table of its own, such as [analytics]",
                )
            found[name] = ClusterTable(table)
            found[name].where = str(path)
            found[name].references = references
    return found


def find_cluster(clusters: Mapping[str, Any], name: str) -> ClusterProfile:
    """Give the cluster of a name, with its secrets.

    Raises
    ------
    ConfigurationError
        If there is none, or what is written of it is wrong.
    """
    if name not in clusters:
        near = difflib.get_close_matches(name, list(clusters), n=1)
        names = ", ".join(sorted(clusters))
        hint = f"there are {names}" if names else f"{FILE_NAME} names clusters; there is none yet"
        hint = f"did you mean {near[0]!r}?" if near else hint
        raise ConfigurationError(f"There is no cluster {name!r}.", hint)
    return read_profile(name, clusters[name])


def read_profile(name: str, table: Any, *, with_secrets: bool = True) -> ClusterProfile:
    """Check what is written of a cluster.

    Parameters
    ----------
    with_secrets
        Whether to look secrets up; "***" stands for them otherwise.

    Raises
    ------
    ConfigurationError
        With the file, the key and the nearest right one.
    """
    reader = _Reader(name, getattr(table, "where", ClusterTable.where), with_secrets)
    return reader.read(table)


class _Reader:
    def __init__(self, name: str, where: str, with_secrets: bool) -> None:
        self._name = name
        self._where = where
        self._with_secrets = with_secrets
        self._secrets: set[str] = set()
        self._references: list[Mapping[str, str]] | None = None

    def read(self, table: Any) -> ClusterProfile:
        if not isinstance(table, Mapping):
            raise self._error("", "is no table of settings", "see docs/configuration.md")
        for key in table:
            self._check_name(key, key, (*_TEXTS, *_TABLES, "libraries"))
        self._references = getattr(table, "references", None)
        texts = {key: self._text(key, table[key]) for key in _TEXTS if key in table}
        conf = dict(self._settings(table.get("conf", {})))
        self._check_url("master", texts.get("master", ""))
        for key in ("spark.master", "spark.remote"):
            self._check_url(f"conf.{key}", conf.get(key, ""))
        environment = {
            key: self._variable(key, value)
            for key, value in self._table("environment", table).items()
        }
        links = {
            rel: self._template(rel, template)
            for rel, template in self._table("links", table).items()
        }
        return ClusterProfile(
            self._name,
            **texts,
            conf=conf,
            environment=environment,
            links=links,
            libraries=self._libraries(table.get("libraries", [])),
            secrets=frozenset(self._secrets),
        )

    def _settings(self, table: Any, prefix: str = "") -> Iterable[tuple[str, str]]:
        """Yield settings; unquoted keys of TOML make a table at each dot."""
        if not isinstance(table, Mapping):
            raise self._error("conf", "is no table of Spark's settings", "write [NAME.conf]")
        for key, value in table.items():
            name = f"{prefix}{key}"
            if not name.startswith("spark"):
                raise self._error(
                    f"conf.{name}",
                    "is no setting of Spark: their names begin with 'spark.'",
                    f"did you mean spark.{name}?",
                )
            if isinstance(value, Mapping) and not self._stands_for_secret(value, bool(prefix)):
                yield from self._settings(value, f"{name}.")
            else:
                yield name, self._value(f"conf.{name}", name, value)

    def _stands_for_secret(self, value: Mapping[str, Any], is_unquoted: bool) -> bool:
        """Whether a table is a reference, and no part of a key that ends in ``env`` or ``file``.

        TOML makes the same of ``spark.a.file = "x"`` and ``spark.a = { file = "x" }``; so it is
        the second only where that is written.
        """
        is_written = self._references is None or value in self._references
        return _is_reference(value) and (is_written or not is_unquoted)

    def _table(self, key: str, table: Mapping[str, Any]) -> Mapping[str, Any]:
        found = table.get(key, {})
        if not isinstance(found, Mapping):
            raise self._error(key, "is no table", f"write [{self._name}.{key}]")
        return found

    def _libraries(self, listed: Any) -> tuple[str, ...]:
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            hint = 'write libraries = ["group:artifact:version", "pip:NAME==VERSION", "PATH"]'
            raise self._error("libraries", "is no list of texts", hint)
        return tuple(listed)

    def _text(self, key: str, value: Any) -> str:
        if not isinstance(value, str):
            raise self._error(key, "is no text", "put it into quotes")
        return value

    def _variable(self, name: str, value: Any) -> str:
        text = self._value(f"environment.{name}", name, value)
        if not name or "=" in name or "\0" in name + text:
            raise self._error(f"environment.{name}", "is nothing that a variable can be", "mend it")
        return text

    def _value(self, where: str, key: str, value: Any) -> str:
        if isinstance(value, Mapping):
            self._secrets.add(key)
            return self._secret(where, value) if self._with_secrets else "***"
        if isinstance(value, bool):
            return str(value).lower()
        if not isinstance(value, str | int | float):
            raise self._error(where, "is neither text nor a number", "put it into quotes")
        if holds_secret(key, str(value)):
            self._secrets.add(key)
        return str(value)

    def _secret(self, where: str, reference: Mapping[str, Any]) -> str:
        if not _is_reference(reference):
            hint = 'write { env = "VARIABLE" } or { file = "PATH" }'
            raise self._error(where, "does not say where its secret is", hint)
        ((kind, place),) = reference.items()
        if kind == "env":
            if place not in os.environ:
                hint = f"set {place} where Jupyter is started"
                raise self._error(where, f"needs the variable {place}, which is not set", hint)
            return os.environ[place]
        path = Path(place).expanduser()
        try:
            with path.open(encoding="utf-8") as file:
                about = os.fstat(file.fileno())
                if about.st_uid != os.geteuid():
                    hint = "keep secrets in a file of your own"
                    raise self._error(where, f"is in {path}, which belongs to another user", hint)
                if about.st_mode & 0o077:
                    hint = f"run `chmod 600 {path}`"
                    raise self._error(where, f"is in {path}, which others can read", hint)
                return file.read().strip()
        except (OSError, ValueError) as error:
            said = getattr(error, "strerror", None) or error
            what = f"is in {path}, which cannot be read: {said}"
            raise self._error(where, what, "check the path") from error

    def _template(self, rel: str, template: Any) -> str:
        where = f"links.{rel}"
        self._check_name(where, rel, _RELATIONS)
        try:
            unknown = placeholders_of(template) - set(PLACEHOLDERS)
        except (TypeError, ValueError) as error:
            raise self._error(where, f"is no template: {error}", "see the docs") from error
        if unknown:
            hint = f"there are {', '.join(f'{{{name}}}' for name in PLACEHOLDERS)}"
            raise self._error(where, f"names {{{min(unknown)}}}, which there is not", hint)
        return str(template)

    def _check_url(self, where: str, url: str) -> None:
        try:
            check_url(url)
        except ConfigurationError as error:
            raise self._error(where, "is no URL of a Spark Connect server", error.hint) from error

    def _check_name(self, where: str, name: str, known: Collection[str]) -> None:
        if name not in known:
            near = difflib.get_close_matches(name, list(known), n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise self._error(where, "is nothing that is known here", hint)

    def _error(self, key: str, said: str, hint: str) -> ConfigurationError:
        place = f"{key} of the cluster {self._name!r}" if key else f"The cluster {self._name!r}"
        return ConfigurationError(f"{self._where}: {place} {said}.", hint)


def _is_reference(value: Mapping[str, Any]) -> bool:
    return len(value) == 1 and all(
        key in _REFERENCES and isinstance(place, str) for key, place in value.items()
    )
