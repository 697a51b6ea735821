"""A requirement whose test was renamed or removed would go on being 'met'."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from tests.support import asvs


def test_every_answer_exists():
    """A test that is named and gone proves nothing."""
    faults = [f"{row.id}: {said}" for row in asvs.read() if (said := asvs.fault(row))]
    assert faults == []


def test_no_requirement_is_left_out():
    """What is not listed is neither met nor open: it is forgotten."""
    rows = asvs.read()
    assert len({row.id for row in rows}) == len(rows)
    counts = Counter((row.chapter, row.level) for row in rows)
    for chapter, (one, two, three) in asvs.PUBLISHED.items():
        assert (counts[chapter, 1], counts[chapter, 2]) == (one, two), f"V{chapter}"
        assert counts[chapter, 3] == (three if chapter in asvs.LEVEL_3 else 0), f"V{chapter} level 3"
    assert all(row.requirement and len(row.requirement) < 120 for row in rows)


def test_the_summary_is_that_of_the_file(capsys):
    """The page would say what was true last spring. (`python -m tests.support.asvs` writes it anew.)"""
    assert asvs.PAGE.read_text(encoding="utf-8") == asvs.page()
    with capsys.disabled():
        counts = Counter(row.status for row in asvs.read())
        sys.stdout.write(f"\nASVS 5.0.0: {', '.join(f'{counts[status]} {status}' for status in asvs.STATUSES)}\n")


@pytest.mark.parametrize(
    "wrong",
    [
        ("test", ("tests/test_asvs.py::test_nowhere",)), ("test", ("tests/nowhere.py::test_x",)), ("test", ()),
        ("document", ("docs/nowhere.md",)), ("document", ("docs/operations.md#nowhere",)), ("document", ()),
        ("not_applicable", ()), ("open", ()), ("met", ()),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_noticed(wrong):
    """The check itself would let everything pass."""
    status, answer = wrong
    assert asvs.fault(asvs.Requirement("1.1.1", 1, "x", status, answer, ""))
