"""Which libraries a notebook uses."""

from __future__ import annotations

import json
import pathlib
from types import SimpleNamespace

import jinja2
import traitlets

from spark_kernel.kernel.used_libraries import UsedLibraries, library_modules


def test_modules_classes_functions_and_values_tell_where_they_come_from() -> None:
    values = [jinja2, traitlets.Bool, jinja2.clear_caches, traitlets.Bool(), json, pathlib.Path, 1]
    assert library_modules(values) == {"jinja2", "traitlets"}


def test_libraries_are_named_as_their_distributions_with_versions() -> None:
    import yaml

    shell = SimpleNamespace(user_ns={"y": yaml, "t": jinja2, "_": json}, user_ns_hidden={"t": 1})
    found = {one.name: one.version for one in UsedLibraries(shell).found()}
    assert {name.lower() for name in found} >= {"pyspark", "pyyaml"}
    assert "jinja2" not in {name.lower() for name in found}
    assert all(found.values())


def test_what_is_known_without_looking_is_pyspark() -> None:
    shell = SimpleNamespace(user_ns={"t": jinja2}, user_ns_hidden={})
    assert [one.name for one in UsedLibraries(shell).least()] == ["pyspark"]
