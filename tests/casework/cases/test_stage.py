"""'Ready to close' beside a device that was not read in full would be an invitation to miss a child."""

from __future__ import annotations

import pytest
from django.utils import timezone
from tests.casework import factories

from safelight.casework.cases.queries import stage_of
from safelight.casework.devices.models import EvidenceImage, TriageRun

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", ["unread_parts", "failed", "cancelled"])
def test_a_run_that_nobody_accounted_for_keeps_the_devices_open(state: str) -> None:
    case = factories.make_case()
    factories.make_allocation(case)
    device = factories.make_device(case, case.opened_by, decision="triage")
    examiner = factories.make_user("examiner")
    now = timezone.now()
    image = EvidenceImage.objects.create(
        device=device, path="synthetic.dd", imaged_at=now, registered_by=examiner, registered_at=now
    )
    run = TriageRun.objects.create(device=device, image=image, state=state, queued_at=now, queued_by=examiner)
    TriageRun.objects.create(
        device=device,
        image=EvidenceImage.objects.create(
            device=device, path="second.dd", imaged_at=now, registered_by=examiner, registered_at=now
        ),
        state="finished",
        queued_at=now,
        queued_by=examiner,
    )
    assert stage_of(case) == "devices"
    TriageRun.objects.filter(pk=run.pk).update(accepted_at=now, accepted_reason="Synthetic", accepted_by=examiner)
    assert stage_of(case) == "ready"
