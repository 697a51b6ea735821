"""Figures of the force's own records: clocks with open ones counted, control charts, what a specialist does."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_accreditation, make_allocation, make_case, make_unit, make_user

from safelight.casework.allocation.models import Allocation
from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock
from safelight.casework.inspection import trends
from safelight.casework.inspection.clock_figures import clock_lines, curves_of, median_text
from safelight.measures import MeasuresError

pytestmark = pytest.mark.django_db
NOW = timezone.now()


def clock(hours: float, met: bool, number: int, *, reason: str = "", unit: str = "CN", days: int = 60) -> Clock:
    begun = NOW - timedelta(days=days)
    return Clock(
        rule=trends.CHILD, subject_type="x.x", subject_id=number, subject_label="x", owner_role="investigator",
        unit=make_unit(unit), triggered_at=begun, due_at=begun + timedelta(hours=24), duration="24 hours",
        standards_version="x", stopped_at=begun + timedelta(hours=hours) if met else None, stop_reason=reason,
    )  # fmt: skip


def test_open_clocks_count_and_the_flattering_figure_stands_beside() -> None:
    """Lost: 100 % told in time, because the children who still wait are left out."""
    rows = [clock(10, True, n) for n in range(6)] + [clock(0, False, n) for n in range(6, 9)]
    rows.append(clock(30, True, 9, reason="Case closed: no suspect"))
    Clock.objects.bulk_create(rows)
    (line,) = clock_lines(now=NOW)
    assert (line.hours.n, line.hours.still_open) == (10, 4)
    assert line.ratio.met.estimate == pytest.approx(0.6)
    assert line.flattering == 1.0
    assert median_text(line.hours).startswith("10.0 h")
    assert "of the first 2.0 days" in line.mean_text
    assert curves_of(trends.CHILD, now=NOW).rows[0][:4] == ("Allowed: 24 hours", "10", "6", "4")
    assert clock_lines("SW", now=NOW) == [] and curves_of("no_such_rule", now=NOW) is None


def test_a_month_without_cases_is_a_gap_and_too_few_are_refused_in_words() -> None:
    """Lost: a month in which nobody was referred, drawn as nought per cent."""
    drawings, refused = trends.charts()
    assert drawings == [] and len(refused) == 3
    assert all(": " in reason for reason in refused)
    for week in range(10):
        if week != 4:
            Clock.objects.bulk_create([clock(10, True, 100 * week + n, days=21 + 7 * week) for n in range(3)])
    drawings, _ = trends.charts(step="week")
    (one,) = [drawing for drawing in drawings if drawing.title.startswith("Social care told")]
    values = [row[1] for row in one.rows]
    assert "no figure" in values and "0" not in values and "100" in values


def test_a_specialists_effect_is_refused_or_computed_with_all_four_figures(sign_in) -> None:
    """Lost: 59 against 11 % without a denominator, once more."""
    with pytest.raises(MeasuresError):
        trends.specialist_effect()
    seed = make_case(risk="high")
    skilled, other = make_user(skills=["ocsae_investigator"]), make_user()
    make_accreditation(other, "detective")
    dice = np.random.default_rng(2)
    rows = []
    for number in range(400):
        high = bool(dice.random() < 0.5)
        mine = bool(dice.random() < (0.7 if high else 0.3))
        charged = bool(dice.random() < 0.2 + 0.3 * high + 0.15 * mine)
        case = Case(
            title=f"Synthetic {number}", status="closed", risk="high" if high else "low", unit=seed.unit,
            required_skill="detective", opened_at=NOW - timedelta(days=90), opened_by=other, last_action_at=NOW,
            closed_at=NOW, closed_by=other, outcome="charged" if charged else "no_suspect",
        )  # fmt: skip
        rows.append((case, skilled if mine else other))
    Case.objects.bulk_create(case for case, _ in rows)
    Allocation.objects.bulk_create(
        Allocation(case=case, investigator=who, allocated_by=other, reason="x", points=1,
                   started_at=NOW - timedelta(days=80))
        for case, who in rows
    )  # fmt: skip
    report = trends.specialist_effect()
    assert report.n == 400 and report.specialists == sum(who is skilled for _, who in rows)
    assert 0.15 in report.aipw and report.raw.estimate > report.aipw.estimate
    page = sign_in(make_user("auditor", None)).get(reverse("inspection:outcomes")).content.decode()
    assert report.sentence in page and page.count("<svg role=") == 2
    make_unit("SW")
    page = sign_in(make_user("chief_officer", None)).get(reverse("inspection:outcomes") + "?unit=SW").content.decode()
    assert "Not computed" in page


def test_a_supervisor_sees_the_own_unit_only(sign_in) -> None:
    """Lost: one unit's figures on another's desk before the chief has looked."""
    Clock.objects.bulk_create([clock(10, True, n, unit="SW") for n in range(5)])
    make_allocation(make_case(), actor=make_user("supervisor"))
    client = sign_in(make_user("supervisor"))
    for query in ("", "?unit=SW"):
        text = client.get(reverse("inspection:clocks") + query).content.decode()
        assert "Refer a child at risk" not in text
        assert client.get(reverse("inspection:control") + query).status_code == 200
    assert client.get(reverse("inspection:outcomes")).status_code == 403
    text = sign_in(make_user("chief_officer", None)).get(reverse("inspection:clocks") + "?unit=SW").content.decode()
    assert "Refer a child at risk" in text
