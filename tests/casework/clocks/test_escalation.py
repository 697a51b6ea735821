"""Who hears of a clock: whoever answers, then the supervisor, then the chief officers, each once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_child, make_person, make_referral, make_user

from safelight.casework.base.standards import standards
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock, stop_clock, sweep, tighten_for_risk
from safelight.casework.notices.models import Notice

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def people() -> dict[str, Any]:
    return {
        "chief": make_user("chief_officer"),
        "super": make_user("supervisor"),
        "other_super": make_user("supervisor", "SW"),
        "owner": make_user(skills=["ocsae_investigator"]),
    }


def of_a_child(people: dict[str, Any], hours_ago: float, **fields: Any) -> Any:
    case = fields.pop("case", None) or make_case(actor=people["super"])
    Clock.objects.filter(case=case).exclude(rule="police_referral_to_csc").update(next_step_at=None)
    if not case.restricted:
        make_allocation(case, people["owner"], people["super"])
    then = timezone.now() - hours_ago * HOUR
    child = make_child(case=case)
    return start_clock(
        people["super"], "police_referral_to_csc", child, triggered_at=then, case=case, unit=case.unit, **fields
    )


def heard(people: dict[str, Any]) -> dict[str, list[str]]:
    return {
        name: list(Notice.objects.filter(user=user).order_by("pk").values_list("kind", flat=True))
        for name, user in people.items()
    }


def test_each_step_reaches_the_next_above_and_each_only_once(people):
    """The 17 days: everybody thought that somebody else knew."""
    clock = of_a_child(people, 0)
    begun = clock.triggered_at
    expected: dict[str, list[str]] = {"chief": [], "super": [], "other_super": [], "owner": []}
    for hours, news in (
        (17, {}),
        (18.1, {"owner": "clock.due_soon"}),
        (20, {}),
        (24.1, {"owner": "clock.breached", "super": "clock.breached"}),
        (24.2, {}),
        (28.1, {"chief": "clock.still_breached"}),
        (36.1, {"chief": "clock.still_breached"}),
        (99, {}),
    ):
        for _ in range(2):
            sweep(begun + hours * HOUR)
        for name, kind in news.items():
            expected[name].append(kind)
        assert heard(people) == expected, hours
    clock.refresh_from_db()
    assert clock.next_step_at is None, "and then the sweep never looks at it again"
    assert clock.alerted_at is not None


def test_a_clock_found_late_says_what_is_and_not_what_was(people):
    """'Runs out soon' about a child who has waited for two days."""
    of_a_child(people, 48)
    assert len(sweep()) == 1
    assert heard(people) == {
        "owner": ["clock.breached"],
        "super": ["clock.breached"],
        "chief": ["clock.still_breached", "clock.still_breached"],
        "other_super": [],
    }
    assert sweep() == []


def test_a_clock_that_was_stopped_alarms_nobody(people):
    clock = of_a_child(people, 30)
    child = type("Child", (), {"_meta": type("M", (), {"label_lower": clock.subject_type}), "pk": clock.subject_id})
    stop_clock(people["super"], clock.rule, child, reason="Told.")
    assert sweep() == []
    assert not Notice.objects.exists()


def test_a_due_time_that_is_brought_forward_is_told_anew(people):
    case = make_case(actor=people["super"], risk="low")
    review = Clock.objects.get(case=case, rule="supervisor_review")
    begun = review.triggered_at
    sweep(begun + timedelta(days=22))
    assert heard(people)["super"].count("clock.due_soon") == 1
    case.risk = "very_high"
    tighten_for_risk(people["super"], case)
    sweep(begun + timedelta(days=22))
    assert heard(people)["super"].count("clock.breached") >= 1


def test_nobody_outside_is_told_and_those_above_hear_in_their_place(people):
    """A clock that binds social care: the investigator hears, not the partner's inbox."""
    partner = make_user("partner", None)
    case = make_case(actor=people["super"])
    make_allocation(case, people["owner"], people["super"])
    child = make_child(case=case)
    start_clock(
        people["super"], "s47_child_seen", child, case=case, unit=case.unit, triggered_at=timezone.now() - 25 * HOUR
    )
    Clock.objects.exclude(rule="s47_child_seen").update(next_step_at=None)
    sweep()
    assert not Notice.objects.filter(user=partner).exists()
    assert heard(people)["owner"] == ["clock.breached"]


def test_a_case_without_an_investigator_is_the_supervisors(people):
    """The owner's notice would go to nobody."""
    case = make_case(actor=people["super"])
    child = make_child(case=case)
    then = timezone.now() - 20 * HOUR
    start_clock(None, "police_referral_to_csc", child, triggered_at=then, case=case, unit=case.unit)
    Clock.objects.exclude(rule="police_referral_to_csc").update(next_step_at=None)
    sweep()
    assert heard(people)["super"] == ["clock.due_soon"]


def test_where_a_unit_has_no_supervisor_the_chief_officers_hear(people):
    referral = make_referral(unit="NW")
    then = timezone.now() - 25 * HOUR
    child = make_child(referral=referral)
    start_clock(None, "police_referral_to_csc", child, triggered_at=then, referral=referral, unit=referral.unit)
    sweep()
    assert "clock.breached" in heard(people)["chief"]


def test_above_a_restricted_case_those_on_its_list_hear_again(people):
    """A breach in a case against a colleague would be told to nobody at all, or to everybody."""
    named = people["super"]
    case = make_case(actor=named, restricted=True)
    clock = of_a_child(people, 0, case=case)
    sweep(clock.triggered_at + 29 * HOUR)
    told = heard(people)
    assert told["chief"] == told["other_super"] == []
    assert told["super"] == ["clock.breached", "clock.still_breached"]


def test_what_had_to_be_waited_for_is_told_to_whoever_answers(people):
    manager = make_user("offender_manager")
    begun = timezone.now() - timedelta(days=4 * 366)
    start_clock(None, "rso_reactive_eligible", make_person(), triggered_at=begun, owner=manager, unit=manager.unit)
    assert sweep() == []
    assert [row.kind for row in Notice.objects.all()] == ["clock.reached"]
    sweep()
    assert Notice.objects.count() == 1


def test_a_rule_that_a_later_version_dropped_is_still_swept(people):
    clock = of_a_child(people, 30)
    Clock.objects.filter(pk=clock.pk).update(rule="dropped_since")
    assert [one.pk for one in sweep()] == [clock.pk]
    assert heard(people)["owner"] == ["clock.breached"]


def test_more_than_one_batch_is_swept_in_one_go(people):
    case = make_case(actor=people["super"])
    then = timezone.now() - 30 * HOUR
    for _ in range(5):
        start_clock(None, "police_referral_to_csc", make_child(case=case), triggered_at=then, case=case, unit=case.unit)
    assert len(sweep(limit=2)) == 5


def test_a_force_changes_the_hours_in_its_own_file(people, tmp_path, settings):
    site = tmp_path / "site.toml"
    site.write_text('[escalation.child_four_hours]\nafter_hours = 1\nlabel = "Policy 3"\n')
    settings.SITE_STANDARDS = site
    assert standards().escalation["child_four_hours"].after_hours == 1
    clock = of_a_child(people, 0)
    sweep(clock.triggered_at + 25.1 * HOUR)
    assert heard(people)["chief"] == ["clock.still_breached"]


def test_the_sweep_reads_only_rows_whose_step_has_come(people):
    """With a million clocks it would read a million rows every five seconds."""
    for _ in range(3):
        of_a_child(people, 1)
    with CaptureQueriesContext(connection) as asked:
        assert sweep() == []
    selects = [one["sql"] for one in asked if one["sql"].startswith("SELECT")]
    assert len(selects) == 1
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A table of three rows is read whole otherwise.
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(f"EXPLAIN {selects[0]}")
        else:
            cursor.execute(f"EXPLAIN QUERY PLAN {selects[0]}")
        plan = " ".join(str(row) for row in cursor.fetchall())
    assert "clocks_next_step" in plan, plan
