"""Past cases examined again: a frozen set, other eyes, every case answered, and a missed child protected at once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import close_case, note
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.casework.rereview import services
from safelight.casework.rereview.choosing import Criteria, references_in
from safelight.casework.rereview.models import Entry, ReReview
from safelight.casework.rereview.queries import progress_of, results_of
from safelight.casework.rereview.questions import QUESTIONS

pytestmark = pytest.mark.django_db
NOTHING = {one.field: "no" for one in QUESTIONS}


def soon() -> date:
    return timezone.localdate() + timedelta(days=14)


def closed(supervisor, investigator=None, outcome: str = "no_suspect", **fields) -> Case:
    case = make_case(actor=supervisor, **fields)
    if investigator is not None:
        make_allocation(case, investigator, supervisor)
    close_case(supervisor, case, outcome=outcome, note="Synthetic.")
    return Case.objects.get(pk=case.pk)


def frozen(actor, *cases, **criteria) -> ReReview:
    given = {"references": tuple(case.reference for case in cases)} if cases else criteria
    return services.freeze(
        actor,
        title="Synthetic set",
        why="officer",
        reason="Synthetic reason.",
        criteria=Criteria(**given),
        due_on=soon(),
    )


@pytest.fixture
def chief():
    return make_user("chief_officer", None)


def given_to(row: ReReview, actor, reviewer) -> Entry:
    services.assign(actor, row, reviewers=[reviewer])
    return row.entries.get()


def test_a_set_is_chosen_by_officer_outcome_and_time(chief) -> None:
    supervisor, removed = make_user("supervisor"), make_user(skills=[SKILL])
    mine = closed(supervisor, removed)
    closed(supervisor, make_user(skills=[SKILL]))
    still_open = make_case(actor=supervisor)
    make_allocation(still_open, removed, supervisor)
    assert [one.case for one in frozen(chief, officer=removed).entries.all()] == [mine]
    both = frozen(chief, officer=removed, status="all")
    assert {one.case for one in both.entries.all()} == {mine, still_open}
    today = timezone.localdate()
    assert frozen(chief, officer=removed, first=today, last=today).entries.count() == 1
    with pytest.raises(Invalid, match="No case"):
        frozen(chief, officer=removed, last=today - timedelta(days=3))
    with pytest.raises(Invalid, match="No case"):
        frozen(chief, officer=removed, outcome="charged")


def test_the_set_is_frozen_in_the_ledger_and_takes_nothing_more(chief) -> None:
    """Whoever leads could drop the case that looks worst."""
    supervisor = make_user("supervisor")
    first, second = closed(supervisor), closed(supervisor)
    row = frozen(chief, unit=supervisor.unit)
    entry = LedgerEntry.objects.get(verb="rereview.frozen")
    assert entry.payload["references"] == [first.reference, second.reference]
    assert entry.payload["sha256"] == row.digest
    assert "Synthetic reason" not in str(entry.payload)
    closed(supervisor)
    assert row.entries.count() == 2


def test_a_case_that_the_chooser_may_not_see_is_not_named(chief) -> None:
    supervisor = make_user("supervisor")
    hidden = closed(supervisor, restricted=True)
    with pytest.raises(Invalid, match="that you may see"):
        frozen(chief, hidden)
    with pytest.raises(Invalid, match="No case"):
        frozen(chief, unit=supervisor.unit)
    assert frozen(supervisor, hidden).entries.count() == 1


@pytest.mark.parametrize("text", ["C-1", "c-000001 x", "O-000001", "hello"])
def test_a_list_of_references_says_what_is_none(text) -> None:
    with pytest.raises(Invalid, match="not a reference"):
        references_in(text)


def test_references_are_taken_once_in_any_shape() -> None:
    assert references_in("c-000002, C-000001;C-000002\n\n") == ("C-000002", "C-000001")


def test_nobody_examines_the_own_work(chief) -> None:
    """The officer whose work is in question would find nothing wrong with it."""
    supervisor, worked, wrote = make_user("supervisor"), make_user(skills=[SKILL]), make_user()
    case = make_case(actor=supervisor)
    make_allocation(case, worked, supervisor)
    note(wrote, case, "enquiry", "Synthetic.")
    close_case(supervisor, case, outcome="no_suspect", note="Synthetic.")
    row = frozen(chief, case)
    assert services.assign(chief, row, reviewers=[worked, wrote, supervisor]) == {"given": 0, "left": 1}
    other = make_user("investigator", "SW")
    assert services.assign(chief, row, reviewers=[worked, other]) == {"given": 1, "left": 0}
    entry = row.entries.get()
    assert entry.reviewer == other
    with pytest.raises(Invalid, match="worked on"):
        services.move(chief, entry, reviewer=worked)
    assert Notice.objects.filter(user=other, kind="rereview.given").exists()


def test_cases_are_spread_evenly(chief) -> None:
    supervisor = make_user("supervisor")
    row = frozen(chief, *(closed(supervisor) for _ in range(5)))
    people = [make_user("investigator", "SW"), make_user("supervisor", "SW")]
    services.assign(chief, row, reviewers=people)
    assert sorted(row.entries.filter(reviewer=one).count() for one in people) == [2, 3]


def test_a_reviewer_of_another_unit_sees_the_case_while_it_is_examined(chief) -> None:
    supervisor, other = make_user("supervisor"), make_user("investigator", "SW")
    case = closed(supervisor)
    assert not Case.objects.visible_to(other).filter(pk=case.pk).exists()
    entry = given_to(frozen(chief, case), chief, other)
    assert Case.objects.visible_to(other).filter(pk=case.pk).exists()
    services.answer(other, entry, answers=NOTHING, text="Read it all.", action="none")
    services.close(chief, entry.rereview, conclusion="Nothing was missed.")
    assert not Case.objects.visible_to(other).filter(pk=case.pk).exists()


def test_a_restricted_case_is_lent_to_nobody() -> None:
    supervisor, other = make_user("supervisor"), make_user("investigator", "SW")
    row = frozen(supervisor, closed(supervisor, restricted=True))
    assert services.assign(supervisor, row, reviewers=[other]) == {"given": 0, "left": 1}


class TestAnswers:
    @pytest.fixture
    def entry(self, chief):
        supervisor = make_user("supervisor")
        return given_to(
            frozen(chief, closed(supervisor, make_user(skills=[SKILL]))), chief, make_user("investigator", "SW")
        )

    def test_a_missed_child_is_protected_at_once(self, entry) -> None:
        """The answer to the other questions would come first, and then a supervisor's leave."""
        reviewer = entry.reviewer
        child = services.refer_child_now(
            reviewer, entry, person={"given_names": "Example", "age": 6}, borough="Camden", lives_with=True
        )
        case = Case.objects.get(pk=entry.case_id)
        assert case.status == "open"
        running = Clock.objects.open().get(rule="police_referral_to_csc", subject_id=child.pk)
        assert timezone.now() - running.triggered_at < timedelta(minutes=1)
        told = Notice.objects.filter(kind="rereview.child", user__role="supervisor", user__unit=case.unit)
        assert told.exists()
        again = services.refer_child_now(reviewer, Entry.objects.get(pk=entry.pk), person={"age": 9}, borough="Camden")
        assert again.case == case
        made = services.answer(
            reviewer, Entry.objects.get(pk=entry.pk), answers={**NOTHING, "child_missed": "yes"},
            text="A child in the chronology.", action="child",
        )  # fmt: skip
        assert made.harms == ["A child was missed"]

    def test_a_missed_child_cannot_be_ticked_away(self, entry) -> None:
        for answers, action, field in (
            ({**NOTHING, "child_missed": "yes"}, "ask", "child_missed"),
            (NOTHING, "child", "action"),
            ({**NOTHING, "device_missed": "yes"}, "none", "action"),
            ({**NOTHING, "referral_late": ""}, "none", "referral_late"),
        ):
            with pytest.raises(Invalid) as refused:
                services.answer(entry.reviewer, entry, answers=answers, text="Synthetic.", action=action)
            assert refused.value.field == field
        assert Entry.objects.get(pk=entry.pk).answered_at is None

    def test_reopening_starts_the_clocks_and_tells_the_unit(self, entry) -> None:
        services.answer(
            entry.reviewer, entry, answers={**NOTHING, "device_missed": "yes"}, text="Two devices.", action="reopen"
        )
        case = Case.objects.get(pk=entry.case_id)
        assert case.status == "open"
        assert Clock.objects.open().filter(case=case, rule="allocation_to_investigator").exists()
        assert Notice.objects.filter(kind="rereview.act", case=case).exists()

    def test_only_its_reviewer_answers_and_once(self, entry, chief) -> None:
        for who in (chief, make_user("investigator", "SW"), make_user("supervisor")):
            with pytest.raises(NotAllowed):
                services.answer(who, entry, answers=NOTHING, text="x", action="none")
        services.answer(entry.reviewer, entry, answers=NOTHING, text="Read it all.", action="none")
        with pytest.raises(NotPossible):
            services.answer(entry.reviewer, entry, answers=NOTHING, text="x", action="none")


def test_closing_needs_every_case_answered_and_the_result_has_counts_and_rates(chief) -> None:
    """A set that looks finished would hide the cases that nobody had read."""
    supervisor, reviewer = make_user("supervisor"), make_user("investigator", "SW")
    row = frozen(chief, *(closed(supervisor) for _ in range(3)))
    services.assign(chief, row, reviewers=[reviewer])
    first, second, third = row.entries.all()
    services.answer(reviewer, first, answers=NOTHING, text="Read.", action="none")
    services.answer(
        reviewer,
        second,
        answers={**NOTHING, "device_missed": "yes", "victim_missed": "unknown"},
        text="Read.",
        action="ask",
    )
    with pytest.raises(NotPossible, match="1 case is not answered"):
        services.close(chief, row, conclusion="Done.")
    assert progress_of(row).answered == 2
    ReReview.objects.filter(pk=row.pk).update(due_on=timezone.localdate() - timedelta(days=1))
    row.refresh_from_db()
    assert progress_of(row).late == 1
    services.answer(reviewer, third, answers=NOTHING, text="Read.", action="none")
    found = {one.harm: one for one in results_of(row)}
    device = found["A device not examined"]
    assert (device.yes, device.of, device.rate) == (1, 3, "33.3 % (95 % interval 6.1 to 79.2)")
    assert found["A victim not identified"].unknown == 1
    assert found["Any of these"].yes == 1
    services.close(chief, row, conclusion="One device.")
    with pytest.raises(NotPossible):
        services.assign(chief, row, reviewers=[reviewer])


def test_what_stands_on_the_pages(sign_in, chief) -> None:
    supervisor, reviewer = make_user("supervisor"), make_user("investigator", "SW")
    case = closed(supervisor)
    client = sign_in(chief)
    form = {
        "title": "Set",
        "why": "inspection",
        "reason": "Synthetic.",
        "references": case.reference,
        "status": "closed",
    }
    day = soon()
    form |= {"due_on-day": day.day, "due_on-month": day.month, "due_on-year": day.year}
    counted = client.post(reverse("rereview:new"), {**form, "count": "1"})
    assert "1 case would be in the set" in counted.content.decode()
    assert not ReReview.objects.exists()
    assert client.post(reverse("rereview:new"), form).status_code == 302
    row = ReReview.objects.get()
    assert client.post(reverse("rereview:assign", args=[row.reference]), {"reviewers": reviewer.pk}).status_code == 302
    mine = sign_in(reviewer)
    assert "Examine this case again" in mine.get(reverse("work:home")).content.decode()
    page = reverse("rereview:case", args=[row.reference, 1])
    assert "The child first" in mine.get(page).content.decode()
    assert mine.post(page, {**NOTHING, "text": "", "action": "none"}).status_code == 200
    assert mine.post(page, {**NOTHING, "text": "Read it all.", "action": "none"}).status_code == 302
    text = client.get(reverse("rereview:detail", args=[row.reference])).content.decode()
    assert "No harm found" in text
    assert sign_in(make_user("investigator")).get(reverse("rereview:detail", args=[row.reference])).status_code == 404
    assert client.post(reverse("rereview:close", args=[row.reference]), {"conclusion": "Nothing."}).status_code == 302
