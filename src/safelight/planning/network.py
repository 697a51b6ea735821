"""A network of stations as data: kinds of work, servers, routes, what work brings other work, clocks. Times in days."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from safelight.planning.errors import PlanningError

MANY = 1 << 40  # servers of a station where nobody waits, such as waiting for a warrant


def finite(name: str, value: float, *, low: float = 0.0, high: float = math.inf, above: bool = False) -> float:
    """``value`` if it is a number in the range.

    Raises:
        PlanningError: it is not.
    """
    if not math.isfinite(value):
        raise PlanningError(name, f"{value} is not a number.", fix="Give a number.")
    if value < low or (above and value <= low):
        raise PlanningError(
            name, f"{value:g} is {'not above' if above else 'below'} {low:g}.", fix="Give a larger one."
        )
    if value > high:
        raise PlanningError(name, f"{value:g} is above {high:g}.", fix="Give a smaller one.")
    return value


@dataclass(frozen=True)
class Duration:
    """How long something takes: a mean in days and a shape. Use the constructors."""

    mean: float
    shape: str = "exponential"
    spread: float = 1.0  # Erlang: phases; lognormal and hyperexponential: coefficient of variation

    @classmethod
    def fixed(cls, days: float) -> Duration:
        return cls(days, "fixed", 0.0)

    @classmethod
    def exponential(cls, mean: float) -> Duration:
        return cls(mean)

    @classmethod
    def erlang(cls, mean: float, phases: int) -> Duration:
        return cls(mean, "erlang", phases)

    @classmethod
    def lognormal(cls, mean: float, cv: float) -> Duration:
        return cls(mean, "lognormal", cv)

    @classmethod
    def hyperexponential(cls, mean: float, cv: float) -> Duration:
        return cls(mean, "hyperexponential", cv)

    def check(self, name: str) -> None:
        """Raises PlanningError when the mean or the shape is impossible."""
        finite(name, self.mean, above=self.shape != "fixed")
        if self.shape not in ("fixed", "exponential", "erlang", "lognormal", "hyperexponential"):
            raise PlanningError(name, f"unknown shape {self.shape!r}.", fix="See safelight.planning.Duration.")
        if self.shape == "erlang" and not (1 <= self.spread <= 60 and self.spread == int(self.spread)):
            raise PlanningError(name, f"{self.spread:g} phases.", fix="Give a whole number from 1 to 60.")
        if self.shape == "lognormal":
            finite(name, self.spread, above=True)
        if self.shape == "hyperexponential":
            finite(name, self.spread, low=1.0)

    @property
    def cv2(self) -> float:
        """The squared coefficient of variation."""
        if self.shape == "fixed":
            return 0.0
        if self.shape == "erlang":
            return 1.0 / self.spread
        return 1.0 if self.shape == "exponential" else self.spread**2


@dataclass(frozen=True)
class Route:
    """Where work goes next, with what probability; what is left of 1 leaves the network."""

    to: str
    probability: float = 1.0


@dataclass(frozen=True)
class Brings:
    """Work that the end of a service brings, such as the devices of a case.

    With probability ``share`` there are ``at_least`` + Poisson(``more``) items, of which at most ``cap`` are worked on.
    With ``wait`` the case goes on when all of them are done.
    """

    kind: str
    to: str
    share: float = 1.0
    at_least: int = 1
    more: float = 0.0
    cap: int | None = None
    wait: bool = True

    @property
    def mean(self) -> float:
        """The mean number worked on."""
        if self.cap is None:
            return self.share * (self.at_least + self.more)
        total, weight = 0.0, math.exp(-self.more)
        for n in range(64):
            total += weight * min(self.cap, self.at_least + n)
            weight *= self.more / (n + 1)
        return self.share * total


@dataclass(frozen=True)
class Step:
    """What one kind of work meets at one station.

    Args:
        service: the time of a server that it takes.
        then: where it goes.
        brings: other work that its end brings.
        patience: waiting longer than this it leaves the network (exponential or fixed), or None.
        escalates: (after this many days of waiting, it is treated as this kind in the queue), or None.
    """

    service: Duration
    then: tuple[Route, ...] = ()
    brings: Brings | None = None
    patience: Duration | None = None
    escalates: tuple[float, str] | None = None


@dataclass(frozen=True)
class Staffing:
    """People behind the servers of a station; see `safelight.planning.staffing`.

    Args:
        posts: (day, number of posts) steps, the first at day 0.
        on_duty: servers for each person present.
        presence: twelve monthly shares of people who are not on leave, sick or training.
        leave_rate: share of people who leave for good in a year.
        vacant_days: from a leaver to a successor who can do the work.
    """

    posts: tuple[tuple[float, float], ...]
    on_duty: float = 1.0
    presence: tuple[float, ...] = (1.0,) * 12
    leave_rate: float = 0.0
    vacant_days: float = 0.0


@dataclass(frozen=True)
class Station:
    """A place where work waits for one of several equal servers.

    Args:
        servers: how many; None where nobody waits.
        steps: the step of each kind that comes here.
        teams: equal teams behind it, each with its own queue; a case stays with its team.
        staffing: people instead of a fixed number of servers.
        changes: (day, servers) of a station with a fixed number.
    """

    name: str
    servers: int | None
    steps: Mapping[str, Step]
    teams: int = 1
    staffing: Staffing | None = None
    changes: tuple[tuple[float, int], ...] = ()


@dataclass(frozen=True)
class Kind:
    """A kind of work, such as cases of high risk, or their devices.

    Args:
        per_day: arrivals from outside; 0 for what only other work brings.
        arrives_at: the station, or "".
        factors: multiply the rate in each period of the network; the last one lasts.
        deadline: days from birth that the rules look at, or None.
        rank: 0 for the most urgent.
        cost: weight of one day of delay.
    """

    name: str
    per_day: float = 0.0
    arrives_at: str = ""
    factors: tuple[float, ...] = (1.0,)
    deadline: float | None = None
    rank: int = 0
    cost: float = 1.0


@dataclass(frozen=True)
class Clock:
    """A duration from birth to the start or end of service at the first of some stations, for some kinds."""

    name: str
    stations: tuple[str, ...]
    limits: Mapping[str, float]
    at: str = "end"


@dataclass(frozen=True)
class Network:
    """A whole network; see `check`."""

    kinds: tuple[Kind, ...]
    stations: tuple[Station, ...]
    clocks: tuple[Clock, ...] = ()
    rule: str = "fifo"
    days: float = 365.0
    warmup: float = 0.0
    period: float = 30.4375
    grid: float = 7.0

    def kind(self, name: str) -> Kind:
        return next(kind for kind in self.kinds if kind.name == name)

    def station(self, name: str) -> Station:
        return next(station for station in self.stations if station.name == name)
