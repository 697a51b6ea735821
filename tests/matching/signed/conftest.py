"""A publication of three holders, two of whom must sign, with two lists; and a force that trusts it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from safelight.matching.signed.fetch import FetchedList, fetch, trust
from safelight.matching.signed.keys import make_key, read_public, read_secret
from safelight.matching.signed.publish import Listed, sign, stage


@dataclass
class Publication:
    place: Path
    lists: Path
    keys: list[Any]
    store: Path

    def write(self, name: str, rows: int) -> Listed:
        path = self.lists / name
        path.write_text("md5,category\n" + "".join(f"{n:032x},A\n" for n in range(1, rows + 1)))
        return Listed(path, f"List {name}", str(rows))

    def put_out(self, *lists: Listed, keys: tuple[int, ...] = (0, 1), **options: Any) -> None:
        stage(self.place, add=lists, **options)
        for number in keys:
            sign(self.place, self.keys[number])

    def fetch(self) -> list[FetchedList]:
        return fetch(self.store, str(self.place))

    def copy(self, to: Path) -> Path:
        return Path(shutil.copytree(self.place, to))


@pytest.fixture
def publication(tmp_path: Path) -> Publication:
    paths = [tmp_path / f"holder-{n}.pem" for n in range(3)]
    publics = [read_public(make_key(path)) for path in paths]
    made = Publication(tmp_path / "out", tmp_path / "lists", [read_secret(path) for path in paths], tmp_path / "in")
    made.lists.mkdir()
    made.put_out(made.write("one.csv", 3), made.write("two.csv", 2), holders=publics, threshold=2)
    trust(made.store, (made.place / "metadata" / "1.root.json").read_bytes())
    return made
