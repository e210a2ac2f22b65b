"""The kernel process: ``python -m spark_kernel -f CONNECTION_FILE``."""

from spark_kernel.kernel.app import SparkKernelApp

if __name__ == "__main__":
    SparkKernelApp.launch_instance()
