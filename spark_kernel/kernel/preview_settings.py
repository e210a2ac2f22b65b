"""What can be configured of previews of DataFrames."""

from __future__ import annotations

from traitlets import CaselessStrEnum, HasTraits, Int

from spark_kernel.display.table import MAX_BYTES

__all__ = ["PreviewTraits"]


class PreviewTraits(HasTraits):
    """The part of ``c.SparkKernel`` that is about previews."""

    preview = CaselessStrEnum(
        ["rows", "cheap", "schema"],
        default_value="rows",
        help="""What a DataFrame shows as a cell's last value: its first rows; its schema alone
        where the rows take a sort, an aggregate, a join or the like (cheap); or always its
        schema. display(df, limit=N) reads rows all the same.""",
    ).tag(config=True)
    preview_rows = Int(
        100, min=0, help="Rows that are shown of a DataFrame; `%spark rows N` changes it."
    ).tag(config=True)
    preview_max_bytes = Int(
        MAX_BYTES, min=4096, help="Bytes that one table may take of the saved notebook."
    ).tag(config=True)
