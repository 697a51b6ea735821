"""The people of the demo force: a desk, twelve BCU teams and a central unit, with their skills."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from safelight.casework.accounts.models import User
from safelight.casework.accounts.services import create_user
from safelight.casework.workforce.models import Unit
from safelight.casework.workforce.services import accredit, load_units
from safelight.demo.names import officer_name
from safelight.demo.sign_in import HOME_UNIT, PASSWORD

INVESTIGATORS_PER_UNIT = 6
CENTRAL_INVESTIGATORS = 8
SKILL = "ocsae_investigator"


@dataclass
class Force:
    """Who works where.

    Attributes:
        desk: the referral desk, London-wide.
        examiners: the digital forensic examiners.
        exchange_manager: who deals with internet companies.
        chief: the accountable chief officer.
        auditors: who audit cases, of no unit.
        offender_managers: of the home unit.
        custody_officers: of the home unit.
        supervisors: one or more for each unit code.
        investigators: for each unit code.
    """

    units: dict[str, Unit]
    desk: list[User] = field(default_factory=list)
    examiners: list[User] = field(default_factory=list)
    exchange_manager: User | None = None
    chief: User | None = None
    auditors: list[User] = field(default_factory=list)
    offender_managers: list[User] = field(default_factory=list)
    custody_officers: list[User] = field(default_factory=list)
    supervisors: dict[str, User] = field(default_factory=dict)
    investigators: dict[str, list[User]] = field(default_factory=dict)


def build_force(first_day: date) -> Force:
    """Make the accounts and accreditations as they were on ``first_day``.

    Every account is visibly synthetic; only those of :data:`SIGN_IN` can sign in.
    """
    units = {unit.code: unit for unit in load_units(None)}
    force = Force(units)
    number = 0

    def officer(role: str, unit: Unit | None, username: str = "") -> User:
        nonlocal number
        number += 1
        return create_user(
            None,
            username=username or f"{role.replace('_', '-')}-{number:03d}",
            name=officer_name(number),
            role=role,
            unit=unit,
            password=PASSWORD if username else "",
        )

    officer("administrator", None, "administrator")
    force.exchange_manager = officer("exchange_manager", None, "exchange")
    force.chief = officer("chief_officer", None, "chief")
    force.auditors = [officer("auditor", None, "auditor"), officer("auditor", None)]
    home_unit = units[HOME_UNIT]
    force.offender_managers = [
        officer("offender_manager", home_unit, "offenders" if place == 0 else "") for place in range(3)
    ]
    force.custody_officers = [officer("custody_officer", home_unit, "custody")]
    force.desk = [officer("referral_desk", None, "desk"), officer("referral_desk", None)]
    force.examiners = [officer("examiner", units["OCSAE"], "examiner"), officer("examiner", units["OCSAE"])]
    for examiner in force.examiners:
        for skill in ("digital_forensic_examiner", "device_triage", "image_grading"):
            accredit(None, user=examiner, skill=skill, valid_from=first_day - timedelta(days=200))
    for code, unit in units.items():
        home = code == HOME_UNIT
        force.supervisors[code] = officer("supervisor", unit, "supervisor" if home else "")
        size = CENTRAL_INVESTIGATORS if unit.kind == "central" else INVESTIGATORS_PER_UNIT
        force.investigators[code] = [
            officer("investigator", unit, "investigator" if home and place == 0 else "") for place in range(size)
        ]
        for place, user in enumerate(force.investigators[code]):
            _skills(user, place, first_day)
    return force


def _skills(user: User, place: int, first_day: date) -> None:
    """Most hold the specialist skill; some do not, and one in the force has let it run out."""
    accredit(None, user=user, skill="detective", valid_from=first_day - timedelta(days=900))
    if place % 6 == 5:
        return
    until: Any = first_day + timedelta(days=40) if place % 6 == 4 else first_day + timedelta(days=700)
    accredit(None, user=user, skill=SKILL, valid_from=first_day - timedelta(days=400), valid_until=until)
    if place % 3 == 0:
        accredit(None, user=user, skill="image_grading", valid_from=first_day - timedelta(days=300))
