"""A step that misses one page restores a database that is broken, or lies."""

from __future__ import annotations

import random
import threading
from datetime import datetime
from pathlib import Path

import pyrage
import pytest
from tests.backup.makers import Place, everything

from safelight.backup import restore
from safelight.backup.sqlite_source import ChainBroken


def unproven(data: Path, url: str) -> int:
    return 0


def test_every_step_taken_under_load_restores_what_was_committed_then(tmp_path: Path) -> None:
    """A restored case would lack the notes of its last minutes, or hold half a transaction."""
    place = Place(tmp_path)
    stop = threading.Event()

    def write(seed: int) -> None:
        chance, mine = random.Random(seed), place.connect()
        mine.execute("PRAGMA wal_autocheckpoint = 50")
        while not stop.is_set():
            mine.execute("BEGIN IMMEDIATE")
            for _ in range(2):  # always two: an odd number of rows is half a transaction
                mine.execute("INSERT INTO case_ (words) VALUES (?)", [chance.randbytes(chance.randrange(3_000))])
            if chance.random() < 0.1:
                mine.execute("DELETE FROM case_ WHERE id IN (SELECT id FROM case_ ORDER BY id LIMIT 20)")
            mine.execute("COMMIT")
            stop.wait(0.001)
        mine.close()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(2)]
    for writer in writers:
        writer.start()
    source = place.source()
    source.large = 200_000  # bytes: so that the log is begun anew several times within this test
    try:
        from safelight.backup import Chain

        chain = Chain(source, place.aim)
        salts, moments = set(), []
        for number in range(25):
            (place.data / f"report-{number % 7}.json").write_text(str(number))
            written = chain.step()
            assert written is not None
            moments.append(written.at)
            salts.add(chain.place.salt)
            stop.wait(0.02)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    chain.step()
    source.close()
    assert len(salts) > 2, "The log was never begun anew: the test tests nothing."
    key = pyrage.x25519.Identity.from_str(place.secret)
    restore(chain.folder, key, tmp_path / "all", prove=unproven)
    assert everything(tmp_path / "all" / "safelight.sqlite3") == everything(place.file)
    assert (tmp_path / "all" / "report-3.json").read_text() == "24"
    until: datetime
    for until in moments[::6]:
        restore(chain.folder, key, tmp_path / until.isoformat(), until=until, prove=unproven)
        assert len(everything(tmp_path / until.isoformat() / "safelight.sqlite3")) % 2 == 0


def test_a_log_begun_anew_by_somebody_else_is_noticed(tmp_path: Path) -> None:
    """Steps would go on over a gap that nobody sees until the day of the restoring."""
    place = Place(tmp_path)
    source = place.source()
    from safelight.backup import Chain

    chain = Chain(source, place.aim)
    place.write()
    source._hold(None)  # as if our readers had died
    assert place.database.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0] == 0
    place.write()
    with pytest.raises(ChainBroken, match="begun anew"):
        chain.step()
    source.close()


def test_a_step_without_a_change_writes_nothing(tmp_path: Path) -> None:
    """A quiet night would fill the disk."""
    place = Place(tmp_path)
    place.write()
    chain = place.chain()
    assert chain.step() is None
    place.write()
    assert chain.step() is not None
    assert chain.step() is None
