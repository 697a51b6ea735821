"""The 17-day case: live contact is alarmed at once and stays until somebody says by name that it has ended."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_child, make_referral, make_user

from safelight.casework.allocation.services import end_allocation
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.live import CLOCK, alarm_unallocated, record_live_contact
from safelight.casework.cases.live_views import live_page
from safelight.casework.cases.models import Case, LiveContact
from safelight.casework.cases.queries import Filters, case_page, obstacles
from safelight.casework.cases.services import close_case, reopen_case, settle
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock
from safelight.casework.notices.models import Notice
from safelight.casework.referrals.services import record_referral

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def people() -> dict[str, Any]:
    return {
        "chief": make_user("chief_officer"), "super": make_user("supervisor"), "desk": make_user("referral_desk"),
        "other": make_user("supervisor", "SW"), "has": make_user(skills=["ocsae_investigator"]),
    }  # fmt: skip


def live_case(people: dict[str, Any], *, allocated: bool = True, at: Any = None, **fields: Any) -> Case:
    case = make_case(actor=people["super"], **fields)
    if allocated:
        make_allocation(case, people["has"], people["super"])
    case = Case.objects.get(pk=case.pk)
    record_live_contact(people["super"], case, contact=True, how_known="Synthetic chat today.", at=at)
    return Case.objects.get(pk=case.pk)


def told(people: dict[str, Any], kind: str) -> set[str]:
    return {name for name, user in people.items() if Notice.objects.filter(user=user, kind=kind).exists()}


class TestAlarm:
    def test_everybody_who_can_act_is_told_at_once(self, people):
        """It would wait in a list for somebody to come back from leave."""
        live_case(people)
        assert told(people, "live_contact.found") == {"super", "desk", "has"}

    def test_the_chief_officers_hear_when_nobody_has_the_case_for_longer_than_policy(self, people):
        case = live_case(people, allocated=False, at=timezone.now() - HOUR)
        Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - 9 * HOUR)
        assert alarm_unallocated() == 0, "the policy gives four hours"
        later = timezone.now() + 4 * HOUR
        assert [alarm_unallocated(later) for _ in range(2)] == [1, 0], "once"
        assert told(people, "live_contact.unallocated") == {"chief"}

    def test_a_case_that_somebody_has_or_had_just_now_is_not_reported(self, people):
        case = live_case(people)
        later = timezone.now() + 9 * HOUR
        Case.objects.filter(pk=case.pk).update(opened_at=timezone.now() - 9 * HOUR)
        assert alarm_unallocated(later) == 0
        end_allocation(people["super"], case, reason="Synthetic.")
        assert alarm_unallocated(timezone.now() + HOUR) == 0
        assert alarm_unallocated(later) == 1

    def test_a_referral_that_says_so_alarms_before_there_is_a_case(self, people):
        fields = {"source": "public", "source_reference": "SYN-live", "summary": "Synthetic.", "borough": "Camden"}
        record_referral(people["desk"], **fields, live_contact=False)
        assert told(people, "live_contact.found") == set()
        record_referral(people["desk"], **fields, live_contact=True)
        assert told(people, "live_contact.found") == {"super", "desk"}

    def test_a_further_copy_alarms_the_case_it_became(self, people):
        referral = make_referral(source="public", source_reference="SYN-copy")
        case = make_case(actor=people["super"], referral=referral)
        record_referral(
            people["desk"], source="public", source_reference="SYN-copy", summary="Synthetic.", live_contact=True
        )
        assert LiveContact.objects.get(case=case).ended_at is None
        assert "super" in told(people, "live_contact.found")

    def test_a_restricted_case_tells_only_those_on_its_list(self, people):
        live_case(people, allocated=False, restricted=True)
        assert told(people, "live_contact.found") == {"super"}


class TestShortestClocks:
    def test_clocks_that_run_are_brought_forward_and_new_ones_are_short(self, people):
        """A case assessed as low would have four weeks while a child is being groomed."""
        case = make_case(actor=people["super"], risk="low")
        review = Clock.objects.get(case=case, rule="supervisor_review")
        before = review.due_at
        record_live_contact(people["super"], case, contact=True, how_known="Synthetic.")
        review.refresh_from_db()
        assert review.due_at < before
        assert review.due_at - review.triggered_at <= 24 * HOUR
        case.refresh_from_db()
        device = start_clock(people["super"], "device_triage", make_child(case=case), case=case, risk=case.risk)
        assert (device.risk, device.due_at - device.triggered_at) == ("very_high", 24 * HOUR)
        record_live_contact(people["super"], case, contact=False, how_known="Synthetic arrest.")
        case.refresh_from_db()
        again = start_clock(people["super"], "device_triage", make_child(case=case), case=case, risk=case.risk)
        assert again.risk == "low"
        review.refresh_from_db()
        assert review.due_at < before, "what became short stays short"

    def test_contact_has_a_clock_of_its_own_that_only_its_end_stops(self, people):
        now = timezone.now()
        case = live_case(people, at=now - 30 * HOUR)
        clock = Clock.objects.get(case=case, rule=CLOCK)
        assert clock.state() == "breached"
        record_live_contact(people["super"], case, contact=False, how_known="Synthetic.", at=now - 9 * HOUR)
        clock.refresh_from_db()
        assert clock.stopped_at - clock.triggered_at == 21 * HOUR


class TestItStays:
    def test_closing_reopening_and_moving_end_nothing(self, people):
        """The state would vanish with a tidy-up of the caseload."""
        case = live_case(people)
        for area in ("safeguarding", "devices", "submissions"):
            if any(one.area == area for one in obstacles(case)):
                settle(people["super"], case, area=area, reason="Synthetic.")
        with pytest.raises(NotPossible, match="in contact with a child"):
            close_case(people["super"], case, outcome="no_suspect", note="Synthetic.")
        end_allocation(people["super"], case, reason="Synthetic.")
        make_allocation(case, make_user(skills=["ocsae_investigator"]), people["super"])
        row = LiveContact.objects.get(case=case)
        assert (Case.objects.get(pk=case.pk).live_contact, row.ended_at) == (True, None)

    def test_a_closed_case_can_turn_to_live_contact_and_reopening_keeps_it(self, people):
        """'Reopen it first' is no answer to a child who is in contact now."""
        case = make_case(actor=people["super"])
        close_case(people["super"], case, outcome="no_suspect", note="Synthetic.")
        case.refresh_from_db()
        record_live_contact(people["super"], case, contact=True, how_known="Synthetic call.")
        assert [line.row.case for line in live_page(people["super"])[0]] == [case]
        reopen_case(people["super"], case, reason="Synthetic.")
        assert LiveContact.objects.get(case=case).ended_at is None
        assert Clock.objects.open().filter(case=case, rule=CLOCK).exists()

    def test_the_end_needs_a_name_a_time_and_how_it_is_known(self, people):
        case = live_case(people, at=timezone.now() - 5 * HOUR)
        with pytest.raises(Invalid, match="How it is known"):
            record_live_contact(people["super"], case, contact=False, how_known=" ")
        with pytest.raises(Invalid, match="cannot have ended before"):
            record_live_contact(people["super"], case, contact=False, how_known="x", at=timezone.now() - 6 * HOUR)
        with pytest.raises(NotAllowed):
            record_live_contact(people["other"], case, contact=False, how_known="x")
        row = LiveContact.objects.get(case=case)
        for wrong in (
            {"ended_at": timezone.now()},
            {"ended_at": timezone.now(), "ended_by": people["super"], "end_recorded_at": timezone.now()},
            {"ended_at": row.found_at - HOUR, "ended_by": people["super"], "how_ended": "x",
             "end_recorded_at": timezone.now()},
        ):  # fmt: skip
            with pytest.raises(IntegrityError), transaction.atomic():
                LiveContact.objects.filter(pk=row.pk).update(**wrong)
        record_live_contact(people["has"], case, contact=False, how_known="Synthetic arrest.")
        row.refresh_from_db()
        assert (row.ended_by, row.how_ended) == (people["has"], "Synthetic arrest.")
        assert told(people, "live_contact.ended") == {"super", "desk"}

    def test_history_is_kept_over_several_times(self, people):
        case = live_case(people)
        record_live_contact(people["super"], case, contact=False, how_known="Synthetic end.")
        record_live_contact(people["super"], case, contact=True, how_known="Synthetic again.")
        assert LiveContact.objects.filter(case=case).count() == 2
        with pytest.raises(IntegrityError), transaction.atomic():
            LiveContact.objects.create(case=case, found_at=timezone.now(), how_known="x", recorded_at=timezone.now())
        with pytest.raises(NotPossible, match="already"):
            record_live_contact(people["super"], case, contact=True, how_known="x")


class TestFirstOnEveryList:
    def test_the_queue_shows_the_longest_first_to_those_who_may_see(self, people, sign_in):
        young = live_case(people, at=timezone.now() - HOUR)
        old = live_case(people, allocated=False, at=timezone.now() - 400 * HOUR)
        assert [line.row.case for line in live_page(people["super"])[0]] == [old, young]
        first, after = live_page(people["super"], size=1)
        second, end = live_page(people["super"], size=1, after=after)
        assert ([line.row.case for line in first + second], end) == ([old, young], "")
        assert live_page(people["other"])[0] == []
        assert [line.row.case for line in live_page(people["super"], unallocated=True)[0]] == [old]
        record_live_contact(people["super"], young, contact=False, how_known="Synthetic end.")
        text = sign_in(people["chief"]).get(reverse("cases:live")).content.decode()
        assert old.reference in text
        assert "16 days ago" in text
        assert young.reference not in text
        ended = sign_in(people["super"]).get(reverse("cases:live") + "?state=ended").content.decode()
        assert young.reference in ended
        form = sign_in(people["super"]).get(reverse("cases:live_contact", args=[young.reference])).content.decode()
        assert "Synthetic end." in form

    def test_the_case_list_puts_it_before_everything_newer(self, people):
        live = live_case(people)
        newer = [make_case(actor=people["super"]) for _ in range(3)]
        first = case_page(people["super"], Filters(), size=2)
        assert [row.case for row in first.rows] == [live, newer[2], newer[1]]
        second = case_page(people["super"], Filters(), before=first.before, size=2)
        assert [row.case for row in second.rows] == [newer[0]], "and once"

    def test_clocks_and_my_work_name_it_first(self, people, sign_in):
        live_case(people)
        assert "1 case with live contact" in sign_in(people["super"]).get(reverse("clocks:index")).content.decode()
        for who, said in (("chief", "see who acts"), ("super", "act now"), ("has", "act now")):
            assert said in sign_in(people[who]).get(reverse("work:home")).content.decode()
