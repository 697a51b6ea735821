"""With scripts switched off, as some forces have it, nobody loses a step: every form is a form."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import expect
from tests.browser.site import CARD, Site

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def prepared(site: Site) -> dict[str, str]:
    """One referral that waits for the contact check, and one case with a triaged card, through the services."""
    from safelight.casework.allocation.services import allocate
    from safelight.casework.cases.services import open_case
    from safelight.casework.devices.services import book_in, queue_triage, register_image
    from safelight.casework.referrals.services import record_referral
    from safelight.casework.safeguarding.services import answer_contact_check
    from safelight.casework.workforce.models import Unit

    people = site.users
    waiting, made = (
        record_referral(
            people["desk"],
            source="nca",
            source_reference=f"SYN-PLAIN-{number}",
            summary="Synthetic package.",
            borough="Camden",
            suspect={"family_name": "Plainson", "given_names": "Pat"},
        )[0]
        for number in (1, 2)
    )
    answer_contact_check(people["desk"], made, lives_with="no", sees="no", works_with="no", basis="Synthetic checks.")
    case = open_case(
        people["desk"],
        referral=made,
        title="Operation Synthetic Plover",
        unit=Unit.objects.get(code="CN"),
        risk="medium",
        risk_source="Example Tool 2.1, assessed by Ann Assessor (synthetic)",
        required_skill="ocsae_investigator",
        borough="Camden",
    )
    allocate(people["supervisor"], case, investigator=people["investigator"], reason="Synthetic reason.")
    device = book_in(
        people["investigator"],
        case,
        exhibit="SYN/2",
        kind="card",
        description="Blue card",
        seized_at=timezone.now() - timedelta(hours=2),
        seized_from="2 Example Street (synthetic)",
        seized_by="PC Example Finder",
        place="Example store",
        seal="SEAL-0002",
    )
    run = queue_triage(people["examiner"], device, register_image(people["examiner"], device, path=CARD))
    _wait_for(run)
    return {"referral": waiting.reference, "case": case.reference, "device": device.reference}


def _wait_for(run: Any) -> None:
    ends = time.monotonic() + 90
    while run.state in ("queued", "running"):
        assert time.monotonic() < ends, "the worker never finished"
        time.sleep(0.1)
        run.refresh_from_db()
    assert run.state == "finished", run.failure


def test_the_desk_looks_for_children(visit, prepared: dict[str, str]) -> None:
    with visit("desk", javascript=False) as desk:
        desk.menu("Referral desk")
        desk.select("Source", "National Crime Agency package")
        desk.press("Filter", "plain-filtered")
        assert "source=nca" in desk.page.url
        desk.follow(prepared["referral"])
        desk.follow("1. Look for children", "plain-check")
        desk.press("Record the answers", "plain-check-empty")
        desk.is_told_of_a_problem("live with children", "see children", "work or volunteer", "these answers rest on")
        desk.choose("Does the suspect live with children?", "Yes")
        desk.choose("Does the suspect see children?", "Not known yet")
        desk.choose("Does the suspect work or volunteer with children?", "No")
        desk.fill("What these answers rest on", "Synthetic checks.")
        desk.press("Record the answers", "plain-answered")
        desk.told("A child is near the suspect")
        desk.box("Given names", desk.group("Child 1")).fill("Robin")
        desk.press("Another child", "plain-another-child")
        expect(desk.box("Given names", desk.group("Child 1"))).to_have_value("Robin")
        for number, name in ((1, "Robin"), (2, "Jay")):
            child = desk.group(f"Child {number}")
            desk.box("Given names", child).fill(name)
            desk.box("Family name", child).fill("Plainson")
            desk.box("Borough where the child lives", child).select_option(label="Camden")
            child.get_by_label("Lives with the suspect").check()
        desk.press("Record the children", "plain-children")
        for name in ("Robin", "Jay"):
            expect(desk.row(name)).to_contain_text("Running")


def test_the_case_is_worked(visit, prepared: dict[str, str]) -> None:
    with visit("investigator", javascript=False) as investigator:
        investigator.menu("Cases")
        investigator.follow(re.compile(prepared["case"]), first=True)
        investigator.tab("Chronology")
        investigator.select("What kind of entry", "Enquiry made")
        investigator.fill("What happened", "Synthetic enquiry without scripts.")
        investigator.press("Add", "plain-chronology")
        investigator.sees("Synthetic enquiry without scripts.")


def test_the_device_is_read_and_triaged_again(visit, site: Site, prepared: dict[str, str]) -> None:
    """Without htmx the page is brought up to date by a link."""
    with visit("examiner", javascript=False) as examiner:
        examiner.menu("Devices")
        examiner.follow(prepared["device"], "plain-device")
        examiner.sees("Listed material found")
        examiner.select("Category", "Category B")
        examiner.press("Show", "plain-findings")
        assert "category=B" in examiner.page.url
        examiner.press(re.compile("^Triage again"), "plain-waiting")
        for _ in range(120):
            refresh = examiner.page.get_by_role("link", name="Refresh")
            if not refresh.count():
                break
            refresh.click()
            time.sleep(0.5)
        examiner.look("plain-triaged-again")
        examiner.sees("Listed material found", "All runs")
