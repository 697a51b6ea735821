"""Referrals in our JSON (docs/referral-import.md): an object with ``referrals``, a list of reports, or one report a
line (JSON Lines)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from safelight.casework.referrals.importers.record import RECORD_KEYS, ParsedRecord, Rejected, build, rejected

FORMAT = "safelight-referrals"
VERSION = 1
DEEPEST = 20
_TOO_DEEP = f"the values are nested more than {DEEPEST} deep"


class _Twice(ValueError):
    """An object names the same thing twice: one of the two values would be lost without a word."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        names = [name for name, _ in pairs]
        raise _Twice(f"{next(name for name in names if names.count(name) > 1)[:40]!r} is given twice in one object")
    return made


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _load(text: str) -> Any:
    """The value in ``text``. Raises ValueError with the fault in words."""
    try:
        value = json.loads(text, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise ValueError(f"{error.msg} at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for one in level for inner in _inside(one)]
    if level:
        raise ValueError(_TOO_DEEP)
    return value


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def parse(text: str, *, now: datetime) -> Iterator[ParsedRecord | Rejected]:
    """Every record of the file in order; nothing is left out. A file that is no JSON at all is one rejected record."""
    try:
        document = _load(text)
    except ValueError as error:
        lines = [(n, line) for n, line in enumerate(text.splitlines(), start=1) if line.strip()]
        if len(lines) > 1 and all(line.lstrip().startswith("{") for _, line in lines):
            yield from _lines(lines, now)
        else:
            yield rejected(1, f"The file is not JSON: {error}.", text)
        return
    if isinstance(document, dict) and "referrals" in document:
        fault = _fault(document)
        if fault:
            yield rejected(1, fault, text)
            return
        document = document["referrals"]
    records = document if isinstance(document, list) else [document]
    if not records:
        yield rejected(1, "The file holds no report.", text)
    for number, value in enumerate(records, start=1):
        yield _one(number, value, now)


def _fault(document: dict[str, Any]) -> str:
    if document.get("format", FORMAT) != FORMAT or document.get("version", VERSION) != VERSION:
        return f"The file must say format {FORMAT!r} and version {VERSION}."
    if not isinstance(document["referrals"], list):
        return "'referrals' must be a list."
    odd = sorted(str(name)[:40] for name in set(document) - {"format", "version", "referrals"})
    return f"The file has unknown names beside 'referrals': {', '.join(odd[:5])}." if odd else ""


def _lines(lines: list[tuple[int, str]], now: datetime) -> Iterator[ParsedRecord | Rejected]:
    for number, line in lines:
        try:
            value = _load(line)
        except ValueError as error:
            yield rejected(number, f"The line is not JSON: {error}.", line)
        else:
            yield _one(number, value, now, raw=line)


def _one(number: int, value: Any, now: datetime, raw: str = "") -> ParsedRecord | Rejected:
    raw = raw or json.dumps(value, ensure_ascii=False, indent=1)
    if not isinstance(value, dict):
        return rejected(number, "The report is not an object with names and values.", raw)
    extras = tuple(
        (str(key), item if isinstance(item, str) else json.dumps(item, ensure_ascii=False))
        for key, item in value.items()
        if key not in RECORD_KEYS and item not in (None, "")
    )
    return build(number, raw, value, extras=extras, now=now)
