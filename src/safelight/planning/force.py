"""The model of a force as a network: from a referral to the outcome, with devices, supervision and visits beside it.

    desk -> allocation -> specialists (teams) or generalists: enquiries -> warrant -> [devices] -> file -> supervision
    devices: triage -> imaging -> examination -> CAID
    beside it: supervision reviews, visits to registered sex offenders

docs/planning-model.md says what each part stands for and what it leaves out.
"""

from __future__ import annotations

from collections.abc import Mapping

from safelight.planning.errors import PlanningError
from safelight.planning.network import Brings, Clock, Duration, Kind, Network, Route, Staffing, Station, Step
from safelight.planning.parameters import RISKS, Parameters
from safelight.planning.staffing import YEAR

HOURS = YEAR * 24
MONTH = YEAR / 12
INVESTIGATORS = ("specialists", "generalists")


def force_network(
    parameters: Parameters, *, years: float = 3.0, warmup_days: float = 365.0, rule: str = "growing"
) -> Network:
    """The network of a force.

    Args:
        years: the length of what is answered about; the warm-up, with the rates of its first month, comes before it.

    Raises:
        PlanningError: the parameters contradict each other, or see `safelight.planning.check`.
    """
    mix = sum(parameters.risk("referrals.mix", risk) for risk in RISKS)
    if abs(mix - 1.0) > 1e-6:
        raise PlanningError("referrals.mix", f"the shares add up to {mix:g}.", fix="Let them add up to 1.")
    if parameters.number("teams") % 1:
        raise PlanningError("teams", "a part of a team.", fix="Give a whole number.")
    days = warmup_days + years * YEAR
    build = _Force(parameters, days, warmup_days)
    return Network(
        kinds=tuple(build.kinds()),
        stations=tuple(build.stations()),
        clocks=(
            Clock("safeguarding", ("desk",), build.limits("case", "clock.safeguarding")),
            Clock("investigator", INVESTIGATORS, build.limits("case", "clock.investigator"), at="start"),
            Clock("triage", ("triage",), build.limits("device", "clock.triage")),
            Clock("file", INVESTIGATORS, build.limits("file", "clock.file")),
        ),
        rule=rule,
        days=days,
        warmup=warmup_days,
        period=MONTH,
        grid=7.0,
    )


class _Force:
    def __init__(self, parameters: Parameters, days: float, warmup: float) -> None:
        self.p, self.days, self.warmup = parameters, days, warmup

    def limits(self, what: str, name: str) -> Mapping[str, float]:
        return {f"{what}.{risk}": self.p.risk(name, risk) for risk in RISKS}

    # ---- kinds of work

    def kinds(self) -> list[Kind]:
        p = self.p
        season, growth = p.months("referrals.season"), p.number("referrals.growth")
        # Growth begins where the answer begins; the warm-up has the season alone.
        begins = self.warmup / MONTH
        factors = tuple(
            season[month % 12] * (1.0 + growth) ** (max(0.0, month + 0.5 - begins) / 12)
            for month in range(int(self.days / MONTH) + 1)
        )
        found = []
        for rank, risk in enumerate(RISKS):
            cost = p.risk("cost.case", risk)
            per_day = p.number("referrals.per_year") / YEAR * p.risk("referrals.mix", risk)
            limit = p.risk("clock.investigator", risk)
            found.append(Kind(f"case.{risk}", per_day, "desk", factors, limit, rank, cost))
            found.append(Kind(f"file.{risk}", deadline=p.risk("clock.file", risk), rank=rank, cost=cost))
            device = cost * p.number("cost.device")
            found.append(Kind(f"device.{risk}", deadline=p.risk("clock.triage", risk), rank=rank, cost=device))
        visits = p.number("visits.offenders") * p.number("visits.per_offender") / YEAR
        covered = p.number("visits.by_investigators")
        other, limit = p.number("cost.other"), p.number("clock.visit")
        found.append(Kind("review", deadline=p.number("clock.review"), rank=2, cost=other))
        found.append(Kind("visit", visits * (1 - covered), "offender_managers", deadline=limit, rank=2, cost=other))
        found.append(Kind("covered_visit", visits * covered, "specialists", deadline=limit, rank=2, cost=other))
        return found

    # ---- stations

    def stations(self) -> list[Station]:
        p = self.p
        every = [(risk, f"case.{risk}") for risk in RISKS]
        desk = {
            case: Step(self._effort("effort.desk", risk, HOURS), (Route("allocation", p.risk("referrals.kept", risk)),))
            for risk, case in every
        }
        allocation = {case: self._allocated(risk) for risk, case in every}
        specialists = {
            **{case: self._enquiries("specialists", risk, 1.0) for risk, case in every},
            **{f"file.{risk}": Step(self._effort("effort.file", risk)) for risk in RISKS},
            "covered_visit": Step(self._effort("effort.visit")),
        }
        factor = p.number("effort.generalist_factor")
        generalists = {case: self._enquiries("generalists", risk, factor) for risk, case in every}
        generalists |= {f"file.{risk}": Step(self._effort("effort.file", risk, factor=factor)) for risk in RISKS}
        supervision = {case: Step(self._effort("effort.closing")) for _, case in every}
        supervision["review"] = Step(self._effort("effort.review"))
        devices = [f"device.{risk}" for risk in RISKS]
        return [
            self._people("desk", "staff.desk", desk, HOURS),
            self._people("allocation", "staff.allocation", allocation),
            self._people("specialists", "staff.specialists", specialists, teams=int(p.number("teams"))),
            self._people("generalists", "staff.generalists", generalists),
            *(
                Station(f"{who}.{name}", None, {case: step(who, risk) for risk, case in every})
                for who in INVESTIGATORS
                for name, step in (("warrant", self._warrant), ("devices_back", self._back))
            ),
            self._people("supervision", "staff.supervisors", supervision),
            self._people(
                "triage", "staff.triage", self._devices(devices, "effort.triage", "imaging", "devices.to_laboratory")
            ),
            Station("imaging", int(p.number("laboratory.machines")), self._imaging(devices)),
            self._people(
                "examination",
                "staff.examiners",
                self._devices(devices, "effort.examination", "caid", "devices.to_caid"),
            ),
            self._people("caid", "staff.caid", {name: Step(self._effort("effort.caid")) for name in devices}),
            self._people("offender_managers", "staff.offender_managers", {"visit": Step(self._effort("effort.visit"))}),
        ]

    def _people(
        self, name: str, posts: str, steps: Mapping[str, Step], open_hours: float | None = None, teams: int = 1
    ) -> Station:
        """A station of people: posts become servers on duty through the hours that each gives and that it is open."""
        p = self.p
        presence = p.months("staff.presence")
        mean = sum(presence) / 12
        if mean <= 0:
            raise PlanningError("staff.presence", "nobody is ever present.", fix="Give shares above 0.")
        hours = open_hours or p.number("staff.open_hours_per_year")
        count = p.number(posts)
        when: list[tuple[float, float]] = [(0.0, count)]
        leaving = p.number("staff.leaving")
        if name == "specialists" and leaving > 0:
            if leaving > count:
                raise PlanningError("staff.leaving", f"{leaving:g} of {count:g} specialists.", fix="Give fewer.")
            when.append((self.warmup + p.number("staff.leaving_day"), count - leaving))
        staffing = Staffing(
            tuple(when),
            on_duty=p.number("staff.hours_per_year") / hours / mean,
            presence=presence,
            leave_rate=p.number("staff.leave_rate"),
            vacant_days=p.number("staff.vacant_days"),
        )
        return Station(name, 0, steps, teams=teams, staffing=staffing)

    def _effort(self, name: str, risk: str = "", open_hours: float | None = None, factor: float = 1.0) -> Duration:
        """Hours of work as days on the calendar: a station that is open 2,000 hours a year needs 4.4 times as long."""
        hours = self.p.risk(name, risk) if risk else self.p.number(name)
        opened = open_hours or self.p.number("staff.open_hours_per_year")
        days = max(hours, 1e-6) * factor / 24 * HOURS / opened
        return Duration.lognormal(days, self.p.number("effort.cv"))

    # ---- steps

    def _allocated(self, risk: str) -> Step:
        share = self.p.risk("skill.generalist_share", risk)
        routes = (Route("generalists", share), Route("specialists", 1.0 - share))
        reviews = Brings("review", "supervision", at_least=0, more=self.p.risk("supervision.reviews", risk), wait=False)
        return Step(self._effort("effort.allocation"), tuple(r for r in routes if r.probability > 0), reviews)

    def _enquiries(self, who: str, risk: str, factor: float) -> Step:
        patience, after = self.p.risk("patience.case", risk), self.p.risk("escalation.after", risk)
        higher = RISKS[max(0, RISKS.index(risk) - 1)]
        return Step(
            self._effort("effort.enquiries", risk, factor=factor),
            (Route(f"{who}.warrant"),),
            patience=Duration.exponential(patience) if patience > 0 else None,
            escalates=(after, f"case.{higher}") if after > 0 and higher != risk else None,
        )

    def _warrant(self, who: str, risk: str) -> Step:
        p = self.p
        cap = int(p.number("devices.cap"))
        devices = Brings(
            f"device.{risk}",
            "triage",
            share=p.risk("devices.seized", risk),
            more=p.number("devices.per_case") - 1.0,
            cap=cap if cap > 0 else None,
        )
        days = max(p.number("warrant.days"), 1e-6)
        return Step(Duration.lognormal(days, p.number("effort.cv")), (Route(f"{who}.devices_back"),), devices)

    def _back(self, who: str, risk: str) -> Step:
        """The file is work of its own, so that it can have its own priority; the case waits for it."""
        return Step(Duration.fixed(0.0), (Route("supervision"),), Brings(f"file.{risk}", who))

    def _devices(self, kinds: list[str], effort: str, to: str, share: str) -> Mapping[str, Step]:
        step = Step(self._effort(effort), (Route(to, self.p.number(share)),))
        return dict.fromkeys(kinds, step)

    def _imaging(self, kinds: list[str]) -> Mapping[str, Step]:
        hours = max(self.p.number("effort.imaging"), 1e-6)
        return dict.fromkeys(
            kinds, Step(Duration.lognormal(hours / 24, self.p.number("effort.cv")), (Route("examination"),))
        )
