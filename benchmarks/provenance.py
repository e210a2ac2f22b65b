"""What the record of a cell costs: round trips with provenance off and on, and its size.

Three kernels run the same cell in turn: one without a recorder, one with provenance off, and one
with it on. A round trip is from the request until reply and idle are there.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import without_provenance
from benchmarks.cases import Bench, Case
from benchmarks.kernels import Kernel
from benchmarks.report import Figure, grid, run_line, shown, table

__all__ = ["measure_provenance"]

_CELLS = {
    "a cell without Spark (`1 + 1`)": "1 + 1",
    "a short job (`count` of a small range)": "spark.range(100).count()",
    "a short aggregate (`groupBy` of a small range)": (
        "spark.range(1000).selectExpr('id % 5 AS k').groupBy('k').count().collect()"
    ),
}
_OFF_TARGET, _ON_TARGET = 1.02, 1.15
_WARM = 30
_SETS = 4
"""How often the three kernels are started anew: one driver is faster than the next by itself."""


def measure_provenance(bench: Bench, rounds: int = 200) -> str:
    """Measure, and give the section.

    Parameters
    ----------
    rounds
        How often each cell runs in each kernel.
    """
    cases = {
        "without": _without(bench),
        "off": bench.ours("off", {}),
        "on": bench.ours("on", {"SPARK_KERNEL_PROVENANCE": "1"}),
    }
    times: dict[str, dict[str, list[float]]] = {}
    sizes: dict[str, list[str]] = {}
    for _ in range(_SETS):
        with ExitStack() as stack:
            kernels = {name: stack.enter_context(Kernel(case)) for name, case in cases.items()}
            for title, code in _CELLS.items():
                of_cell = times.setdefault(title, {name: [] for name in kernels})
                for name, found in _measure(kernels, code, rounds // _SETS).items():
                    of_cell[name] += found
                sizes[title] = [shown(_size(kernels[name], code), "") for name in ("off", "on")]
    against_without = [
        Figure(title, found["off"], found["without"], _OFF_TARGET, "ms")
        for title, found in times.items()
    ]
    against_off = [
        Figure(title, found["on"], found["off"], _ON_TARGET, "ms") for title, found in times.items()
    ]
    return "\n\n".join(
        [
            "## The record of a cell",
            run_line(f"python -m benchmarks provenance --rounds {rounds}"),
            "From the request until reply and idle are there; three kernels run the same cell in "
            "turn. Provenance off, against the same kernel without a recorder:",
            table(against_without, "off", "no recorder"),
            "Provenance on, against off:",
            table(against_off, "on", "off"),
            "Bytes of the record in the reply, as JSON; with provenance on it holds the settings "
            "of the session too:",
            grid(["cell", "off", "on"], [[title, *found] for title, found in sizes.items()]),
        ]
    )


def _without(bench: Bench) -> Case:
    folder = bench.folder / "kernels"
    (folder / "without").mkdir(parents=True)
    command = [sys.executable, str(Path(without_provenance.__file__)), "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "without", "language": "python"}
    spec["interrupt_mode"] = "message"
    (folder / "without" / "kernel.json").write_text(json.dumps(spec))
    ours = bench.ours("without", {})
    return Case("without", "without", environ=ours.environ, kernel_folder=folder)


def _measure(kernels: Mapping[str, Kernel], code: str, rounds: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {name: [] for name in kernels}
    names = list(kernels)
    for number in range(_WARM + rounds):
        # Each is the first as often as the others.
        for name in names[number % len(names) :] + names[: number % len(names)]:
            took = _round_trip(kernels[name], code)
            if number >= _WARM:
                times[name].append(took)
    return times


def _round_trip(kernel: Kernel, code: str) -> float:
    started = time.perf_counter()
    kernel.run(code)
    return time.perf_counter() - started


def _size(kernel: Kernel, code: str) -> int:
    record: Any = kernel.reply_metadata(kernel.submit(code)).get("spark_kernel", {})
    return len(json.dumps(record))
