"""Setting a case's review group, deciding to keep or erase it, holding, and erasing. The only writers."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.cases.models import Case
from safelight.casework.devices.models import TriageRun
from safelight.casework.fleet.models import FirstLook
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.models import Person
from safelight.casework.retention.erasing import erase_rows
from safelight.casework.retention.models import Decision, Erasure, Hold, Schedule
from safelight.casework.retention.queries import hold_on
from safelight.casework.retention.reach import Rows, rows_of_case
from safelight.casework.search.models import NameTerm
from safelight.casework.search.names import learn_later, terms_of
from safelight.casework.search.sealed import bearers
from safelight.casework.submissions.models import Submission


def years_after(day: date, years: int) -> date:
    """The same day so many years later; of 29 February, 28 February where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


@transaction.atomic
def set_group(actor: Any, case: Case, *, group: str) -> Schedule:
    """Set the review group of a closed case; its first review follows from the standards.

    Raises:
        NotAllowed; NotPossible: it is open; the force has not set the years; Invalid: no such group.
    """
    must(actor, "retention.propose", case, what="set the review group of this case")
    case = _closed(case)
    if group not in Schedule.Group.values:
        raise Invalid("There is no such group.", fix="Choose from the list.", field="group")
    setting = standards().policy[f"retention_review_years_{group}"]
    if not setting.is_set:
        raise NotPossible(
            "The force has not set after how many years this group is reviewed.",
            fix=f"Somebody sets [policy.{setting.id}] in the force's standards file.",
        )
    years = int(setting.value)
    assert case.closed_at is not None
    review_on = years_after(timezone.localdate(case.closed_at), years)
    row, _ = Schedule.objects.update_or_create(
        case=case,
        defaults={"group": group, "grouped_by": actor, "grouped_at": timezone.now(), "review_on": review_on},
    )
    record(actor, "retention.grouped", case, payload={"group": group, "review_on": str(review_on)})
    return row


@transaction.atomic
def propose(actor: Any, case: Case, *, outcome: str, reason: str, keep_until: date | None = None) -> Decision:
    """Propose to keep a case until a day, or to erase it. Somebody else approves.

    Raises:
        NotAllowed; NotPossible: open, erased, without a group, proposed already; Invalid: outcome, day, reason.
    """
    must(actor, "retention.propose", case, what="propose how long this case is kept")
    case = _closed(case)
    schedule = Schedule.objects.select_for_update().filter(case=case).first()
    if schedule is None:
        raise NotPossible("This case has no review group yet.", fix="Set its group first.")
    if Decision.objects.filter(case=case, approved=None).exists():
        raise NotPossible("A proposal waits for approval already.", fix="Have it approved or refused first.")
    if outcome not in Decision.Outcome.values:
        raise Invalid("There is no such decision.", fix="Choose from the list.", field="outcome")
    keep = outcome == Decision.Outcome.KEEP
    if keep and (keep_until is None or not timezone.localdate() < keep_until <= date(2200, 1, 1)):
        raise Invalid("The next review must be a day to come.", fix="Give a later day.", field="keep_until")
    if not keep:
        _nothing_holds(case)
    row = Decision.objects.create(
        case=case,
        outcome=outcome,
        reason=required_text(reason, field="reason", what="The reason"),
        keep_until=keep_until if keep else None,
        proposed_by=actor,
        proposed_at=timezone.now(),
    )
    record(
        actor,
        "retention.proposed",
        case,
        payload={"decision": row.reference, "outcome": outcome, "keep_until": str(keep_until) if keep else None,
                 "reason": fingerprint(row.reason)},
    )  # fmt: skip
    return row


@transaction.atomic
def settle(actor: Any, decision: Decision, *, approve: bool) -> Decision:
    """Approve or refuse somebody else's proposal. An approved erasure happens at once.

    Raises:
        NotAllowed: not a chief officer, or the same person; NotPossible: settled already, or a hold stands.
    """
    must(actor, "retention.approve", decision, what="settle this proposal: somebody other than its author must")
    row = Decision.objects.select_for_update().select_related("case").get(pk=decision.pk)
    if row.approved is not None:
        raise NotPossible("This proposal is settled already.", fix="Make a new one.")
    row.approved, row.approved_by, row.approved_at = approve, actor, timezone.now()
    row.save(update_fields=["approved", "approved_by", "approved_at"])
    record(actor, "retention.approved" if approve else "retention.refused", row.case,
           payload={"decision": row.reference, "outcome": row.outcome})  # fmt: skip
    if approve and row.outcome == Decision.Outcome.KEEP:
        Schedule.objects.filter(case=row.case).update(review_on=row.keep_until)
    elif approve:
        erase(actor, row)
    return row


def erase(actor: Any, decision: Decision) -> Erasure:
    """Take the content of a case out of every table, and leave the tombstone: in the transaction of :func:`settle`.

    Raises:
        NotPossible: it is open again, or a hold stands.
    """
    case = _closed(decision.case)
    _nothing_holds(case)
    rows = rows_of_case(case)
    _forget_names(rows.get(Person, set()))
    folders = _folders(rows)
    counts, nonce, digest = erase_rows(rows)
    made = Erasure.objects.create(decision=decision, at=timezone.now(), rows=counts, nonce=nonce, digest=digest)
    Schedule.objects.filter(case=case).update(erased_at=made.at)
    record(actor, "retention.erased", case, category=Category.ERASURE,
           payload={"decision": decision.reference, "rows": counts, "digest": digest})  # fmt: skip
    transaction.on_commit(lambda: _remove(folders))
    return made


@transaction.atomic
def place_hold(actor: Any, case: Case | None, *, kind: str, reason: str) -> Hold:
    """Stop every erasure of a case, or of all cases.

    Raises:
        NotAllowed; Invalid: kind or reason.
    """
    if case is None:
        must(actor, "retention.hold_all", what="hold the erasure of every case")
    else:
        must(actor, "retention.hold", case, what="place a hold on this case")
    if kind not in Hold.Kind.values:
        raise Invalid("There is no such kind.", fix="Choose from the list.", field="kind")
    row = Hold.objects.create(
        case=case, kind=kind, reason=required_text(reason, field="reason", what="The reason"),
        placed_by=actor, placed_at=timezone.now(),
    )  # fmt: skip
    record(actor, "retention.held", case or row, payload={"hold": row.reference, "kind": kind,
                                                         "reason": fingerprint(row.reason)})  # fmt: skip
    return row


@transaction.atomic
def lift_hold(actor: Any, hold: Hold, *, reason: str) -> Hold:
    """End a hold. Raises NotAllowed; NotPossible: it is lifted already; Invalid: no reason."""
    must(actor, "retention.lift", what="lift a hold on erasure")
    row = Hold.objects.select_for_update().get(pk=hold.pk)
    if row.lifted_at:
        raise NotPossible("This hold is lifted already.", fix="There is nothing to do.")
    row.lifted_why = required_text(reason, field="reason", what="The reason")
    row.lifted_by, row.lifted_at = actor, timezone.now()
    row.save(update_fields=["lifted_why", "lifted_by", "lifted_at"])
    record(actor, "retention.lifted", row.case or row,
           payload={"hold": row.reference, "reason": fingerprint(row.lifted_why)})  # fmt: skip
    return row


def _closed(case: Case) -> Case:
    case = Case.objects.select_for_update().get(pk=case.pk)
    if case.status != Case.Status.CLOSED:
        raise NotPossible(f"{case.reference} is open: it is kept.", fix="Close it first.")
    if Schedule.objects.filter(case=case, erased_at__isnull=False).exists():
        raise NotPossible(f"The content of {case.reference} was erased.", fix="There is nothing left to decide.")
    return case


def _nothing_holds(case: Case) -> None:
    hold = hold_on(case)
    if hold is not None:
        raise NotPossible(
            f"{hold.reference} ({hold.get_kind_display().lower()}) stops the erasure.", fix="A chief officer lifts it."
        )


def _forget_names(people: set[int]) -> None:
    """Names that only these people bear leave the list that misspelt ones are looked for in."""
    going: set[str] = set()
    for person in Person.objects.filter(pk__in=people):
        going |= terms_of(person.given_names, person.family_name)
    NameTerm.objects.filter(term__in=going).delete()
    for term in going:
        # Whoever else bears it teaches it anew.
        for other in bearers(term).exclude(pk__in=people).iterator(chunk_size=50):
            if term in terms_of(other.given_names, other.family_name):
                learn_later(other)
                break


def _folders(rows: Rows) -> list[Path]:
    found: list[str] = []
    for model, name in ((TriageRun, "report_folder"), (FirstLook, "report_folder"), (Submission, "path")):
        found += model.objects.filter(pk__in=rows.get(model, set())).values_list(name, flat=True)
    top = Path(settings.DATA).resolve()
    paths = [Path(text) if Path(text).is_absolute() else top / text for text in found if text]
    return [path for path in paths if top in path.resolve().parents]


def _remove(paths: list[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
