"""JupyterLab and Notebook 7 as people have them: a real server, and a browser without a window.

The tests of the extension (`tests/lab`) use it too.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

__all__ = ["BROWSER_ARGUMENTS", "LabServer", "find_browser"]

_KERNEL = "pyspark_cluster"
_START_S = 60.0
_END_S = 30.0
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_QUIET = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False}
}
BROWSER_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class LabServer:
    """A Jupyter server with JupyterLab and Notebook 7, and its notebooks.

    Parameters
    ----------
    folder
        For notebooks, settings, workspaces and the log.
    environ
        Of the server and its kernels, beside that of this process.
    settings
        Those of the person who uses it, by the name of a plugin.
    options
        More of its command line.

    Attributes
    ----------
    folder
        All that is its own.
    root
        Where its notebooks are.
    """

    def __init__(
        self,
        folder: Path,
        environ: Mapping[str, str],
        settings: Mapping[str, Mapping[str, Any]] | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.port = _free_port()
        self.log = folder / "lab.log"
        self.names: list[str] = []
        self.root.mkdir(parents=True)
        for plugin, values in {**_QUIET, **(settings or {})}.items():
            self.choose(plugin, values)
        own = {
            "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        }
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._command(), *options],
                env={**os.environ, **environ, **own},
                cwd=folder,
                stdout=log,
                stderr=log,
            )

    @property
    def url(self) -> str:
        """Where the server answers."""
        return f"http://127.0.0.1:{self.port}"

    def wait(self) -> None:
        """Wait until it answers.

        Raises
        ------
        TimeoutError
            With what it has said.
        """
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if time.monotonic() > deadline:
                raise TimeoutError(self.log.read_text(errors="replace"))
            time.sleep(0.1)

    def write(self, *sources: str, kernel: str = _KERNEL) -> str:
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

    def choose(self, plugin: str, values: Mapping[str, Any]) -> None:
        """Choose all the settings of a plugin, for pages that are opened from now on."""
        path = self.folder / "settings" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))

    def ask(self, path: str, method: str = "GET") -> Any:
        """Ask the server's own interface."""
        request = urllib.request.Request(f"{self.url}/api/{path}", method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            said = answer.read()
        return json.loads(said) if said else None

    def end_kernels(self) -> None:
        """End all kernels, as a person does who closes the notebooks for good."""
        for kernel in self.ask("kernels"):
            with suppress(OSError):
                self.ask(f"kernels/{kernel['id']}", "DELETE")

    def close(self) -> None:
        """End its kernels, and the server itself."""
        with suppress(OSError):
            self.end_kernels()
        self._process.terminate()
        self._process.wait(_END_S)

    def _command(self) -> list[str]:
        return [
            *(sys.executable, "-m", "jupyter", "lab", "--no-browser", "--allow-root"),
            *(f"--port={self.port}", "--ip=127.0.0.1", f"--ServerApp.root_dir={self.root}"),
            *("--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True"),
            *("--LabApp.news_url=", "--LabApp.extension_manager=readonly"),
        ]

    def _answers(self) -> bool:
        try:
            return bool(self.ask(""))
        except OSError:
            return False


def find_browser() -> str | None:
    """Find a Chromium: the one of ``CHROMIUM``, or the machine's."""
    named = os.environ.get("CHROMIUM")
    return named or next(filter(None, map(shutil.which, _BROWSERS)), None)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
