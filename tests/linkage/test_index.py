"""What would be lost: the desk not seeing, when a referral arrives, that its people are known."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.linkage.conftest import person

from safelight.linkage import LinkageError, LinkIndex, LinkStore, shipped_model, write_index

HOME = "12 Park Road, N4 2AB"


@pytest.fixture
def index(store: LinkStore, tmp_path: Path) -> LinkIndex:
    store.add(
        "visor",
        [
            person("A", "William", "Thornbury", "1971-09-30", HOME, source="visor", handling="DI Roy"),
            person("B", "Amina", "Warsame", "2014-06-02", HOME, source="visor"),
            person("C", "Hodan", "Warsame", "2014-06-02", HOME, source="visor"),
        ],
    )
    store.run(shipped_model())
    return LinkIndex(write_index(store, tmp_path / "index.duckdb"))


def test_a_new_record_finds_its_person_with_reasons_that_add_up(index: LinkIndex) -> None:
    (found,) = index.match_one(person("new", "Bill", "Thornbury", "1971-09-30", "12 Park Rd, N4 2AB"))
    assert (found.source, found.key, found.handling) == ("visor", "A", "DI Roy") and found.cluster is not None
    evidence = found.evidence
    assert any("short form" in one for one in evidence.reasons) and any("same day" in one for one in evidence.reasons)
    # The waterfall is the sum, step by step, from the chance that two records taken at random are of one person.
    assert evidence.steps[0].total < -10
    assert sum(step.weight for step in evidence.steps) == pytest.approx(evidence.weight, abs=1e-6)
    assert evidence.steps[-1].total == pytest.approx(evidence.weight, abs=1e-6)
    assert evidence.probability > 0.99
    # What a person reads, without the marks of the comparison.
    shown = {step.title: (step.left, step.right) for step in evidence.steps}
    assert shown["Date of birth"] == ("1971-09-30", "1971-09-30")
    assert shown["Address"] == ("12 park rd, N42AB", "12 park rd, N42AB")


def test_a_twin_is_shown_with_the_warning(index: LinkIndex) -> None:
    found = index.match_one(person("new", "Amina", "Warsame", "2014-06-02", HOME))
    assert [(one.key, one.evidence.guard) for one in found][:1] == [("B", "")]
    other = [one for one in found if one.key == "C"]
    assert not other or "twins" in other[0].evidence.guard


def test_records_since_the_last_run_are_looked_through_too(index: LinkIndex) -> None:
    new = person("new", "Zbigniew", "Lewandowicz", "1990-02-03")
    assert index.match_one(new) == []
    (found,) = index.match_one(
        new, fresh=[person("earlier", "Zbyszek", "Lewandowicz", "1990-02-03", source="desk"), person("x", "Al", "Oz")]
    )
    assert (found.source, found.key, found.cluster) == ("desk", "earlier", None)


def test_a_record_without_anything_finds_nothing(index: LinkIndex) -> None:
    assert index.match_one(person("new", "", "")) == []


def test_no_index_and_no_run_are_one_sentence(store: LinkStore, tmp_path: Path) -> None:
    with pytest.raises(LinkageError, match="no run yet"):
        write_index(store, tmp_path / "i")
    with pytest.raises(LinkageError, match="There is no index"):
        LinkIndex(tmp_path / "i")
    (tmp_path / "i").write_text("x" * 10_000)
    with pytest.raises(LinkageError, match="cannot be read"):
        LinkIndex(tmp_path / "i")
