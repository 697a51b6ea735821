"""What has to be at work: the tick, the workers, the seals, the letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from django.utils import timezone

from safelight.web import alive
from safelight.web.production.finding import Finding, advice, unsafe

LATE = 60.0  # seconds: the tick is meant to run every 5
LONG_QUEUE = 3600.0  # seconds that a triage run may wait without anybody hearing of it
WITNESS_AWAY = 24 * 3600.0  # seconds
STUCK = 5  # tries after which a letter is worth a look
START_TICK = "Start `safelight tick --every 5` and keep it running (deploy/systemd/safelight-tick.service)."
START_WORKER = "Start `safelight worker` (deploy/systemd/safelight-worker@.service)."


def seconds_since(moment: datetime | None) -> float:
    """How long ago; 0 for never."""
    return 0.0 if moment is None else (timezone.now() - moment).total_seconds()


def oldest_unsealed() -> datetime | None:
    """When the oldest entry was written that is not in the tree yet."""
    from safelight.casework.ledger.models import LedgerEntry, LedgerSeal
    from safelight.casework.ledger.services import LATE_WINDOW

    last = LedgerSeal.objects.order_by("-tree_size").values_list("through_entry", flat=True).first() or 0
    waiting = LedgerEntry.objects.filter(id__gt=last - LATE_WINDOW, leaf=None)
    return waiting.order_by("id").values_list("at", flat=True).first()


def oldest_clock_step() -> datetime | None:
    """When the step was due that a sweep should have taken longest ago."""
    from safelight.casework.clocks.escalation import due_clocks

    found: datetime | None = due_clocks(timezone.now()).values_list("next_step_at", flat=True).first()
    return found


def tick() -> Iterator[Finding]:
    """Nobody is told that a clock ran out, and nothing is sealed, when the tick stands still."""
    beats = [sign.silent for sign in alive.signs() if sign.kind == "tick"]
    if not beats or min(beats) > LATE:
        since = f"for {min(beats):.0f} s" if beats else "ever (or for a week)"
        yield unsafe("tick.silent", f"No `safelight tick` has given a sign of life {since}.", "the tick", START_TICK)
    if (waits := seconds_since(oldest_clock_step())) > LATE:
        yield unsafe(
            "tick.clocks",
            f"A clock's step has been due for {waits:.0f} s and nobody was told.",
            "the clocks",
            START_TICK,
        )
    if (waits := seconds_since(oldest_unsealed())) > LATE:
        yield unsafe(
            "ledger.unsealed",
            f"The oldest unsealed entry of the ledger is {waits:.0f} s old.",
            "the ledger",
            START_TICK,
        )


def workers() -> Iterator[Finding]:
    """Devices wait for ever when no worker runs."""
    from django.conf import settings

    from safelight.casework.devices.models import TriageRun

    beats = [sign for sign in alive.signs() if sign.kind == "worker"]
    limit = max(settings.WORKER_DEAD_AFTER, 3 * alive.EVERY)
    if not any(sign.silent <= limit for sign in beats):
        yield unsafe("worker.none", "No worker gives signs of life: no device is triaged.", "the workers", START_WORKER)
    for sign in beats:
        if sign.silent > limit:
            yield advice(
                "worker.silent",
                f"A worker fell silent {sign.silent:.0f} s ago without an orderly end.",
                f"{sign.host}, process {sign.pid}",
                "What it held was taken over. Look at that machine's log and memory; the line goes after a week, or "
                f"with its file in {alive.folder()}.",
            )
    waiting = TriageRun.objects.filter(state=TriageRun.State.QUEUED)
    since = seconds_since(waiting.order_by("queued_at").values_list("queued_at", flat=True).first())
    if since > LONG_QUEUE:
        yield advice(
            "worker.queue", f"A device has waited for {since / 3600:.1f} hours to be triaged.", "the triage queue",
            "Start more workers, or one on the bench that has its disk (`--queue`).",
        )  # fmt: skip


def letters() -> Iterator[Finding]:
    """Letters wait, and are not lost; but somebody has to hear of it."""
    from safelight.casework.notices.models import Letter

    stuck = Letter.objects.filter(next_try_at__isnull=False, tries__gte=STUCK).count()
    if stuck:
        yield advice(
            "mail.stuck", f"{stuck} letters were tried {STUCK} times or more and have not left.", "the outbox",
            "See the page Outbox as an administrator: it says what the mail server answered.",
        )  # fmt: skip


def accounts() -> Iterator[Finding]:
    """Everybody knows the password of the demonstration; and somebody has to be able to open accounts."""
    from safelight.casework.accounts.models import User
    from safelight.casework.ledger.models import LedgerEntry

    if LedgerEntry.objects.filter(verb="demo.built").exists():
        yield unsafe(
            "accounts.demo", "This is a demonstration's database: its people are invented and its password is known.",
            "the accounts", "Begin with an empty database (DATABASE_URL or SAFELIGHT_DATA).",
        )  # fmt: skip
    if not User.objects.filter(is_active=True, role="administrator").exists():
        yield unsafe(
            "accounts.no_administrator", "There is no administrator.", "the accounts",
            "python -m safelight.web.manage create_account USERNAME --name NAME --role administrator",
        )  # fmt: skip


def second_factors() -> Iterator[Finding]:
    """Who owes a factor and has none can do nothing yet; it is worth knowing before the first night shift."""
    from allauth.mfa.models import Authenticator

    from safelight.casework.accounts.models import User
    from safelight.casework.accounts.second_factor import rule_for

    have = Authenticator.objects.filter(type__in=("totp", "webauthn")).values("user")
    without = User.objects.filter(is_active=True, last_login__isnull=False).exclude(pk__in=have)
    count = sum(rule_for(user).second_factor for user in without.only("role"))
    if count:
        who = "One person has" if count == 1 else f"{count} people have"
        yield advice(
            "accounts.no_second_factor", f"{who} signed in and set up no second factor, which their role needs.",
            "the accounts",
            "Help them to: until then they open nothing. Those who come through the force's own service may need none.",
        )  # fmt: skip


def witnesses() -> Iterator[Finding]:
    """A witness that has not seen the ledger for a day proves nothing about that day."""
    from safelight.casework.ledger.models import Outsider

    for row in Outsider.objects.exclude(problem=""):
        if row.refused:
            yield unsafe(
                "ledger.contradicted", f"{row.name} has seen another ledger than this one: {row.problem}", row.name,
                "Change nothing. Run `safelight ledger verify`, and find out who wrote to the database.",
            )  # fmt: skip
        elif (waits := seconds_since(row.failing_since)) > WITNESS_AWAY:
            yield unsafe(
                "ledger.witness_away", f"{row.name} has not seen the ledger for {waits / 3600:.0f} hours.", row.name,
                f"Start it, or correct its line in SAFELIGHT_WITNESSES. It said: {row.problem}",
            )  # fmt: skip


LOOKS = (tick, workers, letters, accounts, second_factors, witnesses)
