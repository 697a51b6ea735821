"""The full pass beside its peers, on images it makes itself: `python benchmarks/triage.py [FOLDER] [--rounds N]`.

Three ext4 images with the same bytes for everyone, read into the page cache first: 6,280 files of 1 GB (pictures of
three sizes, films, texts, programs), the same in pieces of 64 KiB (made by mounting it: as root only), and 100,000
files of 4 KiB; and an E01 of the first. Measured are processor seconds of the whole command with its children, and
wall time; of several rounds the best counts, and the rounds take turns, so that other work falls on all alike.

Ours reads the image: every file, live and deleted, MD5 and SHA-1, and every 4 KiB block against a block set. fiwalk and
tsk_loaddb read the same image. hashdeep, rhash, md5sum and sha1sum cannot open images: they read the same files from a
folder. Last comes the whole command with lists of ten million MD5 and a million PDQ, beside fiwalk, a look-up of its
digests, and reference PDQ over the same pictures (`benchmarks/_whole.py`). Install sleuthkit, hashdeep, rhash and
ewf-tools for them. `--only NAME` measures one part.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from pyarrow import RecordBatch

import _corpus
from safelight.triage.blocks import BlockSet, build_block_set
from safelight.triage.blockscan import BlockScan, Region, regions_of
from safelight.triage.digests import digest_content
from safelight.triage.evidence.detect import open_evidence
from safelight.triage.evidence.device import Device
from safelight.triage.evidence.filesystem import FileSystemReader
from safelight.triage.identity import identify
from safelight.triage.lanes import warm_up
from safelight.triage.plain import PlainFiles, lie_in_order
from safelight.triage.rows import batch_of
from safelight.triage.sweep import WINDOW, Sweep

Row = tuple[str, Callable[[], object]]


def make(folder: Path) -> dict[str, tuple[Path, Path]]:
    """The images and the folders of the same files, by name; made once."""
    mixed, tiny = folder / "mixed", folder / "tiny"
    if not mixed.exists():
        _corpus.mixed(mixed)
        _corpus.tiny(tiny, 100_000)
    made = {"mixed": (folder / "mixed.img", mixed), "tiny": (folder / "tiny.img", tiny)}
    for image, files in made.values():
        if not image.exists():
            _corpus.image(files, image)
    pieces = folder / "frag.img"
    if not pieces.exists() and os.geteuid() == 0:
        _corpus.fragmented(mixed, pieces)
    if pieces.exists():
        made["in pieces"] = (pieces, mixed)
    return made


def warm(image: Path, files: Path) -> int:
    """Read everything once; bytes in files."""
    image.read_bytes()
    return sum(len(p.read_bytes()) for p in files.rglob("*") if p.is_file())


def used() -> float:
    rows = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(r.ru_utime + r.ru_stime for r in rows)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Processor seconds and wall seconds."""
    cpu, wall = used(), time.perf_counter()
    run()
    return used() - cpu, time.perf_counter() - wall


def engine(
    image: Path, *, sha256: bool = False, whole: bool = False, blocks: Path | None = None, threads: int = 1
) -> None:
    """Open, list, and read every file in one pass, without the pipeline around it."""
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        scan = BlockScan(BlockSet(blocks), regions_of(evidence, device.filesystems)) if blocks else None
        sweep = Sweep(evidence, image=["sha256"] if whole else [], scan=scan, sha256=sha256, threads=threads)
        starting: dict[int, list[tuple[int, list[list[int]]]]] = {}
        others: list[tuple[FileSystemReader, str]] = []
        number = 0
        for filesystem in device.filesystems:
            plain = PlainFiles(filesystem, evidence)
            # As columns where the reader gives them, as a run of the product does.
            columns = filesystem.batches()
            if columns is None:
                columns = (batch_of(list(filesystem.entries())),)
            for batch in columns:
                number = sort_out(batch, filesystem, plain, evidence.size, number, starting, others)
        read = 0
        for at in range(0, evidence.size, WINDOW):
            files = starting.get(at // WINDOW, [])
            read += sum(1 for _ in sweep.window(at, min(at + WINDOW, evidence.size), files, keep=0))
        sweep.close()
        assert read == number
        # Files that are not in order on the media go through their parser, which computes SHA-256 as well.
        for filesystem, locator in others:
            digest_content(filesystem.content(locator))


def sort_out(
    batch: RecordBatch, filesystem: FileSystemReader, plain: PlainFiles, media: int, number: int,
    starting: dict[int, list[tuple[int, list[list[int]]]]], others: list[tuple[FileSystemReader, str]],
) -> int:  # fmt: skip
    """Files to be read in the pass, by the window they begin in, and those that go through their parser."""
    size, readable, sparse = (batch.column(n).to_numpy(zero_copy_only=False) for n in ("size", "readable", "sparse"))
    starts = np.asarray(batch.column("extent_offsets").offsets)
    offset, length = (batch.column(n).flatten().to_numpy() for n in ("extent_offsets", "extent_sizes"))
    passed = (size > 0) & lie_in_order(size, offset, length, starts, media, WINDOW)
    locators = batch.column("locator").to_pylist()
    pieces = np.stack([offset, length], 1).tolist()
    begins = starts.tolist()
    for row in np.flatnonzero((size > 0) & readable & ~sparse).tolist():
        if passed[row] and plain.holds(locators[row]):
            mine = pieces[begins[row] : begins[row + 1]]
            starting.setdefault(mine[0][0] // WINDOW, []).append((number, mine))
            number += 1
        else:
            others.append((filesystem, locators[row]))
    return number


def command(*words: str) -> Callable[[], object]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")}
    return lambda: subprocess.run(words, check=False, capture_output=True, env=environment)


def scan(image: Path, blocks: Path) -> None:
    """Every block of the media against the block set, and nothing else."""
    with open_evidence([image]) as evidence:
        found = BlockScan(BlockSet(blocks), [Region(0, evidence.size)])
        sweep = Sweep(evidence, scan=found, sha256=False)
        for at in range(0, evidence.size, WINDOW):
            for _ in sweep.window(at, min(at + WINDOW, evidence.size), [], keep=0):
                pass
        sweep.close()


def verify(image: Path, threads: int) -> None:
    """An E01 read from end to end, each chunk checked, and the media's MD5 against the stored one."""
    with open_evidence([image]) as evidence:
        assert identify(evidence, ["md5"], threads=threads) == {"md5": evidence.stored_md5} and not evidence.missing


def read_through(image: Path) -> None:
    """An E01 read from end to end, each chunk checked by its own checksum, without a digest of the media."""
    with open_evidence([image]) as evidence:
        for at in range(0, evidence.size, 4 << 20):
            evidence.read(at, 4 << 20)
        assert not evidence.missing


def e01(image: Path) -> list[Row]:
    """Reading and verifying an E01 that ewfacquire made, compressed fast."""
    target = image.with_suffix(".E01")
    if not target.exists():
        subprocess.run(
            ["ewfacquire", "-u", "-q", "-c", "deflate:fast", "-S", "8GiB", "-t", str(target.with_suffix("")),
             str(image)],
            check=True, capture_output=True,
        )  # fmt: skip
    target.read_bytes()
    return [
        ("ours: every chunk read and checked", lambda: read_through(target)),
        ("ours: and the media's MD5", lambda: verify(target, 1)),
        ("ours: and the media's MD5, two threads", lambda: verify(target, 2)),
        ("ewfverify", command("ewfverify", "-q", str(target))),
    ]


def contenders(image: Path, files: Path, folder: Path, blocks: Path) -> list[Row]:
    """Everyone, with what they compute."""
    rows: list[Row] = [
        ("engine: MD5, SHA-1, every block", lambda: engine(image, blocks=blocks)),
        ("engine, two threads", lambda: engine(image, blocks=blocks, threads=2)),
        ("engine: MD5, SHA-1", lambda: engine(image)),
        ("engine: and SHA-256, and the image's", lambda: engine(image, sha256=True, whole=True, blocks=blocks)),
        ("engine: blocks alone", lambda: scan(image, blocks)),
    ]
    database = folder / "loaddb.db"
    peers = (
        ("fiwalk: MD5, SHA-1", ["fiwalk", "-X", str(folder / "fiwalk.xml"), str(image)]),
        ("tsk_loaddb: MD5", ["tsk_loaddb", "-h", "-d", str(database), str(image)]),
        ("hashdeep: MD5, SHA-1", ["hashdeep", "-c", "md5,sha1", "-j0", "-r", str(files)]),
        ("rhash: MD5, SHA-1", ["rhash", "--md5", "--sha1", "-r", str(files)]),
    )
    for name, words in peers:
        if shutil.which(words[0]):
            rows.append((name, _fresh(words, folder / "fiwalk.xml", database)))
        else:
            print(f"{words[0]} is not installed: left out.", file=sys.stderr)
    return rows


def _fresh(words: list[str], *outputs: Path) -> Callable[[], object]:
    run = command(*words)

    def again() -> object:
        for output in outputs:
            output.unlink(missing_ok=True)
        return run()

    return again


def measure(name: str, size: int, rows: list[Row], rounds: int) -> None:
    """Everyone by turns, the best of the rounds; the first row is what the others are compared with."""
    best: dict[str, tuple[float, float]] = {}
    for _ in range(rounds):
        for title, run in rows:
            cpu, wall = timed(run)
            old = best.get(title, (cpu, wall))
            best[title] = min(old[0], cpu), min(old[1], wall)
    base = best[rows[0][0]]
    print(f"| {name}: {size / 1e6:,.0f} MB | MB per CPU-second | MB/s wall | CPU beside the first | wall beside it |")
    print("|---|---|---|---|---|")
    for title, (cpu, wall) in best.items():
        print(
            f"| {title} | {size / 1e6 / cpu:,.0f} | {size / 1e6 / wall:,.0f} | {cpu / base[0]:.2f}x | "
            f"{wall / base[1]:.2f}x |"
        )
    print(flush=True)


def whole(folder: Path, image: Path, files: Path, rounds: int) -> None:
    """The command with its lists, beside the peers' way to the same findings."""
    import _whole

    store = _whole.lists(folder, files)
    report = folder / "report"
    planted = sum(map(len, _whole.planted(files)))
    best: dict[str, float] = {}
    peak = largest = 0
    for _ in range(rounds):
        shutil.rmtree(report, ignore_errors=True)
        cpu, wall = used(), time.perf_counter()
        memory = _whole.ours(image, store, report)
        best["ours"] = min(best.get("ours", 1e9), time.perf_counter() - wall)
        best["ours cpu"] = min(best.get("ours cpu", 1e9), used() - cpu)
        peak, largest = max(peak, memory.peak), max(largest, memory.largest)
        assert _whole.findings(report) >= planted, "the command missed what was planted"
        cpu = used()
        steps = _whole.theirs(image, files, folder, os.cpu_count() or 1)
        best["theirs cpu"] = min(best.get("theirs cpu", 1e9), used() - cpu)
        assert steps.pop("found") >= planted
        for name, seconds in {**steps, "theirs": sum(steps.values())}.items():
            best[name] = min(best.get(name, 1e9), seconds)
    begun = time.perf_counter()
    subprocess.run([_whole.programme(), "--help"], check=True, capture_output=True)
    start = time.perf_counter() - begun
    print(f"| whole command: {image.stat().st_size / 1e6:,.0f} MB | wall s | CPU s |")
    print("|---|---|---|")
    print(f"| safelight triage, 10 million MD5 and a million PDQ | {best['ours']:.1f} | {best['ours cpu']:.1f} |")
    print(f"| the peers' steps, one after the other | {best['theirs']:.1f} | {best['theirs cpu']:.1f} |")
    for name in ("fiwalk", "look-up of MD5", "reference PDQ", "look-up of PDQ"):
        print(f"| - {name} | {best[name]:.1f} | |")
    print(
        f"\n{best['theirs'] / best['ours']:.2f} times as fast by the clock; all {planted} planted files found; "
        f"memory at most {peak >> 20:,} MiB all processes together (shared pages once), {largest >> 20:,} MiB the "
        f"largest; `safelight --help` {start:.2f} s.\n",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(tempfile.gettempdir()) / "safelight-triage-benchmark"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", choices=("mixed", "tiny", "in pieces", "E01", "whole"))
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    warm_up()
    now = datetime.datetime.now(datetime.UTC)
    load = os.getloadavg()[0]
    print(f"{now:%d %B %Y}, {platform.machine()}, {os.cpu_count()} processors, load {load:.1f} before the start.\n")
    images = make(folder)
    blocks = folder / "blocks.set"
    if not blocks.exists():
        listed = folder / "listed.bin"
        listed.write_bytes(np.random.default_rng(99).bytes(64 << 20))
        build_block_set([(listed, "A")], blocks, name="BENCHMARK", version="1")
    for name, (image, files) in images.items():
        if options.only in (None, name):
            measure(name, warm(image, files), contenders(image, files, folder, blocks), options.rounds)
    if options.only in (None, "E01") and shutil.which("ewfverify"):
        image = images["mixed"][0]
        measure("E01 (deflate, fast)", image.stat().st_size, e01(image), options.rounds)
    if options.only in (None, "whole") and shutil.which("fiwalk"):
        whole(folder, *images["mixed"], options.rounds)


if __name__ == "__main__":
    main()
