"""Victims' Code: told within one or five working days of each event, logged with how, when and by whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_person, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.chronology import KINDS
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import add_person, close_case, note, reopen_case
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import view_of
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.victims.models import EVENTS, Victim, VictimUpdate
from safelight.casework.victims.queries import due_page
from safelight.casework.victims.services import record_told, record_victim, record_wish, set_entitlement
from safelight.casework.victims.work import items_for
from safelight.standards import LONDON

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def at(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=LONDON).astimezone(UTC)


@pytest.fixture
def story() -> tuple[Any, Any, Case]:
    supervisor = make_user("supervisor")
    officer = make_user(skills=["ocsae_investigator"])
    case = make_case(actor=supervisor)
    make_allocation(case, officer, supervisor)
    return supervisor, officer, Case.objects.get(pk=case.pk)


def victim_in(story: Any, entitlement: str = "enhanced", reason: str = "child") -> Victim:
    _, officer, case = story
    return record_victim(officer, case, person=make_person(), entitlement=entitlement, reason=reason)


def due(update: VictimUpdate) -> str:
    clock = Clock.objects.open().get(subject_type="victims.victimupdate", subject_id=update.pk)
    return f"{clock.due_at.astimezone(LONDON):%a %Y-%m-%d %H:%M:%S}"


class TestFallingDue:
    # Friday 23 October 2026: the weekend does not count, and the clocks go back in it.
    @pytest.mark.parametrize(
        ("entitlement", "reason", "expected"),
        [("enhanced", "child", "Mon 2026-10-26 23:59:59"), ("standard", "none", "Fri 2026-10-30 23:59:59")],
    )
    def test_one_or_five_working_days_by_entitlement(self, story, entitlement, reason, expected):
        """A child would hear of the arrest from the newspaper."""
        victim = victim_in(story, entitlement, reason)
        note(story[1], story[2], "arrest", "Synthetic.", at=at("2026-10-23 14:00"))
        update = victim.updates.get()
        assert (due(update), update.title) == (expected, "Arrest")
        assert Clock.objects.get(subject_id=update.pk, rule__startswith="vcop").owner == story[1]

    @pytest.mark.parametrize("kind", [kind for kind in EVENTS if kind != "case_closed"])
    def test_every_event_of_the_code_makes_one_due(self, story, kind):
        victim = victim_in(story)
        assert kind in KINDS
        note(story[1], story[2], kind, "Synthetic.")
        assert [row.kind for row in victim.updates.all()] == [kind]

    def test_what_is_no_event_makes_none_due(self, story):
        victim = victim_in(story)
        for kind in ("note", "enquiry", "search", "prosecutor"):
            note(story[1], story[2], kind, "Synthetic.")
        assert not victim.updates.exists()

    def test_each_victim_is_owed_each_event_once(self, story):
        first, second = victim_in(story), victim_in(story)
        for _ in range(2):
            note(story[1], story[2], "interview", "Synthetic.")
        assert (first.updates.count(), second.updates.count()) == (2, 2)
        row = first.updates.first()
        with pytest.raises(IntegrityError), transaction.atomic():
            VictimUpdate.objects.create(
                case=row.case, victim=first, event=row.event, kind=row.kind, happened_at=row.happened_at
            )

    def test_a_victim_whom_nobody_assessed_has_the_quick_right(self, story):
        """'Not assessed yet' would be a reason to wait."""
        supervisor, officer, case = story
        add_person(supervisor, case, person=make_person(), role="victim")
        note(officer, case, "charge", "Synthetic.")
        victim = Victim.objects.get()
        assert (victim.entitlement, victim.reason) == ("enhanced", "not_assessed")
        assert victim.updates.count() == 1

    def test_a_victim_who_is_found_late_is_told_where_things_stand(self, story):
        note(story[1], story[2], "arrest", "Synthetic.", at=timezone.now() - 9 * DAY)
        note(story[1], story[2], "bail_set", "Synthetic.", at=timezone.now() - 8 * DAY)
        update = victim_in(story).updates.get()
        clock = Clock.objects.get(subject_type="victims.victimupdate", subject_id=update.pk)
        assert (update.kind, clock.state()) == ("bail_set", "running")

    def test_closing_the_case_is_an_event_and_stops_no_duty_to_tell(self, story):
        """The end of a case would be the moment at which the victim is forgotten."""
        supervisor, officer, case = story
        victim = victim_in(story)
        note(officer, case, "no_further_action", "Synthetic.")
        close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")
        assert {row.kind for row in victim.updates.all()} == {"no_further_action", "case_closed"}
        assert Clock.objects.open().filter(subject_type="victims.victimupdate").count() == 2
        for row in victim.updates.all():
            record_told(supervisor, row, how="telephone")
        assert not Clock.objects.open().filter(subject_type="victims.victimupdate").exists()
        case.refresh_from_db()
        reopen_case(supervisor, case, reason="Synthetic.")
        assert not Clock.objects.open().filter(subject_type="victims.victimupdate").exists()


class TestTelling:
    def test_it_is_logged_with_how_when_and_by_whom_and_no_word_of_it(self, story):
        victim = victim_in(story)
        note(story[1], story[2], "arrest", "Synthetic.", at=timezone.now() - timedelta(hours=2))
        row = record_told(story[1], victim.updates.get(), how="parent", at=timezone.now() - timedelta(hours=1))
        assert (row.told_by, row.how) == (story[1], "parent")
        clock = Clock.objects.get(subject_type="victims.victimupdate", subject_id=row.pk)
        assert view_of(clock).state == "met"
        entry = LedgerEntry.objects.get(verb="victim.told")
        assert (entry.category, entry.recipient) == ("disclosure", victim.reference)
        said = story[2].chronology.filter(kind="victim_contact").get().text
        assert said == f"{victim.reference} was told of: arrest. Through a parent or guardian."
        assert victim.person.family_name not in said

    def test_told_late_stays_late(self, story):
        victim = victim_in(story)
        note(story[1], story[2], "arrest", "Synthetic.", at=timezone.now() - 12 * DAY)
        row = record_told(story[1], victim.updates.get(), how="letter")
        clock = Clock.objects.get(subject_type="victims.victimupdate", subject_id=row.pk)
        assert view_of(clock).state == "met_late"

    def test_refusals_say_why(self, story):
        supervisor, officer, case = story
        victim = victim_in(story)
        note(officer, case, "arrest", "Synthetic.", at=timezone.now() - DAY)
        row = victim.updates.get()
        with pytest.raises(Invalid, match="nobody was told before"):
            record_told(officer, row, how="letter", at=timezone.now() - 2 * DAY)
        with pytest.raises(Invalid, match="no way"):
            record_told(officer, row, how="pigeon")
        with pytest.raises(NotAllowed):
            record_told(make_user(), row, how="letter")
        record_told(supervisor, row, how="letter")
        with pytest.raises(NotPossible, match="was told on"):
            record_told(officer, row, how="letter")
        with pytest.raises(IntegrityError), transaction.atomic():
            VictimUpdate.objects.filter(pk=row.pk).update(how="")


class TestEntitlementAndWish:
    def test_enhanced_makes_what_is_due_due_earlier_and_standard_moves_nothing_back(self, story):
        victim = victim_in(story, "standard", "none")
        note(story[1], story[2], "arrest", "Synthetic.", at=at("2026-10-23 14:00"))
        update = victim.updates.get()
        set_entitlement(story[1], victim, entitlement="enhanced", reason="vulnerable")
        assert due(update) == "Mon 2026-10-26 23:59:59"
        set_entitlement(story[1], victim, entitlement="standard", reason="none")
        assert due(update) == "Mon 2026-10-26 23:59:59"
        assert LedgerEntry.objects.filter(verb="victim.entitlement_set").count() == 2

    @pytest.mark.parametrize(
        "pair", [("standard", "child"), ("enhanced", "none"), ("great", "child"), ("enhanced", "x")]
    )
    def test_an_entitlement_has_its_reason(self, story, pair):
        with pytest.raises(Invalid):
            victim_in(story, *pair)
        victim = victim_in(story)
        with pytest.raises(IntegrityError), transaction.atomic():
            Victim.objects.filter(pk=victim.pk).update(entitlement="standard")

    def test_who_does_not_wish_to_be_told_is_left_in_peace_and_can_come_back(self, story):
        victim = victim_in(story)
        note(story[1], story[2], "arrest", "Synthetic.")
        victim = record_wish(story[1], victim, updates=False, since=date(2026, 11, 1))
        assert (victim.no_updates_since, victim.no_updates_recorded_by) == (date(2026, 11, 1), story[1])
        note(story[1], story[2], "interview", "Synthetic.")
        assert all(row.not_wished_at for row in victim.updates.all())
        assert view_of(Clock.objects.get(rule="vcop_update_enhanced")).state == "not_applicable", "nobody 'met' it"
        assert not Clock.objects.open().filter(subject_type="victims.victimupdate").exists()
        with pytest.raises(NotPossible, match="does not wish"):
            record_told(story[1], victim.updates.first(), how="letter")
        with pytest.raises(NotPossible, match="already"):
            record_wish(story[1], victim, updates=False)
        record_wish(story[1], victim, updates=True)
        note(story[1], story[2], "charge", "Synthetic.")
        assert victim.updates.filter(not_wished_at=None).count() == 1
        with pytest.raises(Invalid, match="future"):
            record_wish(story[1], victim, updates=False, since=timezone.localdate() + DAY)

    def test_a_person_is_a_victim_of_a_case_once(self, story):
        victim = victim_in(story)
        with pytest.raises(NotPossible, match="already"):
            record_victim(story[1], story[2], person=victim.person, entitlement="enhanced", reason="child")


class TestPages:
    def test_the_list_of_what_is_due_and_my_work(self, story, sign_in):
        supervisor, officer, case = story
        victim = victim_in(story)
        note(officer, case, "arrest", "Synthetic.", at=timezone.now() - 12 * DAY)
        note(officer, case, "charge", "Synthetic.")
        assert [one.row.kind for one in due_page(officer)[0]] == ["arrest", "charge"]
        assert [one.row.kind for one in due_page(officer, state="breached", mine=True)[0]] == ["arrest"]
        assert due_page(make_user("supervisor", "SW"))[0] == []
        assert [item.title for item in items_for(officer)] == ["Tell the victim: arrest", "Tell the victim: charge"]
        assert [item.title for item in items_for(supervisor)] == ["Tell the victim: arrest"]
        text = sign_in(officer).get(reverse("victims:index")).content.decode()
        assert victim.reference in text
        assert victim.person.family_name not in text, "the list needs no name"
        page = sign_in(officer).get(reverse("victims:case_victims", args=[case.reference])).content.decode()
        assert "Record that they were told" in page

    def test_the_steps_work_without_javascript(self, story, sign_in):
        supervisor, officer, case = story
        person = make_person()
        add_person(supervisor, case, person=person, role="victim")
        client = sign_in(officer)
        add = reverse("victims:add", args=[case.reference])
        wrong = client.post(add, {"person": person.pk, "entitlement": "standard", "reason": "child"})
        assert "do not go together" in wrong.content.decode()
        assert client.post(add, {"person": person.pk, "entitlement": "standard", "reason": "none"}).status_code == 302
        victim = Victim.objects.get()
        rights = reverse("victims:entitlement", args=[victim.reference])
        assert client.post(rights, {"entitlement": "enhanced", "reason": "targeted"}).status_code == 302
        note(officer, case, "arrest", "Synthetic.")
        told = reverse("victims:told", args=[victim.updates.get().reference])
        assert client.post(told, {"how": "telephone"}).status_code == 302
        assert client.post(reverse("victims:wish", args=[victim.reference]), {}).status_code == 302
        page = client.get(reverse("victims:case_victims", args=[case.reference])).content.decode()
        assert "By telephone" in page
        assert "No, since" in page
