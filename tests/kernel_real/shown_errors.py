"""What a person sees of an error of Spark's, and what is folded below it."""

from __future__ import annotations

import re
from typing import Any

from kernel_real.notebook import Notebook, Result

MOST_LINES = 12
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def visible(result: Result) -> list[str]:
    """Give the lines that a failed cell shows, without colours; there are few of them."""
    assert result.status == "error"
    lines = [_COLOUR.sub("", line) for line in result.traceback]
    assert len(lines) <= MOST_LINES, "\n".join(lines)
    return lines


def failed(notebook: Notebook, code: str, subshell: str = "") -> Result:
    """Run a cell that must fail with an error of Spark's; what else it says is looked at."""
    result = notebook.finish(notebook.submit(code, subshell))
    assert visible(result), result
    (error,) = result.contents("error")
    assert result.reply is not None
    for key in ("ename", "evalue", "traceback"):
        assert error[key] == result.reply[key]
    assert "at org.apache.spark" not in "\n".join(result.traceback)
    assert result.stderr == ""
    details(result)
    return result


def details(result: Result) -> dict[str, Any]:
    """Give the bundle below the error: the first message after it that is a display."""
    types = [message["header"]["msg_type"] for message in result.messages]
    position = types.index("error")
    after = [m["content"] for m in result.messages[position:] if "data" in m["content"]]
    data = dict(after[0]["data"])
    assert data["text/plain"].startswith("`%spark error` shows the whole: ")
    assert len(data["text/plain"].splitlines()) == 1
    assert data["text/html"].count("<details>") >= 1
    assert len(data["text/html"]) < 100_000
    return data


def marked(result: Result) -> tuple[str, str]:
    """Give the place that is marked and its line of code."""
    lines = visible(result)
    arrow = next(n for n, line in enumerate(lines) if line.startswith("---->"))
    return lines[arrow - 1], re.sub(r"^----> \d+ ", "", lines[arrow])


def hint(result: Result) -> str:
    """Give the hint; empty where there is none."""
    return next((line[6:] for line in visible(result) if line.startswith("Hint: ")), "")
