"""If these fail, known material on a device is missed or hidden, or blame falls on the wrong entry."""

from __future__ import annotations

import hashlib

import pytest

from safelight.errors import MatchingError
from safelight.matching.entry import HashSetEntry
from safelight.matching.hashset import HashSet
from safelight.matching.matcher import Matcher


def digests(content: bytes) -> dict[str, bytes]:
    return {name: hashlib.new(name, content).digest() for name in ("md5", "sha1", "sha256")}


ONE, TWO, OTHER = digests(b"one"), digests(b"two"), digests(b"other")
KNOWN = HashSet.from_entries(
    [
        HashSetEntry(**ONE, category="B", pdq=bytes(32)),
        HashSetEntry(md5=TWO["md5"], category="A"),
        HashSetEntry(md5=TWO["md5"]),
    ],
    name="Known",
)
GOOD = HashSet.from_entries(
    [HashSetEntry(**ONE), HashSetEntry(**OTHER, pdq=b"\1" + bytes(31))], name="Good", kind="known-good"
)
COMMON = HashSet.from_entries([HashSetEntry(**ONE)], name="Common", kind="common")


def test_a_known_good_entry_never_hides_a_known_one() -> None:
    matches = Matcher([GOOD, COMMON, KNOWN]).exact(**ONE)
    assert [(m.hash_set, m.known_good, m.set_kind) for m in matches] == [
        ("Known", False, "known"),
        ("Good", True, "known-good"),
        ("Common", False, "common"),
    ]
    assert matches[0].category == "B"
    assert matches[0].root == KNOWN.root


def test_a_match_names_the_strongest_digest_that_agrees_and_is_reported_once() -> None:
    (match,) = Matcher([KNOWN]).exact(**ONE)
    assert (match.kind, match.algorithm, match.distance, match.row, match.disagrees) == ("exact", "sha256", 0, 0, ())
    assert Matcher([KNOWN]).exact(md5=ONE["md5"])[0].algorithm == "md5"


def test_a_shared_md5_with_another_sha_is_reported_with_the_contradiction() -> None:
    (match,) = Matcher([KNOWN]).exact(md5=ONE["md5"], sha1=OTHER["sha1"], sha256=OTHER["sha256"])
    assert match.algorithm == "md5"
    assert match.disagrees == ("sha256", "sha1")


def test_the_same_digest_in_two_entries_gives_both_categorised_first() -> None:
    assert [m.category for m in Matcher([KNOWN]).exact(md5=TWO["md5"])] == ["A", None]


def test_a_stranger_matches_nothing() -> None:
    assert Matcher([KNOWN]).exact(**OTHER) == []
    assert Matcher([KNOWN]).exact() == []
    assert Matcher([]).exact(**ONE) == []


def test_the_batch_gives_what_single_look_ups_give() -> None:
    matcher = Matcher([KNOWN, GOOD, COMMON])
    files = [ONE, OTHER, digests(b"stranger"), TWO, ONE]
    batch = matcher.exact_batch(**{name: [file[name] for file in files] for name in ("md5", "sha1", "sha256")})
    single = {position: matcher.exact(**file) for position, file in enumerate(files)}
    assert batch == {position: matches for position, matches in single.items() if matches}


def test_the_batch_takes_files_that_lack_a_digest() -> None:
    matcher = Matcher([KNOWN])
    batch = matcher.exact_batch(md5=[None, ONE["md5"]], sha1=[None, OTHER["sha1"]])
    assert batch == {1: matcher.exact(md5=ONE["md5"], sha1=OTHER["sha1"])}
    assert matcher.exact_batch(md5=[]) == {}
    assert matcher.exact_batch(md5=[None]) == {}


def test_pictures_match_within_the_threshold_in_every_set() -> None:
    matcher = Matcher([GOOD, KNOWN])
    found = matcher.perceptual(b"\3" + bytes(31))
    assert [(m.hash_set, m.distance, m.row, m.kind, m.algorithm) for m in found] == [
        ("Known", 2, 0, "perceptual", "pdq"),
        ("Good", 1, 1, "perceptual", "pdq"),
    ]
    assert [m.distance for m in matcher.perceptual(b"\3" + bytes(31), threshold=1)] == [1]
    assert matcher.perceptual(b"\xff" * 32) == []
    batch = matcher.perceptual_batch([b"\xff" * 32, b"\3" + bytes(31)])
    assert batch == {1: found}


def test_malformed_questions_are_refused() -> None:
    matcher = Matcher([KNOWN])
    with pytest.raises(MatchingError, match="16 bytes"):
        matcher.exact(md5=b"short")
    with pytest.raises(MatchingError, match="number 1 of the batch"):
        matcher.exact_batch(md5=[ONE["md5"], b"short"])
    with pytest.raises(MatchingError, match="in step"):
        matcher.exact_batch(md5=[ONE["md5"]], sha1=[])
    with pytest.raises(MatchingError, match="not 32"):
        matcher.perceptual(b"short")


def test_two_different_sets_of_one_name_are_refused_the_same_twice_counts_once() -> None:
    namesake = HashSet.from_entries([HashSetEntry(**TWO)], name="Known")
    with pytest.raises(MatchingError, match="Two different hash sets"):
        Matcher([KNOWN, namesake])
    assert len(Matcher([KNOWN, KNOWN]).exact(**ONE)) == 1


def test_a_negative_answers_a_likeness_and_never_an_equal_digest() -> None:
    """A picture confirmed as harmless must not alarm again; the listed picture itself must, always."""
    listed, harmless = bytes(32), b"\xff\xff" + bytes(30)  # 16 bits apart
    known = HashSet.from_entries([HashSetEntry(md5=b"k" * 16, pdq=listed, category="A")], name="Known")
    negative = HashSet.from_entries(
        [HashSetEntry(md5=b"k" * 16, pdq=harmless), HashSetEntry(pdq=listed)], name="Not these", kind="negative"
    )
    matcher = Matcher([known, negative])
    (aside,) = [m for m in matcher.perceptual(b"\xff\x7f" + bytes(30)) if m.set_kind == "known"]
    assert aside.set_aside == "confirmed as another picture (Not these, 1 bits away)" and aside.distance == 15
    (equal,) = [m for m in matcher.perceptual(listed) if m.set_kind == "known"]
    assert equal.set_aside == "", "as near to the known entry as to the negative one: it stands"
    exact = matcher.exact(md5=b"k" * 16)
    assert [(m.set_kind, m.set_aside) for m in exact] == [("known", ""), ("negative", "")]


def test_an_entry_in_quarantine_raises_no_likeness_and_every_equal_digest() -> None:
    """A flooding entry must not bury a device's findings, nor be lost where the very file turns up."""
    known = HashSet.from_entries([HashSetEntry(md5=b"k" * 16, pdq=bytes(32), category="A")], name="Known")
    known.held = {0: "in quarantine: it resembles 5,000 pictures of a harmless set"}
    matcher = Matcher([known])
    assert matcher.perceptual(bytes(32))[0].set_aside.startswith("in quarantine")
    assert matcher.exact(md5=b"k" * 16)[0].set_aside == ""


def test_likenesses_can_be_capped() -> None:
    """A cluster of near-duplicates must not flood an answer."""
    many = [HashSetEntry(pdq=bytes(31) + bytes([n])) for n in range(200)]
    matcher = Matcher([HashSet.from_entries(many, name="Cluster")])
    assert len(matcher.perceptual(bytes(32), limit=5)) == 5
    assert matcher.perceptual(bytes(32), limit=5)[0].distance == 0
