"""What social care or a court set in motion for a child, with the time that law or local rules give it.

Section 17 assessments, emergency protection orders, and contacts that a multi-agency safeguarding hub (MASH) rated.
They are other bodies' steps: police record that they began and what came of them, and the clock shows when nothing did.
Sources: Children Act 1989 ss.17 and 44; the local rules stand beside each clock in standards/clocks.toml.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import not_in_future, required_text
from safelight.casework.cases.services import note
from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.values import one_line
from safelight.casework.safeguarding.models import ChildAtRisk


@dataclass(frozen=True)
class Measure:
    """What began, what it waits for, and the clock of it."""

    began: str
    waits_for: str
    clock: str


MEASURES = {
    "s17": Measure("Section 17 assessment allocated", "The child was seen", "s17_child_seen"),
    "epo": Measure("Emergency protection order made", "The order ended, or another order took its place", "epo_max"),
    "mash_red": Measure("MASH contact rated Red", "Information was returned", "mash_rag_red"),
    "mash_amber": Measure("MASH contact rated Amber", "Information was returned", "mash_rag_amber"),
    "mash_green": Measure("MASH contact rated Green", "An outcome was recorded", "mash_rag_green"),
    "mash_blue": Measure("MASH contact rated Blue", "The contact was looked at", "mash_rag_blue"),
}
_REFUSAL = "You may not record what was set in motion for this child."


def _own(actor: Any, child: ChildAtRisk) -> ChildAtRisk:
    need(actor, "safeguarding.add_child", child, what=_REFUSAL)
    rows = ChildAtRisk.objects.select_for_update(of=("self",)).select_related("case__unit", "referral__unit")
    return rows.get(pk=child.pk)


def _measure(what: str) -> Measure:
    if what not in MEASURES:
        raise Invalid("What was set in motion is not said.", fix="Choose one of the list.", field="what")
    return MEASURES[what]


def running_for(child: ChildAtRisk) -> dict[str, Clock]:
    """The open clocks of what was set in motion for ``child``, by the key of the measure."""
    by_rule = {measure.clock: key for key, measure in MEASURES.items()}
    rows = Clock.objects.open().filter(subject_type=child._meta.label_lower, subject_id=child.pk, rule__in=by_rule)
    return {by_rule[clock.rule]: clock for clock in rows}


@transaction.atomic
def set_in_motion(actor: Any, child: ChildAtRisk, *, what: str, words: str, at: datetime | None = None) -> Clock:
    """Record that something began for a child; its clock counts from ``at``.

    Args:
        what: a key of :data:`MEASURES`.
        words: who decided, and under which number.

    Raises:
        NotAllowed; NotPossible (it runs already); Invalid (nothing chosen, no words, a time ahead or before the child
            was identified).
    """
    row, measure = _own(actor, child), _measure(what)
    moment = not_in_future(at, field="at", what="The time when it began")
    said = one_line(
        required_text(words, field="words", what="Who decided"), longest=300, field="words", what="Who decided"
    )
    if what in running_for(row):
        raise NotPossible(
            f"{measure.began}: this runs already for {row.reference}.", fix="Record what came of it first."
        )
    return begin(actor, row, what, said, moment)


def begin(actor: Any, child: ChildAtRisk, what: str, words: str, at: datetime) -> Clock:
    """Start the clock of a measure, for a service that has asked for its own right."""
    measure = MEASURES[what]
    unit = child.case.unit if child.case else child.referral.unit if child.referral else None
    clock = start_clock(
        actor, measure.clock, child, triggered_at=at, case=child.case, referral=child.referral, unit=unit,
        borough=child.borough,
    )  # fmt: skip
    payload = {"what": what, "at": at, "words": fingerprint(words)}
    record(actor, "safeguarding.measure_began", child, case=child.case, payload=payload)
    _say(actor, child, f"{child.reference}: {measure.began}. {words}", at)
    return clock


@transaction.atomic
def came_of_it(actor: Any, child: ChildAtRisk, *, what: str, words: str, at: datetime | None = None) -> Clock:
    """Record what came of it: its clock stops. One that is late stays late.

    Raises:
        NotAllowed; NotPossible (it does not run); Invalid (nothing chosen, no words, a time ahead or before it began).
    """
    row, measure = _own(actor, child), _measure(what)
    said = one_line(
        required_text(words, field="words", what="What came of it"), longest=300, field="words", what="What came of it"
    )
    moment = not_in_future(at, field="at", what="The time")
    if what not in running_for(row):
        raise NotPossible(f"{measure.began}: this does not run for {row.reference}.", fix="See the child's record.")
    clock = stop_clock(actor, measure.clock, row, reason=said, at=moment)
    if clock is None:  # somebody was faster
        raise NotPossible("This was recorded already.", fix="See the child's record.")
    payload = {"what": what, "at": moment, "words": fingerprint(said)}
    record(actor, "safeguarding.measure_ended", row, case=row.case, payload=payload)
    _say(actor, row, f"{row.reference}: {measure.waits_for}. {said}", moment)
    return clock


def _say(actor: Any, child: ChildAtRisk, words: str, at: datetime) -> None:
    if child.case is not None:
        note(actor, child.case, "social_care_step", words[:4_000], at=at)
