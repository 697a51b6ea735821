"""One report of an import: what every format is brought to, checked value by value, or rejected with its reasons.

Pure: bytes and text in, values out; no database. Values are never cut or guessed: what does not fit is a reason.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from safelight.casework.base.errors import Invalid
from safelight.casework.base.values import CLOCK_SKEW
from safelight.casework.people.models import Sex
from safelight.casework.people.values import EARLIEST, birth, one_line, plain
from safelight.casework.referrals.importers.embedded import without_embedded_content
from safelight.casework.referrals.importers.times import TimeFault, read_birth, read_moment
from safelight.casework.referrals.models import Source

LONGEST_SUMMARY = 20_000
LONGEST_RAW = 20_000
LONGEST_REASON = 500
MOST_EXTRAS = 200

IDENTIFIER_LISTS = {
    "screen_names": "screen_name",
    "emails": "email",
    "phones": "phone",
    "ips": "ip",
    "profiles": "profile",
    "accounts": "account",
}
"""Name of the list in a record -> kind of :class:`safelight.casework.people.models.Identifier`."""

PERSON_KEYS = (
    "family_name", "given_names", "born", "age", "sex", "address", "postcode", "borough", *IDENTIFIER_LISTS,
)  # fmt: skip
FILE_KEYS = ("name", "md5", "sha1", "ip", "uploaded")
RECORD_KEYS = (
    "source", "reference", "received", "summary", "incident_type", "platform", "incident_time", "high_priority",
    "live_contact", "borough", "suspect", "more_suspects", "children", "reporter", "files",
)  # fmt: skip
_YES, _NO = {"yes", "y", "true", "1", "x"}, {"no", "n", "false", "0", ""}
_SEXES = {
    "f": "female",
    "m": "male",
    "": "not_known",
    "unknown": "not_known",
    "not known": "not_known",
    "u": "not_known",
}


@dataclass(frozen=True)
class FileFields:
    """A file that the report names: digests in lower case, never content."""

    name: str = ""
    md5: str = ""
    sha1: str = ""
    ip_address: str | None = None
    uploaded_at: datetime | None = None


@dataclass(frozen=True)
class ParsedRecord:
    """A report that can be recorded. ``number`` is its place in the file (the line in a CSV); ``raw`` its own text.

    ``suspect``, ``more_suspects``, ``children`` and ``reporter`` hold the arguments of people.services.create_person.
    """

    number: int
    raw: str
    source: str
    source_reference: str
    received_at: datetime | None
    summary: str
    incident_type: str = ""
    platform: str = ""
    incident_at: datetime | None = None
    high_priority: bool = False
    live_contact: bool = False
    borough: str = ""
    suspect: dict[str, Any] | None = None
    more_suspects: tuple[dict[str, Any], ...] = ()
    children: tuple[dict[str, Any], ...] = ()
    reporter: dict[str, Any] | None = None
    files: tuple[FileFields, ...] = ()


@dataclass(frozen=True)
class Rejected:
    """A record that cannot be recorded, with the reasons in words and its own text."""

    number: int
    reason: str
    raw: str


@dataclass
class _Reader:
    """Reads values and collects every fault, so that the sender can mend all of them at once."""

    now: datetime
    faults: list[str] = field(default_factory=list)

    def text(self, value: Any, name: str, longest: int, *, required: bool = False, lines: bool = False) -> str:
        if isinstance(value, bool) or not isinstance(value, str | int | float | None):
            self.faults.append(f"{name} is not a text")
            return ""
        given = "" if value is None else str(value)
        try:
            read = (plain if lines else one_line)(given, longest=longest, field=name, what=name)
        except Invalid as error:
            self.faults.append(error.what.rstrip("."))
            return ""
        if required and not read:
            self.faults.append(f"{name} is missing")
        return read

    def flag(self, value: Any, name: str) -> bool:
        if isinstance(value, bool):
            return value
        word = "" if value is None else str(value).strip().casefold()
        if word in _YES:
            return True
        if word not in _NO:
            self.faults.append(f"{name} is {word[:20]!r}: write yes or no")
        return False

    def moment(self, value: Any, name: str, *, required: bool = False) -> datetime | None:
        text = self.text(value, name, 60, required=required)
        if not text:
            return None
        try:
            moment = read_moment(text)
        except TimeFault as error:
            self.faults.append(f"{name}: {error}")
            return None
        if moment.date() < EARLIEST:
            self.faults.append(f"{name} lies before 1900")
        elif moment > self.now + CLOCK_SKEW:
            self.faults.append(f"{name} lies in the future")
        else:
            return moment
        return None

    def born(self, value: Any, age: Any, name: str) -> tuple[date | None, str]:
        text = self.text(value, f"{name}.born", 40)
        years = self.text(age, f"{name}.age", 10)
        try:
            born, precision = read_birth(text) if text else (None, "")
            if years and not (years.isascii() and years.isdigit()):
                raise TimeFault(f"{years[:10]!r} is not an age in years")
            return birth(born, precision, age=int(years) if years else None)
        except TimeFault as error:
            self.faults.append(f"{name}.born: {error}")
        except Invalid as error:
            self.faults.append(f"{name}: {error.what.rstrip('.')}")
        return None, "none"

    def person(self, value: Any, name: str) -> dict[str, Any] | None:
        if value in (None, "", {}, []):
            return None
        if not isinstance(value, Mapping):
            self.faults.append(f"{name} is not an object with names and values")
            return None
        self.unknown(value, PERSON_KEYS, name)
        born, precision = self.born(value.get("born"), value.get("age"), name)
        sex = self.text(value.get("sex"), f"{name}.sex", 20).casefold()
        sex = _SEXES.get(sex, sex.replace(" ", "_"))
        if sex not in Sex.values:
            self.faults.append(f"{name}.sex is {sex[:20]!r}: write one of {', '.join(Sex.values)}")
        person: dict[str, Any] = {
            "family_name": self.text(value.get("family_name"), f"{name}.family_name", 200),
            "given_names": self.text(value.get("given_names"), f"{name}.given_names", 200),
            "address": self.text(value.get("address"), f"{name}.address", 300),
            "postcode": self.text(value.get("postcode"), f"{name}.postcode", 10),
            "borough": self.text(value.get("borough"), f"{name}.borough", 60),
        }
        identifiers = [
            (kind, self.text(one, f"{name}.{key}", 400))
            for key, kind in IDENTIFIER_LISTS.items()
            for one in self.listed(value.get(key), f"{name}.{key}")
        ]
        person["identifiers"] = [pair for pair in identifiers if pair[1]]
        known = any(person.values()) or born is not None or sex != Sex.NOT_KNOWN
        return (
            {**person, "born": born, "born_precision": "" if born is None else precision, "sex": sex} if known else None
        )

    def people(self, value: Any, name: str) -> tuple[dict[str, Any], ...]:
        found = [self.person(one, f"{name}[{n}]") for n, one in enumerate(self.listed(value, name), start=1)]
        return tuple(person for person in found if person)

    def file(self, value: Any, name: str) -> FileFields | None:
        if not isinstance(value, Mapping):
            self.faults.append(f"{name} is not an object with names and values")
            return None
        self.unknown(value, FILE_KEYS, name)
        digests = {"md5": 32, "sha1": 40}
        read = {key: self.text(value.get(key), f"{name}.{key}", 200).casefold() for key in digests}
        for key, length in digests.items():
            if read[key] and not re.fullmatch(rf"[0-9a-f]{{{length}}}", read[key]):
                self.faults.append(f"{name}.{key} is not {length} hexadecimal digits")
        address: str | None = self.text(value.get("ip"), f"{name}.ip", 60) or None
        if address:
            try:
                address = str(ipaddress.ip_address(address))
            except ValueError:
                self.faults.append(f"{name}.ip is not an IP address")
        title = self.text(value.get("name"), f"{name}.name", 400)
        uploaded = self.moment(value.get("uploaded"), f"{name}.uploaded")
        made = FileFields(title, read["md5"], read["sha1"], address, uploaded)
        return made if made != FileFields() else None

    def listed(self, value: Any, name: str) -> list[Any]:
        if value in (None, ""):
            return []
        if isinstance(value, str):
            return [part for part in re.split(r"[;|]", value) if part.strip()]
        if isinstance(value, list | tuple):
            return list(value)
        self.faults.append(f"{name} is not a list")
        return []

    def unknown(self, value: Mapping[str, Any], known: tuple[str, ...], name: str) -> None:
        odd = sorted(str(key)[:40] for key in value if key not in known)
        if odd:
            self.faults.append(f"{name} has unknown names: {', '.join(odd[:5])}")


def clean_raw(text: str) -> str:
    """The text of a record as it is kept: no embedded content, nothing that a database refuses, not endless."""
    kept = without_embedded_content(text).replace("\x00", "\u2400")
    kept = kept.encode("utf-8", "replace").decode("utf-8")
    if len(kept) > LONGEST_RAW:
        kept = f"{kept[:LONGEST_RAW]}\n[{len(kept) - LONGEST_RAW} more characters are in the file that was sent]"
    return kept


def rejected(number: int, reason: str, raw: str) -> Rejected:
    """A rejected record, its reason short enough to be kept and its text cleaned."""
    text = clean_raw(" ".join(reason.split()))
    return Rejected(number, text if len(text) <= LONGEST_REASON else f"{text[: LONGEST_REASON - 1]}…", clean_raw(raw))


def build(
    number: int, raw: str, values: Mapping[str, Any], *, extras: tuple[tuple[str, str], ...] = (), now: datetime
) -> ParsedRecord | Rejected:
    """Check one record, given with the names of :data:`RECORD_KEYS`.

    Args:
        extras: (name, value) pairs of what the format does not know; they are kept at the end of the summary.
        now: times after it are refused.
    """
    reader = _Reader(now)
    source = _source(reader, values.get("source"))
    reference = reader.text(values.get("reference"), "reference", 120, required=True)
    received = reader.moment(values.get("received"), "received", required=source != Source.CYBERTIP)
    summary = reader.text(
        _with_extras(without_embedded_content(_as_text(values.get("summary"))), extras),
        "summary",
        LONGEST_SUMMARY,
        required=True,
        lines=True,
    )
    files = [
        reader.file(one, f"files[{n}]") for n, one in enumerate(reader.listed(values.get("files"), "files"), start=1)
    ]
    incident_type = reader.text(values.get("incident_type"), "incident_type", 120)
    platform = reader.text(values.get("platform"), "platform", 120)
    incident_at = reader.moment(values.get("incident_time"), "incident_time")
    high = reader.flag(values.get("high_priority"), "high_priority")
    live = reader.flag(values.get("live_contact"), "live_contact")
    borough = reader.text(values.get("borough"), "borough", 60)
    suspect = reader.person(values.get("suspect"), "suspect")
    more = reader.people(values.get("more_suspects"), "more_suspects")
    children = reader.people(values.get("children"), "children")
    reporter = reader.person(values.get("reporter"), "reporter")
    if reader.faults:
        return rejected(number, f"{'; '.join(reader.faults)}.", raw)
    return ParsedRecord(
        number=number, raw=clean_raw(raw), source=source, source_reference=reference, received_at=received,
        summary=summary, incident_type=incident_type, platform=platform, incident_at=incident_at, high_priority=high,
        live_contact=live, borough=borough, suspect=suspect, more_suspects=more, children=children, reporter=reporter,
        files=tuple(one for one in files if one),
    )  # fmt: skip


def _source(reader: _Reader, value: Any) -> str:
    text = reader.text(value, "source", 80, required=True)
    wanted = text.casefold()
    for code, label in Source.choices:
        if wanted in (code, str(label).casefold(), code.replace("_", " ")):
            return str(code)
    if text:
        reader.faults.append(f"source {text[:40]!r} is not known: write one of {', '.join(Source.values)}")
    return ""


def _as_text(value: Any) -> Any:
    return value if not isinstance(value, int | float) or isinstance(value, bool) else str(value)


def _with_extras(summary: Any, extras: tuple[tuple[str, str], ...]) -> Any:
    """The summary with what the format does not know after it, so that nothing the sender said is lost."""
    shown = [(name, without_embedded_content(value)) for name, value in extras if value.strip()]
    if not shown or not isinstance(summary, str | None):
        return summary
    lines = [f"{name}: {value}" for name, value in shown[:MOST_EXTRAS]]
    if len(shown) > MOST_EXTRAS:
        lines.append(f"[{len(shown) - MOST_EXTRAS} more values are in the file that was sent]")
    return "\n".join([*([summary.strip(), ""] if summary and summary.strip() else []), "Also in the report:", *lines])
