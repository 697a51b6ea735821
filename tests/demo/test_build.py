"""The demo is the first thing a newcomer sees: it must be whole, synthetic, and true to the product's own rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.allocation.models import Allocation
from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock, Hold
from safelight.casework.devices.models import Device, Finding, TriageRun
from safelight.casework.ledger.verify import verify
from safelight.casework.people.models import Person, PossibleLink
from safelight.casework.referrals.models import ImportLine, Referral
from safelight.casework.safeguarding.models import SafeguardingReferral
from safelight.casework.submissions.models import Submission
from safelight.demo.build import build_demo
from safelight.demo.sign_in import PASSWORD, SIGN_IN
from safelight.standards import demo_site_path

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: Any) -> Any:
    """A small demo, built once; the database is rolled back at the end."""
    from django.db import transaction

    data = tmp_path_factory.mktemp("demo")
    before = {name: getattr(settings, name) for name in ("DATA", "EVIDENCE_ROOT", "REPORTS_ROOT", "SITE_STANDARDS")}
    settings.DATA, settings.EVIDENCE_ROOT, settings.REPORTS_ROOT = data, data / "evidence", data / "reports"
    settings.SITE_STANDARDS = str(demo_site_path())
    with django_db_blocker.unblock(), transaction.atomic():
        yield build_demo(data, cases=40, runs=2)
        transaction.set_rollback(True)
    for name, value in before.items():
        setattr(settings, name, value)


def test_the_force_has_its_units_and_everyone_who_is_printed_can_sign_in(demo: dict[str, Any]) -> None:
    assert User.objects.filter(role="supervisor").values("unit").distinct().count() == 13
    for username, role, _ in SIGN_IN:
        user = User.objects.get(username=username)
        assert user.role == role
        assert user.check_password(PASSWORD)
    assert not User.objects.exclude(username__in=[name for name, *_ in SIGN_IN]).filter(password__startswith="pbkdf2")


def test_nobody_in_it_can_be_taken_for_a_real_person(demo: dict[str, Any]) -> None:
    named = Person.objects.exclude(family_name="")
    assert named.count() > 40
    assert not [one for one in named if one.family_name != "Reporter" and not one.family_name.startswith("Synthetic-")]
    assert not User.objects.exclude(name__contains="Demo-").exists()


def test_cases_stand_at_every_stage_and_the_supervisor_has_something_to_see(demo: dict[str, Any]) -> None:
    assert Referral.objects.filter(state="new").exists()
    assert Case.objects.filter(status="open", live_contact=True).exists()
    assert Case.objects.filter(status="closed").exists()
    assert Case.objects.filter(status="open", allocations=None).exists()
    assert Allocation.objects.filter(ended_at=None).exists()
    assert Clock.objects.breached(timezone.now()).exists()
    assert Hold.objects.exists()
    assert SafeguardingReferral.objects.exclude(acknowledged_at=None).exists()


def test_devices_were_really_triaged_and_some_wait_for_the_worker(demo: dict[str, Any]) -> None:
    done = TriageRun.objects.filter(state__in=["finished", "unread_parts"])
    assert done.count() >= 1
    assert all(run.verdict and run.findings_digest for run in done)
    assert Finding.objects.filter(kind="exact").exists()
    assert Finding.objects.filter(kind="perceptual").exists()
    assert TriageRun.objects.filter(state="queued").count() == 2
    assert Device.objects.filter(decision="not_triaged").exclude(decision_reason="").exists()
    assert Submission.objects.exists()


def test_the_imports_show_what_quarantine_is_for(demo: dict[str, Any]) -> None:
    outcomes = set(ImportLine.objects.values_list("outcome", flat=True))
    assert outcomes == {"accepted", "duplicate", "quarantined"}


def test_the_ledger_of_the_whole_history_verifies(demo: dict[str, Any]) -> None:
    result = verify()
    assert result.proven, result.faults
    assert result.waiting == 0
    assert result.entries == demo["ledger_entries"] > 1000


def test_no_picture_lies_about_outside_the_device_images(demo: dict[str, Any]) -> None:
    data = Path(settings.DATA)
    pictures = [p for p in data.rglob("*") if p.suffix.lower() in {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp"}]
    assert pictures == []


def test_the_companies_say_that_they_are_invented_and_one_probes(demo: dict[str, Any]) -> None:
    """A real company's name beside invented takedown figures would be a lie about it."""
    from safelight.casework.exchange.models import ApiKey, Hit, Platform, TakedownNotice

    assert Platform.objects.count() == 3
    assert not Platform.objects.exclude(name__endswith="(synthetic)").exists()
    assert [key.state() for key in ApiKey.objects.all()].count("suspended") == 1
    assert Hit.objects.count() > 20
    assert TakedownNotice.objects.open().exists()
    assert TakedownNotice.objects.exclude(removed_at=None).exists()


def test_possible_links_wait_on_the_desk(demo: dict[str, Any]) -> None:
    waiting = PossibleLink.objects.filter(state="waiting")
    assert {"crime", "visor", "safelight"} <= set(waiting.values_list("source", flat=True))
    # One is restricted, one is of an address only, and a man of an earlier referral is found again under another name.
    assert waiting.exclude(handling="").exists() and waiting.filter(kind="address").exists()
    again = waiting.exclude(other=None).order_by("-weight")[0]
    assert again.person.family_name != again.other.family_name and again.person.born == again.other.born
