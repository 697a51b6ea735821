"""The one schema of a person record, whatever system it comes from.

A record is what one system says about one person. It is never changed by linking: who is the same person stands in
clusters beside it. Dates carry how exact they are; a date that systems write when they know none (1 January 1900) is
taken as not known, and 1 January of any year as the year only, because that is what it mostly means in police and
immigration records.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Literal

import pyarrow as pa

from safelight.linkage.errors import LinkageError

Precision = Literal["day", "month", "year", "none"]
SEXES = ("female", "male", "other", "")


@dataclass(frozen=True)
class Name:
    """One name. ``kind``: ``current``, ``birth``, ``alias`` or ``other script``."""

    given: str = ""
    family: str = ""
    kind: str = "current"


@dataclass(frozen=True)
class Address:
    """``line`` is the address without its postcode; ``since`` and ``until`` may be empty."""

    line: str = ""
    postcode: str = ""
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Identifier:
    """A number that one authority gave to one person (``pnc``, ``nino``, ``nhs``, ``school``...)."""

    kind: str
    value: str


@dataclass(frozen=True)
class Relationship:
    """``kind`` as the source has it (``parent``, ``guardian``...), ``key`` the other record in the same source."""

    kind: str
    key: str


@dataclass(frozen=True)
class PersonRecord:
    """What one source says about one person.

    Args:
        source: the system (``crime``, ``visor``, ``children``).
        key: the record's own number there; with ``source`` it names the record for ever.
        names: the first is the main one; any script, any order of given names.
        born: with ``born_precision`` ``month`` or ``year``, the first day of it.
        handling: empty for an open record; else whom to ask, and nothing but that may be shown of it.
        provenance: where in the source it stood (file, row, query).
    """

    source: str
    key: str
    names: tuple[Name, ...] = ()
    born: date | None = None
    born_precision: Precision = "none"
    died: date | None = None
    died_precision: Precision = "none"
    sex: str = ""
    addresses: tuple[Address, ...] = ()
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    online: tuple[str, ...] = ()
    identifiers: tuple[Identifier, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    handling: str = ""
    provenance: str = ""

    def __post_init__(self) -> None:
        if not self.source.strip() or not self.key.strip():
            raise LinkageError("A record has no source or no key.", fix="Give both: together they name the record.")
        if self.sex not in SEXES:
            raise LinkageError(f"Record {self.source}/{self.key}: the sex {self.sex!r} is not known.",
                               fix="Use female, male, other or leave it empty.")  # fmt: skip

    def row(self) -> dict[str, Any]:
        """As a row of :data:`SCHEMA`."""
        return asdict(self)


_TEXTS = pa.list_(pa.string())
SCHEMA = pa.schema(
    [
        ("source", pa.string()),
        ("key", pa.string()),
        ("names", pa.list_(pa.struct([("given", pa.string()), ("family", pa.string()), ("kind", pa.string())]))),
        ("born", pa.date32()),
        ("born_precision", pa.string()),
        ("died", pa.date32()),
        ("died_precision", pa.string()),
        ("sex", pa.string()),
        (
            "addresses",
            pa.list_(
                pa.struct(
                    [("line", pa.string()), ("postcode", pa.string()), ("since", pa.date32()), ("until", pa.date32())]
                )
            ),
        ),
        ("phones", _TEXTS),
        ("emails", _TEXTS),
        ("online", _TEXTS),
        ("identifiers", pa.list_(pa.struct([("kind", pa.string()), ("value", pa.string())]))),
        ("relationships", pa.list_(pa.struct([("kind", pa.string()), ("key", pa.string())]))),
        ("handling", pa.string()),
        ("provenance", pa.string()),
    ]
)


def table(records: list[PersonRecord]) -> pa.Table:
    """``records`` as an Arrow table of :data:`SCHEMA`."""
    return pa.Table.from_pylist([one.row() for one in records], schema=SCHEMA)
