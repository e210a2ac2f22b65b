"""The command line of the driver: what Spark's own launcher would say, and nothing private."""

from __future__ import annotations

import os
import shlex
import stat
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import javaproperties
import pytest
from fake_java import make_java

from spark_kernel.errors import ConfigurationError
from spark_kernel.spark.installation import SparkInstallation, find_spark
from spark_kernel.spark.java import JavaRuntime, find_java, inspect_java
from spark_kernel.spark.launch import (
    LaunchCommand,
    configuration_folder,
    direct_command,
    module_options,
    needs_ordinary_way,
    ordinary_command,
)
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.submit import plan_submission

SUBMIT = "org.apache.spark.deploy.SparkSubmit"
VECTOR = "--add-modules=jdk.incubator.vector"
EXTRA, DEFAULT = "spark.driver.extraJavaOptions", "spark.driver.defaultJavaOptions"


@pytest.fixture(scope="module")
def own_spark() -> SparkInstallation:
    """Give the Spark inside the installed pyspark."""
    return find_spark({})


@pytest.fixture(scope="module")
def real_java(own_spark: SparkInstallation) -> JavaRuntime:
    """Give a Java that runs."""
    return find_java("", os.environ, own_spark.version)


@pytest.fixture
def java(tmp_path: Path) -> JavaRuntime:
    """Give a Java that has every module and says what it is told."""
    home = make_java(tmp_path / "java", script="printf '%s\\n' \"$@\"")
    return inspect_java(home, "configuration")


@pytest.fixture
def spark(tmp_path: Path) -> SparkInstallation:
    """Give a Spark of three empty jars."""
    home = tmp_path / "spark"
    (home / "jars").mkdir(parents=True)
    for name in ("aws-sdk-2.jar", "slf4j-api-2.0.jar", "spark-core_2.13-4.3.0.jar"):
        (home / "jars" / name).touch()
    return SparkInstallation(home, "4.3.0", is_own=True)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a run folder."""
    path = tmp_path / "run"
    path.mkdir()
    return path


def command(
    spark: SparkInstallation,
    java: JavaRuntime,
    folder: Path,
    *,
    is_direct: bool = True,
    conf: Mapping[str, str] | None = None,
    **environ: str,
) -> LaunchCommand:
    """Make a command line as the kernel does."""
    conf_folder = configuration_folder(spark, environ)
    plan = plan_submission(SessionSettings(conf=conf or {}), environ, conf_folder)
    make = direct_command if is_direct else ordinary_command
    return make(spark, java, plan, environ, folder)


def launcher_words(
    spark: SparkInstallation, java: JavaRuntime, *arguments: str, **environ: str
) -> list[str]:
    """Ask Spark's own launcher for the command line."""
    run = subprocess.run(
        [
            *(java.executable, "-cp", f"{spark.jars}/*", "org.apache.spark.launcher.Main"),
            *(SUBMIT, *arguments, "pyspark-shell"),
        ],
        env={
            "SPARK_HOME": str(spark.home),
            "SPARK_SCALA_VERSION": "2.13",
            "JAVA_HOME": str(java.home),
            **environ,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return [word.strip("\n") for word in run.stdout.split("\0")][1:-1]


def jvm_options(words: list[str] | tuple[str, ...]) -> list[str]:
    """Give the options of the JVM without its class path."""
    options = list(words[1 : words.index(SUBMIT)])
    if "-cp" in options:
        del options[options.index("-cp") : options.index("-cp") + 2]
    return [option for option in options if not option.startswith("@")]


def class_path(made: LaunchCommand, java: JavaRuntime) -> list[str]:
    """Ask a real Java how it reads the class path."""
    run = subprocess.run(
        [java.executable, made.argv[1], "-XshowSettings:properties", "-version"],
        capture_output=True,
        text=True,
        check=True,
    )
    return list(_property(run.stderr.splitlines(), "java.class.path"))


def _property(lines: list[str], name: str) -> Iterator[str]:
    is_in = False
    for line in lines:
        key, separator, value = line.strip().partition(" = ")
        if separator:
            is_in = key == name
        if is_in:
            yield value if separator else line.strip()


def expanded(entries: list[str]) -> list[str]:
    """Write a class path as jars and folders, each once."""
    found: list[str] = []
    for entry in entries:
        path = Path(entry)
        jars = sorted(map(str, path.parent.glob("*.jar"))) if path.name == "*" else [str(path)]
        found += [jar for jar in jars if jar not in found]
    return found


# -- as Spark's own launcher -------------------------------------------------------------------


def test_every_jvm_option_of_the_launcher_is_given(own_spark, real_java, folder):
    asked = jvm_options(launcher_words(own_spark, real_java))
    given = jvm_options(command(own_spark, real_java, folder).argv)
    lacking = [] if real_java.has_module("jdk.incubator.vector") else [VECTOR]
    assert len(asked) > 20
    assert set(asked) - set(given) == set(lacking)


def test_no_module_option_is_given_that_the_launcher_does_not_know(own_spark, real_java):
    asked = jvm_options(launcher_words(own_spark, real_java))
    assert set(module_options(replace(real_java, modules=None))) <= set(asked)


def test_options_of_the_user_come_in_the_launchers_order(own_spark, real_java, folder):
    conf = {
        "spark.driver.memory": "700m",
        DEFAULT: "-Ddefault=1",
        EXTRA: "-Dextra='a b' -XX:+UseSerialGC",
    }
    environ = {"SPARK_SUBMIT_OPTS": '-Xmx3g -Dsubmit="c d"'}
    arguments = [word for item in conf.items() for word in ("--conf", "=".join(item))]
    asked = jvm_options(launcher_words(own_spark, real_java, *arguments, **environ))
    given = jvm_options(command(own_spark, real_java, folder, conf=conf, **environ).argv)
    theirs = [
        *("-Xmx3g", "-Dsubmit=c d", "-Xmx700m"),
        *("-Ddefault=1", "-Dextra=a b", "-XX:+UseSerialGC"),
    ]
    assert [option for option in asked if option in theirs] == theirs
    assert [option for option in given if option in theirs] == theirs


@pytest.mark.parametrize("variable", ["SPARK_DRIVER_MEMORY", "SPARK_MEM"])
def test_memory_from_the_environment_counts_as_in_the_launcher(
    own_spark, real_java, folder, variable
):
    given = jvm_options(command(own_spark, real_java, folder, **{variable: "640m"}).argv)
    assert "-Xmx640m" in jvm_options(launcher_words(own_spark, real_java, **{variable: "640m"}))
    assert "-Xmx640m" in given


def test_class_path_is_the_launchers_with_every_jar_named(own_spark, real_java, folder, tmp_path):
    environ = {}
    for name in ("SPARK_CONF_DIR", "HADOOP_CONF_DIR", "YARN_CONF_DIR", "SPARK_DIST_CLASSPATH"):
        environ[name] = str(tmp_path / name)
        Path(environ[name]).mkdir()
    extra = f"{tmp_path}/first.jar:{tmp_path}/second.jar"
    words = launcher_words(own_spark, real_java, "--driver-class-path", extra, **environ)
    asked = expanded(words[words.index("-cp") + 1].split(":"))
    conf = {"spark.driver.extraClassPath": extra}
    given = class_path(command(own_spark, real_java, folder, conf=conf, **environ), real_java)
    assert not any(entry.endswith("*") for entry in given)
    assert expanded(given) == asked


# -- the direct way ----------------------------------------------------------------------------


def test_java_is_called_with_spark_submit_and_the_shell(spark, java, folder):
    made = command(spark, java, folder)
    assert made.is_direct
    assert made.argv[0] == str(java.executable)
    assert made.argv[made.argv.index(SUBMIT) :][-1] == "pyspark-shell"


def test_memory_is_one_gigabyte_unless_set(spark, java, folder):
    assert "-Xmx1g" in command(spark, java, folder).argv
    made = command(spark, java, folder, conf={"spark.driver.memory": "3g"}, SPARK_MEM="2g")
    assert [word for word in made.argv if word.startswith("-Xmx")] == ["-Xmx3g"]


def test_module_that_the_java_lacks_is_left_out(java):
    assert VECTOR in module_options(java)
    lacking = module_options(replace(java, modules=frozenset({"java.base"})))
    assert VECTOR not in lacking
    assert len(lacking) == len(module_options(java)) - 1


def test_settings_stand_in_a_private_file_and_not_on_the_command_line(spark, java, folder):
    conf = {"spark.hadoop.fs.s3a.secret.key": "s3cr3t-kéy", "spark.example": " a=b: c\\"}
    old = os.umask(0)
    try:
        made = command(spark, java, folder, conf=conf)
    finally:
        os.umask(old)
    assert not any("s3cr3t" in word or "a=b" in word for word in made.argv)
    path = Path(made.argv[made.argv.index("--properties-file") + 1])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with path.open(encoding="utf-8") as file:
        written = javaproperties.load(file)
    assert written.items() >= conf.items()


def test_files_of_the_driver_are_temporary_ones_of_its_run_folder(spark, java, folder):
    assert f"-Djava.io.tmpdir={folder}" in command(spark, java, folder).argv


def test_logging_interface_comes_before_jars_that_bring_an_older_one(spark, java, folder):
    text = Path(command(spark, java, folder).argv[1].removeprefix("@")).read_text()
    assert text.index("slf4j-api-2.0.jar") < text.index("aws-sdk-2.jar")


def test_class_path_with_spaces_quotes_and_backslashes_arrives_whole(
    tmp_path, spark, real_java, folder
):
    home = spark.home.rename(tmp_path / "my Spark's \\ folder #1")
    (home / "conf").mkdir()
    spark = replace(spark, home=home)
    conf = {"spark.driver.extraClassPath": f"{tmp_path}/a b.jar"}
    entries = class_path(command(spark, real_java, folder, conf=conf), real_java)
    jars = ("slf4j-api-2.0.jar", "aws-sdk-2.jar", "spark-core_2.13-4.3.0.jar")
    assert entries == [
        f"{tmp_path}/a b.jar",
        str(home / "conf"),
        *(str(home / "jars" / name) for name in jars),
    ]


def test_options_of_an_archive_are_given(spark, java, folder):
    plan = plan_submission(SessionSettings(), {}, spark.home / "conf")
    made = direct_command(spark, java, plan, {}, folder, ["-XX:AOTCache=/cache/a b.aot"])
    assert "-XX:AOTCache=/cache/a b.aot" in jvm_options(made.argv)


def test_native_libraries_are_looked_for_where_the_setting_says_first(spark, java, folder):
    conf = {"spark.driver.extraLibraryPath": "/native"}
    made = command(spark, java, folder, conf=conf, LD_LIBRARY_PATH="/usr/lib")
    assert made.environ["LD_LIBRARY_PATH"] == "/native:/usr/lib"
    assert command(spark, java, folder, conf=conf).environ["LD_LIBRARY_PATH"] == "/native"
    assert "LD_LIBRARY_PATH" not in command(spark, java, folder).environ


# -- both ways ---------------------------------------------------------------------------------


@pytest.fixture(params=[True, False], ids=["direct", "ordinary"])
def is_direct(request: pytest.FixtureRequest) -> bool:
    """Give each way of starting."""
    return bool(request.param)


def test_environment_names_this_spark_and_this_java(spark, java, folder, is_direct):
    made = command(
        spark, java, folder, is_direct=is_direct, JAVA_HOME="/other", SPARK_HOME="/other", KEPT="1"
    )
    assert made.environ["SPARK_HOME"] == str(spark.home)
    assert made.environ["JAVA_HOME"] == str(java.home)
    assert made.environ["KEPT"] == "1"
    assert made.environ["PYTHONHASHSEED"] == "0"


def test_submit_arguments_are_handed_on_once(spark, java, folder, is_direct):
    arguments = "--verbose --conf spark.a=1 pyspark-shell"
    made = command(spark, java, folder, is_direct=is_direct, PYSPARK_SUBMIT_ARGS=arguments)
    assert made.argv[-4:] == ("--verbose", "--conf", "spark.a=1", "pyspark-shell")
    assert "PYSPARK_SUBMIT_ARGS" not in made.environ


def test_local_web_ui_listens_on_loopback(spark, java, folder, is_direct):
    assert (
        command(spark, java, folder, is_direct=is_direct).environ["SPARK_LOCAL_IP"] == "127.0.0.1"
    )
    given = command(spark, java, folder, is_direct=is_direct, SPARK_LOCAL_IP="10.0.0.7")
    assert given.environ["SPARK_LOCAL_IP"] == "10.0.0.7"
    conf = {"spark.master": "yarn"}
    cluster = command(spark, java, folder, is_direct=is_direct, conf=conf)
    assert "SPARK_LOCAL_IP" not in cluster.environ


def test_temporary_folder_that_the_user_chose_for_java_is_kept(spark, java, folder, is_direct):
    made = command(
        spark, java, folder, is_direct=is_direct, SPARK_SUBMIT_OPTS="-Djava.io.tmpdir=/big/disk"
    )
    options = shlex.split(made.environ["SPARK_SUBMIT_OPTS"]) if not is_direct else made.argv
    folders = [option for option in options if option.startswith("-Djava.io.tmpdir=")]
    assert folders == [f"-Djava.io.tmpdir={folder}", "-Djava.io.tmpdir=/big/disk"]


@pytest.mark.parametrize("key", [DEFAULT, EXTRA])
def test_heap_size_among_the_java_options_is_refused_as_spark_does(spark, java, folder, key):
    with pytest.raises(ConfigurationError, match=key) as caught:
        command(spark, java, folder, conf={key: "-Da=1 -Xmx4g"})
    assert "spark.driver.memory" in caught.value.hint


@pytest.mark.parametrize("where", [EXTRA, "SPARK_SUBMIT_OPTS"])
def test_open_quote_in_java_options_is_an_error_that_says_where(spark, java, folder, where):
    broken = "-Da='b"
    given = {"conf": {where: broken}} if where == EXTRA else {where: broken}
    with pytest.raises(ConfigurationError, match=where) as caught:
        command(spark, java, folder, **given)
    assert "quote" in caught.value.hint


# -- the ordinary way --------------------------------------------------------------------------


def test_foreign_spark_goes_through_its_own_spark_submit(spark, java, folder):
    made = command(spark, java, folder, is_direct=False)
    assert not made.is_direct
    assert made.argv[0] == str(spark.home / "bin" / "spark-submit")
    assert made.argv[-1] == "pyspark-shell"
    assert made.environ["JAVA_HOME"] == str(java.home)


def test_options_for_the_jvm_go_into_the_environment(spark, java, tmp_path):
    folder = tmp_path / "a run folder"
    folder.mkdir()
    made = command(spark, java, folder, is_direct=False, SPARK_SUBMIT_OPTS='-Dmine="a b"')
    options = shlex.split(made.environ["SPARK_SUBMIT_OPTS"])
    assert f"-Djava.io.tmpdir={folder}" in options
    assert "-Dmine=a b" in options
    assert any(option.startswith("-Xlog:") and "stderr" in option for option in options)


def test_java_that_lacks_a_module_is_not_told_to_load_it(tmp_path, spark, folder):
    home = make_java(
        tmp_path / "it's a java", script="printf '%s\\n' \"$@\"; exit 7", MODULES="java.base"
    )
    made = command(spark, inspect_java(home, "x"), folder, is_direct=False)
    run = subprocess.run(
        [
            Path(made.environ["JAVA_HOME"], "bin", "java"),
            *("-Xmx1g", VECTOR, "", "-Da=b c", "--add-modules=java.sql", "Main", "*"),
        ],
        capture_output=True,
        text=True,
    )
    assert run.stdout == "-Xmx1g\n\n-Da=b c\n--add-modules=java.sql\nMain\n*\n"
    assert run.returncode == 7


def test_way_to_start_depends_on_who_owns_the_jvm_options(spark):
    conf = configuration_folder(spark, {})
    assert needs_ordinary_way(spark, conf) == ""
    assert str(spark.home) in needs_ordinary_way(replace(spark, is_own=False), conf)


@pytest.mark.parametrize("name", ["spark-env.sh", "java-opts"])
def test_file_that_only_spark_submit_reads_needs_the_ordinary_way(spark, tmp_path, name):
    conf = configuration_folder(spark, {"SPARK_CONF_DIR": str(tmp_path / "conf")})
    conf.mkdir()
    (conf / name).touch()
    assert name in needs_ordinary_way(spark, conf)
