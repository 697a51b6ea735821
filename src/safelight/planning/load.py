"""Is there enough capacity at all? Offered load against servers, from the traffic equations, before anything is run.

A queue whose load is at or above its capacity has no mean wait: it grows for as long as one looks. A simulation of ten
years would still print a number, and the number would be a property of the ten years. So the answer is given in words.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from safelight.planning.check import check
from safelight.planning.compiled import team_servers
from safelight.planning.network import Kind, Network, Station
from safelight.planning.rules import Facts, find_rule
from safelight.planning.staffing import YEAR, mean_posts, team_share

GROWS = "grows without limit"


@dataclass(frozen=True)
class StationLoad:
    """The load of one station in one year after the warm-up.

    Args:
        offered: mean number of servers that the work would keep busy.
        servers: mean number of servers, at the worst-off team times the number of teams.
        growing: the kinds of work whose queue grows without limit.
    """

    station: str
    offered: float
    servers: float
    growing: frozenset[str]

    @property
    def ratio(self) -> float:
        return self.offered / self.servers if self.servers > 0 else math.inf


def loads(network: Network, year: int | None = None) -> dict[str, StationLoad]:
    """The load of every station in a year after the warm-up (0 is the first; None the last).

    Raises:
        PlanningError: the network is not one that can be run.
    """
    check(network)
    last = _years(network) - 1
    return _loads(network, last if year is None else min(year, last))


def _years(network: Network) -> int:
    return max(1, math.ceil((network.days - network.warmup) / YEAR))


def grows_since(network: Network, station: str, kind: str) -> int | None:
    """The first year after the warm-up (1 is the first) from which on the queue grows without limit, or None."""
    since: int | None = None
    for year in range(_years(network)):
        if kind in _loads(network, year)[station].growing:
            since = year + 1 if since is None else since
        else:
            since = None
    return since


def _loads(network: Network, year: int) -> dict[str, StationLoad]:
    middle = network.warmup + (year + 0.5) * YEAR
    servers = {station.name: _servers(station, middle) for station in network.stations}
    outside = {kind.name: kind.per_day * _factor(network, kind, year) for kind in network.kinds}
    flows: dict[tuple[str, str], float] = {}
    passes: dict[str, float] = dict.fromkeys(servers, 1.0)
    for _ in range(200):
        before = flows
        flows = _flows(network, outside, before, passes)
        for station in network.stations:
            offered = _offered(station, flows)
            passes[station.name] = min(1.0, servers[station.name] / offered) if offered > 0 else 1.0
        if before and all(abs(flows[at] - before.get(at, 0.0)) <= 1e-10 * (1 + flows[at]) for at in flows):
            break
    found = {}
    for station in network.stations:
        capacity = servers[station.name]
        growing = _growing(network, station, flows, capacity)
        found[station.name] = StationLoad(station.name, _offered(station, flows), capacity, growing)
    return found


def _flows(
    network: Network, outside: Mapping[str, float], before: Mapping[tuple[str, str], float], passes: Mapping[str, float]
) -> dict[tuple[str, str], float]:
    flows = {(kind.arrives_at, kind.name): outside[kind.name] for kind in network.kinds if kind.per_day > 0}
    for station in network.stations:
        for kind, step in station.steps.items():
            done = before.get((station.name, kind), 0.0) * passes[station.name]
            for route in step.then:
                flows[route.to, kind] = flows.get((route.to, kind), 0.0) + done * route.probability
            if step.brings is not None:
                at = (step.brings.to, step.brings.kind)
                flows[at] = flows.get(at, 0.0) + done * step.brings.mean
    return flows


def _offered(station: Station, flows: Mapping[tuple[str, str], float]) -> float:
    return sum(flows.get((station.name, kind), 0.0) * step.service.mean for kind, step in station.steps.items())


def _growing(
    network: Network, station: Station, flows: Mapping[tuple[str, str], float], capacity: float
) -> frozenset[str]:
    """Kinds that give up waiting never grow; under a fixed order of kinds only those grow whose turn never comes."""
    rule = find_rule(network.rule)
    work = {
        kind: flows.get((station.name, kind), 0.0) * step.service.mean
        for kind, step in station.steps.items()
        if step.patience is None and flows.get((station.name, kind), 0.0) > 0
    }
    static = rule.static_order and all(step.escalates is None for step in station.steps.values())
    if not static:
        return frozenset(work) if sum(work.values()) >= capacity * (1 - 1e-9) and work else frozenset()

    def place(kind: str) -> float:
        one = network.kind(kind)
        return -rule.score(Facts(one.rank, one.cost, station.steps[kind].service.mean, one.deadline)).constant

    growing = set()
    for kind in work:
        ahead = sum(load for other, load in work.items() if place(other) <= place(kind))
        if ahead >= capacity * (1 - 1e-9):
            growing.add(kind)
    return frozenset(growing)


def _factor(network: Network, kind: Kind, year: int) -> float:
    """The mean factor of the year, or of the part of it that is run."""
    start = network.warmup + year * YEAR
    end = min(network.days, start + YEAR)
    total = 0.0
    parts = 48
    for part in range(parts):
        day = start + (part + 0.5) * (end - start) / parts
        total += kind.factors[min(int(day / network.period), len(kind.factors) - 1)]
    return total / parts


def _servers(station: Station, day: float) -> float:
    if station.servers is None and station.staffing is None:
        return math.inf
    if station.staffing is not None:
        staff = station.staffing
        posts = next(posts for start, posts in reversed(staff.posts) if start <= day)
        least = min(team_share(posts, team, station.teams) for team in range(station.teams))
        return least * station.teams * mean_posts(staff) * sum(staff.presence) / 12 * staff.on_duty
    servers = station.servers or 0
    for start, number in sorted(station.changes):
        servers = number if start <= day else servers
    return float(min(team_servers(servers, team, station.teams) for team in range(station.teams)) * station.teams)
