"""The force's own records as parameters: what they say, what they are too few to say, and where each comes from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_case, make_child, make_referral, make_user

from safelight.casework.plans.records import from_records
from safelight.casework.referrals.models import Referral
from safelight.planning.scenario import plan, read_plan

pytestmark = pytest.mark.django_db


def test_an_empty_history_says_so_instead_of_estimating(sign_in) -> None:
    found = from_records()
    assert found.changes() == {}
    assert "no referral in the records" in found.remarks[0]
    text = sign_in(make_user("administrator")).get(reverse("plans:parameters")).content.decode()
    assert "nothing can be estimated" in text and "No forecast: records: 0 cases" in text


def test_records_become_parameters_with_their_interval_and_origin(
    sign_in, django_assert_max_num_queries, tmp_path
) -> None:
    """A number that a force plans with must be traceable to what it rests on."""
    supervisor = make_user("supervisor")
    for number in range(24):
        case = make_case(actor=supervisor, risk="high", days_ago=120)
        if number % 2:
            make_child(case=case)
    make_case(actor=supervisor, risk="low")
    for _ in range(3):
        make_user(skills=[SKILL])
    Referral.objects.update(received_at=timezone.now() - timedelta(days=100))
    with django_assert_max_num_queries(16):
        found = from_records()
    changes = found.changes()
    assert changes["referrals.per_year"] == pytest.approx(25 * 365.25 / 100, rel=0.01)
    rate = found.found["referrals.per_year"]
    assert rate.low < rate.value < rate.high and rate.n == 25
    assert changes["referrals.children.high"] == pytest.approx(0.5)
    assert changes["referrals.kept.low"] == 1.0
    assert changes["staff.specialists"] == 3 and changes["teams"] == 1
    assert changes["referrals.mix"] == {"very_high": 0, "high": 24 / 25, "medium": 0, "low": 1 / 25}
    assert "referrals.children.low" not in changes, "one case says nothing"
    assert any("season and growth cannot be seen" in remark for remark in found.remarks)
    made = plan("ours", changes, [])
    assert made.scenarios[0].network(1.0, 30.0).kinds
    path = tmp_path / "ours.toml"
    path.write_bytes(sign_in(supervisor).get(reverse("plans:records_file")).content)
    again = read_plan(path).scenarios[0].parameters
    assert again.number("referrals.per_year") == pytest.approx(changes["referrals.per_year"], rel=1e-5)
    assert again.risk("referrals.mix", "high") == pytest.approx(24 / 25)
    assert "# Referrals received in 100 days: 91.3 (59.1 to 135), n = 25" in path.read_text()
    text = sign_in(supervisor).get(reverse("plans:parameters")).content.decode()
    assert "against 25 today" in text
    assert "Referrals received in 100 days" in text and "n = 25" in text and "too few records" in text


def test_referrals_are_counted_once_and_the_window_is_two_years() -> None:
    make_user("supervisor")
    for days in (10, 900):
        make_referral(received_at=timezone.now() - timedelta(days=days))
    assert from_records().found["referrals.per_year"].n == 1
