"""``display()``: which objects take a limit and a chart, and what it says of the others."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pandas
import pytest
from pyspark.sql import Row

from spark_kernel.magics import frames
from spark_kernel.magics.frames import FrameDisplay
from spark_kernel.protocol.table import DATA_RESOURCE

CHART = {"text/plain": "a chart"}
DataFrame = type("DataFrame", (), {"__module__": "pyspark.sql.classic.dataframe"})
PANDAS = pandas.DataFrame({"a": range(300_000)})
ROWS = [Row(a=1), Row(a=2)]


class Notebook:
    """Keeps what is displayed.

    Attributes
    ----------
    shown
        Bundles of what is drawn, and everything else as it is.
    drawn
        The frames that charts were asked of.
    """

    def __init__(self) -> None:
        self.shown: list[Any] = []
        self.drawn: list[Any] = []
        settings = SimpleNamespace(preview="rows", preview_rows=100, preview_max_bytes=512 * 1024)
        self.display = FrameDisplay(settings, self._draw).display

    def _draw(self, frame: Any, *_: Any) -> dict[str, str]:
        self.drawn.append(frame)
        return CHART

    def take(self, obj: Any, **_: Any) -> None:
        """Take what is handed on to IPython."""
        drawn = getattr(obj, "_repr_mimebundle_", None)
        self.shown.append(obj if drawn is None else drawn()[0])


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Notebook:
    made = Notebook()
    monkeypatch.setattr(frames, "plain_display", made.take)
    return made


def test_chart_is_of_the_frames_of_spark_alone(notebook: Notebook):
    frame = DataFrame()
    notebook.display("Title", PANDAS, frame, chart="bar")
    assert notebook.drawn == [frame]
    assert notebook.shown[0] == "Title"
    assert notebook.shown[1] is PANDAS
    assert notebook.shown[2] == CHART


@pytest.mark.parametrize("obj", [PANDAS, ROWS])
def test_chart_of_what_is_no_frame_of_spark_is_refused(notebook: Notebook, obj: Any):
    with pytest.raises(TypeError, match=r"for DataFrames of Spark, and not for .*createDataFrame"):
        notebook.display("Title", obj, chart="bar")
    assert not notebook.shown


def test_limit_and_chart_do_not_go_together(notebook: Notebook):
    with pytest.raises(TypeError, match=r"display\(df.limit\(N\), chart=...\)"):
        notebook.display(DataFrame(), chart="bar", limit=5)
    with pytest.raises(TypeError, match="limit"):
        notebook.display(DataFrame(), x="a", limit=5)
    assert not notebook.drawn


@pytest.mark.parametrize("obj", [PANDAS, ROWS * 150_000])
def test_huge_limit_of_local_rows_warns_and_shows_no_more_than_fits(
    notebook: Notebook, obj: Any, capsys: pytest.CaptureFixture[str]
):
    notebook.display(obj, limit=300_000)
    assert "limit=300,000 is more than a notebook takes well" in capsys.readouterr().err
    (data,) = notebook.shown
    assert "no more fit into the 512 KiB" in data["text/plain"]
    assert len(json.dumps(data)) < 600_000


def test_list_that_is_no_table_is_left_to_ipython(notebook: Notebook):
    mixed = [Row(a=1, b=2), Row(b=3, a=4), Row(a=5, b=6)]
    notebook.display(mixed, limit=3)
    assert notebook.shown[0] is mixed
    notebook.display(ROWS, limit=1)
    assert notebook.shown[1][DATA_RESOURCE]["data"] == [{"a": 1}]
