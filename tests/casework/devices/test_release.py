"""Triage decisions with a name, and what becomes of exhibits in the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_device, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.models import Case
from safelight.casework.cases.queries import obstacles, stage_of
from safelight.casework.devices import release as ends
from safelight.casework.devices import services
from safelight.casework.devices.models import Device, EvidenceImage, Finding, Release, TriageRun
from safelight.casework.fleet import examinations
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db
END = {"kind": "return", "authority": "PACE 1984 s.22: no longer needed", "reason": "Nothing of it is in issue."}
OUT = {"handed_by": "Example Keeper", "received_by": "Example Owner", "place": "Front desk", "receipt": "R-1"}


@pytest.fixture
def supervisor() -> Any:
    return make_user("supervisor")


@pytest.fixture
def device(supervisor: Any) -> Device:
    """Decided not to be triaged, by the investigator; held by whoever booked it in."""
    case = make_case(actor=supervisor)
    officer = make_allocation(case, actor=supervisor).investigator
    return make_device(case, officer, decision="not_triaged", decision_reason="Sealed in its box (synthetic).")


def ran(device: Device, state: str = "finished", category: str = "") -> TriageRun:
    now, by = timezone.now(), device.booked_in_by
    image = EvidenceImage.objects.create(
        device=device, path=f"{device.pk}.dd", imaged_at=now, registered_by=by, registered_at=now
    )
    run = TriageRun.objects.create(
        device=device, image=image, state=state, queued_by=by, queued_at=now, summary={"files_read": 1}
    )
    if category:
        listed = HashSetRecord.objects.create(
            name="SYNTHETIC", kind="known", version="1", root="ab" * 32, folder="", source="x", legal_basis="x",
            file_name="x", file_sha256="x", format="x", imported_at=now, imported_by=by,
        )  # fmt: skip
        Finding.objects.create(
            run=run, kind="exact", algorithm="md5", category=category, hash_set=listed, path="a.jpg", size=1,
            md5="0" * 32, sha1="", sha256="",
        )  # fmt: skip
    return run


def test_a_case_with_a_device_that_nobody_decided_on_never_looks_ready(supervisor: Any) -> None:
    """A phone in the store would be forgotten because a default said that it would be triaged."""
    case = make_case(actor=supervisor)
    officer = make_allocation(case, actor=supervisor).investigator
    device = make_device(case)
    assert (device.decision, device.decided_by, device.decided_at) == ("undecided", None, None)
    ran(device)  # even where somebody's run has read it
    assert stage_of(case) == "devices"
    assert any("no triage decision" in one.text for one in obstacles(case))
    services.decide(officer, device, decision="triage")
    device.refresh_from_db()
    assert device.decided_by == officer and device.decided_at is not None
    assert not any(one.area == "devices" for one in obstacles(case))
    for fields in ({"decided_by": None}, {"decided_at": None}, {"decision": "undecided"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Device.objects.filter(pk=device.pk).update(**fields)


def test_who_books_in_may_decide_only_if_the_case_is_theirs(supervisor: Any) -> None:
    """The decision not to look would be taken by whoever holds the label printer."""
    case = make_case(actor=supervisor)
    with pytest.raises(NotAllowed):
        make_device(case, decision="not_triaged", decision_reason="Busy.")
    assert not case.devices.exists(), "half a booking was kept"
    made = make_device(case, supervisor, decision="triage")
    assert made.decided_by == supervisor


def test_an_exhibit_that_the_case_needs_goes_nowhere(device: Device, supervisor: Any) -> None:
    """The evidence would be handed back, or burnt, before anybody has looked at it."""
    services.decide(supervisor, device, decision="triage")
    officer = device.booked_in_by
    with pytest.raises(NotAllowed):
        ends.decide_release(officer, device, **END)
    with pytest.raises(NotPossible, match="still needs"):
        ends.decide_release(supervisor, device, **END)
    run = ran(device)
    examinations.submit(officer, device, asked_for="Who used it?")
    with pytest.raises(NotPossible, match="full examination is not complete"):
        ends.decide_release(supervisor, device, **END)
    examinations.withdraw(officer, device.examinations.get(), reason="Answered by triage.")
    with pytest.raises(NotPossible, match="nothing of an open case is destroyed"):
        ends.decide_release(supervisor, device, **{**END, "kind": "destroy"})
    standing = ends.decide_release(supervisor, device, **END)
    with pytest.raises(NotPossible, match="stands"):
        ends.decide_release(supervisor, device, **END)
    # It is needed again between the decision and the counter: the counter is told.
    TriageRun.objects.filter(pk=run.pk).update(state="running", lease="x")
    with pytest.raises(NotPossible, match="still needs"):
        ends.carry_out(officer, standing, **OUT)
    retained = ends.withdraw_release(supervisor, standing, reason="Needed again.")
    assert retained.withdrawn_by == supervisor
    with pytest.raises(Invalid, match="day of review"):
        ends.decide_release(supervisor, device, **{**END, "kind": "retain"})
    soon = timezone.localdate() + timedelta(days=90)
    kept = ends.decide_release(supervisor, device, **{**END, "kind": "retain"}, review_on=soon)
    assert kept.review_on == soon, "what is needed may always be kept"


def test_listed_material_is_never_handed_back(device: Device, supervisor: Any) -> None:
    """The police would hand over what it is an offence to possess."""
    ran(device, category="A")
    Case.objects.filter(pk=device.case_id).update(
        status="closed", closed_at=timezone.now(), outcome="charged", closed_by=supervisor
    )
    with pytest.raises(NotPossible, match="it is not returned"):
        ends.decide_release(supervisor, device, **END)
    ends.decide_release(supervisor, device, **{**END, "kind": "destroy", "authority": "Order of the court"})


def test_the_chain_ends_with_a_receipt_and_says_where_it_does_not_join(device: Device, supervisor: Any) -> None:
    """In court nobody could say how the exhibit came from the store to the counter."""
    officer = device.booked_in_by
    standing = ends.decide_release(supervisor, device, **END)
    with pytest.raises(Invalid, match="does not join"):
        ends.carry_out(officer, standing, **OUT)
    assert device.custody.count() == 1, "a refused step left a link behind"
    with pytest.raises(Invalid, match="before the decision"):
        ends.carry_out(officer, standing, **OUT, at=timezone.now() - timedelta(hours=1), gaps="x")
    with pytest.raises(Invalid, match="receipt"):
        ends.carry_out(officer, standing, **{**OUT, "receipt": " "}, gaps="The store's book has it (synthetic).")
    done = ends.carry_out(officer, standing, **OUT, gaps="The store's book has it (synthetic).")
    assert done.event is not None and done.event.action == "returned" and done.gaps and done.receipt == "R-1"
    assert LedgerEntry.objects.get(verb="device.released").payload["gaps"] == 1
    with pytest.raises(NotPossible, match="was returned"):
        services.move(officer, device, action="moved", handed_by="A", received_by="B", place="C")
    with pytest.raises(NotPossible, match="was returned"):
        ends.decide_release(supervisor, device, **END)
    with pytest.raises(IntegrityError), transaction.atomic():
        Release.objects.filter(pk=done.pk).update(receipt="")


def test_a_chain_that_joins_needs_no_words(device: Device, supervisor: Any) -> None:
    """An honest chain would be questioned because of a capital letter."""
    officer = device.booked_in_by
    step = {"handed_by": officer.name.upper(), "received_by": "Example  Keeper", "place": "Store"}
    services.move(officer, device, action="moved", **step)
    again = {"handed_by": "example keeper", "received_by": "Example Keeper", "place": "Bench"}
    services.move(officer, device, action="opened", **again)
    assert ["no new seal" in gap for gap in ends.gaps_of(device)] == [True]
    services.move(officer, device, action="sealed", seal="S-2", **again)
    assert ends.gaps_of(device) == []
    standing = ends.decide_release(supervisor, device, **END)
    assert ends.carry_out(officer, standing, **OUT).gaps == ""


def test_the_pages_of_the_end_of_an_exhibit(device: Device, supervisor: Any, sign_in: Any) -> None:
    """A decision could be taken only by those who can write Python."""
    browser, page = sign_in(supervisor), reverse("devices:detail", args=[device.reference])
    assert "Decide what becomes of it" in browser.get(page).content.decode()
    end = reverse("devices:release", args=[device.reference])
    assert browser.post(end, {**END, "kind": "retain"}).status_code == 200
    assert browser.post(end, END).status_code == 302
    assert "Decided, not yet done" in browser.get(page).content.decode()
    out = reverse("devices:carry_out", args=[device.reference])
    assert "not join" in browser.post(out, OUT).content.decode()
    assert browser.post(out, {**OUT, "gaps": "The store's book (synthetic)."}).status_code == 302
    text = browser.get(page).content.decode()
    assert "Carried out" in text and "receipt R-1" in text and "Record custody" not in text
    assert browser.get(out).status_code == 404


def test_the_bench_of_an_image_is_named_on_a_page(device: Device, supervisor: Any, sign_in: Any) -> None:
    """A disk on one bench would be asked for by workers that cannot reach it, until somebody writes SQL."""
    run = ran(device)
    browser = sign_in(supervisor)
    page = reverse("devices:bench", args=[device.reference, run.image_id])
    assert "letters, digits" in browser.post(page, {"bench": "no such/bench"}).content.decode()
    assert browser.post(page, {"bench": "bench-2"}).status_code == 302
    run.image.refresh_from_db()
    assert run.image.bench == "bench-2"
    assert "bench-2" in browser.get(reverse("devices:detail", args=[device.reference])).content.decode()
