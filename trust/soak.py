"""Half an hour of mixed work: people read lists, cases and searches, referrals and cases are written, the tick runs.

Beside it stands the memory of each process of the site: after a warm-up it must not grow. An error is any answer but a
page (or a 404 for an old case that the person may not see), a line of the log that tells of a fault, a write that was
refused, or a process that ended. Uses the force, the pages and the writing of `benchmarks/casework.py`.
"""

from __future__ import annotations

import http.client
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from argparse import Namespace
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from trust import Result, Size, say

TITLE = "Soak: mixed load over time"
ORDER = 95

ROOT = Path(__file__).resolve().parents[1]
GROWTH = 0.05  # most that the memory of a process may grow after its warm-up
LOOK_EVERY = 5.0
PEOPLE = 2


@dataclass(frozen=True)
class Plan:
    cases: int
    seconds: float
    warm: float  # seconds at the beginning that do not count for memory
    rate: float  # pages a second
    write_every: float  # seconds between two referrals that become cases


PLANS = {"small": Plan(2_000, 20, 8, 4, 2), "full": Plan(5_000, 1_800, 420, 4, 3)}


@dataclass
class Seen:
    """What happened, for all threads."""

    times: list[tuple[float, float]] = field(default_factory=list)  # (when, milliseconds)
    faults: list[str] = field(default_factory=list)
    memory: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    written: int = 0


def run(size: Size) -> Result:
    plan = PLANS[size]
    if asked := os.environ.get("SAFELIGHT_SOAK_SECONDS", ""):
        plan = replace(plan, seconds=float(asked), warm=float(asked) * plan.warm / plan.seconds)
    sys.path.insert(0, str(ROOT / "benchmarks"))
    import casework

    result = Result()
    with tempfile.TemporaryDirectory(prefix="safelight-soak-") as name:
        folder = Path(name)
        os.environ["SAFELIGHT_LOG"] = "json"
        os.environ["SAFELIGHT_PAGES_A_MINUTE"] = "0"  # one person asks for what a hundred would
        # The force of an earlier run can be named (SAFELIGHT_SOAK_DATABASE), to begin at once.
        if kept := os.environ.get("SAFELIGHT_SOAK_DATABASE", ""):
            shutil.copy(kept, folder / "safelight.sqlite3")
        casework.set_up(folder)
        if not kept:
            _load(plan.cases)
        # A force of five years has steps of clocks waiting that no force would have: they are taken first.
        casework.sweeping()
        with casework.serving(Namespace(workers=2), folder) as port, (folder / "tick.log").open("wb") as log:
            tick = subprocess.Popen(
                [sys.executable, "-m", "safelight.cli.main", "tick", "--every", "5"], stdout=log, stderr=log
            )
            try:
                seen = _work(casework, plan, port, tick)
            finally:
                tick.terminate()
                tick.wait(60)
        logs = {one: (folder / one).read_text(errors="replace") for one in ("serve.log", "tick.log")}
        _judge(result, plan, seen, logs)
    return result


def _load(cases: int) -> None:
    from _casework_load import load
    from safelight.casework.search.index import rebuild
    from safelight.casework.search.triggers import remove

    remove()
    load(cases, say)
    rebuild(alone=True)


def _work(casework: Any, plan: Plan, port: int, tick: subprocess.Popen[bytes]) -> Seen:
    seen, over, begun = Seen(), threading.Event(), time.monotonic()
    todo = casework.visits(plan.cases)
    todo = [(name, cookie, [say_it() for _ in range(50)]) for _, name, cookie, say_it in todo]
    threads = [threading.Thread(target=_visit, args=(casework, plan, port, todo, seen, over, n)) for n in range(PEOPLE)]
    threads.append(threading.Thread(target=_watch, args=(seen, over, begun, tick)))
    for thread in threads:
        thread.start()
    try:
        while (left := plan.seconds - (time.monotonic() - begun)) > 0:
            turn = time.monotonic()
            try:
                casework.writes(1)
                seen.written += 1
            except Exception as error:  # noqa: BLE001 - whatever refuses a write is what is looked for
                seen.faults.append(f"a write failed: {type(error).__name__}: {error}"[:200])
            over.wait(min(max(0.0, plan.write_every - (time.monotonic() - turn)), left))
    finally:
        over.set()
        for thread in threads:
            thread.join(120)
    return seen


def _visit(
    casework: Any, plan: Plan, port: int, todo: list[Any], seen: Seen, over: threading.Event, number: int
) -> None:
    """One person's browser. Whoever was kept waiting looks at the page for as long before asking for the next: where
    others use the machine too, the load stays at about half of what the site can do."""
    rng, connection = random.Random(number), http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = time.monotonic()
    due = begun + number / plan.rate
    while not over.wait(max(0.0, due - time.monotonic())):
        name, cookie, addresses = rng.choice(todo)
        status, connection = casework.fetch(connection, cookie, rng.choice(addresses))
        seen.times.append((time.monotonic() - begun, 1000 * (time.monotonic() - due)))
        if status not in (200, 404):
            seen.faults.append(f"{name}: answered {status}")
        now = time.monotonic()
        due = now + max(PEOPLE / plan.rate, now - due)
    connection.close()


def _watch(seen: Seen, over: threading.Event, begun: float, tick: subprocess.Popen[bytes]) -> None:
    told = 0.0
    while not over.wait(LOOK_EVERY):
        now = time.monotonic() - begun
        for name, pid in {**_server(), "tick": tick.pid}.items():
            seen.memory.setdefault(name, []).append((now, resident(pid)))
        if tick.poll() is not None:
            seen.faults.append(f"the tick ended with {tick.returncode}")
            return
        if now - told >= 60:
            told = now
            shown = ", ".join(f"{name} {rows[-1][1] >> 20} MiB" for name, rows in seen.memory.items())
            say(f"{now:,.0f} s: {len(seen.times):,} pages, {seen.written} cases, {len(seen.faults)} faults; {shown}")


def _server() -> dict[str, int]:
    """The processes of `safelight serve` that this process started: the first, and those that answer."""
    found = {}
    for pid in _children(os.getpid()):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if b"serve" in words:
            found["server"] = pid
            found |= {f"server process {n + 1}": child for n, child in enumerate(sorted(_children(pid)))}
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def resident(pid: int) -> int:
    """Bytes of memory that a process has; 0 when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("VmRSS")), 0)


def _judge(result: Result, plan: Plan, seen: Seen, logs: dict[str, str]) -> None:
    wrong = [line for text in logs.values() for line in text.splitlines() if '"error"' in line or "Traceback" in line]
    for fault in [*sorted(set(seen.faults)), *wrong[:5]]:
        result.fail(fault[:300])
    result.add("pages answered", len(seen.times), len(seen.times) - sum("answered" in f for f in seen.faults))
    result.add("cases written through the services", seen.written, seen.written, "referral, child check, case, note")
    window = (plan.seconds - plan.warm) / 5
    for name, rows in sorted(seen.memory.items()):
        early = [size for at, size in rows if plan.warm <= at < plan.warm + window]
        late = [size for at, size in rows if at >= plan.seconds - window]
        if not early or not late or min(late) == 0:
            result.fail(f"{name}: its memory could not be followed to the end")
            continue
        first, last = statistics.median(early), statistics.median(late)
        grown = last / first - 1
        words = f"{first / 2**20:.0f} MiB after the warm-up, {last / 2**20:.0f} MiB at the end, {100 * grown:+.1f} %"
        result.add(f"memory of the {name} grows by less than {100 * GROWTH:.0f} %", 1, int(grown < GROWTH), words)
    result.measured("lasted", f"{plan.seconds / 60:.0f} minutes", "30 minutes", met=plan.seconds >= 1_800)
    times = sorted(took for _, took in seen.times)
    if times:
        result.measured("pages, median and 95th percentile", f"{_at(times, 0.5):.0f} ms, {_at(times, 0.95):.0f} ms")
        third = plan.seconds / 3
        for words, rows in (("first", [t for at, t in seen.times if at < third]),
                            ("last", [t for at, t in seen.times if at >= 2 * third])):  # fmt: skip
            if rows:
                result.measured(f"99th percentile in the {words} third", f"{_at(sorted(rows), 0.99):.0f} ms")


def _at(rows: list[float], share: float) -> float:
    return rows[min(int(share * len(rows)), len(rows) - 1)]
