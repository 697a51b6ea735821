"""What platforms report after a hit, and its way to the authority that is due.

Online Safety Act 2023 s.66: content that was reported to a foreign body such as NCMEC is not reported again. The time
frame and the list of fields of SI 2026/268 were not read: the time is the clock ``osa_report_to_nca`` and the fields'
version the setting ``osa_report_schedule``, which the site must set; without it nothing is exported.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.db import transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import must
from safelight.casework.base.values import not_in_future
from safelight.casework.clocks.services import start_clock, stop_clock
from safelight.casework.exchange.exporting import as_json, as_xml
from safelight.casework.exchange.models import ApiKey, Hit, Platform, PlatformReport
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.values import one_line
from safelight.exchange.query import Query

CLOCK = "osa_report_to_nca"
LONGEST_URL = 1000
FORMATS = {"json": "application/json", "xml": "application/xml"}


def address(text: str | None, *, field: str = "url", needed: bool = False) -> str:
    """A web address as it is kept: http or https, in ASCII as browsers send it.

    Raises:
        Invalid: another scheme, characters that no address has, or longer than 1,000.
    """
    url = one_line(text, longest=LONGEST_URL, field=field, what="The address")
    if not url:
        if needed:
            raise Invalid("The address is missing.", fix="Give where the material stands.", field=field)
        return ""
    try:
        parts = urlsplit(url)
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and " " not in url
    except ValueError:
        sound = False
    if not sound:
        raise Invalid("This is no web address.", fix="Give it as a browser shows it: https://...", field=field)
    return url


@transaction.atomic
def receive_report(
    platform: Platform,
    *,
    signal_type: str,
    signal: str,
    detected_at: datetime,
    url: str = "",
    content_id: str = "",
    uk_linked: bool | None = None,
    ncmec_report_id: str = "",
    nca_reference: str = "",
    request: uuid.UUID | None = None,
    key: ApiKey | None = None,
) -> tuple[PlatformReport, bool]:
    """Take a platform's report. One that was made before, here or to NCMEC, is the same report.

    Args:
        signal_type, signal: what hash. detected_at: when the platform found it. url, content_id: where, if it says so.
        uk_linked: whether it has a link with the United Kingdom; None is not said.
        request: the look-up that told of it (the answer's ``request``).

    Returns:
        The report, and whether it is new.

    Raises:
        Invalid: a time in the future, no web address, an unknown request of this platform. BadQuery: a malformed hash.
        NotPossible: the exchange with the platform has ended.
    """
    if platform.closed_at is not None:
        raise NotPossible(f"The exchange with {platform.name} has ended.")
    query = Query.parse(signal_type, signal)
    moment = not_in_future(detected_at, field="detected_at", what="The time of detection")
    ncmec = one_line(ncmec_report_id, longest=40, field="ncmec_report_id", what="NCMEC's number")
    nca = one_line(nca_reference, longest=60, field="nca_reference", what="The NCA's reference")
    where = address(url)
    inside = one_line(content_id, longest=200, field="content_id", what="The content's number")
    hit = None
    if request is not None:
        hit = Hit.objects.filter(platform=platform, request=request).order_by("pk").first()
    same = _same(platform, query, where, inside, ncmec)
    if same is not None:
        return _again(same, ncmec, nca, uk_linked, hit), False
    report = PlatformReport.objects.create(
        platform=platform,
        key=key,
        hit=hit,
        algorithm=query.algorithm,
        value=query.text,
        url=where,
        content_id=inside,
        detected_at=moment,
        received_at=timezone.now(),
        uk_linked=uk_linked,
        ncmec_report_id=ncmec,
        nca_reference=nca,
    )
    record(
        None,
        "platform_report.received",
        report,
        category=Category.COLLECTION,
        payload={
            "platform": platform,
            "key": key,
            "algorithm": query.algorithm,
            "value": query.text,
            "url": fingerprint(where),
            "ncmec": ncmec,
            "nca": nca,
            "hit": hit,
        },
    )
    if uk_linked is not False and not report.reported:
        start_clock(None, CLOCK, report, triggered_at=moment)
    return report, True


def _same(platform: Platform, query: Query, url: str, content_id: str, ncmec: str) -> PlatformReport | None:
    rows = PlatformReport.objects.select_for_update().filter(algorithm=query.algorithm, value=query.text)
    if ncmec:
        found = rows.filter(ncmec_report_id=ncmec).first()
        if found is not None:
            return found
    return rows.filter(platform=platform, url=url, content_id=content_id).first()


def _again(report: PlatformReport, ncmec: str, nca: str, uk_linked: bool | None, hit: Hit | None) -> PlatformReport:
    """The same report once more: what it adds is taken, what it contradicts is refused."""
    for name, said in (("ncmec_report_id", ncmec), ("nca_reference", nca)):
        known = getattr(report, name)
        if said and known and said != known:
            raise Invalid(f"{report.reference} holds another number ({known}).", fix="Check the number.", field=name)
        if said:
            setattr(report, name, said)
    if uk_linked is not None:
        report.uk_linked = uk_linked
    report.hit = report.hit or hit
    report.repeated += 1
    report.save(update_fields=["ncmec_report_id", "nca_reference", "uk_linked", "hit", "repeated"])
    record(
        None,
        "platform_report.repeated",
        report,
        category=Category.COLLECTION,
        payload={"times": report.repeated, "ncmec": ncmec, "nca": nca},
    )
    _settle(None, report)
    return report


def _settle(actor: Any, report: PlatformReport) -> None:
    if report.reported:
        stop_clock(actor, CLOCK, report, reason="Reported")
    elif report.uk_linked is False:
        stop_clock(actor, CLOCK, report, reason="No link with the United Kingdom")
    else:
        start_clock(actor, CLOCK, report, triggered_at=report.detected_at)


@transaction.atomic
def complete_report(
    actor: Any, report: PlatformReport, *, nca_reference: str = "", ncmec_report_id: str = ""
) -> PlatformReport:
    """Write down to whom the finding was reported; its clock stops.

    Raises:
        NotAllowed, Invalid (neither number, or one that another report of the same hash has).
    """
    must(actor, "exchange.manage", what="complete a platform's report")
    row = PlatformReport.objects.select_for_update(of=("self",)).get(pk=report.pk)
    nca = one_line(nca_reference, longest=60, field="nca_reference", what="The NCA's reference")
    ncmec = one_line(ncmec_report_id, longest=40, field="ncmec_report_id", what="NCMEC's number")
    if not nca and not ncmec:
        raise Invalid("Neither reference is given.", fix="Give the NCA's or NCMEC's.", field="nca_reference")
    others = PlatformReport.objects.filter(algorithm=row.algorithm, value=row.value, ncmec_report_id=ncmec)
    other = others.exclude(pk=row.pk).first() if ncmec else None
    if other is not None:
        raise Invalid(f"{other.reference} is that report to NCMEC.", field="ncmec_report_id")
    row.nca_reference, row.ncmec_report_id = nca or row.nca_reference, ncmec or row.ncmec_report_id
    row.save(update_fields=["nca_reference", "ncmec_report_id"])
    record(actor, "platform_report.completed", row, payload={"nca": nca, "ncmec": ncmec})
    _settle(actor, row)
    return row


@transaction.atomic
def export_reports(actor: Any, reports: Iterable[PlatformReport], *, form: str, recipient: str) -> bytes:
    """Reports as a file for an authority: a disclosure, written down with its recipient.

    Args:
        form: ``json`` (our field names) or ``xml`` (the shape of a CyberTipline report, one for each).

    Raises:
        NotAllowed, Invalid (unknown form, no report, no recipient), NotPossible (the site has not set what it must).
    """
    must(actor, "exchange.manage", what="export reports of platforms")
    to = one_line(recipient, longest=160, field="recipient", what="The recipient")
    rows = list(reports)
    if form not in FORMATS:
        raise Invalid(f"There is no format {form!r}.", fix=f"Use {' or '.join(FORMATS)}.", field="form")
    if not to:
        raise Invalid("The recipient is missing.", fix="Say who receives the file.", field="recipient")
    if not rows:
        raise Invalid("There is no report to export.", field="form")
    body = (as_json if form == "json" else as_xml)(rows)
    record(
        actor,
        "platform_report.exported",
        None,
        category=Category.DISCLOSURE,
        recipient=to,
        payload={"form": form, "reports": [row.reference for row in rows]},
    )
    return body
