"""The record goes through JSON whole, and a record that was tampered with or cut is refused with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.triage.samples import finding, result

from safelight.errors import EvidenceError
from safelight.triage.codec import decode, encode
from safelight.triage.model import Extent, FileEntry, Times


def test_round_trip() -> None:
    """A report folder from a field laptop could not be imported."""
    entry = FileEntry(0, "a/b", 5, "1/2/3", times=Times(datetime(2020, 1, 2, tzinfo=UTC)), extents=(Extent(1, 5),))
    assert decode(FileEntry, json.loads(json.dumps(encode(entry)))) == entry
    whole = result(findings=(finding(), finding(kind="perceptual", distance=4)))
    assert type(whole).from_json(json.loads(json.dumps(whole.to_json()))) == whole


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.update(format="other/1"), "not a triage record"),
        (lambda r: r["counts"].update(files="many"), "counts.files"),
        (lambda r: r.pop("verdict"), "verdict"),
        (lambda r: r["settings"].update(threshold=True), "threshold"),
        (lambda r: r.update(surprise=1), "surprise"),
        (lambda r: r.update(findings={}), "findings"),
        (lambda r: r.update(started="yesterday"), "started"),
        (lambda r: r["findings"].clear(), "findings digest"),
        (lambda r: r["findings"][0].update(category="C"), "findings digest"),
    ],
)
def test_a_changed_record_is_refused_with_its_place(change, words: str) -> None:
    """A finding could be taken out of a record on its way to the case."""
    record = json.loads(json.dumps(result(findings=(finding(),)).to_json()))
    change(record)
    with pytest.raises(EvidenceError, match=words):
        type(result()).from_json(record)


def test_findings_digest_is_of_the_findings_not_of_the_run() -> None:
    """Two laboratories with the same evidence would get different digests."""
    first, second = finding(), finding(path="b.jpg")
    one = result(findings=(first, second))
    two = replace(result(findings=(second, first)), operator="Other", run_id="other")
    assert one.findings_digest == two.findings_digest
    assert one.findings_digest != result(findings=(first,)).findings_digest
