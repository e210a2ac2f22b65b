"""nbclient, on which most programs that execute notebooks stand."""

from __future__ import annotations

import nbformat
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


def test_nbclient_tells_an_error_of_spark_and_keeps_what_is_below_it(place: Place) -> None:
    notebook = example()
    notebook.cells[1].source = "spark.table('gone')"
    with pytest.raises(CellExecutionError, match="TABLE_OR_VIEW_NOT_FOUND") as raised:
        NotebookClient(notebook, timeout=120).execute()
    assert raised.value.ename == "AnalysisException"
    assert "spark.table('gone')" in str(raised.value)
    outputs = notebook.cells[1].outputs
    error = next(n for n, output in enumerate(outputs) if output.output_type == "error")
    assert len(outputs[error].traceback) <= 12
    assert "<details>" in outputs[error + 1].data["text/html"]
    nbformat.validate(notebook)
