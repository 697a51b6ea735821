"""Which device is examined first, and why: a rule of points that anyone can work out by hand.

The rule (`safelight-priority/1`) is published in docs/triage-priority.md. It is a function of its inputs and of nothing
else, so that the same device always stands at the same place for the same reasons. It orders a queue; it never says
that a device may be left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from safelight.triage.result import STATE_SAMPLED, Finding, TriageResult
from safelight.triage.sampled import FirstAnswer
from safelight.triage.verdict import NOT_LISTED, count_words, is_sealed

RULE = "safelight-priority/1"
#: Live contact with a child outweighs everything else together.
LIVE_CONTACT = 100
_EXACT = {"A": 35, "B": 25, "C": 15}
_OTHER = 12
_ALIKE = {"A": 18, "B": 13, "C": 8}
_OTHER_ALIKE = 6
_MANY = ((1000, 8), (100, 5), (10, 2))
_RECENT = ((7, 10, "week"), (30, 6, "month"), (365, 3, "year"))
_UNREAD = ((0.5, 8, "at least half"), (0.1, 4, "at least a tenth"), (0.0, 2, "a part"))
_ENCRYPTED, _NOTHING_READ, _UNSEEN, _SAMPLE = 8, 10, 5, 3
#: Least points of each band, from the top; every device has a band.
BANDS = ((100, "live contact"), (35, "first"), (15, "high"), (5, "medium"), (0, "low"))


@dataclass(frozen=True, slots=True)
class PriorityInputs:
    """All that the rule looks at.

    Attributes:
        live_contact: a child on the case is in contact with the suspect now.
        exact: files with a listed digest, by category ("" for none).
        alike: files that are like a listed picture or hold blocks of a listed file, by category.
        newest_days: days between the newest listed file's writing and the seizure; None where not known.
        newest_before: what the days count back from: `the seizure`, or `this run` where nobody told when that was.
        encrypted: encrypted parts that were not read.
        unread_share: part (0 to 1) of the device's bytes known not to be read; None where no size is known.
        run: `none` (not examined yet), `first answer`, `full`, or `failed` (nothing could be read).
    """

    live_contact: bool = False
    exact: Mapping[str, int] = field(default_factory=dict)
    alike: Mapping[str, int] = field(default_factory=dict)
    newest_days: int | None = None
    newest_before: str = "the seizure"
    encrypted: int = 0
    unread_share: float | None = 0.0
    run: str = "none"


@dataclass(frozen=True, slots=True)
class Reason:
    """Points, and what they are for."""

    points: int
    words: str


@dataclass(frozen=True, slots=True)
class Priority:
    """Where a device stands: more points come first. `inputs` is what they were worked out from."""

    score: int
    band: str
    reasons: tuple[Reason, ...]
    inputs: PriorityInputs
    rule: str = RULE


def prioritise(inputs: PriorityInputs) -> Priority:
    """Apply the rule."""
    reasons = [*_contact(inputs), *_found(inputs), *_recent(inputs), *_unread(inputs), *_examined(inputs)]
    score = sum(r.points for r in reasons)
    return Priority(score, band_of(score), tuple(reasons), inputs)


def band_of(score: int) -> str:
    """The band of a score."""
    return next(band for least, band in BANDS if score >= least)


def _contact(inputs: PriorityInputs) -> list[Reason]:
    return [Reason(LIVE_CONTACT, "A child on the case is in live contact.")] if inputs.live_contact else []


def _found(inputs: PriorityInputs) -> list[Reason]:
    worst = max(
        ((points.get(category, other), category, points is _EXACT)
         for numbers, points, other in ((inputs.exact, _EXACT, _OTHER), (inputs.alike, _ALIKE, _OTHER_ALIKE))
         for category, number in numbers.items() if number),
        default=None,
    )  # fmt: skip
    if worst is None:
        return []
    name = f"category {worst[1]}" if worst[1] in _EXACT else "listed, without a category A, B or C"
    how = "by exact match" if worst[2] else "by likeness or in fragments, for a person to check"
    reasons = [Reason(worst[0], f"The gravest found: {name}, {how}.")]
    total = sum(inputs.exact.values()) + sum(inputs.alike.values())
    many = next(((n, points) for n, points in _MANY if total >= n), None)
    if many:
        reasons.append(Reason(many[1], f"{count_words(total, 'such file')}: {many[0]:,} or more."))
    return reasons


def _recent(inputs: PriorityInputs) -> list[Reason]:
    if inputs.newest_days is None or not _found(inputs):
        return []
    for days, points, word in _RECENT:
        if inputs.newest_days <= days:
            return [Reason(points, f"The newest of them was written within a {word} before {inputs.newest_before}.")]
    return []


def _unread(inputs: PriorityInputs) -> list[Reason]:
    reasons = []
    if inputs.encrypted:
        verb = "is" if inputs.encrypted == 1 else "are"
        reasons.append(Reason(_ENCRYPTED, f"{count_words(inputs.encrypted, 'part')} {verb} encrypted and unread."))
    if inputs.run == "failed":
        reasons.append(Reason(_NOTHING_READ, "Nothing could be read."))
    elif inputs.unread_share is None:
        reasons.append(Reason(_UNREAD[-1][1], "Parts of unknown size were not read."))
    elif inputs.unread_share > 0 and inputs.run != "none":
        for least, points, words in _UNREAD:
            if inputs.unread_share >= least:
                reasons.append(Reason(points, f"{words[0].upper()}{words[1:]} of it was not read."))
                break
    return reasons


def _examined(inputs: PriorityInputs) -> list[Reason]:
    if inputs.run == "none":
        return [Reason(_UNSEEN, "Nobody has looked at it yet.")]
    if inputs.run == "first answer":
        return [Reason(_SAMPLE, "Only a sample was looked at.")]
    return []


def inputs_of(result: TriageResult, *, seized: datetime | None = None, live_contact: bool = False) -> PriorityInputs:
    """The inputs that one run gives. Recency counts back from the seizure, or from the run where that is not known."""
    found = [f for f in result.findings if f.category not in NOT_LISTED]
    exact = {(f.filesystem, f.path): f for f in found if f.kind == "exact"}
    alike = {(f.filesystem, f.path): f for f in found if (f.filesystem, f.path) not in exact}
    until = seized or result.started
    written = [f.times.written or f.times.created for f in found]
    days = [(until - w).days for w in written if w is not None and w <= until]
    sealed = sum(is_sealed(p) for p in result.unread)
    media = result.evidence.media_size or result.counts.bytes_in_files
    share: float | None = 0.0
    if result.unread:
        known = result.bytes_not_read
        share = min(1.0, known / media) if known and media else None
    sampled = result.state == STATE_SAMPLED or result.first is not None
    nothing = not result.counts.files_read and not found and not (result.first and _looked(result.first))
    return PriorityInputs(
        live_contact=live_contact,
        exact=_by_category(list(exact.values())),
        alike=_by_category(list(alike.values())),
        newest_days=min(days) if days else None,
        newest_before="the seizure" if seized else "this run",
        encrypted=sealed,
        unread_share=share,
        run="failed" if nothing else "first answer" if sampled else "full",
    )


def _looked(first: FirstAnswer) -> bool:
    return bool(first.drawn or first.files_listed)


def _by_category(findings: Sequence[Finding]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for f in findings:
        key = "" if f.category in (None, "uncategorised") else str(f.category)
        numbers[key] = numbers.get(key, 0) + 1
    return dict(sorted(numbers.items()))
