"""Keeping a backup up to date: a base once a day, steps in between, a base made anew when a chain breaks."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from safelight.backup.chain import Aim, Chain, Source
from safelight.backup.errors import BackupError, NotRestored
from safelight.backup.proof import Prove
from safelight.backup.pruning import prune
from safelight.backup.sqlite_source import ChainBroken

Tell = Callable[[str], object]


def keep(
    source: Source,
    aim: Aim,
    *,
    every: float,
    base_every: float,
    prove: Prove,
    tell: Tell,
    stop: Event | None = None,
    chains: int = 0,
) -> None:
    """Write a base and then a step every ``every`` seconds, until ``stop`` is set.

    A new base is made and restored for a check beside the steps, so that the age of the newest step stays what it is.
    What cannot be written is told and tried again.

    Args:
        every: seconds between two steps.
        base_every: seconds from one base to the next.
        prove: checks the ledger of what was restored.
        tell: is given a sentence for whoever watches.
        chains: how many chains that were restored for a check are kept; 0: all.
    """
    stopped = stop or Event()
    with ThreadPoolExecutor(1, thread_name_prefix="backup-base") as beside:
        chain: Chain | None = None
        coming: Future[Chain] | None = None
        checking: Future[None] | None = None
        next_base = 0.0
        while not stopped.is_set():
            now = time.monotonic()
            if coming is None and now >= next_base:
                coming = beside.submit(Chain, source, aim)
            try:
                if chain is not None:
                    chain.step(anew=coming is None)
            except ChainBroken as error:
                tell(str(error))
                chain, next_base = None, now
            except BackupError as error:
                tell(str(error))
            if coming is not None and coming.done():
                failure = coming.exception()
                if failure is None:
                    chain = coming.result()
                    tell(f"Base written to {chain.folder}.")
                    next_base = now + base_every
                    checking = beside.submit(_check, chain, prove, tell, chains)
                elif isinstance(failure, BackupError):
                    tell(str(failure))
                else:
                    raise failure
                coming = None
            if checking is not None and checking.done():
                checking.result()
                checking = None
            stopped.wait(every if chain is not None else min(every, 0.5))
        if chain is not None:
            chain.step(anew=False)


def _check(chain: Chain, prove: Prove, tell: Tell, chains: int) -> None:
    try:
        done = chain.verify(prove)
    except NotRestored as error:
        tell(f"THE BACKUP CANNOT BE RESTORED: {error}")
        return
    tell(f"Restored for a check in {done.seconds:.1f} s: {done.entries:,} ledger entries follow from the root.")
    try:
        gone = prune(chain.folder.parent, chains)
    except BackupError as error:
        tell(str(error))
    else:
        if gone:
            tell(f"Removed, because {chains} newer ones were restored for a check: {', '.join(gone)}.")
