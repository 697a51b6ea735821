"""The guide to referral files tells the truth: its examples can be imported as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.casework.factories import make_user

from safelight.casework.referrals.importers.record import FILE_KEYS, PERSON_KEYS, RECORD_KEYS
from safelight.casework.referrals.services import import_file

GUIDE = (Path(__file__).parents[3] / "docs" / "referral-import.md").read_text(encoding="utf-8")


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["csv", "json", "xml"])
def test_the_example_of_each_format_is_accepted(kind: str) -> None:
    """A sender would follow the guide and see every report in quarantine."""
    (example,) = re.findall(rf"```{kind}\n(.*?)```", GUIDE, re.DOTALL)
    example = example.replace("2026-11-0", "2025-11-0").replace("/11/2026", "/11/2025")
    batch = import_file(make_user("referral_desk"), name="example", content=example.encode())
    assert [(line.outcome, line.reason) for line in batch.lines.all()] == [("accepted", "")]
    assert batch.referrals.get().people.filter(role="child").count() == 1


def test_every_field_is_in_the_guide() -> None:
    for name in (*RECORD_KEYS, *PERSON_KEYS, *FILE_KEYS):
        assert f"`{name}`" in GUIDE, name
