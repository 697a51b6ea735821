"""The product's navigation, as data: who sees which room."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

ALL: frozenset[str] = frozenset()
"""Everyone who is signed in."""


@dataclass(frozen=True)
class Item:
    """One link: its text, the name of its page, the roles that see it (ALL: everyone signed in), and its group.

    Items of one group stand behind one link of the first row and beside each other in the second. A group of which a
    person sees one item only is that item.
    """

    text: str
    page: str
    roles: frozenset[str] = ALL
    group: str = ""


WORKS = frozenset({"referral_desk", "investigator", "supervisor", "examiner"})
EXAMINE = frozenset({"examiner", "investigator", "supervisor", "chief_officer"})
INSPECTS = frozenset({"auditor", "chief_officer", "supervisor"})
OVERSEES = frozenset({"chief_officer", "auditor", "supervisor"})
READS = WORKS | {"offender_manager", "auditor", "chief_officer"}

OFFENDERS = frozenset({"offender_manager", "supervisor", "chief_officer"})

NAVIGATION = (
    Item("My work", "work:home"),
    Item("Referral desk", "referrals:desk", frozenset({"referral_desk", "supervisor"})),
    Item("This morning", "supervision:morning", frozenset({"supervisor"}), "Supervision"),
    Item("Supervisor's board", "supervision:board", frozenset({"supervisor"}), "Supervision"),
    Item("Handing over", "allocation:handing_over", frozenset({"supervisor"}), "Supervision"),
    Item("Cases", "cases:index", READS, "Cases"),
    Item("Live contact", "cases:live", READS, "Cases"),
    Item("Clocks", "clocks:index", READS, "Cases"),
    Item("Victims to be told", "victims:index", READS, "Cases"),
    Item("People", "people:index", READS, "Cases"),
    Item("Possible links", "people:links", frozenset({"referral_desk", "investigator", "supervisor"}), "Cases"),
    Item("My offenders", "offenders:mine", frozenset({"offender_manager"}), "Offenders"),
    Item("Register", "offenders:index", OFFENDERS, "Offenders"),
    Item("Offenders per officer", "offenders:officers", OFFENDERS, "Offenders"),
    Item("Visits due", "offenders:rounds", frozenset({"offender_manager", "supervisor"}), "Offenders"),
    Item("Devices", "devices:index", EXAMINE, "Devices"),
    Item("Forensic queue", "fleet:forensic_queue", EXAMINE, "Devices"),
    Item("All devices", "fleet:index", EXAMINE, "Devices"),
    Item("Submissions", "submissions:index", EXAMINE, "Devices"),
    Item("Time to submission", "submissions:timeliness", EXAMINE, "Devices"),
    Item("Agreement of graders", "submissions:agreement", EXAMINE, "Devices"),
    Item("Unidentified children", "identification:index", EXAMINE | {"auditor"}, "Devices"),
    Item("National answers", "identification:feedback_list", EXAMINE | {"auditor"}, "Devices"),
    Item("Hash sets", "hashsets:index", frozenset({"examiner", "supervisor", "administrator"}), "Exchange"),
    *(
        Item(text, f"exchange:{page}", frozenset({"exchange_manager", "supervisor", "administrator"}), "Exchange")
        for text, page in (
            ("Platforms", "index"),
            ("Matches", "hits"),
            ("Banks", "banks"),
            ("Reports", "reports"),
            ("Takedown notices", "notices"),
            ("Availability cut", "availability"),
        )
    ),
    Item(
        "Children in custody", "custody:index", frozenset({"custody_officer", "supervisor", "chief_officer"}), "Custody"
    ),
    Item("Figures", "custody:figures", frozenset({"custody_officer", "supervisor", "chief_officer"}), "Custody"),
    Item("Audits", "inspection:index", INSPECTS, "Inspection"),
    Item("Sent back", "inspection:sent_back", INSPECTS - {"chief_officer"} | {"investigator"}, "Inspection"),
    Item("Review and erasure", "retention:index", INSPECTS, "Cases"),
    Item("Recommendations", "recommendations:index", INSPECTS | {"administrator"}, "Inspection"),
    Item("Clocks in figures", "inspection:clocks", INSPECTS, "Inspection"),
    Item("Control charts", "inspection:control", INSPECTS, "Inspection"),
    Item("What a specialist does", "inspection:outcomes", INSPECTS - {"supervisor"}, "Inspection"),
    Item("Published figures", "inspection:published", INSPECTS | {"administrator"}, "Inspection"),
    Item("Skills", "workforce:index", frozenset({"supervisor", "administrator"}), "Force"),
    Item("Skills audit", "workforce:audit", frozenset({"supervisor", "administrator", "chief_officer"}), "Force"),
    Item("Welfare", "workforce:welfare", frozenset({"supervisor"}), "Force"),
    Item("Conflicts of interest", "allocation:conflicts", WORKS, "Force"),
    Item(
        "Break-glass access",
        "breakglass:index",
        frozenset({"referral_desk", "investigator", "supervisor", "offender_manager", "chief_officer", "auditor"}),
        "Force",
    ),
    Item("About me", "workforce:me", WORKS | {"offender_manager", "custody_officer"}, "Force"),
    Item("Oversight", "oversight:index", OVERSEES, "Oversight"),
    Item("Open questions", "oversight:questions", OVERSEES, "Oversight"),
    Item("Public reports", "oversight:reports", OVERSEES, "Oversight"),
    Item("Plans", "plans:index", frozenset({"supervisor", "administrator", "chief_officer"}), "Force"),
    Item(
        "Re-reviews", "rereview:index", frozenset({"investigator", "supervisor", "chief_officer", "auditor"}), "Force"
    ),
    Item("Ledger", "ledger:index", frozenset({"supervisor"}), "Force"),
    Item("Standards", "standards_page", group="Force"),
    Item("Shared with you", "sharing:inbox", frozenset({"partner"})),
    Item("Agencies", "sharing:agencies", frozenset({"administrator"}), "Administration"),
    Item("Accounts", "accounts:index", frozenset({"administrator"}), "Administration"),
    Item("Ledger", "ledger:index", frozenset({"administrator"}), "Administration"),
    Item("Outbox", "notices:outbox", frozenset({"administrator"}), "Administration"),
)


@dataclass(frozen=True)
class Place:
    """An item with its address, and whether the page shown is it (current) or inside it (active)."""

    item: Item
    href: str
    current: bool
    active: bool


def _places(request: HttpRequest) -> list[Place]:
    """What this user may open; empty for someone who is not signed in.

    A page that does not exist (its app is not part of this installation) has no place.
    """
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    role = getattr(user, "role", "")
    made: list[Place] = []
    for item in NAVIGATION:
        if item.roles and role not in item.roles:
            continue
        try:
            href = reverse(item.page)
        except NoReverseMatch:
            continue
        here = request.path == href
        made.append(Place(item, href, current=here, active=href != "/" and not here and request.path.startswith(href)))
    # A page below another (/devices/fleet/ below /devices/) is in the deeper one only.
    inside = [place for place in made if place.current or place.active]
    if inside:
        deepest = max(inside, key=lambda place: len(place.href))
        made = [replace(place, active=place is deepest and place.active) for place in made]
    return made


def links(request: HttpRequest) -> list[dict[str, Any]]:
    """The first row: one link for each group, leading to the first of its pages that this user may open."""
    groups: dict[str, list[Place]] = {}
    for place in _places(request):
        groups.setdefault(place.item.group or place.item.text, []).append(place)
    return [
        {
            "text": name if len(places) > 1 else places[0].item.text,
            "href": places[0].href,
            "current": places[0].current,
            "active": not places[0].current and any(place.current or place.active for place in places),
        }
        for name, places in groups.items()
    ]


def second_row(request: HttpRequest) -> tuple[str, list[tuple[str, str, bool]]]:
    """The group that the page shown is in, and its pages as (text, address, is this one); empty for a group of one."""
    places = _places(request)
    group = next((place.item.group for place in places if place.current or place.active), "")
    row = [(p.item.text, p.href, p.current or p.active) for p in places if group and p.item.group == group]
    return (group, row) if len(row) > 1 else ("", [])
