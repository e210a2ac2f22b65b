"""Our kernelspecs on disk: found, told from those of others, written in one step, removed."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jupyter_client.kernelspec import KernelSpecManager

from spark_kernel.errors import KernelspecError

__all__ = [
    "InstalledSpec",
    "destination_of",
    "found_specs",
    "read_spec",
    "refuse_other_cluster",
    "remove_spec",
    "spec_content",
    "write_spec",
]

_FILE = "kernel.json"
_CLUSTER = "--SparkKernel.cluster="
_COMMAND = ("-m", "spark_kernel")
# As jupyter_client has it, less what would be a hidden folder, `..` or an option.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_MASTER = re.compile(r"--(?:SparkKernel\.conf=spark\.|SparkKernel\.|)master=(.*)", re.DOTALL)


@dataclass(frozen=True)
class InstalledSpec:
    """A kernelspec as it stands on disk, ours or not.

    Parameters
    ----------
    argv
        Its command line; empty where its file cannot be read.
    env
        What it adds to the environment.
    """

    name: str
    folder: Path
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_ours(self) -> bool:
        """Whether it starts this kernel, in whatever environment."""
        return any(pair == _COMMAND for pair in zip(self.argv, self.argv[1:], strict=False))

    @property
    def cluster(self) -> str:
        """The named cluster that it starts on, or empty."""
        words = (word for word in self.argv if word.startswith(_CLUSTER))
        return next((word.removeprefix(_CLUSTER) for word in words), "")

    @property
    def master(self) -> str:
        """Spark's master, or empty where the spec leaves it open."""
        matches = filter(None, map(_MASTER.fullmatch, self.argv))
        return next((match.group(1) for match in matches), "")


def spec_content(
    display_name: str,
    master: str,
    cluster_name: str,
    conf: Mapping[str, str],
    cluster: str = "",
) -> dict[str, Any]:
    """Make what goes into ``kernel.json``; what is empty is left out.

    Parameters
    ----------
    cluster
        The named cluster to start on; of what it says, nothing is written down.
    """
    settings = {"master": master, "cluster_name": cluster_name, "cluster": cluster}
    arguments = [f"--SparkKernel.{key}={value}" for key, value in settings.items() if value]
    arguments += [f"--SparkKernel.conf={key}={value}" for key, value in conf.items()]
    return {
        "argv": [sys.executable, *_COMMAND, "-f", "{connection_file}", *arguments],
        "display_name": display_name,
        "language": "python",
        "interrupt_mode": "message",
        "metadata": {"debugger": True, "supported_encryption": ["curve"]},
    }


def destination_of(name: str, prefix: Path | None) -> Path:
    """Tell where a kernelspec goes: below a prefix, or among the user's own.

    Raises
    ------
    KernelspecError
        If Jupyter would not take the name.
    """
    if not _NAME.fullmatch(name):
        raise KernelspecError(
            f"{name!r} cannot be the name of a kernelspec.",
            "use ASCII letters, digits, '-', '.' and '_', and begin with a letter or a digit",
        )
    if prefix is None:
        return Path(KernelSpecManager().user_kernel_dir) / name.lower()
    return prefix.expanduser().absolute() / "share" / "jupyter" / "kernels" / name.lower()


def found_specs() -> dict[str, InstalledSpec]:
    """Give the kernelspecs that Jupyter finds, by name.

    Raises
    ------
    KernelspecError
        If one of the folders that Jupyter looks into cannot be read.
    """
    try:
        folders = KernelSpecManager().find_kernel_specs()
    except OSError as error:
        raise KernelspecError(
            f"The kernelspecs cannot be listed. {error}.", "`jupyter --paths` lists their places"
        ) from error
    return {name: read_spec(name, Path(folder)) for name, folder in sorted(folders.items())}


def read_spec(name: str, folder: Path) -> InstalledSpec:
    """Read the kernelspec in a folder; one that is broken has no command line."""
    try:
        content = json.loads((folder / _FILE).read_text(encoding="utf-8"))
        argv = tuple(map(str, content["argv"]))
        env = {key: str(value) for key, value in content.get("env", {}).items()}
        return InstalledSpec(name, folder, argv, env)
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return InstalledSpec(name, folder)


def write_spec(content: Mapping[str, Any], destination: Path) -> None:
    """Write a kernelspec in one step: at no time is there half of one in its place.

    Raises
    ------
    KernelspecError
        If another kernel has the name, or the place cannot be written to.
    """
    there = read_spec(destination.name, destination)
    _refuse_others(there)
    _refuse_others(found_specs().get(destination.name, there))
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        # Two folders deep: Jupyter takes every folder with a kernel.json for a kernelspec.
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=destination.parent) as outer:
            built = Path(outer) / destination.name
            built.mkdir()
            for logo in _logos():
                shutil.copyfile(logo, built / logo.name)
            (built / _FILE).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
            _put_in_place(built, destination)
    except OSError as error:
        raise KernelspecError(
            f"The kernelspec cannot be written to {destination}: {error.strerror or error}.",
            "use --user, or --prefix with a folder that you may write to",
        ) from error


def _refuse_others(spec: InstalledSpec) -> None:
    """Keep the kernelspecs of other kernels from being replaced, or hidden from elsewhere."""
    if not spec.is_ours and os.path.lexists(spec.folder / _FILE):
        raise KernelspecError(
            f"{spec.folder} is the kernelspec of another kernel.",
            f"choose another --name, or run `jupyter kernelspec remove {spec.name}` first",
        )


def refuse_other_cluster(destination: Path, cluster: str) -> None:
    """Keep the kernelspec of one cluster from being replaced by that of another.

    Raises
    ------
    KernelspecError
        If the names of both lead to the same kernelspec.
    """
    there = read_spec(destination.name, destination).cluster
    if there and there != cluster:
        raise KernelspecError(
            f"{destination} is the kernelspec of the cluster {there!r}, whose name becomes the "
            f"same as that of {cluster!r}.",
            "choose another --name",
        )


def _put_in_place(built: Path, destination: Path) -> None:
    if not destination.is_dir():
        built.rename(destination)
        return
    # A folder that has files in it cannot be replaced in one step, but its files can.
    for path in sorted(built.iterdir(), key=lambda path: path.name == _FILE):
        path.replace(destination / path.name)


def _logos() -> list[Path]:
    package = Path(__file__).parent
    folders = (package / "logos", package.parent.parent / "kernelspec")  # a wheel's, a checkout's
    return next((found for folder in folders if (found := sorted(folder.glob("logo-*")))), [])


def remove_spec(spec: InstalledSpec) -> None:
    """Delete a kernelspec.

    Raises
    ------
    KernelspecError
        If it is another kernel's, or cannot be deleted.
    """
    if not spec.is_ours:
        raise KernelspecError(
            f"{spec.name} ({spec.folder}) is not a kernelspec of spark-kernel.",
            f"if it shall go all the same, run `jupyter kernelspec remove {spec.name}`",
        )
    try:
        if spec.folder.is_symlink():
            spec.folder.unlink()
        else:
            shutil.rmtree(spec.folder)
    except OSError as error:
        raise KernelspecError(
            f"{spec.folder} cannot be deleted: {error.strerror or error}.",
            "delete it as its owner",
        ) from error
