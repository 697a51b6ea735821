"""The stated probability: exact, and never more than the truth."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safelight.triage.chance import chance_to_miss, least_held, places_needed


@given(st.integers(1, 400), st.data())
def test_the_chance_is_the_hypergeometric_one(population: int, data: st.DataObject) -> None:
    """A report would state a probability that the mathematics does not give."""
    held, drawn = data.draw(st.integers(0, population)), data.draw(st.integers(0, population))
    exact = Fraction(comb(population - held, drawn), comb(population, drawn))
    assert chance_to_miss(population, held, drawn) == pytest.approx(float(exact), rel=1e-9, abs=1e-300)


@given(st.integers(1, 100_000), st.data())
def test_what_is_needed_is_the_least_that_suffices(population: int, data: st.DataObject) -> None:
    """A run would stop one place too early, or state a smaller amount than it can vouch for."""
    held = data.draw(st.integers(1, population))
    probability = data.draw(st.sampled_from((0.5, 0.9, 0.99, 0.999)))
    drawn = places_needed(population, held, probability)
    assert 1 - chance_to_miss(population, held, drawn) >= probability
    assert drawn == 1 or 1 - chance_to_miss(population, held, drawn - 1) < probability
    least = least_held(population, drawn, probability)
    assert least is not None and least <= held
    assert 1 - chance_to_miss(population, least, drawn) >= probability


def test_published_figures() -> None:
    """1 TB with 20 MiB: 219,491 places for 99 %, as published for a disk scanned in half an hour."""
    assert abs(places_needed(10**12 // 4096, 20 * 2**20 // 4096, 0.99) - 219_491) <= 1
    assert chance_to_miss(393_216, 1_063, 1_739) == pytest.approx(0.009, abs=0.0005)
    assert least_held(100, 0, 0.99) is None and chance_to_miss(10, 0, 5) == 1.0 and chance_to_miss(10, 6, 5) == 0.0
    for wrong in ((10, 11, 1), (10, 1, 11), (-1, 0, 0)):
        with pytest.raises(ValueError, match="not possible"):
            chance_to_miss(*wrong)
    with pytest.raises(ValueError, match="cannot be reached"):
        places_needed(10, 0, 0.9)
