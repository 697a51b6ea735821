"""The benchmark's corpora: synthetic, benign, the same on every machine that has the same libraries."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import numpy as np
from PIL import Image

SEED = 5


def _base(rng: np.random.Generator) -> np.ndarray:
    """Clouds with some grain, 15 MP: compresses like a photograph. Pictures are cut out of it, none like another."""
    field = np.zeros((3200, 4400, 3), np.float32)
    for step in (32, 128):
        small = rng.integers(0, 256, (3200 // step + 2, 4400 // step + 2, 3), dtype=np.uint8)
        field += np.asarray(Image.fromarray(small).resize((4400, 3200), Image.Resampling.BILINEAR), np.float32) / 2
    grain = rng.integers(-12, 13, (3200, 4400, 1), dtype=np.int8)
    return np.clip(field + grain, 0, 255).astype(np.uint8)


def _picture(rng: np.random.Generator, base: np.ndarray, width: int, height: int, kind: str, quality: int) -> bytes:
    top, left = int(rng.integers(0, 3200 - height)), int(rng.integers(0, 4400 - width))
    cut = Image.fromarray(base[top : top + height, left : left + width])
    out = io.BytesIO()
    cut.save(out, kind, **({"quality": quality} if kind == "JPEG" else {"compress_level": 1}))
    return out.getvalue()


def mixed(folder: Path, *, share: int = 1) -> None:
    """6,280 files, 1 GB: pictures of three sizes, PNG, films (noise behind the mark of an MP4), text, programs."""
    rng = np.random.default_rng(SEED)
    base = _base(rng)
    folder.mkdir(parents=True)
    number = 0

    def write(name: str, body: bytes) -> None:
        nonlocal number
        place = folder / f"{number // 500:03d}"
        place.mkdir(exist_ok=True)
        (place / f"{number:05d}{name}").write_bytes(body)
        number += 1

    for _ in range(100 // share):
        write(".jpg", _picture(rng, base, 4000, 3000, "JPEG", 82))
    for _ in range(1200 // share):
        write(".jpg", _picture(rng, base, 1152, 864, "JPEG", 88))
    for _ in range(4000 // share):
        write(".jpg", _picture(rng, base, 160, 120, "JPEG", 85))
    for _ in range(120 // share):
        write(".png", _picture(rng, base, 640, 480, "PNG", 0))
    for _ in range(20 // share):
        write(".bin", rng.bytes(int(rng.integers(4_000_000, 20_000_000))))
    for _ in range(800 // share):
        write(".txt", b" ".join(str(n).encode() for n in rng.integers(0, 99999, int(rng.integers(200, 4000)))))
    for _ in range(40 // share):
        write(".dll", b"MZ" + rng.bytes(int(rng.integers(100_000, 900_000))))


def tiny(folder: Path, count: int) -> None:
    """Files of 4 KiB."""
    rng = np.random.default_rng(SEED)
    for number in range(count):
        place = folder / f"{number // 1000:03d}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.bin").write_bytes(rng.bytes(4096))


def image(files: Path, target: Path) -> None:
    """An ext4 image of the folder."""
    names = [p for p in files.rglob("*") if p.is_file()]
    size = sum(-(-p.stat().st_size // 4096) * 4096 for p in names)
    inodes = len(names) + 2000
    room = (size + inodes * 256) * 102 // 100 + (24 << 20)
    subprocess.run(
        ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-N", str(inodes), "-d", str(files),
         str(target), f"{room >> 10}K"],
        check=True, capture_output=True,
    )  # fmt: skip


def fragmented(files: Path, target: Path, *, piece: int = 65_536) -> None:
    """An ext4 image of the folder whose files lie in pieces, those of sixteen files by turns.

    mke2fs lays files out whole, so the pieces are made by the file system's own driver: it is mounted (root only).
    """
    image(files, target)
    names = sorted(p for p in files.rglob("*") if p.is_file())
    mount = target.with_suffix(".mnt")
    mount.mkdir(exist_ok=True)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", str(target)], check=True)
    subprocess.run(["mount", "-o", "loop,nodelalloc", str(target), str(mount)], check=True)
    try:
        for at in range(0, len(names), 16):
            group = names[at : at + 16]
            inputs = [p.open("rb") for p in group]
            outputs = [(mount / p.name).open("wb", buffering=0) for p in group]
            left = True
            while left:
                left = False
                for source, out in zip(inputs, outputs, strict=True):
                    body = source.read(piece)
                    if body:
                        out.write(body)
                        left = True
            for file in (*inputs, *outputs):
                file.close()
    finally:
        subprocess.run(["umount", str(mount)], check=True)
        mount.rmdir()
