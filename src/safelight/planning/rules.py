"""Priority rules as plug-ins: who is served next.

Every rule is a row of numbers for each station and kind of work; the event loop serves the first item of the kind whose

    score = constant + per_day_waited * (days in this queue) - per_due * (day it is due)
            + growth * (1 + age / deadline) ^ power

is highest (ties: who waits longest). So a new rule needs no compiling: write a function from `Facts` to `Score` and
register it with `@rule("name")`.

Sources: c-mu is optimal for linear costs without abandonment (Cox and Smith 1961, Queues); the growing index multiplies
c-mu by how much of the deadline is used, so that no kind starves in overload.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from safelight.planning.errors import PlanningError


@dataclass(frozen=True)
class Facts:
    """What a rule may look at, for one kind of work at one station.

    Args:
        rank: 0 for the most urgent kind.
        cost: weight of one day of delay; a policy choice, not a fact.
        mean: mean service in days.
        deadline: days from birth, or None.
    """

    rank: int
    cost: float
    mean: float
    deadline: float | None


@dataclass(frozen=True)
class Score:
    """The numbers of the score; see the module."""

    constant: float = 0.0
    per_day_waited: float = 0.0
    per_due: float = 0.0
    growth: float = 0.0
    power: float = 1.0


@dataclass(frozen=True)
class Rule:
    """A priority rule: its score, the order within a kind, and what a reader must know before choosing it."""

    name: str
    title: str
    score: Callable[[Facts], Score]
    by_due: bool
    static_order: bool  # every kind always beats every later one: kinds can be stable one by one


RULES: dict[str, Rule] = {}


def rule(
    name: str, title: str, *, by_due: bool = False, static_order: bool = False
) -> Callable[[Callable[[Facts], Score]], Callable[[Facts], Score]]:
    """Register a rule under a name.

    Raises:
        PlanningError: the name is taken.
    """

    def register(score: Callable[[Facts], Score]) -> Callable[[Facts], Score]:
        if name in RULES:
            raise PlanningError("rule", f"the name {name!r} is taken.", fix="Choose another name.")
        RULES[name] = Rule(name, title, score, by_due, static_order)
        return score

    return register


def find_rule(name: str) -> Rule:
    """The rule of that name.

    Raises:
        PlanningError: there is none.
    """
    if name not in RULES:
        raise PlanningError("rule", f"there is no priority rule {name!r}.", fix=f"Use one of {', '.join(RULES)}.")
    return RULES[name]


@rule("fifo", "first come, first served")
def _fifo(facts: Facts) -> Score:
    return Score(per_day_waited=1.0)


@rule("risk", "highest risk first, then first come", static_order=True)
def _risk(facts: Facts) -> Score:
    return Score(constant=-float(facts.rank))


@rule("deadline", "earliest deadline first", by_due=True)
def _deadline(facts: Facts) -> Score:
    return Score(per_due=1.0)


@rule("c-mu", "highest cost of delay for each day of work (starves kinds of low index in overload)", static_order=True)
def _c_mu(facts: Facts) -> Score:
    return Score(constant=_index(facts))


@rule("growing", "c-mu, growing with the share of the deadline that is used", by_due=True)
def _growing(facts: Facts) -> Score:
    if facts.deadline is None:
        return Score(constant=_index(facts))
    return Score(growth=_index(facts), power=2.0)


def _index(facts: Facts) -> float:
    return facts.cost / max(facts.mean, 1e-6)
