"""What the pages of notices read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError
from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from safelight.casework.base.prepared import prepared
from safelight.casework.clocks.models import Clock
from safelight.casework.notices.kinds import KINDS, SEVERITIES
from safelight.casework.notices.models import Letter, Notice

MOST = 99
PAGES = {
    "cases.case": "cases:detail",
    "clocks.clock": "cases:clocks",
    "referrals.referral": "referrals:detail",
    "safeguarding.childatrisk": "safeguarding:child",
    "safeguarding.safeguardingreferral": "safeguarding:sent",
    "devices.device": "devices:detail",
    "submissions.submission": "submissions:detail",
}
# A clock that hangs on no case leads to what its reference names.
BY_PREFIX = {
    "CU": "custody:detail",
    "SD": "safeguarding:strategy",
    "EN": "safeguarding:enquiry",
    "PP": "safeguarding:protection",
}


def address_of(notice: Notice) -> str:
    """Where a notice leads: the page of its kind, of its subject, or of its case; "" where there is none."""
    case = notice.case.reference if notice.case_id else ""
    page = notice.what.page or PAGES.get(notice.subject_type, "")
    named = BY_PREFIX.get(notice.about.partition("-")[0], "")
    if named == "custody:detail" and notice.user.role != "custody_officer":
        return reverse("custody:index")  # others see the list
    tried = [(page, case if page.startswith("cases:") else notice.about), ("cases:detail", case), (named, notice.about)]
    for name, reference in tried:
        if name and reference:
            try:
                return reverse(name, kwargs={"reference": reference})
            except NoReverseMatch:
                continue
    try:
        return reverse(page) if page else ""  # a page of no record, such as one's own or a list
    except NoReverseMatch:
        return ""


@dataclass(frozen=True)
class Filters:
    """The filters of the page of notices, as they stand in the address; unknown values were dropped."""

    state: str = ""
    severity: str = ""
    kind: str = ""

    def chosen(self) -> dict[str, str]:
        """The filters in use."""
        made = {"state": self.state, "severity": self.severity, "kind": self.kind}
        return {name: value for name, value in made.items() if value}


@dataclass(frozen=True)
class NoticePage:
    """One page, newest first; ``before`` is the key of the next page, or None."""

    rows: list[tuple[Notice, str, str]]
    before: int | None = None


def kinds_of(severity: str) -> list[str]:
    """The codes of the kinds of one severity."""
    return [code for code, kind in KINDS.items() if kind.severity == severity]


def notice_page(user: Any, filters: Filters, *, before: int | None = None, size: int = 50) -> NoticePage:
    """The notices of ``user``, newest first, each with where it leads and which clock it is about."""
    found = Notice.objects.visible_to(user)
    if filters.state:
        found = found.filter(read_at__isnull=filters.state == "unread")
    if filters.severity in SEVERITIES:
        found = found.filter(kind__in=kinds_of(filters.severity))
    if filters.kind:
        found = found.filter(kind=filters.kind)
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.select_related("case").order_by("-pk")[: size + 1])
    more = rows[size - 1].pk if len(rows) > size else None
    named = titles_of(rows[:size])
    return NoticePage([(row, address_of(row), named.get(row.pk, "")) for row in rows[:size]], more)


def titles_of(notices: list[Notice]) -> dict[int, str]:
    """Which clock a notice is about, in the words of its rule; one query."""
    about = {row.pk: row.subject_id for row in notices if row.subject_type == "clocks.clock"}
    clocks = Clock.objects.in_bulk([key for key in about.values() if key is not None]) if about else {}
    return {pk: clocks[key].title for pk, key in about.items() if key in clocks}


def unread_count(user: Any, most: int = MOST) -> int:
    """How many notices ``user`` has not read, counted up to ``most`` + 1. It stands on every page."""
    kept = getattr(user, "remembered_keys", {})  # My work says it, and the head of the page again
    if ("unread", most) not in kept:
        restricted = _unread(user, most + 1)
        # One's own all are seen: who may see which case, the longest question, is not asked.
        kept["unread", most] = len(_unread_and_seen(user, most + 1) if any(restricted) else restricted)
    return int(kept["unread", most])


@prepared
def _unread(user: Any, most: int) -> Any:
    return Notice.objects.filter(user=user).unread().values_list("case__restricted", flat=True)[:most]


@prepared
def _unread_and_seen(user: Any, most: int) -> Any:
    return Notice.objects.visible_to(user).unread().values_list("pk", flat=True)[:most]


def unread_for_header(user: Any) -> int:
    """As :func:`unread_count`, for the head of every page: 0 where it cannot be read, as on an error page."""
    if user is None or not user.is_authenticated:
        return 0
    try:
        return unread_count(user)
    except DatabaseError:
        return 0


def unread_alerts(user: Any, most: int = MOST) -> int:
    """How many alerts ``user`` has not read, counted up to ``most`` + 1."""
    found = Notice.objects.visible_to(user).unread().filter(kind__in=kinds_of("alert"))
    return len(found.values_list("pk", flat=True)[: most + 1])


@dataclass(frozen=True)
class Outbox:
    """How the letters stand: how many wait, since when, and those that were tried in vain."""

    waiting: int
    oldest: Any
    sent_today: int
    stuck: list[Letter]


def outbox() -> Outbox:
    """The outbox for whoever runs the machine: addresses and faults, no word of what a letter is about."""
    waits = Letter.objects.filter(next_try_at__isnull=False)
    first = waits.select_related("notice").order_by("pk").first()
    since = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    tried = waits.filter(~Q(fault="")).select_related("notice__user").order_by("-tries", "pk")
    return Outbox(
        waits.count(),
        first.notice.at if first else None,
        Letter.objects.filter(sent_at__gte=since).count(),
        list(tried[:50]),
    )
