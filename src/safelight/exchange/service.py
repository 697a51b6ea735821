"""One look-up from key to answer: who asks, how much, what matches, is it probing, written down, and then told.

**The time of an answer does not tell what it is.** Every query asks every bank, a match costs microseconds more than
none, and an answer leaves only at a whole multiple of `grid` after its question came, so that such microseconds are
not to be seen (benchmarks/exchange.py prints the two distributions).
"""

from __future__ import annotations

import logging
import math
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from safelight.errors import ExchangeError
from safelight.exchange.banks import Answer, Banks
from safelight.exchange.errors import BadQuery, OverQuota
from safelight.exchange.journal import HASH, MORE, PICTURE, REFUSED, SUSPENDED, Journal, Record, fingerprint
from safelight.exchange.keys import Key, KeyRing, suspended
from safelight.exchange.pictures import Hashed, Pictures
from safelight.exchange.query import MOST_IN_A_BATCH, Query
from safelight.exchange.watch import RULES, Watch
from safelight.matching.pdq import DISTANCE_THRESHOLD

KEYS, WATCH, JOURNAL = "keys.json", "watch.state", "journal"
GRID = 0.005
_REFRESH = 0.2
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Answered:
    """What a platform is told.

    Attributes:
        request: names this look-up in the journal, for a report that follows.
        answers: one for each query, in order.
    """

    request: uuid.UUID
    answers: tuple[Answer, ...]


def release_at(arrived: float, done: float, grid: float) -> float:
    """When an answer that is ready at `done` leaves: the next whole multiple of `grid` after `arrived`."""
    return arrived + max(1, math.ceil((done - arrived) / grid)) * grid if grid > 0 else done


class LookupService:
    """Serves the folder of an exchange.

    Args:
        folder: with `keys.json` and `banks.json`, as the case work publishes them.
        grid: seconds; see the module. 0 answers at once.
        watch: shared by processes that are forked; opened from the folder if left out.
        clock, sleep: for tests.

    Raises:
        ExchangeError: a file of the folder is malformed, or the folder cannot be written.
    """

    def __init__(
        self,
        folder: Path,
        *,
        grid: float = GRID,
        watch: Watch | None = None,
        picture_workers: int = 1,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.folder = folder
        self.grid = grid
        self.keys = KeyRing(folder / KEYS)
        self.banks = Banks(folder)
        self.watch = watch or Watch(folder / WATCH)
        self.journal = Journal(folder / JOURNAL)
        self.pictures = Pictures(picture_workers)
        self._clock, self._sleep = clock, sleep
        self._stop = threading.Event()
        self._refreshing = threading.Lock()
        self.problem = ""
        self.refresh()
        self._follower = threading.Thread(target=self._follow, name="exchange-files", daemon=True)
        self._follower.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._stop.set()
        self._follower.join()
        self.pictures.close()
        self.journal.close()
        self.watch.close()

    def warm_up(self) -> None:
        """Load every compiled part now, so that the first question waits for none of it. Nobody is told anything."""
        import numpy as np

        from safelight.exchange import warmup
        from safelight.matching.hashtext import SIZES

        self.banks.look_up([Query(name, bytes(size)) for name, size in SIZES.items()])
        for bank in self.banks:
            bank.near(np.zeros((2, 4), np.uint64))
        warmup.warm_up()

    def refresh(self) -> None:
        """Take in changed keys and banks now. What cannot be read is logged; what was served goes on."""
        with self._refreshing:
            try:
                if self.keys.refresh():
                    held = self.keys
                    self.watch.forget(held.numbers(), {key.platform for key in held._keys.values()})
                self.banks.refresh()
                self.problem = ""
            except ExchangeError as error:
                if str(error) != self.problem:
                    _log.error("%s", error)
                self.problem = str(error)

    def _follow(self) -> None:
        while not self._stop.wait(_REFRESH):
            self.refresh()

    def look_up(self, token: str, queries: Sequence[Query]) -> Answered:
        """Look up hashes.

        Raises:
            Refused, OverQuota, BadQuery (none, or too many), Unavailable.
        """
        arrived = self._clock()
        key = self.admit(token, "lookup")
        if not queries:
            raise BadQuery("Nothing was asked.", code="nothing_asked")
        if len(queries) > MOST_IN_A_BATCH:
            raise BadQuery(
                f"{len(queries):,} queries are more than the {MOST_IN_A_BATCH:,} of one batch.",
                fix="Send them in several.",
                code="batch_too_large",
                status=413,
            )
        return self._answer(key, queries, HASH, arrived)

    def look_up_picture(self, token: str, body: bytes) -> tuple[Hashed, Answered]:
        """Hash a picture in memory and look up each of its hashes; counts as one look-up.

        Raises:
            Refused, OverQuota, BadQuery, NotHashable, Unavailable.
        """
        arrived = self._clock()
        key = self.admit(token, "lookup", "picture")
        hashed = self.pictures.hash(body)
        return hashed, self._answer(key, hashed.queries, PICTURE, arrived)

    def hash_picture(self, token: str, body: bytes) -> Hashed:
        """Only hash a picture; it is looked up nowhere.

        Raises:
            Refused, OverQuota, BadQuery, NotHashable.
        """
        key = self.admit(token, "picture")
        self.watch.charge(key, 1)
        return self.pictures.hash(body)

    def admit(self, token: str, *scopes: str) -> Key:
        """The key, if it may do this now.

        Raises:
            Refused.
        """
        key = self.keys.authenticate(token, *scopes)
        if self.watch.is_suspended(key):
            raise suspended(key)
        return key

    def _answer(self, key: Key, queries: Sequence[Query], kind: int, arrived: float) -> Answered:
        request = uuid.uuid4()
        at = time.time_ns() // 1000
        try:
            self.watch.charge(key, len(queries) if kind == HASH else 1)
        except OverQuota:
            self.journal.write(Record(REFUSED, key.number, at, request.bytes).pack())
            raise
        answers = self.banks.look_up(queries, key.banks)
        broken = self._observe(key, queries, answers)
        secret = self.keys.fingerprint_secret
        records = bytearray()
        for query, answer in zip(queries, answers, strict=True):
            for place, hit in enumerate(answer.hits or (None,)):
                records += Record(
                    kind=MORE if place else kind,
                    key=key.number,
                    at=at,
                    request=request.bytes,
                    algorithm=query.algorithm,
                    matches=len(answer.hits),
                    distance=hit.distance if hit else 0,
                    fingerprint=fingerprint(secret, query),
                    bank=hit.bank if hit else 0,
                    content=hit.content if hit else 0,
                ).pack()
        if broken:
            # Nothing is answered, so nothing was disclosed: only why.
            records = bytearray()
            for rule, counted in broken.items():
                place = list(RULES).index(rule)
                records += Record(
                    SUSPENDED, key.number, at, request.bytes, matches=1, distance=place, content=counted
                ).pack()
        self.journal.write(bytes(records))
        wait = release_at(arrived, self._clock(), self.grid) - self._clock()
        if wait > 0:
            self._sleep(wait)
        if broken:
            raise suspended(key)
        return Answered(request, tuple(self._shown(key, answer) for answer in answers))

    def _observe(self, key: Key, queries: Sequence[Query], answers: Sequence[Answer]) -> dict[str, int]:
        import numpy as np

        asked = [place for place, query in enumerate(queries) if query.algorithm == "pdq"]
        codes = np.frombuffer(b"".join(queries[place].value for place in asked), np.uint64).reshape(-1, 4)
        hits = np.array([bool(answers[place].hits) for place in asked], np.uint8)
        # Read-only arrays are another type to the compiled kernel.
        return self.watch.observe(key, codes.copy(), hits)

    @staticmethod
    def _shown(key: Key, answer: Answer) -> Answer:
        """Distances tell a prober which way to go: who may not see them is told the threshold."""
        if "distance" in key.scopes:
            return answer
        from dataclasses import replace

        hits = (replace(hit, distance=DISTANCE_THRESHOLD if hit.distance else 0) for hit in answer.hits)
        return Answer(tuple(sorted(hits, key=lambda hit: (hit.distance, hit.bank, hit.content))), answer.cut)
