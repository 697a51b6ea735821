"""What an audit found: weighted, against the units' own grades, and in words where it cannot be computed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_assessment, make_audit, make_case, make_user

from safelight.casework.inspection.models import AuditPlan
from safelight.casework.inspection.results import own_audits, own_changes, result_of
from safelight.casework.inspection.services import close_plan
from safelight.measures import wilson

pytestmark = pytest.mark.django_db


@pytest.fixture
def audited():
    """4 of 6 cases of CN and all 2 of SW audited; the units call nearly everything good."""
    for unit, number in (("CN", 6), ("SW", 2)):
        for _ in range(number):
            make_case(unit=unit)
    auditor = make_user("auditor", None)
    plan = make_audit(auditor, size=6, reserve=0)
    supervisors = {"CN": make_user("supervisor"), "SW": make_user("supervisor", "SW")}
    theirs = {"CN": ["good", "inadequate", "inadequate", "requires_improvement"], "SW": ["good", "inadequate"]}
    for audit in plan.cases.order_by("stratum", "position"):
        code = audit.unit.code
        make_assessment(supervisors[code], audit, "good" if audit.position != 4 else "requires_improvement")
        make_assessment(auditor, audit, theirs[code][audit.position - 1])
    return plan, auditor


def test_grades_are_weighted_to_the_population_and_the_kindness_is_a_number(audited, sign_in) -> None:
    """Lost: a small unit that counts as much as a large one; 80 % good by oneself, never held against anything."""
    plan, auditor = audited
    found = result_of(plan)
    shares = dict(found.shares)
    # CN: 1 of 4 good of 6 cases; SW: 1 of 2 of 2. (6 * 0.25 + 2 * 0.5) / 8
    assert shares["Good"].estimate == pytest.approx(0.3125)
    assert shares["Inadequate"].estimate == pytest.approx((6 * 0.5 + 2 * 0.5) / 8)
    assert found.comparison.bias.estimate == pytest.approx((2 + 2 + 0 + 2) / 6)
    assert (found.bound.at_least, found.bound.n) == (3, 6)
    assert "1.00 grades kinder" in found.bias_sentence and found.bias_sentence.endswith("is shown.")
    assert found.refused == [] or all("Funnel" in one for one in found.refused)
    assert set(found.drawings) >= {"grades", "pairs", "funnel"}
    page = sign_in(auditor).get(reverse("inspection:result", args=[plan.reference])).content.decode()
    assert found.bias_sentence in page and "at least 3 of 6 cases" in page and page.count("<svg role=") >= 3
    chief = sign_in(make_user("chief_officer", None)).get(reverse("inspection:result", args=[plan.reference]))
    assert chief.status_code == 200
    assert sign_in(make_user("supervisor")).get(reverse("inspection:result", args=[plan.reference])).status_code == 403


def test_a_closed_audit_stands_on_the_chart_of_published_figures(audited, sign_in) -> None:
    """Lost: the force's own audits drawn on another chart, with other rules."""
    plan, auditor = audited
    close_plan(auditor, plan)
    assert [(one.pk, round(share.estimate, 4), why) for one, share, why in own_audits()] == [(plan.pk, 0.3125, "")]
    page = sign_in(auditor).get(reverse("inspection:published")).content.decode()
    assert f"{plan.reference} Synthetic audit" in page
    assert (
        plan.reference not in sign_in(make_user("investigator")).get(reverse("inspection:published")).content.decode()
    )


def test_one_case_of_a_stratum_gives_no_interval_but_a_reason() -> None:
    """Lost: a share 'measured' in a stratum with one audited case."""
    for _ in range(3):
        make_case()
    auditor = make_user("auditor", None)
    plan = make_audit(auditor, size=1, minimum=1)
    AuditPlan.objects.update(self_due_at=timezone.now() - timedelta(hours=1))
    make_assessment(auditor, AuditPlan.objects.get().cases.get(reserve=False), "good")
    found = result_of(plan)
    assert [share for _, share in found.shares] == [None, None, None]
    assert any("one audited case of 3" in reason for reason in found.refused)
    assert found.comparison is None and found.both == 0


def test_all_grades_equal_is_a_bias_of_nothing_and_no_invented_kappa() -> None:
    for _ in range(4):
        make_case()
    auditor, supervisor = make_user("auditor", None), make_user("supervisor")
    plan = make_audit(auditor)
    for audit in plan.cases.all():
        make_assessment(supervisor, audit, "good")
        make_assessment(auditor, audit, "good")
    found = result_of(plan)
    assert found.comparison.bias.estimate == 0 and found.bias_sentence.endswith("is not shown.")
    assert all(one.value is None or one.reason == "" for one in found.comparison.coefficients)
    assert dict(found.shares)["Good"].method == "census: every case was looked at"
    assert any(reason.startswith("Funnel") for reason in found.refused)


def test_a_running_audit_says_that_it_runs_and_an_empty_one_that_there_is_nothing(sign_in) -> None:
    make_case()
    auditor = make_user("auditor", None)
    plan = make_audit(auditor)
    page = sign_in(auditor).get(reverse("inspection:result", args=[plan.reference])).content.decode()
    assert "nothing to show" in page


def test_own_audits_are_compared_only_when_drawn_alike_and_say_not_shown() -> None:
    """Lost: 'measurable improvement' between two audits of different cases."""
    interval = wilson(20, 60)
    make_case()
    plans = [make_audit(criteria=criteria) for criteria in ("five_topics", "five_topics", "force_own")]
    first, second = own_changes([(plan, interval, "") for plan in plans])
    assert first.startswith(f"Good, {plans[1].reference} against {plans[0].reference}: 33.3 to 33.3 %")
    assert first.endswith("a change is not shown.")
    assert second.endswith("drawn from different cases, so not compared.")
    plans[1].scale = "force"  # 'adequate' stands on one scale and not on the other
    refused = own_changes([(plan, interval, "") for plan in plans])
    assert all("graded on two scales" in said and "nobody declared a mapping" in said for said in refused)
