"""From digests to findings: every kind of match, and nothing that must not match."""

from __future__ import annotations

import hashlib

from tests.triage.conftest import known_set

from safelight.triage import FileEntry, FileRecord, TriageSettings
from safelight.triage.findings import FindingStage

BODY = b"synthetic"
MD5, SHA1, SHA256 = (hashlib.new(n, BODY).digest() for n in ("md5", "sha1", "sha256"))
CODE = bytes(range(32))


def record(**changes) -> FileRecord:
    values = {
        "entry": FileEntry(0, "a/b.jpg", 9, "1"), "bytes_read": 9, "complete": True, "md5": MD5.hex(),
        "sha1": SHA1.hex(), "sha256": SHA256.hex(), "type": "JPEG", "picture": True, "mode": "full size",
    }  # fmt: skip
    return FileRecord(**{**values, **changes})


def found(sets, *records: FileRecord):
    stage = FindingStage(sets, TriageSettings())
    stage.match(records)
    return stage


def test_exact_by_each_digest() -> None:
    """Lists that carry only SHA-1 or only SHA-256 would find nothing."""
    for name, digest in (("md5", MD5), ("sha1", SHA1), ("sha256", SHA256)):
        (one,) = found([known_set(**{name: digest})], record()).findings
        assert (one.kind, one.algorithm, one.category, one.distance) == ("exact", name, "A", 0)


def test_perceptual_within_the_threshold_with_distance_and_mode() -> None:
    """A changed copy would be missed, or reported without how near it is."""
    near = bytearray(CODE)
    near[0] ^= 0b111
    sets = [known_set(pdq=bytes(near))]
    (one,) = found(sets, record(pdq=CODE.hex(), quality=90)).findings
    assert (one.kind, one.algorithm, one.distance, one.mode) == ("perceptual", "pdq", 3, "full size")
    assert not found(sets, record(pdq=CODE.hex(), quality=49)).findings, "too plain to compare"
    far = bytes(b ^ 0xFF for b in CODE)
    assert not found(sets, record(pdq=far.hex(), quality=90)).findings


def test_an_exact_match_is_not_repeated_as_a_likeness_to_the_same_entry() -> None:
    """Each exact find would be counted twice."""
    assert [f.kind for f in found([known_set(md5=MD5, pdq=CODE)], record(pdq=CODE.hex(), quality=90)).findings] == [
        "exact"
    ]


def test_a_file_that_was_read_only_in_part_is_never_matched() -> None:
    """Digests of a piece would be taken for digests of a file."""
    assert not found([known_set(md5=MD5)], record(complete=False)).findings


def test_known_good_is_counted_and_never_hides_a_listed_file() -> None:
    """A planted known-good list could hide listed material."""
    good = known_set(name="GOOD", kind="known-good", category=None, md5=MD5)
    stage = found([good], record())
    assert stage.known_good == 1 and not stage.findings
    both = found([good, known_set(md5=MD5)], record())
    assert len(both.findings) == 1 and "known-good set GOOD" in both.findings[0].notes[0]


def test_an_overwritten_deleted_file_says_so() -> None:
    """A court would be told that a file held what belongs to another."""
    entry = FileEntry(0, "gone.jpg", 9, "1", allocated=False, overwritten=True)
    (one,) = found([known_set(md5=MD5)], record(entry=entry)).findings
    assert one.state == "deleted" and any("may belong" in note for note in one.notes)


def test_a_digest_that_disagrees_is_for_a_person() -> None:
    """A made MD5 collision would count as proof."""
    (one,) = found([known_set(md5=MD5, sha1=bytes(20))], record()).findings
    assert any("SHA1 differs" in note for note in one.notes)
