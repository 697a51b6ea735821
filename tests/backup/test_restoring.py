"""Whoever restores is under pressure: the fault must be named at once, in one sentence, and nothing written over."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyrage
import pytest
from tests.backup.makers import Place, everything
from tests.backup.test_sqlite_source import unproven

from safelight.backup import Chain, NotRestored, backup_state, newest_of, restore
from safelight.backup.parts import new_key, read_identity
from safelight.casework.ciphers import cipher
from safelight.casework.ciphers import ring as rings


@pytest.fixture
def made(tmp_path: Path) -> tuple[Place, Chain]:
    """A base and two steps."""
    place = Place(tmp_path)
    place.write()
    (place.data / "reports").mkdir()
    (place.data / "reports" / "a.json").write_text("{}")
    (place.data / "gone.json").write_text("{}")
    place.seal(3)
    chain = place.chain()
    for size in (5, 7):
        place.write()
        place.seal(size)
        (place.data / "gone.json").unlink(missing_ok=True)
        chain.step()
    return place, chain


def key_of(place: Place) -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.from_str(place.secret)


def test_a_chain_comes_back_whole(made: tuple[Place, Chain], tmp_path: Path) -> None:
    place, chain = made
    asked: list[Path] = []

    def prove(data: Path, url: str) -> int:
        asked.append(data)
        return 7

    done = restore(place.backups, key_of(place), tmp_path / "new", root=f"{5:064x}", prove=prove)
    assert (done.entries, done.manifest.number, asked) == (7, 2, [tmp_path / "new"])
    assert done.manifest.ledger is not None
    assert done.manifest.ledger.root == f"{7:064x}"
    assert everything(tmp_path / "new/safelight.sqlite3") == everything(place.file)
    assert (tmp_path / "new/reports/a.json").read_text() == "{}"
    assert not (tmp_path / "new/gone.json").exists()


def test_the_key_of_the_ledger_comes_back_and_nobody_else_may_read_it(tmp_path: Path) -> None:
    """Without it the restored ledger could not be shown to its witnesses: they take only what that key signed."""
    place = Place(tmp_path)
    key = place.data / "ledger.key"
    key.write_text("PRIVATE+KEY+example")
    key.chmod(0o600)
    place.write()
    place.seal(3)
    place.chain()
    restore(place.backups, key_of(place), tmp_path / "new", prove=lambda data, url: 3)
    back = tmp_path / "new/ledger.key"
    assert back.read_text() == "PRIVATE+KEY+example"
    assert back.stat().st_mode & 0o777 == 0o600
    assert not any(b"PRIVATE+KEY" in path.read_bytes() for path in place.backups.rglob("*.age"))


def test_the_keys_of_encrypted_fields_come_back_with_the_rows_of_their_time(tmp_path: Path) -> None:
    """A backup from before a rotation would hold rows that no key reads any more."""
    place = Place(tmp_path)
    keys = place.data / "field.keys"
    made = cipher.encrypt(rings.make(keys), "people_person", "address", "row", "12 Nettle Row")
    place.write(made.encode())
    place.seal(3)
    place.chain()
    rings.write(keys, rings.Ring((rings.new_key(),)))
    restore(place.backups, key_of(place), tmp_path / "new", prove=lambda data, url: 3)
    back = tmp_path / "new/field.keys"
    assert back.stat().st_mode & 0o777 == 0o600
    assert cipher.decrypt(rings.read(back), "people_person", "address", "row", made) == "12 Nettle Row"
    with pytest.raises(cipher.CipherError, match="which the key file does not hold"):
        cipher.decrypt(rings.read(keys), "people_person", "address", "row", made)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _forge(path: Path) -> None:
    data = json.loads(path.read_text())
    data["at"] = "2020-01-01T00:00:00+00:00"
    path.write_text(json.dumps(data))


@pytest.mark.parametrize(
    ("file", "harm", "said"),
    [
        ("000001-database.age", Path.unlink, "000001-database.age is missing"),
        ("000000-database.age", _cut, "000000-database.age was cut short"),
        ("000002-database.age", _flip, "000002-database.age was altered"),
        ("000000-files.age", _flip, "000000-files.age was altered"),
        ("000001.json", Path.unlink, "000001.json is missing"),
        ("000000.json", _forge, "000001.json does not follow"),
        ("000002.json", _cut, "000002.json is no manifest"),
    ],
)
def test_a_damaged_backup_is_named_before_anything_is_written(
    made: tuple[Place, Chain], tmp_path: Path, file: str, harm: Callable[[Path], None], said: str
) -> None:
    """An hour of restoring would end in a trace, or in half a database that looks whole."""
    place, chain = made
    harm(chain.folder / file)
    with pytest.raises(NotRestored, match=said):
        restore(chain.folder, key_of(place), tmp_path / "new", prove=unproven)
    assert not (tmp_path / "new").exists()


def test_another_key_opens_nothing(made: tuple[Place, Chain], tmp_path: Path) -> None:
    """A thief of the backup would read it; a tired administrator would not know what is wrong."""
    place, chain = made
    stranger = pyrage.x25519.Identity.from_str(new_key()[0])
    with pytest.raises(NotRestored, match="cannot be decrypted with this key"):
        restore(chain.folder, stranger, tmp_path / "new", prove=unproven)
    assert b"words" not in b"".join(path.read_bytes() for path in chain.folder.iterdir())
    (tmp_path / "key").write_text("# note\nnot a key\n")
    with pytest.raises(NotRestored, match="holds no secret key"):
        read_identity(tmp_path / "key")


def test_nothing_is_written_over(made: tuple[Place, Chain], tmp_path: Path) -> None:
    """The only copy that was still good would be gone."""
    place, chain = made
    (tmp_path / "new").mkdir()
    (tmp_path / "new/precious").touch()
    with pytest.raises(NotRestored, match="is not empty"):
        restore(chain.folder, key_of(place), tmp_path / "new", prove=unproven)


def test_a_ledger_that_the_witness_does_not_know_is_refused(made: tuple[Place, Chain], tmp_path: Path) -> None:
    """A backup forged by somebody who knows the public key would be taken for the real one."""
    place, chain = made
    with pytest.raises(NotRestored, match="never had the root"):
        restore(chain.folder, key_of(place), tmp_path / "new", root="ab" * 32, prove=unproven)


def test_the_age_of_the_newest_backup_and_its_check_are_known(made: tuple[Place, Chain], tmp_path: Path) -> None:
    """Backups that stopped weeks ago would be noticed on the day they are needed."""
    place, chain = made
    newest = newest_of(place.backups)
    assert newest is not None
    state = backup_state(place.backups)
    assert state.newest == newest.at == chain.last.at
    assert "restored for a check" in state.problem
    chain.verify(lambda data, url: 7)
    state = backup_state(place.backups)
    assert (state.problem, state.verified is not None) == ("", True)
    age = state.age(datetime.now(UTC) + timedelta(seconds=90))
    assert age is not None
    assert age >= 90
    assert "no finished backup" in backup_state(tmp_path / "nowhere").problem
