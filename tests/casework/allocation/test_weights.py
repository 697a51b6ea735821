"""What a case weighs and what people can carry, on a day."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from tests.casework.factories import SKILL, make_allocation, make_case, make_user

from safelight.casework.allocation.models import Allocation, CaseloadDay
from safelight.casework.allocation.queries import suggest
from safelight.casework.allocation.services import record_complexity
from safelight.casework.allocation.weights import (
    Standing,
    lasting_overload,
    note_caseloads,
    percent_of,
    points_of,
    points_of_case,
    standings,
)
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.services import record_live_contact
from safelight.casework.workforce.capacity import available_points
from safelight.casework.workforce.time_and_place import record_absence, record_hours, record_reduction

pytestmark = pytest.mark.django_db

SITE = """
[policy.caseload_points]
risk = { very_high = 20, high = 10, medium = 5, low = 1 }
effective_from = 2026-06-01
label = "Test value, not policy"
"""


def test_weights_count_from_their_date_on_and_history_does_not_move(tmp_path, settings):
    """Otherwise last month's caseload changes when somebody edits a figure today."""
    case, supervisor = make_case(), make_user("supervisor")
    row = make_allocation(case, make_user(skills=[SKILL]), supervisor)
    note_caseloads(date(2026, 5, 31))
    (tmp_path / "site.toml").write_text(SITE)
    settings.SITE_STANDARDS = tmp_path / "site.toml"
    assert points_of("high", on=date(2026, 5, 31)) == 5
    assert points_of("high", on=date(2026, 6, 1)) == 10
    note_caseloads(date(2026, 6, 1))
    assert note_caseloads(date(2026, 5, 31)) == 0, "a day that was counted is not counted again"
    points = dict(CaseloadDay.objects.filter(user=row.investigator).values_list("day", "points"))
    assert points == {date(2026, 5, 31): 5, date(2026, 6, 1): 10}
    row.refresh_from_db()
    assert row.points == 5


def test_complexity_and_live_contact_weigh_more(settings):
    """Otherwise ten devices and four victims count like one of each."""
    case, supervisor = make_case(), make_user("supervisor")
    person = make_user(skills=[SKILL])
    before = make_allocation(case, person, supervisor)
    record_complexity(supervisor, case, level="very_complex", reason="Eleven devices, synthetic.")
    assert points_of_case(case) == 5 + 5
    record_live_contact(supervisor, case, contact=True, how_known="Synthetic.")
    case.refresh_from_db()
    assert points_of_case(case) == 5 + 5 + 3
    assert standings([person])[person.pk].points == 13
    assert Allocation.objects.get(pk=before.pk).points == 5
    record_complexity(supervisor, case, level="standard", reason="Devices returned.")
    assert points_of_case(case) == 8
    with pytest.raises(NotPossible):
        record_complexity(supervisor, case, level="standard", reason="x")
    with pytest.raises(Invalid):
        record_complexity(supervisor, case, level="simple", reason="x")
    with pytest.raises(NotAllowed):
        record_complexity(person, case, level="complex", reason="x")


@pytest.mark.parametrize(
    ("hours", "reductions", "available"),
    [(None, (), 60), (20, (), 30), (40, (10,), 45), (30, (5, 10), Decimal("22.5")), (16, (20,), 0)],
)
def test_available_points_follow_the_hours_there_are(hours, reductions, available):
    """Otherwise somebody on half hours is given a full caseload."""
    admin, person, day = make_user("administrator"), make_user(), date(2026, 3, 1)
    if hours:
        record_hours(admin, user=person, hours=Decimal(hours), from_day=day)
    for taken in reductions:
        record_reduction(admin, user=person, kind="duty", hours=Decimal(taken), from_day=day)
    assert available_points([person], date(2026, 4, 1)) == {person.pk: available}
    assert available_points([person], date(2026, 2, 1)) == {person.pk: 60}


def test_percent_is_rounded_half_up_to_three_places_and_nothing_available_is_no_rest():
    assert percent_of(Decimal(1), Decimal(3)) == Decimal("33.333")
    assert percent_of(Decimal("2.00001"), Decimal("32")) == Decimal("6.250")
    assert percent_of(Decimal(0), Decimal(60)) == percent_of(Decimal(8), Decimal(0)) == 0
    assert Standing(Decimal(8), Decimal(0), 1, Decimal(110)).overloaded, "cases, and no hour for any of them"
    assert not Standing(Decimal(0), Decimal(0), 0, Decimal(110)).overloaded
    assert [Standing(p, Decimal(60), 1, Decimal(110)).overloaded for p in (Decimal(66), Decimal("66.1"))] == [
        False,
        True,
    ]


def test_overload_is_lasting_after_four_weeks_without_a_day_below():
    person, today = make_user(), timezone.localdate()
    for back in range(1, 29):
        CaseloadDay.objects.create(
            user=person,
            day=today - timedelta(days=back),
            cases=9,
            points=70,
            available=60,
            percent=116,
            overloaded=True,
        )
    assert lasting_overload([person]) == {person.pk}
    CaseloadDay.objects.filter(user=person, day=today - timedelta(days=5)).update(overloaded=False)
    assert lasting_overload([person]) == set()


def test_the_suggestion_weighs_hours_and_leaves_out_who_is_away():
    """Otherwise the case goes to somebody on leave, or to the half-time colleague with as many cases."""
    supervisor = make_user("supervisor")
    half, full, away = (make_user(skills=[SKILL], name=f"{name} (synthetic)") for name in ("Half", "Full", "Away"))
    record_hours(supervisor, user=half, hours=Decimal(20), from_day=date(2026, 1, 1))
    record_absence(supervisor, user=away, kind="leave", from_day=timezone.localdate())
    for person in (half, full):
        make_allocation(make_case(actor=supervisor), person, supervisor)
    found = suggest(make_case(actor=supervisor))
    assert [(one.investigator, round(one.percent)) for one in found] == [(full, 8), (half, 17)]
    soon = timezone.localdate() + timedelta(days=3)
    record_absence(supervisor, user=full, kind="training", from_day=soon, until_day=soon)
    assert "on training until" in suggest(make_case(actor=supervisor))[0].reason


def test_who_would_stand_above_the_limit_comes_last_and_it_says_so():
    supervisor = make_user("supervisor")
    tired, busy = make_user(skills=[SKILL]), make_user(skills=[SKILL])
    record_hours(supervisor, user=tired, hours=Decimal(4), from_day=date(2026, 1, 1))
    make_allocation(make_case(actor=supervisor, risk="low"), busy, supervisor)
    found = suggest(make_case(actor=supervisor, risk="very_high"))
    assert [(one.investigator, one.over) for one in found] == [(busy, False), (tired, True)]
    assert "With this case 133%, above the limit of 110%." in found[1].reason
