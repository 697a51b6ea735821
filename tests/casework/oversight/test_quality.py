"""Rules of data quality find what was broken on purpose, and nothing else."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_child, make_device, make_referral, make_user

from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock
from safelight.casework.devices.models import EvidenceImage
from safelight.casework.oversight import quality
from safelight.casework.oversight.extracting import make_extract
from safelight.casework.safeguarding.models import ChildAtRisk

pytestmark = pytest.mark.django_db


def test_each_rule_finds_the_row_that_breaks_it(tmp_path, settings, sign_in) -> None:
    """A contradiction would lie in the records and make a figure look better than it is."""
    settings.DATA = tmp_path
    now = timezone.now()
    supervisor = make_user("supervisor")
    before = quality.counted()
    case = make_case(actor=supervisor)
    child = make_child(case=case)
    start_clock(supervisor, "police_referral_to_csc", child, case=case, unit=case.unit)
    Case.objects.filter(pk=case.pk).update(
        status="closed", closed_at=now, outcome="no_suspect", live_contact=True, borough=""
    )
    second = make_case(actor=supervisor)
    Case.objects.filter(pk=second.pk).update(risk="", opened_at=now - timedelta(days=30), borough="Camden")
    alone = make_child(case=second)
    ChildAtRisk.objects.filter(pk=alone.pk).update(identified_at=now - timedelta(days=3), recorded_at=now)
    Clock.objects.filter(subject_type="safeguarding.childatrisk", subject_id=alone.pk).delete()
    alone.person.born, alone.person.born_precision = date(1980, 1, 1), "day"
    alone.person.save()
    device = make_device(second, supervisor)
    EvidenceImage.objects.create(
        device=device, path="synthetic.dd", imaged_at=device.seized_at - timedelta(days=1), registered_by=supervisor,
        registered_at=now,
    )  # fmt: skip
    make_referral(received_at=now - timedelta(days=3))
    found = {name: counts[""] - before[name][""] for name, counts in quality.counted().items()}
    for name in (
        "closed_over_a_child", "closed_in_contact", "case_without_risk", "child_without_clock", "adult_as_child",
        "imaged_before_seized", "child_recorded_late", "referral_recorded_late", "referral_not_looked_at",
    ):  # fmt: skip
        assert found[name] == 1, (name, found)
    assert found["born_impossibly"] == found["allocated_before_opened"] == 0
    make_extract()
    client = sign_in(supervisor)
    assert "Closed cases with a child" in client.get(reverse("oversight:quality")).content.decode()
    for one in quality.RULES:
        page = client.get(reverse("oversight:quality_rule", args=[one.id.replace("_", "-")]))
        assert page.status_code == 200
    page = client.get(reverse("oversight:quality_rule", args=["closed-in-contact"])).content.decode()
    assert case.reference in page and "Suspects still in contact" in page
    assert "doubtful" in client.get(reverse("oversight:index")).content.decode()
    elsewhere = sign_in(make_user("supervisor", "SW"))
    assert (
        case.reference
        not in elsewhere.get(reverse("oversight:quality_rule", args=["closed-in-contact"])).content.decode()
    )
