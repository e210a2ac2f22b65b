"""``python -m benchmarks``: measures start-up, cells, idling and the end, and writes the table."""

from __future__ import annotations

import datetime
import importlib.metadata
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import click

from benchmarks.cases import Case, cases, javas
from benchmarks.life import measure
from benchmarks.report import Figure, machine_line, table
from spark_kernel.spark.java import JavaRuntime
from spark_kernel.spark.launch import java_home_without_vector_module
from spark_kernel.spark.settings import SessionSettings
from spark_kernel.spark.training import train

_RESULTS = Path(__file__).with_name("RESULTS.md")
_ARCHIVE_TARGETS = {17: 0.75, 25: 0.50}
Measured = Mapping[str, Mapping[str, list[float]]]


@click.command()
@click.option("--pairs", default=5, show_default=True, help="Runs of each case, alternating.")
@click.option("--write/--no-write", default=True, help="Whether to replace benchmarks/RESULTS.md.")
def main(pairs: int, write: bool) -> None:
    """Compare the kernel with plain ipykernel on this machine."""
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as name:
        folder = Path(name)
        runtimes = javas()
        for java in runtimes.values():
            settings = SessionSettings(
                java_home=str(java.home), log_folder=folder / "log", cache_folder=folder
            )
            archive, reason = train(settings, is_forced=False)
            click.echo(
                reason or f"archive of {archive.size_bytes / 1e6:.0f} MB, Java {java.version}"
            )
        baseline = min(runtimes.values(), key=lambda java: java.major)
        plain_homes = {
            label: java_home_without_vector_module(java, folder / label)
            for label, java in runtimes.items()
        }
        measured = _run(cases(folder, baseline, plain_homes), pairs)
        text = _report(measured, runtimes, baseline, pairs)
    click.echo(text)
    if write:
        _RESULTS.write_text(text, encoding="utf-8")


def _run(todo: list[Case], pairs: int) -> Measured:
    measured: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for round_number in range(pairs):
        for case in todo if round_number % 2 == 0 else reversed(todo):
            for name, value in measure(case).items():
                measured[case.name][name].append(value)
            shown = ", ".join(f"{k} {v[-1]:.4g}" for k, v in measured[case.name].items())
            click.echo(f"{round_number + 1}/{pairs} {case.name}: {shown}")
    return measured


def _report(
    measured: Measured, runtimes: Mapping[str, JavaRuntime], baseline: JavaRuntime, pairs: int
) -> str:
    label = f"java{baseline.major}"
    spark = importlib.metadata.version("pyspark")
    versions = ", ".join(f"Java {java.version}" for java in runtimes.values())
    return "\n".join(
        [
            "# Results",
            "",
            f"`python -m benchmarks --pairs {pairs}` on {datetime.date.today()}: "
            f"{machine_line()}, Spark {spark}, {versions}, "
            f"ipykernel {importlib.metadata.version('ipykernel')}.",
            "",
            "Medians, with the smallest and the largest value. Plain ipykernel makes its session "
            "with `SparkSession.builder.getOrCreate()` in its first cell; both run in turn.",
            "",
            f"## Start, cells, idling, end (Java {baseline.major} for both, no archive)",
            "",
            table(_full_figures(measured[f"ours-{label}"], measured[f"plain-{label}"])),
            "",
            "## From launch to the result of a first Spark job",
            "",
            table(_start_figures(measured, runtimes, label)),
            "",
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


def _start_figures(
    measured: Measured, runtimes: Mapping[str, JavaRuntime], label: str
) -> list[Figure]:
    figures = []
    for name, java in runtimes.items():
        for suffix, target in (("", 0.95), ("-archive", _ARCHIVE_TARGETS.get(java.major, 0.75))):
            ours = measured[f"ours-{name}{suffix}"]["first_job"]
            how = "with an archive" if suffix else "without"
            for plain in dict.fromkeys((name, label)):
                title = (
                    f"Java {java.major} {how}, against plain on {plain.replace('java', 'Java ')}"
                )
                figures.append(Figure(title, ours, measured[f"plain-{plain}"]["first_job"], target))
    return figures


if __name__ == "__main__":
    main()
