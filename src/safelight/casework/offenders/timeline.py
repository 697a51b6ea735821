"""The life of an offender's record as one line of time, latest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from safelight.casework.offenders.models import Offender
from safelight.standards.working_calendar import start_of_day

MOST = 120


def timeline_of(offender: Offender, before: datetime | None = None) -> list[dict[str, Any]]:
    """What happened, latest first, as the macro ``timeline`` takes it; at most :data:`MOST`."""
    found = [*_visits(offender), *_notified(offender), *_days(offender), *_words(offender)]
    if before is not None:
        found = [one for one in found if one["at"] < before]
    return sorted(found, key=lambda one: one["at"], reverse=True)[:MOST]


def _visits(offender: Offender) -> list[dict[str, Any]]:
    made = []
    for one in offender.visits.select_related("recorded_by").prefetch_related("officers")[:MOST]:
        told = f"announced ({one.announced})" if one.announced else "unannounced"
        with_whom = ", ".join(str(user) for user in one.officers.all())
        extra = [f"by {with_whom}"] if with_whom else []
        extra += [f"with {one.joint_with}"] if one.joint_with else []
        extra += ["devices checked"] if one.devices_checked else []
        title = "Visit: seen" if one.outcome == "successful" else "Visit: NOT seen"
        made.append({"title": f"{title}, {told}", "by": one.recorded_by, "at": one.at,
                     "text": f"{one.text} ({'; '.join(extra)})" if extra else one.text})  # fmt: skip
    return made


def _notified(offender: Offender) -> list[dict[str, Any]]:
    made = []
    for one in offender.notifications.select_related("recorded_by")[:MOST]:
        said = [f"At {one.place}{', in person' if one.in_person else ''}"]
        said += ["identity seen"] if one.identity_seen else []
        said += [f"about {one.event_on:%d %b %Y}"] if one.event_on else []
        said += [f"due by {one.due_on:%d %b %Y}: {'LATE' if one.late else 'in time'}"] if one.due_on else []
        text = "; ".join(said) + "." + (f" {one.changed}" if one.changed else "")
        made.append({"title": one.get_kind_display(), "by": one.recorded_by, "at": one.at, "text": text})
    return made


def _days(offender: Offender) -> list[dict[str, Any]]:
    made = []
    for level in offender.risklevels.select_related("recorded_by")[:MOST]:
        made.append({"title": f"Risk: {level.get_level_display().lower()}", "by": level.recorded_by,
                     "at": start_of_day(level.on), "text": level.source})  # fmt: skip
    for stay in offender.absences.select_related("recorded_by")[:MOST]:
        kind = stay.get_kind_display()
        made.append({"title": f"Away: {kind.lower()}", "by": stay.recorded_by, "at": start_of_day(stay.begins),
                     "text": stay.note})  # fmt: skip
        if stay.ends:
            made.append({"title": f"Back from: {kind.lower()}", "by": stay.recorded_by, "at": start_of_day(stay.ends),
                         "text": ""})  # fmt: skip
    for plan in offender.plans.select_related("recorded_by")[:MOST]:
        made.append({"title": f"Plan: a visit {plan.words}", "by": plan.recorded_by, "at": plan.recorded_at,
                     "text": plan.actions})  # fmt: skip
    return made


def _words(offender: Offender) -> list[dict[str, Any]]:
    made = [
        {"title": one.get_kind_display(), "by": one.recorded_by, "at": one.at, "text": one.text}
        for one in offender.events.select_related("recorded_by")[:MOST]
    ]
    made += [
        {"title": f"Decided after {one.failed} failed visits: {one.get_step_display().lower()}", "by": one.recorded_by,
         "at": one.recorded_at, "text": one.reason}
        for one in offender.decisions.select_related("recorded_by")[:MOST]
    ]  # fmt: skip
    made += [
        {"title": "Named in a referral" if one.certain else "Possibly named in a referral", "by": "Safelight",
         "at": one.found_at, "text": one.get_how_display()}
        for one in offender.namings.all()[:MOST]
    ]  # fmt: skip
    return made
