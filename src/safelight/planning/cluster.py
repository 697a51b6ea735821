"""Replications on a Dask cluster: for a question that one machine answers too slowly.

The workers need the same Safelight and may come and go; a replication depends on (network, seed, number) alone, so that
the answer is the same to the last bit however many there are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from concurrent.futures import Future
from typing import Any

from safelight.planning.compiled import Compiled
from safelight.planning.errors import PlanningError
from safelight.planning.replication import Replication, replicate
from safelight.planning.run import _collect

CONNECT_SECONDS = 10


@contextlib.contextmanager
def dask(address: str) -> Generator[Any, None, None]:
    """A client of the scheduler at this address.

    Raises:
        PlanningError: Dask is not installed here, nobody answers there, or there is no worker.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise PlanningError(
            "cluster", "Dask is not installed here.", fix="Install `distributed`, or leave the cluster out."
        ) from error
    try:
        client = Client(address, timeout=CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise PlanningError("cluster", f"nobody answers at {address}.", fix="Start `dask scheduler` there.") from error
    try:
        if not client.scheduler_info()["workers"]:
            raise PlanningError("cluster", f"{address} has no worker.", fix="Start `dask worker` for it.")
        yield client
    finally:
        client.close()  # type: ignore[no-untyped-call]


def on_cluster(compiled: Compiled, seed: int, replications: int, address: str) -> Generator[Replication, None, None]:
    """The replications in the order of their numbers; two run here while the first others are on their way."""
    with dask(address) as client:
        workers = sum(one["nthreads"] for one in client.scheduler_info()["workers"].values())
        shared = client.scatter(compiled, broadcast=True, hash=False)
        executor = client.get_executor(pure=False)

        def submit(number: int) -> Future[Replication]:
            found: Future[Replication] = executor.submit(replicate, shared, seed, number)
            return found

        try:
            yield from _collect(compiled, seed, replications, submit, workers)
        finally:
            executor.shutdown(wait=False)
