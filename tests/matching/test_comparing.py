"""Lists beside each other: if these fail, a contradiction between two forces' lists goes unseen."""

from __future__ import annotations

import hashlib
from typing import Any

from safelight.matching import HashSet, HashSetEntry
from safelight.matching.comparing import difference_of, overlap_of


def entry(number: int, category: str | None = "A", **more: Any) -> HashSetEntry:
    return HashSetEntry(md5=hashlib.md5(b"%d" % number).digest(), category=category, **more)


def made(name: str, entries: list[HashSetEntry], kind: str = "known") -> HashSet:
    return HashSet.from_entries(entries, name=name, kind=kind)


def test_what_two_lists_share_and_where_they_differ() -> None:
    sha, pdq = hashlib.sha256(b"x").digest(), bytes(range(32))
    ours = made("Ours", [entry(1), entry(2, "B"), entry(3, None), HashSetEntry(sha256=sha, category="C"), entry(9)])
    theirs = made(
        "Theirs", [entry(2, "A"), entry(1, "A"), entry(3, "A"), HashSetEntry(sha256=sha, pdq=pdq, category="B")]
    )
    found = overlap_of(ours, theirs)
    assert (found.ours, found.theirs) == (4, 4)
    assert found.by_algorithm == {"md5": 3, "sha256": 1}
    assert [(c.algorithm, c.ours, c.theirs, c.says, c.other_says) for c in found.contradictions] == [
        ("md5", 1, 0, "B", "A"), ("sha256", 3, 3, "C", "B"),
    ]  # fmt: skip
    assert found.contradicting == 2 and found.contradictions[0].digest == hashlib.md5(b"2").hexdigest()


def test_known_and_known_good_contradict_each_other() -> None:
    ours, good = made("Ours", [entry(1), entry(2)]), made("Good", [entry(2, None), entry(5, None)], "known-good")
    found = overlap_of(ours, good)
    assert [(c.what, c.says, c.other_says) for c in found.contradictions] == [("kind", "known A", "known-good")]
    assert overlap_of(good, ours).contradicting == 1
    assert overlap_of(ours, made("Common", [entry(2, None)], "common")).contradicting == 0


def test_equal_pdq_is_shared_and_a_pair_counts_once() -> None:
    pdq = bytes(range(32))
    both = HashSetEntry(md5=b"m" * 16, sha1=b"s" * 20, pdq=pdq, category="A")
    found = overlap_of(made("Ours", [both]), made("Theirs", [HashSetEntry(md5=b"m" * 16, pdq=pdq, category="B")]))
    assert found.by_algorithm == {"md5": 1, "pdq": 1} and found.contradicting == 1


def test_what_a_new_version_changed() -> None:
    old = made("List", [entry(n) for n in range(10)] + [entry(20, None)])
    new = made("List", [entry(n, "B" if n == 4 else "A") for n in range(2, 13)] + [entry(20, "C")])
    found = difference_of(old, new)
    assert found.added.tolist() == [8, 9, 10] and found.removed.tolist() == [0, 1]
    assert [(old.entry(a).category, new.entry(b).category) for a, b in found.recategorised] == [("A", "B"), (None, "C")]
    assert found.same == 9
