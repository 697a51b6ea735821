"""Runs of listed blocks: what the scan of the media tells."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

#: Bytes of a block.
BLOCK = 4096


@dataclass(slots=True)
class Run:
    """Blocks of one listed file that lie one after the other: `count` from its block `position`, at media `offset`."""

    offset: int
    source: int
    position: int
    count: int = 1

    def goes_on(self, other: Run) -> bool:
        """Whether `other` is the continuation."""
        return (
            other.source == self.source
            and other.offset == self.offset + self.count * BLOCK
            and other.position == self.position + self.count
        )


def joined(runs: Iterable[Run]) -> list[Run]:
    """Runs that were cut by the border of a window, as one; in disk order."""
    whole: list[Run] = []
    open_ends: dict[tuple[int, int, int], Run] = {}
    for run in sorted(runs, key=lambda r: (r.offset, r.source, r.position)):
        before = open_ends.pop((run.offset, run.source, run.position), None)
        if before is not None:
            before.count += run.count
            run = before
        else:
            whole.append(run)
        open_ends[run.offset + run.count * BLOCK, run.source, run.position + run.count] = run
    return whole
