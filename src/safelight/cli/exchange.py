"""``safelight exchange``: the look-up service for internet companies, and its journal."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer


def run_exchange(host: str, port: int, workers: int, threads: int) -> None:
    """Run the server in this process until it is told to stop. Django must be set up with the exchange's settings."""
    from gunicorn.app.base import BaseApplication

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            settings = {
                "bind": f"{host}:{port}",
                "workers": workers,
                "threads": threads,
                "worker_class": "gthread",
                "keepalive": 30,
                "timeout": 120,  # a worker that opens ten million codes for the first time takes its time
                "graceful_timeout": 10,
                "accesslog": None,
                "loglevel": "warning",
                "control_socket_disable": True,
                "post_worker_init": _begin,
                "worker_exit": _end,
            }
            for key, value in settings.items():
                if key in self.cfg.settings:
                    self.cfg.set(key, value)

        def load(self) -> Any:
            from django.core.wsgi import get_wsgi_application

            return get_wsgi_application()

    Server().run()


def _begin(worker: Any) -> None:
    """Open everything before the first question."""
    from safelight.casework.exchange.api_server import warm_up

    warm_up()


def _end(server: Any, worker: Any) -> None:
    from safelight.casework.exchange.api_frame import close_service

    close_service()


def register(app: typer.Typer) -> None:
    group = typer.Typer(help="Look-ups for internet companies: the service, its journal.", no_args_is_help=True)
    app.add_typer(group, name="exchange")

    @group.command()
    def serve(
        host: Annotated[str, typer.Option(help="Address to listen on; put a proxy with TLS before it.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8100,
        workers: Annotated[int, typer.Option(help="Processes; one for each processor is best.", min=1, max=64)] = 2,
        threads: Annotated[int, typer.Option(help="Requests answered at once by each process.", min=1, max=256)] = 16,
    ) -> None:
        """Answer look-ups. Run `safelight tick --every 5` beside it: it carries the journal into the ledger."""
        from safelight.cli.serve import ensure_port_is_free

        ensure_port_is_free(host, port)
        os.environ["DJANGO_SETTINGS_MODULE"] = "safelight.web.exchange_settings"
        from safelight.cli.django import setup

        setup()
        from django.db import connections

        from safelight.casework.exchange.publishing import reconcile

        reconcile()
        connections.close_all()  # no connection is shared with the processes that are forked now
        run_exchange(host, port, workers, threads)

    @group.command()
    def collect() -> None:
        """Carry the journals into the ledger now (`safelight tick` does it regularly)."""
        from safelight.cli.django import setup

        setup()
        from safelight.casework.exchange.collecting import collect as carry

        done = carry()
        typer.echo(
            f"{done.lookups} look-ups, {done.hits} matches told, {done.refused} refused, "
            f"{done.suspended} keys suspended, {done.faulty} faulty records."
        )

    @group.command()
    def asked(
        signal_type: Annotated[str, typer.Argument(help="pdq, md5, sha1 or sha256")],
        signal: Annotated[str, typer.Argument(help="The hash, in hexadecimal")],
    ) -> None:
        """Was exactly this hash asked about, when and by which key? The journal holds fingerprints, never hashes."""
        from safelight.cli.django import setup

        setup()
        from safelight.casework.exchange.publishing import fingerprint_secret, folder

        found = _asked(folder() / "journal", fingerprint_secret(), signal_type, signal)
        for line in found:
            typer.echo(line)
        typer.echo(f"{len(found)} look-ups of this hash stand in the journal.")


def _asked(folder: Path, secret: bytes, signal_type: str, signal: str) -> list[str]:
    from datetime import UTC, datetime

    from safelight.exchange.journal import HASH, PICTURE, SUFFIX, fingerprint, read_records
    from safelight.exchange.query import Query

    wanted = fingerprint(secret, Query.parse(signal_type, signal))
    lines = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        for _, one in read_records(path):
            if one is not None and one.fingerprint == wanted and one.kind in (HASH, PICTURE):
                moment = datetime.fromtimestamp(one.at / 1e6, UTC).isoformat(timespec="milliseconds")
                lines.append(f"{moment}  key AK-{one.key:06d}  {one.matches} matches")
    return lines
