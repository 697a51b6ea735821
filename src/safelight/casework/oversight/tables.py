"""What an extract holds, table by table: codes, counts, times, and keys that mean nothing outside this one extract.

A column is (name, where it comes from, kind). Kinds: ``key`` (a record or a person, replaced by a keyed digest whose
key is thrown away), ``text`` (a code of the standards), ``time``, ``date``, ``bool``, ``int``, ``float``. No name, no
reference, no address and no free text is in any of them; tests/casework/oversight holds every column to that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Exists, F, OuterRef, QuerySet, When

SPECIALIST = "ocsae_investigator"
"""The skill that makes a specialist, as inspectors compare them: online child sexual abuse and exploitation."""

Column = tuple[str, str, str]


@dataclass(frozen=True)
class Table:
    """One table of the extract: its name, what a row is, where the rows come from, and its columns."""

    name: str
    row_is: str
    rows: Callable[[], QuerySet[Any]]
    columns: tuple[Column, ...]


def _cases() -> QuerySet[Any]:
    from safelight.casework.cases.models import Case

    return Case.objects.all()


def _referrals() -> QuerySet[Any]:
    from safelight.casework.referrals.models import Referral

    return Referral.objects.all()


def _children() -> QuerySet[Any]:
    from safelight.casework.safeguarding.models import ChildAtRisk

    return ChildAtRisk.objects.all()


def _sent() -> QuerySet[Any]:
    from safelight.casework.safeguarding.models import SafeguardingReferral

    return SafeguardingReferral.children.through.objects.all()  # type: ignore[attr-defined]


def _clocks() -> QuerySet[Any]:
    from safelight.casework.clocks.models import Clock, Hold

    held = Hold.objects.filter(clock=OuterRef("pk"))
    child = Case(When(subject_type="safeguarding.childatrisk", then=F("subject_id")))
    return Clock.objects.filter(not_applicable=False).annotate(was_held=Exists(held), child_id=child)


def _allocations() -> QuerySet[Any]:
    from safelight.casework.allocation.models import Allocation
    from safelight.casework.workforce.models import Accreditation

    day = OuterRef("started_at__date")
    skilled = Accreditation.objects.filter(user=OuterRef("investigator"), skill=SPECIALIST, valid_from__lte=day)
    skilled = skilled.exclude(valid_until__lt=day)
    return Allocation.objects.annotate(had_skill=Exists(skilled))


def _accreditations() -> QuerySet[Any]:
    from safelight.casework.workforce.models import Accreditation

    return Accreditation.objects.all()


def _devices() -> QuerySet[Any]:
    from safelight.casework.devices.models import Device

    return Device.objects.all()


def _runs() -> QuerySet[Any]:
    from safelight.casework.devices.models import TriageRun

    return TriageRun.objects.all()


def _submissions() -> QuerySet[Any]:
    from safelight.casework.submissions.models import Submission

    return Submission.objects.all()


def _reviews() -> QuerySet[Any]:
    from safelight.casework.supervision.models import Review

    return Review.objects.all()


def _detentions() -> QuerySet[Any]:
    from safelight.casework.custody.models import Detention

    return Detention.objects.all()


def _offenders() -> QuerySet[Any]:
    from safelight.casework.offenders.models import Offender

    return Offender.objects.all()


def _audits() -> QuerySet[Any]:
    from safelight.casework.inspection.models import Assessment

    # A plan's audits count once it is closed: until then a grade may still be talked through.
    return Assessment.objects.exclude(finished_at=None).exclude(audit__plan__closed_at=None)


TABLES: tuple[Table, ...] = (
    Table("referrals", "a referral", _referrals, (
        ("referral", "pk", "key"), ("case_key", "case_id", "key"), ("unit", "unit__code", "text"),

        ("source", "source", "text"), ("state", "state", "text"), ("received_at", "received_at", "time"),
        ("recorded_at", "recorded_at", "time"),
        ("live_contact", "live_contact", "bool"), ("high_priority", "high_priority", "bool"),
    )),
    Table("cases", "a case", _cases, (
        ("case_key", "pk", "key"), ("unit", "unit__code", "text"), ("borough", "borough", "text"),
        ("risk", "risk", "text"), ("skill", "required_skill", "text"), ("opened_at", "opened_at", "time"),
        ("closed_at", "closed_at", "time"), ("outcome", "outcome", "text"), ("live_contact", "live_contact", "bool"),
        ("last_action_at", "last_action_at", "time"),
    )),
    Table("children", "a child at risk in a referral or case", _children, (
        ("child", "pk", "key"), ("case_key", "case_id", "key"), ("unit", "case__unit__code", "text"),
        ("borough", "borough", "text"), ("lives_with", "lives_with", "bool"), ("online", "online", "bool"),
        ("immediate_danger", "immediate_danger", "bool"), ("born_year", "person__born__year", "int"),
        ("identified_at", "identified_at", "time"),
    )),
    Table("told", "a child in a referral to children's social care", _sent, (
        ("child", "childatrisk_id", "key"), ("sent_at", "safeguardingreferral__sent_at", "time"),
        ("acknowledged_at", "safeguardingreferral__acknowledged_at", "time"),
        ("decided_at", "safeguardingreferral__decided_at", "time"),
        ("decision", "safeguardingreferral__decision", "text"),
    )),
    Table("clocks", "a clock", _clocks, (
        ("rule", "rule", "text"), ("child", "child_id", "key"), ("case_key", "case_id", "key"),
        ("unit", "unit__code", "text"), ("risk", "risk", "text"),
        ("owner", "owner_id", "key"), ("triggered_at", "triggered_at", "time"), ("due_at", "due_at", "time"),
        ("stopped_at", "stopped_at", "time"), ("held", "was_held", "bool"),
    )),
    Table("allocations", "an investigator's time with a case", _allocations, (
        ("case_key", "case_id", "key"), ("officer", "investigator_id", "key"), ("unit", "case__unit__code", "text"),
        ("started_at", "started_at", "time"), ("ended_at", "ended_at", "time"), ("specialist", "had_skill", "bool"),
    )),
    Table("accreditations", "a skill that somebody holds for a time", _accreditations, (
        ("officer", "user_id", "key"), ("unit", "user__unit__code", "text"), ("skill", "skill", "text"),
        ("valid_from", "valid_from", "date"), ("valid_until", "valid_until", "date"),
    )),
    Table("devices", "a device", _devices, (
        ("device", "pk", "key"), ("case_key", "case_id", "key"), ("unit", "case__unit__code", "text"),
        ("kind", "kind", "text"), ("decision", "decision", "text"), ("seized_at", "seized_at", "time"),
        ("booked_in_at", "booked_in_at", "time"),
    )),
    Table("runs", "a triage run", _runs, (
        ("device", "device_id", "key"), ("unit", "device__case__unit__code", "text"), ("state", "state", "text"),
        ("queued_at", "queued_at", "time"), ("finished_at", "finished_at", "time"),
        ("unread_bytes", "unread_bytes", "int"),
    )),
    Table("submissions", "a submission to the national database", _submissions, (
        ("case_key", "case_id", "key"), ("device", "device_id", "key"), ("unit", "case__unit__code", "text"),
        ("state", "state", "text"), ("written_at", "written_at", "time"), ("sent_at", "sent_at", "time"),
        ("receipted_at", "receipted_at", "time"),
    )),
    Table("detentions", "a child's time in police detention", _detentions, (
        ("detention", "pk", "key"), ("unit", "unit__code", "text"), ("borough", "borough", "text"),
        ("placed", "placed", "text"), ("arrived_at", "arrived_at", "time"), ("charged_at", "charged_at", "time"),
        ("certificate", "certificate", "text"), ("released_at", "released_at", "time"), ("ending", "ending", "text"),
    )),
    Table("offenders", "a registered sex offender", _offenders, (
        ("offender", "pk", "key"), ("unit", "unit__code", "text"), ("officer", "manager_id", "key"),
        ("risk", "risk", "text"), ("management", "management", "text"), ("away", "away", "text"),
        ("registered_at", "registered_at", "time"), ("ended_on", "ended_on", "date"),
        ("visit_due_on", "visit_due_on", "date"), ("attempt_due_on", "attempt_due_on", "date"),
        ("notify_due_on", "notify_due_on", "date"),
    )),
    Table("audits", "a finished assessment of an audited case", _audits, (
        ("audit", "audit_id", "key"), ("unit", "audit__unit__code", "text"), ("stage", "stage", "text"),
        ("scale", "scale", "text"), ("grade", "grade", "text"), ("weight", "audit__weight", "float"),
        ("finished_at", "finished_at", "time"),
    )),
    Table("reviews", "a supervisor's review", _reviews, (
        ("case_key", "case_id", "key"), ("unit", "case__unit__code", "text"), ("reviewed_at", "reviewed_at", "time"),
        ("drifting", "drifting", "bool"),
    )),
)  # fmt: skip


def table(name: str) -> Table:
    """The table of this name. Raises KeyError."""
    return next(one for one in TABLES if one.name == name)
