"""One night on which somebody broke the glass: it has ended and awaits its review."""

from __future__ import annotations

from datetime import datetime, timedelta

from safelight.casework.breakglass.services import break_glass, end
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import note
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.demo.force import Force
from safelight.demo.history import Story
from safelight.demo.sign_in import HOME_UNIT


def glass_story(force: Force, start: datetime) -> Story:
    """An investigator of another unit, called at night, reads a case of the home unit, writes what was said, and ends
    it after forty minutes."""
    case = Case.objects.open().filter(unit__code=HOME_UNIT, restricted=False).order_by("-pk").first()
    visitor = next((people[0] for unit, people in force.investigators.items() if unit != HOME_UNIT and people), None)
    if case is None or visitor is None:
        return
    row = break_glass(
        visitor,
        reference=case.reference,
        why="child_at_risk",
        reason="A synthetic neighbour telephoned at night about a child at this address. I need to know whether the "
        "child is known, and whom to call.",
        hours=2,
    )
    for tab in ("summary", "children", "clocks"):
        record(visitor, "case.viewed", case, category=Category.CONSULTATION, payload={"page": tab})
    note(visitor, case, "enquiry", "A neighbour telephoned at night about the child; passed on to the duty desk.")
    yield start + timedelta(minutes=40)
    end(visitor, row)
