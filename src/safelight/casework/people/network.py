"""Who is linked to whom, by what, since when: as rows for a table and as a picture made of the same rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from safelight.casework.cases.models import Case, CasePerson
from safelight.casework.people.models import Person, PossibleLink
from safelight.casework.people.sides import sides
from safelight.casework.referrals.models import Referral, ReferralPerson
from safelight.casework.safeguarding.models import ChildAtRisk
from safelight.linkage.features import place_key

MOST = 24
_WIDTH, _HEIGHT = 900, 560
_DASHES = {"identity": "", "address": "2 5", "record": "9 5"}


@dataclass(frozen=True)
class Tie:
    """One line of the network: whom or what it leads to, by what, and since when. ``person`` is None for a record that
    may only be spoken of."""

    label: str
    by: str
    kind: str  # identity, address or record
    since: datetime | None
    person: Person | None = None
    child: bool = False


def ties(person: Person, user: Any) -> list[Tie]:
    """Everything linked to ``person`` that ``user`` may see, and that there is more where they may not."""
    seen = Person.objects.visible_to(user)
    children = set(ChildAtRisk.objects.visible_to(user).values_list("person_id", flat=True))
    found: list[Tie] = []

    def tie(other: Person, by: str, kind: str, since: datetime | None) -> None:
        found.append(Tie(other.name, by, kind, since, other, other.pk in children))

    links = PossibleLink.objects.filter(Q(person=person) | Q(other=person)).exclude(state="different")
    for link in links.select_related("person", "other").order_by("-weight"):
        here, there = sides(link, user)
        side = there if link.person_id == person.pk else here
        by = link.get_state_display() if link.state == "same" else str(link.get_kind_display())
        if side.person is not None:
            tie(side.person, by, "identity", link.found_at)
        else:
            label = side.words or f"Record {side.key} of {side.source}"
            found.append(Tie(label, by, "identity" if link.kind == "person" else "address", link.found_at))
    for other in household(person, seen):
        tie(other, "The same address", "address", other.created_at)
    cases, referrals = Case.objects.visible_to(user), Referral.objects.visible_to(user)
    mine = CasePerson.objects.filter(cases.holding("case"), person=person).values("case")
    theirs = CasePerson.objects.filter(case__in=mine).exclude(person=person).select_related("person", "case")
    for row in theirs.order_by("-pk")[:MOST]:
        tie(row.person, f"{row.get_role_display()} in {row.case.reference}", "record", row.added_at)
    for child in (
        ChildAtRisk.objects.visible_to(user)
        .filter(case__in=mine)
        .exclude(person=person)
        .select_related("person", "case")
    ):
        tie(child.person, f"Child at risk in {child.case.reference}", "record", child.identified_at)
    told = ReferralPerson.objects.filter(referrals.holding("referral"), person=person).values("referral")
    named = ReferralPerson.objects.filter(referral__in=told).exclude(person=person).select_related("person", "referral")
    for one in named.order_by("-pk")[:MOST]:
        tie(one.person, f"{one.get_role_display()} in {one.referral.reference}", "record", one.referral.received_at)
    return found


def household(person: Person, people: Any) -> list[Person]:
    """Those of ``people`` at the person's address, however it is written; none when the address is a large house."""
    if not person.postcode or not person.address:
        return []
    key = place_key(person.address, person.postcode)
    near = people.filter(postcode=person.postcode).exclude(pk=person.pk).order_by("pk")[:200]
    same = [one for one in near if one.address and place_key(one.address, one.postcode) == key]
    return same if len(same) <= MOST else []


def picture(person: Person, found: list[Tie]) -> SafeString:
    """The ties as an SVG; the table beside it says the same in words. At most :data:`MOST` are drawn."""
    nodes: dict[Any, list[Tie]] = {}
    for one in found:
        nodes.setdefault(one.person.pk if one.person else (one.label, one.by), []).append(one)
    drawn = list(nodes.values())[:MOST]
    middle_x, middle_y = _WIDTH / 2, _HEIGHT / 2
    lines, marks = [], []
    for place, group in enumerate(drawn):
        angle = 2 * math.pi * place / max(len(drawn), 1) - math.pi / 2
        wide = 1.0 if len(drawn) < 9 or place % 2 == 0 else 0.62
        x, y = middle_x + 330 * wide * math.cos(angle), middle_y + 215 * wide * math.sin(angle)
        first = group[0]
        lines.append((f"{middle_x:.0f}", f"{middle_y:.0f}", f"{x:.0f}", f"{y:.0f}", _DASHES[first.kind]))
        told = first.child and not first.by.startswith("Child at risk")
        about = f"Child at risk, {first.by[0].lower()}{first.by[1:]}" if told else first.by
        marks.append((*_mark(x, y, first.label, _short(about), child=first.child),))
    body = format_html_join(
        "", '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="#505a5f" stroke-width="2" stroke-dasharray="{}"/>', lines
    ) + format_html_join("", "{}{}", marks)
    centre = format_html_join("", "{}{}", [_mark(middle_x, middle_y, person.name, person.reference, centre=True)])
    title = f"{person.name} and {len(drawn)} others linked to them"
    return format_html(
        '<svg class="sl-network" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {} {}" role="img"'
        ' aria-labelledby="network-title network-about" font-family="Arial, sans-serif">'
        '<title id="network-title">{}</title>'
        '<desc id="network-about">The table below says the same in words.</desc>{}{}</svg>',
        _WIDTH, _HEIGHT, title, body, centre,
    )  # fmt: skip


def _mark(x: float, y: float, label: str, about: str, *, centre: bool = False, child: bool = False) -> tuple[str, str]:
    fill = "#1d70b8" if centre else "#ffffff"
    edge = "#d4351c" if child else "#0b0c0c"
    text = "#ffffff" if centre else "#0b0c0c"
    words = _short(label, 30)
    box = format_html(
        '<rect x="{}" y="{}" width="220" height="52" rx="4" fill="{}" stroke="{}" stroke-width="{}"/>',
        f"{x - 110:.0f}", f"{y - 26:.0f}", fill, edge, 4 if child else 2,
    )  # fmt: skip
    said = format_html(
        '<text x="{}" y="{}" text-anchor="middle" font-size="14" font-weight="bold" fill="{}">{}</text>'
        '<text x="{}" y="{}" text-anchor="middle" font-size="13" fill="{}">{}</text>',
        f"{x:.0f}", f"{y - 4:.0f}", text, words, f"{x:.0f}", f"{y + 15:.0f}", text, about,
    )  # fmt: skip
    return box, said


def _short(text: str, longest: int = 32) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
