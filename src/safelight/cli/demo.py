"""``safelight demo``: a synthetic force with real device images, built once, then served on this machine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from safelight import __version__
from safelight.errors import SafelightError

MARK = "safelight-demo.json"
NEEDED_BYTES = 1_500 * 2**20


def _environment(data: Path) -> None:
    """Point the settings at the demo's own folder and the embedded database."""
    from importlib.resources import files

    os.environ.pop("DATABASE_URL", None)
    os.environ["SAFELIGHT_DEMO"] = "1"
    os.environ["SAFELIGHT_DATA"] = str(data)
    os.environ["SAFELIGHT_EVIDENCE_ROOT"] = str(data / "evidence")
    os.environ["SAFELIGHT_SITE_STANDARDS"] = str(files("safelight.standards") / "data" / "demo_site.toml")


def _built_with(data: Path) -> str | None:
    """The version that completed the demo in ``data``; None when there is none or it was interrupted."""
    try:
        mark = json.loads((data / MARK).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return mark.get("version") if mark.get("complete") else None


def _make_room(data: Path, *, fresh: bool) -> bool:
    """Prepare the folder. Returns True when the demo must be built.

    Raises:
        SafelightError: the folder holds something else, cannot be written, or the disk is too full.
    """
    if data.exists() and any(data.iterdir()) and not (data / MARK).exists():
        raise SafelightError(
            f"{data} is not empty and was not made by the demo.",
            fix="Name another folder with --data, or empty it yourself.",
        )
    if not fresh and _built_with(data) == __version__:
        return False
    if data.exists():
        shutil.rmtree(data)
    try:
        data.mkdir(parents=True)
        (data / MARK).write_text(json.dumps({"version": __version__, "complete": False}), encoding="utf-8")
    except OSError as error:
        raise SafelightError(
            f"The demo folder {data} cannot be written: {error.strerror}.", fix="Name another folder with --data."
        ) from error
    free = shutil.disk_usage(data).free
    if free < NEEDED_BYTES:
        raise SafelightError(
            f"The disk with {data} has {free // 2**20} MB free; the demo needs {NEEDED_BYTES // 2**20} MB.",
            fix="Make room, or name a folder on another disk with --data.",
        )
    return True


def _build(data: Path, cases: int) -> None:
    """Migrate, make the images, play the history, and mark the demo complete."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from safelight.cli.django import setup

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bar:
        setup()
        from django.core.management import call_command

        step = bar.add_task("Database", total=1)
        call_command("migrate", verbosity=0, interactive=False)
        bar.update(step, completed=1)

        from safelight.demo.build import build_demo

        tasks: dict[str, Any] = {}

        def progress(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total)
            bar.update(tasks[what], completed=done, total=total)

        built = build_demo(data, cases=cases, on_progress=progress)
    (data / MARK).write_text(json.dumps({"version": __version__, "complete": True, **built}), encoding="utf-8")


def _greet(host: str, port: int, data: Path) -> None:
    from safelight.demo.sign_in import PASSWORD, SIGN_IN

    typer.echo("")
    typer.echo(f"  Safelight demo: http://{host}:{port}/      (everyone and everything in it is synthetic)")
    typer.echo("")
    typer.echo(f"  Sign in with one of these names; the password is always  {PASSWORD}")
    for username, _, what in SIGN_IN:
        typer.echo(f"    {username:<14} {what}")
    typer.echo("")
    typer.echo(f"  Data: {data}    Device images: {data / 'evidence'}    Stop with Ctrl-C.")
    typer.echo("")


def _children(host: str, port: int) -> list[subprocess.Popen[bytes]]:
    """Start the pages, a worker and the tick, each a process of its own."""
    base = [sys.executable, "-m", "safelight.cli.main"]
    commands = (["serve", "--host", host, "--port", str(port)], ["worker"], ["tick", "--every", "5"])
    quiet = subprocess.DEVNULL
    return [
        subprocess.Popen([*base, *command], stdin=quiet, stdout=None if command[0] == "serve" else quiet)  # noqa: S603
        for command in commands
    ]


def _run(host: str, port: int) -> None:
    """Keep the processes running until Ctrl-C or until one of them ends.

    Raises:
        SafelightError: one of them ended by itself.
    """
    signal.signal(signal.SIGTERM, lambda *_: (_ for _ in ()).throw(KeyboardInterrupt()))
    children = _children(host, port)
    try:
        while all(child.poll() is None for child in children):
            time.sleep(0.5)
        ended = next(child for child in children if child.poll() is not None)
        raise SafelightError(
            f"`{' '.join(map(str, ended.args[2:]))}` ended by itself with code {ended.returncode}.",  # type: ignore[index]
            fix="The lines above say why.",
        )
    finally:
        for child in children:
            child.terminate()
        for child in children:
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()


def register(app: typer.Typer) -> None:
    @app.command()
    def demo(
        host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
        port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65535)] = 8000,
        data: Annotated[Path, typer.Option(help="Folder for the demo's database and images.")] = Path("var/demo"),
        cases: Annotated[int, typer.Option(help="How many referrals the history holds.", min=5, max=5000)] = 260,
        fresh: Annotated[bool, typer.Option("--fresh", help="Throw the demo away and build it again.")] = False,
        build_only: Annotated[bool, typer.Option("--build-only", help="Build, but do not start the pages.")] = False,
    ) -> None:
        """Build a synthetic force with real device images, triage them, and serve the pages on this machine."""
        from safelight.cli.serve import ensure_port_is_free

        data = data.resolve()
        if not build_only:
            ensure_port_is_free(host, port)
        _environment(data)
        if _make_room(data, fresh=fresh):
            typer.echo("Building the demo (once; the next start takes seconds).")
            try:
                _build(data, cases)
            except OSError as error:
                if error.errno == 28:
                    raise SafelightError(
                        f"The disk with {data} is full.", fix="Make room, or name a folder on another disk with --data."
                    ) from error
                raise
        if build_only:
            return
        _greet(host, port, data)
        _run(host, port)
