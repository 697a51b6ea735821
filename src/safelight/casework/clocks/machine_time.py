"""The machine's time against one that nobody can set: what a jump did is taken back, so that no clock is passed over.

Clocks are times: their state is right again as soon as the machine's time is. What is not right by itself is what was
*done* while it was wrong: a sweep three years ahead tells everybody of every clock, and would keep silent when the time
truly comes, because it has told; a letter to be tried again then would lie for three years. The sweep itself is never
held up: nobody here can know which of two times is the true one, and a warning too early harms no child.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import CharField, Q, Value
from django.db.models.functions import Cast, Concat, Left
from django.utils import timezone

from safelight.casework.clocks.models import Clock
from safelight.casework.clocks.steps import STEP_FIELDS, schedule
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.letters import LONGEST_CLAIM
from safelight.casework.notices.models import Letter, Notice
from safelight.casework.notices.services import tell
from safelight.casework.supervision.models import ReviewMiss

log = logging.getLogger(__name__)
#: A time server slews, a leap second steps by one: less than this is no jump.
JUMP = timedelta(seconds=30)
#: Machines that work on one database may differ by so much.
SKEW = timedelta(minutes=5)
#: Another machine's time may have been the wrong one: look so often without having seen a jump.
LOOK_EVERY = 600.0
BATCH = 500


class MachineTime:
    """Watches the machine's time from one tick to the next. One for each process."""

    def __init__(self) -> None:
        self._wall: datetime | None = None
        self._since_start = self._looked = 0.0

    def watch(self) -> int:
        """Say so when the machine's time jumped, and take back what was done in a time that has not come.

        Returns:
            How many clocks, notices and letters were taken back.
        """
        wall, since_start = timezone.now(), time.clock_gettime(time.CLOCK_BOOTTIME)
        jump = timedelta(0)
        first = self._wall is None
        if self._wall is not None:
            jump = wall - self._wall - timedelta(seconds=since_start - self._since_start)
        self._wall, self._since_start = wall, since_start
        if abs(jump) < JUMP and not first and since_start - self._looked < LOOK_EVERY:
            return 0
        self._looked = since_start
        done = take_back(wall)
        if abs(jump) >= JUMP:
            log.warning("The machine's time jumped by %.0f s; %s things done too early were taken back.",
                        jump.total_seconds(), done)  # fmt: skip
            _say(jump, done, wall)
        return done


@transaction.atomic
def _say(jump: timedelta, done: int, now: datetime) -> None:
    record(
        None,
        "time.jumped",
        None,
        category=Category.SYSTEM,
        payload={"seconds": round(jump.total_seconds()), "taken_back": done},
    )
    people = get_user_model().objects.filter(role="administrator", is_active=True)
    tell(people, "time.jumped", None, key=f"time.jumped {now:%Y-%m-%d %H:%M:%S}")


def take_back(now: datetime) -> int:
    """Let everything be told again, when its time comes, that was told in a time that lies ahead of ``now``.

    What was written stays: the notices, and the ledger's entries with the times that the machine then had.

    Returns:
        How many clocks, notices and letters.
    """
    ahead = now + SKEW
    done = 0
    while looked_at := _take_back_clocks(ahead):
        done += looked_at
    with transaction.atomic():
        # A key lets each be told once; under another name it no longer stands in the way.
        done += (
            Notice.objects.filter(at__gt=ahead)
            .exclude(key="")
            .exclude(key__contains="~")
            .update(key=Concat(Left("key", 140), Value("~"), Cast("pk", CharField()), output_field=CharField()))
        )
        done += Letter.objects.filter(next_try_at__gt=now + LONGEST_CLAIM).update(next_try_at=now)
        ReviewMiss.objects.filter(outcome_at__gt=ahead).update(outcome="", outcome_at=None)
    return done


@transaction.atomic
def _take_back_clocks(ahead: datetime) -> int:
    rows = list(
        Clock.objects.open()
        .select_for_update(skip_locked=True, of=("self",))
        .filter(Q(swept_through__gt=ahead) | Q(alerted_at__gt=ahead))[:BATCH]
    )
    for clock in rows:
        schedule(clock, afresh=True)
    Clock.objects.bulk_update(rows, STEP_FIELDS, batch_size=BATCH)
    return len(rows)
