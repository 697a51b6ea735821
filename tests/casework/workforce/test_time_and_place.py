"""Leave, postings and hours."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from tests.casework.factories import make_unit, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.workforce.models import Absence, Posting
from safelight.casework.workforce.time_and_place import (
    cancel_period,
    end_period,
    record_absence,
    record_hours,
    record_posting,
    record_reduction,
    settle_postings,
)

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


def later(days: int) -> date:
    return TODAY() + timedelta(days=days)


class TestAbsence:
    def test_an_overlap_is_refused_and_the_other_is_named(self):
        """Otherwise two rows say two things about where somebody is."""
        supervisor, person = make_user("supervisor"), make_user()
        record_absence(supervisor, user=person, kind="leave", from_day=date(2026, 3, 2), until_day=date(2026, 3, 6))
        with pytest.raises(Invalid, match="overlaps another, from 2 Mar 2026 to 6 Mar 2026") as caught:
            record_absence(supervisor, user=person, kind="training", from_day=date(2026, 3, 6))
        assert caught.value.field == "from_day"
        record_absence(supervisor, user=person, kind="training", from_day=date(2026, 3, 7))
        record_absence(supervisor, user=make_user(), kind="training", from_day=date(2026, 3, 3))

    @given(
        periods=st.lists(
            st.tuples(st.integers(0, 30), st.one_of(st.none(), st.integers(0, 10))), min_size=2, max_size=5
        )
    )
    def test_the_database_and_the_service_agree_on_every_overlap(self, periods):
        """Otherwise a row written by hand, or two at once, would slip through one of them."""
        with transaction.atomic():
            admin, person = make_user("administrator"), make_user()
            for start, length in periods:
                first = date(2026, 1, 1) + timedelta(days=start)
                last = None if length is None else first + timedelta(days=length)
                row = Absence(user=person, kind="leave", from_day=first, until_day=last, recorded_at=timezone.now())
                try:
                    with transaction.atomic():
                        record_absence(admin, user=person, kind="leave", from_day=first, until_day=last)
                except Invalid:
                    pass
                # Taken or refused, these days are now covered: the database takes no other row that touches them.
                with pytest.raises(IntegrityError), transaction.atomic():
                    row.save()
            days = [
                (absence.from_day, absence.until_day or date.max) for absence in Absence.objects.filter(user=person)
            ]
            for place, (first, last) in enumerate(days):
                for other_first, other_last in days[place + 1 :]:
                    assert other_last < first or last < other_first
            transaction.set_rollback(True)

    def test_what_makes_no_sense_is_refused_with_its_field(self):
        supervisor, person = make_user("supervisor"), make_user()
        for fields, field in (
            ({"kind": "holiday", "from_day": TODAY()}, "kind"),
            ({"kind": "leave", "from_day": TODAY(), "until_day": later(-1)}, "until_day"),
            ({"kind": "left", "from_day": TODAY(), "until_day": later(3)}, "until_day"),
            ({"kind": "leave", "from_day": None}, "from_day"),
        ):
            with pytest.raises(Invalid) as caught:
                record_absence(supervisor, user=person, **fields)
            assert caught.value.field == field
        with pytest.raises(NotAllowed):
            record_absence(make_user("supervisor", "SW"), user=person, kind="leave", from_day=TODAY())
        with pytest.raises(NotAllowed):
            record_absence(person, user=person, kind="leave", from_day=TODAY())

    def test_an_end_is_set_when_it_is_known_and_a_mistake_is_taken_back(self):
        supervisor, person = make_user("supervisor"), make_user()
        row = record_absence(supervisor, user=person, kind="long", from_day=later(-5))
        assert Absence.objects.on().filter(user=person).exists()
        end_period(supervisor, row, until_day=later(-1))
        assert not Absence.objects.on().filter(user=person).exists()
        record_absence(supervisor, user=person, kind="leave", from_day=TODAY())
        with pytest.raises(Invalid, match="overlaps"):
            end_period(supervisor, row, until_day=TODAY())
        with pytest.raises(Invalid):
            cancel_period(supervisor, row, reason=" ")
        cancel_period(supervisor, row, reason="Typed for the wrong person.")
        with pytest.raises(NotPossible):
            cancel_period(supervisor, row, reason="Again.")
        assert Absence.objects.filter(pk=row.pk).exists(), "taken back, not erased"
        assert "wrong person" not in str(LedgerEntry.objects.get(verb="period.cancelled").payload)


class TestPosting:
    def test_the_person_moves_on_the_day_and_comes_home_after_the_last(self):
        """Otherwise a posting ends and the officer still sees the other unit's cases."""
        supervisor, person = make_user("supervisor"), make_user()
        home, other = person.unit, make_unit("SW")
        row = record_posting(supervisor, user=person, unit=other, from_day=later(1), until_day=later(5))
        for ahead, unit in ((0, home), (1, other), (5, other), (6, home), (7, home)):
            settle_postings(today=later(ahead))
            person.refresh_from_db()
            assert person.unit == unit, ahead
        row.refresh_from_db()
        assert row.applied_at and row.returned_at
        moved = LedgerEntry.objects.filter(verb="posting.moved").order_by("pk")
        assert [(entry.payload["from"], entry.payload["to"]) for entry in moved] == [("CN", "SW"), ("SW", "CN")]

    def test_today_counts_at_once_and_the_home_supervisor_can_still_end_it(self):
        supervisor, person = make_user("supervisor"), make_user()
        row = record_posting(supervisor, user=person, unit=make_unit("SW"), from_day=TODAY())
        person.refresh_from_db()
        assert person.unit.code == "SW"
        end_period(supervisor, row, until_day=later(2))
        cancel_period(supervisor, row, reason="Synthetic.")
        person.refresh_from_db()
        assert person.unit.code == "CN"

    def test_a_posting_after_a_posting_leads_home_not_to_the_one_between(self):
        admin, person = make_user("administrator"), make_user()
        record_posting(admin, user=person, unit=make_unit("SW"), from_day=TODAY(), until_day=later(2))
        person.refresh_from_db()
        record_posting(admin, user=person, unit=make_unit("AS"), from_day=later(3), until_day=later(4))
        for ahead, code in ((3, "AS"), (5, "CN")):
            settle_postings(today=later(ahead))
            person.refresh_from_db()
            assert person.unit.code == code

    def test_an_overlap_and_the_own_unit_are_refused(self):
        supervisor, person = make_user("supervisor"), make_user()
        record_posting(supervisor, user=person, unit=make_unit("SW"), from_day=later(1), until_day=later(5))
        for unit, start in (("AS", later(5)), ("CN", later(9))):
            with pytest.raises(Invalid):
                record_posting(supervisor, user=person, unit=make_unit(unit), from_day=start)
        common = {"user": person, "unit": make_unit("AS"), "recorded_at": timezone.now()}
        with pytest.raises(IntegrityError), transaction.atomic():
            Posting.objects.create(**common, from_day=later(5), until_day=later(9))


class TestHours:
    def test_hours_outside_a_week_are_refused(self):
        supervisor, person = make_user("supervisor"), make_user()
        for hours in (0, -1, 169):
            with pytest.raises(Invalid):
                record_hours(supervisor, user=person, hours=Decimal(hours), from_day=TODAY())
        with pytest.raises(Invalid):
            record_reduction(supervisor, user=person, kind="duty", hours=Decimal(0), from_day=TODAY())
        with pytest.raises(Invalid):
            record_reduction(supervisor, user=person, kind="golf", hours=Decimal(1), from_day=TODAY())
