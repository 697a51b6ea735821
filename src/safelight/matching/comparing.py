"""Two hash sets beside each other: what they share, where they contradict each other, and what a new version changed.

Everything goes through the exact indexes in pieces, so that lists of a hundred million compare in bounded memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from safelight.matching.digests import ALGORITHMS, DigestIndex

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from safelight.matching.hashset import HashSet

    Rows = npt.NDArray[np.int64]

#: Contradictions are listed up to this many, and counted beyond.
MOST_LISTED = 1_000
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One hash about which two sets say different things.

    Attributes:
        what: category (both name one, and not the same) or kind (one lists it as known, the other vouches for it).
        algorithm, digest: the hash, in hexadecimal. ours, theirs: rows of the two sets.
        says, other_says: the categories or kinds.
    """

    what: str
    algorithm: str
    digest: str
    ours: int
    theirs: int
    says: str
    other_says: str


@dataclass(slots=True)
class Overlap:
    """What two sets share.

    Attributes:
        ours, theirs: how many entries of each occur in the other, by any hash.
        by_algorithm: pairs of rows with an equal hash. PDQ counts only when it is equal to the bit.
        contradictions: the first 1,000; `contradicting` counts all.
    """

    ours: int = 0
    theirs: int = 0
    by_algorithm: dict[str, int] = field(default_factory=dict)
    contradictions: list[Contradiction] = field(default_factory=list)
    contradicting: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new version of a list changed: rows of the new set, of the old set, and pairs (old, new).

    An entry is the same if any of its hashes is; it is recategorised if its category differs then.
    """

    added: Rows
    removed: Rows
    recategorised: list[tuple[int, int]]
    same: int


def overlap_of(ours: HashSet, theirs: HashSet) -> Overlap:
    """Compare two sets; equal hashes with different categories, or known and known-good, are contradictions."""
    import numpy as np

    found = Overlap()
    in_theirs, in_ours = np.zeros(len(ours), bool), np.zeros(len(theirs), bool)
    kinds_clash = {ours.kind, theirs.kind} == {"known", "known-good"}
    for algorithm, left, right in _shared(ours, theirs):
        found.by_algorithm[algorithm] = found.by_algorithm.get(algorithm, 0) + len(left)
        first_seen = ~in_theirs[left]  # a pair that another hash brought up already is counted once
        in_theirs[left], in_ours[right] = True, True
        clash = first_seen if kinds_clash else first_seen & _categories_clash(ours, left, theirs, right)
        found.contradicting += int(clash.sum())
        room = MOST_LISTED - len(found.contradictions)
        for a, b in zip(left[clash][:room].tolist(), right[clash][:room].tolist(), strict=True):
            one, other = ours.category(a) or "", theirs.category(b) or ""
            if kinds_clash:
                one, other = f"{ours.kind} {one}".strip(), f"{theirs.kind} {other}".strip()
            value = getattr(ours.entry(a), algorithm)
            what = "kind" if kinds_clash else "category"
            found.contradictions.append(Contradiction(what, algorithm, value.hex(), a, b, one, other))
    found.ours, found.theirs = int(in_theirs.sum()), int(in_ours.sum())
    return found


def difference_of(old: HashSet, new: HashSet) -> Difference:
    """What the new version added, removed and recategorised."""
    import numpy as np

    stays, was = np.zeros(len(old), bool), np.zeros(len(new), bool)
    moved: dict[int, int] = {}
    for _, left, right in _shared(old, new):
        stays[left], was[right] = True, True
        clash = _categories_clash(old, left, new, right, silent=True)
        for a, b in zip(left[clash].tolist(), right[clash].tolist(), strict=True):
            moved.setdefault(a, b)
    return Difference(np.flatnonzero(~was), np.flatnonzero(~stays), sorted(moved.items()), int(was.sum()))


def _shared(ours: HashSet, theirs: HashSet) -> Iterator[tuple[str, Rows, Rows]]:
    """Pairs of rows with an equal hash, algorithm by algorithm, in pieces."""
    for algorithm in (*ALGORITHMS, "pdq"):
        values, rows = ours.hashes(algorithm)
        if not len(values):
            continue
        index = _index_of(theirs, algorithm)
        for at in range(0, len(values), _PIECE):
            query, right = index.lookup_batch(values[at : at + _PIECE])
            if len(query):
                yield algorithm, rows[at + query].astype("int64"), right.astype("int64")


def _index_of(hash_set: HashSet, algorithm: str) -> DigestIndex:
    if algorithm != "pdq":
        return hash_set.digest_index(algorithm)
    codes, rows = hash_set.hashes("pdq")
    # A PDQ has as many bytes as a SHA-256; here only equality counts.
    return DigestIndex.build("sha256", codes, rows)


def _categories_clash(
    ours: HashSet, left: Rows, theirs: HashSet, right: Rows, *, silent: bool = False
) -> npt.NDArray[np.bool_]:
    """Whether the categories of two rows differ; with `silent`, none and one differ too."""
    import numpy as np

    one, names = ours.category_codes()
    other, other_names = theirs.category_codes()
    known: dict[str | None, int] = {None: 0}
    mine = np.array([known.setdefault(name, len(known)) for name in names], np.int64)[one[left]]
    yours = np.array([known.setdefault(name, len(known)) for name in other_names], np.int64)[other[right]]
    differ = mine != yours
    return np.asarray(differ if silent else differ & (mine != 0) & (yours != 0), bool)
