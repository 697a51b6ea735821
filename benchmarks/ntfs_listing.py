"""Listing an NTFS volume: the whole master file table, beside The Sleuth Kit by call and `fls`, on the same volume.

    python benchmarks/ntfs_listing.py                          # makes a volume of 60,000 files (root, FUSE, ntfs-3g)
    python benchmarks/ntfs_listing.py --files 1000000          # minutes to make
    python benchmarks/ntfs_listing.py --image volume.raw       # one that is there
    python benchmarks/ntfs_listing.py --files 1000000 --keep volume.raw

One file in twenty is deleted again before the volume is listed. Each way runs in a process of its own, on a volume that
is in the page cache; seconds are of the processor, wall beside them.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FOLDER = 300
WAYS = ("table", "ours", "by call", "library alone")


def make(image: Path, files: int) -> None:
    """An NTFS volume filled through ntfs-3g, as a computer would."""
    with image.open("wb") as out:
        out.truncate(max(64 << 20, files * 3000))
    subprocess.run(["mkntfs", "-q", "-F", "-c", "4096", str(image)], check=True, capture_output=True)
    rng, made = random.Random(1), []
    with tempfile.TemporaryDirectory() as mount:
        subprocess.run(["ntfs-3g", "-o", "big_writes,noatime", str(image), mount], check=True)
        try:
            for number in range(files):
                folder = Path(mount, f"top{number // FOLDER // 50:03}", f"dir{number // FOLDER:05}")
                if number % FOLDER == 0:
                    folder.mkdir(parents=True)
                path = folder / f"file {number % FOLDER:04} of a name.jpg"
                path.write_bytes(b"x" * rng.choice((10, 10, 10, 300, 5000)))
                made.append(path)
            for path in made[::20]:
                path.unlink()
        finally:
            subprocess.run(["umount", mount], check=True)


def one(way: str, image: Path) -> dict[str, float]:
    import pytsk3

    from safelight.triage.evidence import Device, mft, open_evidence
    from safelight.triage.evidence.ntfs import NtfsFileSystem
    from safelight.triage.evidence.tsk import TskFileSystem

    mft.warm_up()
    device = Device(open_evidence([image]))
    filesystem = next(f for f in device.filesystems if isinstance(f, NtfsFileSystem))
    cpu, wall = time.process_time(), time.perf_counter()
    if way == "table":
        runs, size, _ = filesystem._table_place()
        table = mft.read_table(filesystem._evidence, runs, size, alive=lambda _: None)
        count = int((table.has(mft.VALID) & ~table.has(mft.EXTENSION)).sum())
    elif way == "library alone":
        disk = pytsk3.FS_Info(pytsk3.Img_Info(str(image)))
        count, todo, seen = 0, [disk.info.root_inum], set()
        while todo:
            address = todo.pop()
            if address in seen:
                continue
            seen.add(address)
            for item in disk.open_dir(inode=address):
                name, meta = item.info.name, item.info.meta
                if name.name in (b".", b".."):
                    continue
                count += 1
                if meta and meta.type == pytsk3.TSK_FS_META_TYPE_DIR and name.name != b"$OrphanFiles":
                    todo.append(meta.addr)
    else:
        entries = filesystem.entries() if way == "ours" else TskFileSystem.entries(filesystem)
        count = sum(1 for _ in entries)
    return {
        "files": count,
        "cpu": time.process_time() - cpu,
        "wall": time.perf_counter() - wall,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def fls(image: Path) -> dict[str, float]:
    before, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    listing = subprocess.run(["fls", "-r", "-p", "-l", str(image)], check=True, capture_output=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "files": listing.count(b"\n"),
        "cpu": after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime,
        "wall": time.perf_counter() - wall,
        "mb": after.ru_maxrss / 1024,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=60_000)
    parser.add_argument("--image", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--one", choices=WAYS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(one(options.one, options.image)))
        return
    with tempfile.TemporaryDirectory() as folder:
        image = options.image or options.keep or Path(folder, "volume.raw")
        if options.image is None:
            make(image, options.files)
        with image.open("rb") as volume:
            while volume.read(64 << 20):
                pass
        rows = {
            way: json.loads(
                subprocess.run(
                    [sys.executable, __file__, "--one", way, "--image", str(image)],
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
            )
            for way in WAYS
        }
        rows["fls -r -p -l"] = fls(image)
    titles = {
        "table": "the table, as columns",
        "ours": "every file as the run keeps it",
        "by call": "the same, each record by a call of The Sleuth Kit",
        "library alone": "The Sleuth Kit alone, names and metadata, nothing kept",
    }
    print("| | files | CPU s | wall s | files per CPU-second | peak MB | ours is |")
    print("|---|---|---|---|---|---|---|")
    ours = rows["ours"]["files"] / rows["ours"]["cpu"]
    for way, row in rows.items():
        rate = row["files"] / row["cpu"]
        print(
            f"| {titles.get(way, way)} | {row['files']:,.0f} | {row['cpu']:.2f} | {row['wall']:.2f} | {rate:,.0f} | "
            f"{row['mb']:.0f} | {ours / rate:.2f}x |"
        )


if __name__ == "__main__":
    main()
