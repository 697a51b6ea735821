"""How likely a sample is to meet what is there: the exact hypergeometric chance, and what follows from it.

A device has `population` places. Of these, `held` hold something that would be known. `drawn` different places are
looked at, each as likely as any other. The chance that none of them is a known one is C(population - held, drawn) /
C(population, drawn). No approximation by a binomial or a Poisson law is made.

Sources: Garfinkel, Parker-Wood, Huynh, Migletz, An Automated Solution to the Multi-User Carved Data Ascription Problem,
and Garfinkel, Nelson, White, Roussev, Using purpose-built functions and block hashes to enable small block and sub-file
forensics, DFRWS 2010 (random sampling of sectors).
"""

from __future__ import annotations

import numpy as np

_EXACT = 8_000_000


def chance_to_miss(population: int, held: int, drawn: int) -> float:
    """The chance (0 to 1) that `drawn` of `population` places hold none of the `held` ones.

    Raises:
        ValueError: a negative number, or more drawn or held than there are.
    """
    if min(population, held, drawn) < 0 or held > population or drawn > population:
        raise ValueError(f"{drawn} drawn and {held} held of {population} places is not possible")
    if not held or not drawn:
        return 1.0
    if held + drawn > population:
        return 0.0
    # The same number either way round, as a product of as many factors as the smaller of the two.
    few, many = sorted((held, drawn))
    total = 0.0
    for start in range(0, few, _EXACT):
        left = population - np.arange(start, min(few, start + _EXACT), dtype=np.float64)
        total += float(np.log1p(-many / left).sum())
    return float(np.exp(total))


def places_needed(population: int, held: int, probability: float) -> int:
    """The fewest places to draw so that a known one is met with at least this probability; `population` at most.

    Raises:
        ValueError: no place is held, or the probability is not below 1.
    """
    if not 0 < held <= population or not 0 < probability < 1:
        raise ValueError(f"a probability of {probability} with {held} held of {population} cannot be reached")
    low, high = 1, population - held + 1
    while low < high:
        middle = (low + high) // 2
        if 1 - chance_to_miss(population, held, middle) >= probability:
            high = middle
        else:
            low = middle + 1
    return low


def least_held(population: int, drawn: int, probability: float) -> int | None:
    """The fewest held places of which `drawn` ones meet one with at least this probability; None if none was drawn."""
    if drawn <= 0:
        return None
    low, high = 1, population - drawn + 1
    while low < high:
        middle = (low + high) // 2
        if 1 - chance_to_miss(population, middle, drawn) >= probability:
            high = middle
        else:
            low = middle + 1
    return low
