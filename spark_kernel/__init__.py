"""A Jupyter kernel where Spark is simply there."""

from spark_kernel.errors import SparkKernelError

__version__ = "0.1.0.dev0"

__all__ = ["SparkKernelError", "__version__"]
