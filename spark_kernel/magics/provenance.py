"""What ``%spark provenance`` does."""

from __future__ import annotations

from typing import Protocol

from IPython.core.error import UsageError

from spark_kernel.display.provenance import record_text
from spark_kernel.protocol.provenance import CellRecord

__all__ = ["ProvenanceControls", "set_provenance"]


class ProvenanceControls(Protocol):
    """What the command needs of the kernel."""

    @property
    def is_provenance_on(self) -> bool:
        """Whether provenance mode is on."""

    def set_provenance(self, is_on: bool) -> None:
        """Switch provenance mode, from this cell on."""

    def records(self) -> list[tuple[str, CellRecord]]:
        """Give the latest record of each cell with its source, the oldest first."""


def set_provenance(controls: ProvenanceControls, arguments: list[str]) -> None:
    """Switch provenance mode on or off, or say how it stands and what the last cell did."""
    match arguments:
        case ["on" | "off" as switch]:
            controls.set_provenance(switch == "on")
            print(_state(controls.is_provenance_on))
        case []:
            print(_state(controls.is_provenance_on))
            records = controls.records()
            if records:
                print(f"\nThe last cell:\n{record_text(records[-1][1])}")
        case _:
            raise UsageError("%spark provenance takes `on` or `off`")


def _state(is_on: bool) -> str:
    if is_on:
        return "Provenance is on: each cell keeps in the notebook who ran it, when, and on what."
    return "Provenance is off: nothing is kept in the notebook; `%spark provenance on` changes it."
