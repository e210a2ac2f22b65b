"""JupyterLab and Notebook 7 as people have them: a real server, and a browser without a window."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
import pytest
from kernel_real.leftovers import (
    MARK,
    assert_nothing_left,
    find_processes,
    kill_all,
    wait_until,
)
from kernel_real.notebook import KERNEL, NotebookMaker, fast_start
from nbformat.v4 import new_code_cell, new_notebook

from spark_kernel.protocol.provenance import KEY

_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_READY_MS = 60_000
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    # All cells of a notebook are in the page, whatever its height.
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none"},
}


@dataclass
class Lab:
    """A Jupyter server with JupyterLab and Notebook 7.

    Attributes
    ----------
    root
        Where its notebooks are.
    mark
        What tells its processes from all others.
    """

    root: Path
    port: int
    log: Path
    mark: str
    names: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    def write(self, *sources: str, kernel: str = KERNEL) -> str:
        """Write a notebook; gives its name."""
        name = f"Notebook-{len(self.names)}.ipynb"
        self.names.append(name)
        cells = [new_code_cell(source, id=f"cell-{i}") for i, source in enumerate(sources)]
        spec = {"name": kernel, "display_name": kernel, "language": "python"}
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": spec}), self.root / name)
        return name

    def read(self, name: str) -> Any:
        """Read a notebook as it is on the disk."""
        return nbformat.read(self.root / name, as_version=4)

    def ask(self, path: str, method: str = "GET") -> Any:
        """Ask the server's own interface."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def kill_driver(self) -> None:
        """Kill the driver of the only kernel."""
        (driver,) = find_processes(self.mark, "SparkSubmit")
        driver.kill()

    def end_kernels(self) -> None:
        """End all kernels, as a person does who closes the notebooks for good."""
        for kernel in self.ask("kernels"):
            with suppress(OSError):
                self.ask(f"kernels/{kernel['id']}", "DELETE")


class NotebookPage:
    """A notebook in a page of a browser."""

    def __init__(self, page: Any, lab: Lab, name: str, view: str) -> None:
        self.page = page
        self.lab = lab
        self.name = name
        self._url = f"{lab.url}/{view}/{name}?reset"
        self.open()

    def open(self) -> None:
        """Open the notebook; if it is open, after closing it."""
        self.page.goto("about:blank")
        self.page.goto(self._url, wait_until="domcontentloaded")
        self.wait()

    def wait(self) -> None:
        """Wait until the notebook is there, with its kernel."""
        self.page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=_READY_MS)

    @property
    def status(self) -> Any:
        """The cluster in the status bar or the toolbar."""
        return self.page.locator(".spark-kernel-status:not(.lm-mod-hidden) button").first

    def wait_ready(self) -> None:
        """Wait until Spark is ready."""
        self.page.wait_for_selector(
            ".spark-kernel-status [data-kind=good]", timeout=_READY_MS, state="attached"
        )

    def cell(self, number: int) -> Any:
        """Give a cell by its number."""
        return self.page.locator(".jp-Notebook .jp-Cell").nth(number)

    def run(self, number: int) -> None:
        """Run one cell, and do not wait."""
        self.cell(number).locator(".jp-InputArea-prompt").first.click()
        self.page.keyboard.press("Control+Enter")

    def wait_done(self, number: int, timeout_ms: int = _READY_MS) -> None:
        """Wait until a cell has its number."""
        self.page.wait_for_function(
            "([number]) => /\\[\\d+\\]/.test(document.querySelectorAll('.jp-Notebook .jp-Cell')"
            "[number].querySelector('.jp-InputPrompt').textContent)",
            arg=[number],
            timeout=timeout_ms,
        )

    def cancel(self, number: int) -> Any:
        """Give the button that cancels a cell."""
        return self.cell(number).locator(".spark-kernel-head .spark-kernel-cancel:visible")

    def wait_text(self, of: Any, text: str, is_there: bool = True) -> None:
        """Wait until a part of the page says something, or says it no more."""
        of.filter(has_text=text).first.wait_for(state="attached" if is_there else "detached")

    def type(self, number: int, text: str) -> None:
        """Type at the end of a cell."""
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Escape")

    def command(self, name: str) -> None:
        """Run a command by its name, from the palette."""
        self.page.keyboard.press("Control+Shift+c")
        palette = self.page.locator(".lm-CommandPalette:visible")
        palette.locator("input").fill(name)
        palette.locator(".lm-CommandPalette-item").first.click()

    def save(self) -> None:
        """Save the notebook."""
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Control+s")

    @property
    def is_dirty(self) -> bool:
        """Whether the notebook has something to save, as its tab tells."""
        return bool(self.page.locator("#jp-main-dock-panel .jp-mod-dirty").count())

    def save_to_disk(self) -> None:
        """Save the notebook, and wait until it is saved."""
        path = self.lab.root / self.name
        before = path.stat().st_mtime_ns
        self.save()
        assert wait_until(lambda: path.stat().st_mtime_ns != before, 20)

    @property
    def file(self) -> Any:
        """The notebook as it is on the disk."""
        return self.lab.read(self.name)

    def record(self, number: int) -> Any:
        """Give the record of a cell on the disk."""
        return self.file.cells[number].metadata.get(KEY)

    @property
    def has_records(self) -> bool:
        """Whether the notebook on the disk has a trace of a record."""
        cells = self.file.cells
        outputs = [output.get("metadata", {}) for cell in cells for output in cell.outputs]
        return any(KEY in metadata for metadata in [*outputs, *(c.metadata for c in cells)])


@dataclass
class Browser:
    """A browser, and the server whose notebooks it opens."""

    browser: Any
    lab: Lab
    problems: list[str] = field(default_factory=list)

    def open(
        self, *sources: str, kernel: str = KERNEL, view: str = "lab/tree", name: str = ""
    ) -> NotebookPage:
        """Open a notebook in a page of its own."""
        page = self.browser.new_page(viewport={"width": 1300, "height": 1000})
        page.set_default_timeout(30_000)
        page.on("pageerror", self._note)
        return NotebookPage(page, self.lab, name or self.lab.write(*sources, kernel=kernel), view)

    def _note(self, error: Any) -> None:
        """Keep an error of ours; JupyterLab and Notebook have some of their own."""
        if "@spark-kernel" in f"{error.stack}":
            self.problems.append(f"{error}\n{error.stack}")


@pytest.fixture(scope="module")
def lab(new_notebook: NotebookMaker, archives: Path) -> Iterator[Lab]:
    """Start a server; in the end look for what is left of it."""
    folder, mark = new_notebook.next_place()
    temporary = folder / "tmp"
    for name in ("tmp", "root", "settings"):
        (folder / name).mkdir()
    for plugin, settings in _SETTINGS.items():
        path = folder / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    environ = {**os.environ, **fast_start(archives), MARK: mark, "TMPDIR": str(temporary)}
    environ |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings")}
    environ |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces")}
    served = Lab(folder / "root", _free_port(), folder / "lab.log", mark)
    try:
        with served.log.open("wb") as log:
            server = subprocess.Popen(
                _server_command(served), env=environ, cwd=folder, stdout=log, stderr=log
            )
        assert wait_until(lambda: _answers(served), 60), served.log.read_text()
        yield served
        served.end_kernels()
        server.terminate()
        server.wait(30)
        assert_nothing_left(mark, temporary)
    finally:
        kill_all(mark)


@pytest.fixture(scope="module")
def browser(lab: Lab) -> Iterator[Browser]:
    """Start a browser; no page may have had an error that nobody caught."""
    from playwright.sync_api import sync_playwright

    program = find_browser()
    if program is None:
        pytest.skip("no Chromium on this machine: set CHROMIUM to one, or install it")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(_BROWSER_ARGUMENTS))
        opened = Browser(started, lab)
        yield opened
        started.close()
    assert not opened.problems


def find_browser() -> str | None:
    """Find a Chromium: the one of ``CHROMIUM``, or the machine's."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _BROWSERS)), None)


def _server_command(lab: Lab) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
        *(f"--port={lab.port}", "--ip=127.0.0.1", f"--ServerApp.root_dir={lab.root}"),
        *("--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
        *("--LabApp.news_url=", "--LabApp.extension_manager=readonly"),
    ]


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _answers(lab: Lab) -> bool:
    try:
        return bool(lab.ask(""))
    except OSError:
        return False
