"""The command as a module: ``python -m spark_kernel.cli``."""

from spark_kernel.cli import main

if __name__ == "__main__":
    main(prog_name="spark-kernel")
