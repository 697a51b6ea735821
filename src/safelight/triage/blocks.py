"""Block sets: digests of the 4 KiB blocks of listed files, so that a fragment of one is known without the rest.

A block set can only be made where the files are lawfully held; it holds digests and positions, no content and no
names. Only distinct blocks go in: a block that occurs twice, in one file or in two, or that programs make by
themselves, proves nothing. Each block is kept as 64 bits of XXH3 (the filter) and 128 bits of BLAKE3 (the proof).

Sources: Garfinkel and McCarrin, Hash-based carving, DFRWS 2015 (the rules for common blocks, and runs of blocks);
NPS hashdb, `calculate_block_label.cpp`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from safelight.errors import MatchingError
from safelight.matching.arrayfile import open_arrays, write_arrays
from safelight.triage.blockruns import BLOCK

if TYPE_CHECKING:
    import numpy.typing as npt

KIND = "block-set/1"
PROOF = 16
_WINDOW = 4 << 20
_STEP = 1 << 20
_SPACES = np.frombuffer(b" \t\n\v\f\r", np.uint8)


@dataclass(frozen=True, slots=True)
class Source:
    """A listed file, as a block set knows it. Digests are hex; `blocks` of its blocks are in the set."""

    md5: str
    sha256: str
    size: int
    category: str | None
    blocks: int


@dataclass(frozen=True, slots=True)
class BlockSetSummary:
    """What building came to: blocks that are in, and whole blocks that were left out because they are common."""

    sources: int
    blocks: int
    common: int
    root: str


def common_blocks(blocks: npt.NDArray[np.uint8]) -> npt.NDArray[np.bool_]:
    """Which blocks (n, 4096) programs make by themselves: ramps, few values, white space, counters, zeros."""
    words = np.ascontiguousarray(blocks).view("<u4")
    count = words.shape[1]
    before, after = words[:, :-1], words[:, 1:]
    ramp = (after == before + np.uint32(1)).sum(axis=1) > BLOCK // 8
    ordered = np.sort(words, axis=1)
    new = ordered[:, 1:] != ordered[:, :-1]
    few = new.sum(axis=1) < 2
    # Sorted equal words stand together: one word fills more than a sixteenth of the block where it is met again
    # that many places later.
    often = BLOCK // 16
    many = (ordered[:, often:] == ordered[:, :-often]).any(axis=1)
    white = np.isin(blocks, _SPACES).sum(axis=1) >= BLOCK * 3 // 4
    steps = count - 1
    monotonic = np.zeros(len(blocks), np.bool_)
    for one_way in (after > before, after < before, after == before):
        monotonic |= one_way.sum(axis=1) >= steps * 0.75
    return np.asarray(ramp | few | many | white | monotonic)


def build_block_set(
    files: Iterable[tuple[Path, str | None]], out: Path, *, name: str, version: str = "", common: Iterable[Path] = ()
) -> BlockSetSummary:
    """Write a block set of listed files.

    Args:
        files: each file with its category.
        out: the block set.
        name: how reports call it.
        version: its version or date.
        common: files that are no one's secret (programs, templates); their blocks are left out.

    Raises:
        MatchingError: a file cannot be read, none has a distinct block, or `out` cannot be written.
    """
    import blake3
    import xxhash

    rows: list[tuple[int, int, int, bytes]] = []
    sources: list[dict[str, Any]] = []
    dropped = 0
    for number, (path, category) in enumerate(files):
        hashes, at = (hashlib.md5(usedforsecurity=False), hashlib.sha256()), 0
        for piece in _pieces(path):
            for each in hashes:
                each.update(piece)
            whole = len(piece) // BLOCK
            if whole:
                known = common_blocks(np.frombuffer(piece, np.uint8, whole * BLOCK).reshape(whole, BLOCK))
                for i in range(whole):
                    if known[i]:
                        dropped += 1
                        continue
                    block = piece[i * BLOCK : (i + 1) * BLOCK]
                    proof = blake3.blake3(block).digest(length=PROOF)
                    rows.append((xxhash.xxh3_64_intdigest(block), number, at // BLOCK + i, proof))
            at += len(piece)
        sources.append(
            {"md5": hashes[0].hexdigest(), "sha256": hashes[1].hexdigest(), "size": at, "category": category}
        )
    filters = np.array([r[0] for r in rows], np.uint64)
    _, first, times = np.unique(filters, return_index=True, return_counts=True)
    keep = first[times == 1]
    known_hashes = [
        xxhash.xxh3_64_intdigest(piece[i : i + BLOCK])
        for path in common
        for piece in _pieces(path)
        for i in range(0, len(piece) - BLOCK + 1, BLOCK)
    ]
    if known_hashes:
        keep = keep[~np.isin(filters[keep], np.array(known_hashes, np.uint64))]
    if not len(keep):
        raise MatchingError(
            "None of these files has a block that is its own.", fix="Give files of 4 KiB and more that differ."
        )
    owner = np.array([rows[i][1] for i in keep], np.uint32)
    arrays = {
        "filter": filters[keep],
        "proof": np.frombuffer(b"".join(rows[i][3] for i in keep), np.uint8).reshape(len(keep), PROOF),
        "source": owner,
        "position": np.array([rows[i][2] for i in keep], np.uint32),
    }
    for number, count in enumerate(np.bincount(owner, minlength=len(sources)).tolist()):
        sources[number]["blocks"] = count
    digest = hashlib.sha256(json.dumps([name, version, sources], sort_keys=True).encode())
    for key in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[key]).tobytes())
    root = digest.hexdigest()
    meta = {"name": name, "version": version, "root": root, "block": BLOCK, "sources": sources}
    write_arrays(out, KIND, meta, arrays)
    return BlockSetSummary(len(sources), len(keep), dropped + len(rows) - len(keep), root)


def _pieces(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as file:
            while piece := file.read(_WINDOW):
                yield piece
    except OSError as error:
        raise MatchingError(f"{path} cannot be read: {error.strerror}.", fix="Check the file and its rights.") from None


class BlockSet:
    """An opened block set.

    Raises:
        MatchingError: missing, another kind of file, cut short or changed.
    """

    def __init__(self, path: Path) -> None:
        meta, arrays = open_arrays(path, KIND)
        try:
            self.name = str(meta["name"])
            self.version = str(meta["version"])
            self.root = str(meta["root"])
            self.sources: Sequence[Source] = [Source(**row) for row in meta["sources"]]
            self._filter, self._proof = arrays["filter"], arrays["proof"]
            self._source, self._position = arrays["source"], arrays["position"]
        except (KeyError, TypeError) as error:
            raise MatchingError(f"{path} is not a block set that this version reads ({error}).") from None
        count = len(self._filter)
        shapes = [self._proof.shape, self._source.shape, self._position.shape]
        if meta.get("block") != BLOCK or shapes != [(count, PROOF), (count,), (count,)]:
            raise MatchingError(f"{path} is not a block set that this version reads.", fix="Build it again.")
        if count and int(self._source.max()) >= len(self.sources):
            raise MatchingError(f"{path} names a file that it does not list.", fix="Build it again.")

    def __len__(self) -> int:
        return len(self._filter)

    def sieve(self, kernel: Any) -> npt.NDArray[np.uint64]:
        """A Bloom filter of the set, 16 bits for each block, for the compiled scan."""
        words = 1 << max(10, (len(self._filter) // 4 - 1).bit_length())
        found = np.zeros(words, np.uint64)
        for at in range(0, len(self._filter), _STEP):
            kernel.fill(found, np.array(self._filter[at : at + _STEP], np.uint64))
        return found

    def candidates(self, filters: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Which of the queried XXH3 values are in the set: positions in the query, ascending, and their rows."""
        if not len(self._filter) or not len(filters):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        order = np.argsort(filters)  # Sorted queries walk the set once instead of jumping through it.
        wanted = filters[order]
        rows = np.minimum(np.searchsorted(self._filter, wanted), len(self._filter) - 1)
        hit = self._filter[rows] == wanted
        where, rows = order[hit], rows[hit]
        ascending = np.argsort(where)
        return where[ascending], rows[ascending].astype(np.int64)

    def proves(self, row: int, block: bytes | memoryview) -> bool:
        """Whether the block is the one in this row, by BLAKE3."""
        import blake3

        proof: bytes = blake3.blake3(block).digest(length=PROOF)
        return bool(proof == self._proof[row].tobytes())

    def one_row_each(self) -> npt.NDArray[np.int64]:
        """For each source, by number, one row that is a block of it; -1 where it has none."""
        rows = np.full(len(self.sources), -1, np.int64)
        rows[self._source] = np.arange(len(self._source))
        return rows

    def place(self, row: int) -> tuple[int, int]:
        """The source (its number) and which of its blocks the row is."""
        return int(self._source[row]), int(self._position[row])
