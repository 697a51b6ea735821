"""A child in a household where an offender stays is a child at risk at once: no other duty comes before that."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid
from safelight.casework.offenders.keeping import CHILD, keep
from safelight.casework.offenders.models import Duty, Offender
from safelight.casework.offenders.notifying import open_duty
from safelight.casework.offenders.writing import locked, past_day, text_of
from safelight.casework.referrals.models import Referral, ReferralPerson, Source
from safelight.casework.referrals.services import record_referral
from safelight.casework.safeguarding.services import add_child


@transaction.atomic
def record_child_in_household(
    actor: Any,
    offender: Offender,
    *,
    stayed_on: date,
    what: str,
    borough: str,
    children: Sequence[Mapping[str, Any]],
    identified_at: datetime | None = None,
) -> tuple[Referral, Duty]:
    """Record that the offender stays in a household with children: a referral to the desk with each child at risk,
    whose clock to tell social care starts now, and the offender's duty to notify within three days.

    Args:
        stayed_on: the day on which the stay reached twelve hours, or the first day if that is not known.
        borough: where the children live; their local authority is the one to be told.
        children: the arguments of people.services.create_person for each.

    Raises:
        NotAllowed, NotPossible (off the register), Invalid (no child, no words, a day ahead).
    """
    row = locked(actor, offender, what="You may not record this.")
    day = past_day(stayed_on, field="stayed_on", what="The day of the stay")
    words = text_of(what, field="what", what="What is known")
    if not children:
        raise Invalid("No child is given.", fix="Describe each child as far as it is known.", field="children")
    number = row.duties.filter(rule=CHILD).count() + 1
    referral, _ = record_referral(
        actor,
        source=Source.POLICE,
        source_reference=f"{row.reference} household {day:%Y-%m-%d} {number}",
        summary=f"Offender management: {row.reference} stays in a household with children. {words}",
        borough=borough,
    )
    ReferralPerson.objects.get_or_create(referral=referral, person=row.person, role=ReferralPerson.Role.SUSPECT)
    for child in children:
        add_child(
            actor, referral=referral, person=child, lives_with=True, borough=borough,
            identified_at=identified_at or timezone.now(),
        )  # fmt: skip
    duty = open_duty(actor, row, CHILD, day, "A stay in a household with a child")
    keep(actor, row)
    return referral, duty
