"""Oversight in the demo: the accountable officer, two reports of quarters gone by, a kept question."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from safelight.casework.oversight import reporting
from safelight.casework.oversight.extracting import make_extract
from safelight.casework.oversight.services import name_accountable, save_question
from safelight.errors import CaseworkError


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
    # So few cases that nothing can be told safely: the demo has no public report then.
    with suppress(CaseworkError):
        reporting.publish(chief, reporting.draft(chief, reporting.last_quarter()))
