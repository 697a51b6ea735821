"""`safelight triage`: images in, findings and a report folder out, without a database."""

from __future__ import annotations

import getpass
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safelight.errors import SafelightError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.matching import HashSet
    from safelight.triage import Progress, TriageResult
    from safelight.triage.pipeline import Bench

#: Where the report folder keeps what a run has finished, until it is over.
_RUN = "run"
_STAGE_WORDS = {
    "opening": "Opening",
    "listing": "Listing files",
    "reading": "Reading files",
    "matching": "Matching",
    "identifying the image": "Hashing the image",
    "done": "Done",
}


def register(app: typer.Typer) -> None:
    """Add the command to the `safelight` command line."""
    app.command("triage")(triage)
    app.command("block-set")(block_set_command)


def triage(
    images: Annotated[
        list[Path],
        typer.Argument(metavar="IMAGE...", help="Images: one device each; a set of several files by its first part."),
    ],
    hash_set: Annotated[
        list[Path], typer.Option("--hash-set", metavar="SET", help="A list, or a folder of `hashset import`; repeat.")
    ],
    report: Annotated[Path, typer.Option("--report", metavar="FOLDER", help="Where the report goes.")],
    known_good: Annotated[
        list[Path] | None, typer.Option("--known-good", metavar="SET", help="A list of files that are harmless.")
    ] = None,
    operator: Annotated[
        str, typer.Option("--operator", metavar="NAME", help="Who runs it; your sign-in name if left out.")
    ] = "",
    site: Annotated[
        Path | None,
        typer.Option("--site", metavar="FILE", help="The force's standards file: what category numbers mean."),
    ] = None,
    threshold: Annotated[
        int, typer.Option("--threshold", help="Largest PDQ distance that counts as alike (of 256).")
    ] = 31,
    block_set: Annotated[
        Path | None,
        typer.Option("--block-set", metavar="FILE", help="Also look for blocks of listed files, in free space too."),
    ] = None,
    key_file: Annotated[
        list[Path] | None,
        typer.Option(
            "--key-file",
            metavar="FILE",
            help="Passwords or recovery keys (one a line) or a key file, for encrypted volumes; repeat for more.",
        ),
    ] = None,
    image_hash: Annotated[
        bool, typer.Option("--image-hash/--no-image-hash", help="Hash the whole media as well.")
    ] = True,
    sandbox: Annotated[
        str,
        typer.Option(
            "--sandbox",
            metavar="strict|auto|off",
            help="How the parsers of the evidence are shut in. auto: by what this machine has, or not at all started; "
            "strict: by bubblewrap, landlock and seccomp; off: not, and the report says so.",
        ),
    ] = "auto",
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Start anew, although an unfinished run is in the report folder.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress, only the summary.")] = False,
) -> None:
    """Triage device images against hash sets; write a report for people and machines.

    A run that was stopped, or broke off, goes on where it was when the same command is given again.

    Exit codes: 0 done, 3 done but parts were not read, 2 bad input, 1 a fault of ours.
    """
    from safelight.triage.pipeline import Bench
    from safelight.triage.settings import TriageSettings

    settings = TriageSettings(
        threshold=threshold,
        hash_image=image_hash,
        keys=tuple(str(k) for k in key_file or ()),
        block_set=str(block_set.absolute()) if block_set else "",
        sandbox=sandbox,
    )
    sets = _read_sets(hash_set, known_good or [], site)
    devices = _devices(images)
    who = operator or getpass.getuser()
    code = 0
    failed: SafelightError | None = None
    with Bench(settings) as bench, _interrupts() as stopped:
        for number, device in enumerate(devices, 1):
            folder = report if len(devices) == 1 else report / f"{number:03d}-{device.name}"
            try:
                result = _one(device, sets, bench, who, folder, quiet=quiet, should_stop=stopped, fresh=fresh)
                _summary(device, result, _write(result, folder))
                _settle(result, folder)
                code = max(code, result.exit_code)
            except SafelightError as error:
                failed = error
                if len(devices) > 1:
                    typer.echo(f"\n{device}\n  Not triaged: {error}", err=True)
            if stopped():
                break
    if failed is not None and len(devices) == 1:
        raise failed
    raise typer.Exit(2 if failed is not None else code)


def block_set_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Listed files, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The block set to write.")],
    name: Annotated[str, typer.Option("--name", help="How reports call it.")],
    category: Annotated[str, typer.Option("--category", help="The category of these files.")] = "",
    version: Annotated[str, typer.Option("--version", help="Its version or date.")] = "",
    common: Annotated[
        list[Path] | None, typer.Option("--common", metavar="FILE", help="A file whose blocks prove nothing.")
    ] = None,
) -> None:
    """Make a block set from listed files, where these are lawfully held. It holds digests, no content and no names."""
    from safelight.triage.blocks import build_block_set

    paths: list[Path] = []
    for path in files:
        paths += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    made = build_block_set(((p, category or None) for p in paths), out, name=name, version=version, common=common or ())
    typer.echo(
        f"{out}: {made.blocks:,} distinct blocks of {made.sources:,} files; {made.common:,} common or repeated blocks "
        f"left out. Root {made.root}"
    )


def _read_sets(known: Sequence[Path], good: Sequence[Path], site: Path | None) -> list[HashSet]:
    from safelight.matching import read_hash_set
    from safelight.standards import load_standards

    category_of = load_standards(site).vics_category
    sets = []
    for path, kind in [*((p, "known") for p in known), *((p, "known-good") for p in good)]:
        if path.is_dir():
            sets.append(_open_set(path, kind))
            continue
        read = read_hash_set(path, kind=kind, category_of=category_of)
        if read.rejected_count:
            first = next((row for row in read.rejected if not row.kept), None)
            example = f"; the first is {first.where}: {first.reason}" if first else ""
            typer.echo(f"{path}: {read.rejected_count:,} entries could not be used{example}", err=True)
        if read.noted_count:
            first = next((row for row in read.rejected if row.kept), None)
            example = f"; the first is {first.where}: {first.reason}" if first else ""
            typer.echo(f"{path}: {read.noted_count:,} entries were kept with a remark{example}", err=True)
        sets.append(read.hash_set)
    return sets


def _open_set(folder: Path, kind: str) -> HashSet:
    """A set that `safelight hashset import --store` put into a folder: mapped, every byte checked, nothing rebuilt."""
    from safelight.matching import HashSet

    opened = HashSet.open(folder)
    if opened.known_good != (kind == "known-good"):
        raise SafelightError(
            f"{folder} holds a set of kind {opened.kind}, but is given as {kind}.",
            fix="Use --known-good for known-good sets, and --hash-set for all others.",
        )
    return opened


def _devices(images: Sequence[Path]) -> list[Path]:
    """One path for each device: further parts of a set that a wildcard named too are not devices of their own."""
    from safelight.triage.evidence.detect import expand_parts

    taken: set[Path] = set()
    parts: dict[Path, list[Path]] = {}
    for image in images:
        parts[image] = expand_parts(image)
        taken.update(p.absolute() for p in parts[image][1:])
    return [image for image in dict.fromkeys(images) if image.absolute() not in taken]


def _write(result: TriageResult, folder: Path) -> Path:
    from safelight.triage import write_report

    return write_report(result, folder)["html"]


def _one(
    device: Path,
    sets: Sequence[HashSet],
    bench: Bench,
    who: str,
    folder: Path,
    *,
    quiet: bool,
    should_stop: Callable[[], bool],
    fresh: bool,
) -> TriageResult:
    from safelight.triage import triage_device
    from safelight.triage.chunks import RunFolder

    run = RunFolder(folder / _RUN)
    if fresh:
        run.clear()
    elif (plan := run.plan()) is not None:
        left = len(run.missing(plan))
        typer.echo(f"{device}: going on with the run of {plan.started:%d %B %Y %H:%M} UTC: "
                   f"{left:,} of {len(plan.chunks):,} chunks left.", err=True)  # fmt: skip
    with _progress(device.name, quiet=quiet) as on_progress:
        return triage_device(
            [device], hash_sets=sets, operator=who, on_progress=on_progress, should_stop=should_stop, bench=bench,
            run_folder=run.path, manifest=folder / "manifest.parquet",
        )  # fmt: skip


def _settle(result: TriageResult, folder: Path) -> None:
    """A run that is over needs its working state no more; one that was stopped is kept, and its user told."""
    from safelight.triage.chunks import RunFolder
    from safelight.triage.result import STATE_STOPPED

    if result.state == STATE_STOPPED:
        typer.echo("  The run is not finished. Give the same command again to go on, or add --fresh to start anew.")
    else:
        RunFolder(folder / _RUN).remove()


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Ctrl-C once ends the run with what it has; twice ends it at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        typer.echo(
            "\nStopping; the report will hold what was read so far, and the same command goes on from there. "
            "Press again to stop at once.",
            err=True,
        )

    old: Any = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, old)


@contextmanager
def _progress(name: str, *, quiet: bool) -> Iterator[Callable[[Progress], None] | None]:
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    from safelight.triage.verdict import size_words

    columns = (TextColumn("{task.fields[stage]}"), BarColumn(), TextColumn("{task.fields[words]}"))
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(name), total=None, stage="Opening", words="")

        def show(p: Progress) -> None:
            words = f"{p.files_done:,} of {p.files_total:,} files" if p.files_total else f"{p.files_done:,} files"
            if p.rate:
                words += f"  {size_words(int(p.rate))}/s"
            if p.seconds_left is not None and p.bytes_total:
                words += f"  {_minutes(p.seconds_left)} left"
            if p.findings:
                words += f"  {p.findings:,} findings"
            bar.update(
                task, completed=p.bytes_done, total=p.bytes_total or None,
                stage=_STAGE_WORDS.get(p.stage, p.stage), words=words,
            )  # fmt: skip

        yield show


def _minutes(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def _summary(device: Path, result: TriageResult, page: Path) -> None:
    from collections import Counter

    from safelight.triage.verdict import count_words, size_words, unread_words

    c = result.counts
    say = typer.echo
    say(f"\n{device}  ({result.evidence.format}, {size_words(result.evidence.media_size)})")
    say(f"  {result.verdict.sentence}")
    for (category, kind), number in sorted(
        Counter((f.category or "no category", f.kind) for f in result.findings).items()
    ):
        say(f"    {category.replace('_', ' ')}, {kind} match: {count_words(number, 'finding')}")
    say(f"  Read: {count_words(c.files_read, 'file')} ({c.files_live:,} live and {c.files_deleted:,} deleted listed), "
        f"{size_words(c.bytes_read)}, {count_words(c.pictures_hashed, 'picture')} hashed with PDQ.")  # fmt: skip
    if result.unread:
        say(f"  Not read: {unread_words(result.unread).removesuffix(' not read').rsplit(' ', 1)[0]}.")
        for part in result.unread[:5]:
            size = "size not known" if part.size is None else size_words(part.size)
            say(f"    {part.what}{' ' + part.path if part.path else ''}: {part.reason} ({size})")
        if len(result.unread) > 5:
            say(f"    and {len(result.unread) - 5:,} more in the report")
    say(f"  Report: {page}")
