"""The disk refuses (F4): one write after the other, one synchronisation after the other, no room, read-only.

A process records referrals through the web page. strace makes the n-th write of it to the database's files fail (EIO),
or its n-th synchronisation, or every write from the n-th on (ENOSPC: full; EROFS: read-only), for one n after the
other; and the kernel itself cuts a write short where a file may not grow (RLIMIT_FSIZE). On PostgreSQL the writes are
those of the server process that works for the page, on a cluster of the trial's own with fsync on; such a server gives
up rather than guess, and must be back by itself. The write must be refused, the person told in a sentence that nothing
was half saved, everything acknowledged be there, nothing be there in part, and the ledger verify.
"""

from __future__ import annotations

import os
import random
import re
import resource
import select
import signal
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trust import Progress, Result, Size
from trust._children import Child, check_whole, until
from trust._cluster import Cluster, away_from_sqlite
from trust.crashes import form

TITLE = "The disk refuses"
DATABASES = ("sqlite", "postgresql")
ORDER = 25

WRITES, SYNCS = "pwrite64,write,pwritev", "fdatasync,fsync"
#: Referrals that a process records at most until one is refused.
MOST = 25
TOLD = "nothing was half saved"


@dataclass(frozen=True)
class Fault:
    """What strace is told; ``when`` as it writes it: "7" the seventh, "7+" from the seventh on. No ``error``: the
    kernel cuts writes short after so many bytes."""

    kind: str
    calls: str
    error: str
    when: str


def plan(size: Size, vendor: str) -> list[Fault]:
    """The faults of a run. A PostgreSQL writes less often, and each of its refusals costs a recovery."""
    rng = random.Random(2026)
    lite = vendor == "sqlite"
    most, syncs, full, cut = (500, 100, 100, 100) if lite else (60, 60, 30, 0)
    faults = [Fault("one write fails (EIO)", WRITES, "EIO", str(n + 1)) for n in range(most)]
    faults += [Fault("one synchronisation fails (EIO)", SYNCS, "EIO", str(n + 1)) for n in range(syncs)]
    faults += [Fault("no room from a write on (ENOSPC)", WRITES, "ENOSPC", f"{5 * n + 1}+") for n in range(full)]
    faults += [Fault("read-only from a write on (EROFS)", WRITES, "EROFS", f"{5 * n + 3}+") for n in range(full)]
    faults += [Fault("a write is cut short, a file may not grow", "", "", str(rng.randint(0, 200_000)))
               for _ in range(cut)]  # fmt: skip
    if size == "full":
        return faults
    if lite:
        return [faults[n] for n in (0, 3, 11, 40, 97, 500, 501, 503, 601, 610, 705, 805, 806)]
    return [faults[n] for n in (0, 61, 121)]


def run(size: Size) -> Result:
    """F4 on the database that Django is set up for; outside a transaction, because other processes write."""
    from django.db import connection, connections
    from tests.casework.factories import make_user

    result = Result()
    faults = plan(size, connection.vendor)
    struck: Counter[str] = Counter()
    told: Counter[str] = Counter()
    harmless: Counter[str] = Counter()
    tried = Counter(fault.kind for fault in faults)
    acknowledged: set[str] = set()
    with away_from_sqlite() as cluster:
        desk = make_user("referral_desk")
        _warm(desk)
        with Progress("bad disks", len(faults)) as step:
            for number, fault in enumerate(faults):
                for line in _strike(fault, number, desk, cluster):
                    what, _, text = line.partition(" ")
                    if what == "saved":
                        acknowledged.add(text)
                    elif what == "harmless":
                        harmless[fault.kind] += 1
                    elif what == "refused":
                        struck[fault.kind] += 1
                        told[fault.kind] += text == "told"
                        if text != "told":
                            result.fail(f"F4, {fault}: {text}")
                if cluster is not None and not cluster.answers(120):
                    result.fail(f"F4, {fault}: the server is not back within 120 s.")
                    break
                step()
        connections.close_all()
        for kind, count in tried.items():
            unreached = count - harmless[kind] - struck[kind]
            seen = (
                f"{count:,} places tried; by {harmless[kind]:,} nothing of the page was lost, it answered as always; "
                f"{unreached:,} were not reached within {MOST} referrals"
            )
            result.add(f"F4 {kind}: refused, and the person told", struck[kind], told[kind], seen)
        check_whole(result, "F4", acknowledged, f"{len(faults):,} disks")
        if cluster is not None:
            panics = cluster.said("PANIC")
            result.measured("F4 times that the server gave up rather than guess (PANIC)", f"{panics:,}")
        connections.close_all()
    return result


def _warm(desk: Any) -> None:
    """What is forked afterwards need not read the program's pages first, each time, under strace."""
    from django.test import Client
    from django.urls import reverse

    from safelight.web.errors import database_away

    client = Client(raise_request_exception=False)
    client.force_login(desk, backend="allauth.account.auth_backends.AuthenticationBackend")
    client.post(reverse("referrals:new"), form("F4-web-warm"))
    database_away(client.get(reverse("referrals:new")).wsgi_request)


def _strike(fault: Fault, number: int, desk: Any, cluster: Cluster | None) -> list[str]:
    """What a process said that recorded referrals while the disk did that."""
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    paths = [] if cluster else [word for suffix in ("", "-wal", "-shm") for word in ("-P", name + suffix)]
    shut, gate = os.pipe()
    injected_file = tempfile.NamedTemporaryFile(prefix="strace-")  # noqa: SIM115 - closed below
    log = Path(injected_file.name)
    child = Child(lambda say: _record(say, desk, number, fault, shut, Path(f"{name}-wal"), log))
    tracer = None
    try:
        target = child.begins("The process that records").split()[1]
        if fault.error:
            injected = [f"--inject={call}:error={fault.error}:when={fault.when}" for call in fault.calls.split(",")]
            tracer = subprocess.Popen(
                ["strace", "-q", "-o", str(log), "-e", f"trace={fault.calls}", "-e", "signal=none", *paths,
                 *injected, "-p", target],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )  # fmt: skip
            if not until(lambda: _traced(int(target)), 30):
                said = tracer.stderr.read(500).decode() if tracer.stderr and tracer.poll() is not None else ""
                raise RuntimeError(f"strace could not be attached: {said or 'it said nothing'}")
        os.write(gate, b"1")
        child.wait()
        # A server process that gave up takes the whole server into recovery, but not before it is seen to have ended:
        # until then the server seems to answer.
        if cluster is not None and not until(lambda: not Path(f"/proc/{target}").exists(), 60):
            raise RuntimeError("The server process that worked for the page does not end.")
    finally:
        os.close(gate)
        os.close(shut)
        injected_file.close()
        lines = child.close()
        if tracer is not None:
            tracer.send_signal(signal.SIGTERM)
            tracer.communicate()
    return lines[1:]


def _traced(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return re.search(r"^TracerPid:\t[1-9]", status, re.MULTILINE) is not None


def _record(
    acknowledge: Callable[[str], None], desk: Any, number: int, fault: Fault, gate: int, wal: Path, strace: Path
) -> None:
    """Record referrals by the page until one is refused, then say what the page said."""
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    client = Client(raise_request_exception=False)
    client.force_login(desk, backend="allauth.account.auth_backends.AuthenticationBackend")
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            acknowledge(f"write {cursor.fetchone()[0]}")
    else:
        acknowledge(f"write {os.getpid()}")
    select.select([gate], [], [], 600)
    if not fault.error:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        grown = wal.stat().st_size if wal.exists() else 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (grown + int(fault.when), resource.RLIM_INFINITY))
    for count in range(MOST):
        key = f"F4-web-{number}-{count}"
        answer = client.post(reverse("referrals:new"), form(key))
        if answer.status_code == 302:
            acknowledge(f"saved {key}")
            if b"INJECTED" in strace.read_bytes():
                # What failed was not for the page (a checkpoint, which the next one does anew): nothing was lost by it.
                acknowledge("harmless")
                return
            continue
        said = answer.content.decode()
        told = answer.status_code >= 500 and TOLD in said
        acknowledge("refused told" if told else f"refused {answer.status_code} {said[:400]!r}".replace("\\n", " "))
        return
