"""The first answer over real images: what it finds, and what it says when it finds nothing."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.triage.conftest import make_ext

from safelight.errors import EvidenceError
from safelight.matching import HashSet, HashSetEntry
from safelight.triage import TriageResult, TriageSettings
from safelight.triage.blockruns import BLOCK
from safelight.triage.blocks import build_block_set
from safelight.triage.first_answer import first_answer
from safelight.triage.first_words import NONE_IN_SAMPLE, claims, inputs, percent, unseen
from safelight.triage.sampled import MB, TIME, FirstAnswer, FirstAnswerSettings

_RNG = np.random.default_rng(11)
LISTED, OTHER, GONE = (_RNG.bytes(size) for size in (40 * BLOCK + 100, 30 * BLOCK, 50 * BLOCK))
ASK = FirstAnswerSettings(at_least=40 * BLOCK, seconds=60, seed=7)


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A block set over two listed files."""
    folder = tmp_path_factory.mktemp("lists")
    for name, body in (("listed", LISTED), ("gone", GONE)):
        (folder / name).write_bytes(body)
    build_block_set([(folder / "listed", "A"), (folder / "gone", "B")], folder / "blocks.set", name="SYNTHETIC BLOCKS")
    return folder / "blocks.set"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image without any listed material."""
    files = {"a/other.bin": OTHER, "b.txt": b"short", "same-length.bin": _RNG.bytes(len(LISTED))}
    return make_ext(tmp_path_factory.mktemp("plain") / "plain.img", files, size="16M")


def known(**more: Any) -> HashSet:
    entry = HashSetEntry(md5=hashlib.md5(LISTED).digest(), category="A", size=len(LISTED), **more)
    return HashSet.from_entries([entry], name="SYNTHETIC")


def answer(image: Path, blocks: Path | None, *sets: HashSet, ask: FirstAnswerSettings = ASK) -> TriageResult:
    settings = TriageSettings(block_set=str(blocks) if blocks else "")
    return first_answer([image], hash_sets=sets, settings=settings, ask=ask, operator="Demo Examiner")


def test_a_listed_file_and_a_fragment_in_free_space_are_found(blocks: Path, tmp_path: Path) -> None:
    """The first answer would say 'none' of a device that a glance shows to hold some."""
    image = make_ext(tmp_path / "device.img", {"DCIM/x.jpg": LISTED, "o.bin": OTHER}, size="16M")
    body = bytearray(image.read_bytes())
    end = 12 << 20
    assert not any(body[end : end + len(GONE)])
    body[end : end + 30 * BLOCK] = GONE[10 * BLOCK : 40 * BLOCK]
    image.write_bytes(body)
    result = answer(image, blocks, known(), ask=replace(ASK, at_least=20 * BLOCK))
    exact, fragment = result.findings
    assert (exact.kind, exact.path, exact.hash_set) == ("exact", "DCIM/x.jpg", "SYNTHETIC")
    assert (fragment.kind, fragment.state, fragment.category) == ("block", "unallocated", "B")
    assert fragment.offsets == (end,) and "30 blocks" in fragment.notes[0]
    assert result.verdict.level == "listed material" and result.verdict.sentence.startswith("First answer, from a ")
    assert "the full pass is still to be done" in result.verdict.sentence
    # Without the hash set, the block set itself knows the whole file.
    alone = answer(image, blocks, ask=replace(ASK, at_least=20 * BLOCK))
    assert {(f.kind, f.path, f.hash_set) for f in alone.findings if f.kind == "exact"} == {
        ("exact", "DCIM/x.jpg", "SYNTHETIC BLOCKS")
    }


def test_none_found_is_a_probability_and_what_was_not_looked_at(blocks: Path, plain: Path) -> None:
    """A sample without a hit would be read as 'nothing there'."""
    result = answer(plain, blocks, known())
    first = result.first
    assert first is not None and not result.findings
    assert result.verdict.level == NONE_IN_SAMPLE and result.exit_code == 0
    assert "Every place of the " in result.verdict.sentence and first.drawn == first.places
    few = answer(plain, blocks, known(), ask=replace(ASK, places=100))
    assert "would have found some with a probability of 99." in few.verdict.sentence and few.exit_code == 0
    assert result.verdict.sentence.endswith("This does not show that the device holds none.")
    everything = " ".join((result.verdict.sentence, *result.verdict.reasons, *result.limits)).lower()
    assert " clear" not in everything and " clean" not in everything
    assert first.files_of_listed_size == first.files_checked == 1 and first.files_listed >= 3
    assert any("All 1 file as long as a listed file" in r for r in result.verdict.reasons)
    assert any("full pass reads everything" in text for text in result.limits)
    assert TriageResult.from_json(json.loads(json.dumps(result.to_json()))) == result


def test_another_laboratory_gets_the_same_digest(blocks: Path, plain: Path) -> None:
    """A sample that nobody can draw again proves nothing in court."""
    one = answer(plain, blocks, known())
    assert one.first is not None
    again = answer(plain, blocks, known(), ask=replace(ASK, places=one.first.drawn))
    assert again.first is not None
    assert again.findings_digest == one.findings_digest and again.first.drawn == one.first.drawn
    assert answer(plain, blocks, known(), ask=replace(ASK, seed=8)).findings_digest != one.findings_digest


def test_without_a_block_set_files_of_a_listed_length_are_read(plain: Path, tmp_path: Path) -> None:
    """A force without block sets would have no first answer at all."""
    image = make_ext(tmp_path / "device.img", {"x.jpg": LISTED, "same.bin": _RNG.bytes(len(LISTED))}, size="8M")
    result = answer(image, None, known())
    assert [(f.kind, f.path) for f in result.findings] == [("exact", "x.jpg")]
    assert result.first is not None and result.first.files_checked == 2 and result.first.places == 0
    none = answer(plain, None, known())
    assert none.verdict.level == NONE_IN_SAMPLE and "All 1 file" in none.verdict.sentence
    assert any("free space not at all" in text for text in none.limits)
    with pytest.raises(EvidenceError, match="nothing to look for"):
        answer(plain, None, HashSet.from_entries([HashSetEntry(md5=bytes(16))], name="NO SIZES"))


def test_a_lost_parser_costs_the_listing_not_the_sample(blocks: Path, plain: Path) -> None:
    """A made-up file system would stop the whole answer, or be passed over in silence."""
    from safelight.triage import first_answer as module
    from safelight.triage.first_answer import SpotReader

    real = SpotReader.spot

    class Losing(SpotReader):
        def spot(self, request: dict[str, Any], payload: bytes) -> Any:
            if request["listing"]:
                yield {"lost": "it ended with signal 11", "open": True}
            else:
                yield from real(self, request, payload)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "SpotReader", Losing)
        result = answer(plain, blocks, known())
    assert result.first is not None and result.first.drawn and not result.first.listing_complete
    assert any("signal 11" in p.what for p in result.problems)
    assert result.exit_code == 3 and any("its parser was lost" in u.reason for u in result.unread)


def test_stopping_keeps_what_was_counted(blocks: Path, plain: Path) -> None:
    """Ctrl-C would throw the answer away, or leave a probability that was never reached."""
    stages: list[str] = []
    result = first_answer(
        [plain], hash_sets=[known()], settings=TriageSettings(block_set=str(blocks)), ask=ASK, operator="Demo",
        on_progress=lambda p: stages.append(p.stage), should_stop=lambda: stages[-1:] not in ([], ["opening"]),
    )  # fmt: skip
    assert result.state == "stopped" and result.exit_code == 3 and result.first is not None
    assert result.first.ended == "a person stopped it"


def test_words_of_a_sample_that_was_cut_short() -> None:
    """'20 MB' would be claimed although the time ended long before."""
    first = FirstAnswer(
        FirstAnswerSettings(at_least=20 * MB, seed=1), media=10**12, places=244_000_000, drawn=50_000, share=0.5,
        sources=4, unseen_sources=1, files_listed=10, files_of_listed_size=100, files_checked=40, files_small=1,
        listing_complete=False, unreadable=2, left_out=10**9, known_zero=10**9, ended=TIME,
    )  # fmt: skip
    assert first.held == 2441 and 0.39 < first.probability < 0.4 and not first.reached
    assert first.least is not None and 180 * MB < first.least < 190 * MB
    said = claims(first)
    assert said[0].startswith("A probability of 99.0 % is reached from 184 MB of listed material on in the 999 GB")
    assert "40 were checked: of at least 9 whole copies" in said[1]
    assert len(unseen(first, (), folder=False)) == 11 and dict(inputs(first))["Seed of the drawing"] == "1"
    small = FirstAnswer(FirstAnswerSettings(seed=1), media=10**6, places=200, drawn=100, files_listed=1)
    assert claims(small)[0].startswith(
        "A probability of 99.0 % is reached from 29 kB of listed material on in the 819 kB"
    )
    assert claims(FirstAnswer(FirstAnswerSettings())) == ["Nothing could be looked at, so this run shows nothing."]
    assert [percent(p) for p in (0.98999, 0.99, 0.9999, 1.0)] == ["98.9 %", "99.0 %", "99.990 %", "100 %"]


@pytest.mark.parametrize("wrong", [{"at_least": 10}, {"probability": 1.0}, {"seconds": 0}])
def test_settings_that_make_no_sense(wrong: dict[str, Any]) -> None:
    """A run of a night would end in an error about logarithms."""
    with pytest.raises(EvidenceError):
        FirstAnswerSettings(**wrong)
