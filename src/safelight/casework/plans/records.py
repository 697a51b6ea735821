"""The force's own records as parameters of the model, with where each comes from. Counts and dates only, no case."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.allocation.queries import qualified
from safelight.casework.cases.models import Case
from safelight.casework.referrals.models import Referral
from safelight.planning.errors import PlanningError
from safelight.planning.forecast import Forecast, forecast_open
from safelight.planning.parameters import RISKS, load_parameters
from safelight.planning.records import LEAST, Recorded, counted, mean_of, per_year, share, share_ever

WINDOW = timedelta(days=730)
HISTORY = timedelta(days=1461)  # of openings and closings, for the forecast
SPECIALIST = "ocsae_investigator"
YOUNG = timedelta(days=90)  # a case opened since may still bring devices and children


@dataclass(frozen=True)
class FromRecords:
    """What the records say. ``found`` is by parameter, or by parameter and risk ('devices.seized.high')."""

    found: dict[str, Recorded]
    source: str
    remarks: list[str] = field(default_factory=list)

    def changes(self) -> dict[str, Any]:
        """Changes that put the records in place of what is shipped; the mix of risks goes in whole or not at all."""
        known = {name: one.value for name, one in self.found.items() if one.value is not None}
        mix = {risk: known.pop(f"referrals.mix.{risk}", None) for risk in RISKS}
        made: dict[str, Any] = {name: round(value, 6) for name, value in known.items()}
        if all(value is not None for value in mix.values()):
            made["referrals.mix"] = mix
        return _within(made)

    def as_toml(self) -> str:
        """A file of scenarios for `safelight plan`, in which each number says what it rests on."""
        lines = ["# The force as its own records say it.", f"# {self.source}.", *(f"# {one}" for one in self.remarks)]
        lines += ['title = "From our own records"', "", "[changes]"]
        for name, value in self.changes().items():
            rests = [one for key, one in self.found.items() if key == name or key.startswith(f"{name}.")]
            how = "; ".join(f"{one.text}, n = {one.n}" for one in rests)
            lines.append(f"# {rests[0].how}: {how}")
            table = ", ".join(f"{risk} = {one:g}" for risk, one in value.items()) if isinstance(value, dict) else ""
            lines.append(f'"{name}" = {{ {table} }}' if table else f'"{name}" = {value:g}')
        return "\n".join(lines) + "\n"

    def rows(self) -> list[Any]:
        """Every parameter beside what the records say, for a page."""
        return [_row(parameter, self.found) for parameter in load_parameters().rows.values()]


def from_records(now: datetime | None = None) -> FromRecords:
    """Estimates from the last two years of this installation. About ten queries, whatever the number of cases."""
    until = now or timezone.now()
    since = until - WINDOW
    first = Referral.objects.filter(received_at__gte=since).aggregate(first=Min("received_at"))["first"]
    source = f"Records from {since:%d %B %Y} to {until:%d %B %Y}, open cases counted as open"
    if first is None:
        return FromRecords({}, source, ["There is no referral in the records: nothing can be estimated from them."])
    remarks = []
    days = max((until - first).total_seconds() / 86400, 1.0)
    if days < 365:
        remarks.append(f"The records reach back {days:.0f} days only: season and growth cannot be seen in them.")
    found = {**_referrals(since, days), **_cases(since, until), **_people()}
    few = [name for name, one in found.items() if one.value is None]
    if few:
        remarks.append(f"{len(few)} of {len(found)} rest on fewer than {LEAST} records and stay as shipped.")
    return FromRecords(found, source, remarks)


def open_cases_ahead(now: datetime | None = None) -> Forecast | str:
    """How many cases will be open in twelve weeks, or why nobody can say."""
    until = now or timezone.now()
    rows = list(Case.objects.filter(opened_at__gte=until - HISTORY).values_list("opened_at", "closed_at"))
    origin = until - HISTORY
    opened = [(start - origin).total_seconds() / 86400 for start, _ in rows]
    closed = [math.nan if end is None else (end - origin).total_seconds() / 86400 for _, end in rows]
    try:
        return forecast_open(opened, closed, now=HISTORY.total_seconds() / 86400)
    except PlanningError as error:
        return str(error)


def _referrals(since: datetime, days: float) -> dict[str, Recorded]:
    rows = Referral.objects.filter(received_at__gte=since)
    became = rows.exclude(case=None).count()
    ended = became + rows.filter(case=None, state="closed").count()
    how = f"Referrals received in {days:.0f} days"
    found = {"referrals.per_year": per_year(rows.count(), days, how)}
    kept = share(became, ended, "Referrals that became a case, of those that ended; the same for every risk")
    return found | {f"referrals.kept.{risk}": kept for risk in RISKS}


def _cases(since: datetime, until: datetime) -> dict[str, Recorded]:
    rows = list(
        Case.objects.filter(opened_at__gte=since, risk__in=RISKS)
        .annotate(
            kids=Count("children", distinct=True),
            things=Count("devices", distinct=True),
            looks=Count("reviews", distinct=True),
            seized=Min("devices__seized_at"),
        )
        .values("risk", "opened_at", "closed_at", "kids", "things", "looks", "seized")
    )
    by_risk: dict[str, list[Any]] = defaultdict(list)
    for row in rows:
        by_risk[row["risk"]].append(row)
    counts = Counter(row["risk"] for row in rows)
    found = {}
    for risk in RISKS:
        settled = [row for row in by_risk[risk] if row["closed_at"] or row["opened_at"] < until - YOUNG]
        closed = [row for row in by_risk[risk] if row["closed_at"]]
        found[f"referrals.mix.{risk}"] = share(counts[risk], len(rows), "Cases opened, by the risk that they have now")
        found[f"referrals.children.{risk}"] = mean_of(
            [row["kids"] for row in settled], "Children at risk, of cases closed or older than 90 days"
        )
        found[f"supervision.reviews.{risk}"] = mean_of([row["looks"] for row in closed], "Reviews, of closed cases")
        lasts, has = [], []
        for row in by_risk[risk]:
            until_when = row["seized"] or row["closed_at"] or until
            lasts.append(max((until_when - row["opened_at"]).total_seconds() / 86400, 0.0))
            has.append(row["seized"] is not None)
        found[f"devices.seized.{risk}"] = _seized(lasts, has, [row["closed_at"] is not None for row in by_risk[risk]])
    some = [row["things"] for row in rows if row["things"]]
    found["devices.per_case"] = mean_of(some, "Devices, of cases that have any")
    return found


def _seized(lasts: list[float], has: list[bool], closed: list[bool]) -> Recorded:
    """A case closed without a device will never have one: it is known for all time, not censored."""
    ever = max(lasts, default=0.0) + 1.0
    days = [ever if shut and not yes else length for length, yes, shut in zip(lasts, has, closed, strict=True)]
    return share_ever(days, has, "Cases with devices seized; open cases without are counted as not known yet")


def _people() -> dict[str, Recorded]:
    special = qualified(SPECIALIST)
    active = User.objects.filter(is_active=True)
    roles = dict(active.values_list("role").annotate(n=Count("pk")).order_by())
    units = {row.user.unit_id for row in special.values() if row.user.unit_id}
    found = {
        "staff.specialists": counted(len(special), "Active investigators who hold the skill"),
        "staff.generalists": counted(roles.get("investigator", 0) - len(special), "Other active investigators"),
        "staff.desk": counted(roles.get("referral_desk", 0), "Active accounts of the desk"),
        "staff.supervisors": counted(roles.get("supervisor", 0), "Active supervisors"),
        "staff.examiners": counted(roles.get("examiner", 0), "Active examiners"),
    }
    if units:
        found["teams"] = counted(len(units), "Units with at least one of them")
    return found


def _within(changes: dict[str, Any]) -> dict[str, Any]:
    """Without what lies outside the range that the model accepts; the page of parameters shows it all the same."""
    kept: dict[str, Any] = {}
    for name, value in changes.items():
        try:
            load_parameters().with_changes({name: value})
        except PlanningError:
            continue
        kept[name] = value
    return kept


def _row(parameter: Any, found: dict[str, Recorded]) -> dict[str, Any]:
    value = parameter.value
    levels = [f"{parameter.id}.{risk}" for risk in RISKS]
    if isinstance(value, float):
        shipped, mine = f"{value:g}", [found[parameter.id]] if parameter.id in found else []
        recorded = mine[0].text if mine else ""
    elif isinstance(value, tuple):
        shipped, mine, recorded = " ".join(f"{one:g}" for one in value), [], ""
    else:
        shipped = " / ".join(f"{value[risk]:g}" for risk in RISKS)
        mine = [found[name] for name in levels if name in found]
        recorded = " / ".join(one.text for one in mine)
    how = f"{mine[0].how} (n = {' / '.join(str(one.n) for one in mine)})" if mine else ""
    return {
        "id": parameter.id, "title": parameter.title, "unit": parameter.unit, "source": parameter.source,
        "shipped": shipped, "recorded": recorded, "how": how,
    }  # fmt: skip
