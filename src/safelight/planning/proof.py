"""The event loop held against queues whose answer is known exactly: `prove` says how each cell came out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from safelight.planning import closed_forms as exact
from safelight.planning.estimate import Estimate
from safelight.planning.network import Duration, Kind, Network, Route, Station, Step
from safelight.planning.result import Tally
from safelight.planning.run import simulate

NOISY = 6  # times the length for a load above 0.8, where waits hang together for long


@dataclass(frozen=True)
class Cell:
    """One number with its truth."""

    name: str
    truth: float
    read: Callable[[Tally], Estimate]


@dataclass(frozen=True)
class Checked:
    """How one cell came out.

    Args:
        error: share by which the mean is off.
        inside: the truth lies in the 95 % interval; of many cells one in twenty does not, and that is as it should be.
    """

    name: str
    truth: float
    found: Estimate
    error: float
    inside: bool


def cells() -> Iterator[tuple[Network, list[Cell]]]:
    """Every network with its cells; ``days`` is the length that 1,000,000 arrivals take, more where waits are noisy."""
    for servers, load in ((1, 0.5), (1, 0.8), (5, 0.7), (10, 0.9), (20, 0.8), (50, 0.9)):
        truth = exact.mmc_wait(servers, load * servers, 1.0)
        yield _single(
            [load * servers], servers, [Duration.exponential(1.0)], "fifo", [f"M/M/{servers} at {load}"], [truth]
        )
    shapes = (
        (Duration.fixed(1.0), 0.7),
        (Duration.erlang(1.0, 3), 0.7),
        (Duration.exponential(1.0), 0.7),
        (Duration.lognormal(1.0, 0.5), 0.8),
        (Duration.lognormal(1.0, 1.5), 0.6),
        (Duration.hyperexponential(1.0, 2.0), 0.6),
    )
    for shape, load in shapes:
        truth = exact.mg1_wait(load, 1.0, shape.cv2)
        yield _single([load], 1, [shape], "fifo", [f"M/G/1 {shape.shape} {shape.spread:g} at {load}"], [truth])
    for servers, rates in ((10, (1.8, 2.7, 4.5)), (4, (0.8, 1.2, 1.2))):
        names = [f"priority M/M/{servers} class {k + 1}" for k in range(3)]
        yield _single(
            rates, servers, [Duration.exponential(1.0)] * 3, "risk", names, exact.cobham_waits(servers, rates, 1.0)
        )
    two = [Duration.exponential(0.5), Duration.erlang(1.5, 2)]
    yield _single(
        (0.6, 0.3), 1, two, "risk", ["priority M/G/1 class 1", "priority M/G/1 class 2"],
        exact.cobham_single((0.6, 0.3), (0.5, 1.5), (1.0, 0.5)),
    )  # fmt: skip
    for servers, rate, patience in ((10, 12.0, 2.0), (5, 4.5, 0.5)):
        yield _impatient(servers, rate, patience)
    yield _tandem()
    yield _feedback()


def prove(
    arrivals: int = 1_000_000,
    *,
    replications: int = 20,
    seed: int = 1,
    processes: int = 2,
    only: Sequence[str] = (),
) -> Iterator[Checked]:
    """Run every cell, or those named, with so many arrivals in all, divided among the replications."""
    for network, every in cells():
        wanted = [cell for cell in every if not only or cell.name in only]
        if not wanted:
            continue
        days = network.days * arrivals / 1_000_000 / replications
        warmup = max(0.1 * days, 200.0)
        sized = replace(network, days=days + warmup, warmup=warmup, grid=days)
        tally = simulate(sized, replications=replications, seed=seed, processes=processes).tally
        for cell in wanted:
            found = cell.read(tally)
            assert found.mean is not None and found.low is not None and found.high is not None
            error = abs(found.mean - cell.truth) / cell.truth
            yield Checked(cell.name, cell.truth, found, error, found.low <= cell.truth <= found.high)


def _single(
    rates: Sequence[float],
    servers: int,
    services: Sequence[Duration],
    rule: str,
    names: Sequence[str],
    truths: Sequence[float],
) -> tuple[Network, list[Cell]]:
    kinds = tuple(Kind(f"class {k}", rate, "station", rank=k) for k, rate in enumerate(rates))
    steps = {kind.name: Step(service) for kind, service in zip(kinds, services, strict=True)}
    load = sum(rate * service.mean for rate, service in zip(rates, services, strict=True)) / servers
    days = NOISY * 1_000_000 / sum(rates) if load > 0.8 else 1_000_000 / sum(rates)
    network = Network(kinds, (Station("station", servers, steps),), rule=rule, days=days)

    def reader(k: int) -> Callable[[Tally], Estimate]:
        return lambda tally: tally.wait("station", f"class {k}")

    return network, [Cell(name, truth, reader(k)) for k, (name, truth) in enumerate(zip(names, truths, strict=True))]


def _impatient(servers: int, rate: float, patience: float) -> tuple[Network, list[Cell]]:
    step = Step(Duration.exponential(1.0), patience=Duration.exponential(patience))
    network = Network((Kind("case", rate, "station"),), (Station("station", servers, {"case": step}),), days=1e6 / rate)
    waiting, lost = exact.erlang_a(servers, rate, 1.0, patience)
    name = f"Erlang-A {servers} servers, {rate:g} a day"
    return network, [
        Cell(f"{name}: waiting", waiting, lambda tally: tally.waiting("station")),
        Cell(f"{name}: gave up", lost, lambda tally: tally.gave_up("station")),
    ]


def _tandem() -> tuple[Network, list[Cell]]:
    servers, means, rate = (3, 12, 1, 6), (0.25, 1.0, 0.08, 0.5), 10.0
    names = ("desk", "investigation", "laboratory", "review")
    stations = tuple(
        Station(name, servers[i], {"case": Step(Duration.exponential(means[i]), _next(names, i))})
        for i, name in enumerate(names)
    )
    network = Network((Kind("case", rate, "desk"),), stations, days=1e6 / rate)
    truths = exact.jackson_waiting(servers, [rate] * 4, means)
    return network, [_waiting("tandem", name, truth) for name, truth in zip(names, truths, strict=True)]


def _feedback() -> tuple[Network, list[Cell]]:
    """Half of what the second station finishes goes round again: twice the rate at both."""
    stations = (
        Station("first", 4, {"case": Step(Duration.exponential(0.5), (Route("second"),))}),
        Station("second", 1, {"case": Step(Duration.exponential(0.15), (Route("first", 0.5),))}),
    )
    network = Network((Kind("case", 2.5, "first"),), stations, days=4e5)
    truths = exact.jackson_waiting((4, 1), (5.0, 5.0), (0.5, 0.15))
    return network, [_waiting("feedback", name, truth) for name, truth in zip(("first", "second"), truths, strict=True)]


def _next(names: Sequence[str], i: int) -> tuple[Route, ...]:
    return (Route(names[i + 1]),) if i + 1 < len(names) else ()


def _waiting(network: str, station: str, truth: float) -> Cell:
    return Cell(f"Jackson {network}: {station}", truth, lambda tally: tally.waiting(station))
