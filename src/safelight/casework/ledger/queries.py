"""What pages read of the ledger. Newest first, by key; no page counts the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet

from safelight.casework.base.standards import standards
from safelight.casework.ledger.models import Category, LedgerEntry, LedgerSeal, Outsider
from safelight.casework.ledger.registry import VERBS, words_for

# What an administrator may read about: nothing here names a case, a person in one, or a referral.
OPERATION = ("accounts.user", "workforce.unit", "workforce.accreditation", "hashsets.hashsetrecord")


@dataclass(frozen=True)
class EntryPage:
    """One page of entries, newest first; ``before`` is the key of the next page, or None."""

    entries: list[LedgerEntry]
    before: int | None = None


@dataclass(frozen=True)
class Line:
    """An entry as a sentence: who did what to which record."""

    entry: LedgerEntry
    words: str

    @property
    def category(self) -> str:
        return str(Category(self.entry.category).label)


def lines(entries: list[LedgerEntry]) -> list[Line]:
    """Entries as sentences."""
    return [Line(entry, _words(entry)) for entry in entries]


def _words(entry: LedgerEntry) -> str:
    """The words of the verb; a clock, which has no reference of its own, is named by its rule and subject."""
    words, payload = words_for(entry.verb), entry.payload
    if entry.subject_type != "clocks.clock" or "rule" not in payload:
        return words
    rule = standards().clocks.get(payload["rule"])
    title = rule.title if rule else payload["rule"]
    return f"{words} “{title}”" + (f" of {payload['subject']}" if payload.get("subject") else "")


def visible_to(user: Any) -> QuerySet[LedgerEntry]:
    """The entries that ``user`` may read.

    A supervisor: those of the cases of the own unit that the supervisor sees. An administrator: the operation of the
    system (accounts, units, hash sets, the ledger itself), never an entry that belongs to a case or names a list.
    Everybody else: none.
    """
    from safelight.casework.cases.models import Case

    if user.role == "supervisor":
        cases = Case.objects.visible_to(user).filter(unit=user.unit)
        return LedgerEntry.objects.filter(case_key__in=cases.values("pk"))
    if user.role == "administrator":
        own = Q(subject_type__in=OPERATION) | Q(subject_type="", category=Category.SYSTEM)
        return LedgerEntry.objects.filter(own, case_key=None)
    return LedgerEntry.objects.none()


def entry_page(
    user: Any,
    *,
    case: Any = None,
    verb: str = "",
    category: str = "",
    actor: int | None = None,
    before: int | None = None,
    size: int = 50,
) -> EntryPage:
    """One page of entries. With ``case`` (which the caller has fetched as visible), all entries of that case."""
    rows = LedgerEntry.objects.filter(case_key=case.pk) if case is not None else visible_to(user)
    if verb in VERBS:
        rows = rows.filter(verb=verb)
    if category in Category.values:
        rows = rows.filter(category=category)
    if actor is not None:
        rows = rows.filter(actor=actor)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    found = list(rows.order_by("-id")[: size + 1])
    return EntryPage(found[:size], found[size - 1].pk if len(found) > size else None)


@dataclass(frozen=True)
class Standing:
    """How the ledger stands: its newest root, the newest verification (an entry's payload), and who outside saw it,
    those first who refuse it or do not answer."""

    seal: LedgerSeal | None
    verification: LedgerEntry | None
    outsiders: list[Outsider]


def standing() -> Standing:
    """Three queries on indexes."""
    return Standing(
        LedgerSeal.objects.order_by("-tree_size").first(),
        LedgerEntry.objects.filter(verb="ledger.verified").order_by("-id").first(),
        sorted(Outsider.objects.all(), key=lambda one: (not one.refused, not one.problem, one.name)),
    )
