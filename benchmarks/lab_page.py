"""A notebook in a page of Chromium, and what the browser itself tells of the page."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.lab_server import BROWSER_ARGUMENTS, LabServer, find_browser

__all__ = ["LabBrowser", "LabPage", "Sides", "Spent", "in_turn"]

_PATIENCE_MS = 120_000
_SETTLING_MS = 700
_VIEW = {"width": 1300, "height": 1000}
_WATCH = Path(__file__).with_name("lab_page.js").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Spent:
    """What a page has cost so far, in seconds.

    Parameters
    ----------
    tasks
        Of its main thread: scripts, styles, layout and painting.
    scripts
        Of its scripts alone.
    processor
        Of all processes of its browser, as the system counts them.
    """

    tasks: float
    scripts: float
    processor: float

    def since(self, before: Spent) -> Spent:
        """Give what has been spent since then."""
        return Spent(
            self.tasks - before.tasks,
            self.scripts - before.scripts,
            self.processor - before.processor,
        )


class LabBrowser:
    """A browser of its own for one server, so that its processes work for that alone."""

    def __init__(self, playwright: Any, server: LabServer) -> None:
        program = find_browser()
        if program is None:
            raise RuntimeError("no Chromium on this machine: set CHROMIUM to one, or install it")
        self.server = server
        arguments = list(BROWSER_ARGUMENTS)
        self._browser = playwright.chromium.launch(executable_path=program, args=arguments)
        self._devtools = self._browser.new_browser_cdp_session()
        self._profile = self._new_profile()

    @property
    def version(self) -> str:
        """Of the browser."""
        return str(self._browser.version)

    def open(self, name: str, is_cold: bool = False) -> LabPage:
        """Open a notebook; with a cache of its own, empty, or with that of the pages before."""
        profile = self._new_profile() if is_cold else self._profile
        page = profile.new_page()
        page.set_default_timeout(_PATIENCE_MS)
        return LabPage(page, self, name, profile if is_cold else page)

    def processor(self) -> float:
        """Give the seconds of CPU of all its processes."""
        found = self._devtools.send("SystemInfo.getProcessInfo")["processInfo"]
        return float(sum(one["cpuTime"] for one in found))

    def close(self) -> None:
        """End it."""
        self._browser.close()

    def _new_profile(self) -> Any:
        profile = self._browser.new_context(viewport=_VIEW)
        profile.add_init_script(_WATCH)
        return profile


class LabPage:
    """A notebook in JupyterLab; its kernel is idle when it has been opened.

    Attributes
    ----------
    opened_s
        From the navigation to the notebook with its kernel idle.
    """

    def __init__(self, page: Any, browser: LabBrowser, name: str, closes: Any) -> None:
        self.page = page
        self._browser = browser
        self._closes = closes
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("Performance.enable")
        address = f"{browser.server.url}/lab/tree/{name}?reset"
        page.goto(address, wait_until="commit")
        self.opened_s = float(page.evaluate("benchmark.opened")) / 1000

    def run(self, first: int, last: int | None = None) -> None:
        """Run cells to the end of the last."""
        self.begin(first, last)
        self.finish()

    def begin(self, first: int, last: int | None = None) -> None:
        """Begin to run cells."""
        self.page.evaluate(
            "cells => benchmark.run(...cells)", [first, first if last is None else last]
        )

    def finish(self) -> None:
        """Wait for the end of the cells that run."""
        if not self.page.evaluate("benchmark.running"):
            raise RuntimeError("a cell failed")

    def end(self, button: str) -> float:
        """Click what ends the cell that runs; gives the seconds until it is done.

        Raises
        ------
        RuntimeError
            If the cell ended well.
        """
        found = self.page.locator(button).first
        found.wait_for()
        started = time.perf_counter()
        found.click()
        if self.page.evaluate("benchmark.running"):
            raise RuntimeError("the cell was done before")
        return time.perf_counter() - started

    def type(self, text: str) -> None:
        """Type at the end of the active cell, letter by letter."""
        self.page.evaluate("jupyterapp.commands.execute('notebook:enter-edit-mode')")
        self.page.keyboard.press("Control+End")
        self.page.keyboard.type(text)
        self.page.evaluate("jupyterapp.commands.execute('notebook:enter-command-mode')")

    def save(self) -> None:
        """Save the notebook."""
        self.page.evaluate("jupyterapp.commands.execute('docmanager:save')")

    def settle(self, calm_ms: int = _SETTLING_MS) -> None:
        """Let it do what it does a moment later, such as what waits until nobody types."""
        self.page.wait_for_timeout(calm_ms)

    def watch_frames(self) -> None:
        """Look from now on how long the page draws nothing."""
        self.page.evaluate("benchmark.watchFrames()")

    def longest_frame(self) -> float:
        """Give the longest time, in seconds, in which the page drew nothing; and look no more."""
        return float(self.page.evaluate("benchmark.longestFrame()")) / 1000

    def longest_task(self) -> float:
        """Give the longest task, in seconds, since this was asked last; 0 where all were short."""
        return float(self.page.evaluate("benchmark.longestTask()")) / 1000

    def files(self) -> list[tuple[str, int]]:
        """Give the address of all scripts and styles that it has loaded, with their sizes."""
        return [(str(name), int(size)) for name, size in self.page.evaluate("benchmark.files()")]

    def spent(self) -> Spent:
        """Give what it has cost so far."""
        metrics = self._metrics()
        return Spent(metrics["TaskDuration"], metrics["ScriptDuration"], self._browser.processor())

    def memory(self) -> tuple[float, float]:
        """Give the bytes of its JavaScript after a collection, and how many nodes it has."""
        self._devtools.send("HeapProfiler.collectGarbage")
        metrics = self._metrics()
        return metrics["JSHeapUsedSize"], metrics["Nodes"]

    def close(self) -> None:
        """Close it; its kernel goes on."""
        self._closes.close()

    def _metrics(self) -> dict[str, float]:
        found = self._devtools.send("Performance.getMetrics")["metrics"]
        return {one["name"]: float(one["value"]) for one in found}


Sides = Mapping[str, LabBrowser]
"""The two browsers, by "with" and "without"."""


def in_turn(sides: Sides, number: int) -> list[str]:
    """Give the names of the sides in the order of a round: each is first in every other."""
    return list(sides) if number % 2 == 0 else list(sides)[::-1]
