"""Start-up, cells, idling and the end, against plain ipykernel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import click

from benchmarks.cases import Bench, Case, start_cases
from benchmarks.life import measure
from benchmarks.report import Figure, run_line, table
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.training import train

__all__ = ["measure_start"]

_ARCHIVE_TARGETS = {17: 0.75, 25: 0.50}
Measured = Mapping[str, Mapping[str, list[float]]]


def measure_start(bench: Bench, pairs: int) -> str:
    """Measure, and give the section."""
    for java in bench.javas.values():
        settings = SessionSettings(
            java_home=str(java.home), log_folder=bench.folder / "log", cache_folder=bench.folder
        )
        archive, reason = train(settings, is_forced=False)
        click.echo(reason or f"archive of {archive.size_bytes / 1e6:.0f} MB, Java {java.version}")
    return _report(_run(start_cases(bench), pairs), bench, pairs)


def _run(todo: list[Case], pairs: int) -> Measured:
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for round_number in range(pairs):
        for case in todo if round_number % 2 == 0 else reversed(todo):
            for name, value in measure(case).items():
                measured[case.name][name].append(value)
            shown = ", ".join(f"{k} {v[-1]:.4g}" for k, v in measured[case.name].items())
            click.echo(f"{round_number + 1}/{pairs} {case.name}: {shown}")
    return measured


def _report(measured: Measured, bench: Bench, pairs: int) -> str:
    label = f"java{bench.java.major}"
    versions = [f"Java {java.version}" for java in bench.javas.values()]
    return "\n".join(
        [
            f"## Start, cells, idling, end (Java {bench.java.major} for both, no archive)",
            "",
            run_line(f"python -m benchmarks start --pairs {pairs}", *versions),
            "",
            "Plain ipykernel makes its session with `SparkSession.builder.getOrCreate()` in its "
            "first cell; both run in turn.",
            "",
            table(_full_figures(measured[f"ours-{label}"], measured[f"plain-{label}"])),
            "",
            "## From launch to the result of a first Spark job",
            "",
            table(_start_figures(measured, bench)),
        ]
    )


def _full_figures(
    ours: Mapping[str, list[float]], plain: Mapping[str, list[float]]
) -> list[Figure]:
    def against(title: str, name: str, target: float, unit: str = "s") -> Figure:
        return Figure(title, ours[name], plain[name], target, unit)

    def at_most(title: str, name: str, target: float, unit: str = "s") -> Figure:
        return Figure(title, ours[name], plain[name], target, unit, is_absolute=True)

    return [
        against("launch to `kernel_info_reply`", "kernel_info", 1.2),
        against("launch to the result of `1+1`, Spark starting", "one_plus_one", 1.3),
        against("launch to the result of a first Spark job", "first_job", 0.95),
        against("round trip of a trivial cell", "trivial_cell", 1.1, "ms"),
        against("cell with a short Spark job", "short_job", 1.0, "ms"),
        against("schema of a DataFrame of 200 columns", "wide_schema", 0.3, "ms"),
        at_most("idle CPU of the kernel process, of one core", "idle_share", 0.005, "%"),
        at_most("shutdown with Spark up", "shutdown", 1.5),
    ]


def _start_figures(measured: Measured, bench: Bench) -> list[Figure]:
    figures = []
    for name, java in bench.javas.items():
        for suffix, target in (("", 0.95), ("-archive", _ARCHIVE_TARGETS.get(java.major, 0.75))):
            ours = measured[f"ours-{name}{suffix}"]["first_job"]
            how = "with an archive" if suffix else "without"
            for plain in dict.fromkeys((name, f"java{bench.java.major}")):
                title = (
                    f"Java {java.major} {how}, against plain on {plain.replace('java', 'Java ')}"
                )
                figures.append(Figure(title, ours, measured[f"plain-{plain}"]["first_job"], target))
    return figures
