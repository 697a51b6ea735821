"""Two files as they might arrive at the referral desk, with faults on purpose, so that something is quarantined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_CSV = """reference,received,source,summary,platform,borough,family_name,given_names,born,screen_names
SYN-CSV-1,{first},platform,Synthetic report by a company that does not exist,PhotoSample,Camden,\
Synthetic-Tern,Olive,1981-04-02,synthetic_csv_1
SYN-CSV-2,{second},platform,A second report,ChatExample,Islington,Synthetic-Ruff,Elm,,synthetic_csv_2
SYN-CSV-2,{second},platform,A second report,ChatExample,Islington,Synthetic-Ruff,Elm,,synthetic_csv_2
SYN-CSV-3,not a date,platform,No time can be read,ChatExample,Camden,Synthetic-Kite,Ash,,synthetic_csv_3
,{third},platform,No sender's number,ChatExample,Camden,Synthetic-Coot,Fir,,synthetic_csv_4
"""

_XML = """<?xml version="1.0" encoding="UTF-8"?>
<report xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <reportId>990000001</reportId>
  <incidentSummary>
    <incidentType>Child Pornography (possession, manufacture, and distribution)</incidentType>
    <platform>CloudPretend</platform>
    <escalateToHighPriority>Synthetic: made for the demo</escalateToHighPriority>
    <incidentDateTime>{first}</incidentDateTime>
  </incidentSummary>
  <internetDetails><webPageIncident><url>https://cloudpretend.example/u/synthetic</url></webPageIncident></internetDetails>
  <reporter><reportingPerson><firstName>Demo</firstName><lastName>Reporter</lastName></reportingPerson></reporter>
  <personOrUserReported>
    <espIdentifier>900001</espIdentifier>
    <screenName>synthetic_xml_1</screenName>
    <ipCaptureEvent>
      <ipAddress>192.0.2.44</ipAddress><eventName>Upload</eventName><dateTime>{first}</dateTime>
    </ipCaptureEvent>
  </personOrUserReported>
</report>
"""


def example_imports(now: datetime) -> list[tuple[str, bytes]]:
    """(file name, content) of each, with reports of the hours before ``now``.

    Every name in them is synthetic, and every address is reserved for documentation.
    """
    times = {
        name: (now - timedelta(hours=hours)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        for name, hours in (("first", 30), ("second", 29), ("third", 27))
    }
    return [
        ("synthetic-referrals.csv", _CSV.format(**times).encode()),
        ("synthetic-cybertip.xml", _XML.format(**times).encode()),
    ]
