"""What the terminal of a command can show."""

from __future__ import annotations

import sys

__all__ = ["can_show", "output_encoding", "shown"]


def output_encoding() -> str:
    """Give the encoding of standard output."""
    return sys.stdout.encoding or "utf-8"


def can_show(signs: str, encoding: str) -> bool:
    """Whether an encoding has all of some signs."""
    try:
        signs.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def shown(text: str, encoding: str) -> str:
    """Give a text with a question mark for each sign that an encoding lacks."""
    return text.encode(encoding, errors="replace").decode(encoding)
