"""Oversight in the demo: the accountable officer, two reports of quarters gone by, a kept question."""

from __future__ import annotations

from typing import Any

from safelight.casework.oversight import reporting
from safelight.casework.oversight.extracting import make_extract
from safelight.casework.oversight.services import name_accountable, save_question


def oversight_story(chief: Any) -> None:
    """What a chief officer meets on the first day."""
    name_accountable(chief, chief, basis="Invented minute of an invented board, for the demo")
    make_extract(chief)
    save_question(chief, title="Cases by unit and risk", spec={"table": "cases", "by": ["unit", "risk"]})
    save_question(
        chief,
        title="Devices by kind and month of seizure",
        spec={"table": "devices", "by": ["kind", "seized_at:month"]},
    )
    reporting.publish(chief, reporting.draft(chief, reporting.last_quarter()))
