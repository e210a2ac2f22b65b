"""Runs the example notebook on the PySpark (cluster) kernel and says what came out.

``make demo`` runs it with the Python of ``.venv``. Everything it writes is in
``examples/output/``.
"""

import os
import sys
from pathlib import Path

import nbformat
import papermill  # type: ignore[import-untyped]
from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from papermill.exceptions import PapermillExecutionError  # type: ignore[import-untyped]

KERNEL = "pyspark_cluster"
EXAMPLES = Path(__file__).resolve().parent
NOTEBOOK = EXAMPLES / "flights.ipynb"
EXECUTED = EXAMPLES / "output" / "flights.ipynb"
HTML = EXECUTED.with_suffix(".html")


class DemoError(Exception):
    """The demo cannot go on; the message is for the person who started it."""


def main() -> int:
    """Run the demo and return its exit status."""
    try:
        require_kernelspec()
        notebook = run_notebook()
    except DemoError as error:
        print(error, file=sys.stderr)
        return 1
    write_html(notebook)
    print(finding(notebook), timing_table(notebook), sep="\n\n")
    print(f"\nnotebook  {relative(EXECUTED)}\nHTML      {relative(HTML)}")
    return 0


def require_kernelspec() -> None:
    """Check that the kernel is there, and let this environment's own come first."""
    own = str(Path(sys.prefix, "share", "jupyter"))
    paths = [own, os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, paths))
    try:
        KernelSpecManager().get_kernel_spec(KERNEL)
    except NoSuchKernel as error:
        raise DemoError(
            f"The kernel {KERNEL} is not installed for this Python. "
            "Run `make demo`, which installs it first."
        ) from error


def run_notebook() -> NotebookNode:
    """Execute the notebook in its own folder; what has run so far is always on disk."""
    EXECUTED.parent.mkdir(exist_ok=True)
    print(
        f"Running {relative(NOTEBOOK)} on the kernel {KERNEL}, a minute or less ...\n", flush=True
    )
    HTML.unlink(missing_ok=True)  # a failed run must not leave the page of an earlier one
    try:
        notebook: NotebookNode = papermill.execute_notebook(
            relative(NOTEBOOK),
            relative(EXECUTED),
            kernel_name=KERNEL,
            progress_bar=False,
            cwd=EXAMPLES,
            # ipykernel warns of every kernel on TCP; that is no news to who runs a demo.
            extra_arguments=["--log-level=ERROR"],
        )
    except PapermillExecutionError as error:
        raise DemoError(failure(error)) from error
    except RuntimeError as error:  # from jupyter_client and nbclient: no kernel, or a dead one
        raise DemoError(f"{error}\nPartial notebook: {relative(EXECUTED)}") from error
    return notebook


def failure(error: PapermillExecutionError) -> str:
    """Say which cell failed, in which part, and how."""
    cells = nbformat.read(NOTEBOOK, as_version=4).cells  # type: ignore[no-untyped-call]
    parts = [heading(cell) for cell in cells[: error.cell_index]]
    part = next(filter(None, reversed(parts)), "before the first part")
    reason = error.evalue.partition("\n")[0]  # Spark appends the query plan
    return (
        f"Cell [{error.exec_count}] failed ({part}).\n"
        f"{error.ename}: {reason}\n"
        f"Partial notebook: {relative(EXECUTED)}"
    )


def heading(cell: NotebookNode) -> str:
    """Return the text of the ``##`` heading that a Markdown cell starts with, or ''."""
    if cell.cell_type != "markdown" or not cell.source.startswith("## "):
        return ""
    first_line: str = cell.source.splitlines()[0]
    return first_line.removeprefix("## ")


def finding(notebook: NotebookNode) -> str:
    """Return what the cell tagged ``finding`` printed."""
    return "".join(
        output.text
        for cell in notebook.cells
        if "finding" in cell.metadata.get("tags", [])
        for output in cell.outputs
        if output.output_type == "stream" and output.name == "stdout"
    ).strip()


def timing_table(notebook: NotebookNode) -> str:
    """Return one line for each part of the notebook, with the seconds its cells took."""
    seconds: dict[str, float] = {}
    part = ""
    for cell in notebook.cells:
        part = heading(cell) or part
        if part and cell.cell_type == "code":
            seconds[part] = seconds.get(part, 0.0) + cell.metadata.papermill.duration
    seconds["the whole run, with the start of the kernel"] = notebook.metadata.papermill.duration
    width = max(map(len, seconds))
    return "\n".join(f"{name:{width}}  {duration:6.1f} s" for name, duration in seconds.items())


def write_html(notebook: NotebookNode) -> None:
    """Write the executed notebook as one HTML page."""
    exporter = HTMLExporter()  # type: ignore[no-untyped-call]
    page, _ = exporter.from_notebook_node(notebook)
    HTML.write_text(page, encoding="utf-8")


def relative(path: Path) -> str:
    """Return a path as seen from the current directory."""
    return os.path.relpath(path)


if __name__ == "__main__":
    sys.exit(main())
