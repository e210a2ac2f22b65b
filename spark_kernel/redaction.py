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

_ARGUMENT = re.compile(
    r"((?<![\w-])--?[\w-]*(?:secret|password|passwd|token|access-?key)[ =]\s{0,3})"
    r"(?!\*\*\*)[^\s\"']+",
    re.IGNORECASE,
)
"""A secret as an option of a command."""

_BEARER = re.compile(r"(\bBearer\s{1,3})[\w.~+/=-]{16,}", re.IGNORECASE)
_USER_AND_PASSWORD = re.compile(r"//([^/\s:@]*):[^/\s?#\"'<>]+@")
_TOKEN_AS_USER = re.compile(r"(https?://)[^/\s:@?#\"'<>]+@", re.IGNORECASE)
"""A token in the place of a user; of other URLs (hdfs, abfss, ssh) it is a name that says where."""

_PARAMETER = re.compile(
    r"([;?&](?:[\w.-]*(?:token|password|passwd|pwd|secret)|\w*access[._-]?key|sig|signature"
    r"|[\w-]*-signature)=)[^;&\s\"'<>]+",
    re.IGNORECASE,
)
"""A secret among the parameters of a URL."""


def holds_secret(key: str, value: str) -> bool:
    """Whether a setting is one that only its user should be able to read."""
    patterns = (_SECRET_VALUE, _USER_AND_PASSWORD, _TOKEN_AS_USER, _ARGUMENT)
    return bool(_SECRET_KEY.search(key)) or any(pattern.search(value) for pattern in patterns)


def without_password(url: str) -> str:
    """Give a URL in a form that can be shown."""
    shown = _TOKEN_AS_USER.sub(r"\1***@", _USER_AND_PASSWORD.sub(r"//\1:***@", url))
    return _PARAMETER.sub(r"\1***", shown)


def redacted(text: str) -> str:
    """Give a text of any kind, such as an error, without the secrets that are seen in it."""
    shown = without_password(text)
    for pattern in (_ARGUMENT, _BEARER, _ASSIGNED):
        shown = pattern.sub(r"\1***", shown)
    return shown
