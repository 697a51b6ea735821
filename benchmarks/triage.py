"""The full pass beside its peers, on images it makes itself: `python benchmarks/triage.py [FOLDER] [--rounds N]`.

Two ext4 images with the same bytes for everyone, read into the page cache first: one of photograph-sized files, one of
20,000 files of 4 KiB. Measured are processor seconds of the whole command with its children, and wall time; of several
rounds the best counts, and the rounds take turns, so that other work on the machine falls on all alike.

Ours reads the image: every file, live and deleted, MD5 and SHA-1 (and SHA-256, and the image's own SHA-256, and every
4 KiB block against a block set, as each line says). fiwalk reads the same image. hashdeep, md5sum and sha1sum cannot
open images: they read the same files from a folder, deleted ones excepted. Install sleuthkit and hashdeep for them.
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
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from safelight.triage.blocks import BlockSet, build_block_set
from safelight.triage.blockscan import BlockScan, regions_of
from safelight.triage.evidence.detect import open_evidence
from safelight.triage.evidence.device import Device
from safelight.triage.md5lanes import warm_up
from safelight.triage.plain import PlainFiles, lies_in_order
from safelight.triage.sweep import WINDOW, Sweep


def make(folder: Path) -> dict[str, tuple[Path, Path]]:
    """The images and the folders of the same files, by name; made once."""
    made = {}
    for name, size in (("photographs", "320M"), ("tiny files", "140M")):
        files, image = folder / name.replace(" ", "-"), folder / f"{name.replace(' ', '-')}.img"
        made[name] = image, files
        if image.exists():
            continue
        rng = np.random.default_rng(5)
        files.mkdir()
        if name == "photographs":
            sizes = [*rng.integers(2_000_000, 4_000_000, 60), *rng.integers(50_000, 250_000, 600)]
        else:
            sizes = [4096] * 20_000
        for number, bytes_ in enumerate(sizes):
            place = files / str(number // 1000)
            place.mkdir(exist_ok=True)
            (place / f"{number}.bin").write_bytes(rng.bytes(int(bytes_)))
        subprocess.run(["mke2fs", "-q", "-t", "ext4", "-N", "24000", "-d", str(files), str(image), size], check=True)
    return made


def warm(image: Path, files: Path) -> int:
    """Read everything once; bytes in files."""
    image.read_bytes()
    return sum(len(p.read_bytes()) for p in files.rglob("*.bin"))


def used() -> float:
    rows = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(r.ru_utime + r.ru_stime for r in rows)


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Processor seconds and wall seconds."""
    cpu, wall = used(), time.perf_counter()
    run()
    return used() - cpu, time.perf_counter() - wall


def engine(image: Path, *, sha256: bool = False, whole: bool = False, blocks: Path | None = None) -> None:
    """Open, list, and read every file in one pass, without the pipeline around it."""
    with open_evidence([image]) as evidence:
        device = Device(evidence)
        scan = BlockScan(BlockSet(blocks), regions_of(evidence, device.filesystems)) if blocks else None
        sweep = Sweep(evidence, image=["sha256"] if whole else [], scan=scan, sha256=sha256)
        starting: dict[int, list[tuple[int, list[list[int]]]]] = {}
        number = 0
        for filesystem in device.filesystems:
            plain = PlainFiles(filesystem, evidence)
            for entry in filesystem.entries():
                if entry.size and lies_in_order(entry, evidence.size) and plain.holds(entry.locator):
                    row = (number, [[x.offset, x.size] for x in entry.extents])
                    starting.setdefault(entry.extents[0].offset // WINDOW, []).append(row)
                    number += 1
        read = 0
        for at in range(0, evidence.size, WINDOW):
            files = starting.get(at // WINDOW, [])
            read += sum(1 for _ in sweep.window(at, min(at + WINDOW, evidence.size), files, keep=0))
        sweep.close()
        assert read == number


def command(*words: str) -> Callable[[], object]:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1] / "src")}
    return lambda: subprocess.run(words, check=False, capture_output=True, env=environment)


def contenders(image: Path, files: Path, folder: Path, blocks: Path) -> list[tuple[str, Callable[[], object]]]:
    """Everyone, with what they compute."""
    program = str(Path(sys.executable).with_name("safelight"))
    ours = [program, "triage", str(image), "--hash-set", str(folder / "none.csv"), "--report", str(folder / "report")]
    rows: list[tuple[str, Callable[[], object]]] = [
        ("engine: MD5, SHA-1", lambda: engine(image)),
        ("engine: MD5, SHA-1, every block", lambda: engine(image, blocks=blocks)),
        ("engine: MD5, SHA-1, SHA-256", lambda: engine(image, sha256=True)),
        ("engine: all of these and the image", lambda: engine(image, sha256=True, whole=True, blocks=blocks)),
        ("safelight triage, whole command", command(*ours, "--block-set", str(blocks))),
    ]
    listing = [str(p) for p in files.rglob("*.bin")]
    peers = (
        ("fiwalk: MD5, SHA-1", ["fiwalk", "-X", str(folder / "fiwalk.xml"), str(image)]),
        ("hashdeep: MD5, SHA-1", ["hashdeep", "-c", "md5,sha1", "-j0", "-r", str(files)]),
        ("md5sum", ["md5sum", *listing]),
        ("sha1sum", ["sha1sum", *listing]),
    )
    for name, words in peers:
        if shutil.which(words[0]):
            rows.append((name, _fresh(words, folder / "fiwalk.xml")))
        else:
            print(f"{words[0]} is not installed (Debian packages sleuthkit, hashdeep): left out.", file=sys.stderr)
    return rows


def _fresh(words: Sequence[str], output: Path) -> Callable[[], object]:
    run = command(*words)

    def again() -> object:
        output.unlink(missing_ok=True)
        return run()

    return again


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "folder", nargs="?", type=Path, default=Path(tempfile.gettempdir()) / "safelight-triage-benchmark"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "none.csv").write_text("md5,category\n" + "0" * 31 + "1,A\n")
    warm_up()
    now = datetime.datetime.now(datetime.UTC)
    load = os.getloadavg()[0]
    print(f"{now:%d %B %Y}, {platform.machine()}, {os.cpu_count()} processors, load {load:.1f} before the start.\n")
    for name, (image, files) in make(folder).items():
        listed = folder / "listed.bin"
        listed.write_bytes(np.random.default_rng(99).bytes(64 << 20))
        blocks = folder / "blocks.set"
        if not blocks.exists():
            build_block_set([(listed, "A")], blocks, name="BENCHMARK", version="1")
        size = warm(image, files)
        rows = contenders(image, files, folder, blocks)
        best: dict[str, tuple[float, float]] = {}
        for _ in range(options.rounds):
            for title, run in rows:
                cpu, wall = timed(run)
                old = best.get(title, (cpu, wall))
                best[title] = min(old[0], cpu), min(old[1], wall)
        base = best["engine: MD5, SHA-1, every block"][0]
        print(f"| {name}: {size / 1e6:.0f} MB | MB per CPU-second | MB/s wall | ours with blocks is |")
        print("|---|---|---|---|")
        for title, (cpu, wall) in best.items():
            print(f"| {title} | {size / 1e6 / cpu:.0f} | {size / 1e6 / wall:.0f} | {cpu / base:.1f}x |")
        print()


if __name__ == "__main__":
    main()
