"""Which cases a re-review takes: by unit, officer, time, outcome, a new hash list, or a list of references."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Exists, OuterRef, Q

from safelight.casework.allocation.models import Allocation
from safelight.casework.base.errors import Invalid
from safelight.casework.cases.models import Case
from safelight.standards.working_calendar import end_of_day, start_of_day

MOST = 2_000
_REFERENCE = re.compile(r"C-\d{6,15}")


@dataclass(frozen=True)
class Criteria:
    """What a set is chosen by; everything given has to hold. ``references`` alone is a set of its own.

    Args:
        officer: who had the case at any time.
        first, last: of the day on which the case was closed (open cases: opened).
        hash_set: cases with a device in which a newer list knows files that the run did not report.
    """

    unit: Any = None
    officer: Any = None
    first: date | None = None
    last: date | None = None
    outcome: str = ""
    status: str = "closed"
    hash_set: Any = None
    references: tuple[str, ...] = ()

    def as_data(self) -> dict[str, Any]:
        """As the ledger and the row keep it: codes and keys, no names."""
        made = {
            "unit": self.unit.code if self.unit else None, "officer": self.officer.pk if self.officer else None,
            "first": self.first.isoformat() if self.first else None,
            "last": self.last.isoformat() if self.last else None, "outcome": self.outcome or None,
            "status": self.status, "hash_set": self.hash_set.pk if self.hash_set else None,
            "references": len(self.references) or None,
        }  # fmt: skip
        return {name: value for name, value in made.items() if value is not None}


def references_in(text: str) -> tuple[str, ...]:
    """The references of cases in a text, each once, in order.

    Raises:
        Invalid: a line holds something else, or there are too many.
    """
    found: dict[str, None] = {}
    for line in text.replace(",", "\n").replace(";", "\n").splitlines():
        word = line.strip().upper()
        if not word:
            continue
        if _REFERENCE.fullmatch(word) is None:
            raise Invalid(
                f"{word[:40]!r} is not a reference of a case.", fix="Write them like C-000123.", field="references"
            )
        found[word] = None
    if len(found) > MOST:
        raise Invalid(f"A set holds at most {MOST:,} cases.", fix="Split it.", field="references")
    return tuple(found)


def chosen_cases(actor: Any, criteria: Criteria) -> list[Case]:
    """The cases of the set, by reference, among those that ``actor`` may see.

    Raises:
        Invalid: nothing to choose by, no case, too many, or a reference that ``actor`` may not see.
    """
    rows = Case.objects.visible_to(actor)
    if criteria.references:
        keys = [Case.key_of(one) for one in criteria.references]
        found = list(rows.filter(pk__in=keys).order_by("pk"))
        missing = sorted(set(criteria.references) - {one.reference for one in found})
        if missing:
            raise Invalid(
                f"There is no case {missing[0]} that you may see ({len(missing)} in all).",
                fix="Take them off the list, or ask who may see them.", field="references",
            )  # fmt: skip
        return found
    if criteria.status in ("open", "closed"):
        rows = rows.filter(status=criteria.status)
    if criteria.unit is not None:
        rows = rows.filter(unit=criteria.unit)
    if criteria.officer is not None:
        rows = rows.filter(Exists(Allocation.objects.filter(case=OuterRef("pk"), investigator=criteria.officer)))
    if criteria.first is not None:
        begin = start_of_day(criteria.first)
        rows = rows.filter(Q(closed_at__gte=begin) | Q(closed_at=None, opened_at__gte=begin))
    if criteria.last is not None:
        end = end_of_day(criteria.last)
        rows = rows.filter(Q(closed_at__lte=end) | Q(closed_at=None, opened_at__lte=end))
    if criteria.outcome:
        rows = rows.filter(outcome=criteria.outcome)
    if criteria.hash_set is not None:
        from safelight.casework.hashsets.models import RecheckHit

        hits = RecheckHit.objects.filter(recheck__hash_set=criteria.hash_set, files__gt=0)
        rows = rows.filter(pk__in=hits.values("run__device__case"))
    found = list(rows.order_by("pk")[: MOST + 1])
    if not found:
        raise Invalid("No case that you may see fits.", fix="Widen the set.")
    if len(found) > MOST:
        raise Invalid(f"More than {MOST:,} cases fit.", fix="Narrow the set, by time for example.")
    return found


def worked_on(cases: Any) -> dict[int, set[int]]:
    """For each case who worked on it, so that nobody examines the own work again."""
    from safelight.casework.cases.models import ChronologyEntry

    keys = [case.pk for case in cases]
    made: dict[int, set[int]] = {key: set() for key in keys}
    pairs = [
        *Allocation.objects.filter(case__in=keys).values_list("case", "investigator"),
        *Allocation.objects.filter(case__in=keys).values_list("case", "allocated_by"),
        *ChronologyEntry.objects.filter(case__in=keys).exclude(actor=None).values_list("case", "actor").distinct(),
        *Case.objects.filter(pk__in=keys).values_list("pk", "opened_by"),
        *Case.objects.filter(pk__in=keys).exclude(closed_by=None).values_list("pk", "closed_by"),
    ]
    for case, user in pairs:
        made[case].add(user)
    return made
