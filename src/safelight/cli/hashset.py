"""``safelight hashset``: import a list, look at one, compare two, and verify those that are held."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

hashset = typer.Typer(help="Import, show and verify hash sets.", no_args_is_help=True, rich_markup_mode=None)
_MOST_SHOWN = 20


@hashset.command("import")
def import_command(
    file: Annotated[
        Path,
        typer.Argument(help="VICS JSON, ICSE or other CSV, text, NCMEC XML, StopNCII or hashlookup JSON, NSRL."),
    ],
    name: Annotated[str, typer.Option(help="What to call it; a new version replaces the old of this name.")] = "",
    version: Annotated[str, typer.Option(help="As its publisher names it, or its date.")] = "",
    source: Annotated[str, typer.Option(help="From whom it came.")] = "",
    basis: Annotated[str, typer.Option(help="The legal basis for holding it.")] = "",
    kind: Annotated[
        str, typer.Option(help="known, known-good or common; left out: known, or common for ordinary software.")
    ] = "",
    store: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Put it there, ready for triage --hash-set FOLDER; needs no database."),
    ] = None,
    site: Annotated[
        Path | None, typer.Option(metavar="FILE", help="With --store: the force's file of what category numbers mean.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="With --store: the folder holds a list already, and this one takes its place."),
    ] = False,
    by: Annotated[str, typer.Option(help="Your Safelight user name; the name on this machine when left out.")] = "",
) -> None:
    """Import one version of a list, whole or not at all. An interrupted import goes on when it is called again."""
    if store is not None:
        _make_room(store, replace=replace)
        _import_to_folder(file, store, site, name=name, version=version, source=source, basis=basis, kind=kind)
        return
    from safelight.errors import SafelightError

    missing = [
        option
        for option, value in (("--name", name), ("--version", version), ("--source", source), ("--basis", basis))
        if not value
    ]
    if missing:
        raise SafelightError(
            f"A list that is held needs {', '.join(missing)}.", fix="Or name a folder for it alone: --store FOLDER."
        )
    from safelight.cli.django import setup

    setup()
    from safelight.casework.hashsets.services import import_hash_set

    with _progress(file) as on_progress:
        row = import_hash_set(
            account_named(by),
            path=file,
            file_name=file.name,
            name=name,
            kind=kind or "known",
            version=version,
            source=source,
            legal_basis=basis,
            on_progress=on_progress,
        )
    typer.echo(f"{row.reference} {row.name}, version {row.version}: {row.counts['entries']:,} entries ({row.format}).")
    for one in row.counts["unmapped"]:
        typer.echo(
            f"Not mapped: category {one['number']} in {one['context'] or 'a file without a context'} "
            f"({one['entries']:,} entries, kept without a category). Set it in the site file and import again."
        )
    problems = list(row.rejected.filter(kept=False)[:_MOST_SHOWN])
    for problem in problems:
        typer.echo(f"Left out: {problem.where}: {problem.reason} {problem.excerpt}".rstrip())
    if row.counts["rejected"] > len(problems):
        typer.echo(
            f"{row.counts['rejected'] - len(problems):,} more rows were left out; the page of the set lists them."
        )
    typer.echo(f"Root: {row.root}")


def _make_room(store: Path, *, replace: bool) -> None:
    """A folder holds one list: another does not take its place unless that is asked for, and said.

    Raises:
        SafelightError: it holds a list, and `replace` is not asked for.
    """
    from safelight.errors import MatchingError, SafelightError
    from safelight.matching import HashSet
    from safelight.matching.hashset import FILE_NAME

    if not (store / FILE_NAME).exists():
        return
    try:
        # Only its name and length, for the message: nothing is looked up in it.
        held = HashSet.open(store, verify=False)
        what = f"the list {held.name}{f', version {held.version}' if held.version else ''}, {len(held):,} entries"
    except MatchingError as error:
        what = f"a list that cannot be opened ({error.what.rstrip('.')})"
    if not replace:
        raise SafelightError(
            f"{store} holds {what} already; importing here would put another in its place.",
            fix="Name another folder and give triage both with --hash-set, or say --replace.",
        )
    typer.echo(f"Replaced when this import is done: {what}.")


def _import_to_folder(
    file: Path, store: Path, site: Path | None, *, name: str, version: str, source: str, basis: str, kind: str
) -> None:
    import hashlib
    from datetime import UTC, datetime

    from safelight.matching import read_hash_set
    from safelight.standards import load_standards

    with _progress(file) as on_progress:
        read = read_hash_set(
            file,
            name=name or None,
            kind=kind or None,
            category_of=load_standards(site).vics_category,
            on_progress=on_progress,
            received_from=source,
            received_at=datetime.now(UTC).isoformat(timespec="seconds"),
            legal_basis=basis,
            version=version,
            store=store,
            resume_key=hashlib.sha256(site.read_bytes()).hexdigest() if site else "",
        )
    _show(read.hash_set)
    _say_problems(read)
    if read.rejected_count:
        typer.echo(f"Every row that was left out: {store / 'quarantine.jsonl'}")
    typer.echo(f"Ready: safelight triage IMAGE --hash-set {store} --report FOLDER")


def _say_problems(read: Any) -> None:
    typer.echo(
        f"Format: {read.format}. Rows left out: {read.rejected_count:,}; kept with a remark: {read.noted_count:,}."
    )
    for problem in read.rejected[:_MOST_SHOWN]:
        became = "Kept" if problem.kept else "Left out"
        typer.echo(f"{became}: {problem.where}: {problem.reason} {problem.excerpt}".rstrip())
    more = read.rejected_count + read.noted_count - _MOST_SHOWN
    if more > 0:
        typer.echo(f"and {more:,} more")


@contextmanager
def _progress(file: Path) -> Iterator[Callable[[int, int], None] | None]:
    """A bar while a person watches; nothing where the output goes to a file."""
    import sys

    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(f"Reading {file.name}"), total=None)
        yield lambda at, total: bar.update(task, completed=at, total=total)


def account_named(username: str) -> Any:
    """The active account of this name, or of the name on this machine; SafelightError when there is none."""
    import getpass

    from safelight.casework.accounts.models import User
    from safelight.errors import SafelightError

    wanted = (username or getpass.getuser()).lower()
    user = User.objects.filter(username=wanted, is_active=True).first()
    if user is None:
        raise SafelightError(f"There is no Safelight account {wanted!r}.", fix="Say who imports it: --by USERNAME.")
    return user


@hashset.command("info")
def info_command(
    what: Annotated[str, typer.Argument(help="A list file, the folder of a saved set, or the name of a set in use.")],
) -> None:
    """Show what a list holds. A file or folder needs no database."""
    path = Path(what)
    if path.is_dir():
        from safelight.matching import HashSet

        _show(HashSet.open(path))
    elif path.exists():
        _show_file(path)
    else:
        from safelight.cli.django import setup

        setup()
        from safelight.casework.hashsets.models import HashSetRecord
        from safelight.casework.hashsets.services import open_set
        from safelight.errors import SafelightError

        row = HashSetRecord.objects.filter(name=what, retired_at=None).first()
        if row is None:
            raise SafelightError(
                f"{what!r} is neither a file nor the name of a hash set in use.", fix="Check the name."
            )
        _show(open_set(row))
        typer.echo(
            f"From: {row.source}. Basis: {row.legal_basis}. Imported {row.imported_at:%d %b %Y} by {row.imported_by}."
        )


def _show_file(path: Path) -> None:
    import os
    from collections import Counter

    from safelight.matching import read_hash_set
    from safelight.standards import load_standards

    site = os.environ.get("SAFELIGHT_SITE_STANDARDS")
    known = load_standards(site=Path(site) if site else None)
    unmapped: Counter[tuple[str, int]] = Counter()

    def category_of(context: str, number: int | None) -> str | None:
        found = known.vics_category(context, number)
        if found is None and number is not None:
            unmapped[context, number] += 1
        return found

    read = read_hash_set(path, category_of=category_of)
    _show(read.hash_set)
    _say_problems(read)
    for (context, number), entries in sorted(unmapped.items()):
        typer.echo(f"Not mapped: category {number} in {context} ({entries:,} entries).")


def _show(hashes: Any) -> None:
    counts = hashes.counts()
    typer.echo(f"{hashes.name}, version {hashes.version} ({hashes.kind}): {counts.entries:,} entries.")
    categories = sorted(counts.by_category.items(), key=lambda item: (item[0] is None, item[0] or ""))
    typer.echo("Categories: " + ", ".join(f"{code or 'none'} {number:,}" for code, number in categories))
    typer.echo(
        "Hashes: " + ", ".join(f"{name.upper()} {number:,}" for name, number in counts.by_hash.items() if number)
    )
    typer.echo(f"Root: {hashes.root}")


@hashset.command("verify")
def verify_command() -> None:
    """Re-read every hash set in use and compare it with its recorded root. Exits 1 when one is missing or changed."""
    from safelight.cli.django import setup

    setup()
    from safelight.casework.hashsets.models import HashSetRecord
    from safelight.casework.hashsets.services import open_set
    from safelight.errors import MatchingError
    from safelight.matching import HashSet

    faults = 0
    rows = list(HashSetRecord.objects.filter(retired_at=None).order_by("pk"))
    for row in rows:
        try:
            hashes = open_set(row)
            again = HashSet.from_entries(iter(hashes), name=hashes.name, kind=hashes.kind).root
        except MatchingError as error:
            faults += 1
            typer.echo(f"FAULT: {row.reference} {row.name}: {error}")
            continue
        if again != row.root:
            faults += 1
            typer.echo(f"FAULT: {row.reference} {row.name}: its entries give the root {again}, not {row.root}.")
        else:
            typer.echo(f"{row.reference} {row.name}, version {row.version}: {len(hashes):,} entries, as recorded.")
    if not rows:
        typer.echo("No hash set is in use.")
    if faults:
        raise typer.Exit(1)


def register(app: typer.Typer) -> None:
    from safelight.cli.hashset_lists import register as register_lists

    register_lists(hashset)
    app.add_typer(hashset, name="hashset")
