"""Tells secrets from settings: a kernelspec and a command line can be read by everyone."""

from __future__ import annotations

import re

__all__ = ["holds_secret", "redacted", "without_password"]

_SECRET_KEY = re.compile(
    # Spark's own default of spark.redaction.regex, then the keys of clouds that it misses.
    r"secret|password|token|access[.]?key"
    r"|account[.]key|private[.]?key",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"(secret|password|passwd|pwd|token|access[.]?key)\w*\s*=\s*[^\s=]", re.IGNORECASE
)
_ASSIGNED = re.compile(
    r"((?:secret|password|passwd|pwd|token|access[._-]?key|account[._-]?key)[\w.]{0,40}"
    r"[\"']?\s{0,3}(?:=\s{0,3}[\"']?|:\s{0,3}[\"'])"
    r"|(?:secret|password|passwd|pwd)[\w.]{0,40}\s{0,3}:\s{0,3})"
    r"(?!\*\*\*)[^\s\"',;&)\]}]{3,}",
    re.IGNORECASE,
)
"""A secret in what a program says, as a setting or a parameter."""

_USER_AND_PASSWORD = re.compile(r"//([^/\s:@]*):[^/\s]+@")
_TOKEN = re.compile(r"(https?://)[^/\s:@]+@", re.IGNORECASE)
"""A name without a password, which often is a token; elsewhere, as in abfss, it is no secret."""

_PARAMETER = re.compile(r"([;?&](?:\w*token|password|\w*secret)=)[^;&\s]+", re.IGNORECASE)
"""A secret among the parameters of a URL."""


def holds_secret(key: str, value: str) -> bool:
    """Whether a setting is one that only its user should be able to read."""
    patterns = (_SECRET_VALUE, _USER_AND_PASSWORD)
    return bool(_SECRET_KEY.search(key)) or any(pattern.search(value) for pattern in patterns)


def without_password(url: str) -> str:
    """Give a URL in a form that can be shown."""
    url = _TOKEN.sub(r"\1***@", _USER_AND_PASSWORD.sub(r"//\1:***@", url))
    return _PARAMETER.sub(r"\1***", url)


def redacted(text: str) -> str:
    """Give a text of any kind, such as an error, without the secrets that are seen in it."""
    return _ASSIGNED.sub(r"\1***", without_password(text))
