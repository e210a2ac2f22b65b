"""The libraries of a kernel, with a Spark that only notes what it is given."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from kernel_real.leftovers import wait_until

from spark_kernel.errors import LibraryError
from spark_kernel.spark.libraries import Libraries, Library

AVRO = "org.apache.spark:spark-avro_2.13:4.0.0"


class Spark:
    """Takes all, or fails with an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.given: list[tuple[str, str]] = []
        self.error = error

    def hand_over(self, libraries: Sequence[tuple[str, str]]) -> None:
        """Note what is given."""
        if self.error is not None:
            raise self.error
        self.given += libraries

    def handed_out(self) -> str:
        """Hand out nothing from the start on."""
        return ""


@pytest.fixture
def libraries():
    """Give the libraries of a kernel that ends with the test."""
    made = Libraries()
    yield made
    made.close()


def add(libraries: Libraries, what: object, spark: Any = None) -> list[Library]:
    """Add something as the magic does; gives what is new."""
    new = libraries.prepare(str(what), lambda *_: None)
    if new:
        libraries.give(spark or Spark(), new)
    return new


def begin(libraries: Libraries, *configured: object) -> Spark:
    """Begin a session with this in the configuration; gives what it got."""
    spark = Spark()
    libraries.upload(spark, [str(what) for what in configured], lambda told: None)  # type: ignore[arg-type]
    return spark


def names(libraries: Libraries) -> list[str]:
    """Give the names of what is listed."""
    return [library.name for library in libraries.listed]


# -- what the configuration names --------------------------------------------------------------


@pytest.mark.parametrize("is_gone", [False, True])
def test_configured_library_is_the_same_in_every_session(libraries, tmp_path, is_gone):
    module = tmp_path / "helpers.py"
    module.write_text("a = 1")
    first = begin(libraries, module)
    module.unlink() if is_gone else module.write_text("a = 2")
    again = begin(libraries, module)
    assert again.given == first.given
    assert Path(again.given[0][1]).read_text() == "a = 1"


def test_configured_library_that_was_forgotten_stays_away(libraries):
    begin(libraries, AVRO)
    libraries.forget("org.apache.spark:spark-avro_2.13")
    assert begin(libraries, AVRO).given == []


def test_other_cluster_gets_its_own_libraries_and_those_of_the_notebook(libraries, tmp_path):
    for name in ("added.py", "common.py", "first.py"):
        (tmp_path / name).write_text("")
    begin(libraries, tmp_path / "common.py", tmp_path / "first.py", "org.x:lib:1.0")
    add(libraries, tmp_path / "added.py")
    place = next(library.place for library in libraries.listed if library.name == "first")
    begin(libraries, tmp_path / "common.py", "org.x:lib:2.0")
    assert names(libraries) == ["common", "added", "org.x:lib"]
    assert libraries.listed[-1].version == "2.0"
    assert not Path(place).exists()


# -- all or nothing ----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("no")])
def test_library_that_is_not_given_in_full_leaves_nothing(libraries, tmp_path, error):
    (tmp_path / "helpers.py").write_text("")
    new = libraries.prepare(str(tmp_path / "helpers.py"), lambda *_: None)
    with pytest.raises((KeyboardInterrupt, LibraryError)):
        libraries.give(Spark(error), new)
    assert libraries.listed == []
    assert not Path(new[0].place).exists()


# -- two versions of one -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "is_taken"),
    [
        (AVRO, "spark-avro_2.13-4.1.0.jar", False),
        ("spark-avro_2.13-4.1.0.jar", AVRO, False),
        (AVRO, "spark-avro_2.13-4.0.0.jar", True),
        (AVRO, "spark-avro_2.13.jar", True),
        (AVRO, "org.example:spark-avro_2.13:1.0", True),
        (AVRO, "spark_avro.py", True),
    ],
)
def test_two_versions_of_a_library_are_refused_as_jar_and_coordinate_too(
    libraries, tmp_path, first, second, is_taken
):
    def place(what: str) -> str:
        if ":" in what:
            return what
        (tmp_path / what).write_text("")
        return str(tmp_path / what)

    add(libraries, place(first))
    if is_taken:
        assert add(libraries, place(second))
    else:
        with pytest.raises(LibraryError, match="takes one version"):
            add(libraries, place(second))
        assert len(libraries.listed) == 1


# -- the end -----------------------------------------------------------------------------------


def test_copies_are_gone_when_the_kernel_is_killed(tmp_path):
    (tmp_path / "helpers.py").write_text("")
    code = (
        "import time\nfrom spark_kernel.spark.libraries import Libraries\n"
        f"print(Libraries().prepare({str(tmp_path / 'helpers.py')!r}, None)[0].place, flush=True)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as kernel:
        place = Path(kernel.stdout.readline().strip())
        assert place.exists()
        kernel.kill()
    folder = place.parents[2]
    assert folder.name.startswith("spark-kernel-")
    assert wait_until(lambda: not folder.exists(), 20)


# -- what the next driver has from its start on ------------------------------------------------


def test_next_driver_has_jars_and_coordinates_on_its_class_path(libraries, tmp_path):
    for name in ("some.jar", "a, b.jar", "helpers.py"):
        (tmp_path / name).write_text("")
        add(libraries, tmp_path / name)
    options = {"repositories": ["https://host/maven"], "exclusions": ["org.x:one", "org.x:two"]}
    libraries.give(Spark(), libraries.prepare(AVRO, lambda *_: None, **options))
    begin(libraries, "org.x:lib:1.0")
    launched = libraries.at_launch([])
    (jar,) = launched.pop("spark.jars")  # the other is handed over when the session is there
    assert jar.endswith("/some.jar")
    assert launched == {
        "spark.jars.packages": (AVRO,),
        "spark.jars.repositories": ("https://host/maven",),
        "spark.jars.excludes": ("org.x:one,org.x:two",),
    }
