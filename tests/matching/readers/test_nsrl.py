"""NSRL: if these fail, ordinary software is not recognised, or a tool of offenders is vouched for."""

from __future__ import annotations

import hashlib
import sqlite3
from pathlib import Path

import pytest

from safelight.errors import MatchingError
from safelight.matching import Matcher, read_hash_set


def digests(name: str) -> tuple[str, str, str]:
    data = name.encode()
    return (
        hashlib.sha256(data).hexdigest().upper(), hashlib.sha1(data).hexdigest().upper(),
        hashlib.md5(data).hexdigest().upper(),
    )  # fmt: skip


def rds(path: Path, *, without_rowid: bool = False) -> Path:
    """The tables of RDS_2026.09.1_modern_minimal with a few made-up files."""
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE FILE (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, crc32 VARCHAR,"
        "file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL, CONSTRAINT PK_FILE__FILE"
        " PRIMARY KEY (sha256, sha1, md5, crc32, file_name, file_size, package_id))"
        + (" WITHOUT ROWID" if without_rowid else "")
    )
    database.execute("CREATE TABLE PKG (package_id INTEGER, name VARCHAR, version VARCHAR, application_type VARCHAR)")
    database.executemany(
        "INSERT INTO PKG VALUES (?, ?, '1', ?)",
        [(1, "Office", "Office Suite"), (2, "Crack", "Hacker Tool"), (3, "System", "Operating System")],
    )
    rows = [("a", "a.dll", 1000, 1), ("a", "copy.dll", 1000, 3), ("b", "b.exe", 20, 2), ("b", "b.exe", 20, 1)]
    rows += [(f"f{n}", f"{n}.txt", n, 3) for n in range(30)]
    database.executemany(
        "INSERT INTO FILE VALUES (?, ?, ?, '00000000', ?, ?, ?)",
        [(*digests(name), file, size, package) for name, file, size, package in rows],
    )
    database.execute("INSERT INTO FILE VALUES ('zz', '', '', '', 'bad', 1, 3)")
    database.commit()
    database.close()
    return path


@pytest.mark.parametrize("without_rowid", [False, True])
def test_distinct_files_of_ordinary_software_are_read(tmp_path: Path, without_rowid: bool) -> None:
    read = read_hash_set(rds(tmp_path / "RDS.db", without_rowid=without_rowid))
    assert (len(read.hash_set), read.hash_set.kind, read.format) == (31, "common", "NSRL RDS 3")
    entry = next(iter(e for e in read.hash_set if e.size == 1000))
    assert entry.md5 == hashlib.md5(b"a").digest() and entry.sha256 == hashlib.sha256(b"a").digest()


def test_what_nobody_vouches_for_is_left_out_and_named(tmp_path: Path) -> None:
    read = read_hash_set(rds(tmp_path / "RDS.db"), kind="known-good")
    reasons = [row.reason for row in read.rejected]
    assert any("Hacker Tool" in reason for reason in reasons)
    assert any("SHA-256 has 2 characters" in reason for reason in reasons)
    assert Matcher([read.hash_set]).exact(md5=hashlib.md5(b"b").digest()) == []


def test_it_is_never_taken_as_known_material(tmp_path: Path) -> None:
    with pytest.raises(MatchingError, match="cannot be taken as known"):
        read_hash_set(rds(tmp_path / "RDS.db"), kind="known", store=tmp_path / "set")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["RDS.db"]


def test_a_cut_off_or_foreign_database_is_refused_whole(tmp_path: Path) -> None:
    path = rds(tmp_path / "RDS.db")
    path.write_bytes(path.read_bytes()[:-4096])
    with pytest.raises(MatchingError, match="cut short"):
        read_hash_set(path, store=tmp_path / "set")
    damaged = bytearray(rds(tmp_path / "damaged.db").read_bytes())
    damaged[200:4096] = bytes(3896)
    (tmp_path / "damaged.db").write_bytes(damaged)
    with pytest.raises(MatchingError):
        read_hash_set(tmp_path / "damaged.db", store=tmp_path / "set")
    other = sqlite3.connect(tmp_path / "other.db")
    other.execute("CREATE TABLE notes (text VARCHAR)")
    other.close()
    with pytest.raises(MatchingError, match="no table FILE"):
        read_hash_set(tmp_path / "other.db")
    assert not (tmp_path / "set").exists()
