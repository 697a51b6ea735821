"""What the API's operations do with the database; each writes through the services, in the name of the key."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, TypeVar

from django.http import Http404, HttpRequest
from django.utils import timezone
from pydantic import BaseModel
from pydantic import ValidationError as PydanticError

from safelight.casework.clocks.models import Clock
from safelight.casework.exchange import banks, notices, reports
from safelight.casework.exchange.models import ApiKey, Bank, Platform, PlatformReport, TakedownNotice
from safelight.exchange.errors import BadQuery
from safelight.exchange.keys import Key
from safelight.exchange.query import Query
from safelight.matching.pdq import DISTANCE_THRESHOLD

Model = TypeVar("Model", bound=BaseModel)
MOST = 1000


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def parse(request: HttpRequest, model: type[Model]) -> Model:
    """A JSON body that may also have been a form. Raises BadQuery."""
    try:
        return model.model_validate_json(request.body)
    except PydanticError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "The body"
        raise BadQuery(f"{where}: {first['msg']}.", code="bad_request") from error


def compare(data: dict[str, list[str]]) -> dict[str, Any]:
    """Whether two hashes of each kind match. Raises BadQuery."""
    made: dict[str, Any] = {}
    for kind, pair in data.items():
        if len(pair) != 2:
            raise BadQuery(f"{kind}: {len(pair)} values came.", fix="Give two.", code="bad_request")
        first, second = (Query.parse(kind, text) for text in pair)
        apart = (int.from_bytes(first.value) ^ int.from_bytes(second.value)).bit_count()
        limit = DISTANCE_THRESHOLD if first.algorithm == "pdq" else 0
        made[kind] = [apart <= limit, {"distance": str(apart) if first.algorithm == "pdq" else "-"}]
    return made


def _row(key: Key) -> ApiKey:
    return ApiKey.objects.select_related("platform").get(pk=key.number)


def _platform(key: Key) -> Platform:
    return Platform.objects.get(pk=key.platform)


def bank_row(bank: Bank) -> dict[str, Any]:
    return {"name": bank.name, "matching_enabled_ratio": 1.0 if bank.enabled else 0.0}


def list_banks(key: Key) -> list[dict[str, Any]]:
    return [bank_row(bank) for bank in _platform(key).banks.order_by("name")]


def find_bank(key: Key, name: str) -> Bank:
    """A bank that this key's platform may ask; another is as if it did not exist. Raises BadQuery (404)."""
    # What no bank can be called is not asked of the database: PostgreSQL refuses text with NUL.
    bank = _platform(key).banks.filter(name=name).first() if banks.NAME.fullmatch(name) else None
    if bank is None:
        raise BadQuery(f"There is no bank {name[:60]!r} that this key may ask.", code="no_such_bank", status=404)
    return bank


def create_bank(key: Key, name: str, enabled: bool) -> dict[str, Any]:
    """An own bank, which the key's platform may ask at once."""
    row = _row(key)
    bank = banks.make_bank(None, name=name, purpose=f"Made by {row.platform.name} through its key", with_key=row)
    row.platform.banks.add(bank)
    if not enabled:
        bank = banks.change_bank(None, bank, enabled=False, with_key=row)
    return bank_row(bank)


def change_bank(key: Key, name: str, enabled: bool) -> dict[str, Any]:
    return bank_row(banks.change_bank(None, find_bank(key, name), enabled=enabled, with_key=_row(key)))


def _content(bank: Bank, content: int) -> Any:
    row = bank.contents.filter(pk=content).prefetch_related("signals").first() if content < 1 << 62 else None
    if row is None:
        raise BadQuery(f"{bank.name} has no entry {content}.", code="no_such_content", status=404)
    return row


def _content_row(content: Any) -> dict[str, Any]:
    return {"id": content.pk, "signals": {signal.algorithm: signal.value for signal in content.signals.all()}}


def add_content(key: Key, name: str, signals: dict[str, str]) -> dict[str, Any]:
    return _content_row(banks.add_content(None, find_bank(key, name), signals=signals, with_key=_row(key)))


def show_content(key: Key, name: str, content: int) -> dict[str, Any]:
    return _content_row(_content(find_bank(key, name), content))


def withdraw(key: Key, name: str, content: int) -> bool:
    bank = find_bank(key, name)
    if bank.kind == Bank.Kind.OWN:
        _content(bank, content)
    return banks.withdraw(None, bank, content, reason="Withdrawn through the API", with_key=_row(key))


def receive(key: Key, data: Any) -> tuple[PlatformReport, bool]:
    row = _row(key)
    detected = data.detected_at if timezone.is_aware(data.detected_at) else None
    if detected is None:
        raise BadQuery("detected_at has no time zone.", fix="Such as 2026-11-30T14:05:00Z.", code="bad_request")
    return reports.receive_report(
        row.platform,
        signal_type=data.signal_type,
        signal=data.signal,
        detected_at=detected,
        url=data.url,
        content_id=data.content_id,
        uk_linked=data.uk_linked,
        ncmec_report_id=data.ncmec_report_id,
        nca_reference=data.nca_reference,
        request=data.request,
        key=row,
    )


def open_notices(key: Key) -> list[dict[str, Any]]:
    rows = list(TakedownNotice.objects.open().filter(platform=key.platform).order_by("pk")[:MOST])
    due = dict(
        Clock.objects.filter(
            rule=notices.CLOCK, subject_type="exchange.takedownnotice", subject_id__in=[row.pk for row in rows]
        ).values_list("subject_id", "due_at")
    )
    return [
        {"reference": row.reference, "url": row.url, "sent_at": row.sent_at, "due_at": due.get(row.pk)} for row in rows
    ]


def confirm_removal(key: Key, reference: str, removed_at: datetime | None, told_by: str) -> TakedownNotice:
    try:
        number = TakedownNotice.key_of(reference)
    except Http404:
        number = 0
    notice = TakedownNotice.objects.filter(platform=key.platform, pk=number).first()
    if notice is None:
        raise BadQuery(f"There is no notice {reference[:20]!r} to this platform.", code="no_such_notice", status=404)
    return notices.record_removal(None, notice, told_by=told_by, removed_at=removed_at)
