"""The child's own words by day, everybody around the child, and all children of one suspect in one step."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_child, make_person, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.people.models import PossibleLink
from safelight.casework.safeguarding import child_record as cr
from safelight.casework.safeguarding.bulk import OneRefused, linked_children, refer_linked
from safelight.casework.safeguarding.content import compose, sections
from safelight.casework.safeguarding.models import ChildAtRisk, SafeguardingReferral
from safelight.casework.safeguarding.queries import unassessed_around
from safelight.casework.safeguarding.services import (
    record_acknowledgement,
    record_chase,
    record_escalation,
    send_safeguarding_referral,
    update_child,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor():
    return make_user("supervisor")


@pytest.fixture
def case(supervisor):
    return make_case(actor=supervisor)


class TestVoice:
    def test_what_was_said_before_is_never_overwritten(self, supervisor, case):
        """A child's first account would be gone as soon as somebody types the second."""
        child = make_child(case=case)
        cr.add_voice(supervisor, child, words="He hurts me.", heard_by="Teacher", said_on=date(2026, 1, 5))
        update_child(supervisor, child, voice="I am fine.")
        assert [one.words for one in child.voices.all()] == ["I am fine.", "He hurts me."]
        child.refresh_from_db()
        assert child.voice == "I am fine."

    def test_an_older_entry_written_later_does_not_become_the_newest(self, supervisor, case):
        child = make_child(case=case)
        cr.add_voice(supervisor, child, words="Today.", heard_by="Officer")
        cr.add_voice(supervisor, child, words="Last year.", heard_by="Teacher", said_on=date(2025, 5, 5))
        child.refresh_from_db()
        assert child.voice == "Today."

    def test_a_day_ahead_or_before_birth_is_refused(self, supervisor, case):
        child = make_child(case=case)
        for day in (timezone.localdate() + timedelta(days=1), date(2010, 1, 1)):
            with pytest.raises(Invalid) as caught:
                cr.add_voice(supervisor, child, words="x", heard_by="y", said_on=day)
            assert caught.value.field == "said_on"


class TestAround:
    def test_every_adult_around_is_asked_about_not_only_the_suspect(self, supervisor, case):
        """The mother's new partner would live there unasked, because he is not the suspect."""
        child = make_child(case=case)
        suspect = case.people.get(role="suspect").person
        mother = cr.add_around(
            supervisor, child, person={"family_name": "Synthetimother"}, kind="adult", relationship="Mother",
            lives_with=True, responsibility="yes",
        )  # fmt: skip
        assert {one.pk for one in cr.unassessed(child)} == {suspect.pk, mother.person_id}
        cr.assess_around(supervisor, child, around=mother, risk="protective", basis="Synthetic visit.")
        assert [one.pk for one in cr.unassessed(child)] == [suspect.pk]
        assert suspect.name in unassessed_around(case)[0]
        him = cr.add_around(supervisor, child, person=suspect, kind="adult", relationship="Father")
        cr.assess_around(supervisor, child, around=him, risk="risk", basis="Synthetic report.")
        assert unassessed_around(case) == []

    def test_no_assessment_without_its_basis_and_no_person_twice(self, supervisor, case):
        child = make_child(case=case)
        one = cr.add_around(supervisor, child, person={"family_name": "X"}, kind="adult", relationship="Lodger")
        for risk, basis in (("risk", " "), ("not_assessed", "x"), ("nonsense", "x")):
            with pytest.raises(Invalid):
                cr.assess_around(supervisor, child, around=one, risk=risk, basis=basis)
        with pytest.raises(NotPossible):
            cr.add_around(supervisor, child, person=one.person, kind="adult", relationship="Lodger")
        with pytest.raises(NotPossible, match="own record"):
            cr.add_around(supervisor, child, person=child.person, kind="sibling", relationship="x")
        stranger = make_person()
        with pytest.raises(Invalid, match="may see"):
            cr.add_around(supervisor, child, person=stranger, kind="adult", relationship="x")
        with pytest.raises(NotAllowed):
            cr.add_around(make_user("examiner"), child, person={}, kind="adult", relationship="x")

    def test_the_referral_carries_all_of_it_as_it_was(self, supervisor, case):
        """Social care would not learn who else lives there and what the child said."""
        child = make_child(case=case)
        cr.add_voice(supervisor, child, words="Please come.", heard_by="Teacher")
        cr.add_school(supervisor, child, name="Example School", contact="Example Lead")
        cr.add_around(
            supervisor, child, person={"family_name": "Synthetisister", "age": 5}, kind="sibling",
            relationship="Sister", lives_with=True,
        )  # fmt: skip
        content = compose(
            supervisor, case, children=[child], authority="A", recipient="B", concern="C", answers={},
            sent_at=timezone.now(),
        )  # fmt: skip
        said = str(sections(content))
        for words in ("Please come.", "Example School (Example Lead)", "Synthetisister", "lives with the child"):
            assert words in said
        for one in content["children"]:
            for name in ("voices", "schools", "around"):
                del one[name]
        assert sections(content), "what was sent before stays readable"

    def test_the_record_and_its_steps_work_as_pages(self, supervisor, case, sign_in):
        child, client = make_child(case=case), sign_in(supervisor)

        def step(code, **data):
            where = reverse("safeguarding:record_step", args=[child.reference, code])
            assert client.get(where).status_code == 200
            answer = client.post(where, data)
            assert answer.status_code == 302, (code, answer.content.decode()[:4000])

        step("voice", words="Synthetic words.", heard_by="Teacher")
        step("around", family_name="Synthetimother", kind="adult", relationship="Mother", responsibility="yes")
        suspect = case.people.get(role="suspect").person
        step("around", reference=suspect.reference, kind="adult", relationship="Father", responsibility="yes")
        step("assess", around=child.around.first().pk, risk="concern", basis="Synthetic.")
        step("school", name="Example School")
        text = client.get(reverse("safeguarding:record", args=[child.reference])).content.decode()
        for words in ("Synthetic words.", "Synthetimother", "Concern", "Example School", suspect.name):
            assert words in text
        wrong = reverse("safeguarding:record_step", args=[child.reference, "around"])
        data = {"reference": "P-999999", "kind": "adult", "relationship": "x", "responsibility": "no"}
        assert "no such person" in client.post(wrong, data).content.decode()


class TestAllChildrenOfOneSuspect:
    @pytest.fixture
    def story(self, supervisor, case):
        """A suspect at an address with two children, a second record of him elsewhere with a third."""
        suspect = case.people.get(role="suspect").person
        place = {"address": "1 Example Road (synthetic)", "postcode": "ZZ1 1ZZ"}
        for name, value in place.items():
            setattr(suspect, name, value)
        suspect.borough = "Camden"
        suspect.save()
        known = make_child(case=case, person=make_person(born=date(2015, 5, 4), borough="Camden", **place))
        other_case = make_case(actor=supervisor)
        twin = other_case.people.get(role="suspect").person
        elsewhere = make_child(
            case=other_case, borough="Brent", person=make_person(born=date(2013, 1, 1), borough="Brent")
        )
        near = make_person(born=date(2018, 3, 3), borough="Camden", **place)
        other_case.people.create(person=near, role="witness", added_at=timezone.now())
        adult = make_person(born=date(1980, 1, 1), **place)
        other_case.people.create(person=adult, role="associate", added_at=timezone.now())
        PossibleLink.objects.create(
            person=suspect, other=twin, source="safelight", key="1", found_at=timezone.now(), model="x", state="same",
            reason="Synthetic.", decided_at=timezone.now(), decided_by=supervisor,
        )  # fmt: skip
        return suspect, known.person, near, elsewhere.person, adult

    def test_household_cases_and_the_same_mans_other_record_are_found_and_no_adult(self, story, supervisor, case):
        suspect, known, near, elsewhere, adult = story
        found = {one.person: one for one in linked_children(supervisor, case, suspect)}
        assert set(found) == {known, near, elsewhere}
        assert found[near].home
        assert found[known].child is not None
        assert adult not in found

    def test_each_child_gets_a_row_a_clock_and_a_referral_to_its_own_authority(self, story, supervisor, case):
        suspect, *children, _ = story
        lines = refer_linked(
            supervisor, case, suspect=suspect, people=children, recipient="Duty desk", concern="Synthetic."
        )
        assert all(line.sent for line in lines)
        rows = ChildAtRisk.objects.filter(case=case)
        assert {row.person for row in rows} == set(children)
        for row in rows.exclude(person=children[0]):  # the first was made without its clock, by the factory
            clock = Clock.objects.get(rule="police_referral_to_csc", subject_id=row.pk)
            assert clock.stopped_at is not None
        sent = SafeguardingReferral.objects.filter(case=case)
        assert sent.count() == 3
        assert set(sent.values_list("authority", flat=True)) == {
            "Camden children's social care", "Brent children's social care",
        }  # fmt: skip
        again = refer_linked(
            supervisor, case, suspect=suspect, people=children, recipient="Duty desk", concern="Synthetic."
        )
        assert all(line.sent is None and "Told already" in line.words for line in again)

    def test_all_or_nothing_writes_nothing_and_line_by_line_tells_of_the_others(self, story, supervisor, case):
        """One wrong record would leave the others untold, or half of them told without anyone knowing which."""
        suspect, *children, _ = story
        stranger = make_person(born=date(2016, 1, 1), family_name="Syntheticstranger")
        asked = {"suspect": suspect, "people": [*children, stranger], "recipient": "Duty", "concern": "Synthetic."}
        with pytest.raises(OneRefused, match="Syntheticstranger"), transaction.atomic():
            refer_linked(supervisor, case, **asked)
        assert not SafeguardingReferral.objects.filter(case=case).exists()
        lines = refer_linked(supervisor, case, **asked, all_or_nothing=False)
        assert [line.sent is not None for line in lines] == [True, True, True, False]
        assert "not linked" in lines[-1].words

    def test_what_the_reader_may_not_see_is_not_found(self, story, case):
        """The list would show children of a restricted or foreign case."""
        suspect, known, *_ = story
        case.restricted = True
        case.save()
        outsider = make_user("supervisor", "SW")
        assert [one.person for one in linked_children(outsider, make_case(unit="SW"), suspect)] == []

    def test_the_page_shows_why_and_sends(self, story, supervisor, case, sign_in):
        suspect, *children, _ = story
        client, where = sign_in(supervisor), reverse("safeguarding:bulk", args=[case.reference])
        text = client.get(where).content.decode()
        for person in children:
            assert person.name in text
        data = {
            "people": [one.reference for one in children],
            "recipient": "Duty",
            "concern": "Synthetic.",
            "together": "on",
        }
        assert client.post(where, data).status_code == 302
        assert SafeguardingReferral.objects.filter(case=case).count() == 3


def test_silence_is_chased_then_escalated_and_never_after_a_decision(supervisor, case) -> None:
    """A referral without an answer would be chased for ever, and nobody above would hear of it."""
    child = make_child(case=case)
    sent = send_safeguarding_referral(
        supervisor, case, children=[child], authority="Camden", recipient="Duty", concern="Synthetic."
    )
    with pytest.raises(NotPossible, match="not chased"):
        record_escalation(supervisor, sent, to="Director", text="Synthetic.")
    record_chase(supervisor, sent)
    up = record_escalation(supervisor, sent, to="Director", text="Synthetic.")
    assert up.escalated_to == "Director"
    assert Clock.objects.open().filter(rule="csc_referral_no_reply_chase", subject_id=sent.pk).count() == 1
    record_acknowledgement(supervisor, sent, by="Worker", decision="section_47")
    with pytest.raises(NotPossible, match="decided"):
        record_escalation(supervisor, sent, to="Director", text="Synthetic.")


def test_two_chases_without_an_answer_put_the_escalation_before_who_must_do_it(supervisor, case, sign_in) -> None:
    """The third telephone call would be made to the same desk that did not answer the first two."""
    child = make_child(case=case)
    sent = send_safeguarding_referral(
        supervisor, case, children=[child], authority="Camden", recipient="Duty", concern="Synthetic."
    )
    record_chase(supervisor, sent)
    client = sign_in(supervisor)
    assert "Escalate social care" not in client.get(reverse("work:home")).content.decode()
    record_chase(supervisor, sent)
    assert "Escalate social care" in client.get(reverse("work:home")).content.decode()
    where = reverse("safeguarding:escalate", args=[sent.reference])
    assert client.get(where).status_code == 200
    assert client.post(where, {"to": "Director", "text": "Synthetic."}).status_code == 302
    assert "Escalate social care" not in client.get(reverse("work:home")).content.decode()
