"""``safelight worker``: does the queued work (triage runs, submission files)."""

from __future__ import annotations

import threading
from typing import Annotated

import typer

from safelight.errors import SafelightError


def register(app: typer.Typer) -> None:
    @app.command()
    def worker(
        queue: Annotated[
            list[str] | None,
            typer.Option(
                "--queue",
                metavar="BENCH",
                help="Also take the work of this bench, whose disks are at this machine; repeat for more.",
            ),
        ] = None,
        only: Annotated[bool, typer.Option("--only", help="Nothing but the work of the named benches.")] = False,
        batch: Annotated[bool, typer.Option("--batch", help="Stop when the queue is empty.")] = False,
        interval: Annotated[float, typer.Option(help="Seconds between looks at the queue.", min=0.1)] = 1.0,
    ) -> None:
        """Take queued jobs one by one until stopped. Any number of workers may run, on any number of machines."""
        from safelight.cli.django import setup

        if only and not queue:
            raise SafelightError("--only needs a bench.", fix="Name it with --queue.")
        setup()
        from django.conf import settings
        from django.db import InterfaceError, OperationalError, connection

        from safelight.casework.ciphers.keys import ring

        ring()  # without its keys a worker would fail job after job
        queues = [*([] if only else ["default"]), *dict.fromkeys(queue or ())]
        over = threading.Event()
        watch = threading.Thread(target=_watch, args=(over,), daemon=True, name="recovery")
        watch.start()
        try:
            if connection.vendor == "postgresql":
                from safelight.web.jobs import work

                work(queues, batch=batch, interval=interval)
            else:
                from django.core.management import call_command

                # The demo's terminal belongs to the sign-in lines.
                call_command(
                    "db_worker", queue_name=",".join(queues), interval=interval, batch=batch, reload=False,
                    verbosity=0 if settings.DEMO else 1,
                )  # fmt: skip
        except (OperationalError, InterfaceError) as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".:")
            raise SafelightError(
                f"The database refused the worker: {said}.",
                fix="When it answers again, start the worker again (systemd does); what it held is taken over.",
            ) from error
        finally:
            over.set()
            watch.join(5)


def recover() -> int:
    """Give on what dead workers held, on either database; how many pieces of work were touched."""
    from django.conf import settings

    from safelight.casework.devices.recovery import recover_dead_runs
    from safelight.casework.fleet.recovery import recover_dead_looks
    from safelight.web.jobs import recover_stalled_jobs

    return recover_dead_runs() + recover_dead_looks() + recover_stalled_jobs(settings.WORKER_DEAD_AFTER)


def _watch(over: threading.Event) -> None:
    """In a thread of every worker: no dead worker's device waits for `safelight tick`."""
    import logging

    from django.conf import settings
    from django.db import DatabaseError, connection

    from safelight.web.alive import Alive

    sign = Alive("worker")
    sign.beat()
    while not over.wait(settings.WORKER_HEARTBEAT):
        sign.beat()
        try:
            recover()
        except DatabaseError:
            logging.getLogger(__name__).warning("Dead workers could not be looked for; the next look is soon.")
        finally:
            connection.close()
    sign.close()
