"""The kernel's process: reads the configuration, then runs the kernel."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Any

from ipykernel.kernelapp import IPKernelApp, kernel_aliases
from jupyter_core.paths import jupyter_config_path
from traitlets import Dict, Type
from traitlets.config import Config

from spark_kernel import __version__
from spark_kernel.errors import ConfigurationError
from spark_kernel.kernel.clusters import read_clusters
from spark_kernel.kernel.config import (
    COMMAND_LINE,
    SECTION,
    check_config,
    environment_config,
    file_layers,
    merge_conf,
)
from spark_kernel.kernel.kernel import SparkKernel
from spark_kernel.kernel.origins import ENVIRONMENT, conf_origins

__all__ = ["SparkKernelApp"]


class SparkKernelApp(IPKernelApp):
    """Starts the PySpark (cluster) kernel; clients do so through its kernelspec.

    A mistake in the configuration does not keep the kernel from starting: a client would only
    say that the kernel died. The session fails with the reason instead.

    Attributes
    ----------
    problem
        What is wrong with the configuration, or None.
    files
        Our configuration files that were read.
    conf_origins
        Where each of Spark's settings was set.
    """

    name = "spark-kernel"
    version = __version__
    aliases = Dict(
        {
            **kernel_aliases,
            "master": "SparkKernel.master",
            "cluster": "SparkKernel.cluster",
            "start": "SparkKernel.start_mode",
        }
    )
    kernel_class = Type(  # type: ignore[assignment]  # traitlets types a tagged trait as object
        SparkKernel, klass="ipykernel.kernelbase.Kernel"
    ).tag(config=True)
    classes = [SparkKernel, *IPKernelApp.classes]  # noqa: RUF012  # traitlets wants a list

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problem: ConfigurationError | None = None
        self.files: list[Path] = []
        self.conf_origins: dict[str, str] = {}
        self._layers: list[tuple[str, Config]] = []
        self._folders: list[str] = []

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """Read IPython's files, then ours from Jupyter's folders, then the environment."""
        # What the user has set for every Python kernel holds for this one.
        self.config_files = ["ipython_kernel_config.py"]
        super().load_config_file(*args, **kwargs)
        try:
            self._folders = [*jupyter_config_path(), *self.config_file_paths]
            layers = file_layers(self._folders)
            self.files = [path for path, _ in layers]
            clusters = read_clusters(self._folders)
            named = [("", Config({SECTION: {"clusters": clusters}}))] if clusters else []
            files = [(str(path), config) for path, config in layers]
            self._layers = [*named, *files, (ENVIRONMENT, environment_config(os.environ))]
        except ConfigurationError as error:
            self.problem = error
        for _, layer in self._layers:
            self.update_config(layer)

    def check_configuration(self) -> None:
        """Merge and check what was set for the kernel; drops it all if something is wrong."""
        try:
            layers = [*self._layers, (COMMAND_LINE, self.cli_config)]
            self.conf_origins = conf_origins(layers)
            for name in ("conf", "clusters"):
                merged = merge_conf([layer for _, layer in layers], name)
                if merged:
                    self.config[SECTION][name] = merged
            sections = {parent.__name__ for cls in self.classes for parent in cls.mro()}
            sections.add(type(self).__name__)
            check_config(self.config, sections, SparkKernel.class_trait_names(config=True))
        except ConfigurationError as error:
            self.problem = self.problem or error
        if self.problem is not None:
            self.log.error("%s", self.problem)
            self.config.pop(SECTION, None)

    def init_kernel(self) -> None:
        """Make the kernel; called once the configuration is complete."""
        self.check_configuration()
        self._adopt_logger()
        super().init_kernel()
        self.kernel.configuration_problem = self.problem
        self.kernel.cluster_folders = self._folders

    def _adopt_logger(self) -> None:
        """Log where the kernel does: Python's last resort would be the running cell."""
        ours = logging.getLogger("spark_kernel")
        ours.handlers = self.log.handlers
        ours.setLevel(self.log.getEffectiveLevel())
        ours.propagate = False
