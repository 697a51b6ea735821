"""``safelight tick``: the regular work: clocks that have run out, runs of dead workers, seals of the ledger."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from safelight.errors import SafelightError

if TYPE_CHECKING:
    from safelight.casework.clocks.machine_time import MachineTime

TIMES = {"sweep": 0.0}
"""Seconds that parts of the last tick took, for those who watch."""


def tick_once(machine_time: MachineTime | None = None) -> tuple[int, int, int]:
    """Clocks that ran out, runs of dead workers, the queue of devices, the exchange's journal, seals, letters.

    Args:
        machine_time: kept from one tick to the next, it notices when the machine's time jumps.

    Returns:
        (clocks found breached, triage runs queued again, ledger entries sealed).
    """
    from safelight.casework.accounts.attempts import forget_old
    from safelight.casework.allocation.telling import tell_of_handing_over, tell_of_returns
    from safelight.casework.allocation.weights import note_caseloads
    from safelight.casework.base import estimates
    from safelight.casework.base.once import forget_old_sheets
    from safelight.casework.breakglass import services as break_glass
    from safelight.casework.cases.live import alarm_unallocated
    from safelight.casework.clocks.services import sweep
    from safelight.casework.exchange.collecting import collect
    from safelight.casework.exchange.publishing import reconcile
    from safelight.casework.fleet.keeping import keep_all
    from safelight.casework.hashsets.rechecks import ask_again_for_lost
    from safelight.casework.ledger.models import LedgerSeal
    from safelight.casework.ledger.services import seal
    from safelight.casework.ledger.witnessing import show_newest_seal
    from safelight.casework.notices.letters import send_waiting
    from safelight.casework.offenders.alerts import catch_up
    from safelight.casework.offenders.notifying import begin_duties
    from safelight.casework.oversight.services import keep_extract
    from safelight.casework.supervision.misses import tell_of_misses
    from safelight.casework.workforce.exposure import watch_sessions
    from safelight.casework.workforce.time_and_place import settle_postings
    from safelight.cli.worker import recover

    if machine_time is not None:
        machine_time.watch()
    began = time.perf_counter()
    found = len(sweep())
    TIMES["sweep"] = time.perf_counter() - began
    alarm_unallocated()
    tell_of_misses()
    break_glass.keep()
    settle_postings()
    tell_of_handing_over()
    tell_of_returns()
    note_caseloads()
    watch_sessions()
    recovered = recover()
    catch_up()
    begin_duties()
    forget_old_sheets()
    forget_old()
    keep_all()
    reconcile()
    collect()
    ask_again_for_lost()
    keep_extract()
    last = LedgerSeal.objects.order_by("-tree_size").values_list("tree_size", flat=True).first() or 0
    newest = last
    while made := seal():
        newest = made.tree_size
    show_newest_seal()
    estimates.kept.keep()
    # Last: a mail server that takes its time keeps nothing else waiting.
    send_waiting()
    return found, recovered, newest - last


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def register(app: typer.Typer) -> None:
    @app.command()
    def tick(
        every: Annotated[float, typer.Option(help="Repeat after this many seconds; 0 runs once.", min=0)] = 0,
    ) -> None:
        """Find clocks that have run out, take up the runs of dead workers, seal the ledger: once, or with --every 5."""
        from safelight.cli.django import setup

        setup()
        from django.db import DatabaseError, InterfaceError, close_old_connections, connection

        from safelight.casework.ciphers.keys import ring
        from safelight.casework.clocks.machine_time import MachineTime
        from safelight.web.alive import Alive

        ring()
        sign = Alive("tick")
        machine_time = MachineTime()
        while True:
            began = time.perf_counter()
            try:
                found, recovered, sealed = tick_once(machine_time)
            except (DatabaseError, InterfaceError) as error:
                if not every:
                    raise SafelightError(
                        f"The database refused the regular work: {_first_line(error)}.",
                        fix="See that it answers and that its disk has room, then try again.",
                    ) from error
                # No sign of life: `safelight check` and those who watch see that the tick gets nothing done.
                typer.echo(f"The database refused the regular work ({_first_line(error)}); tried again in {every:g} s.")
                connection.close()
                time.sleep(every)
                continue
            sign.beat(tick_seconds=time.perf_counter() - began, sweep_seconds=TIMES["sweep"])
            if found or recovered or sealed or not every:
                typer.echo(
                    f"{found} clocks newly past their time, {recovered} triage runs taken up again, "
                    f"{sealed} ledger entries sealed."
                )
            if not every:
                return
            close_old_connections()
            time.sleep(every)
