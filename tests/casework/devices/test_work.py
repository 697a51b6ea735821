"""What the work list says about devices."""

from __future__ import annotations

from typing import Any

import pytest
from tests.casework.bench import Bench
from tests.casework.factories import make_allocation, make_case, make_device, make_user

from safelight.casework.devices import services
from safelight.casework.devices.work import items_for

pytestmark = pytest.mark.django_db


def titles(user: Any) -> list[str]:
    return [item.title for item in items_for(user)]


def test_each_role_is_told_what_waits_for_it(bench: Bench) -> None:
    """A device that is on nobody's list is forgotten."""
    bench.import_sets()
    case = make_case()
    investigator = make_allocation(case).investigator
    supervisor = make_user("supervisor", case.unit)
    device = make_device(case, bench.examiner)
    assert titles(bench.examiner) == ["Image the device, or decide not to triage it"]
    assert titles(investigator) == [*titles(bench.examiner), "Decide whether the device is triaged"]
    assert titles(supervisor) == ["Decide whether the device is triaged"]
    services.decide(supervisor, device, decision="triage")
    assert titles(supervisor) == []
    (bench.evidence / "letter.E01").write_text("A letter.")
    failing = bench.device("letter.E01", case)
    assert "Triage the device" in titles(bench.examiner)
    run = bench.triage(failing)
    for user in (bench.examiner, investigator, supervisor):
        assert "The image could not be read: image it again, or account for it" in titles(user)
    item = next(item for item in items_for(supervisor) if item.clock)
    assert item.due_at == item.clock.due_at and item.risk == "high"
    services.accept_unread(bench.examiner, run, reason="The device is a dummy.")
    assert titles(supervisor) == []
    assert items_for(make_user("administrator")) == []
    assert items_for(make_user("investigator", "CN")) == []


def test_a_failed_device_is_not_lost_behind_those_that_wait(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a unit with hundreds of waiting devices the supervisor would never hear of the one that could not be read."""
    monkeypatch.setattr("safelight.casework.devices.work.MOST", 2)
    bench.import_sets()
    case = make_case()
    supervisor = make_user("supervisor", case.unit)
    for number in range(6):
        services.decide(supervisor, make_device(case, bench.examiner, exhibit=f"W/{number}"), decision="triage")
    (bench.evidence / "letter.E01").write_text("A letter.")
    failing = bench.device("letter.E01", case)
    services.decide(supervisor, failing, decision="triage")
    bench.triage(failing)
    assert titles(supervisor) == ["The image could not be read: image it again, or account for it"]
