"""Reports of platforms as files: JSON with our field names, and XML in the shape of a CyberTipline report.

The schema of the CyberTipline API and the Schedule of SI 2026/268 were not read. The XML uses the element names that
public client code shows; what nobody could read there is a setting that the site must fill before anything is exported.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from safelight.casework.base.errors import NotPossible
from safelight.casework.base.standards import standards
from safelight.casework.exchange.models import PlatformReport
from safelight.errors import StandardsError

FORMAT = "safelight platform reports 1"


def _required(setting: str) -> str:
    try:
        return str(standards().policy[setting].value)
    except StandardsError as error:
        raise NotPossible(
            f"The site has not set {setting}, which this export must name.",
            fix="The administrator sets it in the site's standards; see safelight standards --required.",
        ) from error


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def as_json(reports: Sequence[PlatformReport]) -> bytes:
    """One object with all reports. Raises NotPossible while ``osa_report_schedule`` is not set."""
    schedule = _required("osa_report_schedule")
    rows: list[dict[str, Any]] = []
    for report in reports:
        hit = report.hit
        rows.append(
            {
                "reference": report.reference,
                "provider": {"name": report.platform.name, "contact_email": report.platform.contact_email},
                "detected_at": _iso(report.detected_at),
                "received_at": _iso(report.received_at),
                "hash": {"type": report.algorithm, "value": report.value},
                "url": report.url or None,
                "content_id": report.content_id or None,
                "uk_linked": report.uk_linked,
                "reported_elsewhere": {"ncmec_report_id": report.ncmec_report_id or None},
                "nca_reference": report.nca_reference or None,
                "known_as": {"bank": hit.bank.name, "entry": hit.content, "distance": hit.distance} if hit else None,
            }
        )
    return json.dumps({"format": FORMAT, "schedule": schedule, "reports": rows}, indent=1).encode()


def as_xml(reports: Sequence[PlatformReport]) -> bytes:
    """One ``reports`` element. Raises NotPossible while ``cybertip_incident_type`` is not set."""
    kind = _required("cybertip_incident_type")
    root = Element("reports")
    for report in reports:
        one = SubElement(root, "report", {"reportId": report.ncmec_report_id or report.reference})
        _child(one, "dateReceived", _iso(report.received_at))
        summary = SubElement(one, "incidentSummary")
        _child(summary, "incidentType", kind)
        _child(summary, "platform", report.platform.name)
        _child(summary, "incidentDateTime", _iso(report.detected_at))
        if report.url:
            _child(SubElement(SubElement(one, "internetDetails"), "webPageIncident"), "url", report.url)
        person = SubElement(SubElement(one, "reporter"), "reportingPerson")
        _child(person, "email", report.platform.contact_email)
        details = SubElement(one, "fileDetails")
        _child(details, "reportId", report.ncmec_report_id or report.reference)
        if report.content_id:
            _child(details, "fileId", report.content_id)
        SubElement(details, "originalFileHash", {"hashType": report.algorithm.upper()}).text = report.value
        said = {None: "not said", True: "yes", False: "no"}[report.uk_linked]
        _child(one, "additionalInfo", f"Known material found by hash. Link with the United Kingdom: {said}.")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="utf-8")


def _child(parent: Element, name: str, text: str) -> None:
    SubElement(parent, name).text = text
