"""What would fix it: a simulation of the pipeline from referral to outcome.

Start here::

    from safelight.planning import force_network, load_parameters, simulate

    parameters = load_parameters().with_changes({"teams": 1, "staff.specialists": "-40"})
    result = simulate(force_network(parameters, rule="growing"), replications=20)
    result.tally.breached("safeguarding", "case.very_high").text(".1%")

Any other queueing network is a `Network` of `Station`, `Kind` and `Step`. docs/planning-model.md describes the model.
Numba is imported when something is simulated, not before.
"""

from __future__ import annotations

from safelight.planning.errors import PlanningError, SelfCheckError
from safelight.planning.estimate import Estimate
from safelight.planning.force import force_network
from safelight.planning.load import GROWS, loads
from safelight.planning.network import Brings, Clock, Duration, Kind, Network, Route, Staffing, Station, Step
from safelight.planning.parameters import Parameter, Parameters, load_parameters
from safelight.planning.result import Tally, difference
from safelight.planning.rules import RULES, Facts, Score, rule
from safelight.planning.run import Progress, Result, simulate

__all__ = [
    "GROWS", "RULES", "Brings", "Clock", "Duration", "Estimate", "Facts", "Kind", "Network", "Parameter", "Parameters",
    "PlanningError", "Progress", "Result", "Route", "Score", "SelfCheckError", "Staffing", "Station", "Step", "Tally",
    "difference", "force_network", "load_parameters", "loads", "rule", "simulate", "warm_up",
]  # fmt: skip


def warm_up() -> None:
    """Compile the event loop and the repair of allocations, once at installation, so that the first answer is quick."""
    from safelight.planning.allocation import Task, Worker, allocate_all

    allocate_all([Task("", "", 1.0, "", "")], [Worker("", "", "", frozenset({""}), 0.0, 2.0)])
    step = Step(Duration.exponential(1.0))
    network = Network((Kind("case", 0.5, "desk"),), (Station("desk", 1, {"case": step}),), days=20.0)
    simulate(network, replications=1, processes=1)
