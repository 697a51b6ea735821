"""What waits for a person: each app offers its items, the work page puts the most urgent first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class WorkItem:
    """One thing that waits for the signed-in person.

    Args:
        title: what to do, as an instruction ("Tell social care about 2 children").
        url: where to do it.
        subject: the reference and title of what it is about.
        due_at: when its clock runs out; None where no clock applies.
        clock: the clock itself, for its badge, when there is one.
        risk: the case's risk level code, or "".
        urgent: True for what comes before every clock (live contact, immediate danger, an unallocated case).
        group: a heading to list it under ("Children", "Devices").
    """

    title: str
    url: str
    subject: str
    due_at: datetime | None = None
    clock: Any = None
    risk: str = ""
    urgent: bool = False
    group: str = ""
