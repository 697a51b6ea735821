"""Lists of a unit that leave out what a person may not see: nothing behind it may be lost."""

from __future__ import annotations

import pytest
from tests.casework.factories import make_case, make_user

from safelight.casework.cases.seen import first_seen
from safelight.casework.clocks.models import Clock

pytestmark = pytest.mark.django_db


def test_what_is_hidden_takes_nobodys_place():
    """A supervisor whose first hundred rows are of restricted cases would be told that nothing waits."""
    head = make_user("supervisor")
    hidden = [make_case(actor=head, restricted=True) for _ in range(4)]
    open_ones = [make_case(actor=head) for _ in range(3)]
    stranger = make_user("supervisor", head.unit)
    reviews = Clock.objects.filter(rule="supervisor_review").order_by("case_id")
    assert reviews.count() == len(hidden) + len(open_ones)

    def rows(at, to):
        return list(reviews[at:to])

    assert [row.case_id for row in first_seen(rows, stranger, 2)] == [case.pk for case in open_ones[:2]]
    assert [row.case_id for row in first_seen(rows, stranger, 50)] == [case.pk for case in open_ones]
    assert [row.case_id for row in first_seen(rows, stranger, 50, of_unit=True)] == [case.pk for case in open_ones]
    assert first_seen(rows, make_user("supervisor", "NE"), 50) == []
    assert first_seen(rows, make_user("supervisor", "NE"), 50, of_unit=True) == []
