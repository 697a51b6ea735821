"""Processes killed while they write (F1), and two supervisors who give out one case at the same time (F8).

F1: two processes record referrals (with people, clocks and ledger entries), one posts them through the web page, one
seals the ledger. One of them is killed (SIGKILL) at a random moment, and another takes its place, again and again.
Nothing that was acknowledged may be missing, nothing may be there in part, and the ledger must verify.

F8: two processes allocate the same case to two investigators at the same moment. Exactly one may succeed, the other is
told in a sentence, and one live allocation is in the database.
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

from trust import Progress, Result, Size
from trust._children import Child, check_whole, referral, until

TITLE = "Killed and raced"
DATABASES = ("sqlite", "postgresql")
ORDER = 30

#: Kills; races.
SIZES = {"small": (10, 10), "full": (200, 10_000)}
#: Seconds until two who race and their judge are no longer waited for; long, since a machine may be paused meanwhile.
MEET = 900


def run(size: Size) -> Result:
    """F1 and F8 on the database that Django is set up for; outside a transaction, because other processes write."""
    kills, races = SIZES[size]
    result = Result()
    _kills(result, kills)
    _races(result, races)
    return result


def _kills(result: Result, kills: int) -> None:
    from django.db import connections
    from tests.casework.factories import make_user

    rng = random.Random(2026)
    desk = make_user("referral_desk")
    number = 0

    def writer(acknowledge: Callable[[str], None], name: int) -> None:
        count = 0
        while True:
            count += 1
            acknowledge(referral(desk, f"F1-{name}-{count}"))

    def sealer(acknowledge: Callable[[str], None]) -> None:
        from safelight.casework.ledger.services import seal

        while True:
            seal()
            time.sleep(0.01)

    def start(kind: str) -> tuple[str, Child]:
        nonlocal number
        number += 1
        name = number
        if kind == "sealer":
            return kind, Child(sealer)
        if kind == "web":
            return kind, Child(lambda acknowledge: _web(acknowledge, desk, name))
        return kind, Child(lambda acknowledge: writer(acknowledge, name))

    children = [start(kind) for kind in ("writer", "writer", "web", "sealer")]
    acknowledged: list[str] = []
    back: list[float] = []
    with Progress("kills", kills) as step:
        for turn in range(kills):
            time.sleep(rng.random() * 0.25)
            place = turn % len(children)
            kind, victim = children[place]
            if kind != "sealer" and not until(lambda v=victim: bool(v.lines()), 60):
                result.fail(f"F1: a {kind} wrote nothing in 60 s.")
                break
            acknowledged += victim.close()
            begun = time.monotonic()
            children[place] = start(kind)
            if kind == "writer" and until(lambda c=children[place][1]: bool(c.lines()), 60):
                back.append(time.monotonic() - begun)
            step()
    for _, child in children:
        acknowledged += child.close()
    connections.close_all()
    check_whole(result, "F1", set(acknowledged), f"{kills} kills of writers, web and sealer")
    if back:
        worst = max(back)
        result.measured(
            "F1 from a writer's death to its successor's first commit: median, longest",
            f"{statistics.median(back):.2f} s, {worst:.2f} s", "2 s", met=worst <= 2,
        )  # fmt: skip


def _web(acknowledge: Callable[[str], None], desk: Any, name: int) -> None:
    """Record referrals by the page, as a browser would; what the page redirects to is what the person sees as saved."""
    from django.test import Client
    from django.urls import reverse

    client = Client()
    client.force_login(desk, backend="allauth.account.auth_backends.AuthenticationBackend")
    count = 0
    while True:
        count += 1
        key = f"F1-web-{name}-{count}"
        answer = client.post(reverse("referrals:new"), form(key))
        if answer.status_code != 302:
            raise RuntimeError(f"The page answered {answer.status_code}: {answer.content.decode()[:3000]}")
        acknowledge(key)


def form(key: str) -> dict[str, str]:
    """The fields of the page for a new referral."""
    return {
        "source": "public", "source_reference": key, "live_contact": "no", "summary": f"Synthetic report {key}.",
        "family_name": "Synthetic", "given_names": key, "sex": "not_known", "address": "1 Example Street",
    }  # fmt: skip


def _races(result: Result, races: int) -> None:
    from django.db import connections
    from tests.casework.factories import make_case, make_user

    from safelight.casework.allocation.models import Allocation
    from safelight.casework.cases.models import Case

    case = make_case()
    supervisors = [make_user("supervisor") for _ in range(2)]
    investigators = [make_user("investigator", skills=[case.required_skill]) for _ in range(2)]
    at_once = get_context("fork").Barrier(3)

    def supervisor(acknowledge: Callable[[str], None], which: int) -> None:
        from safelight.casework.allocation.services import allocate
        from safelight.errors import SafelightError

        for _ in range(races):
            row = Case.objects.get(pk=case.pk)
            at_once.wait(MEET)
            try:
                allocate(supervisors[which], row, investigator=investigators[which], reason="Synthetic reason.")
            except SafelightError as error:
                acknowledge(f"refused {error}")
            else:
                acknowledge("given")
            at_once.wait(MEET)

    both = [Child(lambda say, w=which: supervisor(say, w)) for which in range(2)]
    right = 0
    with Progress("races", races) as step:
        for turn in range(races):
            at_once.wait(MEET)
            at_once.wait(MEET)
            until(lambda t=turn: all(len(one.lines()) > t for one in both), 60)
            said = sorted(one.lines()[turn] for one in both)
            live = list(Allocation.objects.filter(case=case.pk, ended_at=None).values_list("investigator", flat=True))
            winner = next((n for n, one in enumerate(both) if one.lines()[turn] == "given"), None)
            fine = said[0] == "given" and said[1].startswith("refused ") and winner is not None
            if fine and live == [investigators[winner or 0].pk] and Allocation.objects.count() == turn + 1:
                right += 1
            else:
                result.fail(f"F8: race {turn}: {said}, {len(live)} live allocations.")
            _end_allocation(case.pk)
            step()
    for one in both:
        one.wait()
        one.close()
    connections.close_all()
    result.add("F8 races of two supervisors over one case", races, right, "exactly one live allocation, the other told")


def _end_allocation(case: int) -> None:
    """Make the case free for the next race."""
    from django.db import transaction
    from django.utils import timezone

    from safelight.casework.allocation.models import Allocation

    with transaction.atomic():
        Allocation.objects.filter(case=case, ended_at=None).update(ended_at=timezone.now())
