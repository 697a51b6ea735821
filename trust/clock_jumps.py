"""The machine's clock jumps (F5): an hour on and back, three years, over both changes of the hour, a leap second.

A process whose time libfaketime moves while it runs (the time since its start is left alone, as it is when a server or
a person sets a clock) records a child at risk, and the statutory clocks start. Then its time jumps, the whole tick
runs there, the time goes back, and the tick runs again: and again just before each clock is due and just after. No
clock may get another due time. None that is late may be found otherwise again at the same time. And when its time truly
comes, each must be found late and its people told, whatever was done and said in a time that had not come. A jump of
30 s and more must be noticed and stand in the ledger. A leap second is what Linux makes of it: one second twice.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from trust import Result, Size
from trust._children import database_url

TITLE = "The clock jumps"
DATABASES = ("sqlite", "postgresql")
ORDER = 15

#: The true time of the trial, and by how much the machine's time then jumps.
JUMPS = {
    "three years on": (datetime(2026, 6, 4, 12, tzinfo=UTC), timedelta(days=1096)),
    "an hour back": (datetime(2026, 6, 7, 12, tzinfo=UTC), timedelta(hours=-1)),
    "back over the autumn change of the hour": (datetime(2026, 10, 25, 1, 0, 1, tzinfo=UTC), timedelta(seconds=-2)),
    "an hour on": (datetime(2026, 12, 1, 12, tzinfo=UTC), timedelta(hours=1)),
    "a leap second": (datetime(2026, 12, 31, 23, 59, 59, 900_000, tzinfo=UTC), timedelta(seconds=-1)),
    "a day back": (datetime(2027, 1, 11, 12, tzinfo=UTC), timedelta(days=-1)),
    "a day on": (datetime(2027, 1, 18, 12, tzinfo=UTC), timedelta(days=1)),
    "three years back": (datetime(2027, 2, 1, 12, tzinfo=UTC), timedelta(days=-1096)),
    "over the spring change of the hour": (datetime(2027, 3, 28, 0, 59, 58, tzinfo=UTC), timedelta(seconds=4)),
    "back over the spring change": (datetime(2028, 3, 26, 1, 0, 2, tzinfo=UTC), timedelta(seconds=-4)),
    "over the autumn change of the hour": (datetime(2028, 10, 29, 0, 59, 58, tzinfo=UTC), timedelta(seconds=4)),
    "to the first days of Unix": (datetime(2029, 1, 8, 12, tzinfo=UTC), timedelta(days=-21_540)),
}  # fmt: skip
SIZES = {"small": 5, "full": 12}
#: A clock set by less is no jump (`safelight.casework.clocks.machine_time`).
NOTICED = timedelta(seconds=30)


def run(size: Size) -> Result:
    """F5 on the database that Django is set up for; outside a transaction, because another process writes."""
    result = Result()
    names = list(JUMPS)[: SIZES[size]]
    with tempfile.TemporaryDirectory() as folder:
        offset = Path(folder) / "offset"
        offset.write_text("+0\n")
        environment = {
            **os.environ, "DATABASE_URL": database_url(), "LD_PRELOAD": str(_library()), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_TIMESTAMP_FILE": str(offset), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "NO_FAKE_STAT": "1",
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-m", "trust.clock_jumps", str(offset), *names],
            env=environment, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False,
        )  # fmt: skip
    if done.returncode:
        result.fail(f"F5: the process whose time jumps ended with {done.returncode}: {done.stderr[-1500:]}")
        return result
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    for name, faults in seen["faults"].items():
        for fault in faults:
            result.fail(f"F5, {name}: {fault}")
    right = sum(not faults for faults in seen["faults"].values())
    result.add("F5 jumps of the clock", len(names), right, "; ".join(names))
    result.add("F5 statutory clocks found late when their time came, and their people told", seen["clocks"],
               seen["found"], f"{seen['taken_back']} things done too early were taken back")  # fmt: skip
    return result


def _library() -> Path:
    """libfaketime, as Debian has it."""
    found = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not found:
        raise FileNotFoundError("libfaketime is not on this machine: install the Debian package libfaketime.")
    return found[0]


# --- in the process whose time jumps ------------------------------------------------------------------------------


class Time:
    """The time of this process, moved by the file that libfaketime reads."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def is_now(self, moment: datetime) -> None:
        """From here on it is ``moment``, and goes on."""
        self._moved(0.0)
        self._moved(moment.timestamp() - time.time())
        off = abs(time.time() - moment.timestamp())
        assert off < 5, f"the time did not move: {off:.0f} s off"

    def _moved(self, seconds: float) -> None:
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+.6f}\n")
        new.replace(self.file)


def _trial(clock: Time, truth: datetime, jump: timedelta) -> tuple[list[str], int, int, int]:
    """(faults, clocks, of them found when due, things taken back)."""
    from django.db import transaction
    from tests.casework.factories import make_case, make_user

    from safelight.casework.clocks.machine_time import MachineTime
    from safelight.casework.clocks.models import WAITED_FOR, Clock
    from safelight.casework.ledger.models import LedgerEntry
    from safelight.casework.notices.models import Notice
    from safelight.casework.safeguarding.services import add_child
    from safelight.cli.tick import tick_once

    clock.is_now(truth)
    watch = MachineTime()
    tick_once(watch)
    before = set(Clock.objects.values_list("pk", flat=True))
    jumps = LedgerEntry.objects.filter(verb="time.jumped").count()
    with transaction.atomic():
        supervisor = make_user("supervisor")
        case = make_case(actor=supervisor)
        add_child(supervisor, case=case, person={"given_names": "Example"}, borough="Camden", relationship="Synthetic")
    mine = Clock.objects.exclude(pk__in=before).exclude(due_at=None).exclude(sense__in=WAITED_FOR)
    dues = dict(mine.values_list("pk", "due_at"))
    faults: list[str] = []

    def check(when: str) -> None:
        for pk, due in Clock.objects.filter(pk__in=dues).values_list("pk", "due_at"):
            if due != dues[pk]:
                faults.append(f"{when}: a clock was due {dues[pk]} and is due {due}")

    tick_once(watch)
    check("before the jump")
    clock.is_now(truth + timedelta(seconds=2) + jump)
    tick_once(watch)
    check("in the other time")
    clock.is_now(truth + timedelta(seconds=4))
    watched = _Counted(watch)
    tick_once(watched)
    check("back again")
    early = [row for row in Clock.objects.filter(pk__in=dues) if row.state() == "breached"]
    faults += [f"the {row.rule} clock reads as late before its time" for row in early if dues[row.pk] > truth]
    if abs(jump) >= NOTICED and LedgerEntry.objects.filter(verb="time.jumped").count() != jumps + 2:
        faults.append("the two jumps are not in the ledger")
    found = 0
    newest = LedgerEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    for pk, due in sorted(dues.items(), key=lambda one: one[1]):
        row = Clock.objects.get(pk=pk)
        clock.is_now(due - timedelta(seconds=20))
        tick_once()
        row.refresh_from_db()
        if row.alerted_at is not None and row.alerted_at < due:
            faults.append(f"the {row.rule} clock was found late before its time")
        clock.is_now(due + timedelta(seconds=20))
        tick_once()
        row.refresh_from_db()
        told = Notice.objects.filter(subject_type="clocks.clock", subject_id=pk, at__gte=due, at__lte=due + NOTICED)
        if row.state() != "breached" or row.alerted_at is None or not told.exists():
            faults.append(f"the {row.rule} clock was passed over when its time came")
        else:
            found += 1
        tick_once()
        if LedgerEntry.objects.filter(
            verb="clock.breached", subject_type="clocks.clock", subject_id=str(pk), pk__gt=newest
        ).count() != 1:  # fmt: skip
            faults.append(f"the {row.rule} clock was found late more than once")
    return faults, len(dues), found, watched.done


class _Counted:
    def __init__(self, watch: Any) -> None:
        self._watch, self.done = watch, 0

    def watch(self) -> int:
        self.done = self._watch.watch()
        return self.done


def main() -> None:
    import django

    django.setup()
    clock = Time(Path(sys.argv[1]))
    seen: dict[str, Any] = {"faults": {}, "clocks": 0, "found": 0, "taken_back": 0}
    for name in sys.argv[2:]:
        faults, clocks, found, back = _trial(clock, *JUMPS[name])
        seen["faults"][name] = faults
        seen["clocks"] += clocks
        seen["found"] += found
        seen["taken_back"] += back
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
