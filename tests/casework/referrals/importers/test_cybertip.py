"""CyberTipline-style XML: read whatever the namespace; a bomb costs nothing."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest

from safelight.casework.referrals.importers import ParsedRecord, Rejected, read

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
REPORT = """<?xml version="1.0" encoding="UTF-8"?>
<report{ns} reportId="90000001">
  <incidentSummary>
    <incidentType>Synthetic incident type</incidentType>
    <platform>Example Chat</platform>
    <escalateToHighPriority>Synthetic: child may be in danger</escalateToHighPriority>
    <reportAnnotations><sextortion/><spam>false</spam></reportAnnotations>
    <incidentDateTime>2026-11-01T22:15:00Z</incidentDateTime>
  </incidentSummary>
  <internetDetails><chatImIncident><chatClient>Example Client</chatClient></chatImIncident></internetDetails>
  <reporter><reportingPerson><firstName>Example</firstName><lastName>Reporter</lastName>
    <email>desk@example.test</email></reportingPerson></reporter>
  <personOrUserReported>
    <personOrUserReportedPerson><lastName>Synthetic</lastName><age>41</age>
      <address><address>1 Example Street</address><city>London</city><zipCode>NW1 1AA</zipCode></address>
    </personOrUserReportedPerson>
    <espIdentifier>acc-7</espIdentifier><screenName>synthetic_user</screenName>
    <profileUrl>https://chat.example.test/synthetic_user</profileUrl><email>user@example.test</email>
    <ipCaptureEvent><ipAddress>192.0.2.7</ipAddress><eventName>Login</eventName>
      <dateTime>2026-11-01T22:00:00Z</dateTime></ipCaptureEvent>
  </personOrUserReported>
  <victim><victimPerson><firstName>Ada</firstName><age>7</age></victimPerson></victim>
  <additionalInfo>Synthetic additional information.</additionalInfo>
  <fileDetails><reportId>90000001</reportId><fileId>f1</fileId><originalFileName>a.bin</originalFileName>
    <originalFileHash hashType="MD5">00000000000000000000000000000000</originalFileHash>
    <ipCaptureEvent><ipAddress>192.0.2.8</ipAddress><dateTime>2026-11-01T22:10:00Z</dateTime></ipCaptureEvent>
  </fileDetails>
</report>"""


def records(text: str | bytes) -> list[ParsedRecord | Rejected]:
    content = text if isinstance(text, bytes) else text.encode()
    reading = read(content, now=NOW)
    assert reading.format == "xml"
    return list(reading.records)


@pytest.mark.parametrize("ns", ["", ' xmlns="https://report.example.test/xsd"'])
def test_a_report_is_read_whole_whatever_its_namespace(ns: str) -> None:
    (one,) = records(REPORT.format(ns=ns))
    assert isinstance(one, ParsedRecord), one
    assert (one.source, one.source_reference, one.platform) == ("cybertip", "90000001", "Example Chat")
    assert one.high_priority and one.incident_at == datetime(2026, 11, 1, 22, 15, tzinfo=UTC)
    assert one.suspect["family_name"] == "Synthetic" and one.suspect["postcode"] == "NW1 1AA"
    assert set(one.suspect["identifiers"]) == {
        ("account", "acc-7"), ("screen_name", "synthetic_user"), ("email", "user@example.test"),
        ("profile", "https://chat.example.test/synthetic_user"), ("ip", "192.0.2.7"),
    }  # fmt: skip
    assert one.children[0]["given_names"] == "Ada" and one.reporter["family_name"] == "Reporter"
    assert (one.files[0].md5, one.files[0].ip_address) == ("0" * 32, "192.0.2.8")


def test_what_is_not_mapped_is_kept_as_text() -> None:
    """The one line that names the school would be lost."""
    (one,) = records(REPORT.format(ns=""))
    for words in ("sextortion", "additional information", "Example Client", "child may be in danger", "Login", "f1"):
        assert words in one.summary
    assert "spam" not in one.summary.split("Also in the report:")[0]


def test_several_reports_in_one_file_keep_their_own_files() -> None:
    """A file's digest would be held against the wrong man."""
    body = """<reports><report><reportId>1</reportId></report><report><reportId>2</reportId></report>
      <fileDetails><reportId>2</reportId><originalFileName>two.bin</originalFileName></fileDetails>
      <fileDetails><reportId>3</reportId><originalFileName>three.bin</originalFileName></fileDetails></reports>"""
    one, two, orphan = records(body)
    assert one.files == () and two.files[0].name == "two.bin"
    assert isinstance(orphan, Rejected) and "'3'" in orphan.reason


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(20))
    + "]><report><reportId>&t;</reportId></report>"
)


@pytest.mark.parametrize(
    "hostile",
    [
        BOMB,
        '<!DOCTYPE r SYSTEM "http://example.test/x.dtd"><report/>',
        '<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><report><reportId>&x;</reportId></report>',
    ],
    ids=["bomb", "external type", "external entity"],
)
def test_an_xml_bomb_is_refused_at_once_and_nothing_of_it_is_kept(hostile: str) -> None:
    """One hostile file would stop the desk for the night."""
    begun = time.perf_counter()
    (one,) = records(hostile)
    assert time.perf_counter() - begun < 1
    assert isinstance(one, Rejected) and "refused" in one.reason and one.raw == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("<report><reportId>1</reportId>", "cannot be read"),
        ("<report/>", "reference is missing"),
        ("<something/>", "no 'report' element"),
        ("<report>" + "<a>" * 500 + "</a>" * 500 + "</report>", "deep"),
        ('<?xml version="1.0" encoding="no-such"?><report/>', "cannot be read"),
        (
            "<report><reportId>1</reportId><incidentSummary><incidentDateTime>soon</incidentDateTime></incidentSummary>"
            "</report>",
            "incident_time",
        ),
    ],
)
def test_broken_xml_is_rejected_with_a_reason(content: str, said: str) -> None:
    (one,) = records(content)
    assert isinstance(one, Rejected) and said in one.reason


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig", "iso-8859-1"])
def test_the_declared_encoding_is_followed(encoding: str) -> None:
    name = {"utf-8-sig": "utf-8"}.get(encoding, encoding)
    body = "<report><reportId>1</reportId><additionalInfo>Zoë</additionalInfo></report>"
    text = f'<?xml version="1.0" encoding="{name}"?>{body}'
    (one,) = records(text.encode(encoding))
    assert "Zoë" in one.summary
