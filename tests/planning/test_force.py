"""The model of a force: parameters with sources, and answers that move the right way."""

from __future__ import annotations

import subprocess
import sys

import pytest

from safelight.planning import GROWS, Tally, force_network, load_parameters, loads, simulate
from safelight.planning.parameters import RISKS


def run(changes: dict[str, object] | None = None, *, rule: str = "growing", years: float = 1.0, runs: int = 4) -> Tally:
    parameters = load_parameters().with_changes({"referrals.growth": 0, **(changes or {})})
    network = force_network(parameters, years=years, warmup_days=200, rule=rule)
    return simulate(network, replications=runs, processes=1).tally


@pytest.fixture(scope="module")
def base() -> Tally:
    return run()


def test_every_parameter_has_a_unit_a_range_and_a_source() -> None:
    """An assumption that looks like a fact would be believed."""
    rows = load_parameters().rows
    assert len(rows) > 50
    for row in rows.values():
        assert row.unit and row.title and row.source and row.low < row.high, row.id
        assert row.assumed == (row.source == "assumption")
    assert not rows["staff.specialists"].assumed
    assert rows["effort.file"].assumed


def test_the_model_is_stable_as_shipped_and_every_station_works(base: Tally) -> None:
    for name, load in loads(base.network).items():
        assert not load.growing, name
    for station in base.network.stations:
        assert base.utilisation(station.name).mean > 0 or station.servers is None or "back" in station.name  # type: ignore[operator]
    for clock in base.network.clocks:
        for kind in clock.limits:
            found = base.breached(clock.name, kind)
            assert found.low is not None and 0 <= found.low <= found.mean <= found.high <= 1  # type: ignore[operator]


def test_all_devices_against_two(base: Tally) -> None:
    """The question behind the cap: what the cap leaves out, and what the laboratory would need without it."""
    left_out = base.left_out("device.high")
    assert left_out.mean > 500  # type: ignore[operator]
    every = run({"devices.cap": 0})
    assert every.left_out("device.high").mean == 0
    assert every.wait("triage").words == GROWS
    assert base.wait("triage").words == ""


def test_one_pooled_team_waits_less_than_twelve(base: Tally) -> None:
    pooled = run({"teams": 1})
    assert pooled.wait("specialists", "case.very_high").mean < 0.7 * base.wait("specialists", "case.very_high").mean  # type: ignore[operator]


def test_forty_specialists_leave(base: Tally) -> None:
    """The what-if of the issue, from the day on which they leave."""
    fewer = run({"staff.leaving": 40, "staff.leaving_day": 180})
    _, waiting, _ = fewer.series("specialists")
    _, before, _ = base.series("specialists")
    assert waiting[-1] > before[-1] + 100
    assert waiting[50] == before[50]  # day 350 of the run: nobody has left yet, and the cases are the same


def test_the_rule_moves_the_risk() -> None:
    """First come first served lets very high risk wait with the rest; risk only does not."""
    fifo, risk = (run(rule=rule, runs=3) for rule in ("fifo", "risk"))
    at = ("specialists", "case.very_high")
    assert risk.wait(*at).mean < 0.6 * fifo.wait(*at).mean  # type: ignore[operator]


def test_changes_add_and_replace() -> None:
    parameters = load_parameters()
    changed = parameters.with_changes({"staff.desk": "+4", "staff.caid": "-2", "teams": "3", "clock.triage.high": 5})
    assert changed.number("staff.desk") == parameters.number("staff.desk") + 4
    assert changed.number("staff.caid") == 3
    assert changed.number("teams") == 3
    assert [changed.risk("clock.triage", risk) for risk in RISKS] == [7, 5, 28, 28]
    assert parameters.risk("clock.triage", "high") == 14


def test_importing_the_package_does_not_import_numba_or_django() -> None:
    """The command line starts in under a second only so."""
    code = "import sys, safelight.planning as p; p.loads(p.force_network(p.load_parameters())); "
    code += "sys.exit(bool({'numba', 'django'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
