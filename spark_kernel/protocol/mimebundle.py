"""MIME bundles: whatever else a bundle holds, it holds text."""

from __future__ import annotations

__all__ = ["HTML", "TEXT", "MimeBundle", "bundle"]

TEXT = "text/plain"
HTML = "text/html"

MimeBundle = dict[str, str]


def bundle(text: str, html: str = "") -> MimeBundle:
    """Make a bundle of a text and, where there is one, its HTML."""
    return {TEXT: text, HTML: html} if html else {TEXT: text}
