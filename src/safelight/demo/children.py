"""Children in the demo beyond the referral: two boroughs' social care with a portal, what was set in motion for some
children of the home unit, and children in custody. Everybody is invented, and says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from safelight.casework.accounts.services import create_user
from safelight.casework.cases.models import CasePerson
from safelight.casework.custody import accommodation, services
from safelight.casework.custody.models import Detention
from safelight.casework.people.boroughs import social_care_for
from safelight.casework.safeguarding import child_record, enquiries, protection, strategy
from safelight.casework.safeguarding.models import SafeguardingReferral
from safelight.casework.sharing import answers
from safelight.casework.sharing import services as sharing
from safelight.casework.sharing.models import Agency
from safelight.demo.force import Force
from safelight.demo.history import Story
from safelight.demo.sign_in import HOME_UNIT, PASSWORD

HOUR = timedelta(hours=1)
QUORUM = [
    ("police", "DS Example Lead (synthetic)"),
    ("social_care", "Example Team Manager (synthetic)"),
    ("health", "Example Named Nurse (synthetic)"),
]


def partners(force: Force) -> dict[str, Any]:
    """The social care of the home unit's boroughs, each with an account; that of the first can sign in."""
    found: dict[str, Any] = {}
    for number, borough in enumerate(force.units[HOME_UNIT].boroughs):
        name = social_care_for(borough)
        user = create_user(
            None,
            username="partner" if number == 0 else f"partner-{number + 1}",
            name=f"Social Worker Demo-{number + 1} (synthetic)",
            role="partner",
            password=PASSWORD if number == 0 else "",
        )
        sharing.join(None, user=user, agency=sharing.create_agency(None, name=name, kind=Agency.Kind.SOCIAL_CARE))
        found[name] = user
    return found


def safeguarding_story(force: Force, start: datetime) -> Story:
    """A day's work for the children of some cases of the home unit: shared, discussed, seen, answered."""
    users = partners(force)
    supervisor = force.supervisors[HOME_UNIT]
    rows = SafeguardingReferral.objects.filter(case__unit=supervisor.unit, case__status="open", authority__in=users)
    sent = list(rows.filter(case__restricted=False).select_related("case").order_by("-sent_at")[:6])
    shared = [
        sharing.share_referral(
            supervisor, one, agency=Agency.objects.get(name=one.authority), basis="section_47",
            basis_words="The child may be at risk of significant harm (invented).",
        )
        for one in sent
    ]  # fmt: skip
    waiting = [row for row in shared if row.referral is not None and not row.referral.decision]
    for row in waiting[:1]:
        answers.ask(users[row.agency.name], row, text="Is there another adult in the home? (invented)")
    if not sent:
        return
    case, child = sent[0].case, sent[0].children.order_by("pk")[0]
    suspect = CasePerson.objects.filter(case=case, role="suspect").select_related("person")[0].person
    child_record.add_voice(
        supervisor, child, words="I like it when grandma comes. (invented)", heard_by="Example Teacher (synthetic)"
    )
    mother = child_record.add_around(
        supervisor, child, person={"given_names": "Example", "family_name": f"{suspect.family_name}"}, kind="adult",
        relationship="Mother", lives_with=True, responsibility="yes",
    )  # fmt: skip
    child_record.assess_around(
        supervisor, child, around=mother, risk="protective", basis="Seen at home by social care (invented)."
    )
    child_record.add_around(
        supervisor, child, person={"given_names": "Example", "family_name": "Synthetic-Lodger"}, kind="adult",
        relationship="Lodger", lives_with=True,
    )  # fmt: skip
    talk = strategy.call_strategy(
        supervisor, case, children=sent[0].children.all(), why="The suspect lives with the child (invented)."
    )
    yield start + 4 * HOUR
    strategy.record_strategy(
        supervisor, talk, attendees=QUORUM, outcome="joint_47",
        decisions="The child is seen today, jointly; the suspect does not return home meanwhile (invented).",
    )  # fmt: skip
    for enquiry in talk.enquiries.all():
        enquiries.plan_conference(supervisor, enquiry, when=start + timedelta(days=12))
    if len(sent) > 1:
        other = sent[1]
        covert = strategy.call_strategy(
            supervisor, other.case, children=other.children.all(), covert=True,
            why="A person close to the police may be the suspect (invented).",
            covert_reason="Colleagues of the unit know the suspect (invented).",
        )  # fmt: skip
        strategy.let_know(supervisor, covert, user=users[other.authority], reason="Manager of the team (invented)")
        sharing.share_strategy(
            supervisor, covert, agency=Agency.objects.get(name=other.authority), basis="section_47"
        )  # fmt: skip
    if len(sent) > 2:
        taken = protection.take_into_protection(
            supervisor, sent[2].children.order_by("pk")[0], initiating_officer="PC Example 100 (synthetic)",
            why="Found alone at night at the suspect's address (invented).", place="Example foster home (synthetic)",
        )  # fmt: skip
        yield start + 6 * HOUR
        protection.record_protection_told(
            supervisor, taken, what="local_authority", words="Out-of-hours team (synthetic)"
        )  # fmt: skip
        protection.designate(supervisor, taken, name="Insp Example Designated (synthetic)")


def custody_story(officer: Any, start: datetime, number: int, way: str) -> Story:
    """One child in a cell. ``way``: 'transferred', 'certificate', 'late' (no review in time) or 'new'."""
    born = (start - timedelta(days=365 * (13 + number % 5) + 40)).date()
    row = services.open_detention(
        officer,
        person={"given_names": "Example", "family_name": f"Synthetic-Youth{number}", "born": born, "sex": "male"},
        suite="Example Road custody suite",
        borough=("Camden", "Islington", "Brent")[number % 3],
        age_basis="parent",
        offence="Synthetic offence",
        necessity="To allow the prompt and effective investigation (invented).",
        arrested_at=start - HOUR,
        arrived_at=start - timedelta(minutes=25),
        authorised_at=start,
        authorised_by="Sgt Example Custody (synthetic)",
        placed="cell",
        why_in_cell="No detention room was free; a parent is on the way (invented).",
    )
    if way == "new":
        return
    services.ask_appropriate_adult(officer, row, name="Example Parent (synthetic)", relation="Mother")
    services.record_told(officer, row, what="parent", words="Mother, by telephone")
    yield start + 1.4 * HOUR
    services.appropriate_adult_came(officer, row, adult=row.adults.get().pk)
    if way == "late":
        return
    yield start + 5.5 * HOUR
    why = "Interview goes on with the mother present; bail to the home address was considered and refused (invented)."
    services.record_custody_review(
        officer, row, reviewer="Insp Example Review (synthetic)", why_in_cell=why, outcome="keep"
    )
    yield start + 7 * HOUR
    services.record_charge(
        officer, row, charge="Synthetic offence", bail="refused", bail_reason="Risk to a witness (invented)."
    )
    kind = "non_secure" if way == "transferred" else "secure"
    asked = accommodation.ask_accommodation(
        officer, row, kind=kind, asked_of="Out-of-hours team (synthetic)",
        why_secure="Serious harm to a named person is feared (invented)." if kind == "secure" else "",
    )  # fmt: skip
    yield start + 8.5 * HOUR
    offered = way == "transferred"
    accommodation.answer_accommodation(
        officer, row, request=asked.pk, answer="offered" if offered else "refused",
        answered_by="Example Duty Manager (synthetic)", words="" if offered else "No secure bed tonight (invented).",
    )  # fmt: skip
    if offered:
        accommodation.transfer(officer, row, to="Example children's home (synthetic)")
        return
    accommodation.certify(
        officer, row, certificate="no_secure", by="Sgt Example Custody (synthetic)",
        reason="No secure place is free; other accommodation would not protect a named person (invented).",
    )  # fmt: skip
    yield start + 17 * HOUR
    accommodation.certificate_to_court(officer, row)
    services.release(officer, row, ending=Detention.Ending.COURT, to="Example youth court (synthetic)")


def custody_stories(force: Force, now: datetime) -> list[tuple[datetime, Story]]:
    """Children of the last weeks, and three who are in a cell now."""
    officer = force.custody_officers[0]
    plan = [(24 * 20, "transferred"), (24 * 11, "certificate"), (24 * 4, "certificate"), (7, "late"), (4.5, "late"),
        (0.6, "new")]  # fmt: skip
    made = []
    for number, (ago, way) in enumerate(plan, 1):
        start = now - timedelta(hours=ago)
        made.append((start, custody_story(officer, start, number, way)))
    return made
