"""Backups that are never removed fill the disk that they lie on; one too many removed is the one that was needed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.backup.makers import Place

from safelight.backup import BackupError
from safelight.backup.pruning import prune
from safelight.backup.state import VERIFIED


def chain(folder: Path, day: int, *, proven: bool = True) -> str:
    made = folder / f"202611{day:02}T020000Z"
    made.mkdir(parents=True)
    (made / "000000.json").write_text("{}")
    if proven:
        (made / VERIFIED).write_text(json.dumps({"at": "2026-11-30T02:00:00+00:00"}))
    return made.name


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_only_what_is_older_than_enough_proven_ones_goes(tmp_path: Path) -> None:
    """Copies that nobody could restore must never push out the last one that somebody could."""
    names = [chain(tmp_path, day, proven=day not in (2, 5, 6)) for day in range(1, 7)]
    (tmp_path / "notes of the administrator").mkdir()
    assert prune(tmp_path, 0) == []
    assert prune(tmp_path, 3) == [], "three were restored, and three are kept"
    assert prune(tmp_path, 2) == names[:2]
    assert prune(tmp_path, 2) == []
    assert left(tmp_path) == [*names[2:], "notes of the administrator"]
    assert prune(tmp_path, 1) == [names[2]]
    assert names[3] in left(tmp_path), "those after it were never restored"


def test_a_store_that_keeps_everything_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for day in (1, 2):
        chain(tmp_path, day)

    def locked(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "rename", locked)
    with pytest.raises(BackupError, match="cannot be removed: Operation not permitted"):
        prune(tmp_path, 1)
    assert len(left(tmp_path)) == 2


def test_what_a_dead_process_left_is_removed_and_never_taken_for_a_chain(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.write()
    place.seal(3)
    kept = place.chain()
    kept.verify(lambda data, url: 3)
    half = place.backups / ".going-20261101T020000Z"
    half.mkdir()
    (half / "000000.json").write_text("{}")
    assert prune(place.backups, 1) == []
    assert left(place.backups) == [kept.folder.name]
