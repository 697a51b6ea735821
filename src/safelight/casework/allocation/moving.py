"""Moving many cases at once: one transaction, a few statements however many cases, one ledger entry for each.

All or nothing: when one case cannot move, none does, and the message names which and why. Each move says who is
believed to have the case, so that what another supervisor moved meanwhile is noticed and never moved twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, Subquery
from django.utils import timezone

from safelight.casework.allocation.conflicts import conflicts_of
from safelight.casework.allocation.models import Allocation
from safelight.casework.allocation.queries import skill_title
from safelight.casework.allocation.reasons import REASONS
from safelight.casework.allocation.services import KEPT
from safelight.casework.allocation.weights import points_of_cases
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.cases.chronology import counts
from safelight.casework.cases.models import Case, ChronologyEntry
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.services import fingerprint, record_many
from safelight.casework.supervision.models import hand_over_actions
from safelight.casework.workforce.capacity import absences_on, away_words
from safelight.casework.workforce.models import Accreditation

MOST = 2_000
NAMED = 10


@dataclass(frozen=True)
class Move:
    """One case, who takes it, and who is believed to have it now (None: nobody).

    ``reason`` is the sentence of the suggestion when it was one; otherwise the reason of the whole move is written.
    """

    case: int
    taker: Any
    holder: int | None
    reason: str = ""


@transaction.atomic
def reassign_many(
    actor: Any, moves: Sequence[Move], *, code: str, reason: str, sensitive: bool = False
) -> list[Allocation]:
    """Move all these cases, or none. Their clocks go to the takers in the same transaction.

    Args:
        code: why they move, a code of :data:`REASONS`. reason: in words, for all of them.
        sensitive: the words are for supervisors; the pages of the case say only that there are some.

    Raises:
        NotAllowed: the actor is no supervisor, or a case is not of the unit or not seen.
        NotPossible: a case is closed, or somebody else has it than was believed.
        Invalid: nothing to move, too many, an unknown code, no words, or a taker who is no active investigator, is
            away, lacks the skill, or has a declared conflict of interest.
    """
    need(actor, "allocation.allocate", what="Only supervisors move cases.")
    if code not in REASONS:
        raise Invalid(f"There is no reason {code!r} for moving cases.", fix="Choose one of the list.", field="code")
    text = required_text(reason, field="reason", what="The reason")
    wanted = {move.case: move for move in moves}
    if not wanted:
        raise Invalid("No case was chosen.", fix="Choose at least one.", field="cases")
    if len(wanted) > MOST:
        raise Invalid(f"{len(wanted)} cases at once are too many.", fix=f"Move at most {MOST:,}.", field="cases")
    cases = _locked(actor, wanted)
    holding = {row.case_id: row for row in Allocation.objects.filter(case__in=list(wanted), ended_at=None)}
    _check_holders(cases, wanted, holding)
    _check_takers(cases, wanted)
    return _write(actor, cases, wanted, holding, code, text, sensitive)


def _locked(actor: Any, wanted: dict[int, Move]) -> list[Case]:
    # In the order of their keys, so that two supervisors wait for each other and never for ever.
    cases = list(Case.objects.select_for_update(of=("self",)).filter(pk__in=list(wanted)).order_by("pk"))
    # The set-based form of the rule allocation.allocate: of the supervisor's unit, and seen.
    seen = set(
        Case.objects.visible_to(actor).filter(pk__in=list(wanted), unit=actor.unit_id).values_list("pk", flat=True)
    )
    if set(wanted) - seen:
        raise NotAllowed("You may not move one or more of these cases.", fix="Choose cases of your unit that you see.")
    closed = [case.reference for case in cases if case.status != Case.Status.OPEN]
    if closed:
        raise NotPossible(f"Closed: {_list(closed)}. Nothing was moved.", fix="Leave them out.")
    return cases


def _list(names: list[str]) -> str:
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _check_holders(cases: list[Case], wanted: dict[int, Move], holding: dict[int, Allocation]) -> None:
    changed, same = [], []
    for case in cases:
        live = holding.get(case.pk)
        if (live.investigator_id if live else None) != wanted[case.pk].holder:
            changed.append(case.reference)
        elif live is not None and live.investigator_id == wanted[case.pk].taker.pk:
            same.append(case.reference)
    if changed:
        raise NotPossible(
            f"Moved meanwhile by somebody else: {_list(changed)}. Nothing was moved.", fix="Look at the list again."
        )
    if same:
        raise NotPossible(f"The same person has it already: {_list(same)}. Nothing was moved.", fix="Choose another.")


def _check_takers(cases: list[Case], wanted: dict[int, Move]) -> None:
    takers = {move.taker.pk: move.taker for move in wanted.values()}
    away = absences_on(takers.values())
    for key, taker in takers.items():
        if taker.role != "investigator" or not taker.is_active:
            raise Invalid(f"{taker} is not an active investigator.", fix="Choose another.", field="taker")
        if key in away:
            raise Invalid(f"{taker} is {away_words(away[key])}.", fix="Choose another.", field="taker")
    held = set(Accreditation.objects.in_force().filter(user__in=takers).values_list("user", "skill"))
    lacking: dict[tuple[int, str], list[str]] = defaultdict(list)
    closed = conflicts_of(cases)
    conflicts = []
    for case in cases:
        taker = wanted[case.pk].taker
        if (taker.pk, case.required_skill) not in held:
            lacking[taker.pk, case.required_skill].append(case.reference)
        if (case.pk, taker.pk) in closed:
            conflicts.append(f"{case.reference} ({taker})")
    for (key, skill), references in lacking.items():
        raise Invalid(
            f"{takers[key]} does not hold the skill {skill_title(skill)} that these need: {_list(references)}.",
            fix="Choose somebody who does. Nothing was moved.",
            field="taker",
        )
    if conflicts:
        raise Invalid(
            f"A conflict of interest is declared: {_list(conflicts)}.",
            fix="Choose another. Nothing was moved.",
            field="taker",
        )


def _write(
    actor: Any,
    cases: list[Case],
    wanted: dict[int, Move],
    holding: dict[int, Allocation],
    code: str,
    text: str,
    sensitive: bool,
) -> list[Allocation]:
    now, batch = timezone.now(), uuid4().hex
    keys = [case.pk for case in cases]
    points = points_of_cases(cases)
    Allocation.objects.filter(pk__in=[row.pk for row in holding.values()]).update(
        ended_at=now, end_code=code, end_reason=REASONS[code]
    )
    rows = [
        Allocation(
            case=case,
            investigator=wanted[case.pk].taker,
            allocated_by=actor,
            reason=wanted[case.pk].reason or text,
            suggested=bool(wanted[case.pk].reason),
            sensitive=sensitive,
            points=points[case.pk],
            started_at=now,
        )
        for case in cases
    ]
    try:
        with transaction.atomic():
            made = Allocation.objects.bulk_create(rows, batch_size=500)
    except IntegrityError as error:
        raise NotPossible(
            "Another supervisor gave away one of these cases at the same moment. Nothing was moved.",
            fix="Look at the list again.",
        ) from error
    handed = _hand_over_clocks(keys)
    hand_over_actions(keys)
    _stop_waiting(actor, keys, now)
    meaningful = counts("allocated")
    entries = ChronologyEntry.objects.bulk_create(
        [
            ChronologyEntry(
                case=row.case,
                at=now,
                recorded_at=now,
                kind="allocated",
                meaningful=meaningful,
                text=f"To {row.investigator}. {KEPT if sensitive else row.reason}",
                actor=actor,
            )
            for row in rows
        ],
        batch_size=500,
    )
    record_many(
        actor,
        "allocation.moved",
        (
            (
                row.case,
                {
                    "batch": batch,
                    "of": len(rows),
                    "from": wanted[row.case_id].holder,
                    "investigator": row.investigator_id,
                    "code": code,
                    "suggested": row.suggested,
                    "sensitive": sensitive,
                    "points": row.points,
                    "clocks": handed.get(row.case_id, 0),
                    "entry": entry.pk,
                    "reason": fingerprint(row.reason),
                },
            )
            for row, entry in zip(rows, entries, strict=True)
        ),
    )
    return list(made)


def _hand_over_clocks(keys: list[int]) -> dict[int, int]:
    """The open clocks of the investigator go to who has the case now. By case: how many."""
    clocks = Clock.objects.open().filter(case__in=keys, owner_role="investigator")
    counts: dict[int, int] = dict(clocks.order_by().values_list("case").annotate(n=Count("pk")))
    live = Allocation.objects.filter(case=OuterRef("case"), ended_at=None)
    clocks.update(owner=Subquery(live.values("investigator")[:1]))
    return counts


def _stop_waiting(actor: Any, keys: list[int], now: datetime) -> None:
    """What waited for somebody to have these cases has happened."""
    waiting = Clock.objects.open().filter(
        rule="allocation_to_investigator", subject_type="cases.case", subject_id__in=keys
    )
    stopped = list(waiting.select_for_update(of=("self",)).select_related("case"))
    Clock.objects.filter(pk__in=[clock.pk for clock in stopped]).update(stopped_at=now, stop_reason="Allocated")
    record_many(
        actor,
        "clock.stopped",
        (
            (
                clock,
                {
                    "rule": clock.rule,
                    "subject": clock.subject_label,
                    "stopped_at": now,
                    "late": clock.due_at is not None and now > clock.due_at,
                },
            )
            for clock in stopped
        ),
    )
