"""The one declared source of who may do what: ``permissions.toml``, read once.

What it says is checked against the code by ``tests/casework/test_permissions.py`` (every route, both ways) and by
`safelight policy --check`; ``docs/permissions.md`` is made from it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from safelight.errors import CaseworkError

FILE = Path(__file__).with_name("permissions.toml")


class PermissionsError(CaseworkError):
    """The policy file contradicts itself or the code."""


@dataclass(frozen=True)
class BreakGlass:
    """The table ``[break_glass]``.

    Args:
        roles: who may ask.
        oversight: who hears of every access and may review it without seeing the case.
        reviewers: who may review: of these, supervisors only where they see the case.
        hours: how long it lasts where the form says nothing else and no setting does.
        most_hours: the most that a setting or a form may ask for.
        review_days: days from its end within which somebody else reviews it.
        reasons: code to words.
    """

    roles: tuple[str, ...]
    oversight: tuple[str, ...]
    reviewers: tuple[str, ...]
    hours: int
    most_hours: int
    review_days: int
    reasons: Mapping[str, str]


@dataclass(frozen=True)
class Permissions:
    """The whole file."""

    break_glass: BreakGlass


@cache
def permissions() -> Permissions:
    """The policy file.

    Raises:
        PermissionsError: it cannot be read, or lacks a table; the text says which.
    """
    try:
        data: dict[str, Any] = tomllib.loads(FILE.read_text("utf-8"))
        glass = data["break_glass"]
        return Permissions(
            BreakGlass(
                tuple(glass["roles"]), tuple(glass["oversight"]), tuple(glass["reviewers"]), glass["hours"],
                glass["most_hours"], glass["review_days"], glass["reasons"],
            )
        )  # fmt: skip
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise PermissionsError(f"{FILE.name} cannot be read: {error}.", fix="Install Safelight again.") from error
    except KeyError as error:
        raise PermissionsError(f"{FILE.name} lacks {error}.", fix="Add it.") from error
