"""Importing a file of referrals: every record ends as accepted, already held or quarantined, and is shown as such."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid
from safelight.casework.base.rights import need
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.referrals.importers import ParsedRecord, Rejected, read
from safelight.casework.referrals.importers.record import clean_raw, rejected
from safelight.casework.referrals.models import ImportBatch, ImportLine, Referral
from safelight.casework.referrals.services import record_referral

MOST_BYTES = 10 * 1024 * 1024
MOST_RECORDS = 1_000  # one request, one transaction: about ten seconds on a small machine
Outcome = ImportLine.Outcome


@transaction.atomic
def import_file(actor: Any, *, name: str, content: bytes) -> ImportBatch:
    """Import a file of referrals (CSV, our JSON, CyberTipline-style XML; found by content).

    Each record is all or nothing in its own savepoint. What cannot be recorded goes to quarantine with its reason and
    text; a file that cannot be read at all is one quarantined record. The same file again makes nothing new.

    Args:
        name: the file's name, for people only.
        content: its bytes, at most 10 MB and 1,000 reports.

    Raises:
        NotAllowed: the role may not.
        Invalid: the file is empty, too large or holds too many records; nothing is written.
    """
    need(
        actor, "referrals.import", what="Your role may not import referrals.", fix="Pass the file to the referral desk."
    )
    if not content.strip(b"\x00 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise Invalid("The file is empty.", fix="Choose another file.", field="file")
    if len(content) > MOST_BYTES:
        raise Invalid(
            f"The file has {len(content):,} bytes; at most {MOST_BYTES:,} can be imported at once.",
            fix="Ask the sender to split it.",
            field="file",
        )
    reading = read(content, now=timezone.now())
    records = list(_at_most(reading.records))
    if not records:
        raise Invalid("The file holds a heading but no report.", fix="Check that it is the right file.", field="file")
    digest = sha256(content).hexdigest()
    earlier = _still_quarantined(digest)
    batch = ImportBatch.objects.create(
        file_name=_file_name(name),
        sha256=digest,
        format=reading.format[:20],
        imported_at=timezone.now(),
        imported_by=actor,
    )
    lines = [_take(actor, batch, one, earlier) for one in records]
    ImportLine.objects.bulk_create(lines, batch_size=500)
    counts = {str(outcome): sum(line.outcome == outcome for line in lines) for outcome in Outcome}
    record(
        actor,
        "referral.imported",
        batch,
        category=Category.COLLECTION,
        payload={"format": batch.format, "sha256": digest, "bytes": len(content), **counts},
    )
    for line in lines:
        if line.outcome == Outcome.QUARANTINED:
            record(actor, "referral.quarantined", batch, category=Category.COLLECTION, payload={"record": line.number})
    return batch


def _at_most(records: Any) -> Any:
    for count, one in enumerate(records, start=1):
        if count > MOST_RECORDS:
            raise Invalid(
                f"The file holds more than {MOST_RECORDS:,} reports.", fix="Ask the sender to split it.", field="file"
            )
        yield one


def _file_name(name: str) -> str:
    """The last part of a path as a browser sends it, in characters that can be kept."""
    last = clean_raw(name.replace("\\", "/").rpartition("/")[2])
    return "".join(c if c.isprintable() else "�" for c in last)[:255] or "file without a name"


def _still_quarantined(digest: str) -> dict[int, ImportLine]:
    """Records of the same file that wait in quarantine since an earlier import, by number."""
    lines = ImportLine.objects.filter(
        batch__sha256=digest, outcome=Outcome.QUARANTINED, resolved_at=None
    ).select_related("batch")
    return {line.number: line for line in lines}


def _take(actor: Any, batch: ImportBatch, one: ParsedRecord | Rejected, earlier: dict[int, ImportLine]) -> ImportLine:
    """What becomes of one record, as a line that is not yet saved."""
    line = ImportLine(batch=batch, number=one.number)
    if isinstance(one, ParsedRecord):
        try:
            referral, created = _record(actor, batch, one)
        except Invalid as error:
            one = rejected(one.number, str(error), one.raw)
        else:
            line.referral = referral
            if created:
                line.outcome = Outcome.ACCEPTED
                return line
            line.outcome = Outcome.DUPLICATE
            told = _different(referral, one)
            line.reason = f"Already held as {referral.reference}."
            if told:
                # What a copy says differently is kept with the line: it may be news about a child.
                line.reason = f"{line.reason} This copy differs in: {', '.join(told)}."
                line.raw = one.raw
            return line
    assert isinstance(one, Rejected)
    waiting = earlier.get(one.number)
    if waiting is not None:
        line.outcome = Outcome.DUPLICATE
        line.reason = f"In quarantine since {waiting.batch.reference}, record {waiting.number}."
        return line
    line.outcome, line.reason, line.raw = Outcome.QUARANTINED, one.reason, one.raw
    return line


def _record(actor: Any, batch: ImportBatch, one: ParsedRecord) -> tuple[Referral, bool]:
    return record_referral(
        actor,
        source=one.source,
        source_reference=one.source_reference,
        received_at=one.received_at,
        summary=one.summary,
        suspect=one.suspect,
        more_suspects=one.more_suspects,
        children=one.children,
        reporter=one.reporter,
        incident_type=one.incident_type,
        platform=one.platform,
        incident_at=one.incident_at,
        high_priority=one.high_priority,
        live_contact=one.live_contact,
        borough=one.borough,
        files=one.files,
        batch=batch,
    )


def _different(referral: Referral, one: ParsedRecord) -> list[str]:
    """What a copy of a held report says differently, by name."""
    told = []
    if one.summary != referral.summary:
        told.append("summary")
    for name, words in (("incident_type", "incident type"), ("platform", "platform"), ("incident_at", "incident time")):
        new = getattr(one, name)
        if new and new != getattr(referral, name):
            told.append(words)
    if len(one.files) > referral.files.count():
        told.append("files")
    named = len(one.children) + len(one.more_suspects) + bool(one.suspect) + bool(one.reporter)
    if named > referral.people.count():
        told.append("people")
    return told
