"""What a person may see, written out once and put into many questions: it must say the same in each of them."""

from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Case as Switch
from django.db.models import Exists, OuterRef, Value, When
from django.test.utils import CaptureQueriesContext
from tests.casework.factories import make_case, make_device, make_user

from safelight.casework.base.memory import remembering
from safelight.casework.cases.models import Case, ChronologyEntry
from safelight.casework.devices.models import Device

pytestmark = pytest.mark.django_db


@pytest.fixture
def two_cases():
    return make_case(), make_case(restricted=True)


def test_rows_are_those_that_a_sub_query_gives(two_cases):
    """Otherwise somebody sees a note of a case that is closed to them, or misses one of their own."""
    user = make_user("supervisor")
    rows = Case.objects.visible_to(user)
    asked = ChronologyEntry.objects.order_by("pk")
    by_hand = list(asked.filter(Exists(rows.filter(pk=OuterRef("case")))))
    assert by_hand and len(by_hand) < asked.count()
    assert list(asked.filter(rows.holding("case"))) == by_hand
    assert list(asked.exclude(rows.holding("case"))) == [row for row in asked if row not in by_hand]
    said = Switch(When(rows.holding("case"), then=Value("seen")), default=Value(""))
    assert [row for row in asked.annotate(said=said) if row.said] == by_hand
    assert [row for row in asked.annotate(seen=rows.holding("case")) if row.seen] == by_hand


def test_one_within_the_other_and_over_the_same_table(two_cases):
    """Names of inner tables that meet would compare a case with itself: everything would be visible."""
    user = make_user("supervisor")
    cases = [make_case(), make_case()]
    for case in cases:
        make_device(case)
    Case.objects.filter(pk=cases[1].pk).update(restricted=True)
    rows = Case.objects.visible_to(user)
    seen = Device.objects.filter(rows.holding("case")).holding
    assert list(Device.objects.filter(seen("pk")).values_list("case", flat=True)) == [cases[0].pk]
    twice = rows.filter(rows.holding("pk"))
    assert list(Case.objects.order_by("pk").filter(twice.holding("pk"))) == [two_cases[0], cases[0]]


def test_nobody_sees_anything_by_rows_that_are_none(two_cases):
    none = Case.objects.none()
    assert not ChronologyEntry.objects.filter(none.holding("case")).exists()
    assert ChronologyEntry.objects.exclude(none.holding("case")).exists()


def test_while_a_page_reads_the_text_is_written_once(two_cases):
    """My work puts this condition into twenty questions; written anew in each it takes longer than the answers."""
    user = make_user("supervisor")
    with remembering(user):
        first = list(ChronologyEntry.objects.filter(Case.objects.visible_to(user).holding("case")))
        text = Case.objects.visible_to(user).written
        assert text and "EXISTS" in text["text"]
        with CaptureQueriesContext(connection) as run:
            again = list(ChronologyEntry.objects.filter(Case.objects.visible_to(user).holding("case")))
        assert first == again and len(run) == 1
        # Rows that were narrowed further have a text of their own.
        closed = Case.objects.visible_to(user).filter(status="closed")
        assert not ChronologyEntry.objects.filter(closed.holding("case")).exists()


@pytest.mark.parametrize("count", [0, 1, 5_000])
def test_many_keys_are_one_parameter(count, two_cases):
    keys = [two_cases[0].pk, *range(10_000_000, 10_000_000 + count)]
    with CaptureQueriesContext(connection) as run:
        assert list(Case.objects.filter(pk__anyof=keys)) == [two_cases[0]]
        assert set(ChronologyEntry.objects.filter(case__anyof=keys).values_list("case", flat=True)) == {two_cases[0].pk}
        assert not Case.objects.filter(pk__anyof=[]).exists()
    assert len(run) == 2
