"""What the extension costs in JupyterLab: the same notebooks in two servers, with it and without.

Each side has a server, a browser and kernels of its own, and they take turns, so that what else the
machine does falls on both. Without the extension the kernel's displays are HTML.
"""

from __future__ import annotations

import gzip
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from jupyter_core.paths import jupyter_path
from jupyterlab_server.config import get_federated_extensions

from benchmarks.cases import Bench
from benchmarks.lab_memory import measure_page_memory
from benchmarks.lab_opening import measure_opening
from benchmarks.lab_page import LabBrowser
from benchmarks.lab_server import LabServer
from benchmarks.lab_work import measure_work
from benchmarks.report import grid, run_line, shown

__all__ = ["measure_lab"]

_EXTENSION = "@spark-kernel/labextension"


def measure_lab(bench: Bench, pairs: int, tasks: int) -> str:
    """Measure, and give the section.

    Parameters
    ----------
    pairs
        How often each notebook is opened, and each cell run, on each side.
    tasks
        Of the long job.
    """
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        sides = {
            name: stack.enter_context(_side(bench, playwright, name))
            for name in ("with", "without")
        }
        parts = [
            measure_opening(sides, pairs),
            _sizes(sides["with"]),
            measure_work(sides, pairs, tasks),
            measure_page_memory(sides, pairs),
        ]
        version = f"Chromium {sides['with'].version}"
    return "\n\n".join(
        [
            "## The extension for JupyterLab",
            run_line(
                f"python -m benchmarks lab --pairs {pairs}",
                version,
                f"Java {bench.java.version}",
                packages=["jupyterlab"],
            ),
            "Two servers, each with a browser without a window and kernels of its own: one with "
            "the extension, one where it is not installed and the kernel's HTML is shown. They "
            "take turns, and each is first as often as the other. What is added is the median of "
            "the differences of the pairs.",
            *parts,
        ]
    )


@contextmanager
def _side(bench: Bench, playwright: Any, name: str) -> Iterator[LabBrowser]:
    folder = bench.folder / f"lab-{name}"
    extensions = folder / "extensions"
    for one, about in get_federated_extensions(jupyter_path("labextensions")).items():
        if name == "with" or one != _EXTENSION:
            shutil.copytree(about["ext_path"], extensions / one)
    if name == "with" and not (extensions / _EXTENSION).exists():
        raise RuntimeError("the extension is not installed: python labextension/build.py --develop")
    options = [f"--LabApp.labextensions_path={extensions}", "--LabApp.expose_app_in_browser=True"]
    with ExitStack() as stack:
        server = LabServer(folder, bench.ours(name, {}).environ, options=options)
        stack.callback(server.close)
        server.wait()
        browser = LabBrowser(playwright, server)
        stack.callback(browser.close)
        yield browser


def _sizes(browser: LabBrowser) -> str:
    page = browser.open(browser.server.write("1 + 1", kernel="python3"))
    loaded = page.files()
    page.close()
    folder = browser.server.folder / "extensions" / _EXTENSION / "static"
    own = [folder / Path(urlsplit(url).path).name for url, _ in loaded if _EXTENSION in url]
    sizes = [path.stat().st_size for path in own]
    packed = sum(len(gzip.compress(path.read_bytes())) for path in own)
    everything = sum(size for _, size in loaded)
    rows = [
        ["the extension", f"{len(own)}", shown(sum(sizes), "KB"), shown(packed, "KB")],
        ["all of the page", f"{len(loaded)}", shown(everything, "KB"), "-"],
    ]
    return (
        "### Size\n\nScripts and styles that a page loads at its start, whatever its kernel:\n\n"
        + grid(["of", "files", "bytes", "with gzip"], rows)
    )
