"""Match files and pictures against any number of hash sets.

Every hit in every set is reported. A known-good entry never hides a known one: both come back, known first. A likeness
that a person confirmed to be false (a negative set), or to an entry in quarantine, comes back too, marked as set aside
with the reason. No digest that is equal is ever set aside.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from safelight.errors import MatchingError
from safelight.matching.digests import ALGORITHMS
from safelight.matching.entry import KINDS
from safelight.matching.hashset import HashSet
from safelight.matching.hashtext import SIZES
from safelight.matching.pdq import CODE_BYTES, DISTANCE_THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

# The strongest digest that agrees names the match.
_STRONGEST = ("sha256", "sha1", "md5")


@dataclass(frozen=True, slots=True)
class Match:
    """One entry that a file or picture matches.

    Attributes:
        hash_set: the set's name; `root` names its exact content.
        kind: exact (same digest) or perceptual (PDQ within the threshold).
        algorithm: sha256, sha1, md5 (the strongest that agrees) or pdq.
        category: the entry's category; None is uncategorised.
        distance: differing bits for perceptual, 0 for exact.
        row: the entry's row in the set (`HashSet.entry(row)`).
        known_good: the set vouches for the file. A known match on the same file still stands.
        set_kind: known, known-good, common or negative.
        disagrees: digests given for the file that differ from the entry's. Not empty means that the agreeing digest
            is shared by two different files (MD5 collisions can be made on purpose) or that the list is wrong: a
            person must look.
        set_aside: why a likeness counts for nothing; empty for all others, and always for equal digests.
    """

    hash_set: str
    root: str
    kind: str
    algorithm: str
    category: str | None
    distance: int
    row: int
    known_good: bool
    set_kind: str = "known"
    disagrees: tuple[str, ...] = ()
    set_aside: str = ""


class Matcher:
    """Looks into several hash sets at once.

    Args:
        hash_sets: opened sets; two of the same name must be the same content.

    Raises:
        MatchingError: two different sets share a name.
    """

    def __init__(self, hash_sets: Sequence[HashSet]) -> None:
        roots: dict[str, str] = {}
        for hash_set in hash_sets:
            if roots.setdefault(hash_set.name, hash_set.root) != hash_set.root:
                raise MatchingError(
                    f"Two different hash sets are called {hash_set.name}.", fix="Rename one: a finding names its set."
                )
        self.hash_sets = tuple({hash_set.name: hash_set for hash_set in hash_sets}.values())

    def exact(self, *, md5: bytes | None = None, sha1: bytes | None = None, sha256: bytes | None = None) -> list[Match]:
        """Entries that carry any of the digests of one file; empty if there are none.

        Raises:
            MatchingError: a digest of the wrong length.
        """
        given = {"md5": md5, "sha1": sha1, "sha256": sha256}
        matches = []
        for hash_set in self.hash_sets:
            rows: set[int] = set()
            for algorithm, digest in given.items():
                if digest is not None:
                    rows.update(hash_set.digest_index(algorithm).lookup(digest))
            matches += [_exact_match(hash_set, row, given) for row in rows]
        return sorted(matches, key=_known_first)

    def exact_batch(
        self,
        *,
        md5: Sequence[bytes | None] | None = None,
        sha1: Sequence[bytes | None] | None = None,
        sha256: Sequence[bytes | None] | None = None,
    ) -> dict[int, list[Match]]:
        """As `exact` for many files at once. The sequences run in step: position i is one file.

        Returns:
            Matches by position; a position without any is left out.

        Raises:
            MatchingError: sequences of different lengths, or a digest of the wrong length.
        """
        columns = {
            name: column for name, column in (("md5", md5), ("sha1", sha1), ("sha256", sha256)) if column is not None
        }
        lengths = {len(column) for column in columns.values()}
        if len(lengths) > 1:
            raise MatchingError("The digests of a batch must run in step: the sequences have different lengths.")
        packed = {name: _pack(name, column) for name, column in columns.items()}
        found: dict[int, list[Match]] = {}
        for hash_set in self.hash_sets:
            pairs: set[tuple[int, int]] = set()
            for name, (digests, positions) in packed.items():
                query, rows = hash_set.digest_index(name).lookup_batch(digests)
                pairs.update(zip(positions[query].tolist(), rows.tolist(), strict=True))
            for position, row in pairs:
                given = {name: column[position] for name, column in columns.items()}
                found.setdefault(position, []).append(_exact_match(hash_set, row, given))
        return {position: sorted(found[position], key=_known_first) for position in sorted(found)}

    def perceptual(
        self, pdq_code: bytes, threshold: int = DISTANCE_THRESHOLD, *, limit: int | None = None
    ) -> list[Match]:
        """Entries whose PDQ is within `threshold` bits. Ask only for pictures whose quality passes the gate.

        Args:
            limit: at most so many of each set, the nearest; None is all.

        Raises:
            MatchingError: not 32 bytes, a threshold outside 0 to 255, or a limit below 1.
        """
        return self.perceptual_batch([pdq_code], threshold, limit=limit).get(0, [])

    def perceptual_batch(
        self, pdq_codes: Sequence[bytes], threshold: int = DISTANCE_THRESHOLD, *, limit: int | None = None
    ) -> dict[int, list[Match]]:
        """As `perceptual` for many pictures in one sweep; a position without any match is left out.

        A likeness to a known entry is set aside where a negative entry is strictly nearer: the picture that was
        confirmed as another is recognised, and nothing else is.

        Raises:
            MatchingError: a code that is not 32 bytes, a threshold outside 0 to 255, or a limit below 1.
        """
        codes, _ = _pack("pdq", pdq_codes)
        found: dict[int, list[Match]] = {}
        for hash_set in self.hash_sets:
            hits = hash_set.pdq_index().query_batch(codes, threshold, limit=limit)
            for position, at, distance in zip(
                hits.query.tolist(), hits.row.tolist(), hits.distance.tolist(), strict=True
            ):
                row = hash_set.pdq_row(at)
                match = Match(
                    hash_set=hash_set.name,
                    root=hash_set.root,
                    kind="perceptual",
                    algorithm="pdq",
                    category=hash_set.category(row),
                    distance=distance,
                    row=row,
                    known_good=hash_set.known_good,
                    set_kind=hash_set.kind,
                    set_aside=hash_set.held.get(row, ""),
                )
                found.setdefault(position, []).append(match)
        return {position: _judged(found[position]) for position in sorted(found)}


def _judged(matches: list[Match]) -> list[Match]:
    """Likenesses of one picture, known first, with those set aside that a nearer negative answers."""
    negative = min((m for m in matches if m.set_kind == "negative"), key=lambda m: m.distance, default=None)
    if negative is not None:
        why = f"confirmed as another picture ({negative.hash_set}, {negative.distance} bits away)"
        matches = [
            replace(m, set_aside=m.set_aside or why) if m.set_kind == "known" and negative.distance < m.distance else m
            for m in matches
        ]
    return sorted(matches, key=_known_first)


def _exact_match(hash_set: HashSet, row: int, given: dict[str, bytes | None]) -> Match:
    entry = hash_set.entry(row)
    agrees: list[str] = []
    disagrees: list[str] = []
    for name in _STRONGEST:
        ours, theirs = getattr(entry, name), given.get(name)
        if ours is not None and theirs is not None:
            (agrees if ours == theirs else disagrees).append(name)
    return Match(
        hash_set=hash_set.name,
        root=hash_set.root,
        kind="exact",
        algorithm=agrees[0],
        category=entry.category,
        distance=0,
        row=row,
        known_good=hash_set.known_good,
        set_kind=hash_set.kind,
        disagrees=tuple(disagrees),
    )


def _known_first(match: Match) -> tuple[int, bool, str, int, str, int]:
    uncategorised = match.category is None
    return (KINDS.index(match.set_kind), uncategorised, match.category or "", match.distance, match.hash_set, match.row)


def _pack(name: str, column: Sequence[bytes | None]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The values that are there as one (M, size) array, and the position each stands at."""
    import numpy as np

    size = SIZES[name]
    positions = [i for i, value in enumerate(column) if value is not None]
    values = [value for value in column if value is not None]
    for position, value in zip(positions, values, strict=True):
        if len(value) != size:
            raise MatchingError(f"{name.upper()} number {position} of the batch has {len(value)} bytes, not {size}.")
    array = np.frombuffer(b"".join(values), np.uint8).reshape(-1, size)
    return array, np.array(positions, np.int64)


assert SIZES["pdq"] == CODE_BYTES and set(_STRONGEST) == set(ALGORITHMS)
