"""If these fail, entries of a national list are lost, miscategorised or taken from a broken file."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from matching.conftest import category_of
from safelight.errors import MatchingError
from safelight.matching.readers import ReadResult, read_hash_set

UK = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata"
OLD = "http://github.com/ICMEC/ProjectVic/DataModels/{}.xml"
MD5 = [hashlib.md5(b"%d" % n).hexdigest().upper() for n in range(9)]
SHA1 = hashlib.sha1(b"0").hexdigest().upper()
PHOTODNA = "QUJD" * 48


def write(tmp_path: Path, value: list[Any], context: str = UK + "#Media", *, bom: bool = False, **rest: Any) -> Path:
    key = "@odata.context" if "VICSDATAMODEL" in context else "odata.metadata"
    path = tmp_path / "list.json"
    text = json.dumps({key: context, "value": value} | rest)
    path.write_bytes((b"\xef\xbb\xbf" if bom else b"") + text.encode())
    return path


def case(media: list[Any]) -> dict[str, Any]:
    return {"CaseID": "{7f6bb1a5-0000-4000-8000-000000000000}", "CaseNumber": "SYNTHETIC 1", "Media": media}


def read(path: Path, **kwargs: Any) -> ReadResult:
    return read_hash_set(path, category_of=category_of, **kwargs)


@pytest.mark.parametrize("bom", [False, True])
@pytest.mark.parametrize("shape", ["Media", "Cases"])
@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3", "2.0"])
def test_every_version_and_shape_is_read(tmp_path: Path, version: str, shape: str, bom: bool) -> None:
    context = f"{UK if version == '2.0' else OLD.format(version)}#{shape}"
    media = [{"MediaID": n + 1, "Category": n, "MD5": md5} for n, md5 in enumerate(MD5)]
    value = media if shape == "Media" else [case(media[:4]), case([]), case(media[4:])]
    result = read(write(tmp_path, value, context, bom=bom))
    assert result.format == f"VICS {version} {shape.lower()}"
    assert result.contexts == (context,)
    assert [entry.md5.hex().upper() for entry in result.hash_set if entry.md5] == MD5
    expected = {"A": 1, "B": 1, "C": 1, None: 6} if version == "2.0" else {None: 9}
    assert result.hash_set.counts().by_category == expected


def test_every_field_is_kept(tmp_path: Path) -> None:
    pdq, sha256 = "ab" * 32, "cd" * 32
    media = {
        "MediaID": 1,
        "Category": 2,
        "MD5": MD5[0],
        "SHA1": SHA1,
        "MediaSize": 12345,
        "VictimIdentified": True,
        "OffenderIdentified": False,
        "Series": "SYNTHETIC SERIES",
        "Tags": "one,two",
        "PhotoDNA": PHOTODNA,
        "AlternativeHashes": [
            {"HashName": "PDQ", "HashValue": pdq},
            {"HashName": "SHA-256", "HashValue": sha256.upper()},
        ],
    }
    (entry,) = read(write(tmp_path, [media])).hash_set
    assert entry.sha1 == bytes.fromhex(SHA1)
    assert (entry.pdq, entry.sha256) == (bytes.fromhex(pdq), bytes.fromhex(sha256))
    assert (entry.size, entry.category, entry.source_category, entry.source_row) == (12345, "B", "2", 1)
    assert (entry.series, entry.tags, entry.photodna) == ("SYNTHETIC SERIES", "one,two", PHOTODNA)
    assert (entry.victim_identified, entry.offender_identified, entry.is_distributed) == (True, False, None)


def test_old_spellings_mean_the_same(tmp_path: Path) -> None:
    """Text for booleans and sizes, PhotoDNA among the alternatives: the 1.x way."""
    media = {
        "MD5": MD5[0].lower(),
        "MediaSize": "12345",
        "Category": "3",
        "VictimIdentified": "true",
        "IsDistributed": "False",
        "AlternativeHashes": [{"HashName": "PhotoDNA", "HashValue": PHOTODNA}],
    }
    (entry,) = read(write(tmp_path, [media])).hash_set
    assert (entry.size, entry.category, entry.photodna) == (12345, "C", PHOTODNA)
    assert (entry.victim_identified, entry.offender_identified, entry.is_distributed) == (True, None, False)


def test_an_unmapped_number_keeps_the_digest_and_is_reported(tmp_path: Path) -> None:
    result = read(write(tmp_path, [{"MediaID": 5, "Category": 7, "MD5": MD5[0]}, {"MediaID": 6, "MD5": MD5[1]}]))
    assert [entry.category for entry in result.hash_set] == [None, None]
    (row,) = result.rejected
    assert row.kept
    assert row.where == "item 1 (MediaID 5)"
    assert "category not mapped: 7" in row.reason
    assert (result.rejected_count, result.noted_count) == (0, 1)


def test_without_a_map_everything_is_uncategorised_and_that_is_said_once(tmp_path: Path) -> None:
    result = read_hash_set(write(tmp_path, [{"Category": 1, "MD5": md5} for md5 in MD5]))
    assert result.hash_set.counts().by_category == {None: 9}
    assert [row.reason for row in result.rejected] == [
        "no category map was given: every numbered entry of this file is uncategorised"
    ]
    assert {entry.source_category for entry in result.hash_set} == {"1"}


def test_precategorized_without_category_is_not_a_category(tmp_path: Path) -> None:
    (entry,) = read(write(tmp_path, [{"MD5": MD5[0], "IsPrecategorized": True, "Category": None}])).hash_set
    assert entry.category is None


@pytest.mark.parametrize(
    ("media", "reason"),
    [
        ({"MD5": MD5[0][:-1]}, "31 characters"),
        ({"MD5": "Z" * 32}, "not hexadecimal"),
        ({"MD5": 5}, "not text"),
        ({"MD5": MD5[0], "SHA1": "ab"}, "SHA1 has 2 characters"),
        ({"MD5": MD5[0], "AlternativeHashes": [{"HashName": "PDQ", "HashValue": "ab"}]}, "pdq has 2"),
        ({"MediaID": 3}, "no MD5"),
        ("text", "not an object"),
    ],
)
def test_a_bad_item_is_reported_and_the_others_are_kept(tmp_path: Path, media: Any, reason: str) -> None:
    result = read(write(tmp_path, [{"MD5": MD5[1]}, media, {"MD5": MD5[2]}]))
    assert [entry.md5.hex().upper() for entry in result.hash_set if entry.md5] == MD5[1:3]
    (row,) = result.rejected
    assert not row.kept
    assert row.where.startswith("item 2")
    assert reason in row.reason
    assert result.rejected_count == 1


@pytest.mark.parametrize("field", [{"MediaSize": "big"}, {"MediaSize": -4}, {"Category": "worst"}, {"Category": 1.5}])
def test_a_senseless_side_fact_does_not_cost_the_digest(tmp_path: Path, field: dict[str, Any]) -> None:
    result = read(write(tmp_path, [{"MD5": MD5[0]} | field]))
    (entry,) = result.hash_set
    assert (entry.size, entry.category) == (None, None)
    assert [row.kept for row in result.rejected] == [True]


def test_media_that_share_one_digest_are_all_kept(tmp_path: Path) -> None:
    result = read(write(tmp_path, [{"MD5": MD5[0], "Category": 1}, {"MD5": MD5[0], "Category": 2}]))
    assert [entry.category for entry in result.hash_set] == ["A", "B"]


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99, 0.9999])
@pytest.mark.parametrize("shape", ["Media", "Cases"])
def test_a_truncated_file_gives_nothing(tmp_path: Path, shape: str, keep: float) -> None:
    media = [{"MediaID": n, "MD5": hashlib.md5(b"%d" % n).hexdigest()} for n in range(3000)]
    path = write(tmp_path, media if shape == "Media" else [case(media)], f"{UK}#{shape}")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * keep)])
    with pytest.raises(MatchingError, match="nothing of it was kept"):
        read(path)


@pytest.mark.parametrize("shape", ["Media", "Cases"])
def test_a_context_that_names_the_wrong_shape_is_noticed_and_nothing_is_lost(tmp_path: Path, shape: str) -> None:
    value = [case([{"MD5": md5} for md5 in MD5])] if shape == "Media" else [{"MD5": md5} for md5 in MD5]
    result = read(write(tmp_path, value, f"{UK}#{shape}"))
    assert len(result.hash_set) == 9


def test_a_context_after_the_media_is_found(tmp_path: Path) -> None:
    path = tmp_path / "late.json"
    media = [{"MD5": hashlib.md5(b"%d" % n).hexdigest(), "Category": 1} for n in range(2000)]
    path.write_text(json.dumps({"value": media, "@odata.context": UK + "#Media"}))
    result = read(path)
    assert result.contexts == (UK + "#Media",)
    assert result.hash_set.counts().by_category == {"A": 2000}


def test_a_file_without_context_is_read_and_said_so(tmp_path: Path) -> None:
    path = tmp_path / "bare.json"
    path.write_text(json.dumps({"value": [{"MD5": MD5[0], "Category": 1}]}))
    result = read(path)
    assert len(result.hash_set) == 1
    assert "no OData context" in result.rejected[0].reason
    assert result.hash_set.entry(0).category is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "not VICS"),
        ("{}", "not VICS"),
        ('{"value": {}}', "not VICS"),
        ('{"value": []}', "without any media"),
        (json.dumps({"@odata.context": UK + "#Media", "value": []}), "without any media"),
        (json.dumps({"@odata.context": UK + "#Media", "value": [{"MD5": "x"}]}), "no usable hash"),
        ('{"value": [}', "nothing of it was kept"),
        ('{"value": []} {"more": 1}', "nothing of it was kept"),
        ("", "is empty"),
        (" \n", "is empty"),
    ],
)
def test_what_is_not_a_list_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "list.json"
    path.write_text(text)
    with pytest.raises(MatchingError, match=message):
        read(path)


def test_categorised_material_is_refused_as_known_good(tmp_path: Path) -> None:
    path = write(tmp_path, [{"MD5": MD5[0], "Category": 1}])
    for kind in ("known-good", "common"):
        with pytest.raises(MatchingError, match="category A"):
            read(path, kind=kind)
    harmless = write(tmp_path, [{"MD5": MD5[0], "Category": 8}], OLD.format("1.2") + "#Media")
    assert read(harmless, kind="known-good").hash_set.known_good


def test_progress_reaches_the_end_of_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, [{"MD5": md5, "Comments": "a" * 1_500_000} for md5 in MD5])
    seen: list[tuple[int, int]] = []
    read(path, on_progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)
    assert len(seen) > 1


def test_a_number_that_nobody_explained_is_not_vouched_for(tmp_path: Path) -> None:
    """A list of listed material whose numbers are not mapped would pass as harmless."""
    path = write(tmp_path, [{"MD5": MD5[0], "Category": 1}], "http://example.invalid/DataModels/9.9.xml#Media")
    for category in (category_of, None):
        with pytest.raises(MatchingError, match="cannot be vouched for"):
            read_hash_set(path, kind="known-good", category_of=category)
