"""A key file that is lost, half written or made twice: then contact details are gone for good."""

from __future__ import annotations

import json
import stat
import threading
from pathlib import Path

import pytest

from safelight.casework.ciphers import ring as rings
from safelight.casework.ciphers.ring import KeyRingError, Ring, new_key


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    place = tmp_path / "field.keys"
    made: list[Ring] = []
    threads = [threading.Thread(target=lambda: made.append(rings.make(place))) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(made) == 8 and len({one.newest.secret for one in made}) == 1, "two processes took two keys"
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["field.keys"]
    assert made[0].newest.secret.hex() not in repr(made[0]), "a key would stand in a trace"


def test_a_changed_file_is_taken_up_at_once(tmp_path: Path) -> None:
    place = tmp_path / "field.keys"
    assert rings.current(place) is None
    one = rings.make(place)
    assert rings.current(place) == one and rings.current(place) is rings.current(place)
    rings.write(place, Ring((*one.keys, new_key())))
    two = rings.current(place)
    assert two is not None and two.keys[0] == one.newest and two.newest != one.newest
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "nonsense", '{"format": "other", "keys": []}',
     json.dumps({"format": rings.FORMAT, "keys": []}),
     json.dumps({"format": rings.FORMAT, "keys": [{"id": "abcdef01", "made_at": "", "key": "AAAA"}]}),
     json.dumps({"format": rings.FORMAT, "keys": [{"id": "x", "made_at": "", "key": "A" * 43 + "="}]}),
     json.dumps({"format": rings.FORMAT, "keys": [{"id": "abcdef01", "made_at": "", "key": "A" * 43 + "="}] * 2})],
)  # fmt: skip
def test_a_damaged_file_is_one_sentence_and_never_written_over(tmp_path: Path, text: str) -> None:
    place = tmp_path / "field.keys"
    place.write_text(text)
    for look in (rings.read, rings.current, rings.make):
        with pytest.raises(KeyRingError, match=r"is not a whole key file.*Put the file back from a backup"):
            look(place)
    assert place.read_text() == text


def test_only_one_rotation_at_a_time(tmp_path: Path) -> None:
    place = tmp_path / "field.keys"
    with rings.rotating(place), pytest.raises(KeyRingError, match="Another rotation"), rings.rotating(place):
        pass
    with rings.rotating(place):
        assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}
