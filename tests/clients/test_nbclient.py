"""nbclient, on which most programs that execute notebooks stand."""

from __future__ import annotations

import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat.v4 import new_code_cell

from clients.conftest import Place, assert_computed, example


def test_nbclient_executes_a_notebook(place: Place) -> None:
    executed = NotebookClient(example(), timeout=120).execute()
    assert_computed(executed)


def test_nbclient_stops_at_a_failing_cell(place: Place) -> None:
    notebook = example()
    notebook.cells.insert(0, new_code_cell("raise ValueError('on purpose')"))
    with pytest.raises(CellExecutionError, match="on purpose"):
        NotebookClient(notebook, timeout=120).execute()
