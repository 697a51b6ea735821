"""Faults in standards files: each with the file, the row, the reason and what to do, all of them reported at once."""

from __future__ import annotations

import difflib
import functools
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from safelight.errors import StandardsError

_DEEPEST = 8  # keys of a header that a line is looked up by
_LONGEST = 100  # characters of a value in a message


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. ``str()`` gives one line a person can act on."""

    file: str
    row: str
    reason: str
    fix: str = ""

    def __str__(self) -> str:
        where = f"{self.file}: {self.row}" if self.row else self.file
        return f"{where}: {self.reason}. {self.fix}".rstrip()


class StandardsFileError(StandardsError):
    """Standards files are malformed or contradict themselves; ``faults`` has them all, one line each in the message."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass
class Source:
    """The text of one TOML file, and where its rows stand in it."""

    file: str
    text: str
    faults: list[Fault] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)

    @functools.cached_property
    def _headers(self) -> tuple[dict[str, list[int]], dict[str, int]]:
        """Lines of each ``[[name]]``, and the first line of each ``a.b.c``: looked for once, rows may be thousands."""
        tables: dict[str, list[int]] = {}
        dotted: dict[str, int] = {}
        for number, line in enumerate(self.text.splitlines(), 1):
            if (header := re.match(r"\s*\[(\[?)([^\[\]]*)\]", line)) is None:
                continue
            keys = _plain(header[2]).split(".", _DEEPEST)[:_DEEPEST]
            for depth in range(1, len(keys) + 1):
                dotted.setdefault(".".join(keys[:depth]), number)
            if header[1]:
                tables.setdefault(_plain(header[2]), []).append(number)
        return tables, dotted

    def parse(self) -> dict[str, Any]:
        """The file as a table; a syntax error becomes a fault, and the table is empty."""
        try:
            return tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            self.faults.append(Fault(self.file, "", f"not valid TOML: {error}", "Correct that line."))
        except ValueError:
            self.faults.append(Fault(self.file, "", "a number of thousands of digits", "Take it out."))
        except RecursionError:
            self.faults.append(Fault(self.file, "", "lists or tables within one another without end", "Take them out."))
        return {}

    def line_of_table(self, name: str, position: int) -> int | None:
        """The line of the ``position``-th ``[[name]]`` header, counted from 0."""
        found = self._headers[0].get(name, [])
        return found[position] if position < len(found) else None

    def line_of_header(self, *keys: str) -> int | None:
        """The line of a ``[a.b.c]`` or ``[[a.b.c]]`` header, or of the first table in it, quoted keys or not."""
        return self._headers[1].get(_plain(".".join(keys)))


def _plain(header: str) -> str:
    return re.sub(r"[\s\"']", "", header)


def _cut(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}... ({len(text):,} characters)"


class RowReader:
    """Takes one table apart key by key; everything wrong becomes a fault, and a harmless value stands in for it."""

    def __init__(self, source: Source, where: str, data: object, *, line: int | None = None) -> None:
        self.source = source
        self.where = f"{where} (line {line})" if line else where
        self.data: Mapping[str, Any] = data if isinstance(data, dict) else {}
        self.seen: set[str] = set()
        if not isinstance(data, dict):
            self.fault(f"is {_cut(data)}, not a table", "Write it as a table of keys and values.")

    def fault(self, reason: str, fix: str = "") -> None:
        """Notes a fault of this row."""
        self.source.faults.append(Fault(self.source.file, self.where, reason, fix))

    def raw(self, key: str, *, needed: bool = False) -> Any:
        """The value as TOML gave it; None, and a fault when it is needed, if it is missing."""
        self.seen.add(key)
        if key not in self.data and needed:
            self.fault(f"{key} is missing", f"Add {key} = ....")
        return self.data.get(key)

    def _typed(self, key: str, kind: type | tuple[type, ...], what: str, *, needed: bool) -> Any:
        value = self.raw(key, needed=needed)
        wrong = not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)
        if value is not None and wrong:
            self.fault(f"{key} = {_cut(value)} is not {what}", f"Give {key} as {what}.")
            return None
        return value

    def text(self, key: str, *, needed: bool = True, choices: Iterable[str] | None = None) -> str:
        """A text, never empty when needed, one of ``choices`` when given."""
        value = self._typed(key, str, "a text", needed=needed)
        if value is None:
            return ""
        if needed and not value.strip():
            self.fault(f"{key} is empty", f"Say the {key}.")
        if choices is not None and value not in (known := list(choices)):
            near = difflib.get_close_matches(value, known, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            self.fault(f"{key} = {_cut(value)} is unknown", f"{hint}Use one of {', '.join(known)}.")
        return str(value)

    def flag(self, key: str, default: bool | None = None) -> bool:
        """true or false; needed when there is no default."""
        value = self._typed(key, bool, "true or false", needed=default is None)
        return bool(default) if value is None else bool(value)

    def whole(self, key: str) -> int:
        """A needed whole number from 0."""
        value = self._typed(key, int, "a whole number", needed=True)
        if value is not None and value < 0:
            self.fault(f"{key} = {value} is negative", "Give a whole number from 0.")
        return value or 0

    def number(self, key: str) -> float | None:
        """A number that may be missing."""
        value: float | None = self._typed(key, (int, float), "a number", needed=False)
        return value

    def day(self, key: str) -> date | None:
        """A date that may be missing, written 2026-11-22."""
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, date) or isinstance(value, datetime):
            self.fault(f"{key} = {value!r} is not a date", f"Write {key} = 2026-11-22, without quotes.")
            return None
        return value

    def names(self, key: str, *, needed: bool = False, choices: Iterable[str] | None = None) -> tuple[str, ...]:
        """A list of different texts."""
        value = self._typed(key, list, "a list of texts", needed=needed)
        if value is None:
            return ()
        known = None if choices is None else list(choices)
        kept: list[str] = []
        for name in value:
            if not isinstance(name, str) or not name.strip():
                self.fault(f"{key} holds {_cut(name)}", "Give a list of texts.")
            elif name in kept:
                self.fault(f"{key} names {name!r} twice", "Name it once.")
            elif known is not None and name not in known:
                self.fault(f"{key} names {name!r}, which is unknown", f"Use one of {', '.join(known)}.")
            else:
                kept.append(name)
        return tuple(kept)

    def done(self, *also: str) -> None:
        """Notes every key that nobody asked for; ``also`` names keys that are fine."""
        for key in self.data:
            if key not in self.seen and key not in also:
                near = difflib.get_close_matches(key, [*self.seen, *also], n=1)
                self.fault(f"unknown key {key!r}", f"Did you mean {near[0]!r}?" if near else "Remove it.")
