"""Quotas and the watch for probing, in memory that all serving processes share and that outlives them.

**Probing.** Somebody who wants to change a picture until it is no longer recognised asks again and again about nearly
the same PDQ. Three patterns within the last `WINDOW` distinct queries of a key, none older than a day, suspend it:

* `CLUSTER` or more that hang together (each within `LINK` bits of another): no honest stream has a quarter of its
  distinct pictures so alike, while walking to the border of a match takes hundreds of steps;
* `ODD` or more in one cluster whose codes do not have 128 bits set, as every code of a real hasher of a real picture
  has (facts: 1,500 of 1,500 photographs): somebody flips bits by hand;
* `MATCHED` or more that match: somebody tests a collection against the lists.

Asking the same again is none of these: a picture that everybody shares is asked about a thousand times.
tests/exchange/test_watch.py has the attacks that are found and the honest streams that are not.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import ExchangeError
from safelight.exchange.errors import OverQuota
from safelight.exchange.keys import Key

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SLOTS = 256
WINDOW = 512
CLUSTER = 128
ODD = 16
MATCHED = 192
LINK = 31
KEEP = 24 * 3600
RULES = {
    "cluster": "a long run of nearly the same picture",
    "odd": "codes that no hasher makes, one near the other",
    "matched": "a collection of which a large part is listed",
}
_MINUTE, _DAY = 60, 86_400


def _type() -> Any:
    import numpy as np

    return np.dtype(
        [
            ("key", "<u8"),
            ("suspended_at", "<f8"),
            ("minute", "<i8"), ("minute_count", "<i8"), ("day", "<i8"), ("day_count", "<i8"),
            ("state", "<i8", (2,)),
            ("ring", "<u8", (WINDOW, 4)), ("times", "<i8", (WINDOW,)), ("labels", "<u4", (WINDOW,)),
            ("hit_flags", "u1", (WINDOW,)),
        ]
    )  # fmt: skip


class Watch:
    """Counters of every key in one mapped file.

    Args:
        path: the file; made if missing. Processes that open the same file see the same counters.

    Raises:
        ExchangeError: it cannot be made or opened.
    """

    def __init__(self, path: Path) -> None:
        import numpy as np

        kind = _type()
        size = SLOTS * kind.itemsize
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            if os.fstat(self._file).st_size != size:
                # A file of another version: counters begin anew, suspensions stand in the database.
                os.ftruncate(self._file, 0)
                os.ftruncate(self._file, size)
            self._map = mmap.mmap(self._file, size)
        except OSError as error:
            raise ExchangeError(f"{path} cannot be opened: {error.strerror}.", fix="Permit writing there.") from error
        self._slots: npt.NDArray[Any] = np.frombuffer(self._map, kind)
        self._places: dict[int, int] = {}
        self._thread = threading.Lock()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One thread of one process at a time. The lock of a process that dies is gone with it."""
        with self._thread:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _slot(self, number: int) -> Any:
        """The counters of a key or platform; takes a free place on first sight. Call it while alone."""
        place = self._places.get(number)
        if place is None or int(self._slots["key"][place]) != number:
            owners = self._slots["key"].tolist()
            if number in owners:
                place = owners.index(number)
            elif 0 in owners:
                place = owners.index(0)
                self._slots["key"][place] = number
            else:
                raise ExchangeError(f"More than {SLOTS} keys and platforms ask.", fix="Run a second exchange.")
            self._places[number] = place
        return self._slots[place]

    def charge(self, key: Key, looks: int, now: float | None = None) -> None:
        """Count look-ups against the platform's quotas, over all its keys and processes.

        Raises:
            OverQuota: none of them is counted.
        """
        moment = time.time() if now is None else now
        minute, day = int(moment // _MINUTE), int(moment // _DAY)
        with self._alone():
            # Platforms and keys share the table; a platform's number is told apart by its highest bit.
            slot = self._slot(key.platform | 1 << 63)
            spent_minute = int(slot["minute_count"]) if int(slot["minute"]) == minute else 0
            spent_day = int(slot["day_count"]) if int(slot["day"]) == day else 0
            if spent_day + looks > key.per_day:
                raise OverQuota(
                    f"{looks} look-ups are more than is left of {key.per_day:,} a day.",
                    retry_after=max(1, int((day + 1) * _DAY - moment)),
                )
            if spent_minute + looks > key.per_minute:
                raise OverQuota(
                    f"{looks} look-ups are more than is left of {key.per_minute:,} a minute.",
                    retry_after=max(1, int((minute + 1) * _MINUTE - moment)),
                )
            slot["minute"], slot["minute_count"] = minute, spent_minute + looks
            slot["day"], slot["day_count"] = day, spent_day + looks

    def is_suspended(self, key: Key) -> bool:
        """Whether a process has suspended the key since a person last cleared it."""
        with self._alone():
            return bool(self._slot(key.number)["suspended_at"] > key.cleared_at)

    def observe(
        self, key: Key, codes: npt.NDArray[np.uint64], hits: npt.NDArray[np.uint8], now: float | None = None
    ) -> dict[str, int]:
        """Take PDQ queries into account.

        Args:
            codes: (M, 4); hits: (M,) whether each matched.

        Returns:
            The rules that are broken with what was counted ({"cluster": 128}); empty is well. The key is suspended, for
            every process, when there is one.
        """
        import numpy as np

        from safelight.exchange._watch_kernel import observe

        moment = time.time() if now is None else now
        counted = np.zeros(3, np.int64)
        with self._alone():
            slot = self._slot(key.number)
            if (
                key.cleared_at
                and int(slot["state"][0])
                and float(slot["suspended_at"])
                and (float(slot["suspended_at"]) <= key.cleared_at)
            ):
                # A person has looked and lifted: what was counted before does not count again.
                slot["state"][:] = 0
                slot["suspended_at"] = 0.0
            observe(
                codes, hits, int(moment), KEEP, LINK, slot["ring"], slot["times"], slot["labels"], slot["hit_flags"],
                slot["state"], counted,
            )  # fmt: skip
            limits = {"cluster": CLUSTER, "odd": ODD, "matched": MATCHED}
            broken = {
                rule: int(count) for (rule, limit), count in zip(limits.items(), counted, strict=True) if count >= limit
            }
            if broken:
                slot["suspended_at"] = moment
        return broken

    def forget(self, alive: set[int], platforms: set[int]) -> None:
        """Free the places of keys and platforms that are no more."""
        with self._alone():
            keep = alive | {number | 1 << 63 for number in platforms} | {0}
            for place, number in enumerate(self._slots["key"].tolist()):
                if number not in keep:
                    self._slots[place : place + 1] = 0
            self._places.clear()

    def close(self) -> None:
        os.close(self._file)  # the map goes with its last array
