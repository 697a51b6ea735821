"""PostgreSQL killed whole (F2): SIGKILL for its postmaster and every process of it, under four writers.

Four processes record referrals (with people, clocks and ledger entries) and one seals the ledger, through the services,
on a durable cluster of the trial's own. At random moments every process of the server is killed at once, as by a power
cut of its machine, and whatever keeps it running (here what systemd does with ``Restart=on-failure``) starts it again,
over the lock files of the dead one. Writers and sealer meet the outage, and go on when the server is back: nobody
touches them. Nothing acknowledged may be missing, nothing be there in part, the ledger must verify, the server's own
check (pg_amcheck) find nothing, and the first write be acknowledged within 10 s of the kill.
"""

from __future__ import annotations

import os
import random
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import Any

from trust import Progress, Result, Size
from trust._children import Child, check_whole, referral, until
from trust._cluster import Cluster

TITLE = "PostgreSQL killed whole"
DATABASES = ("postgresql",)
ORDER = 27

SIZES = {"small": 2, "full": 40}
WRITERS = 4
BACK = 10.0
STALE = "lock file"


def run(size: Size) -> Result:
    """F2 on a copy of the cluster that Django is set up for."""
    from django.db import connections

    result = Result()
    with Cluster() as cluster:
        _kills(result, SIZES[size], cluster)
        connections.close_all()
        _check_files(result, cluster)
    return result


def _again(work: Callable[[], None]) -> None:
    """Do it; when the database is away, wait a little and go on with the next."""
    from django.db import DatabaseError, InterfaceError, connection

    try:
        work()
    except (DatabaseError, InterfaceError):
        connection.close()
        time.sleep(0.05)


def _writer(acknowledge: Callable[[str], None], desk: Any, name: int) -> None:
    for count in range(1_000_000):
        _again(lambda n=count: acknowledge(referral(desk, f"F2-{name}-{n}")))


def _sealer(acknowledge: Callable[[str], None]) -> None:
    from safelight.casework.ledger.services import seal

    while True:
        _again(lambda: seal() and None)
        time.sleep(0.02)


def _kills(result: Result, kills: int, cluster: Cluster) -> None:
    from tests.casework.factories import make_user

    rng = random.Random(2026)
    desk = make_user("referral_desk")
    writers = [Child(lambda say, n=name: _writer(say, desk, n)) for name in range(WRITERS)]
    sealer = Child(_sealer)
    back: list[float] = []
    killed = 0

    def written() -> int:
        return sum(len(one.lines()) for one in writers)

    with Progress("kills of the server", kills) as step:
        for turn in range(kills):
            before = written()
            if not until(lambda n=before: written() > n, 60):
                result.fail(f"F2: nothing was written for 60 s before kill {turn}.")
                break
            time.sleep(rng.random() * 1.5)
            cluster.kill()
            killed += 1
            begun = time.monotonic()
            time.sleep(0.05)
            dead = written()  # what was acknowledged before the end, read late
            if not until(lambda n=dead: written() > n, 120):
                result.fail(f"F2: nothing was written for 120 s after kill {turn}.")
                break
            back.append(time.monotonic() - begun)
            step()
    acknowledged = {line for one in writers for line in one.close()}
    sealer.close()
    result.add("F2 kills after which it was back by itself", kills, len(back), f"{len(acknowledged):,} acknowledged")
    untouched = sum(one.ended_by_us for one in (*writers, sealer))
    result.add("F2 writers and sealer that nobody had to start again", WRITERS + 1, untouched)
    check_whole(result, "F2", acknowledged, f"{killed} kills of the whole server under {WRITERS} writers")
    if back:
        worst = max(back)
        result.measured(
            "F2 from the kill to the next acknowledged write: median, longest",
            f"{statistics.median(back):.2f} s, {worst:.2f} s", f"{BACK:g} s", met=worst <= BACK,
        )  # fmt: skip
    result.measured(
        "F2 starts of the server; refused over a lock or memory of the dead one, and tried again",
        f"{cluster.starts}; {cluster.said(STALE) + cluster.said('shared memory block')}",
    )


def _check_files(result: Result, cluster: Cluster) -> None:
    """pg_amcheck over every table and index."""
    from django.db import connection

    words = connection.settings_dict
    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(cluster.port), "PGUSER": words["USER"],
                   "PGPASSWORD": words["PASSWORD"]}  # fmt: skip
    connection.close()
    done = subprocess.run(
        [cluster.programs / "pg_amcheck", "--install-missing", "-d", words["NAME"]],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    said = (done.stdout + done.stderr).strip()
    if done.returncode:
        result.fail(f"F2: pg_amcheck: {said[:500]}")
    result.add("F2 pg_amcheck of the database", 1, int(not done.returncode), "nothing" if not said else said[:100])
