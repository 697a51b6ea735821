"""Series, unidentified children, leads, and the moment when a child gets a name. Feedback lives in :mod:`.feedback`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import add_person, note
from safelight.casework.identification.models import Lead, Series, SeriesFile, Victim
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell
from safelight.casework.safeguarding.services import add_child
from safelight.casework.submissions.material import LETTERS

MD5 = re.compile(r"[0-9a-f]{32}")
MOST_FILES = 20_000


@transaction.atomic
def make_series(actor: Any, *, name: str, source: str = "here", about: str = "") -> Series:
    """Record a series.

    Raises:
        NotAllowed, NotPossible (the name is taken), Invalid (no name, unknown source).
    """
    need(actor, "identification.record", None, what="You may not record a series.")
    title = " ".join(required_text(name, field="name", what="The name of the series").split())[:120]
    if source not in Series.Source.values:
        raise Invalid(f"There is no source {source!r}.", fix="Choose one of the list.", field="source")
    if Series.objects.filter(name__iexact=title).exists():
        raise NotPossible(f"There is a series {title} already.", fix="Add to it, or give this one another name.")
    made = Series.objects.create(name=title, source=source, note=about.strip(), made_at=timezone.now(), made_by=actor)
    record(actor, "series.made", made, category=Category.COLLECTION, payload={"source": source})
    return made


def parse_files(text: str) -> dict[str, str]:
    """Lines of an MD5 and, after a blank or comma, a category; to MD5 and category ("" for none).

    Raises:
        Invalid: a line is no such thing; the message names the first.
    """
    made: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        parts = line.replace(",", " ").split()
        if not parts:
            continue
        md5, category = parts[0].lower(), parts[1].upper() if len(parts) > 1 else ""
        if not MD5.fullmatch(md5) or len(parts) > 2 or category not in ("", *LETTERS):
            raise Invalid(
                f"Line {number} is no MD5 with a category A, B or C: {line[:60]!r}.",
                fix="Write the MD5, a blank, and the letter if it is known.",
                field="files",
            )
        made[md5] = category
    if len(made) > MOST_FILES:
        raise Invalid(f"{len(made):,} files at once are too many.", fix=f"Add {MOST_FILES:,} at a time.", field="files")
    return made


@transaction.atomic
def add_files(actor: Any, series: Series, files: Mapping[str, str]) -> int:
    """Add files to a series by MD5; returns how many are new. Those that are there already stay as they are.

    Raises:
        NotAllowed, Invalid (no file).
    """
    need(actor, "identification.record", None, what="You may not add to a series.")
    if not files:
        raise Invalid("No file was named.", fix="Write one MD5 a line.", field="files")
    return put_files(actor, series, files)


def put_files(actor: Any, series: Series, files: Mapping[str, str]) -> int:
    """As :func:`add_files`, for a service that has asked for the right already."""
    known = set(SeriesFile.objects.filter(series=series, md5__in=list(files)).values_list("md5", flat=True))
    now = timezone.now()
    fresh = [
        SeriesFile(series=series, md5=md5, category=category, added_at=now, added_by=actor)
        for md5, category in files.items()
        if md5 not in known
    ]
    SeriesFile.objects.bulk_create(fresh, batch_size=500)
    if fresh:
        record(actor, "series.files_added", series, payload={"files": len(fresh)})
    return len(fresh)


@transaction.atomic
def record_victim(
    actor: Any,
    *,
    label: str,
    age_from: int,
    age_to: int,
    series: Series | None = None,
    case: Any = None,
    sex: str = Victim.Sex.NOT_KNOWN,
    first_made: date | None = None,
) -> Victim:
    """Record a child whom nobody has named yet.

    Args:
        label: how the child is called here; no name, no description of abuse.
        age_from, age_to: apparent age when the material was made, in years, both included, 17 at most.
        first_made: when the oldest material of the child was made, where metadata tell it.

    Raises:
        NotAllowed, Invalid (a value is missing or impossible).
    """
    need(actor, "identification.record", None, what="You may not record an unidentified child.")
    if series is None and case is None:
        raise Invalid("The child is shown in a series or in a case.", fix="Name one.", field="case")
    if case is not None and not type(case).objects.visible_to(actor).filter(pk=case.pk).exists():
        raise Invalid("There is no such case that you may see.", fix="Check the reference.", field="case")
    if not 0 <= age_from <= age_to <= 17:
        raise Invalid("The ages run from 0 to 17, the lower one first.", fix="Check both.", field="age_from")
    if sex not in Victim.Sex.values:
        raise Invalid(f"There is no {sex!r} in the list.", fix="Choose one of the list.", field="sex")
    if first_made is not None and first_made > timezone.localdate():
        raise Invalid("The material cannot have been made in the future.", fix="Check the day.", field="first_made")
    made = Victim.objects.create(
        label=" ".join(required_text(label, field="label", what="A label").split())[:120], series=series, case=case,
        sex=sex, age_from=age_from, age_to=age_to, first_made=first_made, recorded_at=timezone.now(), recorded_by=actor,
    )  # fmt: skip
    what = {"series": series.reference if series else None, "case": case.reference if case else None}
    record(actor, "unidentified.recorded", made, category=Category.COLLECTION, case=case, payload=what)
    if case is not None:
        note(actor, case, "child_identified", f"{made.reference}: a child in the material, not identified yet.")
    return made


@transaction.atomic
def add_lead(actor: Any, victim: Victim, *, kind: str, text: str, source: str, owner: Any = None) -> Lead:
    """Record a lead with its source, and who follows it (the actor when left out).

    Raises:
        NotAllowed, NotPossible (identified already), Invalid (a value is missing; the owner may not see the child).
    """
    need(actor, "identification.record", victim, what="You may not record leads.")
    victim = Victim.objects.select_for_update(of=("self",)).select_related("case").get(pk=victim.pk)
    if victim.state == Victim.State.IDENTIFIED:
        raise NotPossible(f"{victim.reference} is identified.", fix="Write to the case.")
    if kind not in Lead.Kind.values:
        raise Invalid(f"There is no kind of lead {kind!r}.", fix="Choose one of the list.", field="kind")
    person = owner or actor
    if not Victim.objects.visible_to(person).filter(pk=victim.pk).exists():
        raise Invalid(f"{person} may not see this child's record.", fix="Choose somebody else.", field="owner")
    made = Lead.objects.create(
        victim=victim, kind=kind, owner=person, recorded_at=timezone.now(), recorded_by=actor,
        text=required_text(text, field="text", what="The lead"),
        source=required_text(source, field="source", what="Where it comes from")[:200],
    )  # fmt: skip
    payload = {"lead": made.reference, "kind": kind, "text": fingerprint(made.text), "owner": person.pk}
    record(actor, "unidentified.lead_added", victim, case=victim.case, category=Category.COLLECTION, payload=payload)
    return made


@transaction.atomic
def close_lead(actor: Any, lead: Lead, *, led: bool, outcome: str) -> Lead:
    """Close a lead with what came of it.

    Raises:
        NotAllowed, NotPossible (closed already), Invalid (no outcome).
    """
    need(actor, "identification.record", lead.victim, what="You may not close leads.")
    lead = Lead.objects.select_for_update(of=("self",)).select_related("victim__case").get(pk=lead.pk)
    if lead.state != Lead.State.OPEN:
        raise NotPossible(f"{lead.reference} is closed.")
    lead.outcome = required_text(outcome, field="outcome", what="What came of it")
    lead.state, lead.closed_at = (Lead.State.LED if led else Lead.State.NOT_LED), timezone.now()
    lead.save(update_fields=["state", "closed_at", "outcome"])
    what = {"lead": lead.reference, "state": lead.state, "outcome": fingerprint(lead.outcome)}
    record(actor, "unidentified.lead_closed", lead.victim, case=lead.victim.case, payload=what)
    return lead


@transaction.atomic
def identify(
    actor: Any,
    victim: Victim,
    *,
    how: str,
    case: Any = None,
    person: Any = None,
    identified_at: datetime | None = None,
    **contact: Any,
) -> Victim:
    """A child has a name: the person, the victim in the case, and the child at risk whose clock starts at once.

    Args:
        case: where the child is to be protected; the case of the record when left out.
        person: a person on record, or the arguments of people.services.create_person; None for a child of whom no more
            is known than where it lives.
        how: how the child was identified.
        identified_at: when police first knew who the child is (aware); None means now. The 24 hours count from then.
        contact: the borough where the child lives, how it is in contact with the suspect and all else that
            safeguarding.services.add_child takes.

    Raises:
        NotAllowed, NotPossible (identified already; the case is closed), Invalid (no case, no way, an adult's birth).
    """
    victim = Victim.objects.select_for_update(of=("self",)).select_related("case", "series").get(pk=victim.pk)
    place = case or victim.case
    if place is None:
        raise Invalid("The child is protected in a case.", fix="Name the case.", field="case")
    need(actor, "identification.identify", place, what="You may not record that a child of this case is identified.")
    if victim.state == Victim.State.IDENTIFIED:
        raise NotPossible(f"{victim.reference} is identified: {victim.child.reference}.", fix="Open that record.")
    way = required_text(how, field="how", what="How the child was identified")
    moment = not_in_future(identified_at, field="identified_at", what="The time of identification")
    contact["relationship"] = contact.get("relationship") or f"Shown in material ({victim.reference})"
    child = add_child(actor, case=place, person=person, identified_at=moment, **contact)
    add_person(actor, place, person=child.person, role="victim")
    victim.state, victim.child, victim.case = Victim.State.IDENTIFIED, child, place
    victim.identified_at, victim.identified_by, victim.how = moment, actor, way
    victim.save()
    victim.leads.filter(state=Lead.State.OPEN).update(
        state=Lead.State.NOT_LED, closed_at=timezone.now(), outcome="The child was identified."
    )
    what = {"child": child.reference, "person": child.person.reference, "how": fingerprint(way)}
    record(actor, "unidentified.identified", victim, category=Category.COMBINATION, case=place, payload=what)
    told = [place.investigator] if place.investigator else list(_supervisors(place))
    tell(told, "victim.identified", child, case=place, key=f"victim-{victim.pk}")
    return victim


def _supervisors(case: Any) -> Iterable[Any]:
    return User.objects.filter(role="supervisor", unit=case.unit_id, is_active=True)
