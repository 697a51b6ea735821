"""What cases are audited by: criteria in versions, reasons with a time, wording that is pointed at."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.standards import find_wording, load_standards
from safelight.standards.faults import StandardsFileError

S = load_standards()


def test_three_criteria_sets_each_with_version_and_scale() -> None:
    """Lost: a grade by the five topics compared with one by the child's journey, unnoticed."""
    assert {one.id: (one.version, one.scale) for one in S.criteria.values()} == {
        "childs_journey": ("2014-2023", "case"),
        "five_topics": ("2024", "case"),
        "force_own": ("1", "case"),
    }
    assert [one.title for one in S.criteria["five_topics"]] == [
        "Leadership", "Partnership working", "Initial response", "Risk assessment and referral", "Investigation",
    ]  # fmt: skip
    assert {"initial_contact", "trusted_adult", "managing_risk", "detention"} <= {
        one.id for one in S.criteria["childs_journey"]
    }
    assert S.criteria["five_topics"]["leadership"].asks
    assert S.refer_back_reasons["immediate_risk"].hours == 4


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She PUTS\n herself  at risk.", ["puts_self_at_risk"]),
        ("A child  prostitute; child pornography.", ["child_prostitute", "child_pornography"]),
        ("The streetwisely named street; unconsensual.", []),
        ("self-generated material", ["sent_by_child"]),
        ("", []),
    ],
)
def test_wording_is_found_as_whole_words(text: str, found: list[str]) -> None:
    assert [one.phrase.id for one in find_wording(text, S.wording.values())] == found


@given(st.text(max_size=300), st.text(max_size=300))
def test_every_place_lies_in_the_text_and_none_overlaps(before: str, after: str) -> None:
    text = f"{before} lifestyle choice {after}"
    places = find_wording(text, S.wording.values())
    ends = [0, *(one.end for one in places)]
    assert all(end <= one.start < one.end <= len(text) for end, one in zip(ends, places, strict=False))
    assert any(text[one.start : one.end].lower() == "lifestyle choice" for one in places)


def test_a_force_brings_its_own_criteria_and_words(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(
        '[criteria.force_own]\nlabel = "Board of 3 May"\nversion = "2"\n'
        'headings = [{ id = "child", title = "The child", asks = "Was the child seen?" }]\n'
        '[wording.banter]\nlabel = "Board of 3 May"\ntitle = "Banter"\nforms = ["banter"]\nwhy = "w"\nconsider = "c"\n',
        encoding="utf-8",
    )
    found = load_standards(own)
    assert (found.criteria["force_own"].version, len(found.criteria["force_own"].headings)) == ("2", 1)
    assert found.wording["banter"].set_by == "site: Board of 3 May"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("headings = []", "needs headings"),
        ('headings = [{ id = "A B", title = "x", asks = "y" }]', "cannot be used"),
        ('headings = [{ id = "a", title = "x", asks = "y" }, { id = "a", title = "x", asks = "y" }]', "twice"),
        ('scale = "odd"', "unknown"),
    ],
)
def test_a_malformed_set_is_refused_with_its_fault(tmp_path: Path, text: str, said: str) -> None:
    own = tmp_path / "own.toml"
    own.write_text(f'[criteria.force_own]\nlabel = "x"\n{text}\n', encoding="utf-8")
    with pytest.raises(StandardsFileError, match=said):
        load_standards(own)
