"""What is held about a person, for that person (DPA 2018 s.45): gathered, decided item by item, given out once."""

from __future__ import annotations

import calendar
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from datetime import date
from html import escape
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.ciphers.fields import ROW, Beside
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.models import Person
from safelight.casework.retention.models import AccessItem, AccessRequest
from safelight.casework.retention.personal import register
from safelight.casework.retention.reach import rows_of_person

MAY_NAME_OTHERS = ("words", "content")
NEVER = ("staff",)  # who did it is not data about the person
STAMP = (1980, 1, 1, 0, 0, 0)  # the same content gives the same file


def due_after(received: date, months: int) -> date:
    """The same day of a later month, or the last of it where there is no such day."""
    year, month = divmod(received.month - 1 + months, 12)
    year, month = received.year + year, month + 1
    return date(year, month, min(received.day, calendar.monthrange(year, month)[1]))


@transaction.atomic
def record_request(actor: Any, person: Person, *, received_on: date, identity: str) -> AccessRequest:
    """Record a request and gather every row that is held about the person.

    Raises:
        NotAllowed; Invalid: a day to come or long past, nothing said of who they are.
    """
    must(actor, "retention.access", what="answer requests for subject access")
    today = timezone.localdate()
    if not date(2018, 5, 25) <= received_on <= today:
        raise Invalid("The day lies in the future or before the Act.", fix="Give the real day.", field="received_on")
    months = int(standards().policy["subject_access_months"].value)
    row = AccessRequest.objects.create(
        person=person,
        received_on=received_on,
        due_on=due_after(received_on, months),
        identity=required_text(identity, field="identity", what="How their identity was established"),
        recorded_by=actor,
        recorded_at=timezone.now(),
    )
    items = [
        AccessItem(request=row, model=model._meta.label, row=key, about_others=_may_tell_of_others(model))
        for model, keys in sorted(rows_of_person(person).items(), key=lambda one: one[0]._meta.label)
        if _shown(model)
        for key in sorted(keys)
    ]
    AccessItem.objects.bulk_create(items, batch_size=500)
    said = {"request": row.reference, "due_on": str(row.due_on), "items": len(items)}
    record(actor, "access.recorded", person, payload={**said, "identity": fingerprint(row.identity)})
    return row


@transaction.atomic
def decide(
    actor: Any, request: AccessRequest, items: list[int], *, given: bool, ground: str = "", reason: str = ""
) -> int:
    """Give or withhold items. Returns how many were decided.

    Raises:
        NotAllowed; NotPossible: answered; Invalid: withheld without ground or reason, or free text given in bulk.
    """
    must(actor, "retention.access", what="answer requests for subject access")
    request = _open(request)
    rows = list(request.items.filter(pk__in=items))
    if not rows:
        raise Invalid("Choose at least one item.", fix="Tick what you decide on.", field="items")
    if not given and ground not in AccessItem.Ground.values:
        raise Invalid("Say on which ground it is withheld.", fix="Choose one of s.45(4).", field="ground")
    if given and len(rows) > 1 and any(row.about_others for row in rows):
        raise Invalid(
            "Text that may tell of others is given one by one.", fix="Read it, then tick it alone.", field="items"
        )
    why = "" if given else required_text(reason, field="reason", what="The reason")
    now = timezone.now()
    for row in rows:
        row.given, row.ground, row.reason = given, "" if given else ground, why
        row.decided_by, row.decided_at = actor, now
    AccessItem.objects.bulk_update(rows, ["given", "ground", "reason", "decided_by", "decided_at"], batch_size=200)
    record(actor, "access.decided", request.person, payload={"request": request.reference, "items": len(rows),
                                                             "given": given, "ground": ground})  # fmt: skip
    return len(rows)


@transaction.atomic
def answer(actor: Any, request: AccessRequest, *, recipient: str) -> bytes:
    """The file for the person: a ZIP with the same as JSON and as a page. A disclosure in the ledger.

    Raises:
        NotAllowed; NotPossible: answered, or an item is undecided; Invalid: no recipient.
    """
    must(actor, "retention.access", what="answer requests for subject access")
    request = _open(request)
    to = required_text(recipient, field="recipient", what="Whom it is given to")[:200]
    left = request.items.filter(given=None).count()
    if left:
        raise NotPossible(f"{left} items are not decided yet.", fix="Give or withhold each.")
    data = zipped(request)
    request.answered_at, request.answered_by = timezone.now(), actor
    request.digest = hashlib.sha256(data).hexdigest()
    request.save(update_fields=["answered_at", "answered_by", "digest"])
    counts = {"given": request.items.filter(given=True).count(), "withheld": request.items.filter(given=False).count()}
    record(actor, "access.answered", request.person, category=Category.DISCLOSURE, recipient=to,
           payload={"request": request.reference, "sha256": request.digest, **counts})  # fmt: skip
    return data


def zipped(request: AccessRequest) -> bytes:
    """What is given, as the file. What is withheld is counted."""
    items = list(request.items.filter(given=True).order_by("model", "row"))
    shown = [{"kind": item.model, "fields": content_of(item)} for item in items]
    withheld = request.items.filter(given=False).count()
    data = {
        "request": request.reference,
        "person": request.person.name,
        "received_on": str(request.received_on),
        "held": shown,
        "withheld": withheld,
        "rights": "You may ask the Information Commissioner to check, or a court (DPA 2018, s.45, s.51, s.167).",
    }
    parts = [
        f"<h2>{escape(one['kind'])}</h2><dl>"  # type: ignore[arg-type]
        + "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in one["fields"].items())  # type: ignore[union-attr]
        + "</dl>"
        for one in shown
    ]
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{request.reference}</title>'
        f"<h1>What is held about {escape(request.person.name)}</h1><p>Received on {request.received_on:%d %B %Y}. "
        f"{len(shown)} records are given, {withheld} are withheld.</p><p>{escape(str(data['rights']))}</p>"
        + "".join(parts)
        + "</html>"
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in (("held.json", json.dumps(data, indent=1, default=str)), ("held.html", page)):
            made.writestr(zipfile.ZipInfo(name, STAMP), text)
    return out.getvalue()


def content_of(item: AccessItem) -> Mapping[str, Any]:
    """The fields of an item's row that are the person's: nobody else's keys, no names of staff, nothing empty."""
    model: type[models.Model] = apps.get_model(item.model)
    row = model._default_manager.filter(pk=item.row).first()
    if row is None:
        return {}
    fields = register()[item.model]
    hidden = {name for kind in NEVER for name in fields.of.get(kind, ())}
    found: dict[str, Any] = {}
    for field in model._meta.concrete_fields:
        value = getattr(row, field.attname)
        if isinstance(field, Beside) or field.name == ROW:
            continue  # how it is found, and what it is bound to: nothing about anybody
        if field.is_relation or field.primary_key or field.name in hidden or value in (None, "", [], {}):
            continue
        found[str(field.verbose_name)] = row._get_FIELD_display(field) if field.choices else value  # type: ignore[attr-defined]
    return found


def _shown(model: type[models.Model]) -> bool:
    return bool(register()[model._meta.label].personal) or model._meta.label in ("cases.CasePerson",)


def _may_tell_of_others(model: type[models.Model]) -> bool:
    return any(register()[model._meta.label].of.get(kind) for kind in MAY_NAME_OTHERS)


def _open(request: AccessRequest) -> AccessRequest:
    row = AccessRequest.objects.select_for_update().select_related("person").get(pk=request.pk)
    if row.answered_at:
        raise NotPossible(f"{row.reference} is answered already.", fix="Record a new request.")
    return row
