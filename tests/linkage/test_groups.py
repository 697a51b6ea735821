"""What would be lost: a child's records torn apart by one misspelling, or two children made one by one loose record."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np

from safelight.linkage.groups import DECIDED, label

Pairs = list[tuple[int, int]]


def groups(n: int, links: list[tuple[int, int, float]], guarded: Pairs = (), never: Pairs = ()) -> list[set[int]]:  # type: ignore[assignment]
    def ends(pairs: Pairs) -> tuple[np.ndarray, np.ndarray]:
        both = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
        return both[:, 0], both[:, 1]

    weights = np.array([weight for *_, weight in links], dtype=np.float64)
    both = np.array([pair[:2] for pair in links], dtype=np.int64).reshape(-1, 2)
    labels, _ = label(n, (both[:, 0], both[:, 1], weights), 5.0, ends(guarded), ends(never))
    return sorted(({n for n, one in enumerate(labels) if one == of} for of in set(labels.tolist())), key=min)


def everyone(members: range, weight: float) -> list[tuple[int, int, float]]:
    return [(a, b, weight) for a, b in combinations(members, 2)]


def test_one_misspelt_name_does_not_tear_a_person_and_twins_stay_two() -> None:
    # Record 4 is linked to three of the four others and looks like a twin of one.
    links = [*everyone(range(4), 20.0), (0, 4, 9.0), (1, 4, 9.0), (2, 4, 9.0)]
    assert groups(5, links, guarded=[(3, 4)]) == [{0, 1, 2, 3, 4}]
    # Twins: three records each, every pair between them guarded; record 6 has no given name and fits both.
    twins = [*everyone(range(3), 20.0), *everyone(range(3, 6), 20.0), *((n, 6, 8.0 + (n < 3)) for n in range(6))]
    assert groups(7, twins, guarded=list(product(range(3), range(3, 6)))) == [{0, 1, 2, 6}, {3, 4, 5}]


def test_one_link_alone_does_not_tie_two_people_of_many_records() -> None:
    two = [*everyone(range(5), 15.0), *everyone(range(5, 10), 15.0), (4, 5, 6.0)]
    assert groups(10, two) == [set(range(5)), set(range(5, 10))]
    assert groups(10, [*two, (3, 5, 6.0), (4, 6, 6.0), (3, 6, 6.0)]) == [set(range(10))]


def test_several_weak_links_join_and_one_does_not() -> None:
    pair = [(0, 1, 12.0)]
    assert groups(3, [*pair, (0, 2, 4.0)]) == [{0, 1}, {2}]
    assert groups(3, [*pair, (0, 2, 4.0), (1, 2, 4.0)]) == [{0, 1, 2}]


def test_a_persons_word_is_no_vote() -> None:
    links = [*everyone(range(6), 20.0), (5, 6, DECIDED)]
    assert groups(7, links, guarded=[(0, 6), (1, 6)]) == [set(range(7))]
    apart = groups(6, everyone(range(6), 20.0), never=[(0, 5)])
    assert not any({0, 5} <= one for one in apart) and len(apart) == 2
