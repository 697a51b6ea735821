"""Referrals in JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from safelight.casework.referrals.importers import ParsedRecord, Rejected, read

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
REPORT = {
    "source": "platform",
    "reference": "SYN-7",
    "received": "2026-11-03T02:10:00+01:00",
    "summary": "Synthetic report",
    "high_priority": True,
    "suspect": {"screen_names": ["synthetic_user"], "ips": ["192.0.2.7"], "borough": "Camden"},
    "children": [{"given_names": "Ada", "born": "2016-05-04"}],
    "files": [{"name": "a.bin", "md5": "0" * 32, "uploaded": "2026-11-02T23:00:00Z", "ip": "2001:db8::1"}],
}


def records(value: object) -> list[ParsedRecord | Rejected]:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return list(read(content, now=NOW).records)


@pytest.mark.parametrize("wrapped", [{"referrals": [REPORT]}, [REPORT], REPORT])
def test_a_report_is_read_whole(wrapped: object) -> None:
    (one,) = records(wrapped)
    assert isinstance(one, ParsedRecord), one
    assert one.received_at == datetime(2026, 11, 3, 1, 10, tzinfo=UTC) and one.high_priority
    assert one.suspect["identifiers"] == [("screen_name", "synthetic_user"), ("ip", "192.0.2.7")]
    assert one.children[0]["born_precision"] == "day"
    assert one.files[0].ip_address == "2001:db8::1"


def test_lines_of_json_stand_alone() -> None:
    """One broken line would cost every report of the night."""
    lines = [json.dumps(REPORT), '{"source": ', json.dumps({**REPORT, "reference": "SYN-8"})]
    found = records("\n".join(lines).encode())
    assert [(one.number, isinstance(one, ParsedRecord)) for one in found] == [(1, True), (2, False), (3, True)]


def test_a_name_given_twice_is_rejected() -> None:
    """One of two suspects would disappear: JSON readers keep the last and say nothing."""
    (one,) = records(b'{"source": "nca", "source": "public"}')
    assert isinstance(one, Rejected) and "given twice" in one.reason


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[" * 5_000, "nested"),
        (b'{"a": ' * 900 + b"1" + b"}" * 900, "nested"),
        (b'{"referrals": 5}', "must be a list"),
        (b'{"referrals": [], "version": 9}', "version"),
        (b'{"referrals": []}', "no report"),
        (b"[1]", "not an object"),
        (b"[NaN]", "NaN"),
        (b"{", "not JSON"),
    ],
)
def test_what_is_no_report_is_rejected_with_a_reason(content: bytes, said: str) -> None:
    (one,) = records(content)
    assert isinstance(one, Rejected) and said in one.reason


def test_unknown_names_in_a_person_are_rejected_and_beside_it_kept() -> None:
    """A misspelt 'familyname' would make a suspect without a name."""
    (one,) = records({**REPORT, "suspect": {"familyname": "Synthetic"}})
    assert isinstance(one, Rejected) and "familyname" in one.reason
    (one,) = records({**REPORT, "officer": {"name": "Synthetic"}})
    assert '"name": "Synthetic"' in one.summary


def test_half_a_surrogate_is_rejected_and_its_text_can_be_stored() -> None:
    (one,) = records(b'[{"source": "nca", "reference": "a\\ud800", "received": "2026-11-03", "summary": "S"}]')
    assert isinstance(one, Rejected)
    one.raw.encode()


@pytest.mark.parametrize(
    "embedded", ["QUJD" * 200, "data:image/png;base64," + "QUJD" * 90, ("QUJD" * 19 + "\n") * 9, "ff d8 " * 200]
)
def test_no_embedded_picture_is_ever_kept(embedded: str) -> None:
    """A picture of abuse would lie in our database as text, readable by everybody at the desk."""
    found = [
        *records({**REPORT, "summary": f"See {embedded}"}),
        *records({**REPORT, "thumbnail": embedded}),
        *records({**REPORT, "source": "pigeon", "thumbnail": embedded}),
        *records(b'{"broken": "' + embedded.replace("\n", "\\n").encode()),
    ]
    assert len(found) == 4
    for one in found:
        kept = str(one)
        assert "QUJDQUJDQUJD" not in kept and "ff d8 ff d8 ff d8" not in kept
        assert "embedded content" in kept
