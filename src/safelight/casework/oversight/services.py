"""Naming who answers for the whole; asking for new figures; saving a question."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid
from safelight.casework.base.rights import must
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.oversight.asking import checked
from safelight.casework.oversight.models import Accountable, Extract, ExtractRequest, Question
from safelight.casework.oversight.tasks import extract_job

ASK_AGAIN = timedelta(hours=1)


@transaction.atomic
def name_accountable(actor: Any, officer: Any, *, basis: str) -> Accountable:
    """Name the one officer who answers for the whole; the one before steps down at the same moment.

    Args:
        officer: an active chief officer.
        basis: by which decision, in a few words.

    Raises:
        NotAllowed; Invalid: the account is not an active chief officer's, or no basis is given.
    """
    must(actor, "oversight.name_officer", what="name the accountable officer")
    text = required_text(basis, field="basis", what="The decision that names the officer")[:300]
    if officer.role != "chief_officer" or not officer.is_active:
        raise Invalid(
            f"{officer} is not an active chief officer.", fix="Choose a chief officer's account.", field="officer"
        )
    now = timezone.now()
    before = Accountable.objects.select_for_update().filter(until=None).first()
    if before is not None:
        before.until = now
        before.save(update_fields=["until"])
    made = Accountable.objects.create(officer=officer, since=now, named_by=actor, basis=text)
    payload = {"officer": officer.pk, "before": before.officer_id if before else None, "basis": fingerprint(text)}
    record(actor, "accountable.named", made, payload=payload)
    return made


def ask_for_extract(actor: Any) -> None:
    """Have new figures worked out by a worker. Raises NotAllowed."""
    must(actor, "oversight.refresh", what="have the figures worked out anew")
    transaction.on_commit(lambda: extract_job.enqueue(actor.pk))


@transaction.atomic
def keep_extract() -> bool:
    """Ask for an extract when the last is older than policy says (``extract_hours``). For ``safelight tick``.

    A worker makes it: reading a million cases would keep the clocks waiting. A request that nothing came of is made
    again after :data:`ASK_AGAIN`.

    Returns:
        Whether one was asked for.
    """
    hours = float(standards().policy["extract_hours"].value)
    now = timezone.now()
    last = Extract.objects.values_list("made_at", flat=True).first()
    if last is not None and now - last < timedelta(hours=hours):
        return False
    request, new = ExtractRequest.objects.select_for_update().get_or_create(pk=1, defaults={"asked_at": now})
    if not new and now - request.asked_at < ASK_AGAIN:
        return False
    request.asked_at = now
    request.save(update_fields=["asked_at"])
    transaction.on_commit(lambda: extract_job.enqueue())
    return True


@transaction.atomic
def save_question(actor: Any, *, title: str, spec: dict[str, Any]) -> Question:
    """Keep a question for everyone who may ask. Raises NotAllowed, Invalid."""
    must(actor, "oversight.ask", what="save a question")
    text = required_text(title, field="title", what="The question")[:120]
    made = Question.objects.create(title=text, spec=checked(spec).as_dict(), saved_by=actor, saved_at=timezone.now())
    record(actor, "question.saved", made, payload={"spec": made.spec, "title": fingerprint(text)})
    return made
