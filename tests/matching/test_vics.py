"""If these fail, the national database gets a file it cannot read, wrong categories, or half a submission."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.readers import read_hash_set
from safelight.matching.vics import UK_CONTEXT, VicsCase, VicsMedia, VicsMediaFile, write_vics_submission
from safelight.matching.vics_validate import validate_vics

NUMBERS = {"A": 1, "B": 2, "C": 3, "uncategorised": 0}
CASE = VicsCase(
    "SYN/1/26", "Synthetic Police", "Dee Demo", case_id=uuid.UUID(int=1), source_application_version="0.1.0"
)
PLACE = VicsMediaFile(
    "bild 1.jpg",
    "/DCIM/bild 1.jpg",
    created=datetime(2026, 3, 1, 12, 0, 5, tzinfo=timezone(timedelta(hours=1))),
    deleted=True,
    source_id="EX/7",
    physical_location="4096",
)
FULL = VicsMedia(
    md5=bytes(range(16)),
    category="A",
    sha1=bytes(range(20)),
    sha256=bytes(range(32)),
    pdq=b"\xab" * 32,
    photodna="QUJD",
    size=9,
    mime_type="image/jpeg",
    series="SYNTHETIC",
    tags="t",
    victim_identified=False,
    is_suspected=True,
    date_updated=datetime(2026, 3, 2, tzinfo=UTC),
    files=(PLACE, replace(PLACE, file_name="copy.jpg", created=None)),
)


def write(path: Path, media: Any, **kwargs: Any) -> Any:
    return write_vics_submission(path, **{"case": CASE, "media": media, "category_number": NUMBERS.get} | kwargs)


def test_a_submission_has_the_documented_shape(tmp_path: Path) -> None:
    written = write(tmp_path / "out.json", [FULL])
    data = written.path.read_bytes()
    assert (written.sha256, written.media_count) == (hashlib.sha256(data).hexdigest(), 1)
    root = json.loads(data)
    assert root["@odata.context"] == UK_CONTEXT
    (case,) = root["value"]
    assert case["CaseID"] == "{00000000-0000-0000-0000-000000000001}"
    assert (case["CaseNumber"], case["TotalMediaFiles"]) == ("SYN/1/26", 1)
    (media,) = case["Media"]
    assert (media["MediaID"], media["Category"], media["MD5"]) == (1, 1, FULL.md5.hex().upper())
    assert media["MediaFiles"][0] == {
        "MD5": FULL.md5.hex().upper(),
        "FileName": "bild 1.jpg",
        "FilePath": "/DCIM/bild 1.jpg",
        "Created": "2026-03-01T11:00:05Z",
        "SourceID": "EX/7",
        "PhysicalLocation": "4096",
        "Deleted": True,
        "Unallocated": False,
    }
    assert "OffenderIdentified" not in media
    assert validate_vics(written.path) == []


media = st.builds(
    VicsMedia,
    md5=st.binary(min_size=16, max_size=16),
    category=st.sampled_from(["A", "B", "C", None]),
    sha1=st.one_of(st.none(), st.binary(min_size=20, max_size=20)),
    sha256=st.one_of(st.none(), st.binary(min_size=32, max_size=32)),
    pdq=st.one_of(st.none(), st.binary(min_size=32, max_size=32)),
    photodna=st.one_of(st.none(), st.just("QUJD")),
    size=st.one_of(st.none(), st.integers(0, 2**63 - 1)),
    series=st.text(st.characters(codec="utf-8"), max_size=9).map(str.strip),
    victim_identified=st.sampled_from([None, True, False]),
    date_updated=st.one_of(st.none(), st.datetimes(datetime(1601, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC))),
    files=st.lists(
        st.builds(VicsMediaFile, st.text(st.characters(codec="utf-8"), min_size=1, max_size=9), st.just("/p")),
        max_size=3,
    ).map(tuple),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(media, min_size=1, max_size=8))
def test_what_is_written_is_read_back_and_valid(tmp_path: Path, listed: list[VicsMedia]) -> None:
    written = write(tmp_path / "out.json", listed)
    assert validate_vics(written.path) == []
    letters = {number: letter for letter, number in NUMBERS.items()}
    result = read_hash_set(written.path, category_of=lambda context, number: letters[number or 0])
    assert result.format == "VICS 2.0 cases"
    assert result.rejected == []
    assert len(result.hash_set) == written.media_count == len(listed)
    for entry, item in zip(result.hash_set, listed, strict=True):
        assert (entry.md5, entry.sha1, entry.sha256, entry.pdq) == (item.md5, item.sha1, item.sha256, item.pdq)
        assert (entry.category, entry.size) == (item.category or "uncategorised", item.size)
        assert (entry.photodna, entry.series) == (item.photodna, item.series)
        assert entry.victim_identified is item.victim_identified


def test_the_same_input_gives_the_same_bytes(tmp_path: Path) -> None:
    assert write(tmp_path / "a", [FULL]).sha256 == write(tmp_path / "b", [FULL]).sha256


@pytest.mark.parametrize("category", ["C", None])
def test_a_category_without_a_number_stops_and_says_which(tmp_path: Path, category: str | None) -> None:
    with pytest.raises(MatchingError, match=f"{category or 'uncategorised'} in http") as caught:
        write(tmp_path / "out.json", [FULL, replace(FULL, category=category)], category_number={"A": 1}.get)
    assert "category numbers" in caught.value.fix
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (replace(FULL, md5=b"short"), "MD5 has 5 bytes"),
        (replace(FULL, size=-1), "-1 bytes"),
        (replace(FULL, date_updated=datetime(2026, 1, 1)), "no zone"),
        (replace(FULL, date_updated=datetime.max.replace(tzinfo=timezone(-timedelta(hours=5)))), "not a time"),
        (replace(FULL, files=(VicsMediaFile("", "/p"),)), "file name"),
        (replace(FULL, series="\udc80"), "Unicode"),
    ],
)
def test_a_bad_item_leaves_no_file(tmp_path: Path, item: VicsMedia, message: str) -> None:
    with pytest.raises(MatchingError, match=message):
        write(tmp_path / "out.json", [FULL, item])
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_submission_leaves_the_earlier_file_as_it_was(tmp_path: Path) -> None:
    before = write(tmp_path / "out.json", [FULL]).path.read_bytes()

    def broken() -> Iterator[VicsMedia]:
        yield FULL
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write(tmp_path / "out.json", broken())
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("out.json", before)]


def test_empty_submissions_and_unwritable_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MatchingError, match="at least one file"):
        write(tmp_path / "out.json", [])
    with pytest.raises(MatchingError, match="organisation"):
        write(tmp_path / "out.json", [FULL], case=VicsCase("1", " "))
    with pytest.raises(MatchingError, match="cannot be written"):
        write(tmp_path / "absent" / "out.json", [FULL])
