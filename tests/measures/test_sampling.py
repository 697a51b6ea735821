"""Sampling: sizes of the facts, exact allocation, a draw that a stranger can repeat, weighted estimates."""

from __future__ import annotations

import hashlib
import itertools
import math
import random
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.measures.errors import CountError, EmptySampleError, TooFewCasesError
from safelight.measures.intervals import wilson
from safelight.measures.sampling import (
    Audited,
    Stratum,
    allocate,
    draw,
    draw_key,
    margin_of,
    sample_size,
    weighted_proportion,
)


def test_sizes_are_those_of_the_facts() -> None:
    """Lost: an audit too small for what it claims."""
    sizes = [[sample_size(population, margin) for population in (1_000, 5_000, 20_000)] for margin in (0.05, 0.03)]
    assert sizes == [[278, 357, 377], [517, 880, 1_014]]
    assert sample_size(None, 0.05) == 385
    assert sample_size(10, 0.05) == 10
    assert margin_of(303, 500, expected=0.307) == pytest.approx(0.033, abs=0.0005)
    assert margin_of(303, 5_000, expected=0.307) == pytest.approx(0.050, abs=0.0005)
    assert margin_of(500, 500) == 0


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 300), min_size=1, max_size=6),
    st.integers(0, 3),
    st.integers(1, 400),
)
def test_allocation_adds_up_and_fits(strata: dict[str, int], minimum: int, total: int) -> None:
    """Lost: a plan that draws more cases than a unit has, or not the number that was sealed."""
    try:
        plan = allocate(strata, total, minimum=minimum)
    except (CountError, EmptySampleError):
        assert (
            total > sum(strata.values())
            or total < sum(min(minimum, n) for n in strata.values())
            or not any(strata.values())
        )
        return
    assert sum(row.sampled for row in plan) == total
    assert all(min(minimum, row.population) <= row.sampled <= row.population for row in plan)
    assert sum(row.weight * row.sampled for row in plan) == pytest.approx(
        sum(row.population for row in plan if row.sampled)
    )


@pytest.mark.parametrize("method", ["proportional", "neyman"])
def test_no_other_whole_numbers_have_less_variance(method: str) -> None:
    """Lost: precision given away by rounding."""
    sizes, spread = {"a": 9, "b": 25, "c": 60}, {"a": 0.5, "b": 0.3, "c": 0.1}
    used = spread if method == "neyman" else dict.fromkeys(sizes, 1.0)

    def variance(given: tuple[int, ...]) -> float:
        return sum((sizes[name] * used[name]) ** 2 / n for name, n in zip(sizes, given, strict=True))

    plan = allocate(sizes, 12, method=method, spread=spread, minimum=1)  # type: ignore[arg-type]
    ways = [w for w in itertools.product(range(1, 10), range(1, 13), range(1, 13)) if sum(w) == 12]
    assert variance(tuple(row.sampled for row in plan)) == pytest.approx(min(map(variance, ways)))


def test_a_plan_that_cannot_be_is_refused() -> None:
    """Lost: an audit that quietly leaves out small units."""
    with pytest.raises(CountError, match="At least 2 from each of 3 strata needs 6"):
        allocate({"a": 10, "b": 10, "c": 10}, 5)
    with pytest.raises(CountError, match="40 cases are to be drawn of 30"):
        allocate({"a": 10, "b": 20}, 40)
    with pytest.raises(EmptySampleError):
        allocate({"a": 0}, 1)
    with pytest.raises(CountError, match="spread of every stratum; b have none"):
        allocate({"a": 10, "b": 20}, 5, method="neyman", spread={"a": 0.5})
    plan = allocate({"a": 1, "b": 50, "none": 0}, 10)
    assert [(row.name, row.sampled) for row in plan] == [("a", 1), ("b", 9), ("none", 0)]


def _frame(count: int) -> list[tuple[str, str]]:
    return [(f"CASE-{n:05}", "ab"[n % 2]) for n in range(count)]


def test_the_draw_is_the_same_for_everybody_and_in_any_order() -> None:
    """Lost: a sample that the force could have steered.

    The list was made with sha256sum and sort in a shell; it may never change between versions.
    """
    frame = _frame(1_000)
    plan = allocate({"a": 500, "b": 500}, 6, minimum=2)
    drawn = draw(frame, plan, "12 June, sealed")
    random.Random(3).shuffle(frame)
    assert draw(frame, plan, "12 June, sealed") == drawn
    assert [row.case for row in drawn] == [
        "CASE-00636",
        "CASE-00924",
        "CASE-00498",
        "CASE-00651",
        "CASE-00497",
        "CASE-00577",
    ]
    assert draw(frame, plan, "13 June") != drawn
    assert {row.weight for row in drawn} == {500 / 3}


def test_a_stranger_can_repeat_it_with_sha256sum() -> None:
    """Lost: the check without this program that the page promises."""
    printed = subprocess.run(
        ["bash", "-c", 'printf \'%s\\n%s\' "$0" "$1" | sha256sum', "seed 7", "CASE-00042"],
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()[0]
    assert draw_key("seed 7", "CASE-00042") == printed == hashlib.sha256(b"seed 7\nCASE-00042").hexdigest()


def test_every_case_has_the_same_chance() -> None:
    """Lost: cases that are never looked at."""
    frame, plan = [(f"C{n}", "a") for n in range(20)], (Stratum("a", 20, 5),)
    times = dict.fromkeys((case for case, _ in frame), 0)
    for seed in range(2_000):
        for row in draw(frame, plan, str(seed)):
            times[row.case] += 1
    # 500 expected each, standard deviation 19: beyond 5 of them is no accident.
    assert all(abs(count - 500) < 97 for count in times.values())


def test_reserves_come_after_and_weigh_nothing() -> None:
    """Lost: an unreadable file replaced by one of the unit's choosing."""
    frame, plan = _frame(100), allocate({"a": 50, "b": 50}, 4)
    drawn = draw(frame, plan, "s", reserve=2)
    assert [row.reserve for row in drawn] == [False, False, True, True] * 2
    assert tuple(row for row in drawn if not row.reserve) == draw(frame, plan, "s")
    assert all(row.weight == 0 for row in drawn if row.reserve)


def test_a_draw_from_another_population_is_refused() -> None:
    """Lost: the seal. A case added after the plan would go unnoticed."""
    plan = allocate({"a": 50, "b": 50}, 4)
    with pytest.raises(CountError, match="holds 51 cases; the plan says 50"):
        draw([*_frame(100), ("NEW", "a")], plan, "s")
    with pytest.raises(CountError, match="listed 2 times"):
        draw([*_frame(100), ("CASE-00001", "b")], plan, "s")
    with pytest.raises(CountError, match="which the plan does not know"):
        draw([("X", "z")], plan, "s")
    with pytest.raises(CountError, match="no seed"):
        draw(_frame(100), plan, " ")


def test_the_weighted_share_is_cochrans() -> None:
    """Lost: a London figure in which a small unit, looked at closely, counts like a large one."""
    strata = [Audited("small", 100, 50, 40), Audited("large", 900, 50, 10)]
    found = weighted_proportion(strata)
    assert found.estimate == pytest.approx(0.1 * 0.8 + 0.9 * 0.2)
    variance = 0.1**2 * 0.5 * 0.8 * 0.2 / 49 + 0.9**2 * (1 - 50 / 900) * 0.2 * 0.8 / 49
    effective = 0.26 * 0.74 / variance
    middle = (0.26 + 1.959964**2 / (2 * effective)) / (1 + 1.959964**2 / effective)
    assert (found.low + found.high) / 2 == pytest.approx(middle, abs=1e-6)
    assert found.low < 0.26 < found.high


def test_one_stratum_is_nearly_wilson() -> None:
    """Lost: a jump between the plain and the weighted figure of the same audit."""
    plain, weighted = wilson(93, 303), weighted_proportion([Audited("all", 10**9, 303, 93)])
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), abs=2e-4)


def test_weighted_intervals_cover() -> None:
    """Lost: '95 %' that holds for textbooks only."""
    truth = {"a": [1] * 60 + [0] * 40, "b": [1] * 60 + [0] * 540, "c": [1] * 290 + [0] * 10}
    share = sum(map(sum, truth.values())) / 1_000
    dice, covered = random.Random(11), 0
    for _ in range(1_500):
        rows = [
            Audited(name, len(v), n, sum(dice.sample(v, n)))
            for (name, v), n in zip(truth.items(), (20, 60, 30), strict=True)
        ]
        covered += share in weighted_proportion(rows)
    assert covered / 1_500 > 0.93


def test_too_little_is_refused_and_a_census_is_certain() -> None:
    """Lost: an interval from a stratum with one case, which nobody can know."""
    with pytest.raises(TooFewCasesError, match="'b' has one audited case of 40"):
        weighted_proportion([Audited("a", 100, 10, 3), Audited("b", 40, 1, 1)])
    with pytest.raises(EmptySampleError, match="stratum 'b'"):
        weighted_proportion([Audited("a", 100, 10, 3), Audited("b", 40, 0, 0)])
    with pytest.raises(EmptySampleError):
        weighted_proportion([])
    with pytest.raises(CountError, match="11 were audited of 10"):
        weighted_proportion([Audited("a", 10, 11, 3)])
    census = weighted_proportion([Audited("a", 10, 10, 3), Audited("one", 1, 1, 1), Audited("none", 0, 0, 0)])
    assert census.low == census.high == pytest.approx(4 / 11)
    all_good = weighted_proportion([Audited("a", 100, 10, 10), Audited("b", 100, 10, 10)])
    assert all_good.high == 1 and 0.8 < all_good.low < 0.9
    assert math.isclose(all_good.estimate, 1)
