"""What the pages of victim identification read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Case as Switch
from django.db.models import CharField, Count, Exists, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.queries import ClockView, views_of
from safelight.casework.devices.models import Finding
from safelight.casework.devices.queries import Rows
from safelight.casework.identification.feedback import CLOCK
from safelight.casework.identification.models import Feedback, FeedbackFile, FeedbackLine, Lead, Series, Victim

PAGE = 50
MOST_CASES = 100


def key_of(text: str) -> int:
    """A key in an address; 0 for what is none."""
    return int(text) if text.isdecimal() and len(text) <= 15 else 0


def _page(found: Any, before: str) -> Rows:
    if key_of(before):
        found = found.filter(pk__lt=key_of(before))
    rows = list(found.order_by("-pk")[: PAGE + 1])
    return Rows(rows[:PAGE], str(rows[PAGE - 1].pk) if len(rows) > PAGE else "")


def victims(user: Any, *, state: str = "unknown", text: str = "", before: str = "") -> Rows:
    """Children of the material, newest first, with the number of open leads."""
    found = Victim.objects.visible_to(user).select_related("series", "case", "child")
    if state in Victim.State.values:
        found = found.filter(state=state)
    if text:
        found = found.filter(Q(label__icontains=text) | Q(series__name__icontains=text))
    return _page(found.annotate(open_leads=Count("leads", filter=Q(leads__state=Lead.State.OPEN))), before)


def series_page(user: Any, *, text: str = "", before: str = "") -> Rows:
    """Series, newest first, found by name or by the MD5 of a file."""
    found = Series.objects.visible_to(user)
    if text:
        found = found.filter(Q(name__icontains=text) | Q(files__md5=text.lower())).distinct()
    page = _page(found, before)
    files = _counted("files", page.rows)
    children = _counted("victims", page.rows)
    return Rows([(row, files.get(row.pk, 0), children.get(row.pk, 0)) for row in page.rows], page.after)


def _counted(what: str, rows: list[Series]) -> dict[int, int]:
    found = Series.objects.filter(pk__in=[row.pk for row in rows])
    return dict(found.annotate(number=Count(what)).values_list("pk", "number"))


@dataclass(frozen=True)
class SeriesFacts:
    """A series: files by category, the cases that hold one (those the user sees, and how many more), its children.

    Restricted cases that the user does not see are not counted: the number would tell that they exist.
    """

    files: list[tuple[str, int]]
    cases: list[tuple[Case, int]]
    more_cases: int
    victims: list[Victim]


def facts_of(user: Any, series: Series) -> SeriesFacts:
    """What is known of a series. Five queries."""
    files = list(series.files.order_by().values_list("category").annotate(Count("pk")))
    found = Finding.objects.filter(known_good=False, md5__in=series.files.values("md5")).order_by()
    numbers = dict(found.values_list("run__device__case").annotate(Count("md5", distinct=True)))
    seen = list(Case.objects.visible_to(user).filter(pk__in=list(numbers)).order_by("-pk"))
    return SeriesFacts(
        sorted(files),
        [(case, numbers[case.pk]) for case in seen[:MOST_CASES]],
        Case.objects.filter(pk__in=list(numbers), restricted=False).exclude(pk__in=[case.pk for case in seen]).count(),
        list(Victim.objects.visible_to(user).filter(series=series).select_related("child")[:200]),
    )


def leads_of(victim: Victim) -> list[Lead]:
    """The leads to a child, open ones first, newest first."""
    return sorted(
        victim.leads.select_related("owner", "recorded_by"), key=lambda lead: (lead.state != "open", -lead.pk)
    )


def feedback_page(user: Any, *, state: str = "open", kind: str = "", before: str = "") -> Rows:
    """Answers that were told to cases which ``user`` sees, newest first, with their clocks."""
    found = Feedback.objects.visible_to(user).select_related("case__unit", "series", "settled_by")
    if state == "open":
        found = found.filter(settled_at=None)
    elif state == "settled":
        found = found.exclude(settled_at=None)
    if kind in FeedbackLine.Kind.values and kind:
        found = found.filter(kind=kind)
    page = _page(found, before)
    clocks = clocks_of([row.pk for row in page.rows])
    return Rows([(row, clocks.get(row.pk)) for row in page.rows], page.after)


def clocks_of(keys: list[int]) -> dict[int, ClockView]:
    """The clock of each answer, by its key."""
    found = Clock.objects.filter(rule=CLOCK, subject_type="identification.feedback", subject_id__in=keys)
    return {view.clock.subject_id: view for view in views_of(found)}


def as_shown(user: Any, lines: Any) -> Any:
    """Lines with ``shown``, their outcome as ``user`` may know it, and ``known_cases``: of restricted cases that the
    user does not see nothing is told, not even that one was told something."""
    known = Feedback.objects.filter(line=OuterRef("pk")).filter(
        Q(case__restricted=False) | Q(Feedback.objects.visible_to(user).holding("pk"))
    )
    told = FeedbackLine.Outcome.TOLD
    number = known.order_by().values("line").annotate(number=Count("pk")).values("number")
    return lines.annotate(
        shown=Switch(
            When(~Exists(known), outcome=told, then=Value(FeedbackLine.Outcome.NO_CASE)),
            default=F("outcome"),
            output_field=CharField(),
        ),
        known_cases=Coalesce(Subquery(number), 0),
    )


def files(user: Any, *, before: str = "") -> Rows:
    """Imported files, newest first, with how many lines had which outcome."""
    page = _page(FeedbackFile.objects.visible_to(user).select_related("imported_by"), before)
    counts: dict[int, dict[str, int]] = {row.pk: {} for row in page.rows}
    lines = as_shown(user, FeedbackLine.objects.filter(file__in=page.rows)).order_by()
    for file, outcome, number in lines.values_list("file", "shown").annotate(Count("pk")):
        counts[file][outcome] = number
    return Rows([(row, counts[row.pk]) for row in page.rows], page.after)


def lines_of(user: Any, file: FeedbackFile, *, outcome: str = "", after: str = "") -> Rows:
    """The lines of a file in its order, each with the answers that ``user`` may see."""
    found = as_shown(user, file.lines.filter(number__gt=key_of(after)))
    if outcome in FeedbackLine.Outcome.values:
        found = found.filter(shown=outcome)
    rows = list(found.order_by("number")[: PAGE + 1])
    told: dict[int, list[Feedback]] = {}
    for row in Feedback.objects.visible_to(user).filter(line__in=rows).select_related("case"):
        told.setdefault(row.line_id, []).append(row)
    more = str(rows[PAGE - 1].number) if len(rows) > PAGE else ""
    return Rows([(row, told.get(row.pk, [])) for row in rows[:PAGE]], more)


def of_case(case: Case) -> tuple[list[Feedback], list[Victim]]:
    """What the national database answered about a case and the unidentified children of it (at most 100 each)."""
    feedback = list(case.feedback.select_related("settled_by", "series")[:100])
    return feedback, list(case.unidentified_children.select_related("child", "series")[:100])
