"""How a re-review stands: progress, what is late, what was found, as counts and rates with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from safelight.casework.rereview.models import Entry, ReReview
from safelight.casework.rereview.questions import QUESTIONS, UNKNOWN, YES
from safelight.measures.intervals import wilson

SHOWN = 50
STATES = {"": "All", "waiting": "Not answered", "late": "Late", "nobody": "Given to nobody", "harm": "Harm found"}


@dataclass(frozen=True)
class Progress:
    """How many cases, answered, given to nobody, late (the day has passed and there is no answer)."""

    cases: int
    answered: int
    nobody: int
    late: int


@dataclass(frozen=True)
class Found:
    """One kind of harm: how many yes of how many answered, cases whose file does not say, and the rate in words."""

    harm: str
    yes: int
    of: int
    unknown: int
    rate: str


@dataclass(frozen=True)
class Reviewer:
    """One reviewer's part."""

    user: Any
    cases: int
    answered: int
    late: int


def with_progress(rows: Any) -> Any:
    """Annotate counts, for lists."""
    return rows.annotate(
        cases=Count("entries"),
        answered=Count("entries", filter=Q(entries__answered_at__isnull=False)),
        nobody=Count("entries", filter=Q(entries__reviewer=None, entries__answered_at=None)),
    )


def is_late(row: ReReview) -> bool:
    """Whether the day by which every case is answered has passed."""
    return row.closed_at is None and row.due_on < timezone.localdate()


def progress_of(row: ReReview) -> Progress:
    """One query."""
    found = row.entries.aggregate(
        cases=Count("pk"),
        answered=Count("pk", filter=Q(answered_at__isnull=False)),
        nobody=Count("pk", filter=Q(reviewer=None, answered_at=None)),
    )
    return Progress(**found, late=found["cases"] - found["answered"] if is_late(row) else 0)


def results_of(row: ReReview) -> list[Found]:
    """What was found so far. A case whose file does not say counts in the rate as answered, not as free of harm, and is
    named beside it. The last line: cases with any harm at all."""
    answered = Q(answered_at__isnull=False)
    asked: dict[str, Any] = {"n": Count("pk", filter=answered)}
    anything = Q()
    for one in QUESTIONS:
        asked[f"n_{one.field}"] = Count("pk", filter=answered & Q(**{one.field: YES}))
        asked[f"n_{one.field}_unknown"] = Count("pk", filter=answered & Q(**{one.field: UNKNOWN}))
        anything |= Q(**{one.field: YES})
    found = row.entries.aggregate(**asked, n_any=Count("pk", filter=answered & anything))
    total = found["n"]
    made = []
    for one in QUESTIONS:
        yes, unknown = found[f"n_{one.field}"], found[f"n_{one.field}_unknown"]
        made.append(Found(one.harm, yes, total, unknown, _rate(yes, total)))
    return [*made, Found("Any of these", found["n_any"], total, 0, _rate(found["n_any"], total))]


def _rate(yes: int, total: int) -> str:
    return wilson(yes, total).text() if total else "nothing answered yet"


def actions_of(row: ReReview) -> dict[str, int]:
    """How often each action followed."""
    counted = dict(
        row.entries.exclude(answered_at=None).values_list("action").annotate(n=Count("pk")).values_list("action", "n")
    )
    return {str(label): counted.get(code, 0) for code, label in Entry.Action.choices}


def reviewers_of(row: ReReview) -> list[Reviewer]:
    """Who has how many, who answered how many."""
    from safelight.casework.accounts.models import User

    counted = {
        one["reviewer"]: one
        for one in row.entries.exclude(reviewer=None)
        .values("reviewer")
        .annotate(cases=Count("pk"), answered=Count("pk", filter=Q(answered_at__isnull=False)))
    }
    late = is_late(row)
    return [
        Reviewer(
            user, counted[user.pk]["cases"], counted[user.pk]["answered"],
            counted[user.pk]["cases"] - counted[user.pk]["answered"] if late else 0,
        )
        for user in User.objects.filter(pk__in=counted).order_by("name")
    ]  # fmt: skip


def entry_page(
    user: Any, row: ReReview, *, state: str = "", after: int = 0, size: int = SHOWN
) -> tuple[list[Entry], int | None]:
    """Cases of the set that ``user`` may see, by number, and the number after which the next page begins."""
    rows = Entry.objects.visible_to(user).filter(rereview=row, number__gt=after)
    if state in ("waiting", "late"):
        rows = rows.filter(answered_at=None)
        if state == "late" and not is_late(row):
            rows = rows.none()
    elif state == "nobody":
        rows = rows.filter(reviewer=None, answered_at=None)
    elif state == "harm":
        anything = Q()
        for one in QUESTIONS:
            anything |= Q(**{one.field: YES})
        rows = rows.filter(anything, answered_at__isnull=False)
    found = list(rows.select_related("case__unit", "reviewer", "answered_by").order_by("number")[: size + 1])
    return found[:size], found[size - 1].number if len(found) > size else None
