"""Is a network one that can be run? Every fault has a field and a reason."""

from __future__ import annotations

from safelight.planning.errors import PlanningError
from safelight.planning.network import Clock, Network, Station, Step, finite
from safelight.planning.rules import find_rule
from safelight.planning.staffing import team_share


def check(network: Network) -> None:
    """Look at every number and every name.

    Raises:
        PlanningError: a rate is negative, a station that gets work has nobody, a deadline is impossible, a name is
            unknown, probabilities exceed 1, or the run has no length after its warm-up.
    """
    find_rule(network.rule)
    finite("days", network.days, above=True)
    finite("warmup", network.warmup)
    finite("grid", network.grid, above=True)
    finite("period", network.period, above=True)
    if network.warmup >= network.days:
        raise PlanningError("warmup", "it is as long as the whole run.", fix="Make the run longer.")
    kinds = [kind.name for kind in network.kinds]
    stations = [station.name for station in network.stations]
    for what, names, most in (("kinds", kinds, 60), ("stations", stations, 200)):
        if not names or len(names) != len(set(names)) or len(names) > most:
            raise PlanningError(
                what, f"there are none, more than {most}, or two of one name.", fix="Name each one once."
            )
    for station in network.stations:
        _check_station(network, station, kinds)
    if sum(station.teams for station in network.stations) > 1000:
        raise PlanningError("stations", "there are more than 1,000 teams.", fix="Use fewer teams.")
    for kind in network.kinds:
        field = f"kinds.{kind.name}"
        finite(f"{field}.per_day", kind.per_day)
        finite(f"{field}.cost", kind.cost)
        if not kind.factors:
            raise PlanningError(f"{field}.factors", "there is none.", fix="Give at least one.")
        for factor in kind.factors:
            finite(f"{field}.factors", factor)
        if kind.deadline is not None:
            finite(f"{field}.deadline", kind.deadline, above=True)
        if kind.per_day > 0:
            _visit(network, kind.arrives_at, kind.name, f"{field}.arrives_at")
    for clock in network.clocks:
        _check_clock(clock, stations)
        for name, limit in clock.limits.items():
            if name not in kinds:
                raise PlanningError(f"clocks.{clock.name}", f"unknown kind {name!r}.", fix=f"Use {', '.join(kinds)}.")
            finite(f"clocks.{clock.name}.{name}", limit, above=True)
            if limit >= network.days - network.warmup:
                raise PlanningError(
                    f"clocks.{clock.name}.{name}",
                    f"{limit:g} days cannot be judged in {network.days - network.warmup:g} days after the warm-up.",
                    fix="Make the run longer.",
                )
    if len(network.clocks) > 60:
        raise PlanningError("clocks", "there are more than 60.", fix="Use fewer.")
    for at in ("start", "end"):
        taken = [station for clock in network.clocks if clock.at == at for station in clock.stations]
        if len(taken) != len(set(taken)):
            raise PlanningError("clocks", f"two clocks stop at the {at} of one station.", fix="Use one of them.")


def _check_clock(clock: Clock, stations: list[str]) -> None:
    for station in clock.stations:
        if station not in stations:
            raise PlanningError(
                f"clocks.{clock.name}", f"unknown station {station!r}.", fix=f"Use {', '.join(stations)}."
            )
    if not clock.stations or clock.at not in ("start", "end"):
        raise PlanningError(f"clocks.{clock.name}", "it stops nowhere.", fix="Name a station, and start or end.")


def _check_station(network: Network, station: Station, kinds: list[str]) -> None:
    field = f"stations.{station.name}"
    if station.teams < 1:
        raise PlanningError(f"{field}.teams", f"{station.teams} teams.", fix="Give at least one.")
    if station.servers is not None:
        finite(f"{field}.servers", station.servers)
    for day, servers in station.changes:
        finite(f"{field}.changes", day)
        finite(f"{field}.changes", servers)
    if station.staffing is not None:
        staff = station.staffing
        if not staff.posts or staff.posts[0][0] != 0 or len(staff.presence) != 12:
            raise PlanningError(f"{field}.staffing", "posts from day 0 and twelve shares are needed.", fix="Give them.")
        for day, posts in staff.posts:
            finite(f"{field}.staffing.posts", day)
            finite(f"{field}.staffing.posts", posts, high=100_000)
        for share in staff.presence:
            finite(f"{field}.staffing.presence", share, high=1.0)
        finite(f"{field}.staffing.on_duty", staff.on_duty, above=True)
        finite(f"{field}.staffing.leave_rate", staff.leave_rate, high=50.0)
        finite(f"{field}.staffing.vacant_days", staff.vacant_days)
    for name, step in station.steps.items():
        if name not in kinds:
            raise PlanningError(f"{field}.steps", f"unknown kind {name!r}.", fix=f"Use {', '.join(kinds)}.")
        _check_step(network, step, name, f"{field}.{name}")


def _check_step(network: Network, step: Step, name: str, field: str) -> None:
    step.service.check(f"{field}.service")
    total = 0.0
    for route in step.then:
        total += finite(f"{field}.then", route.probability, high=1.0)
        _visit(network, route.to, name, f"{field}.then")
    if total > 1.0 + 1e-9:
        raise PlanningError(
            f"{field}.then", f"the probabilities add up to {total:g}.", fix="Let them add up to 1 at most."
        )
    if step.brings is not None:
        brings = step.brings
        finite(f"{field}.brings.share", brings.share, high=1.0)
        finite(f"{field}.brings.at_least", brings.at_least, high=100)
        finite(f"{field}.brings.more", brings.more, high=25.0)
        if brings.cap is not None:
            finite(f"{field}.brings.cap", brings.cap)
        _visit(network, brings.to, brings.kind, f"{field}.brings")
    if step.patience is not None:
        step.patience.check(f"{field}.patience")
        if step.patience.shape not in ("fixed", "exponential"):
            raise PlanningError(f"{field}.patience", "it is neither fixed nor exponential.", fix="Use one of the two.")
    if step.escalates is not None:
        finite(f"{field}.escalates", step.escalates[0], above=True)
        if step.escalates[1] not in [kind.name for kind in network.kinds]:
            raise PlanningError(f"{field}.escalates", f"unknown kind {step.escalates[1]!r}.", fix="Name a kind.")


def _visit(network: Network, station: str, kind: str, field: str) -> None:
    """Work of this kind must find a step and somebody at the station."""
    found = [other for other in network.stations if other.name == station]
    if not found:
        raise PlanningError(field, f"unknown station {station!r}.", fix="Name a station of the network.")
    if kind not in found[0].steps:
        raise PlanningError(field, f"station {station!r} has no step for {kind!r}.", fix="Add the step.")
    if ever_staffed(found[0]) <= 0:
        raise PlanningError(
            f"stations.{station}.servers", "work comes here and nobody is there.", fix="Give it someone."
        )


def ever_staffed(station: Station) -> float:
    """The most servers or posts that the worst-off team ever has."""
    last = station.teams - 1
    if station.staffing is not None:
        return max(team_share(posts, last, station.teams) for _, posts in station.staffing.posts)
    if station.servers is None:
        return float("inf")
    return max([station.servers, *(servers for _, servers in station.changes)]) // station.teams
