"""Booking in, custody, decisions and images."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_device, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.devices import queries, services
from safelight.casework.devices.models import Device
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def examiner() -> Any:
    return make_user("examiner", "CN")


def test_booking_in_starts_custody_clock_and_ledger(examiner: Any) -> None:
    """Without it a device would lie in a store that nobody has to answer for."""
    case = make_case(risk="very_high")
    device = make_device(case, examiner, exhibit="abc/1")
    assert device.exhibit == "ABC/1"
    link = device.custody.get()
    assert (link.action, link.handed_by, link.received_by) == ("booked_in", "PC Example Finder", examiner.name)
    clock = Clock.objects.get(rule="device_triage", subject_id=device.pk)
    assert clock.due_at == device.booked_in_at + timedelta(hours=24)
    assert LedgerEntry.objects.filter(verb="device.booked_in", subject_id=str(device.pk)).exists()
    assert case.chronology.filter(kind="device_booked_in").exists()


def test_a_device_is_never_booked_in_before_it_was_seized(examiner: Any) -> None:
    """The record would not stand in court."""
    case = make_case()
    now = timezone.now()
    with pytest.raises(Invalid, match="before it was seized"):
        make_device(case, examiner, seized_at=now - timedelta(hours=1), booked_in_at=now - timedelta(hours=2))
    with pytest.raises(Invalid, match="future"):
        make_device(case, examiner, seized_at=now + timedelta(hours=1))
    device = make_device(case, examiner)
    with pytest.raises(IntegrityError), transaction.atomic():
        Device.objects.filter(pk=device.pk).update(seized_at=now + timedelta(days=1))


def test_one_exhibit_reference_is_one_device(examiner: Any) -> None:
    """Two rows for one exhibit would let one of them be forgotten."""
    case = make_case()
    make_device(case, examiner, exhibit="X1")
    with pytest.raises(NotPossible, match="already has an exhibit X1"):
        make_device(case, examiner, exhibit=" x1 ")


def test_the_chain_of_custody_runs_forward(examiner: Any) -> None:
    """A hand-over dated before the last one would break the chain."""
    device = make_device(make_case(), examiner)
    step = {"action": "moved", "handed_by": "A", "received_by": "B", "place": "Store 2"}
    services.move(examiner, device, **step)
    with pytest.raises(Invalid, match="runs forward"):
        services.move(examiner, device, **step, at=timezone.now() - timedelta(minutes=30))
    with pytest.raises(Invalid, match="future"):
        services.move(examiner, device, **step, at=timezone.now() + timedelta(hours=1))
    with pytest.raises(Invalid, match="no number"):
        services.move(examiner, device, **{**step, "action": "sealed"})
    with pytest.raises(Invalid, match="no custody step"):
        services.move(examiner, device, **{**step, "action": "returned"})
    assert [event.action for event in queries.custody_of(device)] == ["booked_in", "moved"]


def test_not_triaging_needs_a_reason_and_can_be_taken_back() -> None:
    """'Two devices only' ends where every device has a reasoned decision."""
    case = make_case()
    investigator = make_allocation(case).investigator
    device = make_device(case, investigator)
    with pytest.raises(Invalid, match="reason"):
        services.decide(investigator, device, decision="not_triaged", reason=" ")
    services.decide(investigator, device, decision="not_triaged", reason="Sealed in its box, never switched on.")
    assert not Clock.objects.open().filter(rule="device_triage", subject_id=device.pk).exists()
    assert queries.outstanding(case) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        Device.objects.filter(pk=device.pk).update(decision_reason="")
    services.decide(investigator, device, decision="triage")
    clock = Clock.objects.open().get(rule="device_triage", subject_id=device.pk)
    assert clock.triggered_at == device.booked_in_at
    assert queries.outstanding(case) == [f"Device {device.exhibit} is to be triaged and has no image."]


def test_an_examiner_does_not_decide_and_a_stranger_does_nothing(examiner: Any) -> None:
    """The decision not to look belongs to whoever answers for the case."""
    case = make_case()
    device = make_device(case, examiner)
    with pytest.raises(NotAllowed):
        services.decide(examiner, device, decision="not_triaged", reason="Busy.")
    for stranger in (make_user("supervisor", "NE"), make_user("investigator", "CN"), make_user("administrator")):
        with pytest.raises(NotAllowed):
            make_device(case, stranger)


def test_an_image_is_registered_only_inside_the_evidence_folder(examiner: Any, settings: Any, tmp_path: Path) -> None:
    """A path or a link that leads outside could read any file of the machine into a report."""
    root, outside = tmp_path / "evidence", tmp_path / "outside.dd"
    root.mkdir()
    outside.write_bytes(b"x" * 512)
    (root / "inside.dd").write_bytes(b"x" * 512)
    os.symlink(outside, root / "link.dd")
    os.symlink(tmp_path, root / "folder")
    settings.EVIDENCE_ROOT = root
    device = make_device(make_case(), examiner)
    for path in ("../outside.dd", str(outside), "link.dd", "folder/outside.dd", "a\0b"):
        with pytest.raises(Invalid) as caught:
            services.register_image(examiner, device, path=path)
        assert caught.value.field == "path"
    with pytest.raises(Invalid, match="evidence folder itself"):
        services.register_image(examiner, device, path=".")
    with pytest.raises(Invalid, match="There is no"):
        services.register_image(examiner, device, path="missing.dd")
    with pytest.raises(Invalid, match="before the device was seized"):
        services.register_image(examiner, device, path="inside.dd", imaged_at=device.seized_at - timedelta(days=1))
    image = services.register_image(examiner, device, path=str(root / "inside.dd"))
    assert image.path == "inside.dd"
    clock = Clock.objects.get(rule="caid_upload", subject_id=device.pk)
    assert clock.triggered_at == image.imaged_at
    with pytest.raises(NotPossible, match="already registered"):
        services.register_image(examiner, device, path="inside.dd")


def test_the_picker_offers_images_and_follows_no_link(settings: Any, tmp_path: Path) -> None:
    """A list that follows links could show names from anywhere on the machine."""
    root = tmp_path / "evidence"
    (root / "case 7").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    for name in ("case 7/phone.E01", "case 7/phone.E02", "case 7/notes.txt", ".hidden.dd", "a.dd"):
        (root / name).write_bytes(b"")
    (tmp_path / "elsewhere" / "b.dd").write_bytes(b"")
    os.symlink(tmp_path / "elsewhere", root / "link")
    os.symlink(tmp_path / "elsewhere" / "b.dd", root / "c.dd")
    settings.EVIDENCE_ROOT = root
    assert queries.pickable_images() == (["a.dd", "case 7/phone.E01"], False)


def test_triage_is_refused_without_image_or_hash_set(examiner: Any, settings: Any, tmp_path: Path) -> None:
    """A run without a hash set could find nothing and would read like an answer."""
    settings.EVIDENCE_ROOT = tmp_path
    (tmp_path / "a.dd").write_bytes(b"x")
    device = make_device(make_case(), examiner)
    with pytest.raises(NotPossible, match="no such image"):
        services.queue_triage(examiner, device)
    services.register_image(examiner, device, path="a.dd")
    with pytest.raises(NotPossible, match="no hash set"):
        services.queue_triage(examiner, device)
