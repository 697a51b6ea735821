"""The device pages, as each role meets them."""

from __future__ import annotations

import os
from typing import Any

import pytest
from django.urls import reverse
from tests.casework.bench import Bench
from tests.casework.factories import make_allocation, make_case, make_device, make_user

from safelight.casework.devices import services
from safelight.casework.devices.models import Device, TriageRun
from safelight.casework.devices.tasks import _claim, run_triage
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def moment(name: str, value: str = "1 1 2026 10:30") -> dict[str, str]:
    day, month, year, time = value.split()
    return {f"{name}-day": day, f"{name}-month": month, f"{name}-year": year, f"{name}-time": time}


def test_the_whole_story_of_a_device_by_its_pages(bench: Bench, sign_in: Any) -> None:
    """Booking in, image, triage, watching, verdict, report: what an examiner does all day, without JavaScript."""
    bench.import_sets()
    case = make_case()
    make_device(case, bench.examiner)  # an examiner sees cases that have a device
    browser = sign_in(bench.examiner)
    made = browser.post(
        reverse("devices:book_in", args=[case.reference]),
        {
            "exhibit": "ABC/9",
            "kind": "card",
            "description": "Memory card",
            **moment("seized_at"),
            "seized_from": "Example address",
            "seized_by": "PC Example",
            "place": "Store",
            "seal": "S1",
        },
    )
    device = Device.objects.get(exhibit="ABC/9")
    page = reverse("devices:detail", args=[device.reference])
    assert made.headers["Location"] == page
    assert "has no image yet" in browser.get(page).content.decode()
    form = browser.get(reverse("devices:image", args=[device.reference])).content.decode()
    assert "card.dd" in form and "ext2.split.E01" in form and "ext2.split.E02" not in form
    browser.post(reverse("devices:image", args=[device.reference]), {"picked": "card.dd"})
    image = device.images.get()
    browser.post(reverse("devices:triage", args=[device.reference]), {"image": image.pk})
    run = device.runs.get()
    waiting = browser.get(page).content.decode()
    assert "Waiting for a worker" in waiting and "every 2s" in waiting and ">Refresh<" in waiting
    live = reverse("devices:progress", args=[device.reference, run.reference])
    assert "Waiting for a worker" in browser.get(live).content.decode()
    _claim(run.pk)
    TriageRun.objects.filter(pk=run.pk).update(
        stage="reading", bytes_done=5_000_000, bytes_total=10_000_000, files_done=3, files_total=9,
        summary={"rate": 1_000_000, "seconds_left": 5, "findings": 2},
    )  # fmt: skip
    running = browser.get(live).content.decode()
    for words in ("50%", "5 MB of 10 MB", "3 of 9 files", "1 MB a second", "less than a minute left", "2 findings"):
        assert words in running
    TriageRun.objects.filter(pk=run.pk).update(state="queued", lease="")
    run_triage(run.pk)
    assert browser.get(live).headers["HX-Refresh"] == "true"
    done = browser.get(page).content.decode()
    run.refresh_from_db()
    assert "Listed material found" in done
    finding = run.findings.first()
    assert finding is not None and finding.path in done and finding.sha256 in done
    for name in ("report.html", "report.json", "findings.csv"):
        got = browser.get(reverse("devices:report", args=[device.reference, run.reference, name]))
        assert got.status_code == 200
        assert "attachment" in got.headers["Content-Disposition"]
        assert b"".join(got.streaming_content)
        assert LedgerEntry.objects.filter(verb="device.viewed", payload__report=name).exists()
    assert (
        browser.get(reverse("devices:report", args=[device.reference, run.reference, "settings.py"])).status_code == 404
    )


def test_unread_parts_stand_before_findings_and_failures_say_why(bench: Bench, sign_in: Any) -> None:
    """Whoever reads from the top must meet what was not read first."""
    bench.import_sets()
    (bench.evidence / "noise.dd").write_bytes(os.urandom(2 << 20))
    device = bench.device("noise.dd")
    run = bench.triage(device)
    browser = sign_in(bench.examiner)
    page = browser.get(reverse("devices:detail", args=[device.reference])).content.decode()
    part = run.unread.first()
    assert part is not None and part.reason.split("'")[0][:30] in page.replace("&#39;", "'")
    assert page.index(">Not read<") < page.index(">Findings<")
    tab = browser.get(reverse("devices:case_devices", args=[device.case.reference])).content.decode()
    assert "Unread parts" in tab and "nobody accounted for them" in tab
    account = reverse("devices:account", args=[device.reference, run.reference])
    assert "Enter" in browser.post(account, {"reason": ""}).content.decode() or run.accepted_at is None
    assert browser.post(account, {"reason": "Encrypted."}).status_code == 302
    page = browser.get(reverse("devices:detail", args=[device.reference])).content.decode()
    assert "accounted for" in page and ">Not read<" in page
    (bench.evidence / "letter.E01").write_text("This is a letter.")
    other = bench.device("letter.E01")
    failed = bench.triage(other)
    page = browser.get(reverse("devices:detail", args=[other.reference])).content.decode()
    assert "This image could not be read" in page and failed.failure.split("'")[0][:20] in page


def test_filters_live_in_the_address(bench: Bench, sign_in: Any) -> None:
    """A colleague who gets the address must see the same findings."""
    bench.import_sets()
    device = bench.device()
    run = bench.triage(device)
    browser = sign_in(bench.examiner)
    page = reverse("devices:detail", args=[device.reference])
    exact = run.findings.filter(kind="exact").first()
    near = (
        run.findings.filter(kind="perceptual").exclude(md5__in=run.findings.filter(kind="exact").values("md5")).first()
    )
    assert exact is not None and near is not None
    shown = browser.get(page, {"run": run.reference, "kind": "exact"}).content.decode()
    assert exact.md5 in shown and near.md5 not in shown
    shown = browser.get(page, {"category": near.category, "kind": "perceptual"}).content.decode()
    assert near.md5 in shown and "256 bits differ" in shown
    assert browser.get(page, {"kind": "nonsense", "after": "x", "category": "Z"}).status_code == 200


def test_a_path_outside_the_evidence_folder_is_refused_on_the_form(bench: Bench, sign_in: Any) -> None:
    """The message must say where images belong, and nothing may be written."""
    device = make_device(make_case(), bench.examiner)
    browser = sign_in(bench.examiner)
    address = reverse("devices:image", args=[device.reference])
    answer = browser.post(address, {"path": "../../etc/passwd"})
    assert answer.status_code == 200
    assert "leads outside the evidence folder" in answer.content.decode()
    assert not device.images.exists()
    assert "Choose an image" in browser.post(address, {"path": ""}).content.decode()


def test_who_may_not_see_a_device_learns_nothing(bench: Bench, sign_in: Any) -> None:
    """Even the existence of a device of a case that one may not see is hidden."""
    device = make_device(make_case(), bench.examiner)
    page = reverse("devices:detail", args=[device.reference])
    assert sign_in(make_user("investigator", "NE")).get(page).status_code == 404
    assert sign_in(make_user("administrator")).get(page).status_code == 403
    assert sign_in(make_user("administrator")).get(reverse("devices:index")).status_code == 403
    stranger = sign_in(make_user("investigator", "CN"))
    assert stranger.get(page).status_code == 200
    assert (
        stranger.post(
            reverse("devices:decision", args=[device.reference]), {"decision": "not_triaged", "reason": "x"}
        ).status_code
        == 403
    )
    device.refresh_from_db()
    assert device.decision == "undecided"


def test_the_queue_shows_what_waits_longest_first(bench: Bench, sign_in: Any) -> None:
    """'Only two devices can be sent' hid the rest; here every device stands in one list."""
    case = make_case()
    first = make_device(case, bench.examiner)
    second = bench.device(case=case)
    browser = sign_in(bench.examiner)
    page = browser.get(reverse("devices:index")).content.decode()
    assert page.index(first.reference) < page.index(second.reference)
    waiting = browser.get(reverse("devices:index"), {"state": "no_image", "risk": "high"}).content.decode()
    assert first.reference in waiting and second.reference not in waiting
    assert "No device fits" in browser.get(reverse("devices:index"), {"state": "running"}).content.decode()
    entry = LedgerEntry.objects.filter(verb="list.viewed").order_by("pk").first()
    assert entry is not None and first.reference in entry.payload["shown"]


def test_custody_and_decision_forms(bench: Bench, sign_in: Any) -> None:
    """The two forms that a court asks about."""
    case = make_case()
    investigator = make_allocation(case).investigator
    device = make_device(case, investigator)
    browser = sign_in(investigator)
    step = {"action": "moved", "handed_by": "A", "received_by": "B", "place": "Lab"}
    assert browser.post(reverse("devices:custody", args=[device.reference]), step).status_code == 302
    assert (
        "runs forward"
        in browser.post(reverse("devices:custody", args=[device.reference]), {**step, **moment("at")}).content.decode()
    )
    address = reverse("devices:decision", args=[device.reference])
    assert "reason" in browser.post(address, {"decision": "not_triaged"}).content.decode()
    assert browser.post(address, {"decision": "not_triaged", "reason": "Never switched on."}).status_code == 302
    page = browser.get(reverse("devices:detail", args=[device.reference])).content.decode()
    assert "Never switched on." in page and "Lab" in page


def test_stopping_from_the_page(bench: Bench, sign_in: Any) -> None:
    """A run asked for by mistake is stopped by one button."""
    bench.import_sets()
    device = bench.device()
    run = services.queue_triage(bench.examiner, device)
    browser = sign_in(bench.examiner)
    address = reverse("devices:cancel", args=[device.reference, run.reference])
    assert "is stopped" in browser.post(address, follow=True).content.decode()
    assert "already ended" in browser.post(address, follow=True).content.decode()
    run.refresh_from_db()
    assert run.state == "cancelled"
