"""What a look at a DataFrame costs: time from execute to reply, and bytes in the notebook."""

from __future__ import annotations

import json
import statistics
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import click

from benchmarks.cases import Bench
from benchmarks.kernels import Kernel
from benchmarks.report import Figure, grid, run_line, spread, table

__all__ = ["measure_tables"]

_WARM_UPS = 5
_ROUNDS = 15
_ROWS = (100, 10_000)
_WIDTHS = {"narrow": 5, "wide": 201}
_TARGET = 1.1
_OUTPUTS = ("execute_result", "display_data", "stream")
_PREPARE = """
from pyspark.sql import functions as F
_id = F.col("id")
def _cached(width):
    kinds = (
        lambda i: _id * i,
        lambda i: _id / (i + 7),
        lambda i: F.concat(F.lit("value "), (_id * i).cast("string")),
    )
    made = spark.range(0, 200_000, 1, 8).select(
        *(kinds[i % 3](i).alias(f"column_{i}") for i in range(width))
    )
    made = made.cache()
    made.count()
    return made
narrow, wide = _cached(5), _cached(201)
"""


@dataclass(frozen=True)
class _Way:
    """One way to look at the first rows.

    Attributes
    ----------
    cell
        The code; ``{frame}`` and ``{rows}`` stand for what is shown.
    before
        Is run once for each number of rows.
    shows
        What one sees of the rows.
    """

    title: str
    cell: str
    shows: str
    before: str = "None"
    is_ours: bool = False
    is_slow: bool = False


_EAGER = """
spark.conf.set("spark.sql.repl.eagerEval.enabled", True)
spark.conf.set("spark.sql.repl.eagerEval.maxNumRows", {rows})
"""
_NOT_EAGER = 'spark.conf.set("spark.sql.repl.eagerEval.enabled", False)'
_BYTES = "get_ipython().kernel.preview_max_bytes = {}"
_WAYS = (
    _Way(
        "ours",
        "display({frame}, limit={rows})",
        "what fits into 512 KB",
        _BYTES.format(2**19),
        is_ours=True,
    ),
    _Way(
        "ours, with no bound",
        "display({frame}, limit={rows})",
        "all",
        _BYTES.format(2**31),
        is_ours=True,
    ),
    _Way("eagerEval", "{frame}", "all, texts cut at 20", _EAGER),
    _Way(
        "`toPandas()`",
        "{frame}.limit({rows}).toPandas()",
        "all",
        "import pandas; pandas.set_option('display.max_rows', None, 'display.max_columns', None)\n"
        + _NOT_EAGER,
        is_slow=True,
    ),
    _Way(
        "`toPandas()`, as pandas is set",
        "{frame}.limit({rows}).toPandas()",
        "60 rows, 20 columns",
        "import pandas; pandas.reset_option('display.max_rows|display.max_columns')\n" + _NOT_EAGER,
    ),
    _Way("`show()`", "{frame}.show({rows})", "all, as text", _NOT_EAGER),
    _Way(
        "sparkmagic's way",
        "for _line in {frame}.toJSON().take({rows}): print(_line)",
        "all, as JSON",
        _NOT_EAGER,
    ),
)
_OURS = ("ours", "ours, with no bound")
_SAME = ("eagerEval", "`toPandas()`")
"""The ways that show the same as ours: every row and column, as a table of HTML."""

Measured = dict[tuple[str, int, str], dict[str, list[float]]]


def measure_tables(bench: Bench, pairs: int) -> str:
    """Measure, and give the section."""
    measured: Measured = defaultdict(lambda: defaultdict(list))
    rounds = max(1, pairs * _ROUNDS // 5)
    with Kernel(bench.ours("ours", {})) as ours, Kernel(bench.plain()) as plain:
        for kernel in (ours, plain):
            kernel.run(_PREPARE)
        for frame in _WIDTHS:
            for rows in _ROWS:
                for number in _numbers(frame, rows, rounds):
                    for way in _ways(frame, rows, is_backward=number % 2 == 1):
                        if number < 0 and not way.is_ours:
                            _measure(ours, way, frame, rows)
                        found = _measure(ours if way.is_ours else plain, way, frame, rows)
                        for name, value in found.items() if number >= 0 else ():
                            measured[frame, rows, way.title][name].append(value)
                _tell(measured, frame, rows)
    return _report(measured, bench, pairs, rounds)


def _numbers(frame: str, rows: int, rounds: int) -> range:
    """Number the rounds; those below 0 do not count."""
    return range(-1, min(2, rounds)) if _is_huge(frame, rows) else range(-_WARM_UPS, rounds)


def _ways(frame: str, rows: int, *, is_backward: bool = False) -> list[_Way]:
    ways = [way for way in _WAYS if not (way.is_slow and _is_huge(frame, rows))]
    return ways[::-1] if is_backward else ways


def _is_huge(frame: str, rows: int) -> bool:
    """Whether pandas would need a minute for each table."""
    return _WIDTHS[frame] * rows > 1_000_000


def _measure(kernel: Kernel, way: _Way, frame: str, rows: int) -> dict[str, float]:
    """Run one cell; gives the seconds to its reply and the bytes that the notebook keeps."""
    kernel.run(way.before.format(rows=rows))
    code = way.cell.format(frame=frame, rows=rows)
    started = time.perf_counter()
    request = kernel.submit(code)
    reply = kernel.reply(request, 180)
    took = time.perf_counter() - started
    if reply is None or reply["status"] != "ok":
        raise RuntimeError(f"{code!r} failed in {kernel.case.name}: {reply}")
    messages = [kernel.read(sent) for sent in kernel.sent(until_idle_of=request)]
    kept = [m["content"] for m in messages if m["msg_type"] in _OUTPUTS and not _is_progress(m)]
    return {"took": took, "bytes": float(sum(map(_size, kept)))}


def _is_progress(message: Mapping[str, Any]) -> bool:
    data = message["content"].get("data", {})
    return any("progress" in mime for mime in data)


def _size(content: Mapping[str, Any]) -> int:
    kept = content["data"] if "data" in content else content["text"]
    return len(json.dumps(kept, ensure_ascii=False).encode())


def _tell(measured: Measured, frame: str, rows: int) -> None:
    for way in _ways(frame, rows):
        found = measured[frame, rows, way.title]
        times, size = spread(found["took"], "ms"), spread(found["bytes"][:1], "KB")
        click.echo(f"{frame}, {rows:,} rows, {way.title}: {times}, {size}")


def _report(measured: Measured, bench: Bench, pairs: int, rounds: int) -> str:
    figures, rows_shown = [], []
    for frame, width in _WIDTHS.items():
        for rows in _ROWS:
            title = f"{rows:,} rows of {width} columns"
            ways = _ways(frame, rows)
            times = {way.title: measured[frame, rows, way.title]["took"] for way in ways}
            same = {name: statistics.median(times[name]) for name in _SAME if name in times}
            fastest = min(same, key=same.__getitem__)
            figures += [
                Figure(
                    f"{title}, {own}, against {fastest}", times[own], times[fastest], _TARGET, "ms"
                )
                for own in _OURS
            ]
            for way in ways:
                found = measured[frame, rows, way.title]
                cells = [spread(found["took"], "ms"), spread(found["bytes"][:1], "KB")]
                rows_shown.append([title, way.title, way.shows, *cells])
    command = f"python -m benchmarks tables --pairs {pairs}"
    return "\n".join(
        [
            "## A look at a DataFrame",
            "",
            run_line(command, f"Java {bench.java.version}"),
            "",
            f"From execute to reply, {rounds} times each in turn, cached DataFrames of numbers and "
            "texts; ours in our kernel, the others in plain ipykernel. Before that come "
            f"{_WARM_UPS} rounds in which our kernel runs the cells of the others too, so that "
            "both JVMs have compiled the same. Ours is compared with the faster of the two that "
            "show the same, each row and column in a table of HTML. Of 10,000 rows ours reads no "
            "more than can fit into the 512 KB that a table may take of the notebook; with no "
            "bound (`c.SparkKernel.preview_max_bytes`) it shows them all. 10,000 rows of 201 "
            "columns have one round before and two that count, and are too many for the HTML of "
            "pandas.",
            "",
            table(figures, "ours", "the faster that shows the same"),
            "",
            grid(["", "way", "shows", "execute to reply", "kept in the notebook"], rows_shown),
        ]
    )
