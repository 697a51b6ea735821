"""The one declared source of who may do what: ``permissions.toml``, read once.

The code is checked against it: :func:`safelight.casework.base.routes.disagreements` (every route both ways, in the
tests and by `safelight policy --check`) and the matrix of ``tests/casework/test_matrix.py``, which asks every page as
every role in every relation. ``docs/permissions.md`` is made from it. See docs/decisions/0043.
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
PUBLIC = "public"
ACCESS_OF_ALL = "public"
KINDS = ("collection", "alteration", "consultation", "disclosure", "combination", "erasure")
"""The kinds of processing of DPA 2018 s.62(1)."""

YES, NO, HIDDEN = "yes", "no", "hidden"
STATUSES = {YES: (200, 302), NO: (403,), HIDDEN: (404,)}
"""What a page answers: it opens (or leads on); the role may not; it does not exist for this person."""


LEADS = ("opens", "sign-in", "password", "factor", "away", "hidden", "role")
"""What a page answers to somebody who is so far with signing in ("role": as the access says)."""


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
class Step:
    """One method of a route: who may (a table ``[access.NAME]``), and the kinds of processing it leaves in the ledger.

    ``records`` is empty where no personal data is processed; ``why`` then says why.
    """

    access: str
    records: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True)
class Call:
    """One call of the exchange: the scopes that a key needs (none: any key that works), and what it leaves."""

    scopes: tuple[str, ...]
    records: tuple[str, ...]
    why: str = ""


@dataclass(frozen=True)
class Row:
    """One route: the rule its view asks for, and its methods."""

    rule: str
    steps: Mapping[str, Step]


@dataclass(frozen=True)
class Permissions:
    """The whole file.

    Args:
        relations: how somebody may stand to a record: code to words.
        roles: role to the relations that it can be in.
        access: name to role to relation to answer (:data:`STATUSES`). A role that is not named meets NO.
        routes: name of the page to its row.
        break_glass: who may, for how long, and who reviews.
        states: how far somebody may be with signing in: code to words.
        sign_in: page ("*": every other) to state to what it answers (:data:`LEADS`).
        platform_keys: "METHOD /path" of the exchange to its call.
    """

    relations: Mapping[str, str]
    roles: Mapping[str, tuple[str, ...]]
    access: Mapping[str, Mapping[str, Mapping[str, str]]]
    routes: Mapping[str, Row]
    break_glass: BreakGlass
    states: Mapping[str, str]
    sign_in: Mapping[str, Mapping[str, str]]
    platform_keys: Mapping[str, Call]

    def answer(self, access: str, role: str, relation: str) -> str:
        """What ``role`` in ``relation`` meets: a word of :data:`STATUSES`."""
        if access == ACCESS_OF_ALL:
            return YES
        return self.access[access].get(role, {}).get(relation, NO)


def _wrong(what: str) -> PermissionsError:
    return PermissionsError(f"{FILE.name}: {what}.", fix="Mend the file.")


def _cells(name: str, role: str, text: str, relations: tuple[str, ...]) -> dict[str, str]:
    words = text.split()
    if len(words) == 1:
        words *= len(relations)
    if len(words) != len(relations) or set(words) - set(STATUSES):
        raise _wrong(f"[access.{name}] {role} = {text!r}: write one of {list(STATUSES)} for each of {list(relations)}")
    return dict(zip(relations, words, strict=True))


def _step(name: str, text: str, access: Any) -> tuple[str, Step]:
    what, _, why = text.partition(" none: ")
    words = what.split()
    if len(words) < (2 if why else 3) or (words[1] not in access and words[1] != ACCESS_OF_ALL):
        raise _wrong(f'{name}: {text!r} is not "METHOD ACCESS KIND" or "METHOD ACCESS none: WHY" with a known access')
    if set(words[2:]) - set(KINDS):
        raise _wrong(f"{name}: {text!r} names a kind that is none of {list(KINDS)}")
    return words[0], Step(words[1], tuple(words[2:]), why)


def _leads(name: str, text: str, states: Mapping[str, str]) -> dict[str, str]:
    words = text.split()
    if len(words) != len(states) or set(words) - set(LEADS):
        raise _wrong(f"[sign_in] {name} = {text!r}: write one of {list(LEADS)} for each of {list(states)}")
    return dict(zip(states, words, strict=True))


def _call(name: str, text: str) -> Call:
    what, _, why = text.partition(" none: ")
    words = what.split()
    if len(words) < (1 if why else 2) or set(words[1:]) - set(KINDS):
        raise _wrong(f'[platform_keys] {name}: {text!r} is not "SCOPE KIND" or "SCOPE none: WHY"')
    return Call(tuple(one for one in words[0].split(",") if one != "any"), tuple(words[1:]), why)


def read(text: str) -> Permissions:
    """A policy file.

    Raises:
        PermissionsError: it is no TOML, lacks a table, or contradicts itself; the text says where.
    """
    try:
        data: dict[str, Any] = tomllib.loads(text)
        roles = {role: tuple(words.split()) for role, words in data["roles"].items()}
        for role, relations in roles.items():
            if set(relations) - set(data["relations"]):
                raise _wrong(f"[roles] {role} names a relation that [relations] lacks")
        access = {}
        for name, table in data["access"].items():
            if set(table) - set(roles) - {"about"}:
                raise _wrong(f"[access.{name}] names a role that [roles] lacks")
            access[name] = {
                role: _cells(name, role, words, roles[role]) for role, words in table.items() if role != "about"
            }
        rows = {
            name: Row(row[0], dict(_step(name, one, access) for one in row[1:])) for name, row in data["routes"].items()
        }
        glass = data["break_glass"]
        if {*glass["roles"], *glass["oversight"], *glass["reviewers"]} - set(roles):
            raise _wrong("[break_glass] names a role that [roles] lacks")
        return Permissions(
            data["relations"], roles, access, rows,
            BreakGlass(
                tuple(glass["roles"]), tuple(glass["oversight"]), tuple(glass["reviewers"]), glass["hours"],
                glass["most_hours"], glass["review_days"], glass["reasons"],
            ),
            data["states"],
            {name: _leads(name, words, data["states"]) for name, words in data["sign_in"].items()},
            {name: _call(name, words) for name, words in data["platform_keys"].items()},
        )  # fmt: skip
    except tomllib.TOMLDecodeError as error:
        raise _wrong(f"it cannot be read ({error})") from error
    except KeyError as error:
        raise _wrong(f"it lacks {error}") from error


def abouts() -> dict[str, str]:
    """What each table ``[access.NAME]`` is about, in words."""
    data = tomllib.loads(FILE.read_text("utf-8"))
    return {name: str(table["about"]) for name, table in data["access"].items()}


@cache
def permissions() -> Permissions:
    """The policy file of this version. Raises PermissionsError."""
    return read(FILE.read_text("utf-8"))
