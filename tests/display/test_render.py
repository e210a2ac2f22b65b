"""The one Jinja environment: everything is escaped, and nothing is left out in silence."""

from __future__ import annotations

import subprocess
import sys

import jinja2
import pytest

from spark_kernel.display.render import render


def test_value_that_a_template_needs_cannot_be_forgotten():
    with pytest.raises(jinja2.UndefinedError, match="stages"):
        render("waited.html.j2", line="done")


def test_values_are_escaped():
    html = render("waited.html.j2", line="<b>&", stages=[])
    assert "&lt;b&gt;&amp;" in html
    assert "<b>" not in html


def test_style_is_not_escaped():
    html = render("waited.html.j2", line="done", stages=[])
    style = html[html.index("<style>") : html.index("</style>")]
    assert "--jp-" in style
    assert "&" not in style


def test_every_colour_follows_the_theme_and_has_a_fallback():
    html = render("waited.html.j2", line="done", stages=[])
    style = html[html.index("<style>") : html.index("</style>")]
    colours = [line for line in style.split(";") if "color:" in line]
    assert colours
    assert all("var(--jp-" in colour and "," in colour for colour in colours)


def test_jinja_is_imported_only_when_something_is_drawn():
    script = (
        "import sys, spark_kernel.display.session\n"
        "print('jinja2' in sys.modules, 'pyspark' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False", "False"]
