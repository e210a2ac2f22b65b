"""Works out what ``spark-submit`` is told, and which settings will count in the end.

Pure: files and environment come in, values go out. The order is Spark's own: what is in
``PYSPARK_SUBMIT_ARGS`` beats the kernel's settings, which beat ``spark-defaults.conf``.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import javaproperties

from spark_kernel.errors import ConfigurationError
from spark_kernel.spark.settings import SessionSettings

__all__ = ["SubmitPlan", "plan_submission"]

_APPLICATION = "pyspark-shell"
_OPTION_SETTINGS = {
    "--master": "spark.master",
    "--deploy-mode": "spark.submit.deployMode",
    "--name": "spark.app.name",
    "--driver-memory": "spark.driver.memory",
    "--driver-java-options": "spark.driver.extraJavaOptions",
    "--driver-class-path": "spark.driver.extraClassPath",
    "--driver-library-path": "spark.driver.extraLibraryPath",
    "--jars": "spark.jars",
    "--files": "spark.files",
    "--archives": "spark.archives",
    "--py-files": "spark.submit.pyFiles",
    "--packages": "spark.jars.packages",
    "--remote": "spark.remote",
}
"""Options of spark-submit that stand for a setting that we have to know before the start."""

_LOOPBACK = "127.0.0.1"
_LOCAL_DEFAULTS = {
    # Nothing outside this machine takes part, and a name that does not resolve is no trouble.
    "spark.driver.host": _LOOPBACK,
    "spark.driver.bindAddress": _LOOPBACK,
}
_DEFAULTS = {
    # Progress has a display of its own; on the driver's stderr it would only fill the log.
    "spark.ui.showConsoleProgress": "false",
    # 16 retries would make the 18th kernel on a shared machine fail for want of a UI port.
    "spark.port.maxRetries": "128",
    # A cancelled task's Python worker holds its core until it is killed, after 2 s by default.
    "spark.python.task.killTimeout": "100ms",
}


@dataclass(frozen=True)
class SubmitPlan:
    """What is handed to Spark, and what will be in force.

    Parameters
    ----------
    properties
        Settings that go into a properties file: on a command line all users could read them.
    is_with_defaults
        Whether Spark reads ``spark-defaults.conf`` below the properties.
    arguments
        The arguments of ``PYSPARK_SUBMIT_ARGS``, without application and properties file.
    effective
        All settings that are known before the start, with the values that will count.
    origins
        Where each of them comes from.
    """

    properties: Mapping[str, str]
    is_with_defaults: bool
    arguments: tuple[str, ...]
    effective: Mapping[str, str]
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def master(self) -> str:
        """The master URL that will count."""
        return self.effective["spark.master"]

    @property
    def is_local(self) -> bool:
        """Whether driver and executors are one process on this machine."""
        return _is_local(self.master)

    def submit_arguments(self, properties_file: Path) -> list[str]:
        """Give the arguments of SparkSubmit, once the properties are in a file."""
        defaults = ["--load-spark-defaults"] if self.is_with_defaults else []
        return [
            "--properties-file",
            str(properties_file),
            *defaults,
            *self.arguments,
            _APPLICATION,
        ]


def plan_submission(
    settings: SessionSettings, environ: Mapping[str, str], conf_folder: Path
) -> SubmitPlan:
    """Merge the kernel's settings with what Spark itself would read.

    Parameters
    ----------
    conf_folder
        Where ``spark-defaults.conf`` may be.

    Raises
    ------
    ConfigurationError
        If a file cannot be read, or the notebook cannot run as it is asked to.
    """
    submitted = _parse_arguments(environ.get("PYSPARK_SUBMIT_ARGS", ""))
    base = _read_properties(submitted.properties_file) if submitted.properties_file else {}
    is_with_defaults = submitted.properties_file is None or submitted.is_with_defaults
    defaults_file = conf_folder / "spark-defaults.conf"
    defaults = (
        _read_properties(defaults_file) if is_with_defaults and defaults_file.is_file() else {}
    )
    own = {**settings.conf}
    if settings.master:
        own["spark.master"] = settings.master
    if settings.app_name:
        own["spark.app.name"] = settings.app_name
    beneath = {**defaults, **base, **own}
    for key, values in settings.added.items():
        own[key] = ",".join([*filter(None, [beneath.get(key)]), *values])
    effective = {**defaults, **base, **own, **submitted.settings}
    effective.setdefault("spark.master", environ.get("MASTER", "local[*]"))
    ours = _kernel_defaults(effective, environ)
    _check(effective, environ)
    return SubmitPlan(
        properties={**ours, **base, **own},
        is_with_defaults=is_with_defaults,
        arguments=submitted.arguments,
        effective={**ours, **effective},
        origins={
            **dict.fromkeys(ours, "the kernel's defaults"),
            **dict.fromkeys(defaults, str(defaults_file)),
            **dict.fromkeys(base, str(submitted.properties_file)),
            **{key: settings.origins.get(key, "the kernel's configuration") for key in own},
            **dict.fromkeys(settings.added, "%spark add"),
            **dict.fromkeys(submitted.settings, "PYSPARK_SUBMIT_ARGS"),
        },
    )


def _kernel_defaults(effective: Mapping[str, str], environ: Mapping[str, str]) -> dict[str, str]:
    """Give our own defaults: only for what neither the user nor the site has set."""
    wanted = dict(_DEFAULTS)
    if _is_local(effective["spark.master"]) and not environ.get("SPARK_LOCAL_IP"):
        wanted.update(_LOCAL_DEFAULTS)
    return {key: value for key, value in wanted.items() if key not in effective}


def _is_local(master: str) -> bool:
    return master == "local" or master.startswith("local[")


def _check(effective: Mapping[str, str], environ: Mapping[str, str]) -> None:
    if effective.get("spark.submit.deployMode", "client") != "client":
        raise ConfigurationError(
            "A notebook needs its driver beside it, but the deploy mode is "
            f"{effective['spark.submit.deployMode']!r}.",
            "set spark.submit.deployMode to client, or remove the setting",
        )
    remote = effective.get("spark.remote") or environ.get("SPARK_REMOTE")
    if remote:
        raise ConfigurationError(
            f"Both a master ({effective['spark.master']}) and a Spark Connect server "
            "(SPARK_REMOTE or spark.remote) are set.",
            "unset one of them; a server is named by a master sc://HOST:PORT",
        )


@dataclass(frozen=True)
class _Submitted:
    settings: Mapping[str, str]
    arguments: tuple[str, ...]
    properties_file: Path | None
    is_with_defaults: bool


def _parse_arguments(text: str) -> _Submitted:
    """Read PYSPARK_SUBMIT_ARGS: the settings in it, and what is left to hand on."""
    try:
        words = [word for word in shlex.split(text) if word != _APPLICATION]
    except ValueError as error:
        raise ConfigurationError(
            f"PYSPARK_SUBMIT_ARGS cannot be read: {error}.", "check its quotes"
        ) from error
    settings: dict[str, str] = {}
    options: dict[str, str] = {}
    kept: list[str] = []
    properties_file: Path | None = None
    is_with_defaults = False
    position = 0
    while position < len(words):
        option, has_value, value = words[position].partition("=")
        taken = 1
        if not has_value and position + 1 < len(words):
            value, taken = words[position + 1], 2
        if option == "--properties-file":
            properties_file = Path(value)
        elif option == "--load-spark-defaults":
            is_with_defaults, taken = True, 1
        else:
            if option in ("--conf", "-c"):
                key, _, setting = value.partition("=")
                settings[key.strip()] = setting.strip()
            elif option in _OPTION_SETTINGS:
                # SparkSubmit lets an option beat --conf; the JVM's launcher takes the last word.
                name = _OPTION_SETTINGS[option]
                (settings if name.startswith("spark.driver.") else options)[name] = value
            else:
                taken = 1
            kept += words[position : position + taken]
        position += taken
    return _Submitted({**settings, **options}, tuple(kept), properties_file, is_with_defaults)


def _read_properties(path: Path) -> dict[str, str]:
    try:
        with path.open(encoding="utf-8") as file:
            found = javaproperties.load(file)
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"The settings file {path} cannot be read: {error}.", "check the path and its text"
        ) from error
    return {key: value.strip() for key, value in found.items()}
