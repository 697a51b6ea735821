"""Synthetic people of many origins in the records of several systems, with the errors that such records have.

For training the shipped model, for measuring linkage and for demonstrations. No real person: names are combined at
random from common names and invented ones. Every record knows its person (``truth``), because nobody else could say.

Two halves of the names never meet: with ``half=0`` and ``half=1`` two sets of people share no listed name, so that a
model can be judged on names that it was not tuned on.
"""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from importlib.resources import files

from safelight.linkage import Address, Identifier, Name, PersonRecord

_NAMES = tomllib.loads(files("safelight.demo").joinpath("people_names.toml").read_text("utf-8"))
_ORIGINS: dict[str, dict[str, str]] = _NAMES["origins"]
ORIGINS = tuple(_ORIGINS)
_SHORT_FORMS: dict[str, str] = _NAMES["short_forms"]
_STREETS, _KINDS = _NAMES["streets"].split(), _NAMES["kinds"].split()
_OCR = {
    "l": "1",
    "i": "l",
    "o": "0",
    "m": "rn",
    "e": "c",
    "a": "o",
    "u": "v",
    "n": "r",
    "h": "b",
    "g": "q",
    "s": "5",
    "t": "f",
}
# Keys beside each other on a British keyboard.
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_KEYS = {row[n]: row[max(n - 1, 0) : n + 2].replace(row[n], "") for row in _ROWS for n in range(len(row))}


@dataclass(frozen=True)
class Errors:
    """How often each thing happens to a record (shares of records)."""

    typing: float = 0.08
    scanning: float = 0.02
    short_form: float = 0.08
    spelling: float = 0.15
    initial: float = 0.03
    exchanged: float = 0.02
    no_given: float = 0.02
    no_middle: float = 0.4
    other_family: float = 0.03
    no_born: float = 0.05
    default_born: float = 0.02
    year_only: float = 0.03
    day_month: float = 0.02
    digit: float = 0.04
    other_address: float = 0.25
    no_address: float = 0.08
    postcode: float = 0.04
    no_sex: float = 0.1
    phone: float = 0.3
    email: float = 0.15
    number: float = 0.15


HEAVY = Errors(
    typing=0.25,
    scanning=0.06,
    short_form=0.12,
    spelling=0.25,
    initial=0.06,
    exchanged=0.04,
    no_given=0.04,
    other_family=0.04,
    no_born=0.1,
    default_born=0.03,
    year_only=0.08,
    day_month=0.04,
    digit=0.12,
    other_address=0.3,
    no_address=0.12,
    postcode=0.1,
    phone=0.0,
    email=0.0,
    number=0.0,
)


@dataclass
class _Person:
    number: int
    origin: str
    female: bool
    given: str
    middle: str
    family: str
    born: date
    places: list[tuple[str, str]]
    phones: list[str] = field(default_factory=list)
    email: str = ""
    pnc: str = ""
    other_family: str = ""


@dataclass(frozen=True)
class Truth:
    """Records with the person, household and origin of names of each, in the same order."""

    records: list[PersonRecord]
    person: list[int]
    household: list[int]
    origin: list[str]


def make_people(
    people: int,
    *,
    seed: int,
    errors: Errors | None = None,
    mean_records: float = 1.6,
    half: int | None = None,
    source: str = "synthetic",
) -> Truth:
    """Make the records of about ``people`` persons in households, with twins, fathers and sons of one name, and moves.

    Args:
        mean_records: how many records a person has on average (geometric, at least one).
        half: 0 or 1 takes only that half of the listed names; None takes all.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing secret
    maker = _Maker(chance, errors or Errors(), half)
    records: list[PersonRecord] = []
    person: list[int] = []
    household: list[int] = []
    origin: list[str] = []
    made = home = 0
    while made < people:
        home += 1
        for one in maker.household(made):
            made += 1
            copies = 1
            while chance.random() < 1 - 1 / mean_records and copies < 12:
                copies += 1
            for _ in range(copies):
                records.append(maker.record(one, source, len(records) + 1))
                person.append(one.number)
                household.append(home)
                origin.append(one.origin)
    order = list(range(len(records)))
    chance.shuffle(order)
    return Truth(
        [records[n] for n in order],
        [person[n] for n in order],
        [household[n] for n in order],
        [origin[n] for n in order],
    )


class _Maker:
    def __init__(self, chance: random.Random, errors: Errors, half: int | None) -> None:
        self.chance, self.errors = chance, errors

        def names(text: str) -> list[list[str]]:
            groups = [
                group.replace("-", " ").split("/") if "-" not in group else group.split("/") for group in text.split()
            ]
            return groups if half is None else groups[half::2]

        self.names = {
            origin: (
                names(row["women"]),
                names(row["men"]),
                names(row["family"]),
                row["beginnings"].split(),
                row["ends"].split(),
            )
            for origin, row in _ORIGINS.items()
        }

    def _pick(self, groups: list[list[str]]) -> str:
        # Common names are very common: the square puts weight on the front of the list.
        return groups[int(len(groups) * self.chance.random() ** 1.6)][0]

    def _family(self, origin: str) -> str:
        _, _, listed, starts, ends = self.names[origin]
        if self.chance.random() < 0.4:
            return self._pick(listed)
        middle = self.chance.choice(("", "", "a", "e", "i", "o", "er", "an", "el", "in", "ar", "or"))
        return self.chance.choice(starts) + middle + self.chance.choice(ends)

    def _place(self) -> tuple[str, str]:
        chance = self.chance
        street = chance.choice(_STREETS) + chance.choice(("", "", "field", "wood", "ton"))
        line = f"{chance.randint(1, 180)} {street} {chance.choice(_KINDS)}"
        if chance.random() < 0.2:
            line = f"Flat {chance.randint(1, 30)}, {line}"
        letters = "ABDEFGHJLNPQRSTUWXYZ"
        area = chance.choice(("N", "E", "SE", "SW", "NW", "W", "B", "M", "L", "LS", "CF", "BS", "NG", "CR", "HA", "IG"))
        return (
            line,
            f"{area}{chance.randint(1, 28)} {chance.randint(1, 9)}{chance.choice(letters)}{chance.choice(letters)}",
        )

    def household(self, number: int) -> list[_Person]:
        chance = self.chance
        origin = chance.choice(ORIGINS) if chance.random() < 0.6 else "British"
        family, places = self._family(origin), [self._place() for _ in range(chance.choice((1, 2, 2, 3)))]
        size = chance.choices((1, 2, 3, 4, 5), (30, 30, 17, 15, 8))[0]
        oldest = date(1940, 1, 1) + timedelta(days=chance.randrange(23_000))
        found: list[_Person] = []
        twin = -1
        for position in range(size):
            female = chance.random() < 0.5
            born = (
                oldest + timedelta(days=chance.randrange(-1800, 1800))
                if position < 2
                else oldest + timedelta(days=chance.randrange(7500, 13500))
            )
            if position > 2 and chance.random() < 0.08:
                born, twin = found[-1].born, position
            if born > date(2025, 6, 1):
                born = date(2007, 1, 1) + timedelta(days=chance.randrange(6700))
            given = self._pick(self.names[origin][0 if female else 1])
            if position == 2 and not female and chance.random() < 0.12 and not found[0].female:
                given = found[0].given  # a son with his father's name
            while given in {one.given for one in found if one.female == female} and (twin == position or position < 2):
                given = self._pick(self.names[origin][0 if female else 1])
            person = _Person(
                number + position,
                origin,
                female,
                given,
                self._pick(self.names[origin][0 if female else 1]),
                family,
                born,
                list(places),
            )
            if position == 1 and chance.random() < 0.35:
                person.family = self._family(origin)
            if chance.random() < 0.3:
                person.places.append(self._place())
            person.other_family = self._family(origin)
            person.phones = [f"07{chance.randrange(10**9):09d}" for _ in range(2)]
            person.email = f"{given.lower()}.{person.family.lower()}{chance.randrange(10_000)}@example.org"
            person.pnc = f"{chance.randint(70, 99)}/{chance.randrange(10**7):07d}{chance.choice('ABCDEFGHJK')}"
            found.append(person)
        return found

    def _spelling(self, name: str, groups: list[list[str]]) -> str:
        for group in groups:
            if name == group[0] and len(group) > 1:
                return self.chance.choice(group[1:])
        return name

    def _typo(self, text: str) -> str:
        chance = self.chance
        if len(text) < 3:
            return text
        n = chance.randrange(1, len(text))
        kind = chance.random()
        if kind < 0.25:
            return text[:n] + text[n + 1 :]
        if kind < 0.45:
            return text[:n] + text[n] * 2 + text[n + 1 :]
        if kind < 0.65 and n + 1 < len(text):
            return text[:n] + text[n + 1] + text[n] + text[n + 2 :]
        return text[:n] + chance.choice(_KEYS.get(text[n].lower(), "e")) + text[n + 1 :]

    def _scan(self, text: str) -> str:
        places = [n for n, letter in enumerate(text) if letter.lower() in _OCR]
        if not places:
            return text
        n = self.chance.choice(places)
        return text[:n] + _OCR[text[n].lower()] + text[n + 1 :]

    def record(self, one: _Person, source: str, number: int) -> PersonRecord:
        chance, errors = self.chance, self.errors
        women, men, families, _, _ = self.names[one.origin]
        given, middle, family = one.given, one.middle, one.family

        def happens(share: float) -> bool:
            return chance.random() < share

        if happens(errors.other_family):
            family = one.other_family
        if happens(errors.short_form) and given in _SHORT_FORMS:
            given = chance.choice(_SHORT_FORMS[given].split())
        elif happens(errors.spelling):
            given = self._spelling(given, women if one.female else men)
        if happens(errors.spelling):
            family = self._spelling(family, families)
        for error, change in ((errors.typing, self._typo), (errors.scanning, self._scan)):
            given = change(given) if happens(error) else given
            family = change(family) if happens(error) else family
        if happens(errors.initial):
            given = given[0]
        if happens(errors.no_middle):
            middle = ""
        elif happens(0.3):
            middle = middle[0]
        if happens(errors.no_given):
            given = middle = ""
        if happens(errors.exchanged):
            given, family = family, given
        record = PersonRecord(
            source,
            str(number),
            (Name(f"{given} {middle}".strip(), family),),
            sex="" if happens(errors.no_sex) else "female" if one.female else "male",
        )
        return replace(record, **self._born(one), **self._rest(one))

    def _born(self, one: _Person) -> dict[str, object]:
        chance, errors, born = self.chance, self.errors, one.born
        draw = chance.random()
        if draw < errors.no_born:
            return {}
        if draw < errors.no_born + errors.default_born:
            return {"born": date(1900, 1, 1), "born_precision": "day"}
        if draw < errors.no_born + errors.default_born + errors.year_only:
            return {"born": date(born.year, 1, 1), "born_precision": chance.choice(("day", "year"))}
        if chance.random() < errors.day_month and born.day <= 12:
            born = date(born.year, born.day, born.month)
        if chance.random() < errors.digit:
            text = born.strftime("%Y%m%d")
            n = chance.choice((2, 3, 5, 6, 7))
            text = text[:n] + str(chance.randrange(10)) + text[n + 1 :]
            try:
                born = date(int(text[:4]), int(text[4:6]), int(text[6:]))
            except ValueError:
                return {}
        return {"born": born, "born_precision": "day"}

    def _rest(self, one: _Person) -> dict[str, object]:
        chance, errors = self.chance, self.errors
        found: dict[str, object] = {}
        if chance.random() >= errors.no_address:
            line, postcode = (
                chance.choice(one.places[1:])
                if len(one.places) > 1 and chance.random() < errors.other_address
                else one.places[0]
            )
            if chance.random() < errors.typing:
                line = self._typo(line)
            if chance.random() < errors.postcode:
                postcode = self._typo(postcode)
            found["addresses"] = (Address(line, postcode),)
        if chance.random() < errors.phone:
            found["phones"] = (chance.choice(one.phones),)
        if chance.random() < errors.email:
            found["emails"] = (one.email,)
        if chance.random() < errors.number:
            found["identifiers"] = (Identifier("pnc", one.pnc),)
        return found
