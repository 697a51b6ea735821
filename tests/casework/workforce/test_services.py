"""Units and accreditations."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import SKILL, make_accreditation, make_user

from safelight.casework.base.errors import Invalid, NotAllowed
from safelight.casework.base.standards import standards
from safelight.casework.workforce.models import Accreditation, Unit
from safelight.casework.workforce.queries import people_page, standing
from safelight.casework.workforce.services import accredit, load_units

pytestmark = pytest.mark.django_db


def test_units_follow_the_standards_and_loading_twice_changes_nothing():
    """Otherwise a borough would belong to no unit, and its referrals to nobody."""
    assert len(load_units(None)) == len(standards().units) == Unit.objects.count()
    load_units(None)
    assert Unit.objects.count() == len(standards().units)
    assert Unit.objects.filter(kind="central").count() == 1


@pytest.mark.parametrize(
    ("start", "end", "holds", "said"),
    [
        (-10, 0, True, "ends soon"),
        (0, None, True, "in force"),
        (-10, -1, False, "ended"),
        (1, None, False, "not yet"),
        (-9, 400, True, "in force"),
    ],
)
def test_both_the_first_and_the_last_day_count(start, end, holds, said):
    """Otherwise somebody is refused on the last day of an accreditation, or works on without one."""
    today = timezone.localdate()
    row = make_accreditation(
        make_user(),
        valid_from=today + timedelta(days=start),
        valid_until=None if end is None else today + timedelta(days=end),
    )
    assert Accreditation.objects.in_force().filter(pk=row.pk).exists() is holds
    assert standing(row) == said


def test_wrong_skills_and_dates_are_refused_here_and_by_the_database():
    user, day = make_user(), date(2026, 3, 1)
    with pytest.raises(Invalid):
        accredit(None, user=user, skill="magic", valid_from=day)
    with pytest.raises(Invalid):
        accredit(None, user=user, skill=SKILL, valid_from=day, valid_until=day - timedelta(days=1))
    with pytest.raises(IntegrityError), transaction.atomic():
        make_accreditation(user, valid_from=day, valid_until=day - timedelta(days=1))


def test_a_supervisor_records_for_the_own_unit_only():
    supervisor = make_user("supervisor")
    accredit(supervisor, user=make_user(), skill=SKILL, valid_from=date(2026, 1, 1))
    accredit(make_user("administrator"), user=make_user(unit="SW"), skill=SKILL, valid_from=date(2026, 1, 1))
    for actor, user in ((supervisor, make_user(unit="SW")), (make_user(), make_user())):
        with pytest.raises(NotAllowed):
            accredit(actor, user=user, skill=SKILL, valid_from=date(2026, 1, 1))


def test_pages_of_people_follow_each_other():
    supervisor = make_user("supervisor")
    for _ in range(3):
        make_user(skills=[SKILL])
    make_user(unit="SW")
    first, more = people_page(supervisor, size=2)
    second, last = people_page(supervisor, after=more, size=2)
    assert len({person.user.pk for person in (*first, *second)}) == 4
    assert last == ""
