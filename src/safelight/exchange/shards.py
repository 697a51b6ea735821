"""One list over many processes or machines: each holds a shard, and a question goes to all.

A shard that does not answer makes the answer incomplete, never 'no match'. A shard is an index file (or codes alone,
where they are few); its worker opens it once and keeps it. The workers are anything `concurrent.futures` shaped:
processes of this machine by default, Dask `distributed` by one argument (the extra `cluster`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from safelight.errors import ExchangeError
from safelight.exchange.files import write_json
from safelight.matching.arrayfile import open_arrays, write_arrays
from safelight.matching.engines import SMALL
from safelight.matching.hamming import PdqIndex, as_words, write_index
from safelight.matching.pdq import DISTANCE_THRESHOLD

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from safelight.matching.hamming import Codes

MANIFEST = "shards.json"
_CODES = "pdq shard"
MOST = 100


@dataclass(frozen=True, slots=True)
class Shard:
    """A part of the list.

    Attributes:
        name: what people call it; it stands in every answer that lacks it.
        path: its file. codes: how many. first: number of its first code in the whole list.
    """

    name: str
    path: str
    codes: int
    first: int


@dataclass(frozen=True, slots=True)
class Missing:
    """A shard that did not answer: its name, its share of the whole list (0 to 1), and why."""

    name: str
    share: float
    why: str


@dataclass(frozen=True, slots=True)
class ShardedAnswer:
    """What a batch of codes matches in the shards that answered.

    Attributes:
        hits: for each query (number in the whole list, distance), nearest first, at most `MOST` of each shard.
        missing: the shards that did not answer. While there is one, no hit does not mean no match.
    """

    hits: tuple[tuple[tuple[int, int], ...], ...]
    missing: tuple[Missing, ...]

    @property
    def complete(self) -> bool:
        return not self.missing

    def verdict(self, query: int = 0) -> str:
        """'match', 'no match', or 'incomplete' with what was not asked. A match stands whatever is missing."""
        if self.hits[query]:
            return "match"
        if self.complete:
            return "no match"
        share = sum(one.share for one in self.missing)
        return f"incomplete: {', '.join(one.name for one in self.missing)} did not answer ({share:.0%} of the list)"


def write_shards(codes: Codes, folder: Path, count: int, *, prepared: bool = True) -> list[Shard]:
    """Split a list into shards of nearly equal size and write them.

    Args:
        codes: (N, 32) uint8 or (N, 4) uint64; a code's number is its place in them.
        prepared: write what makes single look-ups fast beside the codes (288 bytes a code instead of 32).

    Raises:
        MatchingError, ExchangeError: malformed codes, or the folder cannot be written.
    """
    words = as_words(codes)
    if not 1 <= count <= max(1, len(words)):
        raise ExchangeError(f"{len(words)} codes cannot be split into {count} shards.", fix="Choose fewer.")
    bounds = [len(words) * place // count for place in range(count + 1)]
    shards = []
    folder.mkdir(parents=True, exist_ok=True)
    for place, (lo, hi) in enumerate(pairwise(bounds)):
        path = folder / f"shard-{place:03d}"
        if prepared and hi - lo > SMALL:
            write_index(path, words[lo:hi])
        else:
            write_arrays(path, _CODES, {}, {"words": words[lo:hi]})
        shards.append(Shard(path.name, str(path), hi - lo, lo))
    write_json(folder / MANIFEST, [[one.name, one.codes, one.first] for one in shards])
    return shards


def read_shards(folder: Path) -> list[Shard]:
    """The shards that `write_shards` left in a folder.

    Raises:
        ExchangeError: there is no list of shards, or it is malformed.
    """
    try:
        rows = json.loads((folder / MANIFEST).read_bytes())
        return [Shard(str(name), str(folder / name), int(codes), int(first)) for name, codes, first in rows]
    except (OSError, ValueError, TypeError) as error:
        raise ExchangeError(f"{folder} holds no list of shards ({error}).", fix="Write the shards again.") from error


_opened: dict[str, PdqIndex] = {}


def search_shard(path: str, codes: bytes, threshold: int, most: int) -> tuple[bytes, bytes, bytes]:
    """Runs where the shard is. Opens it when first asked, and keeps it.

    Returns:
        Query numbers, rows and distances of the hits, as little-endian uint32.
    """
    import numpy as np

    index = _opened.get(path)
    if index is None:
        index = _opened[path] = _open(Path(path))
    queries = np.frombuffer(bytearray(codes), np.uint64).reshape(-1, 4)
    hits = index.search(queries, threshold, limit=most)
    return hits.query.tobytes(), hits.row.tobytes(), hits.distance.tobytes()


def _open(path: Path) -> PdqIndex:
    from safelight.errors import MatchingError

    try:
        return PdqIndex.open(path, verify=False)
    except MatchingError:
        _, arrays = open_arrays(path, _CODES, verify=False)
        index = PdqIndex(arrays["words"])
        index.prepare()
        return index


class Submits(Protocol):
    """What the fan-out needs of an executor: `concurrent.futures.Executor` has it, and so has Dask's own."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]: ...

    def shutdown(self, wait: bool = True) -> None: ...


Executors = Callable[[Shard], Submits]


def processes(shard: Shard) -> Executor:
    """A process of this machine for one shard; it may die without taking another shard along."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def dask(client: Any) -> Executors:
    """Shards on the workers of a Dask cluster, one after the other.

    Args:
        client: `distributed.Client`. A shard stays with its worker, which must see the shard's file (a shared folder,
            or its own copy under the same path).
    """
    workers = sorted(client.scheduler_info(n_workers=-1)["workers"])
    if not workers:
        raise ExchangeError("The Dask cluster has no workers.", fix="Start some: dask worker SCHEDULER")
    taken: dict[str, str] = {}

    def at(shard: Shard) -> Submits:
        address = taken.setdefault(shard.name, workers[len(taken) % len(workers)])
        # Nothing is moved elsewhere or tried again: a lost shard is to be known at once.
        return client.get_executor(workers=[address], allow_other_workers=False, retries=0, pure=False)  # type: ignore[no-any-return]

    return at


class ShardedIndex:
    """Search over shards.

    Args:
        shards: of `write_shards` or `read_shards`.
        executors: makes the executor of one shard; `processes`, or `dask(client)`.
        patience: seconds after which a shard that has not answered counts as missing.
    """

    def __init__(self, shards: Sequence[Shard], executors: Executors = processes, *, patience: float = 10.0) -> None:
        if not shards:
            raise ExchangeError("There is no shard.", fix="Write the shards first.")
        self.shards = tuple(shards)
        self.patience = patience
        self._make = executors
        self._executors = {shard.name: executors(shard) for shard in shards}
        self._total = sum(shard.codes for shard in shards)

    def __len__(self) -> int:
        return self._total

    def warm_up(self, seconds: float = 600.0) -> ShardedAnswer:
        """Have every worker open its shard now."""
        import numpy as np

        return self._search(np.zeros((1, 4), np.uint64), 0, seconds)

    def search(self, codes: Codes, threshold: int = DISTANCE_THRESHOLD) -> ShardedAnswer:
        """Ask every shard at once.

        Raises:
            MatchingError: malformed codes.
        """
        return self._search(as_words(codes), threshold, self.patience)

    def _search(self, words: npt.NDArray[np.uint64], threshold: int, seconds: float) -> ShardedAnswer:
        asked: dict[Future[Any], Shard] = {}
        missing: list[Missing] = []
        for shard in self.shards:
            try:
                future = self._executors[shard.name].submit(search_shard, shard.path, words.tobytes(), threshold, MOST)
            except (OSError, RuntimeError) as error:  # a pool whose process died is a RuntimeError
                missing.append(self._missing(shard, error))
                continue
            asked[future] = shard
        done = wait(asked, timeout=seconds).done
        found: list[list[tuple[int, int]]] = [[] for _ in range(len(words))]
        for future, shard in asked.items():
            if future not in done:
                missing.append(self._missing(shard, None))
                continue
            fault = future.exception()
            if fault is not None:
                missing.append(self._missing(shard, fault))
                continue
            _merge(found, shard, future.result())
        order = {shard.name: place for place, shard in enumerate(self.shards)}
        return ShardedAnswer(
            tuple(tuple(sorted(pairs, key=lambda pair: (pair[1], pair[0]))) for pairs in found),
            tuple(sorted(missing, key=lambda one: order[one.name])),
        )

    def _missing(self, shard: Shard, error: BaseException | None) -> Missing:
        why = (
            f"no answer within {self.patience:g} seconds" if error is None else f"{type(error).__name__}: {error}"[:200]
        )
        return Missing(shard.name, shard.codes / max(1, self._total), why)

    def revive(self, name: str) -> None:
        """Give a lost shard a new worker, which opens the shard's file again.

        Raises:
            ExchangeError: no shard has this name.
        """
        for shard in self.shards:
            if shard.name == name:
                self._executors[name].shutdown(wait=False)
                self._executors[name] = self._make(shard)
                return
        raise ExchangeError(f"No shard is called {name}.", fix=f"Use one of {', '.join(s.name for s in self.shards)}.")

    def close(self) -> None:
        for executor in self._executors.values():
            executor.shutdown(wait=False)


def _merge(found: list[list[tuple[int, int]]], shard: Shard, answer: tuple[bytes, bytes, bytes]) -> None:
    import numpy as np

    columns = [np.frombuffer(part, np.uint32).tolist() for part in answer]
    for query, row, distance in zip(*columns, strict=True):
        found[query].append((shard.first + row, distance))
