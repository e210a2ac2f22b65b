"""papermill and nbconvert, as people type them."""

from __future__ import annotations

import nbformat
import pytest

from clients.conftest import Place, assert_computed, example


def test_papermill_executes_a_notebook_with_parameters(place: Place) -> None:
    place.write("in.ipynb")
    place.run(
        "papermill", "in.ipynb", "out.ipynb", "-k", "pyspark_cluster", "-p", "factor", "5",
        "--no-progress-bar",
    )  # fmt: skip
    executed = nbformat.read(place.folder / "out.ipynb", as_version=4)
    assert_computed(executed, factor=5)
    assert executed.metadata.papermill.exception is None


def test_papermill_fails_at_an_error_of_spark_and_saves_it(place: Place) -> None:
    notebook = example()
    notebook.cells[1].source = "spark.table('gone')"
    nbformat.write(notebook, place.folder / "in.ipynb")
    with pytest.raises(AssertionError, match="TABLE_OR_VIEW_NOT_FOUND"):
        place.run("papermill", "in.ipynb", "out.ipynb", "--no-progress-bar")
    saved = nbformat.read(place.folder / "out.ipynb", as_version=4)
    assert saved.metadata.papermill.exception is True
    outputs = [output for cell in saved.cells for output in cell.get("outputs", ())]
    (error,) = [output for output in outputs if output.output_type == "error"]
    assert error.ename == "AnalysisException"


def test_nbconvert_executes_a_notebook_into_a_page(place: Place) -> None:
    place.write("in.ipynb")
    place.run(
        "jupyter", "nbconvert", "--execute", "--to", "notebook", "--output", "out", "in.ipynb"
    )
    assert_computed(nbformat.read(place.folder / "out.ipynb", as_version=4))
    place.run("jupyter", "nbconvert", "--to", "html", "out.ipynb")
    assert "PySpark (cluster)" in (place.folder / "out.html").read_text()
