"""``python -m benchmarks``: measures, and writes the sections of ``RESULTS.md``."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from benchmarks.cases import Bench
from benchmarks.clusters import measure_clusters
from benchmarks.errors import measure_errors
from benchmarks.interrupts import measure_interrupts
from benchmarks.lab import measure_lab
from benchmarks.memory import measure_memory
from benchmarks.progress import TASKS, measure_progress
from benchmarks.provenance import measure_provenance
from benchmarks.recovery import measure_recovery
from benchmarks.report import put_section
from benchmarks.resources import measure_resources
from benchmarks.staleness import measure_staleness
from benchmarks.start import measure_start
from benchmarks.tables import measure_tables

_RESULTS = Path(__file__).with_name("RESULTS.md")
_NAMES = (
    "start", "progress", "memory", "interrupts", "resources", "recovery", "clusters", "tables",
    "errors", "provenance", "staleness", "lab",
)  # fmt: skip


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(_NAMES))
@click.option("--pairs", default=5, show_default=True, help="Runs of each case, alternating.")
@click.option("--repeats", default=20, show_default=True, help="Interrupts of each cell.")
@click.option("--only", default="", help="Interrupt only cells with this in their title.")
@click.option(
    "--tasks", default=TASKS, show_default=True, help="Tasks of the job of progress and lab."
)
@click.option("--requests", default=200, show_default=True, help="Requests in each state.")
@click.option(
    "--rounds", default=40, show_default=True, help="Runs of each failing or recorded cell."
)
@click.option("--kills", default=10, show_default=True, help="Killed drivers in each situation.")
@click.option("--write/--no-write", default=True, help="Whether to update benchmarks/RESULTS.md.")
def main(
    names: tuple[str, ...],
    pairs: int,
    repeats: int,
    only: str,
    tasks: int,
    requests: int,
    rounds: int,
    kills: int,
    write: bool,
) -> None:
    """Compare the kernel with others on this machine: NAMES, or everything.

    Each name has a section of its own in RESULTS.md; what stands around the sections stays.
    """
    for name in names or _NAMES:
        with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
            bench = Bench(Path(folder))
            match name:
                case "start":
                    text = measure_start(bench, pairs)
                case "progress":
                    text = measure_progress(bench, pairs, tasks)
                case "memory":
                    text = measure_memory(bench)
                case "interrupts":
                    text = measure_interrupts(bench, repeats, only)
                case "resources":
                    text = measure_resources(bench, requests)
                case "recovery":
                    text = measure_recovery(bench, kills)
                case "tables":
                    text = measure_tables(bench, pairs)
                case "staleness":
                    text = measure_staleness(bench, pairs)
                case "lab":
                    text = measure_lab(bench, pairs, tasks)
                case "errors":
                    text = measure_errors(bench, rounds)
                case "provenance":
                    text = measure_provenance(bench, rounds)
                case _:
                    text = measure_clusters(bench, pairs)
        click.echo(text)
        if write:
            document = _RESULTS.read_text(encoding="utf-8")
            _RESULTS.write_text(put_section(document, name, text), encoding="utf-8")


if __name__ == "__main__":
    main()
