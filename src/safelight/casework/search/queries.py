"""What a search finds: always within what the person may see, so that nothing hidden is even counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.urls import reverse

from safelight.casework.cases.models import Case
from safelight.casework.devices.models import Device, Finding, TriageRun
from safelight.casework.people.models import Identifier, Person, PossibleLink
from safelight.casework.referrals.models import Referral, ReferralFile
from safelight.casework.safeguarding.models import ChildAtRisk, SafeguardingReferral
from safelight.casework.search.asking import Asked, fold, understand
from safelight.casework.search.matches import BLOCKS, matching, newest
from safelight.casework.search.models import Entry
from safelight.casework.search.names import alike
from safelight.casework.search.sealed import readable, widened
from safelight.casework.search.sources import KINDS, SOURCES
from safelight.casework.submissions.models import Submission

SHOWN, ALL = 10, 50
_AROUND = 60

MODELS: dict[str, Any] = {
    "case": Case, "person": Person, "child": ChildAtRisk, "referral": Referral, "device": Device,
}  # fmt: skip
PAGES = {
    "case": "cases:detail", "person": "people:detail", "child": "safeguarding:child", "referral": "referrals:detail",
    "device": "devices:detail",
}  # fmt: skip
_WITH = {"child": ("person",), "device": ("case",)}


@dataclass(frozen=True)
class Why:
    """Why a record was found: what the words are ("Chronology"), and the text around the match in three pieces."""

    called: str
    before: str = ""
    match: str = ""
    after: str = ""


@dataclass(frozen=True)
class Hit:
    """One record that was found."""

    reference: str
    title: str
    url: str
    why: Why


@dataclass(frozen=True)
class Group:
    """The hits of one kind; ``more`` says that there are others, ``before`` where they begin."""

    kind: str
    title: str
    hits: list[Hit] = field(default_factory=list)
    more: bool = False
    before: int = 0


@dataclass(frozen=True)
class Found:
    """Everything that was found, best first."""

    asked: Asked
    groups: list[Group]

    @property
    def shown(self) -> list[str]:
        return list(dict.fromkeys(hit.reference for group in self.groups for hit in group.hits))


def find(user: Any, text: str, *, kind: str = "", before: int | None = None) -> Found:
    """What ``user`` may see that matches ``text``.

    Args:
        kind: only records of one kind, up to 50 of them.
        before: the key of the last entry of the page before (with ``kind``).

    Raises:
        Invalid: nothing to look for, or too much.
    """
    asked = understand(text)
    if kind in KINDS:
        return Found(asked, [_by_words(user, asked, kind, before=before, most=ALL)])
    groups = [_by_reference(user, asked), _by_digest(user, asked), _by_identifier(user, asked)]
    first = {hit.reference for group in groups for hit in group.hits}
    groups += [_by_words(user, asked, one, most=SHOWN) for one in KINDS]
    first |= {hit.reference for group in groups for hit in group.hits}
    groups.append(_by_likeness(user, asked, besides=first))
    return Found(asked, [group for group in groups if group.hits])


def _by_reference(user: Any, asked: Asked) -> Group:
    group = Group("reference", "Exactly this reference")
    if asked.reference:
        prefix, key = asked.reference
        reader = _REFERENCES.get(prefix)
        hit = reader(user, key) if reader else None
        if hit:
            group.hits.append(hit)
    return group


def _plain(kind: str) -> Callable[[Any, int], Hit | None]:
    def read(user: Any, key: int) -> Hit | None:
        row = MODELS[kind].objects.visible_to(user).select_related(*_WITH.get(kind, ())).filter(pk=key).first()
        return _hit(kind, row, Why("The reference itself")) if row else None

    return read


def _run(user: Any, key: int) -> Hit | None:
    run = TriageRun.objects.visible_to(user).select_related("device").filter(pk=key).first()
    return _of_device(run.device, Why(f"Its triage run {run.reference}")) if run else None


def _link(user: Any, key: int) -> Hit | None:
    row = PossibleLink.objects.visible_to(user).filter(pk=key).first() if user.has_perm("people.link") else None
    url = reverse("people:link", args=[row.reference]) if row else ""
    return Hit(row.reference, "Possible link", url, Why("The reference itself")) if row else None


def _sent(user: Any, key: int) -> Hit | None:
    row = SafeguardingReferral.objects.visible_to(user).filter(pk=key).first()
    url = reverse("safeguarding:sent", args=[row.reference]) if row else ""
    return Hit(row.reference, f"Sent to {row.authority}", url, Why("The reference itself")) if row else None


def _submission(user: Any, key: int) -> Hit | None:
    row = Submission.objects.visible_to(user).filter(pk=key).first() if user.has_perm("submissions.view") else None
    url = reverse("submissions:detail", args=[row.reference]) if row else ""
    return Hit(row.reference, "Submission to the national database", url, Why("The reference itself")) if row else None


_REFERENCES: dict[str, Callable[[Any, int], Hit | None]] = {
    **{model.PREFIX: _plain(kind) for kind, model in MODELS.items()},
    TriageRun.PREFIX: _run, PossibleLink.PREFIX: _link, SafeguardingReferral.PREFIX: _sent,
    Submission.PREFIX: _submission,
}  # fmt: skip


def _by_digest(user: Any, asked: Asked) -> Group:
    """Findings and files of referrals with exactly this digest."""
    group = Group("digest", "Files with exactly this digest")
    if not asked.digest:
        return group
    name, value = asked.digest
    words = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}[name]
    seen = TriageRun.objects.visible_to(user).holding("run")
    findings = Finding.objects.filter(seen, **{name: value}).select_related("run__device__case").order_by("-pk")
    for one in findings[:SHOWN]:
        group.hits.append(_of_device(one.run.device, Why(f"{words} of a finding of {one.run.reference}", "", value)))
    if name != "sha256":
        files = ReferralFile.objects.filter(Referral.objects.visible_to(user).holding("referral"), **{name: value})
        for row in files.select_related("referral").order_by("-pk")[:SHOWN]:
            group.hits.append(_hit("referral", row.referral, Why(f"{words} of a file in the referral", "", value)))
    return group


def _by_identifier(user: Any, asked: Asked) -> Group:
    """People with exactly this on-line name, number or address: also one that has no letter in it."""
    group = Group("identifier", "People with exactly this on-line name or number")
    exact = Q()
    for kind in Identifier.Kind.values:  # by the index of kind and value
        exact |= Q(kind=kind, value__iexact=asked.text)
    rows = Identifier.objects.filter(exact)
    if not rows.exists():
        return group
    rows = rows.filter(Person.objects.visible_to(user).holding("person"))
    for row in rows.select_related("person").order_by("-pk")[:SHOWN]:
        group.hits.append(_hit("person", row.person, Why(str(row.get_kind_display()), "", row.value)))
    return group


def _by_words(user: Any, asked: Asked, kind: str, *, most: int, before: int | None = None) -> Group:
    if not asked.words:
        return Group(kind, KINDS[kind])
    return _grouped(user, [[word] for word in asked.words], kind, asked.words, most, before)


def _by_likeness(user: Any, asked: Asked, besides: set[str]) -> Group:
    """People whose names resemble what was typed, beside those who bear exactly these."""
    group = Group("alike", "People with names like these")
    like = {word: alike(word) for word in asked.names}
    if not any(like.values()):
        return group
    choices = [[word, *map(fold, like.get(word, ()))] for word in asked.words]
    rows = _grouped(user, choices, "person", _flat(choices), SHOWN, None, begun=False, source="person")
    return Group(group.kind, group.title, [hit for hit in rows.hits if hit.reference not in besides])


def _flat(choices: list[list[str]]) -> tuple[str, ...]:
    return tuple(word for words in choices for word in words)


def _grouped(
    user: Any,
    choices: list[list[str]],
    kind: str,
    words: tuple[str, ...],
    most: int,
    before: int | None,
    *,
    begun: bool = True,
    source: str = "",
) -> Group:
    """The newest matching entries whose record ``user`` sees, one hit for each record."""
    entries = _visible(user, kind, widened(kind, choices, begun=begun), begun, before, 2 * most + 1, source)
    first: dict[int, Entry] = {}
    last = 0
    for entry in entries:
        if entry.owner not in first and len(first) == most:
            break
        first.setdefault(entry.owner, entry)
        last = entry.pk
    rows = MODELS[kind].objects.select_related(*_WITH.get(kind, ())).in_bulk(list(first))
    texts = readable(first.values())
    hits = [
        _hit(kind, rows[owner], why_of(texts[entry.pk], words, SOURCES[entry.source].called))
        for owner, entry in first.items()
        if owner in rows
    ]
    return Group(kind, KINDS[kind], hits, more=len(entries) > 0 and entries[-1].pk != last, before=last)


def _visible(
    user: Any, kind: str, choices: list[list[str]], begun: bool, before: int | None, most: int, source: str
) -> list[Entry]:
    """The newest entries whose record ``user`` sees.

    Some hundreds at a time, their records are asked for by key. Where those whom the person sees are so rare that this
    leads nowhere, the database goes through all of them.
    """
    kept: list[int] = []
    blocks = 0
    for block in newest(kind, choices, begun=begun, before=before, source=source):
        seen = MODELS[kind].objects.visible_to(user).filter(pk__anyof=sorted(set(block.values())))
        owners = set(seen.values_list("pk", flat=True))
        kept += [pk for pk, owner in block.items() if owner in owners]
        blocks += 1
        if len(kept) >= most:
            break
    if len(kept) >= most or blocks < len(BLOCKS):
        return list(Entry.objects.filter(pk__anyof=kept[:most]).order_by("-pk")) if kept else []
    entries: list[Entry] = []
    for found in matching(kind, choices, begun=begun):
        rows = (found.filter(source=source) if source else found).filter(
            MODELS[kind].objects.visible_to(user).holding("owner")
        )
        entries += (rows if before is None else rows.filter(pk__lt=before)).order_by("-pk")[:most]
    return sorted(entries, key=lambda entry: -entry.pk)[:most]


def why_of(text: str, words: tuple[str, ...], called: str) -> Why:
    """The part of ``text`` around the first of ``words`` in it."""
    plain = " ".join(text.split())
    for piece in plain.split(" "):
        bare = fold(piece)
        if any(word in bare.split() or bare.startswith(word) for word in words):
            at = plain.find(piece)
            start, end = max(0, at - _AROUND), at + len(piece)
            before = ("…" if start else "") + plain[start:at]
            after = plain[end : end + _AROUND] + ("…" if end + _AROUND < len(plain) else "")
            return Why(called, before, piece, after)
    return Why(called, plain[: 2 * _AROUND] + ("…" if len(plain) > 2 * _AROUND else ""))


def _hit(kind: str, row: Any, why: Why) -> Hit:
    return Hit(row.reference, _title(kind, row), reverse(PAGES[kind], args=[row.reference]), why)


def _of_device(device: Any, why: Why) -> Hit:
    return _hit("device", device, why)


def _title(kind: str, row: Any) -> str:
    if kind == "case":
        return str(row.title)
    if kind == "person":
        return f"{row.name}, born {row.born_words}" if row.born else str(row.name)
    if kind == "child":
        return str(row.person.name)
    if kind == "device":
        return f"{row.get_kind_display()} {row.exhibit}"
    return f"{row.get_source_display()} {row.source_reference}"
