"""StopNCII and hashlookup: if these fail, withdrawn hashes stay in use, or malware is vouched for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from safelight.errors import MatchingError
from safelight.matching import read_hash_set

MD5 = [hashlib.md5(b"%d" % n).hexdigest() for n in range(6)]
PDQ = hashlib.sha256(b"synthetic").hexdigest()


def record(signal: str, value: Any, status: str = "Active") -> dict[str, Any]:
    return {
        "lastModtimestamp": 1, "signalType": signal, "hashValue": value, "hashStatus": status, "caseNumbers": {},
        "CSPFeedbacks": [],
    }  # fmt: skip


def stopncii(tmp_path: Path, records: list[Any], *, more: bool = False) -> Path:
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"count": len(records), "hasMoreRecords": more, "hashRecords": records}))
    return path


def test_active_records_of_stopncii(tmp_path: Path) -> None:
    records = [
        record("ImagePDQ", PDQ), record("VideoMD5", MD5[0]), record("VideoTMK", "x"), record("ImagePDQ", "short"),
        record("ImageMD5", MD5[1], "Withdrawn"), record("ImageMD5", MD5[2], "Deleted"), "nonsense",
        record("ImagePDQ", None),
    ]  # fmt: skip
    read = read_hash_set(stopncii(tmp_path, records, more=True))
    assert [(e.pdq, e.md5, e.category) for e in read.hash_set] == [
        (bytes.fromhex(PDQ), None, None),
        (None, bytes.fromhex(MD5[0]), None),
    ]
    left = {row.where: row.reason for row in read.rejected}
    assert "none that is matched" in left["record 3"] and "64 hexadecimal" in left["record 4"]
    assert "Withdrawn" in left["record 5"] and "Deleted" in left["record 6"] and "not an object" in left["record 7"]
    assert "one page" in left["file"] and read.format == "StopNCII"


def test_stopncii_is_never_taken_as_harmless_and_never_half(tmp_path: Path) -> None:
    path = stopncii(tmp_path, [record("ImagePDQ", PDQ)])
    with pytest.raises(MatchingError, match="cannot be taken as known-good"):
        read_hash_set(path, kind="known-good")
    path.write_text(path.read_text()[:-5])
    with pytest.raises(MatchingError, match="not whole"):
        read_hash_set(path)


def lookup(number: int, **more: Any) -> dict[str, Any]:
    return {
        "MD5": MD5[number].upper(),
        "SHA-1": "B" * 40,
        "FileName": "./x",
        "FileSize": "12",
        "source": "NSRL",
        **more,
    }


@pytest.mark.parametrize("form", ["one", "list", "lines"])
def test_hashlookup_in_its_three_forms(tmp_path: Path, form: str) -> None:
    objects = [lookup(0)] if form == "one" else [lookup(0), lookup(1), lookup(2, KnownMalicious="virusshare")]
    text = {"one": json.dumps(objects[0]), "list": json.dumps(objects), "lines": "\n".join(map(json.dumps, objects))}
    path = tmp_path / "lookup.json"
    path.write_text(text[form])
    read = read_hash_set(path)
    assert (read.format, read.hash_set.kind, len(read.hash_set)) == ("hashlookup", "common", min(2, len(objects)))
    entry = next(iter(read.hash_set))
    assert (entry.md5, entry.sha1, entry.size, entry.tags) == (bytes.fromhex(MD5[0]), b"\xbb" * 20, 12, "NSRL")
    assert form == "one" or "malicious" in read.rejected[0].reason
    with pytest.raises(MatchingError, match="cannot be taken as known"):
        read_hash_set(path, kind="known")


def test_interpols_columns(tmp_path: Path) -> None:
    """The columns of INTERPOL's ICSE list as IPED's importer names them."""
    path = tmp_path / "icse.csv"
    path.write_text(
        "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;"
        "Number of submissions;File Available;Media Type;Baseline\n"
        f"{MD5[0]};{'c' * 40};QUJD;7;True;False;;Synthetic series;3;True;Image;True\n"
    )
    (entry,) = read_hash_set(path).hash_set
    assert (entry.md5, entry.sha1, entry.photodna) == (bytes.fromhex(MD5[0]), b"\xcc" * 20, "QUJD")
    assert (entry.is_distributed, entry.victim_identified, entry.offender_identified) == (True, False, None)
    assert (entry.series, entry.tags) == ("Synthetic series", "baseline")
