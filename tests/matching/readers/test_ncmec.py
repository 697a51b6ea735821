"""NCMEC hash sharing: if these fail, shared hashes are lost, or a withdrawn one stays in use."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from safelight.errors import MatchingError
from safelight.matching import read_hash_set

MD5 = [hashlib.md5(b"%d" % n).hexdigest() for n in range(6)]
PDQ = hashlib.sha256(b"synthetic").hexdigest()
XML = f"""<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2">
  <images count="4" maxTimestamp="2026-11-01T00:00:00Z">
    <image><member id="42">Synthetic member</member><timestamp>2026-10-01T00:00:00Z</timestamp><id>one</id>
      <classification>A1</classification>
      <fingerprints><md5>{MD5[0]}</md5><sha1>{"a" * 40}</sha1><pdna>QUJD</pdna><pdq>{PDQ}</pdq></fingerprints></image>
    <image><member id="43">Other</member><id>two</id><classification>B2</classification>
      <fingerprints><md5>{MD5[1]}</md5></fingerprints></image>
    <image><id>three</id><classification>A2</classification><fingerprints><netclean>x</netclean></fingerprints></image>
    <deletedImage><member id="42">Synthetic member</member><id>four</id></deletedImage>
  </images>
  <videos count="1" maxTimestamp="2026-11-01T00:00:00Z">
    <video><id>five</id><classification>C9</classification><fingerprints><md5>{MD5[2]}</md5></fingerprints></video>
  </videos>
  PAGING
</queryResult>"""


def write(tmp_path: Path, text: str = XML, paging: str = "") -> Path:
    path = tmp_path / "entries.xml"
    path.write_text(text.replace("PAGING", paging))
    return path


def test_images_and_videos_with_their_fingerprints(tmp_path: Path) -> None:
    read = read_hash_set(write(tmp_path))
    first, second, video = read.hash_set
    assert (first.md5, first.pdq, first.photodna) == (bytes.fromhex(MD5[0]), bytes.fromhex(PDQ), "QUJD")
    assert first.tags == "member 42" and first.source_category == "A1"
    assert second.md5 == bytes.fromhex(MD5[1]) and video.md5 == bytes.fromhex(MD5[2])
    assert read.format == "NCMEC hash sharing 2"


def test_their_scale_is_no_category_of_ours_unless_the_site_says_so(tmp_path: Path) -> None:
    assert [entry.category for entry in read_hash_set(write(tmp_path)).hash_set] == [None, None, None]
    site = {("ncmec", 1): "A", ("ncmec", 4): "C"}
    mapped = read_hash_set(write(tmp_path), category_of=lambda context, number: site.get((context, number or 0)))
    assert [entry.category for entry in mapped.hash_set] == ["A", "C", None]
    assert any("none of A1" in row.reason for row in mapped.rejected)


def test_what_was_withdrawn_or_cannot_be_matched_is_named(tmp_path: Path) -> None:
    rejected = {row.where: row.reason for row in read_hash_set(write(tmp_path)).rejected if not row.kept}
    assert "withdrawn" in rejected["entry 4 (id four)"] and "no MD5" in rejected["entry 3 (id three)"]


def test_one_page_of_several_says_so(tmp_path: Path) -> None:
    read = read_hash_set(write(tmp_path, paging="<paging><next>/v2/entries?start=1000</next></paging>"))
    assert any("one page of several" in row.reason for row in read.rejected)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (XML[:900], "not whole"),
        ('<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"></feed>', "begins with 'feed'"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><queryResult>&b;</queryResult>', "not whole and valid"),
    ],
)
def test_broken_foreign_and_hostile_xml_is_refused_whole(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(MatchingError, match=words):
        read_hash_set(write(tmp_path, text), store=tmp_path / "set")
    assert not (tmp_path / "set").exists() and not list(tmp_path.glob(".*"))


def test_it_is_never_taken_as_harmless(tmp_path: Path) -> None:
    for kind in ("known-good", "common"):
        with pytest.raises(MatchingError, match="cannot be taken as"):
            read_hash_set(write(tmp_path), kind=kind)
