"""The event loop beside SimPy, on the same network in the same run: `python benchmarks/planning.py`.

One event is an arrival or the end of a service. Four stations, three priority classes, 40 cases a day (14,600 a year).
SimPy is installed into a temporary environment for the comparison and never needed otherwise; `--without-simpy` leaves
it out. `--cells N` holds the event loop against the closed forms instead, with N arrivals for each network (20,000,000
for the full set: minutes). `--whatif` is the planner's question at full size; `--allocation`, `--rounds 60` and
`--backtest 2` measure the rest of planning.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from safelight.planning import (
    Duration,
    Kind,
    Network,
    Route,
    Station,
    Step,
    force_network,
    load_parameters,
    simulate,
    warm_up,
)
from safelight.planning.closed_forms import jackson_waiting
from safelight.planning.proof import prove

SIMPY = "simpy==4.1.1"
NAMES = ("desk", "investigation", "laboratory", "supervision")
SERVERS = (8, 420, 80, 40)
MEANS = (0.18, 10.0, 1.8, 0.9)
RATES = (4.0, 12.0, 24.0)
PEER = """
import json, random, sys, time
import simpy
servers, means, rates, days = json.loads(sys.argv[1])
env = simpy.Environment()
stations = [simpy.PriorityResource(env, capacity=c) for c in servers]
events = 0
def case(k):
    global events
    events += 1
    for station, mean in zip(stations, means):
        with station.request(priority=k) as turn:
            yield turn
            yield env.timeout(random.expovariate(1 / mean))
        events += 1
def source(k, rate):
    while True:
        yield env.timeout(random.expovariate(rate))
        env.process(case(k))
for k, rate in enumerate(rates):
    env.process(source(k, rate))
began, used = time.perf_counter(), time.process_time()
env.run(until=days)
print(json.dumps([events, time.perf_counter() - began, time.process_time() - used]))
"""


def network(days: float) -> Network:
    kinds = tuple(Kind(f"risk {k}", rate, "desk", rank=k) for k, rate in enumerate(RATES))
    stations = tuple(
        Station(
            name,
            SERVERS[i],
            {
                kind.name: Step(Duration.exponential(MEANS[i]), (Route(NAMES[i + 1]),) if i < 3 else ())
                for kind in kinds
            },
        )
        for i, name in enumerate(NAMES)
    )
    return Network(kinds, stations, rule="risk", days=days, warmup=365.0, grid=30.0)


def cpu() -> float:
    """Seconds of processor time of this process and those that it has waited for."""
    own, others = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime


def ours(replications: int, processes: int, days: float) -> tuple[float, float]:
    """Events a second by the clock and by the processor; prints what was run and how it agrees with the closed form."""
    first = 0.0
    began, used = time.perf_counter(), cpu()

    def seen(progress: object) -> None:
        nonlocal first
        if first == 0.0 and progress.done >= 2:  # type: ignore[attr-defined]
            first = time.perf_counter() - began

    tally = simulate(network(days), replications=replications, processes=processes, on_progress=seen).tally
    spent = time.perf_counter() - began
    rate, lean = tally.events / spent, tally.events / (cpu() - used)
    print(
        f"ours, {processes} process{'es' if processes > 1 else ''}: {tally.events:,} events in {spent:.1f} s"
        f" = {rate / 1e6:.2f} M events/s ({lean / 1e6:.2f} M a processor-second); first interval after {first:.1f} s"
    )
    if processes > 1:
        truths = jackson_waiting(SERVERS, [sum(RATES)] * 4, MEANS)
        for name, truth in zip(NAMES, truths, strict=True):
            print(f"    waiting at {name}: {tally.waiting(name).text('.4f')}, closed form {truth:.4f}")
    return rate, lean


def force(replications: int) -> None:
    """The model of a force itself, with 14,600 referrals and four times the shipped staff, over ten years."""
    parameters = load_parameters()
    rows = [name for name in parameters.rows if name.startswith("staff.") and parameters.rows[name].unit == "posts"]
    four = {name: 4 * parameters.number(name) for name in (*rows, "laboratory.machines", "visits.offenders")}
    network = force_network(
        parameters.with_changes({**four, "referrals.per_year": 14_600, "referrals.growth": 0}), years=10
    )
    began = time.perf_counter()
    tally = simulate(network, replications=replications, processes=2).tally
    spent = time.perf_counter() - began
    print(
        f"the force model, {replications} replications x 10 years: {tally.events:,} events in {spent:.1f} s"
        f" = {tally.events / spent / 1e6:.2f} M events/s; 1,000 would take {1000 / replications * spent:.0f} s"
    )


def simpy(days: float) -> tuple[float, float]:
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", "--disable-pip-version-check", SIMPY], check=True)
        given = json.dumps([SERVERS, MEANS, RATES, days])
        found = subprocess.run([python, "-c", PEER, given], check=True, capture_output=True, text=True)
    events, spent, used = json.loads(found.stdout)
    print(
        f"SimPy: {events:,} events in {spent:.1f} s = {events / spent / 1e6:.4f} M events/s"
        f" ({events / used / 1e6:.4f} M a processor-second)"
    )
    return events / spent, events / used


def cells(arrivals: int) -> int:
    checked = []
    for one in prove(arrivals, replications=40, processes=2):
        checked.append(one)
        mark = "" if one.inside else "outside"
        print(f"{one.name:<42} {one.truth:8.4f}  {one.found.text('.4f'):<30} {one.error:6.2%} {mark}", flush=True)
    outside = sum(not one.inside for one in checked)
    worst = max(one.error for one in checked)
    print(f"{len(checked)} cells, {outside} outside their 95 % interval, largest error {worst:.2%}")
    return outside


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--without-simpy", action="store_true")
    parser.add_argument("--years", type=float, default=10.0)
    parser.add_argument("--replications", type=int, default=60)
    parser.add_argument("--cells", type=int, default=0)
    parser.add_argument("--whatif", action="store_true", help="1,000 replications x 10 years x 14,600 cases a year")
    parser.add_argument("--allocation", action="store_true", help="5,000 cases x 500 investigators")
    parser.add_argument("--rounds", type=float, default=0.0, metavar="SECONDS", help="100 visits, against a long run")
    parser.add_argument("--backtest", type=int, default=0, metavar="RUNS", help="the forecast on synthetic forces")
    given = parser.parse_args()
    if given.cells:
        sys.exit(cells(given.cells) > 5)
    warm_up()
    if given.allocation or given.rounds or given.backtest:
        from _planning_more import allocation, forecast, rounds

        if given.allocation:
            allocation()
        if given.rounds:
            rounds(given.rounds)
        if given.backtest:
            forecast(given.backtest)
        return
    if given.whatif:
        ours(1000, 2, 365.25 * 10 + 365.0)
        force(40)
        return
    days = 365.25 * given.years
    ours(max(2, given.replications // 4), 1, days)
    rate, lean = ours(given.replications, 2, days)
    if not given.without_simpy:
        peer, lean_peer = simpy(365.25)
        print(f"ratio: {rate / peer:.0f}x SimPy by the clock on 2 processes, {lean / lean_peer:.0f}x by processor time")


if __name__ == "__main__":
    main()
