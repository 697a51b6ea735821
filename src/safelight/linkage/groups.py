"""Which linked records are one person, where links and reasons against them meet in one group.

A single link is no proof: a record without a given name, or one typing error, would tie or tear a whole family. So
parts grow together, strongest link first, and each step is a vote of all pairs between two parts. (Neither the best
nor the worst pair alone should rule: Kaufman and Rousseeuw 1990, chapter 5, on single, complete and average linkage.)

1. Two parts join when the links between them outnumber the pairs that the guard keeps apart, by at least
   :data:`LEAST_SHARE` of all pairs. Twins with three records each have nine guarded pairs and stay two; a person whose
   given name is misspelt in one of five records stays one.
2. Then parts between which no link is strong but several are weak join: :data:`WEAK_SHARE` of all pairs, never one.
3. A person's decision is no vote: "different" forbids, "same" joins.

The shares were chosen on synthetic sets of the half of the names that the model was made on.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = np.ndarray[tuple[int], np.dtype[np.int64]]
Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

LEAST_SHARE = 0.15
WEAK_SHARE, LEAST_WEAK = 0.3, 2
DECIDED = 1000.0  # the weight of a link that a person decided
# Each sweep joins what the last one made possible; real groups are done after two or three.
_SWEEPS = 12
_Counts = dict[int, dict[int, int]]


def label(
    n: int, links: tuple[Ints, Ints, Floats], join: float, guarded: tuple[Ints, Ints], never: tuple[Ints, Ints]
) -> tuple[Ints, int]:
    """A number of its group for each of ``n`` records; in how many groups links and reasons against them met.

    Args:
        links: positions of both records and the weight; from ``join`` on a link is strong.
        guarded: pairs that the guard keeps apart; never: pairs that a person keeps apart.
    """
    one, other, weight = links
    _, parts = connected_components(
        coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(n, n)), directed=False
    )
    parts = parts.astype(np.int64)
    size, strong = np.bincount(parts), weight >= join
    inside = [pair[0][parts[pair[0]] == parts[pair[1]]] for pair in (guarded, never)]
    met = np.unique(np.concatenate([parts[ends] for ends in inside]))
    # A group in which each pair has a strong link is one person, and most are.
    open_ = size * (size - 1) // 2 > np.bincount(parts[one[strong]], minlength=len(size))
    open_[met] = True
    open_[size == 1] = False
    places = np.flatnonzero(open_[parts])
    if not len(places):
        return parts, 0
    votes = _Votes(places.tolist())
    of_open = open_[parts[one]]
    order = np.argsort(-weight[of_open], kind="stable")
    rows = list(
        zip(one[of_open][order].tolist(), other[of_open][order].tolist(), weight[of_open][order].tolist(), strict=True)
    )
    for x, y, how_much in rows:
        votes.add(votes.strong if how_much >= join else votes.weak, x, y)
    for counts, (a, b) in ((votes.against, guarded), (votes.never, never)):
        for x, y in zip(a[open_[parts[a]]].tolist(), b[open_[parts[a]]].tolist(), strict=True):
            if parts[x] == parts[y]:
                votes.add(counts, x, y)
    votes.sweep([row for row in rows if row[2] >= join], weak=False)
    votes.sweep([row for row in rows if row[2] < join], weak=True)
    free = len(size)
    for x in votes.parent:
        parts[x] = free + votes.head(x)
    return np.unique(parts, return_inverse=True)[1].astype(np.int64), len(met)


class _Votes:
    """Parts that grow together, with the votes between each two of them."""

    def __init__(self, places: list[int]) -> None:
        self.parent = {x: x for x in places}
        self.size = dict.fromkeys(places, 1)
        self.strong, self.weak, self.against, self.never = _counts(), _counts(), _counts(), _counts()

    def add(self, counts: _Counts, x: int, y: int) -> None:
        counts[x][y] = counts[x].get(y, 0) + 1
        counts[y][x] = counts[y].get(x, 0) + 1

    def head(self, x: int) -> int:
        while self.parent[x] != x:
            self.parent[x] = self.parent[self.parent[x]]
            x = self.parent[x]
        return x

    def sweep(self, links: list[tuple[int, int, float]], *, weak: bool) -> None:
        for _ in range(_SWEEPS):
            waiting = []
            for link in links:
                x, y = self.head(link[0]), self.head(link[1])
                if x == y:
                    continue
                if self._one_person(x, y, weak=weak, decided=link[2] >= DECIDED):
                    self._merge(x, y)
                else:
                    waiting.append(link)
            if len(waiting) == len(links):
                return
            links = waiting

    def _one_person(self, x: int, y: int, *, weak: bool, decided: bool) -> bool:
        if y in self.never[x]:
            return False
        if decided:
            return True
        against, pairs = self.against[x].get(y, 0), self.size[x] * self.size[y]
        found = self.strong[x].get(y, 0)
        if weak:
            found += self.weak[x].get(y, 0)
            return found >= max(LEAST_WEAK, WEAK_SHARE * pairs) and found > against
        return found > against and found - against >= LEAST_SHARE * pairs

    def _merge(self, x: int, y: int) -> None:
        if self.size[x] < self.size[y]:
            x, y = y, x
        self.parent[y] = x
        self.size[x] += self.size.pop(y)
        for counts in (self.strong, self.weak, self.against, self.never):
            for far, number in counts.pop(y, {}).items():
                del counts[far][y]
                if far != x:
                    counts[x][far] = counts[far][x] = counts[x].get(far, 0) + number


def _counts() -> _Counts:
    return defaultdict(dict)
