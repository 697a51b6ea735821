"""What the exchange looks into: hash sets that are shared, and banks that people fill one picture at a time.

The case work writes two files. `banks.json` lists the banks; a bank of a hash set names its folder. `changes.jsonl`
holds what was added to and withdrawn from banks, one line each; a serving process reads on at the end of it several
times a second, so that a change is served within a second and nothing is rebuilt. Index files are memory-mapped: all
processes of a machine share one copy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import ExchangeError, MatchingError
from safelight.exchange.files import Watched
from safelight.exchange.query import ALGORITHMS, Query
from safelight.matching.hashset import FILE_NAME, PDQ_FILE, HashSet
from safelight.matching.live import LivePdqIndex
from safelight.matching.pdq import DISTANCE_THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

MANIFEST, CHANGES = "banks.json", "changes.jsonl"
#: No answer names more matches of one bank than this; it says so when there are more.
MOST = 20
_BLOCK = 8 << 20


@dataclass(frozen=True, slots=True)
class Hit:
    """One entry of a bank that a query matches.

    Attributes:
        bank: number of the bank; name: what it is called.
        content: number of the entry in its bank (the row of a hash set).
        distance: differing bits, 0 for exact kinds.
    """

    bank: int
    name: str
    content: int
    distance: int


@dataclass(frozen=True, slots=True)
class Answer:
    """All that one query matches: hits nearest first, and the banks of which more match than are listed."""

    hits: tuple[Hit, ...] = ()
    cut: tuple[str, ...] = ()


class SharedSet:
    """A hash set as a bank. It never changes; what was withdrawn from it is passed over."""

    def __init__(self, number: int, name: str, folder: Path) -> None:
        self.number, self.name, self.folder = number, name, folder
        self.hash_set = HashSet.open(folder, verify=False)
        self._pdq = self.hash_set.pdq_index()
        self._pdq.prepare()
        self._withdrawn: set[int] = set()

    def __len__(self) -> int:
        return len(self.hash_set) - len(self._withdrawn)

    def warm(self) -> None:
        """Read the files through once, so that the first look-ups do not wait for the disk."""
        for path in (self.folder / PDQ_FILE, self.folder / FILE_NAME):
            if path.exists():
                with path.open("rb") as file:
                    while file.read(_BLOCK):
                        pass

    def apply(self, change: dict[str, Any]) -> None:
        row = int(change["content"])
        if change["op"] == "withdraw":
            self._withdrawn.add(row)
        elif change["op"] == "restore":
            self._withdrawn.discard(row)

    def exact(self, algorithm: str, values: Sequence[bytes]) -> list[list[tuple[int, int]]]:
        """For each value, (content, 0) of the entries that carry it."""
        index = self.hash_set.digest_index(algorithm)
        found = []
        for value in values:
            rows = index.lookup(value)
            found.append([(row, 0) for row in rows if row not in self._withdrawn][: MOST + 1])
        return found

    def near(self, codes: npt.NDArray[np.uint64]) -> list[list[tuple[int, int]]]:
        """For each code, (content, distance), nearest first."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(len(codes))]
        limit = MOST + 1 + min(len(self._withdrawn), 1000)
        hits = self._pdq.search(codes, DISTANCE_THRESHOLD, limit=limit)
        for query, at, distance in zip(hits.query.tolist(), hits.row.tolist(), hits.distance.tolist(), strict=True):
            row = self.hash_set.pdq_row(at)
            if row not in self._withdrawn and len(found[query]) <= MOST:
                found[query].append((row, distance))
        return found

    def value(self, content: int, algorithm: str) -> bytes | None:
        """The hash of this kind that an entry has, or None."""
        if not 0 <= content < len(self.hash_set):
            return None
        value: bytes | None = getattr(self.hash_set.entry(content), algorithm)
        return value


class OwnBank:
    """A bank that people fill: small, in memory, changed while it is searched."""

    def __init__(self, number: int, name: str) -> None:
        self.number, self.name = number, name
        self._exact: dict[str, dict[bytes, list[int]]] = {name: {} for name in ALGORITHMS if name != "pdq"}
        self._pdq = LivePdqIndex()
        self._contents: dict[int, dict[str, bytes]] = {}

    def __len__(self) -> int:
        return len(self._contents)

    def warm(self) -> None:
        """Nothing lies on disk."""

    def apply(self, change: dict[str, Any]) -> None:
        import numpy as np

        content = int(change["content"])
        if change["op"] == "add" and content not in self._contents:
            signals = {name: bytes.fromhex(text) for name, text in change["signals"].items()}
            self._contents[content] = signals
            for name, value in signals.items():
                if name == "pdq":
                    self._pdq.add(np.frombuffer(value, np.uint8).reshape(1, 32), [content])
                else:
                    self._exact[name].setdefault(value, []).append(content)
            if self._pdq.pending > 50_000:
                self._pdq.compact()
        elif change["op"] == "withdraw" and content in self._contents:
            for name, value in self._contents.pop(content).items():
                if name == "pdq":
                    self._pdq.withdraw([content])
                else:
                    self._exact[name][value].remove(content)

    def exact(self, algorithm: str, values: Sequence[bytes]) -> list[list[tuple[int, int]]]:
        held = self._exact[algorithm]
        return [[(content, 0) for content in held.get(value, ())][: MOST + 1] for value in values]

    def near(self, codes: npt.NDArray[np.uint64]) -> list[list[tuple[int, int]]]:
        found: list[list[tuple[int, int]]] = [[] for _ in range(len(codes))]
        hits = self._pdq.query_batch(codes, DISTANCE_THRESHOLD, limit=MOST + 1)
        for query, content, distance in zip(hits.query.tolist(), hits.id.tolist(), hits.distance.tolist(), strict=True):
            found[query].append((content, distance))
        return found

    def value(self, content: int, algorithm: str) -> bytes | None:
        return self._contents.get(content, {}).get(algorithm)


class Banks:
    """The banks of a folder, kept as its files say.

    Args:
        folder: where `banks.json` and `changes.jsonl` lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._manifest = Watched(folder / MANIFEST)
        self._changes = folder / CHANGES
        self._read = 0
        self._inode = 0
        self.version = 0
        # Replaced whole, so that a look-up under way sees one state.
        self._banks: dict[int, SharedSet | OwnBank] = {}

    def __iter__(self) -> Any:
        return iter(self._banks.values())

    def refresh(self) -> bool:
        """Take in what changed. Opens new hash sets before they take the place of old ones.

        Raises:
            ExchangeError: a file is malformed, or a bank cannot be opened. What was served goes on being served.
        """
        listed = self._manifest.changed()
        if listed is not None:
            self._open(listed)
            return True
        return self._follow(self._banks)

    def _open(self, listed: dict[str, Any]) -> None:
        banks: dict[int, SharedSet | OwnBank] = {}
        for row in listed["banks"]:
            number, name = int(row["number"]), row["name"]
            if row["kind"] != "hash_set":
                banks[number] = OwnBank(number, name)
                continue
            old = self._banks.get(number)
            if isinstance(old, SharedSet) and old.hash_set.root == row["root"] and old.name == name:
                banks[number] = old
                continue
            try:
                opened = SharedSet(number, name, Path(row["folder"]))
            except MatchingError as error:
                raise ExchangeError(f"Bank {name} cannot be opened: {error.what}", fix=error.fix) from error
            if opened.hash_set.root != row["root"]:
                raise ExchangeError(f"Bank {name}: its folder holds another hash set.", fix="Share the set again.")
            opened.warm()
            banks[number] = opened
        # The changes are read from their start: banks that people fill are rebuilt from them.
        self._read = 0
        self._follow(banks)
        self._banks = banks
        self.version = int(listed["version"])

    def _follow(self, banks: dict[int, SharedSet | OwnBank]) -> bool:
        try:
            with self._changes.open("rb") as file:
                stat = os.fstat(file.fileno())
                if stat.st_ino != self._inode and self._read:
                    raise ExchangeError(f"{self._changes} was replaced.", fix="Publish the exchange again.")
                self._inode = stat.st_ino
                if stat.st_size <= self._read:
                    return False
                file.seek(self._read)
                text = file.read(stat.st_size - self._read)
        except FileNotFoundError:
            return False
        whole = text.rfind(b"\n") + 1  # a line that is being written is read next time
        for line in text[:whole].splitlines():
            try:
                change = json.loads(line)
                bank = banks.get(int(change["bank"]))
                if bank is not None:
                    bank.apply(change)
            except (ValueError, KeyError, TypeError) as error:
                raise ExchangeError(
                    f"{self._changes}: a line makes no sense ({error}).", fix="Publish the exchange again."
                ) from error
        self._read += whole
        return whole > 0

    def look_up(self, queries: Sequence[Query], allowed: frozenset[int] | None = None) -> list[Answer]:
        """What each query matches in the banks that may be asked.

        Every bank is asked for every query, whoever asks and whatever is found, so that the work does not tell.
        """
        import numpy as np

        groups: dict[str, list[int]] = {}
        for place, query in enumerate(queries):
            groups.setdefault(query.algorithm, []).append(place)
        hits: list[list[Hit]] = [[] for _ in queries]
        cut: list[list[str]] = [[] for _ in queries]
        for algorithm, places in groups.items():
            values = [queries[place].value for place in places]
            codes = np.frombuffer(b"".join(values), np.uint64).reshape(-1, 4) if algorithm == "pdq" else None
            for bank in self._banks.values():
                found = bank.exact(algorithm, values) if codes is None else bank.near(codes)
                if allowed is not None and bank.number not in allowed:
                    continue
                for place, pairs in zip(places, found, strict=True):
                    hits[place] += [Hit(bank.number, bank.name, content, far) for content, far in pairs[:MOST]]
                    if len(pairs) > MOST:
                        cut[place].append(bank.name)
        return [
            Answer(tuple(sorted(mine, key=lambda hit: (hit.distance, hit.bank, hit.content))), tuple(names))
            for mine, names in zip(hits, cut, strict=True)
        ]

    def counts(self) -> list[dict[str, Any]]:
        """Name and number of entries of each bank."""
        return [{"number": bank.number, "name": bank.name, "entries": len(bank)} for bank in self._banks.values()]


def append_changes(folder: Path, changes: Sequence[dict[str, Any]]) -> None:
    """Add changes for the serving processes to follow, durably.

    Raises:
        ExchangeError: the folder cannot be written.
    """
    path = folder / CHANGES
    text = "".join(json.dumps(change, sort_keys=True) + "\n" for change in changes).encode()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise ExchangeError(
            f"{path} cannot be written: {error.strerror}.", fix="Free space or permit writing."
        ) from error
