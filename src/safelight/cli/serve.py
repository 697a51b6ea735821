"""``safelight serve``: the web pages."""

from __future__ import annotations

import os
import socket
import tempfile
from typing import Annotated, Any

import typer


def ensure_port_is_free(host: str, port: int) -> None:
    """Raise SafelightError when another program has the port."""
    from safelight.errors import SafelightError

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise SafelightError(
                f"Port {port} on {host} is taken by another program ({error.strerror}).",
                fix=f"Stop that program or choose another port: --port {port + 1}.",
            ) from error


def run_server(host: str, port: int, threads: int, workers: int = 1) -> None:
    """Run gunicorn until it is told to stop: ``workers`` processes of ``threads`` each."""
    import shutil

    from gunicorn.app.base import BaseApplication

    from safelight.cli.django import configure
    from safelight.web.logs import of_gunicorn

    configure()
    from django.conf import settings as site

    # Before anything imports the counters: the processes share them.
    shared = share_metrics() if site.METRICS_TOKEN else None

    _keys_are_there()

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            settings = {
                "bind": f"{host}:{port}",
                "workers": workers,
                "threads": threads,
                "worker_class": "gthread",
                "timeout": 60,
                "graceful_timeout": 5,
                "accesslog": None,
                "loglevel": "warning",
                "control_socket_disable": True,
                "logconfig_dict": of_gunicorn(site.LOGGING),
                "child_exit": _process_ended,
                "post_worker_init": _settled,
            }
            for key, value in settings.items():
                if key in self.cfg.settings:
                    self.cfg.set(key, value)

        def load(self):  # type: ignore[no-untyped-def]
            from safelight.web.wsgi import application

            return application

    try:
        Server().run()
    finally:
        if shared is not None:
            shutil.rmtree(shared, ignore_errors=True)


def _keys_are_there() -> None:
    """Make the key file of encrypted fields at the first start. Raises SafelightError if it is lost or damaged."""
    from django.conf import settings

    from safelight.casework.ciphers import ring

    if ring.current(settings.FIELD_KEYS) is None:
        from safelight.casework.ciphers.keys import ring as made
        from safelight.cli.django import setup

        setup()
        made()


def share_metrics() -> str:
    """A folder in which the server's processes share their counts; told to them by the environment."""
    folder = tempfile.mkdtemp(prefix="safelight-metrics-")
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    return folder


def _settled(worker: object) -> None:
    """What is there once the site is loaded stays: looking through it again and again for what can be thrown away took
    one part in twenty of every page."""
    import gc

    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 100)


def _process_ended(server: object, worker: Any) -> None:
    """Counts of an ended process stay counted; its live figures go."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from prometheus_client.multiprocess import mark_process_dead

        mark_process_dead(worker.pid)


def register(app: typer.Typer) -> None:
    @app.command()
    def serve(
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
        threads: Annotated[int, typer.Option(help="Requests answered at once by one worker.", min=1, max=64)] = 4,
        workers: Annotated[int, typer.Option(help="Processes; as many as there are cores.", min=1, max=64)] = 1,
    ) -> None:
        """Serve the pages. Run `safelight worker` and `safelight tick --every 5` beside it."""
        ensure_port_is_free(host, port)
        run_server(host, port, threads, workers)
