"""CyberTipline-style XML reports.

Element names follow public client code of the reporting interface (domain notes; the schema itself was not read):
report{incidentSummary{incidentType, platform, escalateToHighPriority, reportAnnotations, incidentDateTime},
internetDetails, lawEnforcement, reporter{reportingPerson}, personOrUserReported{espIdentifier, screenName, profileUrl,
email, ipCaptureEvent{ipAddress, eventName, dateTime}}, intendedRecipient, victim, additionalInfo},
fileDetails{reportId, fileId, originalFileName, ipCaptureEvent}.

A file holds one report or several under any outer element; namespaces are ignored. Document types, entities and
anything external are refused before they are read (``defusedxml``), so that an XML bomb costs nothing. What is not
mapped is kept as text at the end of the summary.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException, DTDForbidden, EntitiesForbidden, ExternalReferenceForbidden
from defusedxml.ElementTree import fromstring

from safelight.casework.referrals.importers.cybertip_parts import (
    Used,
    annotations,
    child_text,
    children,
    file_fields,
    first,
    person_fields,
    said_yes,
    tag,
)
from safelight.casework.referrals.importers.record import ParsedRecord, Rejected, build, rejected

DEEPEST = 60
_REFUSED = {
    DTDForbidden: "it declares a document type",
    EntitiesForbidden: "it declares entities (an XML bomb is made of them)",
    ExternalReferenceForbidden: "it refers to something outside the file",
}


def parse(content: bytes, *, now: datetime) -> Iterator[ParsedRecord | Rejected]:
    """Every report of the file in order; nothing is left out. A file that is refused or broken is one rejected record.

    Args:
        content: the file as it came; its own XML declaration says the encoding.
    """
    try:
        root = fromstring(content, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException as error:
        why = _REFUSED.get(type(error), "it uses a forbidden part of XML")
        # Not a word of it is kept: it was made to do harm, and says nothing about a child.
        yield rejected(1, f"The XML was refused: {why}. Ask the sender for a report without it.", "")
        return
    except (ParseError, ValueError, LookupError) as error:
        yield rejected(1, f"The XML cannot be read: {error}.", content[:2_000].decode("latin-1"))
        return
    if _depth(root) > DEEPEST:
        yield rejected(1, f"The XML is nested more than {DEEPEST} elements deep.", "")
        return
    reports = [root] if tag(root) == "report" else [one for one in root.iter() if tag(one) == "report"]
    if not reports:
        yield rejected(1, f"The XML holds no 'report' element; its outer element is {tag(root)!r}.", _text(root))
        return
    loose = [one for one in root.iter() if tag(one) == "fileDetails"]
    for number, report in enumerate(reports, start=1):
        yield _report(number, report, loose, len(reports) == 1, root, now)
    if root not in reports:
        yield from _leftovers(root, reports, len(reports))


def _depth(root: Element) -> int:
    deepest, stack = 1, [(root, 1)]
    while stack:
        element, level = stack.pop()
        deepest = max(deepest, level)
        if level <= DEEPEST:
            stack.extend((child, level + 1) for child in element)
    return deepest


def _text(element: Element) -> str:
    return tostring(element, encoding="unicode")


def _leftovers(root: Element, reports: list[Element], count: int) -> Iterator[Rejected]:
    """File details that name no report of this file would be lost: they go to quarantine."""
    known = {reference(report) for report in reports}
    inside = {id(one) for report in reports for one in report.iter()}
    orphans = [one for one in root.iter() if tag(one) == "fileDetails" and id(one) not in inside]
    for one in orphans:
        named = child_text(one, "reportId")
        if named not in known and not (count == 1 and not named):
            count += 1
            yield rejected(count, f"File details name report {named[:40]!r}, which is not in this file.", _text(one))


def reference(report: Element) -> str:
    """The sender's number of a report: an attribute or element ``reportId`` or ``id``, or that of its files."""
    for name in ("reportId", "id"):
        if report.get(name, "").strip():
            return report.get(name, "").strip()
    for name in ("reportId", "id"):
        if child_text(report, name):
            return child_text(report, name)
    return next((child_text(one, "reportId") for one in report.iter() if tag(one) == "fileDetails"), "")


def _report(
    number: int, report: Element, loose: list[Element], alone: bool, root: Element, now: datetime
) -> ParsedRecord | Rejected:
    used = Used()
    ref = reference(report)
    inside = {id(one) for one in report.iter()}
    files = [
        one
        for one in loose
        if id(one) in inside or (child_text(one, "reportId") == ref if child_text(one, "reportId") else alone)
    ]
    if not ref and alone and files:
        ref = next((child_text(one, "reportId") for one in files if child_text(one, "reportId")), "")
    if not ref and alone:
        ref = child_text(root, "reportId") or child_text(first(root, "reportResponse"), "reportId")
    summary = first(report, "incidentSummary")
    suspects = [person_fields(one, used) for one in children(report, "personOrUserReported")]
    victims = [person_fields(one, used) for one in children(report, "victim")]
    reporters = [person_fields(one, used) for one in children(first(report, "reporter"), "reportingPerson")]
    made: dict[str, Any] = {
        "source": "cybertip",
        "reference": ref,
        "received": report.get("dateReceived")
        or used.text(report, "dateReceived")
        or used.text(report, "receivedDateTime"),
        "incident_type": used.text(summary, "incidentType"),
        "platform": used.text(summary, "platform"),
        "incident_time": used.text(summary, "incidentDateTime"),
        "high_priority": said_yes(summary, "escalateToHighPriority", used),
        "suspect": suspects[0] if suspects else None,
        "more_suspects": suspects[1:],
        "children": victims,
        "reporter": reporters[0] if reporters else None,
        "files": [file_fields(one, used) for one in files],
    }
    told = [
        *([f"{made['incident_type']}."] if made["incident_type"] else []),
        *([f"The sender marks it: {', '.join(found)}."] if (found := annotations(summary, used)) else []),
        *[text for one in children(report, "additionalInfo") if (text := used.take(one))],
    ]
    made["summary"] = "\n".join(told) or "The report gives no summary."
    used.mark_names(report, ("reportId", "id"))
    return build(number, _text(report), made, extras=used.rest(report), now=now)
