"""A published table must not give away a child: whatever a reader adds, subtracts or remembers from last quarter."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from safelight.measures.disclosure import PRESETS, CountTable, Dimension, Grid, Policy, audit, make_release, policy
from safelight.measures.disclosure.release import Release, ReleasedTable
from safelight.measures.errors import CountError, DisclosureError

UNITS = Dimension("unit", ("U1", "U2", "U3", "U4"))
GRADES = Dimension("grade", ("good", "requires improvement", "inadequate"))
EXACT = PRESETS["threshold10"]


def table(counts: object, *, name: str = "grades by unit", dims=(UNITS, GRADES), **scope: str) -> CountTable:
    return CountTable(name, "audit cases", tuple(dims), np.array(counts), scope)


SPARSE = [[40, 30, 4], [25, 31, 22], [50, 12, 18], [33, 41, 27]]


def known_to_a_stranger(releases: list[Release], target: ReleasedTable, key) -> tuple[float, float]:
    """The attack once more, written from the published texts alone, with another solver."""
    tables = [t for release in releases for t in release.tables]
    grid = Grid([t.table for t in tables])
    upper, above = [], []
    for t in tables:
        mixed = any(s.hidden and t.table.count(k) >= t.policy.smallest_shown for r in releases if t in r.tables
                    for u in r.tables for k, s in u.shown.items())  # fmt: skip
        for k, shown in t.shown.items():
            row = np.zeros(grid.size)
            row[grid.atoms(t.table, k)] = 1
            if shown.hidden:
                low, high = 1, (np.inf if mixed else t.policy.smallest_shown - 1)
            elif shown.text == "0":
                low = high = 0
            else:
                half = t.policy.base // 2
                low = max(int(shown.text) - half, t.policy.smallest_shown)
                high = int(shown.text) + (t.policy.base - 1) // 2
            upper += [-row] + ([row] if np.isfinite(high) else [])
            above += [-low] + ([high] if np.isfinite(high) else [])
    aim = np.zeros(grid.size)
    aim[grid.atoms(target.table, key)] = 1
    least = linprog(aim, A_ub=np.array(upper), b_ub=above, method="highs")
    most = linprog(-aim, A_ub=np.array(upper), b_ub=above, method="highs")
    assert least.status == 0 and most.status in (0, 3), (least.message, most.message)
    return least.fun, (np.inf if most.status == 3 else -most.fun)


def test_hiding_only_the_small_cell_gives_it_away():
    """With totals beside it, 4 is 74 - 40 - 30: the mistake that this module exists to prevent."""
    alone = ReleasedTable(table(SPARSE), EXACT, mixed=True)
    found = audit([alone])
    assert [(t.what, r.low, r.high) for t, r in found.disclosed] == [("grades by unit: U1, inadequate", 4, 4)]
    released = make_release("Q3", [table(SPARSE)], EXACT)
    assert released.audit.safe and len(released.tables[0].hidden) == 3  # a rectangle, the least that can be
    low, high = known_to_a_stranger([released], released.tables[0], ("U1", "inadequate"))
    assert high - low >= 5


def test_a_year_and_nine_months_of_it_do_not_give_away_the_last_quarter():
    """Both figures are large; three people are what lies between them."""
    first = make_release("nine months", [table([120, 130, 140, 150], dims=(UNITS,), part="nine months")], EXACT)
    assert first.hidden_share == 0
    year = table([123, 190, 184, 201], name="year", dims=(UNITS,))
    printed = audit([ReleasedTable(year, EXACT)], [first])
    assert [(t.what, r.low, r.high) for t, r in printed.disclosed] == [("year: U1 without grades by unit: U1", 3, 3)]
    second = make_release("year", [year], EXACT, earlier=[first])
    assert second.audit.safe and ("U1",) in second.tables[0].hidden and len(second.tables[0].hidden) == 2


def test_an_earlier_release_is_remembered():
    """The same quarter again with another split must not undo what was hidden the first time."""
    first = make_release("Q3", [table(SPARSE, quarter="Q3")], EXACT)
    again = table(np.array(SPARSE).sum(axis=0), name="grades", dims=(GRADES,), quarter="Q3")
    second = make_release("Q3 again", [again], EXACT, earlier=[first])
    hidden = next(k for k, s in first.tables[0].shown.items() if s.hidden and first.tables[0].table.count(k) < 10)
    low, high = known_to_a_stranger([first, second], first.tables[0], hidden)
    assert high - low >= 5


def test_figures_that_contradict_earlier_ones_are_refused():
    """Quietly revised figures would make every proof about them worthless."""
    first = make_release("Q3", [table(SPARSE, quarter="Q3")], EXACT)
    more = np.array(SPARSE) + 30
    with pytest.raises(DisclosureError, match="does not agree with what was published before"):
        make_release("Q3 revised", [table(more, quarter="Q3")], EXACT, earlier=[first])


def test_rounded_tables_hide_only_what_is_small():
    """The rule of the health service needs no further cells here: totals are rounded on their own."""
    released = make_release("Q3", [table(SPARSE)], PRESETS["round5"])
    shown = released.tables[0].shown
    assert shown[("U1", "inadequate")].text == "*" and shown[("U1", None)].text == "75"
    assert sum(s.hidden for s in shown.values()) == 1 and shown[(None, None)].text == "335"


def test_a_table_that_cannot_be_made_safe_is_refused():
    """One unit, one small count, its total known from before: there is nothing left to hide it behind."""
    one = Dimension("unit", ("U1",))
    leak = ReleasedTable(CountTable("all", "p", (), np.array(5)), Policy("odd", "odd", 8, 1, "test"), mixed=False)
    told = Release("before", (ReleasedTable(CountTable("printed", "p", (one,), np.array([25])), EXACT),), audit([]))
    assert not leak.shown[()].text.isdigit()
    split = Dimension("grade", ("good", "bad"))
    counts = CountTable("by grade", "p", (one, split), np.array([[20, 5]]))
    printed = ReleasedTable(CountTable("good", "p", (one,), np.array([20]), {"grade": "good"}), EXACT)
    told = Release("before", (*told.tables, printed), told.audit)
    with pytest.raises(DisclosureError, match="could be worked out to 5 to 5 people.*coarser"):
        make_release("now", [counts], EXACT, earlier=[told])


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(sorted(PRESETS)))
def test_no_small_count_of_random_tables_is_known_to_within_two(seed: int, preset: str):
    """Held against a second attacker, another solver, who reads nothing but the published texts."""
    rng = np.random.default_rng(seed)
    kinds = Dimension("kind", ("a", "b", "c"))
    people = rng.negative_binomial(2, 0.05, (4, 3, 3))
    cube = {q: people + rng.integers(0, 4, people.shape) for q in ("Q1", "Q2")}
    earlier: list[Release] = []
    for quarter, counts in cube.items():
        tables = [
            table(counts.sum(axis=2), quarter=quarter),
            table(counts.sum(axis=1), name="kinds by unit", dims=(UNITS, kinds), quarter=quarter),
        ]
        try:
            earlier.append(make_release(quarter, tables, PRESETS[preset], earlier=earlier))
        except DisclosureError:
            return  # refused is safe
    for release, released in ((r, t) for r in earlier for t in r.tables):
        for key, shown in released.shown.items():
            if released.policy.is_small(released.table.count(key)):
                assert shown.hidden, release.name
                low, high = known_to_a_stranger(earlier, released, key)
                assert np.floor(high + 1e-6) - np.ceil(low - 1e-6) >= 5


def test_the_attack_finds_what_trying_every_table_finds():
    """Exact against all whole-number tables with these margins."""
    square = (Dimension("a", ("x", "y")), Dimension("b", ("p", "q", "r")))
    counts = np.array([[2, 11, 12], [14, 3, 10]])
    released = ReleasedTable(CountTable("t", "p", square, counts), EXACT, mixed=True)
    low, high = {}, {}
    for first in itertools.product(range(1, 40), repeat=2):
        rest = counts[0].sum() - sum(first)
        rows = np.array([[*first, rest], counts.sum(axis=0) - np.array([*first, rest])])
        fits = rows.min() >= 1 and all(
            s.hidden or int(rows[square[0].levels.index(k[0]), square[1].levels.index(k[1])]) == int(s.text)
            for k, s in released.shown.items()
            if None not in k
        )
        if fits:
            for i, j in np.ndindex(2, 3):
                low[i, j] = min(low.get((i, j), 99), rows[i, j])
                high[i, j] = max(high.get((i, j), 0), rows[i, j])
    found = {t.what: r for t, r in audit([released]).disclosed}
    assert (found["t: x, p"].low, found["t: x, p"].high) == (low[0, 0], high[0, 0])


def test_policies_that_promise_nothing_cannot_be_made():
    """Hiding 1 to 4 tells that a count is 2 or 3, give or take one."""
    with pytest.raises(CountError, match="to within 2"):
        Policy("weak", "weak", 5, 1, "nobody")
    with pytest.raises(CountError, match="Choose one of: round5"):
        policy("none")


@pytest.mark.parametrize("count", range(60))
@pytest.mark.parametrize("name", sorted(PRESETS))
def test_what_is_said_of_a_shown_count_is_true(count: int, name: str):
    """An attack from false premises proves nothing."""
    shown = PRESETS[name].show(count)
    high = PRESETS[name].smallest_shown - 1 if shown.high is None else shown.high
    assert shown.low <= count <= high and shown.hidden == (0 < count < PRESETS[name].smallest_shown)


def test_bad_tables_are_refused_in_words():
    """A negative count or a forgotten level must not end in a table that nobody can explain."""
    with pytest.raises(CountError, match=r"shape \(2,\); its dimensions make \(4,\)"):
        table([1, 2], dims=(UNITS,))
    with pytest.raises(CountError, match="no whole number from 0"):
        table([1, 2, -1, 4], dims=(UNITS,))
    with pytest.raises(CountError, match="Record 2 of table 't' does not fit: 'U9' is missing or no level"):
        CountTable.from_records("t", "p", [{"unit": "U1"}, {"unit": "U9"}], (UNITS,))
    with pytest.raises(DisclosureError, match="more than 200,000 cannot be proven"):
        many = tuple(Dimension(n, tuple(map(str, range(100)))) for n in "abc")
        audit(
            [ReleasedTable(CountTable(n, "p", (d,), np.full(100, 50)), EXACT) for n, d in zip("abc", many, strict=True)]
        )


def test_the_digest_is_of_what_is_published():
    """Two releases that read the same seal the same, whatever lies under their marks."""
    other = np.array(SPARSE)
    other[0, 2], other[0, 0] = 5, 39
    first, second = make_release("Q", [table(SPARSE)], EXACT), make_release("Q", [table(other)], EXACT)
    same = {k: s.text for k, s in first.tables[0].shown.items()} == {
        k: s.text for k, s in second.tables[0].shown.items()
    }
    assert same == (first.digest() == second.digest())


@pytest.mark.parametrize("rule", sorted(PRESETS))
def test_a_table_of_stars_is_published_in_less_detail(rule: str) -> None:
    """Nine of ten cells hidden would tell nobody anything, and the public would suspect that something is hidden."""
    unit, told = Dimension("unit", tuple("abcdef")), Dimension("told", ("in time", "late", "waiting"))
    sparse = np.array([[1, 2, 0], [3, 1, 1], [0, 2, 4], [1, 0, 2], [2, 2, 1], [90, 3, 70]])
    plenty = CountTable("plenty", "devices", (Dimension("risk", ("high", "low")),), np.array([60, 130]))
    few = CountTable("few", "people", (unit, told), sparse)
    made = make_release("Q", [few, plenty], PRESETS[rule], most_hidden=0.15)
    assert made.hidden_share <= 0.15
    assert made.coarser == ("few",)
    assert made.tables[1].table is plenty
    assert made.tables[0].table.counts.sum() == sparse.sum()
    assert len(made.tables[0].table.dimensions) < 2
    assert audit(made.tables).safe
    as_asked = make_release("Q", [few, plenty], PRESETS[rule])
    assert as_asked.hidden_share > 0.3 and as_asked.coarser == ()
