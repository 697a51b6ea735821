"""The pages of handing over, conflicts and complexity, as people meet them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_user

from safelight.casework.allocation.conflicts import declare
from safelight.casework.allocation.models import Allocation, Conflict
from safelight.casework.allocation.together import propose_for
from safelight.casework.allocation.weights import points_of_case
from safelight.casework.cases.models import Case
from safelight.casework.workforce.time_and_place import record_absence

pytestmark = pytest.mark.django_db


@pytest.fixture
def story():
    supervisor, holder, taker = make_user("supervisor"), make_user(skills=[SKILL]), make_user(skills=[SKILL])
    cases = [make_case(actor=supervisor) for _ in range(3)]
    for case in cases:
        make_allocation(case, holder, supervisor)
    record_absence(supervisor, user=holder, kind="long", from_day=timezone.localdate())
    return supervisor, holder, taker, cases


class TestHandingOver:
    def test_the_page_names_whose_cases_wait_and_leads_to_the_form(self, story, sign_in):
        """Otherwise the supervisor learns of an absence from the suspect's solicitor."""
        supervisor, holder, _, cases = story
        text = sign_in(supervisor).get(reverse("allocation:handing_over")).content.decode()
        assert f"{holder}: 3 cases" in text
        assert all(case.reference in text for case in cases)
        assert reverse("allocation:hand_over", args=[holder.username]) in text

    def test_those_that_wait_are_ticked_and_one_click_moves_each_as_suggested(self, story, sign_in):
        supervisor, holder, taker, cases = story
        client, address = sign_in(supervisor), reverse("allocation:hand_over", args=[holder.username])
        text = client.get(address).content.decode()
        assert text.count(" checked") >= 3
        assert f"Suggested: {taker}" in text
        data = {"cases": [case.pk for case in cases[:2]], "taker": "suggested", "code": "absent", "reason": "Away."}
        assert client.post(address, data).status_code == 302
        moved = Allocation.objects.filter(ended_at=None, investigator=taker)
        assert {row.case for row in moved} == set(cases[:2])
        assert all(row.suggested and "carries" in row.reason for row in moved)
        assert Case.objects.get(pk=cases[2].pk).investigator == holder

    def test_one_click_moves_a_case_that_waits_with_the_code_of_why_it_waits(self, story, sign_in):
        supervisor, holder, taker, cases = story
        client = sign_in(supervisor)
        text = client.get(reverse("allocation:allocate", args=[cases[0].reference])).content.decode()
        assert f"Move it to {taker}" in text
        assert "the investigator is absent" in text
        data = {"investigator": taker.pk, "code": "absent"}
        assert client.post(reverse("allocation:accept", args=[cases[0].reference]), data).status_code == 302
        ended = Allocation.objects.get(case=cases[0], investigator=holder)
        assert ended.end_code == "absent"
        assert Case.objects.get(pk=cases[0].pk).investigator == taker
        other = client.get(reverse("allocation:allocate", args=[cases[0].reference])).content.decode()
        assert "Move it to" not in other, "nothing waits any more: a move needs its reason"

    def test_a_named_taker_takes_all_and_a_refusal_stands_on_the_form(self, story, sign_in):
        supervisor, holder, taker, cases = story
        client, address = sign_in(supervisor), reverse("allocation:hand_over", args=[holder.username])
        data = {"cases": [case.pk for case in cases], "taker": make_user().pk, "code": "absent", "reason": "Away."}
        answer = client.post(address, data)
        assert answer.status_code == 200
        assert "does not hold the skill" in answer.content.decode()
        assert client.post(address, {**data, "taker": taker.pk}).status_code == 302
        assert Allocation.objects.filter(ended_at=None, investigator=taker).count() == 3
        assert client.get(address).status_code == 404, "nothing is left to move"

    def test_what_nobody_can_take_is_named_and_nothing_moves(self, story, sign_in):
        supervisor, holder, taker, cases = story
        suspect = cases[0].people.get(role="suspect").person
        declare(supervisor, user=taker, reference=suspect.reference, reason="Synthetic.")
        data = {"cases": [case.pk for case in cases], "taker": "suggested", "code": "absent", "reason": "Away."}
        address = reverse("allocation:hand_over", args=[holder.username])
        answer = sign_in(supervisor).post(address, data)
        assert f"Nobody is suggested for {cases[0].reference}" in answer.content.decode()
        assert Allocation.objects.filter(ended_at=None, investigator=holder).count() == 3

    def test_whoever_goes_within_days_is_not_proposed(self, story):
        """Otherwise the cases change hands twice in a week."""
        supervisor, _, taker, cases = story
        soon = timezone.localdate() + timedelta(days=3)
        record_absence(supervisor, user=taker, kind="training", from_day=soon, until_day=soon)
        assert {one.investigator for one in propose_for(supervisor.unit, cases)} == {taker}, "a single day"
        other = make_user(skills=[SKILL])
        record_absence(supervisor, user=other, kind="leave", from_day=soon)
        assert {one.investigator for one in propose_for(supervisor.unit, cases)} == {taker}

    def test_queries_do_not_grow_with_the_cases(self, story, sign_in, django_assert_max_num_queries):
        supervisor, holder, _, _ = story
        for _ in range(6):
            make_allocation(make_case(actor=supervisor), make_user(skills=[SKILL]), supervisor)
        client = sign_in(supervisor)
        with django_assert_max_num_queries(30):
            assert client.get(reverse("allocation:handing_over")).status_code == 200
        with django_assert_max_num_queries(44):
            assert client.get(reverse("allocation:hand_over", args=[holder.username])).status_code == 200


class TestConflicts:
    def test_an_officer_declares_and_reads_no_reason_a_supervisor_reads_and_ends_it(self, story, sign_in):
        supervisor, _, taker, cases = story
        data = {"reference": cases[0].reference, "reason": "Private kinship."}
        assert sign_in(taker).post(reverse("allocation:conflict_new"), data).status_code == 302
        row = Conflict.objects.get()
        assert (row.user, row.case) == (taker, cases[0])
        own = sign_in(taker).get(reverse("allocation:conflicts")).content.decode()
        assert cases[0].reference in own
        assert "Private" not in own
        read = sign_in(supervisor).get(reverse("allocation:conflicts")).content.decode()
        assert "Private kinship." in read
        assert sign_in(taker).get(reverse("cases:detail", args=[cases[0].reference])).status_code == 404
        end = reverse("allocation:conflict_end", args=[row.pk])
        assert sign_in(supervisor).post(end, {"reason": "A namesake."}).status_code == 302
        assert sign_in(supervisor).get(end).status_code == 404

    def test_what_a_supervisor_declared_about_an_officer_is_not_told_to_the_officer(self, story, sign_in):
        """Otherwise the list tells an officer that their cousin is known to the police."""
        supervisor, _, taker, cases = story
        suspect = cases[0].people.get(role="suspect").person
        data = {"user": taker.pk, "reference": suspect.reference, "reason": "Synthetic."}
        assert sign_in(supervisor).post(reverse("allocation:conflict_new"), data).status_code == 302
        assert suspect.reference not in sign_in(taker).get(reverse("allocation:conflicts")).content.decode()
        assert suspect.reference in sign_in(supervisor).get(reverse("allocation:conflicts")).content.decode()

    def test_a_wrong_reference_stands_beside_its_box(self, story, sign_in):
        answer = sign_in(story[2]).post(reverse("allocation:conflict_new"), {"reference": "C-999", "reason": "x"})
        assert "There is no case or person with this reference" in answer.content.decode()


def test_complexity_is_recorded_with_its_points(story, sign_in):
    supervisor, _, _, cases = story
    client, address = sign_in(supervisor), reverse("allocation:complexity", args=[cases[0].reference])
    assert "very complex 10" in client.get(address).content.decode()
    assert client.post(address, {"level": "complex", "reason": "Nine devices."}).status_code == 302
    assert points_of_case(cases[0]) == 7
    assert "is recorded so already" in client.post(address, {"level": "complex", "reason": "x"}).content.decode()


def test_a_sensitive_reason_is_for_supervisors_on_the_page_of_the_case(story, sign_in):
    """Otherwise the next investigator reads why the last one could not go on."""
    supervisor, _, taker, cases = story
    address = reverse("allocation:allocate", args=[cases[0].reference])
    data = {"investigator": taker.pk, "code": "safety", "reason": "Threats at home.", "sensitive": "on"}
    assert sign_in(supervisor).post(address, data).status_code == 302
    page = reverse("cases:detail", args=[cases[0].reference])
    assert "Threats" not in sign_in(taker).get(page).content.decode()
    assert "Threats at home." in sign_in(supervisor).get(page).content.decode()
