"""Tells secrets from settings: a kernelspec and a command line can be read by everyone."""

from __future__ import annotations

import re

__all__ = ["holds_secret", "without_password"]

_SECRET_KEY = re.compile(
    # Spark's own default of spark.redaction.regex, then the keys of clouds that it misses.
    r"secret|password|token|access[.]?key"
    r"|account[.]key|private[.]?key",
    re.IGNORECASE,
)
_SECRET_VALUE = re.compile(
    r"(secret|password|passwd|pwd|token|access[.]?key)\w*\s*=\s*[^\s=]", re.IGNORECASE
)
_USER_AND_PASSWORD = re.compile(r"//([^/\s:@]*):[^/\s@]+@")
_PARAMETER = re.compile(r"([;?&](?:\w*token|password|\w*secret)=)[^;&\s]+", re.IGNORECASE)
"""A secret among the parameters of a URL."""


def holds_secret(key: str, value: str) -> bool:
    """Whether a setting is one that only its user should be able to read."""
    patterns = (_SECRET_VALUE, _USER_AND_PASSWORD)
    return bool(_SECRET_KEY.search(key)) or any(pattern.search(value) for pattern in patterns)


def without_password(url: str) -> str:
    """Give a URL in a form that can be shown."""
    return _PARAMETER.sub(r"\1***", _USER_AND_PASSWORD.sub(r"//\1:***@", url))
