"""How far `safelight triage` is, on the terminal: a bar for people, lines of JSON for programs, or nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from safelight.triage import Progress, TriageResult

_STAGE_WORDS = {
    "opening": "Opening",
    "listing": "Listing files",
    "reading": "Reading files",
    "matching": "Matching",
    "opening archives": "Opening archives",
    "identifying the image": "Hashing the image",
    "checking files": "Checking files",
    "probing files": "Probing files",
    "sampling": "Drawing places",
    "confirming": "Confirming",
    "done": "Done",
}


class Show(StrEnum):
    """What is shown while a run goes on."""

    AUTO = "auto"
    BAR = "bar"
    JSON = "json"
    NONE = "none"


@contextmanager
def progress(name: str, show: Show) -> Iterator[Callable[[Progress], None] | None]:
    """What the engine is to call. `auto` is a bar on a terminal and nothing elsewhere."""
    if show == Show.JSON:
        yield lambda p: print_json(name, p)
    elif show == Show.BAR or (show == Show.AUTO and sys.stderr.isatty()):
        with _bar(name) as shown:
            yield shown
    else:
        yield None


def print_json(name: str, p: Progress) -> None:
    """One line of JSON on standard error: device, stage, files, bytes, bytes a second, seconds left, findings."""
    line = {
        "device": name,
        "stage": p.stage,
        "files_done": p.files_done,
        "files_total": p.files_total,
        "bytes_done": p.bytes_done,
        "bytes_total": p.bytes_total,
        "rate": round(p.rate),
        "seconds_left": None if p.seconds_left is None else round(p.seconds_left, 1),
        "findings": p.findings,
    }
    sys.stderr.write(json.dumps(line) + "\n")
    sys.stderr.flush()


@contextmanager
def _bar(name: str) -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description}"), TextColumn("{task.fields[stage]}"), BarColumn(),
               TextColumn("{task.fields[words]}"))  # fmt: skip
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(escape(name), total=None, stage="Opening", words="")

        def show(p: Progress) -> None:
            # Where bytes are not counted (drawing places), what is done of what there is moves the bar.
            done, total = (p.bytes_done, p.bytes_total) if p.bytes_total else (p.files_done, p.files_total)
            stage = _STAGE_WORDS.get(p.stage, p.stage)
            bar.update(task, completed=done, total=total or None, stage=stage, words=words_of(p))

        yield show


def words_of(p: Progress) -> str:
    """`120 of 4,000 files  310 MB/s  2 min 5 s left  3 findings`."""
    from safelight.triage.verdict import size_words

    unit = "places" if p.stage == "sampling" else "files"
    words = [f"{p.files_done:,} of {p.files_total:,} {unit}" if p.files_total else f"{p.files_done:,} {unit}"]
    if p.rate:
        words.append(f"{size_words(int(p.rate))}/s")
    if p.seconds_left is not None and p.bytes_total:
        words.append(f"{minutes(p.seconds_left)} left")
    if p.findings:
        words.append(f"{p.findings:,} finding{'' if p.findings == 1 else 's'}")
    return "  ".join(words)


def minutes(seconds: float) -> str:
    """`2 min 5 s`."""
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60} min"
    return f"{whole // 60} min {whole % 60} s" if whole >= 60 else f"{whole} s"


def summary(device: Path, result: TriageResult, page: Path, seal: str) -> None:
    """What came of one device, in a few lines."""
    from collections import Counter

    from safelight.triage.priority import inputs_of, prioritise
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
    made = prioritise(inputs_of(result))
    why = " ".join(r.words for r in made.reasons) or "Nothing that this run read raises it."
    say(f"  Priority: {made.band} ({made.score} points). {why}")
    say(f"  Report: {page}")
    say(f"  Seal of the report (keep it apart from the report): {seal}")
