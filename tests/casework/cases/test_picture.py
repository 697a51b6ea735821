"""The course of a case as a picture: whoever reads it sees what the table says, also on a photocopy."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_user

from safelight.casework.cases.chronology import KINDS
from safelight.casework.cases.picture import LANES, course, lane_of
from safelight.casework.cases.services import note
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import clocks_of_case

pytestmark = pytest.mark.django_db


def test_every_entry_and_clock_is_drawn_and_lateness_shows(sign_in) -> None:
    """A month in which nothing happened would not be seen."""
    head = make_user("supervisor")
    case = make_case(actor=head, days_ago=40)
    note(head, case, "enquiry", "Synthetic.", at=timezone.now() - timedelta(days=20))
    note(head, case, "note", "Synthetic.")
    began = timezone.now() - timedelta(days=39)
    Clock.objects.filter(case=case, rule="allocation_to_investigator").update(
        triggered_at=began, due_at=began + timedelta(days=1)
    )
    entries, clocks = list(case.chronology.all()), clocks_of_case(case)
    picture = course(case, entries, clocks)
    marks = re.findall(r'<path d="[^"]+" fill="(#\w+)"', picture)
    assert len(marks) == len(entries) and marks.count("#0b0c0c") == sum(one.meaningful for one in entries)
    assert picture.count('stroke-width="7"') == 1  # the one late clock
    assert "style=" not in picture and "<script" not in picture
    page = sign_in(head).get(reverse("cases:chronology", args=[case.reference])).content.decode()
    assert "course-title" in page and "Show as a table" in page
    assert course(case, [], []) == ""


def test_kinds_of_entries_find_their_lane() -> None:
    """A child moved to safety would be drawn among the desk's own steps."""
    assert [LANES[lane_of(kind)] for kind in ("child_seen", "arrest", "triage_finished", "allocated")] == list(LANES)
    assert {lane_of(kind) for kind in KINDS} == {0, 1, 2, 3}
