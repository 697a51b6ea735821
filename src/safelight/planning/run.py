"""Many replications in several processes, with live intervals, progress and a way to stop."""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import threading
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass

from safelight.planning.compiled import Compiled, compile_network
from safelight.planning.errors import PlanningError
from safelight.planning.network import Network
from safelight.planning.replication import Replication, replicate
from safelight.planning.result import Tally


@dataclass(frozen=True)
class Progress:
    """After each replication: how many of how many, and everything that is known so far."""

    done: int
    total: int
    tally: Tally


@dataclass(frozen=True)
class Result:
    """The replications of one network.

    Args:
        tally: the answers.
        stopped: it was stopped before all replications were done; the answers rest on fewer.
    """

    tally: Tally
    seed: int
    stopped: bool

    @property
    def replications(self) -> int:
        return len(self.tally.runs)


def simulate(
    network: Network,
    *,
    replications: int = 20,
    seed: int = 1,
    processes: int = 2,
    cluster: str = "",
    on_progress: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Result:
    """Run a network. The same (network, replications, seed) gives the same result wherever it runs.

    Two networks run with one seed meet the same cases (common random numbers).

    Args:
        replications: how many independent runs; the intervals shrink with their root.
        processes: 1 runs in this process.
        cluster: address of a Dask scheduler (tcp://host:8786) whose workers run the replications instead.
        on_progress: called after each replication, in the order of their numbers.
        stop: asked between replications; True stops.

    Raises:
        PlanningError: the network, one of these numbers or the cluster cannot be used.
        SelfCheckError: a run broke a law that every run obeys (a fault of ours).
    """
    for name, number, most in (("replications", replications, 1_000_000), ("processes", processes, 512)):
        if not 1 <= number <= most:
            raise PlanningError(name, f"{number} is not between 1 and {most:,}.", fix="Choose a number in that range.")
    compiled = compile_network(network)
    tally = Tally(compiled)
    if cluster:
        from safelight.planning.cluster import on_cluster

        runs = on_cluster(compiled, seed, replications, cluster)
    elif processes == 1:
        runs = _here(compiled, seed, replications)
    else:
        runs = _spread(compiled, seed, replications, min(processes, replications))
    stopped = False
    try:
        for run in runs:
            tally.add(run)
            if on_progress is not None:
                on_progress(Progress(len(tally.runs), replications, tally))
            if len(tally.runs) < replications and stop is not None and stop():
                stopped = True
                break
    finally:
        runs.close()
    return Result(tally, seed, stopped)


def _here(compiled: Compiled, seed: int, replications: int) -> Generator[Replication, None, None]:
    for number in range(replications):
        yield replicate(compiled, seed, number)


def _spread(compiled: Compiled, seed: int, replications: int, processes: int) -> Generator[Replication, None, None]:
    """This process and others beside it, so that the first answers do not wait for a process to start."""
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(processes - 1, mp_context=context, initializer=_prepare, initargs=(compiled, seed))
    try:

        def submit(number: int) -> Future[Replication]:
            with _ctrl_c_is_ours():  # a process starts when there is work for it, and inherits this
                return pool.submit(_one, number)

        yield from _collect(compiled, seed, replications, submit, processes - 1)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _collect(
    compiled: Compiled,
    seed: int,
    replications: int,
    submit: Callable[[int], Future[Replication]],
    others: int,
) -> Generator[Replication, None, None]:
    """Hand replications out, run some here, and give them back in the order of their numbers."""
    waiting: dict[Future[Replication], int] = {}
    ready: dict[int, Replication] = {}
    own = list(range(min(2, replications)))  # these two give the first interval while the others start
    sent, given = len(own), 0
    ahead = 16 * (others + 1)
    try:
        while given < replications:
            while sent < replications and len(waiting) < 3 * others and len(ready) < ahead:
                waiting[submit(sent)] = sent
                sent += 1
            # What this process does itself: the next one, unless the others are so far ahead that it should hand out.
            if own:
                number = own.pop(0)
                ready[number] = replicate(compiled, seed, number)
            elif sent < replications and len(ready) < ahead:
                ready[sent] = replicate(compiled, seed, sent)
                sent += 1
            elif given not in ready:
                wait(waiting, return_when=FIRST_COMPLETED)
            for future in [future for future in waiting if future.done()]:
                ready[waiting.pop(future)] = future.result()
            while given in ready:
                yield ready.pop(given)
                given += 1
    finally:
        for future in waiting:
            future.cancel()


_work: list[tuple[Compiled, int]] = []


@contextlib.contextmanager
def _ctrl_c_is_ours() -> Generator[None, None, None]:
    """Ctrl-C goes to every process of a terminal; it is for the one that collects, which keeps what is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _prepare(compiled: Compiled, seed: int) -> None:
    _work[:] = [(compiled, seed)]


def _one(number: int) -> Replication:
    compiled, seed = _work[0]
    return replicate(compiled, seed, number)
