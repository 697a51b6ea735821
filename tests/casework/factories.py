"""Makers of rows for the tests of the case work. Plain functions; every name is visibly synthetic.

Append makers for your own nouns at the end of the file.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.standards import standards
from safelight.casework.cases.models import Case
from safelight.casework.people.models import Person
from safelight.casework.referrals.models import Referral, ReferralPerson
from safelight.casework.safeguarding.models import ChildAtRisk, ContactCheck
from safelight.casework.workforce.models import Accreditation, Unit

_numbers = count(1)
SKILL = "ocsae_investigator"


def make_unit(code: str = "CN") -> Unit:
    """A unit of standards/units.toml."""
    row = standards().units[code]
    unit, _ = Unit.objects.get_or_create(
        code=code, defaults={"name": row.title, "kind": row.type, "boroughs": list(row.boroughs)}
    )
    return unit


def make_user(role: str = "investigator", unit: Unit | str | None = "CN", name: str = "", skills: Any = ()) -> User:
    """An account without a password. ``unit`` may be a code. ``skills`` are accreditations in force to the end of 2035.

    An administrator has no unit unless one is named by a row.
    """
    number = next(_numbers)
    if role == "administrator" and unit == "CN":
        unit = None
    user = User.objects.create(
        username=f"{role}{number}",
        name=name or f"Example {role.replace('_', ' ').title()} {number} (synthetic)",
        role=role,
        unit=make_unit(unit) if isinstance(unit, str) else unit,
    )
    for skill in skills:
        make_accreditation(user, skill)
    return user


def make_accreditation(
    user: User,
    skill: str = SKILL,
    valid_from: date = date(2024, 1, 1),
    valid_until: date | None = date(2035, 12, 31),
) -> Accreditation:
    return Accreditation.objects.create(user=user, skill=skill, valid_from=valid_from, valid_until=valid_until)


def make_person(**fields: Any) -> Person:
    """A nominal; ``born`` given alone counts as an exact day."""
    number = next(_numbers)
    if fields.get("born") and "born_precision" not in fields:
        fields["born_precision"] = "day"
    return Person.objects.create(**{"family_name": f"Synthetic{number}", "given_names": "Example", **fields})


def make_referral(*, suspect: bool = True, unit: Unit | str | None = "CN", **fields: Any) -> Referral:
    """A referral as it arrives: children not yet looked for."""
    number = next(_numbers)
    now = timezone.now()
    referral = Referral.objects.create(
        **{
            "source": "nca",
            "source_reference": f"SYN-{number}",
            "received_at": now,
            "recorded_at": now,
            "recorded_by": fields.pop("recorded_by", None) or make_user("referral_desk"),
            "summary": "Synthetic report for a test.",
            "borough": "Camden",
            "unit": make_unit(unit) if isinstance(unit, str) else unit,
            **fields,
        }
    )
    if suspect:
        ReferralPerson.objects.create(referral=referral, person=make_person(), role="suspect")
    return referral


def make_contact_check(referral: Referral, **fields: Any) -> ContactCheck:
    """The three questions answered ('no' unless told otherwise), as the service leaves the referral."""
    check = ContactCheck.objects.create(
        **{
            "referral": referral,
            "lives_with": "no",
            "sees": "no",
            "works_with": "no",
            "basis": "Synthetic checks of the synthetic records.",
            "answered_by": referral.recorded_by,
            "answered_at": timezone.now(),
            **fields,
        }
    )
    referral.state = "checked"
    referral.save(update_fields=["state"])
    return check


def make_child(*, referral: Referral | None = None, case: Case | None = None, **fields: Any) -> ChildAtRisk:
    """A child at risk, as a row: no clock is started (safeguarding.services.add_child does that)."""
    now = timezone.now()
    return ChildAtRisk.objects.create(
        **{
            "person": fields.pop("person", None) or make_person(born=date(2016, 5, 4)),
            "referral": referral,
            "case": case,
            "lives_with": True,
            "borough": "Camden",
            "identified_at": now,
            "recorded_at": now,
            "recorded_by": fields.pop("recorded_by", None) or make_user("referral_desk"),
            **fields,
        }
    )


def make_case(
    *, referral: Referral | None = None, actor: User | None = None, days_ago: float = 0, **fields: Any
) -> Case:
    """A case opened through the service from a checked referral of unit CN, high risk, unallocated.

    Args:
        days_ago: shift the opening and the last action back by this many days (clocks stay as they started).
    """
    from safelight.casework.cases.services import open_case

    number = next(_numbers)
    unit = fields.pop("unit", "CN")
    unit = make_unit(unit) if isinstance(unit, str) else unit
    if referral is None:
        referral = make_referral(unit=unit)
    if not ContactCheck.objects.filter(referral=referral).exists():
        make_contact_check(referral)
    case = open_case(
        actor or make_user("supervisor", unit),
        **{
            "referral": referral,
            "title": f"Synthetic case {number}",
            "unit": unit,
            "risk": "high",
            "risk_source": "Synthetic tool 1.0, assessed by Example Assessor",
            "required_skill": SKILL,
            "borough": "Camden",
            **fields,
        },
    )
    if days_ago:
        then = timezone.now() - timedelta(days=days_ago)
        Case.objects.filter(pk=case.pk).update(opened_at=then, last_action_at=then)
        case.chronology.update(at=then, recorded_at=then)
        case.refresh_from_db()
    return case


def make_allocation(case: Case, investigator: User | None = None, actor: User | None = None) -> Any:
    """Give the case to an investigator (a new qualified one of its unit unless named) through the service."""
    from safelight.casework.allocation.services import allocate

    return allocate(
        actor or make_user("supervisor", case.unit),
        case,
        investigator=investigator or make_user("investigator", case.unit, skills=[case.required_skill]),
        reason="Synthetic reason for a test.",
    )


def make_device(case: Case, actor: User | None = None, **fields: Any) -> Any:
    """A device booked in through the service by an examiner (or ``actor``), seized an hour ago."""
    from safelight.casework.devices.services import book_in

    return book_in(
        actor or make_user("examiner", case.unit),
        case,
        **{
            "exhibit": f"SYN/{next(_numbers)}",
            "kind": "usb",
            "description": "Synthetic USB stick",
            "seized_at": timezone.now() - timedelta(hours=1),
            "seized_from": "Example address (synthetic)",
            "seized_by": "PC Example Finder",
            "place": "Example store",
            "seal": "SEAL-0001",
            **fields,
        },
    )


def make_whatif(user: User | None = None, **fields: Any) -> Any:
    """A plan with one scenario, waiting to be worked out; a small force, so that the engine needs little."""
    from safelight.casework.plans.services import make_plan

    given = {
        "title": "Synthetic question",
        "scenario": {"name": "Fewer", "changes": {"staff.specialists": "-40"}, "rule": "growing"},
        "rule": "growing",
        "years": 0.5,
        "replications": 2,
        "base": {"referrals.per_year": 400, "visits.offenders": 300},
    }
    return make_plan(user or make_user("supervisor"), **{**given, **fields})


def make_detention(actor: User | None = None, *, hours_ago: float = 2, **fields: Any) -> Any:
    """A child of about 15 in a cell, detention authorised ``hours_ago``, opened through the service."""
    from safelight.casework.custody.services import open_detention

    number = next(_numbers)
    authorised = timezone.now() - timedelta(hours=hours_ago)
    person = {"family_name": f"Syntheticell{number}", "given_names": "Example", "age": 15}
    return open_detention(
        actor or make_user("custody_officer"),
        **{
            "person": {**person, **fields.pop("person", {})},
            "suite": "Example suite",
            "borough": "Camden",
            "age_basis": "parent",
            "offence": "Synthetic offence",
            "necessity": "Synthetic necessity.",
            "arrested_at": authorised - timedelta(hours=1),
            "arrived_at": authorised - timedelta(minutes=20),
            "authorised_at": authorised,
            "authorised_by": "Sgt Example",
            "placed": "cell",
            "why_in_cell": "Synthetic answer at the beginning.",
            **fields,
        },
    )


def make_audit(auditor: User | None = None, *, draw: bool = True, **fields: Any) -> Any:
    """An audit plan over every unrestricted case there is, one stratum for each unit, sealed, and drawn whole."""
    from safelight.casework.inspection.population import Query
    from safelight.casework.inspection.services import draw_cases, make_plan, seal_now

    actor = auditor or make_user("auditor", None)
    given = {"title": "Synthetic audit", "criteria": "force_own", "query": Query(), "seed": "synthetic"}
    plan = make_plan(
        actor, **{**given, "size": fields.pop("size", Case.objects.filter(restricted=False).count()), **fields}
    )
    if not draw:
        return plan
    seal_now(actor, plan)
    return draw_cases(actor, plan)


def make_assessment(actor: User, audit: Any, grade: str = "good", *, finish: bool = True) -> Any:
    """An assessment in which every heading has the grade of the case, with a record of the case as evidence."""
    from safelight.casework.inspection.assessing import criteria_of, link_evidence, write
    from safelight.casework.inspection.evidence import records_of

    criteria = criteria_of(audit.plan)
    headings = {one.id: (grade, "Synthetic note.") for one in criteria}
    write(actor, audit, grade=grade, summary="Synthetic summary.", headings=headings)
    first = records_of(audit.case, actor)[0]
    link_evidence(actor, audit, heading=criteria.headings[0].id, records=[first.code])
    return write(actor, audit, grade=grade, summary="Synthetic summary.", headings=headings, finish=finish)


def make_partner(agency: Any = "Camden children's social care", kind: str = "social_care") -> User:
    """A partner's account that belongs to an agency (made when there is none of this name)."""
    from safelight.casework.sharing.models import Agency
    from safelight.casework.sharing.services import create_agency, join

    user = make_user("partner", None)
    if isinstance(agency, str):
        agency = Agency.objects.filter(name=agency).first() or create_agency(None, name=agency, kind=kind)
    join(None, user=user, agency=agency)
    return user


def make_offender(manager: User | None = None, *, unit: str = "CN", plan: Any = None, **fields: Any) -> Any:
    """An offender registered through the service by the manager (a new one of the unit unless named).

    Args:
        plan: ``(every, unit)``, such as ``(3, "months")``; None sets none.
        fields: of the person, or arguments of the service.
    """
    from safelight.casework.offenders import services

    officer = manager or make_user("offender_manager", unit)
    names = ("family_name", "given_names", "born", "address", "postcode", "borough", "identifiers")
    person = {"family_name": f"Synthetic{next(_numbers)}", "given_names": "Example", "born": date(1980, 3, 4)}
    person |= {name: fields.pop(name) for name in names if name in fields}
    given = {"relevant_date": date(2020, 1, 6), "until": None, "first_notified": True, **fields}
    offender = services.register(officer, person=person, unit=officer.unit, manager=officer, **given)
    if plan:
        services.set_plan(officer, offender, every=plan[0], every_unit=plan[1], actions="Synthetic plan.")
        offender.refresh_from_db()
    return offender
