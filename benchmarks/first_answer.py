"""The first answer over a 1 TB disk: `python benchmarks/first_answer.py [FOLDER] [--devices N]`.

The disk is a sparse image (about 1 GB of it is stored), with an ext4 file system made by e2fsprogs and 20 MiB of listed
material planted: half of it as files, half in free space. Two runs of `safelight triage --first-answer` are timed, the
whole command each:

- as an examiner runs it: holes of the image file are known zeros and are not drawn;
- with every place drawn as if nothing were known of holes, as on a disk or a full copy: the number of places that is
  drawn and looked at is then that of a real 1 TB disk. Reading a hole costs a system call and no disk, so the figure is
  that of the processor; the time that a disk takes for as many reads is added from its reads a second.

Then the stated probability is put to the test: N devices with material planted at random, each sampled once.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import binomtest

from safelight.triage.blockruns import BLOCK
from safelight.triage.blocks import BlockSet, build_block_set
from safelight.triage.chance import chance_to_miss, places_needed
from safelight.triage.evidence.raw import RawEvidence
from safelight.triage.model import Volume
from safelight.triage.spotcheck import Job, SpotCheck

TERABYTE = 10**12
MIB = 1 << 20
DISKS = (("NVMe, 400,000 reads/s", 400_000), ("SATA SSD, 80,000", 80_000), ("hard disk, 120", 120))


def make(folder: Path) -> tuple[Path, Path, Path]:
    """The image, the block set and the hash list."""
    image, blocks, listed = folder / "terabyte.img", folder / "blocks.set", folder / "list.csv"
    if blocks.exists():
        return image, blocks, listed
    rng = np.random.default_rng(3)
    lawful, files = folder / "lawful", folder / "files"
    lawful.mkdir()
    files.mkdir()
    bodies = [rng.bytes(2 * MIB) for _ in range(10)]
    for number, body in enumerate(bodies):
        (lawful / f"listed-{number}.bin").write_bytes(body)
        if number < 5:
            (files / f"kept-{number}.bin").write_bytes(body)
    for number in range(200):
        (files / f"own-{number}.bin").write_bytes(rng.bytes(200_000 + number))
    size = TERABYTE // BLOCK
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-T", "largefile4", "-b", "4096", "-d", str(files), str(image), str(size)],
        check=True,
    )
    with image.open("r+b") as disk:
        for number, body in enumerate(bodies[5:]):
            # In free space far from everything else.
            disk.seek((400_000_000_000 + number * 50_000_000_000) // BLOCK * BLOCK)
            disk.write(body)
    build_block_set([(p, "A") for p in sorted(lawful.iterdir())], blocks, name="SYNTHETIC BLOCKS")
    listed.write_text("md5,category\n" + "00" * 16 + ",A\n")
    shutil.rmtree(files)
    return image, blocks, listed


def command(image: Path, blocks: Path, listed: Path, out: Path) -> tuple[float, float, dict[str, Any]]:
    """Wall and processor seconds of the whole command, and its record."""
    words = [sys.executable, "-m", "safelight.cli.main", "triage", str(image), "--hash-set", str(listed),
             "--block-set", str(blocks), "--report", str(out), "--first-answer", "--at-least", "20.97152",
             "--probability", "0.99", "--no-pdf", "--quiet"]  # fmt: skip
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, json.loads((out / "report.json").read_text("utf-8"))


class Whole(RawEvidence):
    """The image as if nothing were known of its holes."""

    def stored(self) -> Any:
        return [(0, self.size)]


class Bare:
    """One volume over the whole medium."""

    def __init__(self, size: int) -> None:
        self.volumes = [Volume(0, "none", "volume", "whole", 0, size)]
        self.filesystems: list[Any] = []
        self.unread: list[Any] = []


def sample(
    evidence: Any, blocks: BlockSet, seed: int, *, at_least: int, probability: float, places: int = 0
) -> SpotCheck:
    """One sample of a medium."""
    job = Job(at_least, probability, places, seed, time.monotonic() + 3600, np.empty(0, np.uint64))
    check = SpotCheck(evidence, Bare(evidence.size), blocks, job, lambda *a: None, lambda e: None)  # type: ignore[arg-type]
    check.go()
    return check


def planted(folder: Path, blocks: BlockSet, devices: int) -> None:
    """Stated against kept: devices of 400 MB with 1 MB planted, each at places of its own."""
    body = (folder / "lawful" / "listed-0.bin").read_bytes()
    held, places = MIB // BLOCK, 400_000_000 // BLOCK
    rng, needed = np.random.default_rng(9), places_needed(places, held, 0.99)
    found = drawn = 0
    path = folder / "device.img"
    for number in range(devices):
        path.unlink(missing_ok=True)
        with path.open("wb") as file:
            file.truncate(places * BLOCK)
            for index, place in enumerate(rng.choice(places, held, replace=False).tolist()):
                file.seek(place * BLOCK)
                file.write(body[index * BLOCK : (index + 1) * BLOCK])
        with Whole([path]) as evidence:
            told = sample(evidence, blocks, number, at_least=MIB, probability=0.99, places=needed).told
        found, drawn = found + (told.hits > 0), told.drawn
    path.unlink(missing_ok=True)
    stated = 1 - chance_to_miss(places, held, drawn)
    p = binomtest(found, devices, stated).pvalue
    print(f"{devices:,} devices of 400 MB with 1 MiB planted: stated {stated:.4f}, found in {found:,} "
          f"({found / devices:.4f}); binomial test p = {p:.2f}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--devices", type=int, default=1_000)
    chosen = parser.parse_args()
    own = None if chosen.folder else tempfile.TemporaryDirectory()
    folder = chosen.folder or Path(own.name)  # type: ignore[union-attr]
    folder.mkdir(parents=True, exist_ok=True)
    image, blocks, listed = make(folder)
    today = datetime.datetime.now(datetime.UTC).date()
    print(f"{today}, {platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}; image "
          f"{image.stat().st_size:,} bytes, {image.stat().st_blocks * 512:,} stored")  # fmt: skip
    runs = [command(image, blocks, listed, folder / "out") for _ in range(chosen.rounds)]
    wall, cpu, record = min(runs, key=lambda r: r[0])
    first = record["first"]
    print(f"whole command, holes known: {wall:.1f} s ({cpu:.1f} s of processor); {first['places']:,} places, "
          f"{first['drawn']:,} drawn, {first['files_listed']:,} files, {len(record['findings'])} findings")  # fmt: skip
    known = BlockSet(blocks)
    walls = []
    for seed in range(chosen.rounds):
        with Whole([image]) as evidence:
            start = time.perf_counter()
            check = sample(evidence, known, seed, at_least=20 * MIB, probability=0.99)
            walls.append(time.perf_counter() - start)
    told = check.told
    kept = 1 - chance_to_miss(told.places, 20 * MIB // BLOCK, told.drawn)
    print(f"drawing, nothing known of holes: {min(walls):.1f} s; {told.drawn:,} of {told.places:,} places, "
          f"probability {kept:.4f}, {told.hits} hits in the last")  # fmt: skip
    for name, rate in DISKS:
        print(f"  a {name}: reading alone {told.drawn / rate:,.1f} s")
    planted(folder, known, chosen.devices)
    if own is not None:
        own.cleanup()


if __name__ == "__main__":
    main()
