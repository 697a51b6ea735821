"""A referral that names a registered sex offender: manager and supervisors of the unit know within the minute.

In the transaction of the referral itself: the register's reference in what is reported, an on-line name, number or
address that both have, the same name and date of birth. Then, by the linking engine of the desk, records that may be of
one person: at once by the worker, and by the tick where no worker came within seconds. Nothing of the referral is
passed on but its reference and how it was found; what becomes a restricted case stays hidden.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.services import tell
from safelight.casework.offenders.models import Naming, Offender, Search
from safelight.casework.offenders.services import revert_to_active
from safelight.casework.offenders.writing import answerable, locked
from safelight.casework.people.models import Identifier, Person, PossibleLink

How = Naming.How
# An IP address is shared by strangers; the others are a person's own.
OWN = (Identifier.Kind.SCREEN_NAME, Identifier.Kind.EMAIL, Identifier.Kind.PHONE, Identifier.Kind.PROFILE,
       Identifier.Kind.ACCOUNT)  # fmt: skip
# Two people in one house share a telephone, and strangers an on-line name: those say "may be".
SURE = (Identifier.Kind.EMAIL, Identifier.Kind.PROFILE, Identifier.Kind.ACCOUNT)
TOKEN = re.compile(r"[A-Z0-9][A-Z0-9/._-]{3,59}")
MOST_TOKENS = 4_000
WAIT, LOOK_BACK = timedelta(seconds=20), timedelta(days=1)


def folded(text: str) -> str:
    """A name without accents, case and doubled blanks, for an exact comparison."""
    plain = unicodedata.normalize("NFKD", text)
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).casefold().split())


@transaction.atomic
def search_register(referral: Any) -> list[Naming]:
    """Look up everyone whom a referral names, exactly. Called in the transaction that records the referral."""
    Search.objects.get_or_create(referral=referral, defaults={"at": timezone.now()})
    if not Offender.objects.on_register().exists():
        return []
    found: dict[int, tuple[str, str, bool]] = {}
    people = referral.people.exclude(role="child").select_related("person").prefetch_related("person__identifiers")
    for link in people:
        for pk, sure in _same_identifier(link.person).items():
            if sure or pk not in found:
                found[pk] = (How.IDENTIFIER, link.role, sure)
        for pk in _same_name_and_birth(link.person):
            found[pk] = (How.EXACT, link.role, True)
    for pk in _references(f"{referral.source_reference} {referral.summary}"):
        found[pk] = (How.REFERENCE, found.get(pk, ("", "", True))[1], True)
    offenders = Offender.objects.on_register().filter(pk__in=found).select_related("manager", "unit", "person")
    return [one for row in offenders for one in [_name(row, referral, *found[row.pk])] if one is not None]


def _references(text: str) -> set[int]:
    """Offenders whose reference, of the register or our own, stands in ``text``."""
    tokens = {one.rstrip("./_-") for one in TOKEN.findall(text.upper())[:MOST_TOKENS]}
    ours = {int(one[2:]) for one in tokens if one.startswith("O-") and one[2:].isdecimal() and len(one) < 18}
    rows = Offender.objects.on_register().filter(Q(register_reference__in=tokens - {""}) | Q(pk__in=ours))
    return set(rows.values_list("pk", flat=True)) if tokens else set()


def _same_identifier(person: Person) -> dict[int, bool]:
    """Offenders with an identifier of this person, and whether it is one that only one person has."""
    mine = [(one.kind, one.value) for one in person.identifiers.all() if one.kind in OWN and len(one.value) > 2]
    if not mine:
        return {}
    same = reduce(or_, (Q(kind=kind, value__iexact=value) for kind, value in mine[:50]))
    rows = Identifier.objects.filter(same, person__offender__ended_on=None, person__offender__isnull=False)
    found: dict[int, bool] = {}
    for pk, kind in rows.values_list("person__offender", "kind"):
        found[pk] = found.get(pk, False) or kind in SURE
    return found


def _same_name_and_birth(person: Person) -> set[int]:
    if person.born is None or person.born_precision != "day":
        return set()
    name = folded(person.name)
    rows = Offender.objects.on_register().filter(person__born=person.born, person__born_precision="day")
    return {
        row.pk
        for row in rows.select_related("person")
        if row.person_id == person.pk or name in {folded(row.person.name), *(folded(one) for one in row.aliases)}
    }


def _name(offender: Offender, referral: Any, how: str, part: str, certain: bool) -> Naming | None:
    """Record and tell, once for each offender and referral; a surer finding makes an unsure one certain."""
    row, new = Naming.objects.get_or_create(
        offender=offender, referral=referral,
        defaults={"how": how, "part": part, "certain": certain, "found_at": timezone.now(), "told_at": timezone.now()},
    )  # fmt: skip
    if not new:
        if certain and not row.certain:
            Naming.objects.filter(pk=row.pk).update(certain=True, how=how)
            record(None, "offender.named", offender, category=Category.COMBINATION,
                   payload={"how": how, "certain": True, "naming": row.pk})  # fmt: skip
        return None
    # The offender's own entry says that a referral names them; the referral's case says so on its own page.
    record(
        None, "offender.named", offender, category=Category.COMBINATION,
        payload={"how": how, "certain": certain, "part": part, "naming": row.pk},
    )  # fmt: skip
    tell(answerable(offender), "offender.named" if certain else "offender.may_be_named", offender,
         key=f"offender-named-{row.pk}")  # fmt: skip
    if certain and part in ("suspect", ""):
        revert_to_active(None, offender, "A referral names the offender.")
    return row


def search_back(offender: Offender) -> list[Naming]:
    """Look through what arrived before the entry was made: referrals that name the same name and date of birth."""
    from safelight.casework.referrals.models import ReferralPerson

    person = offender.person
    same = Q(person=person)
    if person.born is not None and person.born_precision == "day":
        same |= Q(person__born=person.born, person__born_precision="day")
    names = {folded(person.name), *(folded(one) for one in offender.aliases)}
    rows = ReferralPerson.objects.filter(same).exclude(role="child").select_related("person", "referral")
    made = [
        _name(offender, row.referral, How.EXACT, row.role, True)
        for row in rows.order_by("pk")
        if row.person_id == person.pk or folded(row.person.name) in names
    ]
    return [one for one in made if one is not None]


@transaction.atomic
def take_links(referral: Any, links: Iterable[PossibleLink] | None = None) -> list[Naming]:
    """Take over what the linking engine found about the people of a referral."""
    from safelight.casework.people.matching import OURS, registers

    people = {row.person_id: row.role for row in referral.people.exclude(role="child")}
    rows = PossibleLink.objects.filter(Q(person__in=people) | Q(other__in=people)).exclude(state="different")
    made = []
    for link in rows.select_related("other__offender", "person__offender"):
        part = people.get(link.person_id) or people.get(link.other_id, "")
        how = How.ADDRESS if link.kind == PossibleLink.Kind.ADDRESS else How.LINKED
        if link.source == OURS:
            sides = [one for one in (link.person, link.other) if one is not None and one.pk not in people]
            found = [one.offender for one in sides if hasattr(one, "offender") and one.offender.ended_on is None]
        else:
            known = link.source in registers()
            by_key = Offender.objects.on_register().filter(register_reference=link.key.upper().replace(" ", ""))
            found = list(by_key.select_related("manager", "unit", "person")) if known else []
        made += [_name(one, referral, how, part, link.state == PossibleLink.State.SAME) for one in found]
    Search.objects.filter(referral=referral, linked_at=None).update(linked_at=timezone.now())
    return [one for one in made if one is not None]


def link_decided(link: PossibleLink) -> None:
    """A person decided that two records are of one person: what a referral says of one is certain of the other."""
    if link.state != PossibleLink.State.SAME:
        return
    people = [link.person_id, *([link.other_id] if link.other_id else [])]
    offenders = Q(offender__person__in=people) | Q(offender__register_reference=link.key.upper().replace(" ", ""))
    rows = Naming.objects.filter(offenders, referral__people__person__in=people, certain=False)
    for row in rows.select_related("offender__manager", "offender__unit", "referral").distinct():
        _name(row.offender, row.referral, row.how, row.part, True)
        tell(answerable(row.offender), "offender.named", row.offender, key=f"offender-sure-{row.pk}")


def catch_up(now: datetime | None = None, limit: int = 20) -> int:
    """Match the referrals of the last day whose matching no worker has done within seconds. Called by the tick.

    Returns:
        How many were matched. One that cannot be (an index that cannot be read) is tried again by the next tick.
    """
    from safelight.casework.people.matching import match_referral
    from safelight.linkage.errors import LinkageError

    moment = now or timezone.now()
    rows = Search.objects.filter(linked_at=None, at__lt=moment - WAIT, at__gt=moment - LOOK_BACK).order_by("at")
    done = 0
    for pk in list(rows.values_list("referral_id", flat=True)[:limit]):
        try:
            match_referral(pk)
        except LinkageError:
            break
        done += 1
    return done


@transaction.atomic
def take_note(actor: Any, naming: Naming) -> Naming:
    """The manager or a supervisor has seen that a referral names the offender. Raises NotAllowed."""
    offender = locked(actor, naming.offender, what="You may not see this offender.")
    row = Naming.objects.select_for_update().get(pk=naming.pk)
    if row.seen_at is None:
        row.seen_at, row.seen_by = timezone.now(), actor
        row.save(update_fields=["seen_at", "seen_by"])
        record(actor, "offender.naming_seen", offender, payload={"naming": row.pk})
    return row
