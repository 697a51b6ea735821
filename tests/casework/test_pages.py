"""Every page of cases, allocation, supervision, clocks, ledger, accounts, skills and work, as each role meets it."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_referral, make_unit, make_user

from safelight.casework.cases.models import Case
from safelight.casework.cases.services import record_live_contact
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import place_hold, start_clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.ledger.services import seal

pytestmark = pytest.mark.django_db
PASSED = timezone.now() - timedelta(days=3)
ROLES = ("referral_desk", "investigator", "supervisor", "examiner", "administrator")


def at(page: str, case: Case | None = None, **kwargs) -> str:
    return reverse(page, kwargs={"reference": case.reference, **kwargs} if case else kwargs or None)


@pytest.fixture
def story():
    """A case with a child past its clock, held too, an investigator and a supervisor."""
    supervisor = make_user("supervisor")
    case = make_case(actor=supervisor, referral=make_referral(received_at=PASSED, recorded_at=PASSED), days_ago=40)
    investigator = make_user(skills=[SKILL])
    make_allocation(case, investigator, supervisor)
    child = make_child(case=case)
    clock = start_clock(
        supervisor, "police_referral_to_csc", child, triggered_at=PASSED, case=case, unit=case.unit, owner=investigator
    )
    place_hold(supervisor, clock, reason="Synthetic arrest tonight.", hours=6)
    case.refresh_from_db()
    return case, supervisor, investigator, child


class TestWhoSeesWhat:
    PAGES = ("cases:detail", "cases:chronology", "cases:clocks", "cases:ledger")

    def test_each_tab_opens_and_is_recorded_for_those_who_work_the_case(self, story, sign_in):
        """Otherwise a tab is broken at 2 a.m., or a look leaves no trace."""
        case, supervisor, investigator, _ = story
        for user in (supervisor, investigator, make_user("referral_desk")):
            for page in self.PAGES:
                before = LedgerEntry.objects.filter(verb="case.viewed", actor=user).count()
                answer = sign_in(user).get(at(page, case))
                assert answer.status_code == 200, (page, user.role)
                assert case.title in answer.content.decode()
                assert LedgerEntry.objects.filter(verb="case.viewed", actor=user).count() == before + 1

    def test_another_units_investigator_meets_404_not_403(self, story, sign_in):
        """Otherwise guessing references tells which cases exist."""
        case = story[0]
        client = sign_in(make_user("investigator", "SW"))
        for page in self.PAGES:
            assert client.get(at(page, case)).status_code == 404

    def test_an_administrator_sees_no_case_content_on_any_page(self, story, sign_in):
        """Otherwise whoever runs the machine reads about children."""
        case, _, _, child = story
        client = sign_in(make_user("administrator"))
        secrets = [case.reference, case.title, child.person.family_name, child.reference]
        secrets += [link.person.family_name for link in case.people.all()]
        open_to_them = 0
        lists = ("work:home", "cases:index", "supervision:board", "clocks:index", "ledger:index")
        for page in (*lists, "accounts:index", "workforce:index"):
            answer = client.get(at(page))
            open_to_them += answer.status_code == 200
            assert answer.status_code in (200, 403)
            for secret in secrets:
                assert secret not in answer.content.decode(), page
        assert open_to_them == 4, "work, ledger, accounts and skills"
        for page in self.PAGES:
            assert client.get(at(page, case)).status_code in (403, 404)
        for entry in LedgerEntry.objects.filter(case_key=case.pk):
            assert client.get(at("ledger:entry", pk=entry.pk)).status_code == 404

    def test_a_supervisor_reads_the_ledger_of_the_own_units_cases_only(self, story, sign_in):
        case = story[0]
        other = make_case(unit="SW", actor=make_user("supervisor", "SW"))
        text = sign_in(story[1]).get(at("ledger:index")).content.decode()
        assert case.reference in text
        assert other.reference not in text

    def test_nobody_gets_anything_without_signing_in(self, story, client):
        for page in ("work:home", "cases:index", "ledger:index", "accounts:index"):
            answer = client.get(at(page))
            assert answer.status_code == 302
            assert answer.url.startswith(reverse("account_login"))


class TestLists:
    @pytest.mark.parametrize("role", ROLES[:4])
    def test_the_case_index_says_what_to_do_when_it_is_empty(self, role, sign_in):
        text = sign_in(make_user(role)).get(at("cases:index")).content.decode()
        assert "There is no open case" in text

    def test_filters_stand_in_the_address_and_find_what_they_say(self, story, sign_in):
        """Otherwise a link to 'our breached cases' shows something else tomorrow."""
        case, supervisor, investigator, _ = story
        spare = make_case(actor=supervisor, risk="low")
        client = sign_in(supervisor)

        def found(query: str) -> set[str]:
            text = client.get(at("cases:index") + query).content.decode()
            return {one.reference for one in (case, spare) if f"{one.reference} {one.title}" in text}

        assert found("") == {case.reference, spare.reference}
        assert found("?unallocated=1") == {spare.reference}
        assert found("?breached=1") == {case.reference}
        assert found("?stage=children") == {case.reference}
        assert found("?risk=low&unit=CN") == {spare.reference}
        make_unit("SW")
        assert found("?unit=SW") == set()
        assert found("?status=closed") == set()
        assert found("?unit=%27%22&stage=nonsense&before=abc") == {case.reference, spare.reference}
        text = sign_in(investigator).get(at("cases:index") + "?mine=1").content.decode()
        assert case.reference in text
        assert spare.reference not in text

    def test_pages_follow_each_other_without_gap_or_repeat(self, sign_in):
        supervisor = make_user("supervisor")
        cases = [make_case(actor=supervisor) for _ in range(3)]
        from safelight.casework.cases.queries import Filters, case_page

        first = case_page(supervisor, Filters(), size=2)
        second = case_page(supervisor, Filters(), before=first.before, size=2)
        assert [row.case for row in (*first.rows, *second.rows)] == cases[::-1]
        assert second.before is None

    def test_queries_do_not_grow_with_the_number_of_cases(self, sign_in, django_assert_max_num_queries):
        """Otherwise the list takes seconds at a thousand cases, as in other case tools."""
        supervisor = make_user("supervisor")
        cases = [make_case(actor=supervisor, days_ago=60) for _ in range(6)]
        for case in cases[:3]:
            make_allocation(case, actor=supervisor)
            child = make_child(case=case)
            start_clock(supervisor, "police_referral_to_csc", child, triggered_at=PASSED, case=case, unit=case.unit)
        client = sign_in(supervisor)
        for page, most in (
            ("cases:index", 17),
            ("supervision:board", 38),
            ("work:home", 64),
            ("clocks:index", 14),
            ("ledger:index", 14),
            ("workforce:index", 12),
        ):
            with django_assert_max_num_queries(most):
                assert client.get(at(page)).status_code == 200
        with django_assert_max_num_queries(44):
            assert client.get(at("cases:detail", cases[0])).status_code == 200


class TestCasePage:
    def test_banners_shout_what_must_not_be_missed(self, story, sign_in):
        case, supervisor, _, _ = story
        record_live_contact(supervisor, case, contact=True, how_known="Synthetic chat today.")
        text = sign_in(supervisor).get(at("cases:detail", case)).content.decode()
        assert "Live contact with a child" in text
        assert "Synthetic chat today." in text
        assert "On hold until" in text
        assert "The clock runs on." in text
        fresh = make_case(actor=supervisor)
        assert "Unallocated" in sign_in(supervisor).get(at("cases:detail", fresh)).content.decode()

    def test_a_note_is_written_and_a_mistake_is_shown_beside_its_field(self, story, sign_in):
        case, _, investigator, _ = story
        client = sign_in(investigator)
        wrong = client.post(at("cases:chronology", case), {"kind": "arrest", "text": ""})
        assert wrong.status_code == 200
        assert "There is a problem" in wrong.content.decode()
        right = client.post(at("cases:chronology", case), {"kind": "arrest", "text": "Synthetic arrest."})
        assert right.status_code == 302
        assert "Synthetic arrest." in client.get(at("cases:chronology", case)).content.decode()

    def test_a_breached_clock_under_a_hold_reads_as_both(self, story, sign_in):
        """Otherwise a hold would hide that a child is past its clock."""
        case, supervisor, _, _ = story
        for page in (at("cases:clocks", case), at("supervision:board")):
            text = sign_in(supervisor).get(page).content.decode()
            assert "Breached" in text
            assert "n hold" in text

    def test_steps_work_without_javascript(self, story, sign_in):
        case, supervisor, _, _ = story
        client = sign_in(supervisor)
        assert client.get(at("cases:risk", case)).status_code == 200
        done = client.post(
            at("cases:risk", case), {"risk": "very_high", "assessed_by": "Example Assessor", "tool": "Synthetic 2.0"}
        )
        assert done.status_code == 302
        assert Case.objects.get(pk=case.pk).risk_source == "Synthetic 2.0, assessed by Example Assessor"
        assert client.post(at("cases:live_contact", case), {"how_known": "Synthetic."}).status_code == 302
        assert Case.objects.get(pk=case.pk).live_contact
        answer = client.post(at("cases:close", case), {"outcome": "no_suspect", "note": "Synthetic."})
        assert answer.status_code == 200
        text = answer.content.decode()
        assert "cannot be closed yet" in text
        assert reverse("cases:settle", args=[case.reference, "safeguarding"]) in text
        settled = client.post(at("cases:settle", case, area="safeguarding"), {"reason": "Synthetic."})
        assert settled.status_code == 302
        assert client.get(at("cases:settle", case, area="nonsense")).status_code == 404
        assert client.get(at("cases:access", case)).status_code == 200
        client.post(at("cases:live_contact", case), {"how_known": "Ended, synthetic."})
        assert client.post(at("cases:close", case), {"outcome": "no_suspect", "note": "Synthetic."}).status_code == 302
        assert "Closed" in client.get(at("cases:detail", case)).content.decode()
        assert client.get(at("cases:close", case)).status_code == 302
        assert client.post(at("cases:reopen", case), {"reason": "New."}).status_code == 302
        assert Case.objects.get(pk=case.pk).status == "open"

    def test_a_case_opens_from_its_referral_with_the_unit_suggested_from_the_borough(self, sign_in):
        from tests.casework.factories import make_contact_check

        referral = make_referral(unit=None, borough="Lambeth")
        make_unit("AS")
        client = sign_in(make_user("referral_desk"))
        where = f"{reverse('cases:open')}?referral={referral.reference}"
        assert client.get(where).status_code == 302, "the contact check comes first"
        make_contact_check(referral)
        page = client.get(where)
        assert page.status_code == 200
        assert '<option value="AS" selected' in page.content.decode()
        data = {
            "title": "Synthetic lamp",
            "unit": "AS",
            "borough": "Lambeth",
            "risk": "not_assessed",
            "required_skill": SKILL,
        }
        assert client.post(where, {**data, "risk": "high"}).status_code == 200, "nobody is named as the assessor"
        assert client.post(where, data).status_code == 302
        case = Case.objects.get(title="Synthetic lamp")
        assert (case.unit.code, case.risk) == ("AS", "")
        assert client.get(where).status_code == 302, "it has a case already"
        assert client.get(reverse("cases:open")).status_code == 404

    def test_a_reviewer_without_the_right_meets_403_and_a_get_never_writes_one(self, story, sign_in):
        case, _, investigator, _ = story
        client = sign_in(investigator)
        for page in ("cases:close", "cases:reopen", "cases:access", "allocation:allocate", "supervision:review"):
            assert client.get(at(page, case)).status_code == 403
        assert client.get(at("allocation:accept", case)).status_code == 405


class TestAllocationPages:
    def test_one_click_takes_the_suggestion_with_its_reason(self, sign_in):
        supervisor = make_user("supervisor")
        case, person = make_case(actor=supervisor), make_user(skills=[SKILL])
        client = sign_in(supervisor)
        text = client.get(at("allocation:allocate", case)).content.decode()
        assert f"{person} holds" in text
        assert client.post(at("allocation:accept", case), {"investigator": person.pk}).status_code == 302
        row = case.allocations.get()
        assert (row.investigator, row.suggested) == (person, True)
        assert "carries 0.0 points" in row.reason

    def test_a_stale_or_forged_choice_allocates_nobody(self, sign_in):
        supervisor = make_user("supervisor")
        case = make_case(actor=supervisor)
        client = sign_in(supervisor)
        for chosen in (make_user().pk, "x", "", "9" * 30):
            assert client.post(at("allocation:accept", case), {"investigator": chosen}).status_code == 302
        assert not case.allocations.exists()

    def test_moving_needs_a_coded_reason(self, story, sign_in):
        case, supervisor, _, _ = story
        other = make_user(skills=[SKILL])
        client = sign_in(supervisor)
        assert client.get(at("allocation:allocate", case)).status_code == 200
        data = {"investigator": other.pk, "reason": "Synthetic."}
        assert client.post(at("allocation:allocate", case), data).status_code == 200
        assert client.post(at("allocation:allocate", case), {**data, "code": "absent"}).status_code == 302
        assert Case.objects.get(pk=case.pk).investigator == other
        assert client.get(at("allocation:end", case)).status_code == 200
        assert client.post(at("allocation:end", case), {"reason": "Synthetic."}).status_code == 302
        assert Case.objects.get(pk=case.pk).investigator is None


class TestOthers:
    def test_my_work_puts_live_contact_and_unallocated_cases_before_everything(self, story, sign_in):
        case, supervisor, investigator, _ = story
        record_live_contact(supervisor, case, contact=True, how_known="Synthetic.")
        waiting = make_case(actor=supervisor)
        text = sign_in(supervisor).get(at("work:home")).content.decode()
        first = text.index("Before everything else")
        assert first < text.index("Live contact with a child: act now")
        assert waiting.reference in text
        assert "act now" in sign_in(investigator).get(at("work:home")).content.decode()
        assert sign_in(investigator).get("/").url == reverse("work:home")

    @pytest.mark.parametrize("role", ROLES)
    def test_my_work_opens_for_every_role(self, role, sign_in):
        assert sign_in(make_user(role)).get(at("work:home")).status_code == 200

    def test_review_form_records_and_starts_the_next_clock(self, story, sign_in):
        case, supervisor, _, _ = story
        client = sign_in(supervisor)
        assert client.get(at("supervision:review", case)).status_code == 200
        day = timezone.localdate() + timedelta(days=3)
        words = dict.fromkeys(("plan", "safeguarding", "devices", "victim", "next_action"), "Synthetic.")
        more = {"children_safe": "not_known", "owner": supervisor.pk}
        parts = {"next_action_by-day": day.day, "next_action_by-month": day.month, "next_action_by-year": day.year}
        assert client.post(at("supervision:review", case), {**words, **more, **parts}).status_code == 302
        assert Clock.objects.open().get(case=case, rule="supervisor_review").stage == "next"

    def test_hold_and_lift(self, story, sign_in):
        case, supervisor, investigator, _ = story
        child = make_child(case=case)
        clock = start_clock(supervisor, "police_referral_to_csc", child, case=case, unit=case.unit)
        client = sign_in(supervisor)
        assert client.get(at("clocks:hold", pk=clock.pk)).status_code == 200
        bad = client.post(at("clocks:hold", pk=clock.pk), {"reason": "Synthetic.", "hours": 25})
        assert bad.status_code == 200
        done = client.post(at("clocks:hold", pk=clock.pk), {"reason": "Synthetic.", "hours": 2})
        assert done.status_code == 302
        assert client.get(at("clocks:lift", pk=clock.pk)).status_code == 200
        assert client.post(at("clocks:lift", pk=clock.pk)).status_code == 302
        assert not clock.holds.filter(lifted_at=None).exists()
        assert sign_in(investigator).get(at("clocks:hold", pk=clock.pk)).status_code == 403
        assert sign_in(make_user("supervisor", "SW")).get(at("clocks:hold", pk=clock.pk)).status_code == 404

    def test_ledger_entry_with_its_proof(self, story, sign_in):
        seal()
        entry = LedgerEntry.objects.filter(case_key=story[0].pk).first()
        client = sign_in(story[1])
        text = client.get(at("ledger:entry", pk=entry.pk) + "?proof=1").content.decode()
        assert "leaf_index" in text
        assert client.post(at("ledger:verify")).status_code == 302
        for query in ("?verb=case.viewed&category=consultation", "?actor=nobody", "?before=x&verb=nonsense"):
            assert client.get(at("ledger:index") + query).status_code == 200

    def test_a_first_password_is_drawn_and_never_chosen(self, sign_in):
        """An administrator would give everybody the same word, and know it for ever."""
        make_unit("CN")
        client = sign_in(make_user("administrator"))
        data = {"username": "New.Person", "name": "New Person (synthetic)", "role": "investigator", "unit": "CN"}
        page = client.post(
            at("accounts:create"), {**data, "password": "chosen", "with_password": "on"}
        ).content.decode()
        drawn = re.search(r"<code[^>]*>([a-z2-9]{5}(?:-[a-z2-9]{5}){3})</code>", page)[1]
        made = get_user_model().objects.get(username="new.person")
        assert made.check_password(drawn) and made.given_password_until is not None
        assert client.post(at("accounts:create"), data).status_code == 200, "taken"
        assert "new.person" in client.get(at("accounts:index") + "?role=investigator").content.decode()

    def test_skills_are_recorded_by_supervisors_for_their_own_unit(self, sign_in):
        supervisor, person, other = make_user("supervisor"), make_user(), make_user(unit="SW")
        client = sign_in(supervisor)
        assert client.get(at("workforce:record")).status_code == 200
        start = {"valid_from-day": 1, "valid_from-month": 1, "valid_from-year": 2026, "skill": SKILL}
        assert client.post(at("workforce:record"), {**start, "user": person.pk}).status_code == 302
        assert client.post(at("workforce:record"), {**start, "user": other.pk}).status_code == 200
        assert not other.accreditations.exists()
        text = client.get(at("workforce:index")).content.decode()
        assert person.name in text
        assert other.name not in text
