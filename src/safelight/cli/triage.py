"""`safelight triage`: images in, findings and a report folder out, without a database."""

from __future__ import annotations

import getpass
import signal
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from safelight.cli import import_report
from safelight.cli.triage_progress import Show, summary
from safelight.cli.triage_progress import progress as show_progress
from safelight.errors import SafelightError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from safelight.matching import HashSet
    from safelight.standards import Standards
    from safelight.triage import Progress, TriageResult, TriageSettings
    from safelight.triage.exports import Device, VicsOptions
    from safelight.triage.sampled import FirstAnswerSettings

    Engine = Callable[[Path, Path, Callable[[Progress], None] | None, Callable[[], bool]], TriageResult]


#: Where the report folder keeps what a run has finished, until it is over.
_RUN = "run"


class Folder(StrEnum):
    """What a folder is."""

    AUTO = "auto"
    IMAGES = "images"
    DEVICE = "device"


def register(app: typer.Typer) -> None:
    """Add the commands to the `safelight` command line."""
    app.command("triage")(triage)
    app.command("block-set")(block_set_command)
    app.command("video-set")(video_set_command)
    import_report.register(app)


def triage(
    images: Annotated[
        list[Path],
        typer.Argument(
            metavar="IMAGE...",
            help="Images, one device each (a set of several files by its first part), or a folder of images.",
        ),
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
    video_set: Annotated[
        Path | None,
        typer.Option("--video-set", metavar="FILE", help="Also look for listed videos, by their frames."),
    ] = None,
    reduced: Annotated[
        bool,
        typer.Option("--reduced", help="A first answer: pictures at reduced size, key frames; candidates in full."),
    ] = False,
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
    first: Annotated[
        bool, typer.Option("--first-answer", help="Only a sample, in seconds to minutes, with its probability.")
    ] = False,
    minutes: Annotated[
        float | None, typer.Option("--minutes", metavar="M", help="A first answer that takes at most so long (5).")
    ] = None,
    at_least: Annotated[
        float, typer.Option("--at-least", metavar="MB", help="First answer: meet so much listed material ...")
    ] = 20.0,
    probability: Annotated[
        float, typer.Option("--probability", metavar="P", help="... with this probability, if it is there.")
    ] = 0.99,
    seed: Annotated[
        int | None, typer.Option("--seed", help="First answer: draw the same places as the run with this seed.")
    ] = None,
    places: Annotated[int, typer.Option("--places", help="First answer: draw so many places, to repeat a run.")] = 0,
    folder: Annotated[
        Folder, typer.Option("--folder", help="A folder is the files of one device, or holds images.")
    ] = Folder.AUTO,
    case_number: Annotated[str, typer.Option("--case-number", help="The case, for the VICS file.")] = "",
    organisation: Annotated[str, typer.Option("--organisation", help="The force, for the VICS file.")] = "",
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
    pdf: Annotated[bool, typer.Option("--pdf/--no-pdf", help="Write the report as PDF too.")] = True,
    progress: Annotated[
        Show, typer.Option("--progress", help="A bar on a terminal, lines of JSON on standard error, or none.")
    ] = Show.AUTO,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress; one line a device.")] = False,
) -> None:
    """Triage device images against hash sets; write a report for people and machines.

    A run that was stopped, or broke off, goes on where it was when the same command is given again.

    Exit codes: 0 done, 3 done but parts were not read, 2 bad input, 1 a fault of ours.
    """
    from safelight.triage.evidence.batch import devices_of
    from safelight.triage.exports import Device, write_index
    from safelight.triage.settings import TriageSettings

    settings = TriageSettings(
        threshold=threshold,
        hash_image=image_hash,
        keys=tuple(str(k) for k in key_file or ()),
        block_set=str(block_set.absolute()) if block_set else "",
        video_set=str(video_set.absolute()) if video_set else "",
        reduced=reduced,
        sandbox=sandbox,
    )
    ask = _sampling(minutes, at_least, probability, seed, places) if first or minutes is not None else None
    sets, standards = _read_sets(hash_set, known_good or [], site)
    devices = devices_of(images, folder="" if folder == Folder.AUTO else folder.value)
    if len(devices) > 1 and not quiet:
        typer.echo(f"{len(devices)} devices, one after another. The answers come together in {report}/index.html.")
    output = _Output(report, len(devices) > 1, Show.NONE if quiet else progress, pdf, quiet)
    output.vics = _vics(standards, case_number, organisation)
    done: list[Device] = []
    failed: SafelightError | None = None
    with (
        _engine(settings, sets, operator or getpass.getuser(), ask, fresh=fresh) as run,
        _interrupts(goes_on=ask is None) as stopped,
    ):
        for number, device in enumerate(devices, 1):
            try:
                done.append(output.one(number, device, run, stopped))
            except SafelightError as error:
                failed = error
                done.append(Device(str(device), failure=str(error)))
                if len(devices) > 1:
                    typer.echo(f"\n{device}\n  Not triaged: {error}", err=True)
            if stopped():
                break
    for device in devices[len(done) :]:
        done.append(Device(str(device), failure="The run was stopped before its turn."))
    if len(devices) > 1:
        typer.echo(f"\nWhat to examine first, and why: {write_index(done, report)}")
    if failed is not None and len(devices) == 1:
        raise failed
    raise typer.Exit(2 if failed is not None else max((d.result.exit_code for d in done if d.result), default=3))


def _sampling(
    minutes: float | None, at_least: float, probability: float, seed: int | None, places: int
) -> FirstAnswerSettings:
    from safelight.triage.first_answer import new_seed
    from safelight.triage.sampled import MB, FirstAnswerSettings

    return FirstAnswerSettings(
        at_least=int(at_least * MB),
        probability=probability,
        seconds=(5.0 if minutes is None else minutes) * 60,
        seed=new_seed() if seed is None else seed,
        places=places,
    )


def _vics(standards: Standards, case_number: str, organisation: str) -> VicsOptions:
    from safelight.matching import UK_CONTEXT
    from safelight.triage.exports import VicsOptions

    return VicsOptions(case_number, organisation, lambda category: standards.vics_number(UK_CONTEXT, category))


@contextmanager
def _engine(
    settings: TriageSettings, sets: Sequence[HashSet], who: str, ask: FirstAnswerSettings | None, *, fresh: bool
) -> Iterator[Engine]:
    """What runs one device: the full pass with child processes for all of them, or a first answer."""
    if ask is not None:
        from safelight.triage.first_answer import first_answer

        yield lambda device, folder, tell, stop: first_answer(
            [device], hash_sets=sets, settings=settings, ask=ask, operator=who, on_progress=tell, should_stop=stop
        )
        return
    from safelight.triage.pipeline import Bench, triage_device

    with Bench(settings) as bench:
        yield lambda device, folder, tell, stop: triage_device(
            [device], hash_sets=sets, operator=who, on_progress=tell, should_stop=stop, bench=bench,
            run_folder=_run_folder(device, folder, fresh=fresh), manifest=folder / "manifest.parquet",
        )  # fmt: skip


def _run_folder(device: Path, folder: Path, *, fresh: bool) -> Path:
    """Where the run keeps its finished chunks; says so when it goes on with an unfinished one."""
    from safelight.triage.chunks import RunFolder

    run = RunFolder(folder / _RUN)
    if fresh:
        run.clear()
    elif (plan := run.plan()) is not None:
        left = len(run.missing(plan))
        typer.echo(f"{device}: going on with the run of {plan.started:%d %B %Y %H:%M} UTC: "
                   f"{left:,} of {len(plan.chunks):,} chunks left.", err=True)  # fmt: skip
    return run.path


def _settle(result: TriageResult, folder: Path) -> None:
    """A run that is over needs its working state no more; one that was stopped is kept, and its user told."""
    from safelight.triage.chunks import RunFolder
    from safelight.triage.result import STATE_STOPPED

    if result.first is not None:
        return
    if result.state == STATE_STOPPED:
        typer.echo("  The run is not finished. Give the same command again to go on, or add --fresh to start anew.")
    else:
        RunFolder(folder / _RUN).remove()


@dataclass(slots=True)
class _Output:
    """Where reports go and what is said on the terminal."""

    report: Path
    several: bool
    show: Show
    pdf: bool
    quiet: bool
    vics: VicsOptions | None = None

    def one(self, number: int, device: Path, run: Engine, stopped: Callable[[], bool]) -> Device:
        """Run one device, write its report, say what came of it."""
        from safelight.triage.exports import Device, seal_of, write_report

        name = f"{number:03d}-{device.name}" if self.several else ""
        target = self.report / name if name else self.report
        with show_progress(device.name, self.show) as tell:
            result = run(device, target, tell, stopped)
        files = write_report(result, target, vics=self.vics, pdf=self.pdf)
        if self.quiet:
            typer.echo(f"{device}: {result.verdict.sentence}")
        else:
            summary(device, result, files["html"], seal_of(target))
        _settle(result, target)
        return Device(str(device), name, result)


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


def video_set_command(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Listed videos, or folders of them.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The video set to write.")],
    name: Annotated[str, typer.Option("--name", help="How reports call it.")],
    category: Annotated[str, typer.Option("--category", help="The category of these files.")] = "",
    version: Annotated[str, typer.Option("--version", help="Its version or date.")] = "",
) -> None:
    """Make a video set from listed videos, where these are lawfully held. It holds hashes of frames and no content."""
    from contextlib import closing

    from safelight.triage.films import VideoWorker
    from safelight.triage.settings import TriageSettings
    from safelight.triage.videoset import build_video_set

    paths: list[Path] = []
    for path in files:
        paths += sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    with closing(VideoWorker(TriageSettings())) as worker:
        made, remarks = build_video_set(
            ((p, category or None) for p in paths), out, name=name, version=version, hash_video=worker.hash
        )
    for remark in remarks:
        typer.echo(remark, err=True)
    frames = sum(len(v.frames) for v in made.videos)
    typer.echo(f"{out}: {frames:,} distinct frames of {len(made.videos):,} videos. Root {made.root}")


def _read_sets(known: Sequence[Path], good: Sequence[Path], site: Path | None) -> tuple[list[HashSet], Standards]:
    from safelight.matching import read_hash_set
    from safelight.standards import load_standards

    standards = load_standards(site)
    category_of = standards.vics_category
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
    return sets, standards


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


@contextmanager
def _interrupts(*, goes_on: bool) -> Iterator[Callable[[], bool]]:
    """Ctrl-C once ends the run with what it has; twice ends it at once."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        typer.echo(
            "\nStopping; the report will hold what was read so far"
            f"{', and the same command goes on from there' if goes_on else ''}. Press again to stop at once.",
            err=True,
        )

    old: Any = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, old)
