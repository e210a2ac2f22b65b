"""Charts, computed by Spark and compared with what pandas makes of all rows."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kernel_real.notebook import Notebook

VEGALITE = "application/vnd.vegalite.v5+json"
PREPARE = '''
import datetime, decimal, random
import numpy as np
import pandas as pd
from spark_kernel.protocol.chart import ChartRequest
from spark_kernel.spark.chart import chart_data

random.seed(1)
begin = datetime.datetime(2024, 1, 1)
rows = []
for i in range(6_000):
    rows.append((
        None if i % 50 == 0 else f"g{int(random.expovariate(0.1)):02}",
        None if i % 40 == 0 else random.randrange(-500, 1000),
        float("nan") if i % 31 == 0 else float("inf") if i % 37 == 0 else random.gauss(10, 5),
        decimal.Decimal(random.randrange(-1000, 1000)) / 100,
        begin.date() + datetime.timedelta(days=random.randrange(90)),
        begin + datetime.timedelta(seconds=random.randrange(90 * 86400)),
        i % 3,
    ))
names = ["g", "n", "x", "dec", "day", "at", "k"]
types = "g string, n int, x double, dec decimal(10,2), day date, at timestamp_ntz, k int"
df = spark.createDataFrame(rows, types).repartition(2).cache()
pdf = pd.DataFrame(rows, columns=names)
good = pdf[np.isfinite(pdf.x)]

def chart(kind, **options):
    ys = options.pop("y", ())
    ys = (ys,) if isinstance(ys, str) else ys
    return chart_data(options.pop("of", df), ChartRequest(kind, y=ys, **options))

def same(ours, theirs):
    """Compare two mappings of numbers."""
    assert list(map(str, ours)) == list(map(str, theirs)), (list(ours), list(theirs))
    return bool(np.allclose(list(ours.values()), list(theirs.values())))
'''


@pytest.fixture(scope="module")
def charts(shared: Notebook) -> Iterator[Notebook]:
    """Give a notebook with the rows in Spark and in pandas."""
    shared.value(PREPARE)
    yield shared
    shared.value("df.unpersist()")


def holds(notebook: Notebook, code: str) -> None:
    """Run code whose last value has to be true."""
    assert notebook.value(code) == "True"


def test_bars_are_the_largest_and_the_rest(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("bar", x="g", y="n")
sums = pdf.fillna({"g": "(null)"}).groupby("g").n.sum().sort_values(ascending=False, kind="stable")
rest = f"other ({len(sums) - 30} more)"
first = sorted(sums[:30].items(), key=lambda one: (-one[1], one[0]))
theirs = dict(first) | {rest: sums[30:].sum()}
assert made.title == "Sum of n by g", made.title
assert "150 null values of n left out" in made.notes, made.notes
assert any("30 largest of g" in note for note in made.notes)
same(dict(made.rows), theirs)
""",
    )


@pytest.mark.parametrize("agg", ["count", "sum", "avg", "min", "max"])
def test_aggregates_are_those_of_pandas(charts: Notebook, agg: str) -> None:
    function = {"avg": "mean"}.get(agg, agg)
    holds(
        charts,
        f"""
made = chart("bar", x="k", y="x", agg="{agg}")
same(dict(made.rows), good.groupby("k").x.{function}().to_dict())
""",
    )


def test_median_is_near_and_said_to_be_approximate(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("bar", x="k", y="x", agg="median")
theirs = good.groupby("k").x.median()
assert made.title == "Approximate median of x by k"
all(abs(value - theirs[int(k)]) < 0.1 for k, value in made.rows)
""",
    )


def test_colours_share_the_bars(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("bar", x="k", y="n", color="g")
top = pdf.fillna({"g": "(null)"}).g.value_counts().index[:10]
ours = pd.DataFrame(made.rows, columns=made.fields)
theirs = pdf.groupby("k").n.sum()
len(ours.color.unique()) == 11 and np.allclose(ours.groupby("x").y.sum(), theirs)
""",
    )


def test_line_has_a_point_for_each_value_of_x(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("line", x="day", y="x", agg="avg")
assert made.x.scale == "time"
same(dict(made.rows), good.groupby("day").x.mean().to_dict())
""",
    )


def test_line_over_many_times_goes_by_steps(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("line", x="at", y="n", agg="max")
theirs = pdf.groupby(pdf["at"].dt.floor("D")).n.max()
assert made.notes[0] == "at by day", made.notes
assert len(made.rows) <= 1000
same({str(x): y for x, y in made.rows}, {str(x): y for x, y in theirs.items()})
""",
    )


def test_line_over_many_numbers_goes_by_steps(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("line", x="n", y="x", color="k")
steps = (pdf.n // 5 * 5)
theirs = good.groupby([steps, "k"]).x.sum()
assert "n by steps of 5" in made.notes, made.notes
ours = {(row[0], int(row[2])): row[1] for row in made.rows if row[1] is not None}
assert len(ours) == len(theirs)
all(np.isclose(value, theirs[key]) for key, value in ours.items())
""",
    )


def test_several_columns_are_several_lines(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("area", x="day", y=["n", "dec"])
ours = pd.DataFrame(made.rows, columns=made.fields).pivot(index="x", columns="color", values="y")
np.allclose(ours.n, pdf.groupby("day").n.sum())
""",
    )


HISTOGRAMS = ["n", "x", "dec", "day", "at"]


@pytest.mark.parametrize("column", HISTOGRAMS)
def test_histogram_counts_every_value_in_its_bin(charts: Notebook, column: str) -> None:
    holds(
        charts,
        f"""
made = chart("hist", x="{column}")
values = (good if "{column}" == "x" else pdf)["{column}"].dropna()
values = values.map(float) if "{column}" == "dec" else values
values = pd.to_datetime(values) if "{column}" in ("day", "at") else values
place = pd.Timestamp if made.x.scale == "time" else lambda value: value
def count(row):
    return ((values >= place(row[0])) & (values < place(row[1]))).sum()
assert len(made.rows) <= 50
assert sum(row[2] for row in made.rows) == len(values)
all(row[2] == count(row) for row in made.rows)
""",
    )


def test_boxes_are_the_quartiles(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("box", x="k", y="x")
near = lambda a, b: abs(a - b) < 0.05
results = []
for label, low, q1, median, q3, high, count in made.rows:
    values = good[good.k == int(label)].x
    quartiles = values.quantile([0.25, 0.5, 0.75])
    within = values[(values >= q1 - 1.5 * (q3 - q1)) & (values <= q3 + 1.5 * (q3 - q1))]
    results += [near(q1, quartiles[0.25]), near(median, quartiles[0.5]), near(q3, quartiles[0.75])]
    results += [low == within.min(), high == within.max(), count == len(values)]
len(results) == 18 and all(results)
""",
    )


def test_heatmap_counts_the_rows_of_each_cell(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("heatmap", x="n", y="x")
both = good.dropna(subset=["n"])
assert sum(row[4] for row in made.rows) == len(both)
inside = lambda v, a, b: (v >= a) & (v < b)
all(v == (inside(both.n, a, b) & inside(both.x, c, d)).sum() for a, b, c, d, v in made.rows)
""",
    )


def test_heatmap_aggregates_its_colour_over_categories(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("heatmap", x="g", y="day", color="x", agg="avg")
"Avg of x by g and day" == made.title and len(set(row[0] for row in made.rows)) == 31
""",
    )


def test_scatter_takes_rows_at_random_and_says_it(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("scatter", x="n", y="x", color="g")
both = good.dropna(subset=["n"])
assert f"5,000 of {len(both):,} rows, taken at random" in made.notes, made.notes
assert f"{len(pdf) - len(both):,} rows with null, NaN or infinity left out" in made.notes
there = set(zip(both.n, both.x))
len(made.rows) == 5000 and all((row[0], row[1]) in there for row in made.rows)
""",
    )


def test_scatter_over_texts_has_the_most_frequent_and_the_rest(charts: Notebook) -> None:
    holds(
        charts,
        """
texts = spark.sql("SELECT id AS n, IF(id % 2 = 0, 'often', concat('t', id)) AS t FROM range(4000)")
made = chart("scatter", of=texts, x="n", y="t")
ys = made.y.order
assert any("30 most frequent of t" in note for note in made.notes), made.notes
assert len(ys) == 31 and ys[-1] == "other" and "often" in ys, ys
len(made.rows) == 4000 and {row[1] for row in made.rows} == set(ys)
""",
    )


def test_long_texts_are_cut_before_they_travel_and_kept_apart(charts: Notebook) -> None:
    holds(
        charts,
        """
from spark_kernel.spark.chart_columns import choose
from spark_kernel.spark.chart_frames import ChartFrame
long = spark.sql("SELECT concat(repeat('x', 100000), id % 2) AS t, id AS n FROM range(10)")
for kind in ("bar", "scatter"):
    asked = ChartRequest(kind, x="t", y=("n",), color="t")
    made = ChartFrame(long, choose(long, asked)).frame.collect()
    assert max(len(row[name]) for row in made for name in ("x", "color")) < 300
    drawn = chart_data(long, asked)
    assert len(drawn.x.order) == len(drawn.color.order) == 2, drawn.x.order
{label[:3] for label in chart("box", of=long, x="t", y="n").x.order} == {"xxx"}
""",
    )


def test_few_rows_are_drawn_as_they_are(charts: Notebook) -> None:
    holds(
        charts,
        """
few = spark.createDataFrame([("a", 1), ("b", 3), (None, 2)], "g string, n int")
made = chart("bar", of=few)
made.title == "n by g" and dict(made.rows) == {"b": 3.0, "(null)": 2.0, "a": 1.0}
""",
    )


def test_odd_and_double_names_are_drawn(charts: Notebook) -> None:
    holds(
        charts,
        r"""
odd = spark.createDataFrame([("a", 1, 9), ("a", 2, 9)], ["b.c[0]`\\\"'", "n n", "twice"])
odd = odd.select("*", odd["twice"])
dict(chart("bar", of=odd, x="b.c[0]`\\\"'", y="n n").rows) == {"a": 3.0}
""",
    )


def test_frame_without_rows_says_so(charts: Notebook) -> None:
    for kind in ("bar", "line", "scatter", "hist", "box", "heatmap"):
        options = ", x='n'" if kind == "hist" else ", x='n', y='x'"
        assert (
            charts.value(f"chart({kind!r}, of=df.where('false'){options}).title")
            == "'Nothing to draw'"
        )


def test_many_rows_are_binned_where_they_are(charts: Notebook) -> None:
    holds(
        charts,
        """
made = chart("hist", of=spark.range(50_000_000), x="id")
len(made.rows) == 50 and {row[2] for row in made.rows} == {1_000_000}
""",
    )


def test_times_are_those_of_the_session(charts: Notebook) -> None:
    holds(
        charts,
        """
spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
try:
    one = spark.sql("SELECT timestamp_seconds(0) AS at, 1 AS n")
    made = chart("line", of=one, x="at", y="n")
finally:
    spark.conf.unset("spark.sql.session.timeZone")
made.rows == ((datetime.datetime(1970, 1, 1, 9), 1.0),)
""",
    )


# -- in the notebook ---------------------------------------------------------------------------


def test_display_draws_for_every_frontend(charts: Notebook) -> None:
    result = charts.run("display(df, chart='bar', x='k', y='n')")
    (data,) = [c["data"] for c in result.displays if VEGALITE in c["data"]]
    assert {"text/plain", "image/png"} < set(data)
    assert data["text/plain"].startswith("Sum of n by k")


def test_sql_cell_draws_its_result(charts: Notebook) -> None:
    charts.value("df.createOrReplaceTempView('drawn')")
    result = charts.run("%%sql --chart line --x day --y n --agg max\nSELECT * FROM drawn")
    assert "Max of n by day" in result.shown
    assert charts.value("_.columns[0]") == "'g'"
    assert (
        "n by k" in charts.run("%%sql --x k --y n\nSELECT k, sum(n) n FROM drawn GROUP BY k").shown
    )


def test_wrong_column_or_kind_is_told_in_two_lines(charts: Notebook) -> None:
    result = charts.run("display(df, chart='bar', x='gg')")
    assert "ChartError: There is no column 'gg'; there are g (string), " in result.error
    assert len(result.traceback) <= 3
    result = charts.run("display(df, chart='pie')")
    assert "bar, line, area, scatter, hist, box, heatmap" in result.error


def test_pandas_on_spark_is_drawn(charts: Notebook) -> None:
    result = charts.run("display(df.limit(50).pandas_api(), chart='bar', x='k', y='n')")
    assert "Sum of n by k" in result.shown


def test_stream_has_no_chart(charts: Notebook) -> None:
    result = charts.run("display(spark.readStream.format('rate').load(), chart='hist', x='value')")
    assert "ChartError: A stream has no chart" in result.error


def test_plots_of_pyspark_work(charts: Notebook) -> None:
    for code in ("plot.bar(x='k', y='n')", "plot.hist(column='n', bins=4)", "plot(x='k', y='n')"):
        assert charts.value(f"type(df.limit(20).{code}).__module__.split('.')[0]") == "'plotly'"


HIDE_PLOTLY = """
import sys
hidden = {n: sys.modules.pop(n) for n in list(sys.modules) if n.split(".")[0] == "plotly"}
sys.modules["plotly"] = None
"""


def test_plots_of_pyspark_without_plotly_say_what_is_missing(charts: Notebook) -> None:
    charts.value(HIDE_PLOTLY)
    try:
        error = charts.run("df.plot.bar(x='k', y='n')").error
        assert "Plotly >= 4.8 must be installed" in error
    finally:
        charts.value("del sys.modules['plotly']\nsys.modules.update(hidden)")
