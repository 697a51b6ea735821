"""Importing lists: whole or not at all, nothing guessed, nothing dropped in silence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from tests.casework.bench import Bench
from tests.casework.factories import make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.hashsets import services
from safelight.casework.hashsets.models import HashSetRecord
from safelight.casework.ledger.models import LedgerEntry
from safelight.errors import MatchingError

pytestmark = pytest.mark.django_db

UK = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata#Media"
A, B, C = "0" * 31 + "a", "0" * 31 + "b", "0" * 31 + "c"


@pytest.fixture
def keeper(settings: Any, tmp_path: Path) -> Any:
    settings.DATA = tmp_path / "data"
    return make_user("examiner")


def bring_in(actor: Any, path: Path, **fields: Any) -> HashSetRecord:
    return services.import_hash_set(
        actor,
        **{
            "path": path,
            "file_name": path.name,
            "name": "Example list",
            "kind": "known",
            "version": "1",
            "source": "Example publisher",
            "legal_basis": "A test",
            **fields,
        },
    )


def vics(path: Path, media: list[dict[str, Any]], context: str = UK) -> Path:
    path.write_text(json.dumps({"@odata.context": context, "value": media}))
    return path


def test_a_vics_list_is_held_with_its_provenance(keeper: Any, tmp_path: Path) -> None:
    """A court asks where a list came from, which version, and what exactly it held."""
    path = vics(
        tmp_path / "list.json", [{"MediaID": 1, "Category": 1, "MD5": A}, {"MediaID": 2, "Category": 2, "MD5": B}]
    )
    row = bring_in(keeper, path)
    assert row.format == "VICS 2.0 media"
    assert row.counts["by_category"] == {"A": 1, "B": 1}
    assert row.file_sha256 == services.sha256_of(path)
    ((live, hashes),) = services.load_live()
    assert (live.pk, hashes.root, len(hashes)) == (row.pk, row.root, 2)
    entry = LedgerEntry.objects.get(verb="hashset.imported")
    assert entry.payload["root"] == row.root


def test_a_number_that_the_site_has_not_set_is_listed_and_never_guessed(keeper: Any, tmp_path: Path) -> None:
    """A guessed category could call an innocent file the gravest kind, or the reverse."""
    path = vics(
        tmp_path / "list.json", [{"MediaID": 1, "Category": 7, "MD5": A}, {"MediaID": 2, "Category": 1, "MD5": B}]
    )
    row = bring_in(keeper, path)
    assert row.counts["by_category"] == {"": 1, "A": 1}
    assert row.counts["unmapped"] == [{"context": UK, "number": 7, "entries": 1}]
    noted = row.rejected.get()
    assert noted.kept and "not mapped" in noted.reason


def test_without_a_site_file_no_uk_number_means_anything(keeper: Any, tmp_path: Path, settings: Any) -> None:
    """The UK table is not public: a fresh installation must not invent one."""
    settings.SITE_STANDARDS = None
    row = bring_in(keeper, vics(tmp_path / "list.json", [{"MediaID": 1, "Category": 1, "MD5": A}]))
    assert row.counts["by_category"] == {"": 1}


def test_a_digest_of_the_wrong_length_is_left_out_and_told(keeper: Any, tmp_path: Path) -> None:
    """One bad row must neither spoil a list nor vanish."""
    path = tmp_path / "list.csv"
    path.write_text(f"md5,category\n{A},A\n{B[:-1]},A\n{C},B\n")
    row = bring_in(keeper, path)
    assert row.counts["entries"] == 2 and row.counts["rejected"] == 1
    problem = row.rejected.get()
    assert (problem.where, problem.kept) == ("row 3", False)
    assert "31 characters" in problem.reason


def test_a_spreadsheet_in_cp1252_with_a_mark_is_read(keeper: Any, tmp_path: Path) -> None:
    """That is what spreadsheets in offices write."""
    path = tmp_path / "list.csv"
    path.write_bytes(b"\xef\xbb\xbf" + f"MD5;Category;Series\r\n{A};A;Café\r\n".encode("cp1252"))
    row = bring_in(keeper, path)
    assert row.counts["by_category"] == {"A": 1}


@pytest.mark.parametrize(
    "content",
    [b"", b"Dear colleague,\nplease find the list attached.\n", b'{"value": [', b"md5,category\n" + b"zz,A\n"],
)
def test_a_file_that_is_no_list_leaves_nothing_behind(keeper: Any, tmp_path: Path, content: bytes) -> None:
    """A broken download must not replace a good list."""
    path = tmp_path / "upload"
    path.write_bytes(content)
    with pytest.raises(Invalid) as caught:
        bring_in(keeper, path, file_name="their list.json")
    assert caught.value.field == "file"
    assert "their list.json" in str(caught.value) and str(tmp_path) not in str(caught.value)
    assert not HashSetRecord.objects.exists()
    assert not list((tmp_path / "data").rglob("*.*")), "nothing of it may lie about"


def test_a_new_version_takes_the_place_of_the_old(keeper: Any, tmp_path: Path) -> None:
    """Two live versions of one list would give two answers."""
    path = tmp_path / "list.csv"
    path.write_text(f"md5\n{A}\n")
    old = bring_in(keeper, path)
    with pytest.raises(NotPossible, match="already held"):
        bring_in(keeper, path, version="2")
    path.write_text(f"md5\n{A}\n{B}\n")
    new = bring_in(keeper, path, version="2")
    old.refresh_from_db()
    assert old.retired_at is not None
    assert [row.pk for row, _ in services.load_live()] == [new.pk]
    with pytest.raises(IntegrityError), transaction.atomic():
        HashSetRecord.objects.filter(pk=old.pk).update(retired_at=None)


def test_a_retired_list_can_come_back_under_another_name(keeper: Any, tmp_path: Path) -> None:
    """The same content shares one folder; its name there must follow."""
    path = tmp_path / "list.csv"
    path.write_text(f"md5\n{A}\n")
    services.retire(keeper, bring_in(keeper, path), reason="Wrong name.")
    bring_in(keeper, path, name="Better name")
    assert [row.name for row, _ in services.load_live()] == ["Better name"]


def test_categorised_material_is_never_taken_as_harmless(keeper: Any, tmp_path: Path) -> None:
    """A known list imported as known-good would hide what it knows."""
    path = tmp_path / "list.csv"
    path.write_text(f"md5,category\n{A},A\n")
    with pytest.raises(Invalid, match="category A"):
        bring_in(keeper, path, kind="known-good")


def test_a_changed_file_is_noticed(keeper: Any, tmp_path: Path) -> None:
    """A list with one flipped bit would miss a child's picture."""
    path = tmp_path / "list.csv"
    path.write_text(f"md5\n{A}\n{B}\n")
    row = bring_in(keeper, path)
    file = services.folder_of(row.root) / "hashset.slh"
    data = bytearray(file.read_bytes())
    data[-5] ^= 4
    file.chmod(0o644)
    file.write_bytes(data)
    with pytest.raises(MatchingError):
        services.load_live()


def test_who_may_keep_hash_sets(keeper: Any, tmp_path: Path) -> None:
    """Lists are held under a legal basis, by those who answer for them."""
    path = tmp_path / "list.csv"
    path.write_text(f"md5\n{A}\n")
    for role in ("investigator", "referral_desk"):
        with pytest.raises(NotAllowed):
            bring_in(make_user(role), path)
    row = bring_in(make_user("administrator"), path)
    with pytest.raises(Invalid, match="reason"):
        services.retire(keeper, row, reason="")
    services.retire(keeper, row, reason="Withdrawn by its publisher.")
    with pytest.raises(NotPossible, match="already retired"):
        services.retire(keeper, row, reason="again")
    assert services.load_live() == []


def test_the_demo_sets_import_whole(bench: Bench) -> None:
    """The demo must start with lists that know its devices."""
    rows = bench.import_sets()
    assert [row.counts["entries"] for row in rows] == [18, 18]
    assert rows[0].counts["by_category"] == {"A": 6, "B": 6, "C": 6}
    assert rows[1].counts["by_hash"]["pdq"] == 18
