"""What platforms call: look-ups in the shape of HMA (Hasher-Matcher-Actioner), batches, banks, reports, removals.

Served by `safelight exchange serve` alone, never beside the pages: it has no sessions, no cookies and no user. Look-ups
touch no database (docs/decisions/0020); reports and banks do.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Schema, Status
from pydantic import StrictBool

from safelight.casework.exchange import api_work
from safelight.casework.exchange.api_frame import REFUSALS, Moment, api, problem, service
from safelight.exchange.banks import Answer
from safelight.exchange.errors import BadQuery
from safelight.exchange.query import ALGORITHMS, ALIASES, Query

REQUEST_ID = "X-Safelight-Request"


class SignalIn(Schema):
    """One hash: pdq, md5 (also called video_md5), sha1 or sha256, and its hexadecimal digits."""

    signal_type: str
    signal: str


class BatchIn(Schema):
    """Up to 1,000 hashes."""

    queries: list[SignalIn]


class MatchOut(Schema):
    bank_content_id: int
    distance: str


class BatchRow(Schema):
    matches: dict[str, list[MatchOut]]
    more_in: list[str]


class BatchOut(Schema):
    """`results` in the order of the queries. `more_in` names banks in which more entries match than are listed."""

    request: uuid.UUID
    results: list[BatchRow]


_PHOTO = {
    "type": "object", "required": ["photo"], "properties": {"photo": {"type": "string", "format": "binary"}},
}  # fmt: skip
#: What calls take that read their body themselves, for the description.
PICTURE: dict[str, Any] = {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": _PHOTO}}}}
HASH_OR_PICTURE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": SignalIn.model_json_schema()}, "multipart/form-data": {"schema": _PHOTO},
        },
    }
}  # fmt: skip


def _banks(answer: Answer, only: Iterable[str] | None = None) -> dict[str, list[dict[str, Any]]]:
    made: dict[str, list[dict[str, Any]]] = {}
    for hit in answer.hits:
        if only is None or hit.name in only:
            made.setdefault(hit.name, []).append({"bank_content_id": hit.content, "distance": str(hit.distance)})
    return made


def _only(banks: str) -> set[str] | None:
    return {name.strip() for name in banks.split(",") if name.strip()} or None


def _answer(value: Any, request: uuid.UUID) -> HttpResponse:
    made = HttpResponse(api_work.encode(value), content_type="application/json")
    made[REQUEST_ID] = str(request)
    return made


def _no_addresses(url: str) -> None:
    if url:
        raise BadQuery(
            "This service fetches no addresses.", fix="Send the picture's bytes, or its hash.", code="no_fetching"
        )


def _photo(request: HttpRequest) -> bytes:
    files = list(request.FILES.values())
    if len(files) != 1:
        raise BadQuery(
            f"{len(files)} files came.", fix="Send one picture as the form field 'photo'.", code="no_picture"
        )
    return bytes(files[0].read())


@api.get("/m/lookup", response={200: dict[str, list[MatchOut]], **REFUSALS}, summary="Look up one hash (HMA)")
def lookup_get(
    request: Any,
    signal_type: str = "",
    signal: str = "",
    banks: str = "",
    url: str = "",
    seed: str = "",
    bypass_coinflip: str = "",
) -> HttpResponse:
    """Banks that hold a match, with entry numbers and distances. An empty object: no match.

    Prefer POST: proxies write addresses down. `seed` and `bypass_coinflip` are taken and change nothing: all matching
    is on.
    """
    _no_addresses(url)
    return _one(request, signal_type, signal, banks)


def _one(request: Any, signal_type: str, signal: str, banks: str) -> HttpResponse:
    if not signal_type and not signal:
        raise BadQuery("Nothing was asked.", fix="Give signal_type and signal, or a picture.", code="nothing_asked")
    told = service().look_up(request.auth, [Query.parse(signal_type, signal)])
    return _answer(_banks(told.answers[0], _only(banks)), told.request)


@api.post(
    "/m/lookup",
    response={200: dict[str, Any], **REFUSALS},
    summary="Look up one hash (JSON), or a picture by its bytes (multipart field photo)",
    openapi_extra=HASH_OR_PICTURE,
)
def lookup_post(request: Any, banks: str = "", url: str = "") -> HttpResponse:
    """A hash: the body is `{"signal_type": ..., "signal": ...}`, the answer as of GET.

    A picture: its bytes are hashed in memory and kept nowhere; the answer has one entry for each kind of hash. A
    picture too flat for PDQ (quality below 50) is looked up by its exact digests only.
    """
    _no_addresses(url)
    if request.content_type == "multipart/form-data":
        hashed, told = service().look_up_picture(request.auth, _photo(request))
        rows = zip(hashed.queries, told.answers, strict=True)
        return _answer({query.algorithm: _banks(answer, _only(banks)) for query, answer in rows}, told.request)
    asked = api_work.parse(request, SignalIn)
    return _one(request, asked.signal_type, asked.signal, banks)


@api.post("/m/lookup_batch", response={200: BatchOut, **REFUSALS}, summary="Look up many hashes at once")
def lookup_batch(request: Any, data: BatchIn) -> HttpResponse:
    """Up to 1,000 hashes of any kinds; one that is malformed refuses the batch and is named."""
    service().admit(request.auth, "lookup")
    queries = [Query.parse(one.signal_type, one.signal, f"Query {place}") for place, one in enumerate(data.queries)]
    told = service().look_up(request.auth, queries)
    results = [{"matches": _banks(answer), "more_in": list(answer.cut)} for answer in told.answers]
    return _answer({"request": str(told.request), "results": results}, told.request)


@api.get("/m/raw_lookup", response={200: dict[str, Any], **REFUSALS}, summary="Entry numbers that match (HMA)")
def raw_lookup(request: Any, signal_type: str, signal: str, include_distance: bool = False) -> HttpResponse:
    """`{"matches": [...]}`: numbers, or objects with `content_id`, `bank` and `distance`."""
    told = service().look_up(request.auth, [Query.parse(signal_type, signal)])
    hits = told.answers[0].hits
    rows: list[Any] = [hit.content for hit in hits]
    if include_distance:
        rows = [{"content_id": hit.content, "bank": hit.name, "distance": str(hit.distance)} for hit in hits]
    return _answer({"matches": rows}, told.request)


@api.post("/m/compare", response={200: dict[str, Any], **REFUSALS}, summary="Compare two hashes of one kind (HMA)")
def compare(request: Any, data: Body[dict[str, list[str]]]) -> HttpResponse:
    """`{"pdq": [a, b]}` gives `{"pdq": [match, {"distance": d}]}`. Nothing is looked up."""
    service().admit(request.auth, "lookup")
    return HttpResponse(api_work.encode(api_work.compare(data)), content_type="application/json")


@api.post("/h/hash", response={200: dict[str, str], **REFUSALS}, summary="Hash a picture (HMA)", openapi_extra=PICTURE)
def hash_picture(request: Any) -> dict[str, str]:
    """The hashes of the picture in the form field `photo`; it is looked up nowhere and kept nowhere."""
    hashed = service().hash_picture(request.auth, _photo(request))
    return {query.algorithm: query.text for query in hashed.queries}


@api.get("/m/index/status", response={200: dict[str, Any], **REFUSALS}, summary="What is served (HMA)")
def index_status(request: Any, signal_type: str = "") -> dict[str, Any]:
    service().admit(request.auth)
    names = [signal_type] if signal_type else list(ALGORITHMS)
    for name in names:
        if ALIASES.get(name, name) not in ALGORITHMS:
            raise BadQuery(f"There is no signal type {name!r}.", code="unknown_signal_type")
    size = sum(bank["entries"] for bank in service().banks.counts())
    return {name: {"present": True, "built_to": service().banks.version, "size": size} for name in names}


@api.get("/c/signal_type", response={200: list[dict[str, Any]], **REFUSALS}, summary="Kinds of hash (HMA)")
def signal_types(request: Any) -> list[dict[str, Any]]:
    service().admit(request.auth)
    return [{"name": name, "enabled_ratio": 1.0} for name in (*ALGORITHMS, *ALIASES)]


@api.get("/c/content_type", response={200: list[dict[str, Any]], **REFUSALS}, summary="Kinds of content (HMA)")
def content_types(request: Any) -> list[dict[str, Any]]:
    service().admit(request.auth)
    return [{"name": name, "enabled": True} for name in ("photo", "video")]


@api.get("/status", response={200: dict[str, Any], **REFUSALS}, summary="Whether look-ups are answered")
def status(request: Any) -> Any:
    service().admit(request.auth)
    said = service().problem
    return problem("stale", f"Look-ups go on, but changes are not taken in: {said}", 503) if said else {"status": "ok"}


class BankIn(Schema):
    name: str
    enabled: StrictBool = True


class BankChange(Schema):
    enabled: StrictBool


class BankOut(Schema):
    name: str
    matching_enabled_ratio: float


class ContentOut(Schema):
    id: int
    signals: dict[str, str]


def _curator(request: Any) -> Any:
    return service().admit(request.auth, "curate")


@api.get("/c/banks", response={200: list[BankOut], **REFUSALS}, summary="Banks this key may ask (HMA)")
def list_banks(request: Any) -> list[dict[str, Any]]:
    key = service().admit(request.auth)
    return api_work.list_banks(key)


@api.post("/c/banks", response={201: BankOut, **REFUSALS}, summary="Make an own bank (HMA)")
def create_bank(request: Any, data: BankIn) -> Any:
    return Status(201, api_work.create_bank(_curator(request), data.name, data.enabled))


@api.get("/c/bank/{name}", response={200: BankOut, **REFUSALS}, summary="One bank (HMA)")
def show_bank(request: Any, name: str) -> dict[str, Any]:
    return api_work.bank_row(api_work.find_bank(service().admit(request.auth), name))


@api.put("/c/bank/{name}", response={200: BankOut, **REFUSALS}, summary="Switch a bank on or off (HMA)")
def change_bank(request: Any, name: str, data: BankChange) -> dict[str, Any]:
    return api_work.change_bank(_curator(request), name, data.enabled)


@api.delete("/c/bank/{name}", response={200: dict[str, str], **REFUSALS}, summary="Switch a bank off (HMA)")
def delete_bank(request: Any, name: str) -> dict[str, str]:
    """Nothing is deleted: the bank is no longer looked into."""
    api_work.change_bank(_curator(request), name, False)
    return {"message": "Done"}


@api.post(
    "/c/bank/{name}/content",
    response={200: ContentOut, **REFUSALS},
    summary="Add a picture's hashes (HMA)",
    openapi_extra=PICTURE,
)
def add_picture(request: Any, name: str, url: str = "") -> dict[str, Any]:
    """The picture in the form field `photo` is hashed in memory; only its hashes are kept."""
    key = _curator(request)
    _no_addresses(url)
    hashed = service().hash_picture(request.auth, _photo(request))
    return api_work.add_content(key, name, {query.algorithm: query.text for query in hashed.queries})


@api.post("/c/bank/{name}/signal", response={200: ContentOut, **REFUSALS}, summary="Add hashes (HMA)")
def add_signals(request: Any, name: str, data: Body[dict[str, str]]) -> dict[str, Any]:
    return api_work.add_content(_curator(request), name, data)


@api.get("/c/bank/{name}/content/{content}", response={200: ContentOut, **REFUSALS}, summary="One entry (HMA)")
def show_content(request: Any, name: str, content: int) -> dict[str, Any]:
    return api_work.show_content(_curator(request), name, content)


@api.delete("/c/bank/{name}/content/{content}", response={200: dict[str, int], **REFUSALS}, summary="Withdraw (HMA)")
def delete_content(request: Any, name: str, content: int) -> dict[str, int]:
    return {"deleted": int(api_work.withdraw(_curator(request), name, content))}


class ReportIn(Schema):
    """What was found. `request` is the X-Safelight-Request of the look-up that told of it."""

    signal_type: str
    signal: str
    detected_at: Moment
    url: str = ""
    content_id: str = ""
    uk_linked: StrictBool | None = None
    ncmec_report_id: str = ""
    nca_reference: str = ""
    request: uuid.UUID | None = None


class ReportOut(Schema):
    reference: str
    duplicate: bool
    reported: bool


@api.post("/reports", response={200: ReportOut, 201: ReportOut, **REFUSALS}, summary="Report what was found")
def report(request: Any, data: ReportIn) -> Any:
    """201 for a new report; 200 for one that was made before, to us or, by its number, to NCMEC."""
    key = service().admit(request.auth, "report")
    made, new = api_work.receive(key, data)
    said = {"reference": made.reference, "duplicate": not new, "reported": made.reported}
    return Status(201 if new else 200, said)


class NoticeOut(Schema):
    reference: str
    url: str
    sent_at: datetime
    due_at: datetime | None


class RemovalIn(Schema):
    removed_at: Moment | None = None
    told_by: str = "The platform, by its key"


@api.get("/notices", response={200: list[NoticeOut], **REFUSALS}, summary="Open takedown notices to this platform")
def open_notices(request: Any) -> list[dict[str, Any]]:
    return api_work.open_notices(service().admit(request.auth, "report"))


@api.post("/notices/{reference}/removed", response={200: dict[str, str], **REFUSALS}, summary="Confirm a removal")
def removed(request: Any, reference: str, data: RemovalIn) -> dict[str, str]:
    key = service().admit(request.auth, "report")
    return {"reference": api_work.confirm_removal(key, reference, data.removed_at, data.told_by).reference}
