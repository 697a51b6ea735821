"""Records of a case that a grade can rest on, and wording in them that somebody should look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils import timezone

from safelight.casework.base.standards import standards
from safelight.casework.cases.chronology import title_of
from safelight.standards import find_wording

KINDS = {
    "chronology": "Chronology",
    "clock": "Clock",
    "child": "Child at risk",
    "referral": "Safeguarding referral",
    "device": "Device",
    "submission": "Submission",
    "review": "Supervision review",
}
MOST = 300
AROUND = 60


@dataclass(frozen=True)
class CaseRecord:
    """One record: its kind (a key of KINDS), its key, and a label that names nobody."""

    kind: str
    key: int
    label: str

    @property
    def code(self) -> str:
        return f"{self.kind}:{self.key}"


def records_of(case: Any, user: Any) -> list[CaseRecord]:
    """The records of a case, newest first within each kind, for somebody who sees the case; else none."""
    if not type(case).objects.visible_to(user).filter(pk=case.pk).exists():
        return []
    return list(_records(case))


def _records(case: Any) -> Iterator[CaseRecord]:
    for child in case.children.order_by("-pk")[:MOST]:
        yield CaseRecord("child", child.pk, f"{child.reference}, found {_day(child.identified_at)}")
    for sent in case.safeguarding_referrals.order_by("-pk")[:MOST]:
        yield CaseRecord("referral", sent.pk, f"{sent.reference} to {sent.authority}, sent {_day(sent.sent_at)}")
    for clock in case.clocks.order_by("-pk")[:MOST]:
        yield CaseRecord("clock", clock.pk, f"{clock.title}, {clock.subject_label}: {clock.state()}")
    for review in case.reviews.order_by("-pk")[:MOST]:
        yield CaseRecord("review", review.pk, f"Review of {_day(review.reviewed_at)}")
    for device in case.devices.order_by("-pk")[:MOST]:
        yield CaseRecord("device", device.pk, f"{device.reference}, seized {_day(device.seized_at)}")
    for submission in case.submissions.order_by("-pk")[:MOST]:
        yield CaseRecord("submission", submission.pk, f"{submission.reference}, written {_day(submission.written_at)}")
    for entry in case.chronology.order_by("-at", "-pk")[:MOST]:
        yield CaseRecord("chronology", entry.pk, f"{_day(entry.at)}: {title_of(entry.kind)}")


def _day(moment: Any) -> str:
    return f"{timezone.localtime(moment):%d %b %Y}"


@dataclass(frozen=True)
class Spotted:
    """Wording that somebody should look at: where it stands, the words around it, and what could be said."""

    where: str
    before: str
    words: str
    after: str
    why: str
    consider: str


def spotted_in(text: str, where: str) -> list[Spotted]:
    """Every place in one text; see :func:`safelight.standards.find_wording`. Nothing is changed."""
    return [
        Spotted(
            where,
            ("…" if one.start > AROUND else "") + text[max(0, one.start - AROUND) : one.start],
            text[one.start : one.end],
            text[one.end : one.end + AROUND] + ("…" if len(text) > one.end + AROUND else ""),
            one.phrase.why,
            one.phrase.consider,
        )
        for one in find_wording(text, standards().wording.values())
    ]


def wording_of(case: Any, user: Any) -> list[Spotted]:
    """Wording to look at in what people wrote in a case, for somebody who sees the case; else nothing."""
    if not type(case).objects.visible_to(user).filter(pk=case.pk).exists():
        return []
    found: list[Spotted] = []
    for text, where in _written(case):
        found += spotted_in(text, where)
    return found


def _written(case: Any) -> Iterator[tuple[str, str]]:
    yield case.title, "Title of the case"
    yield case.outcome_note, "Outcome"
    for sent in case.safeguarding_referrals.order_by("pk")[:MOST]:
        yield sent.concern, f"Safeguarding referral {sent.reference}"
    for review in case.reviews.order_by("pk")[:MOST]:
        text = "\n".join((review.plan, review.safeguarding, review.devices, review.victim, review.next_action))
        yield text, f"Review of {_day(review.reviewed_at)}"
    for entry in case.chronology.order_by("pk")[:MOST]:
        yield entry.text, f"Chronology, {_day(entry.at)}"
    for referral in case.referrals.order_by("pk")[:MOST]:
        yield referral.summary, f"Referral {referral.reference}"
