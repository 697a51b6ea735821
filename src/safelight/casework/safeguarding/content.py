"""What a referral to children's social care says, made from the records.

The parts follow what local procedures ask for (Surrey, as quoted in the domain notes): names, dates of birth and sex,
address, parental responsibility, household, language and needs, the concern with its source, time and place, where the
child is and in what condition, the need for immediate protection, the suspect, the referrer, other agencies, and
whether the parents know. The content is kept as it was sent: later changes of the records do not change it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils import timezone

from safelight.casework.cases.models import CasePerson
from safelight.casework.people.models import Person

VERSION = 2
QUESTIONS: dict[str, str] = {
    "incident": "When and where it happened",
    "location": "Where the child is now, and in what condition",
    "responsible": "Who has parental responsibility",
    "household": "Who else lives there",
    "language": "Language and ethnicity",
    "needs": "Health, disability and special needs",
    "agencies": "Other agencies that know the child",
    "parents_told": "Whether the parents have been told, and why or why not",
    "covert_note": "What must not become known (covert enquiries)",
}
"""What only a person can say, by the name under which it is kept."""


def _person(person: Person) -> dict[str, Any]:
    return {
        "reference": person.reference,
        "name": person.name,
        "born": person.born_words,
        "sex": str(person.get_sex_display()),
        "address": ", ".join(part for part in (person.address, person.postcode) if part),
        "borough": person.borough,
    }


def _day(value: Any) -> str:
    return f"{value.day} {value:%B %Y}"


def _school(place: Any) -> str:
    ended = f", until {_day(place.until)}" if place.until else ""
    return f"{place.name}{f' ({place.contact})' if place.contact else ''}{ended}"


def _around(one: Any) -> str:
    parts = [one.relationship]
    if one.lives_with:
        parts.append("lives with the child")
    if one.responsibility == "yes":
        parts.append("has parental responsibility")
    if one.kind == "adult":
        parts.append(f"risk: {one.get_risk_display().lower()}{f' ({one.basis})' if one.basis else ''}")
    return f"{one.person.name} (born {one.person.born_words}): {', '.join(parts)}"


def _moment(value: Any) -> str:
    local = timezone.localtime(value)
    return f"{local.day} {local:%B %Y, %H:%M}"


def compose(
    actor: Any,
    case: Any,
    *,
    children: Iterable[Any],
    authority: str,
    recipient: str,
    concern: str,
    answers: Mapping[str, str],
    sent_at: Any,
) -> dict[str, Any]:
    """The whole content as plain JSON values, with everything that the records know at this moment."""
    named = list(children)
    suspects = CasePerson.objects.filter(case=case, role=CasePerson.Role.SUSPECT).select_related("person")
    reports = case.referrals.order_by("received_at")
    return {
        "version": VERSION,
        "case": case.reference,
        "authority": authority,
        "recipient": recipient,
        "sent_at": _moment(sent_at),
        "referrer": {"name": str(actor), "role": actor.role.replace("_", " "), "unit": str(actor.unit or "")},
        "immediate_danger": any(child.immediate_danger for child in named) or case.live_contact,
        "children": [
            {
                **_person(child.person),
                "child": child.reference,
                "lives_in": child.borough,
                "relationship": child.relationship,
                "contact": child.contact,
                "school": child.school,
                "voice": child.voice,
                "immediate_danger": child.immediate_danger,
                "identified_at": _moment(child.identified_at),
                "voices": [f"{_day(one.said_on)}, heard by {one.heard_by}: {one.words}" for one in child.voices.all()],
                "schools": [_school(one) for one in child.schools.all()],
                "around": [_around(one) for one in child.around.select_related("person")],
            }
            for child in named
        ],
        "suspects": [_person(link.person) for link in suspects],
        "sources": [f"{one.get_source_display()}, received {_moment(one.received_at)}" for one in reports],
        "concern": concern,
        "answers": {name: answers[name] for name in QUESTIONS if answers.get(name)},
    }


def first_concern(case: Any) -> str:
    """A beginning for the concern: what was reported, when and by whom. The officer edits it before it is sent."""
    parts = [
        f"Police received a report ({one.get_source_display()}) on {_moment(one.received_at)}:\n{one.summary}"
        for one in case.referrals.order_by("received_at")
    ]
    return "\n\n".join(parts)[:8_000]


Section = tuple[str, list[tuple[str, str]]]


def sections(content: Mapping[str, Any]) -> list[Section]:
    """The content as headings with (label, text) rows, for the page, the paper and the preview alike."""
    danger = "Yes: act now" if content["immediate_danger"] else "Not known to be"
    referrer = content["referrer"]
    made: list[Section] = [
        (
            "Referral",
            [
                ("To", f"{content['authority']}: {content['recipient']}"),
                ("Sent", content["sent_at"]),
                ("From", ", ".join(part for part in (referrer["name"], referrer["role"], referrer["unit"]) if part)),
                ("Our reference", content["case"]),
                ("Immediate danger", danger),
            ],
        )
    ]
    for child in content["children"]:
        rows = [
            ("Name", child["name"]),
            ("Date of birth", child["born"]),
            ("Sex", child["sex"]),
            ("Address", child["address"] or "not known"),
            ("Lives in", child["lives_in"]),
            ("Relationship to the suspect", child["relationship"] or "not known"),
            ("Contact", child["contact"]),
            ("School", child["school"] or "not known"),
            ("What the child says", child["voice"] or "not yet asked"),
            ("Immediate danger", "Yes" if child["immediate_danger"] else "Not known to be"),
            ("Known to police since", child["identified_at"]),
        ]
        # Absent from what was sent before version 2.
        more = (
            ("voices", "What the child said, by day"),
            ("schools", "Schools"),
            ("around", "People around the child"),
        )
        rows += [(label, "\n".join(child[name])) for name, label in more if child.get(name)]
        made.append((f"Child {child['child']}", rows))
    for suspect in content["suspects"]:
        rows = [
            ("Name", suspect["name"]),
            ("Date of birth", suspect["born"]),
            ("Address", suspect["address"] or "not known"),
        ]
        made.append(("Suspect", rows))
    made.append(("Concern", [("What is feared", content["concern"]), *[("Source", one) for one in content["sources"]]]))
    answers = [(QUESTIONS.get(name, name), text) for name, text in content["answers"].items()]
    if answers:
        made.append(("Further information", answers))
    return made
