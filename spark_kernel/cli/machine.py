"""What the checks look at: each part is read when it is first needed, and once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from traitlets import TraitError
from traitlets.config import Config, Configurable

from spark_kernel.errors import ConfigurationError, InstallationError
from spark_kernel.kernel.app import SparkKernelApp
from spark_kernel.kernel.config import ENVIRONMENT_PREFIX, SparkKernelSettings
from spark_kernel.spark.archive import ArchiveStore
from spark_kernel.spark.installation import SparkInstallation, find_spark
from spark_kernel.spark.java import JavaRuntime, find_java
from spark_kernel.spark.launch import configuration_folder
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.submit import SubmitPlan, plan_submission

__all__ = ["Configuration", "Machine", "read_configuration"]


@dataclass(frozen=True)
class Configuration:
    """The kernel's configuration, as a kernel that starts now would have it.

    Parameters
    ----------
    files
        The configuration files that were read.
    problem
        What is wrong with it, or None; the settings are the defaults then, as in the kernel.
    """

    settings: SessionSettings
    files: tuple[Path, ...] = ()
    problem: ConfigurationError | None = None


class Machine:
    """What the kernel depends on, here and now.

    Parameters
    ----------
    environ
        The environment of the kernels.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = environ

    @cached_property
    def configuration(self) -> Configuration:
        """The configuration; reading it never fails."""
        return read_configuration()

    @property
    def settings(self) -> SessionSettings:
        """The settings of a session."""
        return self.configuration.settings

    @cached_property
    def spark(self) -> SparkInstallation:
        """The Spark that would run; raises InstallationError."""
        return find_spark(self.environ)

    @property
    def spark_version(self) -> str:
        """The version of Spark, or of pyspark where Spark itself is amiss, or empty."""
        try:
            return self.spark.version
        except InstallationError:
            return pyspark_version()

    @cached_property
    def java(self) -> JavaRuntime:
        """The Java that would run it; raises InstallationError."""
        return find_java(self.settings.java_home, self.environ, self.spark_version)

    @cached_property
    def plan(self) -> SubmitPlan:
        """What Spark would be told; raises ConfigurationError or InstallationError."""
        return plan_submission(self.settings, self.environ, self.spark_conf_folder)

    @property
    def spark_conf_folder(self) -> Path:
        """Where Spark's own configuration is; raises InstallationError."""
        return configuration_folder(self.spark, self.environ)

    @cached_property
    def archives(self) -> ArchiveStore:
        """The class-data archives."""
        return ArchiveStore(self.settings.cache_folder, self.settings.has_fast_start)

    @property
    def environment_settings(self) -> list[str]:
        """Names of the variables that set something in the kernel."""
        return sorted(name for name in self.environ if name.startswith(ENVIRONMENT_PREFIX))


def pyspark_version() -> str:
    """Give the version of the installed pyspark, or empty."""
    try:
        return metadata.version("pyspark")
    except metadata.PackageNotFoundError:
        return ""


def read_configuration() -> Configuration:
    """Read the configuration with the kernel's own code; starts nothing."""
    settings, files, problem = _read()
    return Configuration(settings.session_settings(), files, problem)


def read_kernel_settings() -> KernelSettings:
    """Read what is set for the kernel.

    Raises
    ------
    ConfigurationError
        If something is wrong with it.
    """
    settings, _, problem = _read()
    if problem is not None:
        raise problem
    return settings


def _read() -> tuple[KernelSettings, tuple[Path, ...], ConfigurationError | None]:
    application: Any = SparkKernelApp()
    try:
        application.init_profile_dir()
        application.init_config_files()
        application.load_config_file()
        application.check_configuration()
        problem = application.problem
    except (SystemExit, TraitError) as error:
        problem = ConfigurationError(
            f"The configuration ends every kernel that reads it ({error!r}).",
            "what was logged to standard error says why",
        )
    config = application.config if problem is None else Config()
    settings = KernelSettings.section_of(config, application)
    return settings, tuple(application.files), problem


class KernelSettings(SparkKernelSettings, Configurable):
    """The kernel's settings without the kernel."""

    @classmethod
    def section_of(cls, config: Config, application: Any) -> KernelSettings:
        """Read the kernel's section."""
        return cls(config=Config({cls.__name__: config["SparkKernel"]}), parent=application)
