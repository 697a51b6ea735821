"""Fetching signed lists: if these fail, a list that somebody tampered with, or held back, is in use."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tuf.api.metadata import Metadata

from matching.signed.conftest import Publication
from safelight.errors import MatchingError
from safelight.matching import read_hash_set
from safelight.matching.signed.fetch import fetch, in_use, trust
from safelight.matching.signed.keys import make_key, read_secret


def names(found: list[Any]) -> list[tuple[str, str]]:
    return [(one.name, one.version) for one in found]


FIRST = [("List one.csv", "3"), ("List two.csv", "2")]


def test_lists_come_as_their_holders_signed_them(publication: Publication) -> None:
    found = publication.fetch()
    assert names(found) == FIRST == names(in_use(publication.store))
    assert len(read_hash_set(found[0].path, kind=found[0].kind).hash_set) == 3
    publication.put_out(publication.write("one.csv", 5), remove=["List two.csv"])
    again = publication.fetch()
    assert names(again) == [("List one.csv", "5")] and again[0].publication == 2
    assert [path.name for path in (publication.store / "targets").iterdir()] == [Path(again[0].path).name]


def test_they_come_over_the_network_too(publication: Publication) -> None:
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(publication.place)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        assert names(fetch(publication.store, f"http://127.0.0.1:{server.server_address[1]}")) == FIRST
    finally:
        server.shutdown()
        server.server_close()
    with pytest.raises(MatchingError, match="neither an https address nor a folder"):
        fetch(publication.store, "http://lists.example")


def edit(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    content = json.loads(path.read_bytes())
    change(content)
    path.write_text(json.dumps(content))


def target(publication: Publication) -> Path:
    """The newest version of the first list: the longest."""
    return max((publication.place / "targets").glob("*.one.csv"), key=lambda path: path.stat().st_size)


def unsigned(p: Publication, old: Path) -> None:
    edit(p.place / "metadata" / "2.targets.json", lambda m: m.update(signatures=[]))


def under_signed(p: Publication, old: Path) -> None:
    edit(p.place / "metadata" / "timestamp.json", lambda m: m["signatures"].pop())


def signed_by_a_stranger(p: Publication, old: Path) -> None:
    path = p.place / "metadata" / "timestamp.json"
    metadata: Metadata[Any] = Metadata.from_file(str(path))
    metadata.signatures.popitem()
    make_key(p.place / "stranger")
    metadata.sign(read_secret(p.place / "stranger"), append=True)
    metadata.to_file(str(path))


def signed_twice_by_one(p: Publication, old: Path) -> None:
    path = p.place / "metadata" / "timestamp.json"
    edit(path, lambda m: m.update(signatures=[m["signatures"][0]] * 2))


def rolled_back(p: Publication, old: Path) -> None:
    p.fetch()  # the newer one was seen
    shutil.rmtree(p.place)
    shutil.copytree(old, p.place)


def mixed(p: Publication, old: Path) -> None:
    shutil.copyfile(old / "metadata" / "1.snapshot.json", p.place / "metadata" / "2.snapshot.json")


def mixed_lists(p: Publication, old: Path) -> None:
    shutil.copyfile(old / "metadata" / "1.targets.json", p.place / "metadata" / "2.targets.json")


def flipped(p: Publication, old: Path) -> None:
    data = bytearray(target(p).read_bytes())
    data[40] ^= 1
    target(p).write_bytes(data)


def line_removed(p: Publication, old: Path) -> None:
    target(p).write_text("\n".join(target(p).read_text().splitlines()[:-1]) + "\n")


def line_added(p: Publication, old: Path) -> None:
    target(p).write_text(target(p).read_text() + f"{99:032x},A\n")


def kind_changed(p: Publication, old: Path) -> None:
    def change(metadata: dict[str, Any]) -> None:
        metadata["signed"]["targets"]["one.csv"]["custom"]["kind"] = "known-good"

    edit(p.place / "metadata" / "2.targets.json", change)


def list_missing(p: Publication, old: Path) -> None:
    target(p).unlink()


def not_json(p: Publication, old: Path) -> None:
    (p.place / "metadata" / "timestamp.json").write_text("<html>404</html>")


REFUSED: list[tuple[Callable[[Publication, Path], None], str]] = [
    (unsigned, "lacks signatures"),
    (under_signed, "lacks signatures"),
    (signed_by_a_stranger, "lacks signatures"),
    (signed_twice_by_one, "makes no sense"),
    (rolled_back, "older than what was fetched"),
    (mixed, "different publications"),
    (mixed_lists, "different publications"),
    (flipped, "not the one that was signed"),
    (line_removed, "not the one that was signed"),
    (line_added, "longer than what was signed"),
    (kind_changed, "lacks signatures"),
    (list_missing, "missing"),
    (not_json, "makes no sense"),
]


@pytest.mark.parametrize(("attack", "words"), REFUSED, ids=lambda value: getattr(value, "__name__", ""))
def test_what_was_tampered_with_is_refused_and_the_last_good_lists_stay(
    publication: Publication, tmp_path: Path, attack: Callable[[Publication, Path], None], words: str
) -> None:
    """One sentence says what is wrong; no list changes."""
    publication.fetch()
    old = publication.copy(tmp_path / "old")
    publication.put_out(publication.write("one.csv", 4))
    attack(publication, old)
    before = names(in_use(publication.store))
    with pytest.raises(MatchingError) as caught:
        publication.fetch()
    assert words in caught.value.what and "stay in use" in caught.value.fix
    stayed = in_use(publication.store)
    assert names(stayed) == before
    assert all(len(read_hash_set(one.path, kind=one.kind).hash_set) == int(one.version) for one in stayed)


def test_a_frozen_publication_is_refused(publication: Publication) -> None:
    """Whoever holds newer lists back shows the old ones for ever: their date gives them away."""
    publication.fetch()
    publication.put_out(publication.write("one.csv", 4), fresh_days=-1)
    with pytest.raises(MatchingError, match="held back"):
        publication.fetch()
    assert names(in_use(publication.store)) == FIRST
    publication.put_out(publication.write("one.csv", 4))
    assert names(publication.fetch())[0] == ("List one.csv", "4"), "a good publication afterwards is taken"


def test_no_flipped_bit_of_the_metadata_changes_a_list(publication: Publication, tmp_path: Path) -> None:
    """Wherever a bit is flipped, the lists are those that were signed, or none are taken."""
    refused = 0
    root = (publication.place / "metadata" / "1.root.json").read_bytes()
    for bit in range(0, 8000, 173):
        path = publication.place / "metadata" / ("timestamp.json", "1.snapshot.json", "1.targets.json")[bit % 3]
        good = path.read_bytes()
        data = bytearray(good)
        data[bit // 8 % len(data)] ^= 1 << bit % 8
        path.write_bytes(data)
        trust(tmp_path / f"store-{bit}", root)
        try:
            assert names(fetch(tmp_path / f"store-{bit}", str(publication.place))) == FIRST
        except MatchingError:
            refused += 1
        path.write_bytes(good)
    assert refused > 30


def test_trust_begins_with_a_root_that_two_people_compared(publication: Publication, tmp_path: Path) -> None:
    root = (publication.place / "metadata" / "1.root.json").read_bytes()
    shown = trust(tmp_path / "new", root)
    assert len(shown.split()) == 8
    with pytest.raises(MatchingError, match="trusts another root"):
        trust(tmp_path / "new", root.replace(b'"version": 1', b'"version": 2') + b" ")
    with pytest.raises(MatchingError, match="not the root"):
        trust(tmp_path / "else", b"{}")
    with pytest.raises(MatchingError, match="trusts no publisher"):
        fetch(tmp_path / "else", str(publication.place))
    with pytest.raises(MatchingError, match="no folder metadata"):
        fetch(publication.store, str(tmp_path))
