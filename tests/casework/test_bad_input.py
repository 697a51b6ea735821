"""Bad input over the real services and forms: a clear sentence or the right result, never an error or a lost row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.casework.factories import SKILL, make_case, make_device, make_user

from safelight.casework.allocation.models import Allocation
from safelight.casework.allocation.services import allocate, end_allocation, reallocate
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.cases.models import ChronologyEntry
from safelight.casework.cases.services import note
from safelight.casework.devices.models import Device
from safelight.casework.people.models import Person
from safelight.casework.people.services import create_person
from safelight.casework.search.services import search
from safelight.errors import CaseworkError

pytestmark = pytest.mark.django_db

TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        ("😈👩\u200d👧 😀", "مريم الصالح", "\u202eabc", "e\u0301\u0301\u0301", "\x00", "\x1b[2J", "\ud83d", "   ")
    ),
)


@settings(max_examples=12)
@given(TEXTS)
def test_a_note_is_kept_as_written_or_refused(text) -> None:
    """What the officer wrote would be cut, changed or lost with the page."""
    head = make_user("supervisor")
    case = make_case(actor=head)
    before = ChronologyEntry.objects.filter(case=case).count()
    try:
        made = note(head, case, "enquiry", text)
    except Invalid as error:
        assert error.field == "text" and ChronologyEntry.objects.filter(case=case).count() == before
        return
    made.refresh_from_db()
    assert made.text == text.strip()


def test_a_note_of_ten_megabytes_is_refused_in_one_sentence(sign_in) -> None:
    """The page would hang, and what was pasted by mistake would fill the ledger's database."""
    head = make_user("supervisor")
    case = make_case(actor=head)
    huge = "x" * 10_000_000
    with pytest.raises(Invalid, match="10,000,000 characters long"):
        note(head, case, "enquiry", huge)
    address = reverse("cases:chronology", args=[case.reference])
    answer = sign_in(head).post(address, {"kind": "enquiry", "text": huge})
    page = answer.content.decode()
    assert answer.status_code == 200 and "20000 characters" in page.replace(",", "")
    assert not case.chronology.filter(kind="enquiry").exists()


@settings(max_examples=25)
@given(
    st.dates(date(1850, 1, 1), date(2100, 1, 1)), st.sampled_from(("", "day", "month", "year", "century")),
    st.one_of(st.none(), st.integers(-5, 200)),
)  # fmt: skip
def test_a_birth_is_possible_or_refused(born, precision, age) -> None:
    """A child born next year, or in 1850, would be counted with the children at risk."""
    desk = make_user("referral_desk")
    possible = date(1900, 1, 1) <= born <= timezone.localdate() and precision != "century"
    try:
        made = create_person(desk, family_name="Synthetic", born=born, born_precision=precision, age=age)
    except Invalid as error:
        assert not possible and error.field in ("born", "age", "born_precision")
        assert not Person.objects.filter(born=born).exists()
        return
    assert possible and made.born == born and made.born_precision == (precision or "day")


@settings(max_examples=15)
@given(st.text(max_size=30), st.text(max_size=30))
def test_a_name_in_any_script_is_kept_shown_and_found(family, given_names) -> None:
    """A family would be refused, or stand in the records under signs nobody can read."""
    desk = make_user("referral_desk")
    try:
        made = create_person(desk, family_name=family, given_names=given_names)
    except Invalid as error:
        assert error.field in ("family_name", "given_names")
        return
    made.refresh_from_db()
    assert made.name.strip()
    if made.family_name:
        try:
            search(desk, made.family_name)
        except Invalid as error:
            assert error.field == "q"


MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2050, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@settings(max_examples=15)
@given(MOMENTS, st.one_of(st.none(), MOMENTS))
def test_a_seizure_lies_in_the_past_and_before_the_booking_in(seized, booked) -> None:
    """A device seized tomorrow would never age, and the chain of custody would begin before the seizure."""
    case = make_case()
    now = timezone.now()
    possible = seized <= now + timedelta(minutes=5) and (
        booked is None or seized <= booked <= now + timedelta(minutes=5)
    )
    try:
        made = make_device(case, seized_at=seized, booked_in_at=booked)
    except Invalid as error:
        assert not possible and error.field in ("seized_at", "booked_in_at")
        assert not Device.objects.filter(case=case).exists()
        return
    assert possible and made.seized_at <= made.booked_in_at <= timezone.now()


def _live(case: Any) -> list[Allocation]:
    return list(Allocation.objects.filter(case=case, ended_at=None))


@settings(max_examples=10)
@given(st.lists(st.tuples(st.sampled_from(("give", "move", "end")), st.integers(0, 2)), min_size=1, max_size=6))
def test_allocations_never_overlap(steps) -> None:
    """Two investigators would each think that the other has the case."""
    head = make_user("supervisor")
    officers = [make_user(skills=[SKILL]) for _ in range(3)]
    case = make_case(actor=head)
    for what, who in steps:
        before = _live(case)
        try:
            if what == "give":
                allocate(head, case, investigator=officers[who], reason="Synthetic.")
            elif what == "move":
                reallocate(head, case, investigator=officers[who], reason="Synthetic.", code="caseload")
            else:
                end_allocation(head, case, reason="Synthetic.")
        except CaseworkError as error:
            assert str(error) and _live(case) == before
        assert len(_live(case)) <= 1
    spans = sorted((row.started_at, row.ended_at or timezone.now()) for row in Allocation.objects.filter(case=case))
    assert all(one[1] <= two[0] for one, two in zip(spans, spans[1:], strict=False))


def test_the_same_exhibit_twice_is_one() -> None:
    """The triage of one would be taken for that of the other."""
    case = make_case()
    make_device(case, exhibit="SYN/9")
    with pytest.raises(NotPossible, match="SYN/9"):
        make_device(case, exhibit="syn/9")
