"""What stands at the head of every page of a case: tags, who has it, and the banners that must not be missed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils import timezone

from safelight.casework.cases.chronology import title_of
from safelight.casework.cases.tabs import tabs_for
from safelight.casework.clocks.models import Hold
from safelight.casework.devices.models import EvidenceImage, TriageRun


@dataclass(frozen=True)
class Banner:
    """A banner: kind (information, warning, error), a title, a sentence, and where to act."""

    kind: str
    title: str
    text: str
    href: str = ""
    link: str = ""


@dataclass(frozen=True)
class Header:
    """The head of a case page."""

    investigator: Any
    banners: list[Banner] = field(default_factory=list)
    tabs: list[tuple[str, str, bool]] = field(default_factory=list)


def header_of(case: Any, user: Any, tab: str) -> Header:
    """The head of the page ``tab`` of ``case`` as ``user`` sees it. At most seven queries."""
    investigator = case.investigator
    banners = []
    if case.live_contact:
        banners.append(_live_contact(case, user))
    if case.status == "open" and investigator is None:
        banners.append(_unallocated(case, user))
    banners += _offenders(case, user)
    banners += _holds(case)
    banners += _unread_parts(case)
    if case.restricted:
        banners.append(
            Banner("information", "Restricted", "Only the people named on its access list and its investigator see it.")
        )
    if case.status == "closed":
        banners.append(Banner("information", "Closed", f"This case was closed on {_day(case.closed_at)}."))
    return Header(investigator, banners, tabs_for(case, user, tab))


def _day(moment: Any) -> str:
    local = timezone.localtime(moment)
    return f"{local.day} {local:%b %Y}"


def _time(moment: Any) -> str:
    return f"{_day(moment)}, {timezone.localtime(moment):%H:%M}"


def _live_contact(case: Any, user: Any) -> Banner:
    found = case.chronology.filter(kind="live_contact_found").select_related("actor").first()
    text = "A suspect is in contact with a child now. This comes before every clock."
    if found:
        by = found.actor or "Safelight"
        text = f"{text} Recorded by {by} on {_time(found.at)}: {found.text}"
    may = user.has_perm("cases.live_contact", case)
    href = reverse("cases:live_contact", kwargs={"reference": case.reference}) if may else ""
    return Banner("error", "Live contact with a child", text, href, "Record that the contact has ended" if may else "")


def _unallocated(case: Any, user: Any) -> Banner:
    since = case.allocations.order_by("-ended_at").values_list("ended_at", flat=True).first() or case.opened_at
    may = user.has_perm("allocation.allocate", case)
    href = reverse("allocation:allocate", kwargs={"reference": case.reference}) if may else ""
    text = f"No investigator has had this case since {_time(since)}."
    return Banner("error", "Unallocated", text, href, "Give it to an investigator" if may else "")


def _offenders(case: Any, user: Any) -> list[Banner]:
    """Registered sex offenders in the case, with who manages them; the entry is for those who see the register."""
    from safelight.casework.offenders.models import Offender
    from safelight.casework.offenders.queries import offenders_in

    found = offenders_in(case=case)
    if not found:
        return []
    mine = set(
        Offender.objects.visible_to(user).filter(pk__in=[row.pk for row, _ in found]).values_list("pk", flat=True)
    )
    made = []
    for row, sure in found:
        who = f"manager {row.manager}" if row.manager else "managed by nobody yet"
        href = reverse("offenders:detail", args=[row.reference]) if row.pk in mine else ""
        text = f"A person in this case {'is' if sure else 'may be'} {row.reference}: {who}, {row.unit}."
        title = "Registered sex offender" if sure else "Possibly a registered sex offender"
        made.append(Banner("warning", title, text, href, "Open the entry" if href else ""))
    return made


def _holds(case: Any) -> list[Banner]:
    holds = (
        Hold.objects.filter(clock__case=case, clock__stopped_at=None, lifted_at=None, expires_at__gt=timezone.now())
        .select_related("clock", "supervisor")
        .order_by("expires_at")[:10]
    )
    return [
        Banner(
            "warning",
            f"On hold until {_time(hold.expires_at)}",
            f"{hold.clock.title} ({hold.clock.subject_label}), held by {hold.supervisor}: {hold.reason} "
            "The clock runs on.",
        )
        for hold in holds
    ]


def _unread_parts(case: Any) -> list[Banner]:
    """Devices whose newest run of some image left parts unread, or could not read it at all."""
    newest = TriageRun.objects.filter(image=OuterRef("pk")).order_by("-id").values("state")[:1]
    states = list(
        EvidenceImage.objects.filter(device__case=case)
        .annotate(newest=Subquery(newest))
        .filter(newest__in=["unread_parts", "failed"])
        .values_list("newest", "device__exhibit")
    )
    if not states:
        return []
    parts = sorted({exhibit for state, exhibit in states if state == "unread_parts"})
    failed = sorted({exhibit for state, exhibit in states if state == "failed"})
    said = []
    if parts:
        said.append(f"Parts of {', '.join(parts)} were not read.")
    if failed:
        said.append(f"{', '.join(failed)} could not be read at all.")
    said.append("What was not read may hold anything.")
    return [Banner("warning", "Unread parts", " ".join(said))]


def last_action_words(kind: str, at: Any) -> str:
    """ "Arrest, 3 Nov 2026"; empty when there was none."""
    return f"{title_of(kind)}, {_day(at)}" if kind and at else ""
