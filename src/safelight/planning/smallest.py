"""The smallest staffing that keeps a clock: found by search, with the proof that one post fewer does not.

Posts of one station are halved in on by bisection; several stations in turn, dearest posts first, until none of them
can give up a single one. Every trial meets the same cases (common random numbers). A staffing *keeps* the clock when
even the upper end of the 95 % interval of its breaches is within what is allowed; where the interval straddles that,
more runs are made, and what stays undecided counts as not kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from safelight.planning.errors import PlanningError
from safelight.planning.estimate import Estimate
from safelight.planning.force import force_network
from safelight.planning.load import grows_since
from safelight.planning.money import PAY, post_cost, yearly_cost
from safelight.planning.parameters import RISKS, Parameters
from safelight.planning.rules import find_rule
from safelight.planning.run import simulate

MOST_POSTS = 5_000
LONGER = 4  # an undecided trial gets up to this many times as many runs

LEVERS: Mapping[str, tuple[str, ...]] = {
    "safeguarding": ("staff.desk",),
    "investigator": ("staff.specialists", "staff.allocation", "staff.desk"),
    "triage": ("staff.triage",),
    "file": ("staff.specialists",),
}
KIND = {"safeguarding": "case", "investigator": "case", "triage": "device", "file": "file"}


@dataclass(frozen=True)
class Goal:
    """Keep ``share`` of the clocks of one risk level: 95 % of very-high-risk safeguarding referrals, unless told."""

    clock: str = "safeguarding"
    risk: str = "very_high"
    share: float = 0.95

    @property
    def kind(self) -> str:
        return f"{KIND[self.clock]}.{self.risk}"

    @property
    def text(self) -> str:
        return f"{self.share:.0%} of {self.risk.replace('_', ' ')} risk inside the {self.clock} clock"

    def check(self) -> None:
        """Raises PlanningError: no such clock or risk, or a share that is not between 0 and 1."""
        if self.clock not in KIND:
            raise PlanningError("clock", f"there is no clock {self.clock!r}.", fix=f"Use one of {', '.join(KIND)}.")
        if self.risk not in RISKS:
            raise PlanningError("risk", f"there is no risk {self.risk!r}.", fix=f"Use one of {', '.join(RISKS)}.")
        if not 0.0 < self.share < 1.0:
            raise PlanningError("share", f"{self.share:g} is not between 0 and 1.", fix="0.95 is 95 per cent.")


@dataclass(frozen=True)
class Trial:
    """One staffing: the posts of each lever, and the share of clocks breached."""

    posts: Mapping[str, int]
    breached: Estimate
    keeps: bool


@dataclass(frozen=True)
class Smallest:
    """The answer.

    Args:
        posts: of each lever.
        found: the trial of these posts.
        fewer: for each lever, the trial with one post less, which does not keep the clock.
        cost: pounds in a year for the whole force at these posts; before: at today's.
        trials: everything that was tried, in order.
    """

    goal: Goal
    posts: Mapping[str, int]
    found: Trial
    fewer: Mapping[str, Trial]
    cost: float
    before: float
    trials: tuple[Trial, ...]


def smallest(
    parameters: Parameters,
    goal: Goal | None = None,
    levers: tuple[str, ...] = (),
    *,
    years: float = 1.0,
    warmup_days: float = 180.0,
    rule: str = "growing",
    replications: int = 12,
    seed: int = 1,
    processes: int = 2,
    cluster: str = "",
    on_trial: Callable[[Trial], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Smallest:
    """Search. ``levers`` are parameters that count posts; those that the clock hangs on when left out.

    Raises:
        PlanningError: the goal, a lever or a number cannot be used, no number of these posts keeps the clock, or
            ``stop`` said so.
    """
    wanted = goal or Goal()
    wanted.check()
    find_rule(rule)
    chosen = levers or LEVERS[wanted.clock]
    unknown = [lever for lever in chosen if lever not in PAY]
    if unknown:
        raise PlanningError(unknown[0], "it does not count posts.", fix=f"Use {', '.join(PAY)}.")
    allowed = 1.0 - wanted.share
    known: dict[tuple[int, ...], Trial] = {}

    def attempt(posts: Mapping[str, int]) -> Trial:
        at = tuple(posts[lever] for lever in chosen)
        if at not in known:
            if stop is not None and stop():
                raise PlanningError("search", f"it was stopped after {len(known)} trials.", fix="Let it run on.")
            network = force_network(parameters.with_changes(posts), years=years, warmup_days=warmup_days, rule=rule)
            clock = next(one for one in network.clocks if one.name == wanted.clock)
            stuck = any(
                grows_since(network, name, wanted.kind) is not None
                for name in clock.stations
                if wanted.kind in network.station(name).steps
            )
            runs = 2 if stuck else replications
            while True:
                tally = simulate(network, replications=runs, seed=seed, processes=processes, cluster=cluster).tally
                found = tally.breached(wanted.clock, wanted.kind)
                undecided = found.high is not None and found.low is not None and found.low <= allowed < found.high
                if not undecided or runs >= LONGER * replications:
                    break
                runs *= 2
            known[at] = Trial(dict(posts), found, found.high is not None and found.high <= allowed)
            if on_trial is not None:
                on_trial(known[at])
        return known[at]

    now = {lever: max(1, round(parameters.number(lever))) for lever in chosen}
    best = _enough(now, attempt, wanted)
    dearest = sorted(chosen, key=lambda lever: -post_cost(parameters, lever))
    while True:
        before = dict(best)
        for lever in dearest:
            best = _fewest(best, lever, attempt)
        if best == before:
            break
    fewer = {lever: attempt({**best, lever: best[lever] - 1}) for lever in chosen if best[lever] > 0}
    return Smallest(
        wanted,
        best,
        attempt(best),
        fewer,
        yearly_cost(parameters.with_changes(best)),
        yearly_cost(parameters),
        tuple(known.values()),
    )


def _enough(now: Mapping[str, int], attempt: Callable[[Mapping[str, int]], Trial], goal: Goal) -> dict[str, int]:
    """Some staffing that keeps the clock: today's, or doubled until it does."""
    posts = dict(now)
    last: float | None = None
    while True:
        trial = attempt(posts)
        if trial.keeps:
            return posts
        mean = trial.breached.mean
        # Twice the people and nothing gained: it is not people that the clock waits for.
        useless = mean is not None and last is not None and last - mean < 0.001
        if useless or max(posts.values()) * 2 > MOST_POSTS:
            raise PlanningError(
                "staffing",
                f"{', '.join(f'{number} in {lever}' for lever, number in posts.items())} still breach "
                f"{trial.breached.text('.1f', 100.0)} per cent, and {goal.text} is wanted.",
                fix="The work itself takes too long, or another station holds it up: change that, or the clock.",
            )
        last = mean
        posts = {lever: 2 * number for lever, number in posts.items()}


def _fewest(best: Mapping[str, int], lever: str, attempt: Callable[[Mapping[str, int]], Trial]) -> dict[str, int]:
    """Bisection of one lever with the others as they are: ``high`` keeps the clock, ``low`` does not."""
    low, high = -1, best[lever]
    if high == 0 or not attempt({**best, lever: high - 1}).keeps:
        return dict(best)
    high -= 1
    while high - low > 1:
        middle = (low + high) // 2
        if attempt({**best, lever: middle}).keeps:
            high = middle
        else:
            low = middle
    return {**best, lever: high}
