"""Device images with real file systems for the demo and the tests, each with the truth about what is on it.

Beside ``demo-1-phone-card.dd`` stands ``demo-1-phone-card.truth.json``: every file that was written, its digests,
whether it is live or deleted, whether the demo's hash sets know it (byte for byte or only by sight), and whether its
content can still be read by its name. (The one file that is not listed is ``System cache.bin`` on a FAT32 card, which
lies over a deleted picture.) The tests hold the triage engine against it; a demonstrator can do the same by eye.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from safelight.demo.contents import VARIANTS, DemoFile, Variant, plan_files
from safelight.demo.filesystems import ERASED, TOOLS, write_volume
from safelight.demo.hashsets import CSV_FILE, SET_NAME, VICS_FILE, HashSets, known_picture, write_hash_sets
from safelight.demo.partitions import write_device
from safelight.demo.tools import disk_full_is_clear, find_tool, require_space, require_tools, run_tool
from safelight.errors import SafelightError

__all__ = [
    "VARIANTS",
    "DiskImage",
    "HashSets",
    "TruthRow",
    "Variant",
    "build_disk_images",
    "load_disk_images",
    "write_e01",
    "write_hash_sets",
]

MANIFEST_VERSION = 1
NOTICE = "SYNTHETIC DEMO DEVICE: made by Safelight, no real person, place or event; every picture is abstract."
_NAMESPACE = uuid.UUID("7c1c6f0e-5afe-4119-8d3e-0123456789ab")
_WORKING_ROOM = 2  # a volume and the image made from it exist together for a moment

Progress = Callable[[int, int, str], None]
"""Called with (devices done, devices in all, what happens now)."""


@dataclass(frozen=True)
class TruthRow:
    """What is true of one file on a device.

    Attributes:
        path: on the volume, ``/`` between names, no leading ``/``.
        size, md5, sha1, sha256: of the content that was written.
        state: 'live' or 'deleted'.
        recoverable: whether the file system still leads to the content (always so for live files).
        kind: 'picture', 'damaged picture' or 'other'.
        match: 'exact' (bytes in the hash set), 'perceptual' (only the PDQ is near one in the set) or 'none'.
        category: 'A', 'B', 'C' or '' as the demo's list has it.
        media_id: the entry of the demo's VICS set that it is or resembles, or None.
        renamed_from: its earlier name, or ''. Some file systems show the earlier name as a deleted file.
        note: in words.
    """

    path: str
    size: int
    md5: str
    sha1: str
    sha256: str
    state: str
    recoverable: bool
    kind: str
    match: str
    category: str
    media_id: int | None
    renamed_from: str
    note: str


@dataclass(frozen=True)
class DiskImage:
    """A device image and its truth.

    Attributes:
        name: of the device, the stem of its files.
        title: what a person calls it.
        path: the image, or the first part of it.
        segments: every part, in order.
        manifest: the truth as a JSON file.
        file_system: 'fat32', 'ext4' or 'ntfs'.
        scheme: 'mbr', 'gpt' or 'none'.
        volume_offset: where the volume starts in the device, in bytes.
        device_size: bytes of the device.
        rows: the truth.
    """

    name: str
    title: str
    path: Path
    segments: tuple[Path, ...]
    manifest: Path
    file_system: str
    scheme: str
    volume_offset: int
    device_size: int
    rows: tuple[TruthRow, ...]

    @property
    def findable(self) -> tuple[TruthRow, ...]:
        """The rows that a full triage with both demo hash sets must report."""
        return tuple(row for row in self.rows if row.match != "none" and row.recoverable)


def build_disk_images(
    folder: Path,
    *,
    seed: int = 1,
    variants: Sequence[Variant] = VARIANTS,
    e01: bool = False,
    on_progress: Progress | None = None,
) -> list[DiskImage]:
    """Write one device image per variant, with its truth beside it. Needs neither root nor a mount.

    Args:
        folder: where to; made if missing. Images of the same names are replaced.
        seed: decides the pictures. The content of every file is the same for the same seed.
        variants: which devices.
        e01: also write the first device as an E01 of several parts, if ewfacquire is there.
        on_progress: called before each device and at the end.

    Raises:
        SafelightError: a tool is missing (names the Debian package) or fails, or the disk is full.
        OSError: the folder cannot be written.
    """
    require_tools(*dict.fromkeys(tool for variant in variants for tool in TOOLS[variant.file_system]))
    folder.mkdir(parents=True, exist_ok=True)
    # Images are sparse: what counts is what is written, some 25 MiB each, and the one being made counts twice.
    require_space(folder, (len(variants) + _WORKING_ROOM) * 25 * 2**20)
    total = len(variants) + (1 if e01 else 0)
    images = []
    with disk_full_is_clear(folder):
        for done, variant in enumerate(variants):
            if on_progress:
                on_progress(done, total, f"{variant.title} ({variant.file_system}, {variant.size_mib} MiB)")
            images.append(_build(folder, variant, seed))
        if e01 and images and find_tool("ewfacquire"):
            if on_progress:
                on_progress(len(variants), total, f"{images[0].title} as E01 in several parts")
            images.append(write_e01(images[0]))
    if on_progress:
        on_progress(total, total, f"{len(images)} device images are in {folder}")
    return images


def _build(folder: Path, variant: Variant, seed: int) -> DiskImage:
    planned = plan_files(variant, seed)
    serial = uuid.uuid5(_NAMESPACE, f"{variant.name} {seed}")
    image = folder / f"{variant.name}.dd"
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder) as working:
        volume, staging, device = Path(working, "volume"), Path(working, "files"), Path(working, "device")
        staging.mkdir()
        write_volume(
            volume,
            variant.file_system,
            [demo.file for demo in planned],
            size=variant.size_mib * 2**20,
            label="DEMO",
            serial=str(serial),
            staging=staging,
        )
        offset = write_device(device, volume, scheme=variant.scheme, file_system=variant.file_system, serial=serial)
        os.replace(device, image)
    disk_image = DiskImage(
        name=variant.name,
        title=variant.title,
        path=image,
        segments=(image,),
        manifest=folder / f"{variant.name}.truth.json",
        file_system=variant.file_system,
        scheme=variant.scheme,
        volume_offset=offset,
        device_size=image.stat().st_size,
        rows=tuple(_truth(demo) for demo in planned),
    )
    _write_manifest(disk_image, seed)
    return disk_image


def _truth(demo: DemoFile) -> TruthRow:
    file = demo.file
    known = None if demo.known is None else known_picture(demo.known)
    return TruthRow(
        path=file.path,
        size=len(file.content),
        md5=hashlib.md5(file.content, usedforsecurity=False).hexdigest(),
        sha1=hashlib.sha1(file.content, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(file.content).hexdigest(),
        state="deleted" if file.fate else "live",
        recoverable=file.fate != ERASED,
        kind=demo.kind,
        match=demo.match,
        category=known.letter if known else "",
        media_id=known.number + 1 if known else None,
        renamed_from=file.renamed_from,
        note=demo.note,
    )


def _write_manifest(image: DiskImage, seed: int) -> None:
    content = {
        "version": MANIFEST_VERSION,
        "notice": NOTICE,
        "seed": seed,
        "name": image.name,
        "title": image.title,
        "segments": [segment.name for segment in image.segments],
        "file_system": image.file_system,
        "scheme": image.scheme,
        "volume_offset": image.volume_offset,
        "device_size": image.device_size,
        "hash_set": {"name": SET_NAME, "vics": VICS_FILE, "csv": CSV_FILE},
        "files": [asdict(row) for row in image.rows],
    }
    image.manifest.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def load_disk_images(folder: Path) -> list[DiskImage]:
    """The devices that an earlier :func:`build_disk_images` left in ``folder``, in order of their names.

    A device whose image is gone is left out, so that the caller can compare and build again.

    Raises:
        SafelightError: a manifest is not one of ours or of another version.
    """
    images = []
    for manifest in sorted(folder.glob("*.truth.json")):
        try:
            content = json.loads(manifest.read_text(encoding="utf-8"))
            if content["version"] != MANIFEST_VERSION:
                raise ValueError(f"version {content['version']}")
            segments = tuple(folder / Path(name).name for name in content["segments"])
            image = DiskImage(
                name=content["name"],
                title=content["title"],
                path=segments[0],
                segments=segments,
                manifest=manifest,
                file_system=content["file_system"],
                scheme=content["scheme"],
                volume_offset=content["volume_offset"],
                device_size=content["device_size"],
                rows=tuple(TruthRow(**row) for row in content["files"]),
            )
        except (ValueError, KeyError, TypeError, IndexError) as error:
            raise SafelightError(
                f"{manifest} is not a truth file of this version of Safelight ({error}).",
                fix="Delete the folder and build the demo devices again.",
            ) from error
        if all(segment.is_file() for segment in segments):
            images.append(image)
    return images


def write_e01(image: DiskImage, *, part_size: int = 2**20) -> DiskImage:
    """Write a device also as a multi-part E01 with ewfacquire (Debian package ewf-tools).

    Args:
        image: a raw device image.
        part_size: bytes of each part, at least 1 MiB.

    Raises:
        SafelightError: ewfacquire is missing or fails.
    """
    name = f"{image.name}-e01"
    target = image.path.with_name(name)
    for old in target.parent.glob(f"{name}.E*"):
        old.unlink()
    run_tool(
        "ewfacquire", "-u", "-q", "-c", "deflate:fast", "-f", "encase6", "-S", str(part_size), "-t", target,
        "-C", "SYNTHETIC", "-D", image.title, "-e", "Synthetic examiner", "-E", "SYN/1", "-N", NOTICE, image.path,
    )  # fmt: skip
    segments = tuple(sorted(target.parent.glob(f"{name}.E*")))
    if not segments:
        raise SafelightError(f"ewfacquire wrote no E01 of {image.path}.", fix="Run it by hand to see more.")
    title = f"{image.title}, acquired as E01"
    manifest = target.with_name(f"{name}.truth.json")
    made = DiskImage(
        name, title, segments[0], segments, manifest, image.file_system, image.scheme,
        image.volume_offset, image.device_size, image.rows,
    )  # fmt: skip
    _write_manifest(made, seed=0)
    return made
