"""Questions written once for a role and filled in for each person: nobody may get another's answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.casework.conftest import DEMO_SITE
from tests.casework.everything import everything
from tests.casework.factories import make_allocation, make_case, make_user

from safelight.casework.base.memory import any_of, keys, remembering
from safelight.casework.base.prepared import Prepared, prepared
from safelight.casework.cases.models import Case
from safelight.casework.cases.queries import Filters, case_page, live_contact_count, stage_of, unallocated_count
from safelight.casework.clocks.models import Clock
from safelight.casework.devices.work import _to_review
from safelight.casework.notices.queries import _unread_and_seen
from safelight.casework.referrals.queries import Filters as DeskFilters
from safelight.casework.referrals.queries import desk_counts, desk_page
from safelight.casework.supervision.queries import board
from safelight.casework.work.queries import work_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def visible():
    """The visible cases of one's unit opened before a moment."""

    @prepared
    def rows(user, *, before):
        return Case.objects.visible_to(user).filter(unit=user.unit, opened_at__lt=before).order_by("pk")

    yield rows
    Prepared.known.remove(rows)


def _asked(question, user, **values):
    with remembering(user):
        return question(user, **values)


def test_each_person_gets_their_own_answer_from_one_text(visible):
    """Filled in with somebody else's unit, a supervisor would read another unit's cases."""
    here, there = make_user("supervisor"), make_user("supervisor", "NE")
    ours, theirs = make_case(actor=here), make_case(actor=there, unit=there.unit)
    later = timezone.now() + timedelta(minutes=1)
    assert _asked(visible, here, before=later) == [ours]
    assert _asked(visible, there, before=later) == [theirs]
    assert _asked(visible, here, before=ours.opened_at) == []
    nowhere = make_user("supervisor")
    nowhere.unit = None
    nowhere.save()
    assert _asked(visible, nowhere, before=later) == []
    assert _asked(visible, make_user("administrator"), before=later) == []
    hidden = make_case(actor=here, restricted=True)
    other = make_user("supervisor", here.unit)
    assert _asked(visible, other, before=later) == [ours]
    assert _asked(visible, here, before=later) == [ours, hidden]


def test_one_question_is_one_query_and_asks_again_each_time(visible):
    user = make_user("supervisor")
    later = timezone.now() + timedelta(minutes=1)
    with remembering(user):
        visible(user, before=later)  # the keys of what names the person are asked with the first
        with CaptureQueriesContext(connection) as run:
            assert visible(user, before=later) == []
            made = make_case(actor=user)
        assert run[0]["sql"].startswith("SELECT") and "cases_case" in run[0]["sql"]
        assert visible(user, before=later) == [made]


def test_who_sees_by_exception_is_asked_as_usual(visible):
    """Broken glass ends by the clock, and a list of names may be longer than a question: neither is written down."""
    user = make_user("supervisor")
    user.glass_until = timezone.now() + timedelta(hours=1)
    with remembering(user):
        assert visible._fill(user, (), {"before": timezone.now()}) is None
        user.glass_until = timezone.now() - timedelta(hours=1)
        assert visible._fill(user, (), {"before": timezone.now()}) is not None
    assert visible._fill(user, (), {"before": timezone.now()}) is None


def _carried(user):
    return [Case.objects.filter(allocations__investigator=user).values("pk")]


def test_more_keys_than_fit_are_asked_as_a_sub_query():
    """Cut off, the longest list would lose its end in silence."""
    head, user = make_user("supervisor"), make_user(skills=["ocsae_investigator"])
    cases = [make_case(actor=head) for _ in range(3)]
    for case in cases:
        make_allocation(case, user, head)

    def rows(user):
        return Case.objects.filter(any_of("pk", keys(user, "carried in this test", _carried, most=2))).order_by("pk")

    question = Prepared(rows)
    Prepared.known.remove(question)
    assert _asked(question, user) == cases
    one = make_user(skills=["ocsae_investigator"])
    with CaptureQueriesContext(connection) as run:
        assert _asked(question, one) == []
    assert len(run) == 1, "who has no case has nothing in it: only what they have is asked"


@pytest.mark.parametrize("wrong", ["moment", "question", "person"])
def test_what_would_be_wrong_for_the_next_person_is_refused_when_it_is_written(wrong):
    """A moment looked up inside would stand still; rows asked for inside would be the first person's for ever."""

    def rows(user):
        if wrong == "moment":
            return Clock.objects.filter(due_at__lt=timezone.now())
        if wrong == "question":
            return Clock.objects.filter(pk__in=list(Case.objects.values_list("pk", flat=True)))
        return Clock.objects.filter(subject_label=user.username)

    question = Prepared(rows)
    Prepared.known.remove(question)
    with pytest.raises((RuntimeError, AttributeError)):
        _asked(question, make_user("supervisor"))


def test_every_page_that_uses_them_says_the_same_as_without(tmp_path, settings):
    """My work, the board and the referral desk, for every role and relation to a case with one of everything."""
    settings.SITE_STANDARDS = DEMO_SITE
    where = everything(tmp_path, settings)
    make_case(unit=where.people["super"].unit, actor=where.people["super"], days_ago=120)  # drifts, and nobody has it
    known = {who: user for who, user in where.people.items() if user is not None}
    now = timezone.now()
    for who, user in known.items():
        for read in (_work, _board, _desk, _cases, _rare):
            fresh = type(user).objects.get(pk=user.pk)
            plain = read(fresh, now)
            fresh = type(user).objects.get(pk=user.pk)
            with remembering(fresh):
                assert read(fresh, now) == plain, (who, read.__name__)
    unwritten = [one.__qualname__ for one in Prepared.known if not one._texts]
    assert not unwritten, f"asked by no page of this test: {unwritten}"


def _work(user, now):
    return [(group.title, [task.item for task in group.tasks]) for group in work_of(user, now).groups]


def _board(user, now):
    shown = board(user)
    return shown.live_contact, shown.children, shown.unallocated, shown.reviews, shown.drifting, shown.loads


def _desk(user, now):
    pages = [desk_page(user, DeskFilters(state)) for state in ("open", "all")]
    return [(one.rows, one.after, one.clocks) for one in pages], desk_counts(user)


def _cases(user, now):
    """The list of cases, with each of its filters and a page further."""
    chosen = ({"stage": "children"}, {"unit": "CN", "risk": "high"}, {"status": "all"}, {"mine": True})
    asked = [Filters(**one) for one in (*chosen, {"unallocated": True}, {"breached": True})]
    pages = [case_page(user, one) for one in asked] + [case_page(user, Filters(status="all"), before=2)]
    counts = live_contact_count(user), unallocated_count(user)
    return [([(row.case, row.case.stage, row.clock) for row in one.rows], one.before) for one in pages], counts


def _rare(user, now):
    """What pages ask only where something rare is there."""
    stage = stage_of(Case.objects.earliest("pk"))
    return _unread_and_seen(user, 5), _to_review(user, today=now.date()), stage
