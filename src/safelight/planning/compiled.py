"""From a network to the arrays of the event loop."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass

import numpy as np

from safelight.planning import arrays as a
from safelight.planning.arrays import F8, I8, Net
from safelight.planning.check import check
from safelight.planning.network import MANY, Duration, Network, Station, Step
from safelight.planning.rules import Facts, find_rule
from safelight.planning.seeds import derive
from safelight.planning.staffing import servers_by_week

NO_DEADLINE = 1e18
_SHAPES = {"fixed": 0, "exponential": 1, "erlang": 2, "lognormal": 3, "hyperexponential": 4}


@dataclass(frozen=True)
class Compiled:
    """A network's arrays without its staffing, and where each station begins in them.

    Args:
        net: the arrays; capacities as at day 0 without staffing.
        first: for each station of the network its first row of S.
        role: (S,) for each row of S the number of its station.
    """

    network: Network
    net: Net
    first: tuple[int, ...]
    role: tuple[int, ...]


def encode(duration: Duration) -> tuple[int, float, float]:
    """(kind, a, b) as `_streams.duration` reads them."""
    shape = _SHAPES[duration.shape]
    if duration.shape == "erlang":
        return shape, duration.mean / duration.spread, duration.spread
    if duration.shape == "lognormal":
        variance = math.log(1.0 + duration.spread**2)
        return shape, math.log(duration.mean) - variance / 2.0, math.sqrt(variance)
    if duration.shape == "hyperexponential":
        square = duration.spread**2
        return shape, duration.mean, 0.5 * (1.0 + math.sqrt((square - 1.0) / (square + 1.0)))
    return shape, duration.mean, 0.0


def compile_network(network: Network) -> Compiled:
    """Check a network and lay it out as arrays.

    Raises:
        PlanningError: see `safelight.planning.check.check`.
    """
    check(network)
    first: list[int] = []
    role: list[int] = []
    for number, station in enumerate(network.stations):
        first.append(len(role))
        role += [number] * station.teams
    kinds = {kind.name: number for number, kind in enumerate(network.kinds)}
    stations = {station.name: first[number] for number, station in enumerate(network.stations)}
    table = _Rows(network, kinds, stations, len(role))
    for s, number in enumerate(role):
        for name, step in network.stations[number].steps.items():
            table.fill(s * len(kinds) + kinds[name], name, step)
    limits = np.full((len(network.clocks), len(kinds)), -1.0)
    for c, clock in enumerate(network.clocks):
        for name, limit in clock.limits.items():
            limits[c, kinds[name]] = limit
        column = a.S_START_CLOCK if clock.at == "start" else a.S_END_CLOCK
        for name in clock.stations:
            table.station[stations[name] : stations[name] + network.station(name).teams, column] = c
    changes = [
        (day, first[number] + team, team_servers(servers, team, station.teams))
        for number, station in enumerate(network.stations)
        for day, servers in station.changes
        for team in range(station.teams)
    ]
    periods = max(len(kind.factors) for kind in network.kinds)
    kind_int = np.zeros((len(kinds), 11), np.int64)
    kind_int[:, a.K_FIRST] = [stations.get(kind.arrives_at, 0) for kind in network.kinds]
    kind_float = np.zeros((len(kinds), 4))
    kind_float[:, a.K_RATE] = [kind.per_day for kind in network.kinds]
    kind_float[:, a.K_DEADLINE] = [kind.deadline or NO_DEADLINE for kind in network.kinds]
    for s, number in enumerate(role):
        station = network.stations[number]
        table.station[s, a.S_GROUP] = station.teams if s == first[number] else 1
        table.station[s, a.S_STREAM] = number
        table.station[s, a.S_CAP] = _servers(station, s - first[number])
    times, values = _changes(changes)
    net = Net(
        row_int=table.whole,
        row_float=table.parts,
        station_int=table.station,
        kind_int=kind_int,
        kind_float=kind_float,
        factors=np.array(
            [[*kind.factors, *[kind.factors[-1]] * (periods - len(kind.factors))] for kind in network.kinds]
        ),
        cap_time=times,
        cap_change=values,
        route_to=np.array(table.route_to, np.int64),
        route_cum=np.array(table.route_cum, np.float64),
        limit=limits,
        by_due=int(find_rule(network.rule).by_due),
        grows=int(bool(table.parts[:, a.F_GROWTH].any())),
        conf=np.array([network.days, network.warmup, network.period, network.grid], np.float64),
    )
    return Compiled(network, net, tuple(first), tuple(role))


def staffed(compiled: Compiled, key: int) -> Net:
    """The arrays of one replication: its own streams, leave, leavers and vacancies.

    Args:
        key: the key of the replication, see `seeds.replication_key`.
    """
    network, net = compiled.network, compiled.net
    station_int, kind_int = net.station_int.copy(), net.kind_int.copy()
    for k in range(len(kind_int)):
        kind_int[k, a.K_GAPS] = _signed(derive(derive(key, 1), k))
        kind_int[k, a.K_ROOT] = _signed(derive(derive(key, 2), k))
    changes = [
        (float(day), int(s), int(servers)) for day, (s, servers) in zip(net.cap_time, net.cap_change, strict=True)
    ]
    for number, station in enumerate(network.stations):
        if station.staffing is None:
            continue
        for team in range(station.teams):
            s = compiled.first[number] + team
            stream = derive(derive(key, 3), number)
            steps = servers_by_week(station.staffing, team, station.teams, network.days, stream)
            station_int[s, a.S_CAP] = steps[0][1]
            changes += [(day, s, servers) for day, servers in steps[1:]]
    times, values = _changes(changes)
    return net._replace(station_int=station_int, kind_int=kind_int, cap_time=times, cap_change=values)


def _signed(key: int) -> int:
    """The 64 bits as the event loop keeps them."""
    return key - (1 << 64) if key >> 63 else key


def team_servers(servers: int, team: int, teams: int) -> int:
    share, over = divmod(servers, teams)
    return share + (1 if team < over else 0)


def _servers(station: Station, team: int) -> int:
    if station.staffing is not None:
        return 0
    return MANY if station.servers is None else team_servers(station.servers, team, station.teams)


def _changes(changes: list[tuple[float, int, int]]) -> tuple[F8, I8]:
    changes.sort()
    times = np.array([day for day, _, _ in changes], np.float64)
    return times, np.array([(s, servers) for _, s, servers in changes], np.int64).reshape(-1, 2)


class _Rows:
    """What has one row for each station and kind, and the stations themselves."""

    def __init__(self, network: Network, kinds: dict[str, int], stations: dict[str, int], count: int) -> None:
        self.whole = np.zeros((count * len(kinds), 18), np.int64)
        self.parts = np.zeros((count * len(kinds), 17))
        self.station = np.zeros((count, 7), np.int64)
        self.station[:, [a.S_START_CLOCK, a.S_END_CLOCK]] = -1
        for column in (a.R_SPAWN, a.R_CAP, a.R_HEAD, a.R_TAIL):
            self.whole[:, column] = -1
        self.route_to: list[int] = []
        self.route_cum: list[float] = []
        self.network, self.kinds, self.stations = network, kinds, stations
        self.rule = find_rule(network.rule)

    def fill(self, row: int, name: str, step: Step) -> None:
        whole, parts = self.whole[row], self.parts[row]
        whole[a.R_SERVICE], parts[a.F_A], parts[a.F_B] = encode(step.service)
        kind = self.network.kind(name)
        score = self.rule.score(Facts(kind.rank, kind.cost, step.service.mean, kind.deadline))
        parts[a.F_CONSTANT : a.F_POWER + 1] = astuple(score)
        whole[a.R_ROUTE_AT] = len(self.route_to)
        total = 0.0
        for route in step.then:
            total += route.probability
            self.route_to.append(self.stations[route.to])
            self.route_cum.append(1.0 if total > 1.0 - 1e-9 else total)
        whole[a.R_ROUTE_END] = len(self.route_to)
        if step.patience is not None:
            whole[a.R_PATIENCE] = 2 if step.patience.shape == "fixed" else 1
            parts[a.F_PATIENCE] = step.patience.mean
        if step.escalates is not None:
            parts[a.F_ESCALATE] = step.escalates[0]
            whole[a.R_ESCALATE_TO] = self.kinds[step.escalates[1]]
        if step.brings is not None:
            brings = step.brings
            whole[a.R_SPAWN], whole[a.R_SPAWN_TO] = self.kinds[brings.kind], self.stations[brings.to]
            whole[a.R_JOIN], whole[a.R_BASE] = int(brings.wait), brings.at_least
            whole[a.R_CAP] = -1 if brings.cap is None else brings.cap
            parts[a.F_SHARE], parts[a.F_MORE] = brings.share, brings.more
