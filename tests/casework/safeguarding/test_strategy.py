"""Strategy discussions and what follows: a quorum or no decision, and a covert one that nobody else can find."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_child, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import sweep
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice
from safelight.casework.safeguarding import enquiries as s47
from safelight.casework.safeguarding import strategy as sd
from safelight.casework.safeguarding.models import Section47, StrategyDiscussion, VoiceEntry
from safelight.casework.safeguarding.queries import outstanding

pytestmark = pytest.mark.django_db
ALL = [("police", "DS Example"), ("social_care", "Manager Example"), ("health", "Nurse Example")]
HOUR = timedelta(hours=1)


@pytest.fixture
def supervisor():
    return make_user("supervisor")


@pytest.fixture
def case(supervisor):
    return make_case(actor=supervisor)


def call(actor, case, *, ago=3, children=None, **fields):
    children = children or [make_child(case=case)]
    since = timezone.now() - timedelta(hours=ago)
    return sd.call_strategy(actor, case, children=children, why="Synthetic.", suspected_at=since, **fields)


def hold(actor, row, attendees=ALL, outcome="joint_47", **fields):
    return sd.record_strategy(actor, row, attendees=attendees, decisions="Synthetic.", outcome=outcome, **fields)


def open_rules(row) -> set[str]:
    rows = Clock.objects.open().filter(subject_type=row._meta.label_lower, subject_id=row.pk)
    return set(rows.values_list("rule", flat=True))


class TestQuorum:
    @pytest.mark.parametrize("missing", range(3))
    def test_without_one_of_the_three_nothing_is_decided_and_the_clock_runs_on(self, missing, supervisor, case):
        """Two police officers on the telephone would count as a strategy discussion."""
        row = call(supervisor, case)
        there = [one for place, one in enumerate(ALL) if place != missing]
        with pytest.raises(Invalid, match="no quorum"):
            hold(supervisor, row, there)
        kept = hold(supervisor, row, there, no_quorum_reason="Synthetic night.")
        assert (kept.state, kept.held_at, open_rules(row)) == ("no_quorum", None, {"strategy_discussion"})
        assert not Section47.objects.exists()
        held = hold(supervisor, row)
        assert (held.state, open_rules(row)) == ("held", {"strategy_record_circulated"})
        assert row.attendance.count() == 5

    def test_held_it_opens_an_enquiry_for_each_child_with_its_clocks(self, supervisor, case):
        children = [make_child(case=case), make_child(case=case)]
        row = call(supervisor, case, children=children)
        held = hold(supervisor, row, held_at=timezone.now() - 2 * HOUR)
        for child in children:
            enquiry = Section47.objects.get(child=child)
            assert open_rules(enquiry) == {"s47_child_seen", "icpc"}
            clocks = {
                c.rule: c for c in Clock.objects.filter(subject_id=enquiry.pk, subject_type__endswith="section47")
            }
            assert clocks["s47_child_seen"].due_at == held.held_at + timedelta(hours=24)
            assert clocks["icpc"].triggered_at == held.held_at
        sd.circulate(supervisor, row)
        assert open_rules(row) == set()

    def test_the_conference_counts_from_the_last_discussion(self, supervisor, case):
        """Fifteen working days would count from a discussion that a later one replaced."""
        child = make_child(case=case)
        hold(supervisor, call(supervisor, case, children=[child], ago=200), held_at=timezone.now() - 190 * HOUR)
        enquiry = Section47.objects.get()
        first = Clock.objects.get(rule="icpc")
        second = hold(supervisor, call(supervisor, case, children=[child]))
        assert Section47.objects.get() == enquiry
        latest = Clock.objects.open().get(rule="icpc")
        assert latest.triggered_at == second.held_at
        assert latest.due_at > first.due_at
        assert Clock.objects.get(pk=first.pk).stop_reason == f"Counted afresh from {second.reference}"

    def test_only_a_supervisor_calls_it_off_and_the_case_does_not_close_over_it(self, supervisor, case):
        officer = make_user(skills=[SKILL])
        make_allocation(case, officer, supervisor)
        row = call(officer, case)
        assert any(row.reference in line for line in outstanding(case))
        with pytest.raises(NotAllowed):
            sd.call_off(officer, row, reason="Synthetic.")
        sd.call_off(supervisor, row, reason="Synthetic.")
        assert open_rules(row) == set()
        assert not any(row.reference in line for line in outstanding(case))

    def test_bad_input_is_named(self, supervisor, case):
        row = call(supervisor, case)
        for fields, words in (
            ({"attendees": []}, "Who took part"),
            ({"attendees": [("nobody", "Example")]}, "no agency"),
            ({"outcome": "nonsense"}, "outcome"),
            ({"held_at": timezone.now() - timedelta(days=9)}, "before harm was suspected"),
            ({"held_at": timezone.now() + timedelta(days=9)}, "future"),
        ):
            with pytest.raises(Invalid, match=words):
                hold(supervisor, row, **fields)
        with pytest.raises(Invalid, match="child of this case"):
            call(supervisor, case, children=[make_child(case=make_case())])
        hold(supervisor, row)
        with pytest.raises(NotPossible):
            hold(supervisor, row)


class TestEnquiry:
    def enquiry(self, supervisor, case):
        hold(supervisor, call(supervisor, case))
        return Section47.objects.get()

    def test_the_child_is_seen_and_heard(self, supervisor, case):
        row = self.enquiry(supervisor, case)
        with pytest.raises(NotPossible, match="not seen"):
            s47.not_substantiated(supervisor, row, words="Synthetic.")
        seen = s47.child_seen(supervisor, row, by="Example Worker", alone=True, words="I am glad you came.")
        assert open_rules(row) == {"icpc"}
        entry = VoiceEntry.objects.get()
        assert (entry.words, entry.heard_by, entry.child) == ("I am glad you came.", "Example Worker", row.child)
        s47.not_substantiated(supervisor, seen, words="Synthetic.")
        assert open_rules(row) == set()

    def test_a_plan_starts_core_group_and_reviews_each_starting_the_next(self, supervisor, case):
        row = self.enquiry(supervisor, case)
        s47.plan_conference(supervisor, row, when=timezone.now() + timedelta(days=10))
        assert "icpc" in open_rules(row), "a date in the diary stops nothing"
        s47.hold_conference(supervisor, row, ending="plan", words="Synthetic.")
        assert open_rules(row) == {"s47_child_seen", "core_group_first", "review_conf_1"}
        s47.record_meeting(supervisor, row, meeting="core_group")
        s47.record_meeting(supervisor, row, meeting="review")
        assert open_rules(row) == {"s47_child_seen", "review_conf_next"}
        s47.record_meeting(supervisor, row, meeting="review")
        assert open_rules(row) == {"s47_child_seen", "review_conf_next"}


class TestCovert:
    @pytest.fixture
    def story(self, supervisor, case):
        insider = make_user(skills=[SKILL])
        make_allocation(case, insider, supervisor)
        row = call(
            supervisor, case, covert=True, covert_reason="Synthetic: a colleague is suspected.", need_to_know=[insider]
        )
        hold(supervisor, row, outcome="joint_47")
        return row, supervisor, insider, make_user()

    def test_it_exists_for_its_list_only_on_every_page(self, story, case, sign_in):
        """The suspect's friend in the unit would read of it in the clocks, the chronology, the ledger or a link."""
        row, supervisor, insider, outsider = story
        enquiry = Section47.objects.get()
        secrets = (row.reference, enquiry.reference, "Covert", "covert")
        pages = [
            *(reverse(name, args=[case.reference]) for name in (
                "cases:detail", "cases:chronology", "cases:clocks", "cases:ledger", "safeguarding:case_children",
            )),
            reverse("safeguarding:record", args=[row.children.get().reference]),
            *(reverse(name) for name in ("work:home", "clocks:index", "ledger:index", "supervision:board")),
        ]  # fmt: skip
        for user in (outsider, make_user("supervisor"), make_user("referral_desk"), make_user("chief_officer")):
            client = sign_in(user)
            for page in pages:
                text = client.get(page).content.decode()
                found = [secret for secret in secrets if secret in text]
                assert not found, (user.role, page, found)
            for name, one in (("strategy", row), ("enquiry", enquiry)):
                missing = one.reference[:3] + "999999"
                answers = {
                    client.get(reverse(f"safeguarding:{name}", args=[reference])).status_code
                    for reference in (one.reference, missing)
                }
                assert answers == {404}, "what is hidden answers as what does not exist"
        for user in (supervisor, insider):
            text = sign_in(user).get(reverse("safeguarding:strategy", args=[row.reference])).content.decode()
            assert "Covert" in text
            assert enquiry.reference in text
            assert row.reference in sign_in(user).get(pages[4]).content.decode()

    def test_its_clocks_run_and_breach_without_a_word_in_the_case(self, story, case):
        """Covert would mean that nobody counts, or that the sweep tells everybody."""
        row, supervisor, *_ = story
        enquiry = Section47.objects.get()
        mine = Clock.objects.open().filter(subject_type__in=(row._meta.label_lower, enquiry._meta.label_lower))
        assert {clock.rule for clock in mine} == {"strategy_record_circulated", "s47_child_seen", "icpc"}
        assert {(clock.case, clock.unit, clock.owner) for clock in mine} == {(None, None, supervisor)}
        make_user("chief_officer", None)
        swept = sweep(timezone.now() + timedelta(days=60))
        assert {clock.rule for clock in swept} >= {"s47_child_seen", "icpc"}
        told_to = set(
            Notice.objects.filter(about__in=(row.reference, enquiry.reference)).values_list("user", flat=True)
        )
        assert told_to == set(row.access.values_list("user", flat=True)), "the list hears, and nobody else"
        told = LedgerEntry.objects.filter(case_key=case.pk)
        assert not [entry for entry in told if row.reference in str((entry.payload, entry.subject_label))]
        assert not [entry for entry in told if enquiry.reference in str((entry.payload, entry.subject_label))]

    def test_only_who_is_on_the_list_adds_to_it_and_the_last_one_stays(self, story):
        row, supervisor, insider, outsider = story
        with pytest.raises(NotAllowed):
            sd.let_know(outsider, row, user=outsider, reason="Curious.")
        sd.let_know(insider, row, user=outsider, reason="Takes over tonight (synthetic).")
        assert StrategyDiscussion.objects.visible_to(outsider).get() == row
        sd.no_longer_know(outsider, row, user=supervisor)
        assert not StrategyDiscussion.objects.visible_to(supervisor).exists()
        assert set(Clock.objects.open().filter(rule="icpc").values_list("owner", flat=True)) <= {
            insider.pk,
            outsider.pk,
        }
        sd.no_longer_know(outsider, row, user=insider)
        with pytest.raises(NotPossible, match="last person"):
            sd.no_longer_know(outsider, row, user=outsider)

    def test_secrecy_ends_and_the_case_learns_of_everything(self, story, case, sign_in):
        row, supervisor, _, outsider = story
        sd.end_secrecy(supervisor, row, reason="Arrest made (synthetic).")
        assert StrategyDiscussion.objects.visible_to(outsider).get() == row
        assert Clock.objects.open().filter(case=case, rule="icpc").exists()
        assert row.reference in str(list(case.chronology.values_list("text", flat=True)))

    def test_an_ordinary_enquiry_beside_it_gives_nothing_away(self, story, case):
        """A later ordinary discussion would move the covert enquiry's clock into the case."""
        row, supervisor, _, outsider = story
        covert = Section47.objects.get()
        hold(supervisor, call(supervisor, case, children=[covert.child]))
        assert Section47.objects.count() == 2
        assert list(Section47.objects.visible_to(outsider)) == [Section47.objects.exclude(pk=covert.pk).get()]

    def test_a_covert_one_needs_its_reason(self, supervisor, case):
        with pytest.raises(Invalid, match="covert"):
            call(supervisor, case, covert=True)


def test_every_step_works_from_its_page(supervisor, case, sign_in) -> None:
    """A form that the services know and the page does not would leave the meeting unrecorded."""
    child, client = make_child(case=case), sign_in(supervisor)
    address = reverse("safeguarding:strategy_call", args=[case.reference])
    assert client.get(address).status_code == 200
    made = client.post(address, {"children": [child.pk], "why": "Synthetic."})
    assert made.status_code == 302, made.content.decode()[:3000]
    row = StrategyDiscussion.objects.get()

    def step(page, reference, code, **data):
        where = reverse(f"safeguarding:{page}_step", args=[reference, code])
        assert client.get(where).status_code == 200
        answer = client.post(where, data)
        assert answer.status_code == 302, (code, answer.content.decode()[:4000])

    people = {}
    for place, (agency, name) in enumerate(ALL):
        people |= {f"agency_{place}": agency, f"name_{place}": name}
    step("strategy", row.reference, "held", outcome="joint_47", decisions="Synthetic.", **people)
    step("strategy", row.reference, "circulated")
    enquiry = Section47.objects.get()
    step("enquiry", enquiry.reference, "seen", by="Example", alone="on", words="Synthetic words.")
    later = timezone.localtime() + timedelta(days=9)
    when = {"when-day": later.day, "when-month": later.month, "when-year": later.year, "when-time": "10:00"}
    step("enquiry", enquiry.reference, "plan", **when)
    step("enquiry", enquiry.reference, "conference", ending="plan", words="Synthetic.")
    step("enquiry", enquiry.reference, "meeting", meeting="core_group")
    for name, one in (("strategy", row), ("enquiry", enquiry)):
        assert client.get(reverse(f"safeguarding:{name}", args=[one.reference])).status_code == 200
        assert client.get(reverse(f"safeguarding:{name}_step", args=[one.reference, "nonsense"])).status_code == 404
    assert (
        enquiry.reference in client.get(reverse("safeguarding:case_children", args=[case.reference])).content.decode()
    )
