"""If these fail, rows of a partner's spreadsheet are lost or misread without a word."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from matching.conftest import category_of
from safelight.errors import MatchingError
from safelight.matching.readers import ReadResult, read_hash_set

MD5 = [hashlib.md5(b"%d" % n).hexdigest() for n in range(5)]
SHA1 = [hashlib.sha1(b"%d" % n).hexdigest() for n in range(5)]
SHA256 = [hashlib.sha256(b"%d" % n).hexdigest() for n in range(5)]


def read(tmp_path: Path, content: str | bytes, **kwargs: Any) -> ReadResult:
    path = tmp_path / "list.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_hash_set(path, category_of=category_of, **kwargs)


def md5s(result: ReadResult) -> list[str]:
    return [entry.md5.hex() for entry in result.hash_set if entry.md5]


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_delimiters_line_ends_and_marks(tmp_path: Path, bom: bytes, delimiter: str, end: str) -> None:
    rows = [["MD5", "Sha-1", "CATEGORY", "note"], *([m, s, "a", "x"] for m, s in zip(MD5, SHA1, strict=True))]
    result = read(tmp_path, bom + "".join(delimiter.join(row) + end for row in rows).encode())
    assert md5s(result) == MD5
    assert result.hash_set.counts().by_category == {"A": 5}
    assert (result.format, result.contexts, result.rejected) == ("CSV", ("csv",), [])


@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_windows_1252_even_behind_a_utf8_mark(tmp_path: Path, bom: bytes) -> None:
    text = f"md5;series;category\n{MD5[0]};Société – «Zoë»;B\n"
    result = read(tmp_path, bom + text.encode("cp1252"))
    assert result.hash_set.entry(0).series == "Société – «Zoë»"
    assert result.hash_set.entry(0).category == "B"
    assert [row.kept for row in result.rejected] == [True]


def test_all_columns(tmp_path: Path) -> None:
    text = (
        "md5,sha1,sha256,pdq,size,category,series,tags,victim identified,Offender_Identified,is_distributed,PhotoDNA\n"
        f'{MD5[0]},{SHA1[0]},{SHA256[0]},{"ab" * 32},77,C,"S, one",t,yes,no,true,QUJD\n'
    )
    (entry,) = read(tmp_path, text).hash_set
    assert (entry.md5, entry.sha1) == (bytes.fromhex(MD5[0]), bytes.fromhex(SHA1[0]))
    assert (entry.sha256, entry.pdq) == (bytes.fromhex(SHA256[0]), b"\xab" * 32)
    assert (entry.size, entry.category, entry.series, entry.tags, entry.photodna) == (77, "C", "S, one", "t", "QUJD")
    assert (entry.victim_identified, entry.offender_identified, entry.is_distributed) == (True, False, True)
    assert entry.source_row == 2


def test_the_columns_of_interpols_list(tmp_path: Path) -> None:
    header = (
        "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name;"
        "Number of submissions;File Available;Media Type;Baseline"
    )
    (entry,) = read(
        tmp_path, f"{header}\n{MD5[0]};{SHA1[0]};QUJD;1;true;false;true;SYNTHETIC;3;true;image;true\n"
    ).hash_set
    assert (entry.is_distributed, entry.victim_identified, entry.offender_identified) == (True, False, True)
    assert (entry.series, entry.photodna) == ("SYNTHETIC", "QUJD")


def test_category_numbers_need_the_sites_map(tmp_path: Path) -> None:
    result = read(tmp_path, f"md5,category\n{MD5[0]},1\n{MD5[1]},9\n{MD5[2]},worst\n{MD5[3]},\n")
    assert [entry.category for entry in result.hash_set] == ["A", None, None, None]
    assert [(row.where, row.kept) for row in result.rejected] == [("row 3", True), ("row 4", True)]
    assert "category not mapped: 9" in result.rejected[0].reason


def test_a_plain_list_of_mixed_digests(tmp_path: Path) -> None:
    text = f"{MD5[0].upper()}\n\n# from SYNTHETIC\n{SHA1[1]}\r\n  {SHA256[2]}  \nzz\n{MD5[3]}"
    result = read(tmp_path, text)
    assert result.format == "text"
    assert result.hash_set.counts().by_hash == {"md5": 2, "sha1": 1, "sha256": 1, "pdq": 0}
    assert [(row.where, row.excerpt) for row in result.rejected] == [("row 6", "zz")]
    assert [entry.source_row for entry in result.hash_set] == [1, 4, 5, 7]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (f"{MD5[1][:-1]},A", "31 characters"),
        ("g" * 32 + ",A", "not hexadecimal"),
        (",A", "no digest"),
    ],
)
def test_a_bad_row_is_reported_and_the_others_are_kept(tmp_path: Path, row: str, reason: str) -> None:
    result = read(tmp_path, f"md5,category\n{MD5[0]},A\n{row}\n{MD5[2]},B\n")
    assert md5s(result) == [MD5[0], MD5[2]]
    (bad,) = result.rejected
    assert (bad.where, bad.kept) == ("row 3", False)
    assert reason in bad.reason


def test_a_senseless_size_or_flag_does_not_cost_the_digest(tmp_path: Path) -> None:
    result = read(tmp_path, f"md5,size,victim identified\n{MD5[0]},large,perhaps\n")
    assert result.hash_set.entry(0).size is None
    assert [row.kept for row in result.rejected] == [True, True]


@pytest.mark.parametrize(
    "content",
    [
        f"md5,sha1\n{MD5[0]},{SHA1[0]}\n{MD5[1]},{SHA1[1][:20]}",
        f"md5,sha1\n{MD5[0]},{SHA1[0]}\n{MD5[1]}",
        f"{MD5[0]}\n{MD5[1][:9]}",
        f'md5,series\n{MD5[0]},"cut in the mid',
    ],
)
def test_a_file_cut_off_in_a_row_gives_nothing(tmp_path: Path, content: str) -> None:
    with pytest.raises(MatchingError, match="breaks off"):
        read(tmp_path, content)


def test_a_whole_last_row_without_line_end_is_fine(tmp_path: Path) -> None:
    assert md5s(read(tmp_path, f"md5,category\n{MD5[0]},A\n{MD5[1]},B")) == MD5[:2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,place\na,b\n", "names a column md5"),
        ("hello", "names a column md5"),
        ("md5\n", "no usable hash"),
        ("md5\nzz\n", "no usable hash"),
        ("", "is empty"),
        (b"\xff\xfem\x00d\x005\x00", "UTF-16"),
        ("md5\n" + "a" * 200_000 + "\n", "field larger"),
    ],
)
def test_what_is_not_a_list_is_refused(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(MatchingError, match=message):
        read(tmp_path, content)


def test_categorised_rows_are_refused_as_known_good(tmp_path: Path) -> None:
    with pytest.raises(MatchingError, match="category A"):
        read(tmp_path, f"md5,category\n{MD5[0]},A\n", kind="known-good")
