"""The digests of the whole media: each is one chain from the first byte to the last, and the next bytes are read
meanwhile."""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from safelight.triage.evidence.base import Evidence

_STEP = 4 << 20


def identify(
    evidence: Evidence, names: Sequence[str], *, threads: int, tick: Callable[[int], None] = lambda done: None
) -> dict[str, str]:
    """Digests (hex) of the media, by name.

    Args:
        evidence: the media; its `missing` ranges are filled while reading, and zeros stand for them.
        names: as hashlib knows them.
        threads: how many may work at the same time; digests and, where the container allows it, reading ahead.
        tick: told the bytes of each step.
    """
    hashes = {name: hashlib.new(name, usedforsecurity=False) for name in names}
    if threads < 2:
        for at in range(0, evidence.size, _STEP):
            piece = evidence.read(at, _STEP)
            for each in hashes.values():
                each.update(piece)
            tick(len(piece))
        return {name: each.hexdigest() for name, each in hashes.items()}
    places = deque(range(0, evidence.size, _STEP))
    ahead: deque[Future[bytes]] = deque()
    # A reader that is not made for it is asked by one thread at a time.
    readers = threads if evidence.side_by_side else 1
    first, *others = hashes.values()
    with ThreadPoolExecutor(readers) as reading, ThreadPoolExecutor(max(1, len(others))) as hashing:
        while places or ahead:
            while places and len(ahead) <= readers:
                ahead.append(reading.submit(evidence.read, places.popleft(), _STEP))
            piece = ahead.popleft().result()
            updates = [hashing.submit(each.update, piece) for each in others]
            first.update(piece)
            for update in updates:
                update.result()
            tick(len(piece))
    return {name: each.hexdigest() for name, each in hashes.items()}
