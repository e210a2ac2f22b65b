"""What IPython knows of the code of cells: which one a temporary file stands for."""

from __future__ import annotations

from IPython.core.interactiveshell import InteractiveShell

from spark_kernel.spark.error_reports.user_code import Notebook

__all__ = ["notebook_of"]


def notebook_of(shell: InteractiveShell) -> Notebook:
    """Give what IPython knows of the code of cells."""

    def label(file: str) -> str:
        return " ".join(shell.compile.format_code_name(file) or ())

    def file_of(number: int) -> str:
        files = getattr(shell.compile, "_filename_map", {})
        return next((file for file, cell in files.items() if cell == number), "")

    return Notebook(shell.user_global_ns, label, file_of)
