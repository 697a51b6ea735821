"""The same rules of the game in slow, plain Python: one heapq, objects, lists. Written from the documentation of the
event loop, sharing with it nothing but the definition of the random numbers."""

from __future__ import annotations

import heapq
import math
from dataclasses import dataclass, field

from safelight.planning.network import Duration, Network, Step
from safelight.planning.rules import Facts, find_rule
from safelight.planning.seeds import derive, replication_key, uniform

SERVICE, ROUTE, PATIENCE, SPAWN, TEAM, CHILD = range(6)


@dataclass(eq=False)
class Item:
    kind: str
    key: int
    born: float
    share: float
    serial: int
    parent: Item | None = None
    priority: str = ""
    station: int = -1
    role: int = -1
    entry: float = 0.0
    pending: int = 0
    loop: int = 0
    leave: float = math.inf
    timer: int = -1


@dataclass
class Place:
    role: int
    capacity: float
    busy: int = 0
    waiting: list[Item] = field(default_factory=list)


class Plain:
    """Runs a network without staffing; `events` is the trace, `waits` every wait that ended in service."""

    def __init__(self, network: Network, seed: int, number: int) -> None:
        self.n = network
        self.key = replication_key(seed, number)
        self.events: list[tuple[float, int, int, str]] = []
        self.waits: list[tuple[int, str, float]] = []
        self.first: list[int] = []
        self.places: list[Place] = []
        for role, station in enumerate(network.stations):
            self.first.append(len(self.places))
            for team in range(station.teams):
                servers = math.inf if station.servers is None else self._part(station.servers, team, station.teams)
                self.places.append(Place(role, servers))
        self.heap: list[tuple[float, int, int, str, Item]] = []
        self.sequence = self.serials = 0

    @staticmethod
    def _part(servers: int, team: int, teams: int) -> int:
        return servers // teams + (1 if team < servers % teams else 0)

    def run(self) -> Plain:
        n = self.n
        names = [kind.name for kind in n.kinds]
        counters = dict.fromkeys(names, 0)
        upcoming = {name: self._next(name, 0.0, 0) for name in names}
        changes = sorted(
            (day, self.first[role] + team, self._part(servers, team, station.teams))
            for role, station in enumerate(n.stations)
            for day, servers in station.changes
            for team in range(station.teams)
        )
        while True:
            who = min(names, key=lambda name: (upcoming[name], names.index(name)))
            t, source = (self.heap[0][0], 2) if self.heap else (math.inf, 2)
            if upcoming[who] <= t:
                t, source = upcoming[who], 1
            if changes and changes[0][0] <= t:
                t, source = changes[0][0], 0
            if t > n.days:
                return self
            if source == 0:
                _, s, servers = changes.pop(0)
                self.places[s].capacity = servers
                while self.places[s].waiting and self.places[s].busy < servers:
                    self._serve(s, t)
            elif source == 1:
                k = names.index(who)
                key = derive(derive(derive(self.key, 2), k), counters[who])
                item = self._create(who, key, t, uniform(key, (255 * 8 + TEAM) * 64), None)
                role = self._role(n.kinds[k].arrives_at)
                self.events.append((t, item.serial, self.first[role], "arrived"))
                self._arrive(item, role, t)
                counters[who] += 1
                upcoming[who] = self._next(who, t, counters[who])
            else:
                _, _, number, what, item = heapq.heappop(self.heap)
                if what == "end":
                    self.events.append((t, item.serial, item.station, "ended"))
                    self._finish(item, t)
                elif item.timer == number:
                    self._ring(item, t)

    def _role(self, name: str) -> int:
        return [station.name for station in self.n.stations].index(name)

    def _step(self, item: Item) -> Step:
        return self.n.stations[item.role].steps[item.kind]

    def _at(self, item: Item, what: int) -> int:
        return ((item.loop * 256 + item.role) * 8 + what) * 64

    def _next(self, name: str, t: float, number: int) -> float:
        kind = self.n.kind(name)
        k = [one.name for one in self.n.kinds].index(name)
        work = -math.log(uniform(derive(derive(self.key, 1), k), number))
        if kind.per_day == 0:
            return math.inf
        while True:
            period = int(t / self.n.period)
            while (period + 1) * self.n.period <= t:
                period += 1
            last = period >= len(kind.factors) - 1
            rate = kind.per_day * kind.factors[min(period, len(kind.factors) - 1)]
            if last:
                return t + work / rate if rate > 0 else math.inf
            end = (period + 1) * self.n.period
            if rate > 0 and t + work / rate <= end:
                return t + work / rate
            work -= rate * (end - t)
            t = end

    def _create(self, kind: str, key: int, t: float, share: float, parent: Item | None) -> Item:
        item = Item(kind, key, t, share, self.serials, parent)
        self.serials += 1
        return item

    def _schedule(self, t: float, what: str, item: Item) -> int:
        self.sequence += 1
        heapq.heappush(self.heap, (t, self.sequence, self.sequence, what, item))
        return self.sequence

    def _arrive(self, item: Item, role: int, t: float) -> None:
        station = self.n.stations[role]
        item.role = role
        item.station = self.first[role] + (int(item.share * station.teams) if station.teams > 1 else 0)
        item.entry, item.priority = t, item.kind
        place = self.places[item.station]
        if place.busy < place.capacity:
            self._start(item, t)
            return
        place.waiting.append(item)
        patience = self._step(item).patience
        item.leave = math.inf
        if patience is not None and patience.shape == "fixed":
            item.leave = t + patience.mean
        elif patience is not None:
            item.leave = t - patience.mean * math.log(uniform(item.key, self._at(item, PATIENCE)))
        self._set_timer(item, t)

    def _set_timer(self, item: Item, t: float) -> None:
        at = item.leave
        steps = self.n.stations[item.role].steps
        if item.priority in steps and steps[item.priority].escalates is not None:
            at = min(at, t + steps[item.priority].escalates[0])
        if at < math.inf:
            item.timer = self._schedule(at, "timer", item)

    def _ring(self, item: Item, t: float) -> None:
        if t >= item.leave:
            self.events.append((t, item.serial, item.station, "gave up"))
            self.places[item.station].waiting.remove(item)
            item.timer = -1
            self._gone(item, t)
            return
        self.events.append((t, item.serial, item.station, "escalated"))
        item.priority = self.n.stations[item.role].steps[item.priority].escalates[1]
        item.timer = -1
        self._set_timer(item, t)

    def _start(self, item: Item, t: float) -> None:
        self.places[item.station].busy += 1
        self.waits.append((item.station, item.kind, t - item.entry))
        item.timer = -1
        self._schedule(t + draw(item.key, self._at(item, SERVICE), self._step(item).service), "end", item)

    def _score(self, item: Item, t: float) -> float:
        rule = find_rule(self.n.rule)
        kind, own = self.n.kind(item.priority), self.n.kind(item.kind)
        mean = self.n.stations[item.role].steps[item.priority].service.mean
        s = rule.score(Facts(kind.rank, kind.cost, mean, kind.deadline))
        deadline = own.deadline or 1e18
        value = s.constant + s.per_day_waited * (t - item.entry) - s.per_due * (item.born + deadline)
        return value + s.growth * (1 + (t - item.born) / deadline) ** s.power if s.growth else value

    def _serve(self, s: int, t: float) -> None:
        """The first of each priority by the order of the rule, then the best score, then the longest wait."""
        rule, heads = find_rule(self.n.rule), {}
        for place, item in enumerate(self.places[s].waiting):
            due = item.born + (self.n.kind(item.kind).deadline or 1e18)
            mine = (due if rule.by_due else item.entry, place)
            if item.priority not in heads or mine < heads[item.priority][0]:
                heads[item.priority] = (mine, item)
        best = min((item for _, item in heads.values()), key=lambda i: (-self._score(i, t), i.entry, i.serial))
        self.places[s].waiting.remove(best)
        self._start(best, t)

    def _finish(self, item: Item, t: float) -> None:
        place = self.places[item.station]
        place.busy -= 1
        if place.waiting and place.busy < place.capacity:
            self._serve(item.station, t)
        brings = self._step(item).brings
        if brings is not None:
            at = self._at(item, SPAWN)
            n = 0
            if brings.share >= 1 or uniform(item.key, at) < brings.share:
                n = brings.at_least
                product, i = uniform(item.key, at + 1), 2
                while brings.more > 0 and product > math.exp(-brings.more):
                    n += 1
                    product *= uniform(item.key, at + i)
                    i += 1
            n = n if brings.cap is None else min(n, brings.cap)
            root = derive(item.key, self._at(item, CHILD))
            if brings.wait:
                item.pending = n
            for i in range(n):
                child = self._create(brings.kind, derive(root, i), t, item.share, item if brings.wait else None)
                self._arrive(child, self._role(brings.to), t)
            if n and brings.wait:
                return
        self._move(item, t)

    def _move(self, item: Item, t: float) -> None:
        u, total = uniform(item.key, self._at(item, ROUTE)), 0.0
        for route in self._step(item).then:
            total += route.probability
            if u < total:
                role = self._role(route.to)
                item.loop += role <= item.role
                self._arrive(item, role, t)
                return
        self._gone(item, t)

    def _gone(self, item: Item, t: float) -> None:
        if item.parent is not None:
            item.parent.pending -= 1
            if item.parent.pending == 0:
                self._move(item.parent, t)


def draw(key: int, at: int, duration: Duration) -> float:
    u = uniform(key, at)
    if duration.shape == "fixed":
        return duration.mean
    if duration.shape == "exponential":
        return -duration.mean * math.log(u)
    if duration.shape == "erlang":
        product = 1.0
        for i in range(int(duration.spread)):
            product *= uniform(key, at + i)
        return -duration.mean / duration.spread * math.log(product)
    if duration.shape == "lognormal":
        variance = math.log(1 + duration.spread**2)
        normal = math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * uniform(key, at + 1))
        return math.exp(math.log(duration.mean) - variance / 2 + math.sqrt(variance) * normal)
    cv2 = duration.spread**2
    share = 0.5 * (1 + math.sqrt((cv2 - 1) / (cv2 + 1)))
    share = share if u < share else 1 - share
    return -duration.mean / (2 * share) * math.log(uniform(key, at + 1))
