"""Publishing: if these fail, one person alone can hand out a list, or a holder who left still can."""

from __future__ import annotations

from pathlib import Path

import pytest

from matching.signed.conftest import Publication
from safelight.errors import MatchingError
from safelight.matching.signed.keys import make_key, read_public, read_secret
from safelight.matching.signed.publish import Listed, fingerprint, sign, stage


def test_nothing_is_public_before_enough_holders_signed(publication: Publication) -> None:
    stage(publication.place, add=[publication.write("one.csv", 9)])
    first = sign(publication.place, publication.keys[2])
    assert (first.signed, first.needed, first.published) == (1, 2, False)
    assert sign(publication.place, publication.keys[2]).published is False, "the same holder twice is one holder"
    assert publication.fetch()[0].version == "3"
    assert sign(publication.place, publication.keys[0]).published
    assert publication.fetch()[0].version == "9"
    with pytest.raises(MatchingError, match="Nothing waits"):
        sign(publication.place, publication.keys[0])


def test_a_stranger_cannot_sign(publication: Publication, tmp_path: Path) -> None:
    stage(publication.place, add=[publication.write("one.csv", 9)])
    make_key(tmp_path / "stranger")
    with pytest.raises(MatchingError, match="no holder's"):
        sign(publication.place, read_secret(tmp_path / "stranger"))


def test_holders_change_with_the_word_of_old_and_new(publication: Publication, tmp_path: Path) -> None:
    """A holder retires: from then on that signature counts for nothing, and whoever fetches follows without a visit."""
    publication.fetch()
    make_key(tmp_path / "new")
    new = read_secret(tmp_path / "new")
    holders = [publication.keys[0].public_key, publication.keys[1].public_key, new.public_key]
    stage(publication.place, holders=holders, threshold=2)
    assert not sign(publication.place, new).published
    assert not sign(publication.place, publication.keys[0]).published, "two new holders, but one old one only"
    assert sign(publication.place, publication.keys[1]).published
    assert publication.fetch()[0].version == "3"
    stage(publication.place, add=[publication.write("one.csv", 7)])
    with pytest.raises(MatchingError, match="no holder's"):
        sign(publication.place, publication.keys[2])
    sign(publication.place, new)
    assert sign(publication.place, publication.keys[0]).published
    assert publication.fetch()[0].version == "7"


def test_what_cannot_be_published_is_said_before_anyone_signs(publication: Publication, tmp_path: Path) -> None:
    key = publication.keys[0].public_key
    for holders, threshold in (([key], 1), ([key, key], 2), ([key, publication.keys[1].public_key], 3)):
        with pytest.raises(MatchingError, match="at least 2"):
            stage(tmp_path / "other", holders=holders, threshold=threshold)
    with pytest.raises(MatchingError, match="No list is published as nothing"):
        stage(publication.place, remove=["nothing"])
    with pytest.raises(MatchingError, match="is not a file"):
        stage(publication.place, add=[Listed(tmp_path / "missing", "x", "1")])
    with pytest.raises(MatchingError, match="No kind"):
        stage(publication.place, add=[Listed(publication.write("one.csv", 1).path, "x", "1", "nice")])
    with pytest.raises(MatchingError, match="not the root"):
        fingerprint(b"[]")


def test_keys_stay_with_their_owners(tmp_path: Path) -> None:
    public = make_key(tmp_path / "mine", "a long passphrase")
    assert (tmp_path / "mine").stat().st_mode & 0o777 == 0o600
    with pytest.raises(MatchingError, match="never overwritten"):
        make_key(tmp_path / "mine")
    assert read_secret(tmp_path / "mine", "a long passphrase").public_key == read_public(public)
    for words, act in (
        ("does not open", lambda: read_secret(tmp_path / "mine", "wrong")),
        ("does not open", lambda: read_secret(tmp_path / "mine")),
        ("is a secret key", lambda: read_public(tmp_path / "mine")),
        ("not a secret key", lambda: read_secret(public)),
        ("cannot be read", lambda: read_public(tmp_path / "missing")),
    ):
        with pytest.raises(MatchingError, match=words):
            act()
