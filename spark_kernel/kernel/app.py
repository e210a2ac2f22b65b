"""The kernel's process: reads the configuration, then runs the kernel."""

from __future__ import annotations

import logging
import os
from typing import Any

from ipykernel.kernelapp import IPKernelApp, kernel_aliases
from jupyter_core.paths import jupyter_config_path
from traitlets import Dict, Type
from traitlets.config import Application

from spark_kernel import __version__
from spark_kernel.errors import ConfigurationError
from spark_kernel.kernel.config import check_config, environment_config
from spark_kernel.kernel.kernel import SparkKernel

__all__ = ["SparkKernelApp"]

_CONFIG_NAME = "spark_kernel_config"


class SparkKernelApp(IPKernelApp):
    """Starts the PySpark (cluster) kernel; clients do so through its kernelspec.

    A mistake in the configuration does not keep the kernel from starting: a client would only
    say that the kernel died. The session fails with the reason instead.
    """

    name = "spark-kernel"
    version = __version__
    aliases = Dict(
        {**kernel_aliases, "master": "SparkKernel.master", "start": "SparkKernel.start_mode"}
    )
    kernel_class = Type(  # type: ignore[assignment]  # traitlets types a tagged trait as object
        SparkKernel, klass="ipykernel.kernelbase.Kernel"
    ).tag(config=True)
    classes = [SparkKernel, *IPKernelApp.classes]  # noqa: RUF012  # traitlets wants a list
    problem: ConfigurationError | None = None

    def load_config_file(self, *args: Any, **kwargs: Any) -> None:
        """Read IPython's files, then ours from Jupyter's folders, then the environment."""
        # What the user has set for every Python kernel holds for this one.
        self.config_files = ["ipython_kernel_config.py"]
        super().load_config_file(*args, **kwargs)
        path = [*jupyter_config_path(), *self.config_file_paths]
        was_raising, self.raise_config_file_errors = self.raise_config_file_errors, True
        try:
            Application.load_config_file(self, _CONFIG_NAME, path=path)
            self.update_config(environment_config(os.environ))
        except ConfigurationError as error:
            self.problem = error
        except Exception as error:  # the file is the user's code: anything may come out of it
            self.problem = ConfigurationError(
                f"{_CONFIG_NAME}.py cannot be read. {type(error).__name__}: {error}.",
                "`jupyter --config-dir` tells the folder that it is usually in",
            )
        finally:
            self.raise_config_file_errors = was_raising

    def _adopt_logger(self) -> None:
        """Log where the kernel does: Python's last resort would be the running cell."""
        ours = logging.getLogger("spark_kernel")
        ours.handlers = self.log.handlers
        ours.setLevel(self.log.getEffectiveLevel())
        ours.propagate = False

    def init_kernel(self) -> None:
        """Make the kernel, with the configuration if there is nothing wrong with it."""
        try:
            sections = {parent.__name__ for cls in self.classes for parent in cls.mro()}
            sections.add(type(self).__name__)
            check_config(self.config, sections, SparkKernel.class_trait_names(config=True))
        except ConfigurationError as error:
            self.problem = self.problem or error
        if self.problem is not None:
            self.log.error("%s", self.problem)
            self.config.pop("SparkKernel", None)
        self._adopt_logger()
        super().init_kernel()
        self.kernel.configuration_problem = self.problem
