"""A person who arrives is matched against everyone on record, at once and by the engine of the nightly run.

The index (``DATA/link/index.duckdb``) holds the records of all systems as of the last run of ``safelight link run``;
the people recorded since are looked through beside it. Without an index the people of Safelight alone are.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight.casework.ciphers.cipher import CipherError
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.people.models import Identifier, Person, PossibleLink, Sex

if TYPE_CHECKING:
    from safelight.linkage import LinkIndex, Match, PersonRecord

OURS = "safelight"
FRESH = 3000
_log = logging.getLogger(__name__)
_opening = threading.Lock()


def link_folder() -> Path:
    """Where the store and the index are."""
    return Path(settings.DATA) / "link"


def registers() -> dict[str, str]:
    """Sources that are registers of offenders, with what to call a record of theirs."""
    return dict(getattr(settings, "LINK_REGISTERS", {"visor": "registered sex offender"}))


def record_of(person: Person) -> PersonRecord:
    """The nominal as a record of the linking engine."""
    from safelight.linkage import Address, Name, PersonRecord

    kinds: dict[str, list[str]] = {}
    for one in person.identifiers.all():
        kinds.setdefault(one.kind, []).append(one.value)
    return PersonRecord(
        OURS,
        person.reference,
        (Name(person.given_names, person.family_name),) if person.given_names or person.family_name else (),
        born=person.born,
        born_precision=person.born_precision,
        sex="" if person.sex == Sex.NOT_KNOWN else str(person.sex),
        addresses=(Address(person.address, person.postcode),) if person.address or person.postcode else (),
        phones=tuple(kinds.get(Identifier.Kind.PHONE, ())),
        emails=tuple(kinds.get(Identifier.Kind.EMAIL, ())),
        online=(*kinds.get(Identifier.Kind.SCREEN_NAME, ()), *kinds.get(Identifier.Kind.ACCOUNT, ())),
        provenance="nominal of Safelight",
    )


def records_of(people: Iterable[Person]) -> Iterator[PersonRecord]:
    """The nominals as records. One that cannot be read (changed past Safelight) is named in the log and left out: it
    must not keep everybody else from being matched."""
    for person in people:
        try:
            yield record_of(person)
        except CipherError as error:
            _log.error("%s", error.what)


@lru_cache(maxsize=1)
def _opened(path: str, changed: float) -> LinkIndex:
    from safelight.linkage import LinkIndex

    return LinkIndex(Path(path), threads=1, memory="1GB")


def current_index() -> LinkIndex:
    """The index of the last run, opened once in this process and again after the next run; without one an empty one."""
    from safelight.linkage import LinkStore, shipped_model, write_index

    path = link_folder() / "index.duckdb"
    with _opening:
        if not path.is_file():
            path = link_folder() / "empty.duckdb"
            if not path.is_file():
                path.parent.mkdir(parents=True, exist_ok=True)
                with LinkStore() as store:
                    store.run(shipped_model())
                    write_index(store, path)
        found: LinkIndex = _opened(str(path), path.stat().st_mtime)
        return found


def match_person(person: Person, *, referral: Any = None) -> list[PossibleLink]:
    """Find who ``person`` may be, and whose address it is, and record what was not known before.

    Each finding is a 'combination' in the ledger, made by the system.

    Raises:
        LinkageError: the index cannot be read.
    """
    index = current_index()
    newest = index.newest(OURS)
    since = Person.key_of(newest) if newest else 0
    fresh = Person.objects.filter(pk__gt=since).exclude(pk=person.pk).prefetch_related("identifiers").order_by("-pk")
    asked = record_of(person)
    matches = [
        one
        for one in index.match_one(asked, fresh=list(records_of(fresh[:FRESH])))
        if (one.source, one.key) != (OURS, person.reference)
    ]
    made = [_keep(person, one, index.model.version, referral) for one in matches]
    known = {(one.source, one.key) for one in matches}
    for found in index.at_address(asked):
        if found.source in registers() and (found.source, found.key) not in known:
            made.append(_keep_address(person, found.source, found.key, found.handling, index.model.version, referral))
    return [one for one in made if one is not None]


def _keep(person: Person, match: Match, model: str, referral: Any) -> PossibleLink | None:
    evidence = match.evidence
    return _record(
        person, PossibleLink.Kind.PERSON, match.source, match.key, match.handling, referral,
        model=model, weight=evidence.weight,
        evidence={
            "reasons": list(evidence.reasons), "guard": evidence.guard,
            "steps": [vars(step) for step in evidence.steps],
        },
    )  # fmt: skip


def _keep_address(
    person: Person, source: str, key: str, handling: str, model: str, referral: Any
) -> PossibleLink | None:
    words = f"A {registers()[source]} is recorded at this address"
    return _record(
        person, PossibleLink.Kind.ADDRESS, source, key, handling, referral, model=model, evidence={"reasons": [words]}
    )


@transaction.atomic
def _record(
    person: Person, kind: str, source: str, key: str, handling: str, referral: Any, **fields: Any
) -> PossibleLink | None:
    other = Person.objects.filter(pk=Person.key_of(key)).first() if source == OURS else None
    if other is not None and PossibleLink.objects.filter(person=other, kind=kind, other=person).exists():
        return None
    now = timezone.now()
    link, new = PossibleLink.objects.get_or_create(
        person=person, kind=kind, source=source, key=key,
        defaults={**fields, "other": other, "handling": handling[:200], "referral": referral, "found_at": now},
    )  # fmt: skip
    if not new:
        return None
    record(
        None, "link.found", link, category=Category.COMBINATION,
        payload={"kind": kind, "person": person, "other": other, "source": source, "model": link.model,
                 "weight": round(link.weight), "referral": referral},
    )  # fmt: skip
    return link


def match_referral(referral_pk: int) -> int:
    """Match everyone whom a referral names. Returns how many possible links are new."""
    from safelight.casework.offenders.alerts import take_links
    from safelight.casework.referrals.models import Referral

    referral = Referral.objects.get(pk=referral_pk)
    rows = referral.people.select_related("person").prefetch_related("person__identifiers")
    found = 0
    for row in rows:
        try:
            found += len(match_person(row.person, referral=referral))
        except CipherError as error:
            _log.error("%s", error.what)
    take_links(referral)
    return found
