"""Which Spark is run: pyspark's own, or that of SPARK_HOME if the two fit together."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import findspark
import pyspark
import pytest

import spark_kernel
from spark_kernel.errors import SparkNotFoundError, SparkVersionError
from spark_kernel.spark.installation import SparkInstallation, find_spark

OWN = Path(pyspark.__file__).parent
SERIES = ".".join(pyspark.__version__.split(".")[:2])


def make_spark(home: Path, version: str) -> Path:
    """Make a Spark distribution of one empty jar."""
    (home / "jars").mkdir(parents=True)
    (home / "jars" / f"spark-core_2.13-{version}.jar").touch()
    return home


@pytest.fixture
def find_in(monkeypatch: pytest.MonkeyPatch):
    """Find Spark with a SPARK_HOME; findspark reads the environment of the process."""

    def find(home: Path | str) -> SparkInstallation:
        monkeypatch.setenv("SPARK_HOME", str(home))
        return find_spark(os.environ)

    return find


def install_pyspark(folder: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> Path:
    """Put another pyspark before the installed one."""
    package = folder / "pyspark"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "version.py").write_text(f'__version__: str = "{version}"\n')
    for name in [name for name in sys.modules if name.split(".")[0] == "pyspark"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(folder)
    return package


def test_pyspark_brings_its_own_spark():
    spark = find_spark({})
    assert (spark.home, spark.version, spark.is_own) == (OWN, pyspark.__version__, True)
    assert any(spark.jars.glob("spark-core_*.jar"))


def test_empty_spark_home_counts_as_none():
    assert find_spark({"SPARK_HOME": ""}).home == OWN


def test_spark_home_that_is_pysparks_own_counts_as_own(find_in):
    assert find_in(OWN).is_own


def test_link_to_pysparks_own_spark_counts_as_own(find_in, tmp_path):
    (tmp_path / "link").symlink_to(OWN)
    assert find_in(tmp_path / "link").is_own


def test_spark_home_of_the_same_series_is_taken_as_foreign(find_in, tmp_path):
    spark = find_in(make_spark(tmp_path / "spark", f"{SERIES}.99"))
    assert spark == SparkInstallation(tmp_path / "spark", f"{SERIES}.99", is_own=False)


def test_vendors_build_of_the_same_series_is_taken(find_in, tmp_path):
    version = f"{SERIES}.0-amzn-1"
    assert find_in(make_spark(tmp_path / "spark", version)).version == version


def test_spark_home_of_another_series_is_refused_with_both_versions(find_in, tmp_path):
    with pytest.raises(SparkVersionError) as caught:
        find_in(make_spark(tmp_path / "spark", "3.5.6"))
    text = str(caught.value)
    assert all(part in text for part in ("3.5.6", pyspark.__version__, str(tmp_path / "spark")))
    assert "pip install 'pyspark==3.5.*'" in caught.value.hint
    assert "SPARK_HOME" in caught.value.hint


@pytest.mark.parametrize("name", ["missing", "empty", "spark"])
def test_spark_home_without_spark_is_named(find_in, tmp_path, name):
    (tmp_path / "empty").mkdir()
    (tmp_path / "spark" / "jars").mkdir(parents=True)
    (tmp_path / "spark" / "jars" / "spark-core-sources.jar").touch()
    with pytest.raises(SparkNotFoundError) as caught:
        find_in(tmp_path / name)
    assert str(tmp_path / name) in caught.value.message
    assert "SPARK_HOME" in caught.value.hint


def test_neither_pyspark_nor_spark_home_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    with pytest.raises(SparkNotFoundError, match="pip install pyspark"):
        find_spark({})


def test_spark_that_pip_put_one_folder_deeper_is_found(tmp_path, monkeypatch):
    package = install_pyspark(tmp_path, monkeypatch, "4.1.0")
    make_spark(package / "spark-distribution", "4.1.0")
    spark = find_spark({})
    assert (spark.home, spark.version) == (package / "spark-distribution", "4.1.0")
    assert spark.is_own


def test_version_of_the_installed_pyspark_is_read_without_importing_it(
    tmp_path, monkeypatch, find_in
):
    package = install_pyspark(tmp_path, monkeypatch, "4.1.0")
    (package / "__init__.py").write_text("raise RuntimeError('imported')\n")
    with pytest.raises(SparkVersionError) as caught:
        find_in(make_spark(tmp_path / "spark", "4.3.0"))
    assert caught.value.pyspark_version == "4.1.0"


def test_spark_home_alone_is_enough_and_brings_its_pyspark(tmp_path):
    home = make_spark(tmp_path / "spark", "4.1.0")
    (home / "python" / "lib").mkdir(parents=True)
    (home / "python" / "lib" / "py4j-0.10.9.9-src.zip").touch()
    packages = tmp_path / "packages"  # all that is installed, and pyspark is not among it
    packages.mkdir()
    (packages / "findspark.py").symlink_to(findspark.__file__)
    (packages / "spark_kernel").symlink_to(Path(spark_kernel.__file__).parent)
    script = (
        "import os, sys\n"
        f"sys.path.insert(0, {str(packages)!r})\n"
        "from spark_kernel.spark.installation import find_spark\n"
        "spark = find_spark(os.environ)\n"
        "print(spark.version, spark.is_own, os.environ['SPARK_HOME'] + '/python' in sys.path)"
    )
    run = subprocess.run(
        [sys.executable, "-I", "-S", "-B", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "SPARK_HOME": str(home)},
        check=True,
    )
    assert run.stdout.split() == ["4.1.0", "False", "True"]


def test_finding_spark_imports_nothing_of_it(tmp_path):
    make_spark(tmp_path, f"{SERIES}.99")
    script = (
        "import os, sys\n"
        "from spark_kernel.spark.installation import find_spark\n"
        "find_spark({}); find_spark(os.environ)\n"
        "print([name for name in sys.modules if name.startswith(('pyspark', 'py4j'))])"
    )
    environ = {**os.environ, "SPARK_HOME": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environ, check=True
    )
    assert run.stdout.strip() == "[]"
