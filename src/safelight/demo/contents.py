"""What is on each demo device: which files, which of them a hash set knows, which are deleted, renamed or damaged."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from safelight.demo.filesystems import DELETED, ERASED, VolumeFile
from safelight.demo.hashsets import KNOWN_COUNT, known_picture
from safelight.demo.pictures import (
    NEAR_KINDS,
    STYLES,
    cut_short,
    encode_picture,
    lying_png,
    make_picture,
    near_duplicate,
)

EXACT, PERCEPTUAL, NO_MATCH = "exact", "perceptual", "none"
_START = 1_738_400_000  # 1 February 2025; each file is some hours younger than the one before
_HOURS = 3600


@dataclass(frozen=True)
class Variant:
    """A kind of device.

    Attributes:
        name: becomes the file name.
        title: what a person calls it.
        file_system: 'fat32', 'ext4' or 'ntfs'.
        scheme: its partition table: 'mbr', 'gpt' or 'none'.
        folders: where its pictures, its documents and its hidden files are.
        exact: how many known pictures are on it byte for byte.
        near: how many known pictures are on it with other bytes.
        size_mib: of the volume.
        large: the size in pixels of its largest picture.
    """

    name: str
    title: str
    file_system: str
    scheme: str
    folders: tuple[str, str, str]
    exact: int
    near: int
    size_mib: int = 64
    large: tuple[int, int] = (2400, 1800)


_PHONE = ("DCIM/100DEMO", "Download", "Android/data/cache.demo")
_LAPTOP = ("home/sam demo/Pictures", "home/sam demo/Documents", "home/sam demo/.cache/thumbs")
_WINDOWS = ("Users/Demo Person/Pictures", "Users/Demo Person/Documents", "Users/Demo Person/AppData/Local/Temp")

VARIANTS = (
    Variant("demo-1-phone-card", "Memory card from a phone", "fat32", "mbr", _PHONE, 4, 3, large=(4000, 3000)),
    Variant("demo-2-laptop", "Laptop disk", "ext4", "mbr", _LAPTOP, 4, 2),
    Variant("demo-3-windows-disk", "Windows disk", "ntfs", "gpt", _WINDOWS, 4, 3, size_mib=72, large=(3000, 4000)),
    Variant("demo-4-camera-card", "Memory card from a camera", "fat32", "mbr", _PHONE, 0, 0),
    Variant("demo-5-old-laptop", "Partition of an old laptop", "ext4", "none", _LAPTOP, 0, 1),
    Variant("demo-6-usb-stick", "USB stick", "ntfs", "mbr", _WINDOWS, 1, 0, size_mib=48),
)
"""The devices of the demo force. The fourth has no known picture."""


@dataclass(frozen=True)
class DemoFile:
    """A file on a demo device, and what is true of it.

    Attributes:
        file: path, bytes and fate.
        kind: 'picture', 'damaged picture' or 'other'.
        match: 'exact', 'perceptual' or 'none': how the demo's hash sets know it.
        known: the number of the known picture, or None.
        note: what a reader should know about it.
    """

    file: VolumeFile
    kind: str
    match: str = NO_MATCH
    known: int | None = None
    note: str = ""


def plan_files(variant: Variant, seed: int) -> list[DemoFile]:
    """Every file of a device, in the order in which it came there. The same seed gives the same bytes.

    Args:
        variant: the kind of device.
        seed: decides the pictures and which known ones are there.
    """
    position = [v.name for v in VARIANTS].index(variant.name) if variant in VARIANTS else len(VARIANTS)
    rng = np.random.default_rng([seed, position])
    planned = [
        *_unknown_pictures(variant, int(rng.integers(1 << 20))),
        *_known_pictures(variant, rng.permutation(KNOWN_COUNT).tolist()),
        *_other_files(variant, rng),
    ]
    return [_dated(demo, _START + 7 * _HOURS * order) for order, demo in enumerate(planned)]


def _dated(demo: DemoFile, modified: int) -> DemoFile:
    file = demo.file
    dated = VolumeFile(file.path, file.content, file.fate, file.renamed_from, modified)
    return DemoFile(dated, demo.kind, demo.match, demo.known, demo.note)


def _unknown_pictures(variant: Variant, first: int) -> Iterator[DemoFile]:
    """Pictures that no list knows, in every format, with names in several scripts; one deleted, two damaged."""
    pictures, documents, _hidden = variant.folders
    plan = (
        ("IMG_2001_first.jpg", variant.large, "jpg", ""),
        ("Ausflug nach Köln.jpg", (1024, 768), "jpg", ""),
        ("Łódź Тест 日本.png", (640, 480), "png", ""),
        ("Screenshot_demo one.webp", (720, 1280), "webp", ""),
        ("moving demo picture.gif", (320, 240), "gif", ""),
        ("scan of a drawing.bmp", (480, 320), "bmp", ""),
        ("scan of a pattern.tif", (800, 600), "tif", ""),
        ("IMG_2002_gone.jpg", (1280, 960), "jpg", DELETED),
    )
    for number, (name, size, extension, fate) in enumerate(plan):
        content = encode_picture(make_picture(first + number, size, STYLES[number % len(STYLES)]), extension)
        note = "deleted picture that no list knows" if fate else ""
        yield DemoFile(VolumeFile(f"{pictures}/{name}", content, fate), "picture", note=note)
    whole = encode_picture(make_picture(first + 50, (1024, 768)))
    yield DemoFile(
        VolumeFile(f"{pictures}/IMG_2003_damaged.jpg", cut_short(whole)),
        "damaged picture",
        note="its second half is missing",
    )
    yield DemoFile(
        VolumeFile(f"{documents}/a very large plan.png", lying_png()),
        "damaged picture",
        note="its header promises 60000 x 60000 pixels",
    )


def _known_pictures(variant: Variant, order: list[int]) -> Iterator[DemoFile]:
    """Pictures that the demo's hash sets know: live, renamed, deleted, hidden, twice; and near-duplicates of others."""
    pictures, documents, hidden = variant.folders
    exact = order[: variant.exact]
    homes = (
        (f"{pictures}/IMG_3001_view.jpg", "", "", "live picture"),
        (f"{documents}/program data.dat", "", "IMG_3002_view.jpg", "renamed to .dat"),
        (f"{pictures}/IMG_3003_view.jpg", DELETED, "", "deleted"),
        (f"{hidden}/00af33d1.thumb", "", "", "in a hidden folder, without a picture's extension"),
    )
    for number, (path, fate, before, note) in zip(exact, homes, strict=False):
        content = known_picture(number).content
        yield DemoFile(VolumeFile(path, content, fate, before), "picture", EXACT, number, note)
    if exact:
        copy = VolumeFile(f"{documents}/copy of a view.jpg", known_picture(exact[0]).content)
        yield DemoFile(copy, "picture", EXACT, exact[0], "a second copy of a picture on this device")
    if variant.exact > 3 and variant.file_system != "ntfs":
        erased = VolumeFile(f"{hidden}/IMG_3005_lost.jpg", known_picture(order[-1]).content, ERASED)
        yield DemoFile(
            erased, "picture", EXACT, order[-1], "deleted, and its content can no longer be read by its name"
        )

    near_homes = (
        (f"{pictures}/received small.jpg", "", "jpg"),
        (f"{pictures}/received bright.webp", DELETED, "webp"),
        (f"{documents}/shopping list.txt", "", "jpg"),
    )
    near = order[variant.exact : variant.exact + variant.near]
    for index, (number, (path, fate, extension)) in enumerate(zip(near, near_homes, strict=False)):
        kind = NEAR_KINDS[(index + 1) % len(NEAR_KINDS)]
        content = encode_picture(near_duplicate(known_picture(number).picture, kind), extension, quality=72)
        note = f"{kind}: other bytes than the listed picture"
        yield DemoFile(VolumeFile(path, content, fate), "picture", PERCEPTUAL, number, note)


def _other_files(variant: Variant, rng: np.random.Generator) -> Iterator[DemoFile]:
    """Files that are no pictures."""
    _pictures, documents, hidden = variant.folders
    text = f"SYNTHETIC DEMO DEVICE: {variant.title}.\nNo real person, place or event.\n"
    sheet = "date,what,amount\n" + "".join(f"2025-02-{day:02d},demo row,{day * 3}\n" for day in range(1, 29))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("readme of the demo.txt", (2025, 2, 1, 12, 0, 0)), text * 40)
    for path, content, fate in (
        (f"{documents}/Notes of the demo.txt", text.encode(), ""),
        (f"{documents}/Häufige Ausgaben.csv", sheet.encode("cp1252"), ""),
        (f"{documents}/old notes gone.txt", ("crossed out\n" * 300).encode(), DELETED),
        (f"{documents}/empty file of the demo.txt", b"", ""),
        (f"{hidden}/backup of the demo.zip", packed.getvalue(), ""),
        (f"{hidden}/random data.bin", rng.bytes(300_000), ""),
    ):
        yield DemoFile(VolumeFile(path, content, fate), "other")
