"""Exit statuses that say more than that something failed."""

from __future__ import annotations

import click

__all__ = ["NothingDoneError"]


class NothingDoneError(click.ClickException):
    """Something is wrong with what was given, so that nothing was done; as a wrong option."""

    exit_code = 2
