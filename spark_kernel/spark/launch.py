"""Makes the command line of the driver JVM; starts nothing.

The direct way calls ``java`` as Spark's launcher would, without a JVM for the launcher itself.
The ordinary way goes through ``spark-submit``, so that ``spark-env.sh`` counts.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import javaproperties

from spark_kernel.errors import ConfigurationError
from spark_kernel.spark.installation import SparkInstallation
from spark_kernel.spark.java import JavaRuntime
from spark_kernel.spark.submit import SubmitPlan

__all__ = [
    "LaunchCommand",
    "configuration_folder",
    "direct_command",
    "java_home_without_vector_module",
    "module_options",
    "needs_ordinary_way",
    "ordinary_command",
]

_SUBMIT_CLASS = "org.apache.spark.deploy.SparkSubmit"
_VECTOR_MODULE = "jdk.incubator.vector"
_OPENED = (
    "java.base/java.lang",
    "java.base/java.lang.invoke",
    "java.base/java.lang.reflect",
    "java.base/java.io",
    "java.base/java.net",
    "java.base/java.nio",
    "java.base/java.util",
    "java.base/java.util.concurrent",
    "java.base/java.util.concurrent.atomic",
    "java.base/jdk.internal.ref",
    "java.base/sun.nio.ch",
    "java.base/sun.nio.cs",
    "java.base/sun.security.action",
    "java.base/sun.util.calendar",
    "java.security.jgss/sun.security.krb5",
)
_LAUNCHER_OPTIONS = (
    "-Dio.netty.tryReflectionSetAccessible=true",
    "-Dio.netty.allocator.type=pooled",
    "-Dio.netty.handler.ssl.defaultEndpointVerificationAlgorithm=NONE",
    "--sun-misc-unsafe-memory-access=allow",
    "--enable-native-access=ALL-UNNAMED",
    "-Dderby.connection.requireAuthentication=false",
)
"""What Spark's own launcher gives every JVM (``org.apache.spark.launcher.JavaModuleOptions``),
for Spark 4.0 to 4.3; a test compares it with the installed launcher."""

_LOG_TO_STDERR = ("-Xlog:disable", "-Xlog:all=warning:stderr:uptime,level,tags")
"""The JVM's own warnings go to standard output by default, which is the cell's."""


@dataclass(frozen=True)
class LaunchCommand:
    """A command line and its whole environment.

    Parameters
    ----------
    is_direct
        Whether ``java`` is called directly.
    """

    argv: tuple[str, ...]
    environ: Mapping[str, str]
    is_direct: bool


def configuration_folder(spark: SparkInstallation, environ: Mapping[str, str]) -> Path:
    """Tell where Spark looks for spark-defaults.conf and spark-env.sh."""
    return Path(environ.get("SPARK_CONF_DIR") or spark.home / "conf")


def needs_ordinary_way(spark: SparkInstallation, conf_folder: Path) -> str:
    """Say why spark-submit is needed, or nothing."""
    if not spark.is_own:
        return f"SPARK_HOME is {spark.home}"
    for name in ("spark-env.sh", "java-opts"):
        if (conf_folder / name).is_file():
            return f"{conf_folder} holds a {name}"
    if os.name != "posix":
        return "not a POSIX system"
    return ""


def module_options(java: JavaRuntime) -> list[str]:
    """Give the options with which Spark starts any JVM, less a module that this Java lacks."""
    vector = [f"--add-modules={_VECTOR_MODULE}"] if java.has_module(_VECTOR_MODULE) else []
    opened = [f"--add-opens={name}=ALL-UNNAMED" for name in _OPENED]
    return ["-XX:+IgnoreUnrecognizedVMOptions", *vector, *opened, *_LAUNCHER_OPTIONS]


def direct_command(
    spark: SparkInstallation,
    java: JavaRuntime,
    plan: SubmitPlan,
    environ: Mapping[str, str],
    run_folder: Path,
    archive_options: Sequence[str] = (),
) -> LaunchCommand:
    """Call ``java`` with Spark's jars; writes the argument files into the run folder.

    Raises
    ------
    ConfigurationError
        If a setting for the JVM is one that Spark refuses.
    """
    class_path_file = run_folder / "class-path"
    class_path_file.write_text(
        f'-cp "{_class_path(spark, plan, environ)}"\n'.replace("\\", "\\\\"), encoding="utf-8"
    )
    argv = [
        str(java.executable),
        f"@{class_path_file}",
        *_placement(run_folder),
        *archive_options,
        # The order of Spark's launcher: the JVM takes the last of two that say different things.
        *_split("SPARK_SUBMIT_OPTS", environ.get("SPARK_SUBMIT_OPTS", "")),
        f"-Xmx{_driver_memory(plan, environ)}",
        *_user_options(plan),
        *module_options(java),
        _SUBMIT_CLASS,
        *plan.submit_arguments(_write_properties(plan, run_folder)),
    ]
    env = _driver_environ(spark, java, plan, environ)
    library_path = plan.effective.get("spark.driver.extraLibraryPath")
    if library_path:
        inherited = env.get("LD_LIBRARY_PATH")
        env["LD_LIBRARY_PATH"] = os.pathsep.join(filter(None, (library_path, inherited)))
    return LaunchCommand(tuple(argv), env, is_direct=True)


def ordinary_command(
    spark: SparkInstallation,
    java: JavaRuntime,
    plan: SubmitPlan,
    environ: Mapping[str, str],
    run_folder: Path,
) -> LaunchCommand:
    """Go through the ``spark-submit`` of the installation."""
    env = _driver_environ(spark, java, plan, environ)
    ours = shlex.join(_placement(run_folder))
    env["SPARK_SUBMIT_OPTS"] = f"{ours} {env.get('SPARK_SUBMIT_OPTS', '')}".rstrip()
    env["JAVA_HOME"] = str(java_home_without_vector_module(java, run_folder))
    argv = [
        str(spark.home / "bin" / "spark-submit"),
        *plan.submit_arguments(_write_properties(plan, run_folder)),
    ]
    return LaunchCommand(tuple(argv), env, is_direct=False)


def _placement(run_folder: Path) -> list[str]:
    """Give the options that say where everything goes that the JVM writes of its own accord."""
    # The report of a crash would go into the working folder, which is the notebook's.
    report = f"-XX:ErrorFile={run_folder / 'hs_err_pid%p.log'}"
    return [*_LOG_TO_STDERR, f"-Djava.io.tmpdir={run_folder}", report]


def _class_path(spark: SparkInstallation, plan: SubmitPlan, environ: Mapping[str, str]) -> str:
    """Give the class path in Spark's order, jar by jar: an archive needs it to the letter."""
    jars = sorted(spark.jars.glob("*.jar"))
    # Spark's launcher puts the logging interface first, before jars that bring an older one.
    jars.sort(key=lambda jar: not jar.name.startswith("slf4j-api-"))
    conf_folder = configuration_folder(spark, environ)
    entries = [
        *plan.effective.get("spark.driver.extraClassPath", "").split(os.pathsep),
        str(conf_folder) if conf_folder.is_dir() else "",
        *map(str, jars),
        environ.get("HADOOP_CONF_DIR", ""),
        environ.get("YARN_CONF_DIR", ""),
        environ.get("SPARK_DIST_CLASSPATH", ""),
    ]
    return os.pathsep.join(entry for entry in entries if entry)


def _driver_memory(plan: SubmitPlan, environ: Mapping[str, str]) -> str:
    return (
        plan.effective.get("spark.driver.memory")
        or environ.get("SPARK_DRIVER_MEMORY")
        or environ.get("SPARK_MEM")
        or "1g"
    )


def _user_options(plan: SubmitPlan) -> list[str]:
    """Give the JVM options among the settings."""
    options = []
    for key in ("spark.driver.defaultJavaOptions", "spark.driver.extraJavaOptions"):
        given = _split(key, plan.effective.get(key, ""))
        if any(option.startswith("-Xmx") for option in given):
            raise ConfigurationError(
                f"{key} holds a heap size (-Xmx), which Spark refuses there.",
                "use spark.driver.memory",
            )
        options += given
    return options


def _split(where: str, options: str) -> list[str]:
    try:
        return shlex.split(options)
    except ValueError as error:
        raise ConfigurationError(f"{where} cannot be read: {error}.", "check its quotes") from error


def _driver_environ(
    spark: SparkInstallation, java: JavaRuntime, plan: SubmitPlan, environ: Mapping[str, str]
) -> dict[str, str]:
    env = dict(environ)
    env["SPARK_HOME"] = str(spark.home)
    env["JAVA_HOME"] = str(java.home)
    env["SPARK_CONNECT_MODE"] = "0"
    # As bin/spark-submit has it: the hashes of Python workers must agree.
    env["PYTHONHASHSEED"] = "0"
    # The arguments are in the plan; left here, SparkSubmit would not read them anyway.
    env.pop("PYSPARK_SUBMIT_ARGS", None)
    if plan.is_local:
        # The web UI listens on every interface unless it is told otherwise, and by this alone.
        env.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return env


def _write_properties(plan: SubmitPlan, run_folder: Path) -> Path:
    path = run_folder / "spark.properties"
    with open(path, "w", encoding="utf-8", opener=_open_private) as file:
        javaproperties.dump(dict(plan.properties), file, timestamp=False)
    return path


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def java_home_without_vector_module(java: JavaRuntime, folder: Path) -> Path:
    """Make a Java home whose ``java`` leaves out the option that the real one would refuse."""
    if java.has_module(_VECTOR_MODULE):
        return java.home
    home = folder / "java-home"
    (home / "bin").mkdir(parents=True, exist_ok=True)
    script = home / "bin" / "java"
    script.write_text(
        "#!/usr/bin/env bash\n"
        "options=()\n"
        f'for o in "$@"; do [ "$o" = --add-modules={_VECTOR_MODULE} ] || options+=("$o"); done\n'
        f'exec {shlex.quote(str(java.executable))} "${{options[@]}}"\n',
        encoding="utf-8",
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    return home
