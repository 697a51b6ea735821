"""The forensic queue: states that are counted, an order that says why, and pages that leave none out."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_device, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.cases.queries import stage_of
from safelight.casework.clocks.models import Clock
from safelight.casework.devices.models import Device
from safelight.casework.devices.queries import outstanding
from safelight.casework.fleet import examinations, lab
from safelight.casework.fleet.models import Block, Examination
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor() -> Any:
    return make_user("supervisor")


@pytest.fixture
def examiner() -> Any:
    return make_user("examiner")


def sent(supervisor: Any, *, days: float = 0, **fields: Any) -> Examination:
    """A device of a case of its own, booked in so long ago, waiting for examination."""
    live = fields.pop("live", False)
    kind = fields.pop("kind", "phone")
    case = make_case(actor=supervisor, **fields)
    if live:
        type(case).objects.filter(pk=case.pk).update(live_contact=True)
    then = timezone.now() - timedelta(days=days)
    device = make_device(
        case, supervisor, decision="triage", kind=kind, seized_at=then - timedelta(hours=1), booked_in_at=then
    )
    return examinations.submit(supervisor, device, asked_for="Who used it? (synthetic)")


def test_the_states_of_an_examination(supervisor: Any, examiner: Any) -> None:
    """A device that nobody works on would be counted as in progress, or a blocked one as waiting."""
    undecided = make_device(make_case(actor=supervisor), examiner)
    with pytest.raises(NotPossible, match="triage decision"):
        examinations.submit(supervisor, undecided, asked_for="x")
    row = sent(supervisor, days=3)
    clock = Clock.objects.open().get(rule="device_full_exam", subject_id=row.device_id)
    assert clock.triggered_at == row.device.booked_in_at, "age counts from booking in, not from when somebody asked"
    with pytest.raises(NotPossible, match="already"):
        examinations.submit(supervisor, row.device, asked_for="x")
    with pytest.raises(NotAllowed):
        examinations.take(supervisor, row)
    with pytest.raises(NotPossible, match="waiting"):
        examinations.complete(examiner, row, result="x")
    examinations.take(examiner, row)
    with pytest.raises(NotPossible, match="in progress"):
        examinations.take(make_user("examiner"), row)
    with pytest.raises(Invalid, match="outside the force"):
        examinations.block(examiner, row, reason="No passcode", lifter="outside")
    made = examinations.block(examiner, row, reason="No passcode", lifter="outside", who="The maker")
    assert examinations.lifted_by(made) == "The maker (somebody outside the force)"
    with pytest.raises(NotPossible, match="blocked"):
        examinations.complete(examiner, row, result="x")
    row = examinations.unblock(examiner, row, how="The maker gave it.")
    assert (row.state, row.examiner) == ("in_progress", examiner)
    with pytest.raises(Invalid, match="result"):
        examinations.complete(examiner, row, result=" ")
    row = examinations.complete(examiner, row, result="Report SYN-1.")
    assert not Clock.objects.open().filter(rule="device_full_exam").exists() and row.ended_by == examiner
    assert not Block.objects.filter(until=None).exists()
    verbs = set(LedgerEntry.objects.filter(verb__startswith="examination.").values_list("verb", flat=True))
    assert verbs == {f"examination.{verb}" for verb in ("asked", "started", "blocked", "unblocked", "completed")}
    for fields in ({"state": "waiting"}, {"state": "in_progress", "examiner": None}, {"result": ""}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Examination.objects.filter(pk=row.pk).update(**fields)


def test_what_is_blocked_before_anyone_took_it_waits_again_with_its_age(supervisor: Any) -> None:
    """A device would lose its place because a cable was missing."""
    row = sent(supervisor, days=10)
    before = lab.listed(supervisor, {}).rows[0].place
    examinations.block(supervisor, row, reason="No cable", lifter="supervisor")
    assert lab.listed(supervisor, {}).rows[0].place is None
    assert examinations.unblock(supervisor, row, how="Bought one.").state == "waiting"
    after = lab.listed(supervisor, {}).rows[0].place
    assert before is not None and after is not None and after.index >= before.index


def test_the_queue_says_place_and_reason_and_the_child_comes_first(supervisor: Any, sign_in: Any) -> None:
    """Who waits for the phone of their child's abuser could not be told why another one is looked at."""
    low_old = sent(supervisor, days=400, risk="low", kind="usb")
    high = sent(supervisor, risk="high")
    low = sent(supervisor, risk="low", kind="usb")
    very = sent(supervisor, risk="very_high", kind="computer")
    live = sent(supervisor, risk="low", live=True)
    rows = lab.listed(supervisor, {}).rows
    order = [row.examination.pk for row in rows]
    # 400 days of 84 make a USB stick of a low risk case the most pressing of those without a child in contact.
    assert order == [one.pk for one in (live, low_old, very, high, low)]
    assert [row.place.place for row in rows] == [1, 2, 3, 4, 5]
    text = sign_in(supervisor).get(reverse("fleet:forensic_queue")).content.decode()
    for words in (
        "A child on the case is in live contact", "High risk: 6 for a day", "Triage priority medium (5 points): x 1",
        "About 3 days of work: / 3", "Its time ran out", "of its time is used", "safelight-forensic-queue/1",
    ):  # fmt: skip
        assert words in text, words


def test_places_count_devices_that_the_reader_may_not_see(supervisor: Any, sign_in: Any) -> None:
    """Every unit would believe that its own device is the next."""
    other = make_user("supervisor", "SW")
    sent(other, days=30, risk="very_high", unit="SW")
    mine = sent(supervisor, risk="low")
    rows = lab.listed(supervisor, {}).rows
    assert [(row.examination.pk, row.place.place) for row in rows] == [(mine.pk, 2)]
    text = sign_in(supervisor).get(reverse("fleet:forensic_queue")).content.decode()
    assert Examination.objects.exclude(pk=mine.pk).get().reference not in text


def test_pages_leave_none_out_while_the_queue_moves(monkeypatch: Any, supervisor: Any, examiner: Any) -> None:
    """A device would stand between two pages, on neither."""
    monkeypatch.setattr(lab, "PAGE", 2)
    risks = ("high", "low", "medium", "very_high", "low", "high", "medium")
    made = [sent(supervisor, days=number * 3, risk=risk) for number, risk in enumerate(risks)]
    examinations.block(supervisor, made[2], reason="No cable", lifter="examiner")
    examinations.take(examiner, made[3])
    seen: list[int] = []
    page = lab.listed(supervisor, {})
    seen += [row.examination.pk for row in page.rows]
    # The last of the first page is taken while the reader reads: the next page begins behind where it stood.
    examinations.take(examiner, page.rows[-1].examination)
    while page.after:
        page = lab.listed(supervisor, {}, after=page.after)
        seen += [row.examination.pk for row in page.rows]
    assert set(seen) == {one.pk for one in made}
    assert lab.listed(supervisor, {}, after="nonsense~1").rows, "an address that makes no sense shows nothing"


def test_ageing_counts_from_seizure_and_from_submission(supervisor: Any, sign_in: Any) -> None:
    """A device that lay in a cupboard for a year would look a day old."""
    row = sent(supervisor, days=400)
    sent(supervisor, days=2)
    seized, submitted = (lab.ageing(supervisor, since, {}) for since in ("seized", "submitted"))
    assert [total for *_, total in seized.bars] == [1, 0, 0, 0, 1]
    assert [total for *_, total in submitted.bars] == [2, 0, 0, 0, 0]
    (unit,) = lab.by_unit(supervisor)
    assert (unit.waiting, unit.in_progress, unit.blocked, unit.late, unit.oldest_submitted) == (2, 0, 0, 1, 0)
    assert unit.oldest_seized == 400
    page = sign_in(supervisor).get(reverse("fleet:forensic_queue"), {"seized": "older", "unit": "nonsense"})
    assert row.reference in page.content.decode() and page.content.decode().count("X-0") >= 1
    looked = LedgerEntry.objects.filter(verb="list.viewed").last()
    assert looked is not None and looked.payload["shown"] == [row.reference] and looked.payload["filter"]["unit"] == ""


def test_the_steps_on_pages(supervisor: Any, examiner: Any, sign_in: Any) -> None:
    """The queue would be worked on paper."""
    case = make_case(actor=supervisor)
    officer = make_allocation(case, actor=supervisor).investigator
    device = make_device(case, officer, decision="triage")
    assert sign_in(officer).post(
        reverse("fleet:submit", args=[device.reference]), {"asked_for": "Who used it?"}
    ).status_code == 302  # fmt: skip
    row = Examination.objects.get()
    assert any(f"full examination {row.reference} is waiting" in line for line in outstanding(case))
    browser = sign_in(examiner)
    page = reverse("devices:detail", args=[device.reference])
    assert "Take it for examination" in browser.get(page).content.decode()
    at = {name: reverse(f"fleet:{name}", args=[device.reference, row.reference]) for name in
          ("take", "block", "unblock", "complete", "withdraw")}  # fmt: skip
    assert browser.post(at["take"]).status_code == 302
    browser.post(at["block"], {"reason": "No passcode", "lifter": "investigator"})
    assert "Blocked: No passcode" in browser.get(page).content.decode()
    assert "No passcode" in browser.get(reverse("fleet:forensic_queue")).content.decode()
    browser.post(at["unblock"], {"how": "Given in interview."})
    browser.post(at["complete"], {"result": "Report SYN-1."})
    row.refresh_from_db()
    assert row.state == "complete" and "Report SYN-1." in browser.get(page).content.decode()
    assert stage_of(case) == "devices" and not any("examination" in line for line in outstanding(case))
    listed = browser.get(reverse("fleet:forensic_queue"), {"state": "complete"}).content.decode()
    assert "Report SYN-1." in listed
    assert Device.objects.get().examinations.count() == 1


def test_the_queue_needs_no_more_questions_for_more_devices(supervisor: Any) -> None:
    """The page would take a minute on the day the backlog is worst."""

    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            lab.listed(supervisor, {})
            lab.by_unit(supervisor)
        return len(found)

    sent(supervisor)
    few = asked()
    for _ in range(4):
        sent(supervisor)
    assert asked() == few
