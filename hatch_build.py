"""Puts the extension for JupyterLab into the wheel, and builds it first where that is needed."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_PLACE = "share/jupyter/labextensions"
_REQUIRE = "SPARK_KERNEL_REQUIRE_LABEXTENSION"
"""Set where a wheel without the extension must not be made, as for a release."""


class LabExtensionHook(BuildHookInterface):  # type: ignore[type-arg]
    """A build hook of Hatchling, for wheels; an editable install is left to ``make``."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node from PyPI where the machine has none; pip calls this before the build."""
        extension = _builder(Path(self.root))
        is_needed = extension and not extension.is_built() and not extension.has_node()
        return [extension.NODE_PACKAGE] if is_needed else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the extension and add it, or say that the wheel goes without it."""
        extension = _builder(Path(self.root))
        if version == "editable" or extension is None:
            return
        try:
            extension.build()
        except extension.BuildError as error:
            if os.environ.get(_REQUIRE):
                raise
            self.app.display_warning(f"The wheel has no extension for JupyterLab: {error}")
            return
        build_data["shared_data"][str(extension.PREBUILT)] = f"{_PLACE}/{extension.NAME}"


def _builder(root: Path) -> ModuleType | None:
    """Load ``labextension/build.py``; None where the sources came without it."""
    path = root / "labextension" / "build.py"
    spec = importlib.util.spec_from_file_location("build_labextension", path)
    if spec is None or spec.loader is None or not path.exists():
        return None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
