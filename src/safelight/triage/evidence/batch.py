"""Several devices named at once: paths, sets of parts, and folders full of images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from safelight.errors import EvidenceError
from safelight.triage.evidence.detect import expand_parts

_IMAGE = re.compile(
    r"\.(001|00001|aff4|dd|dmg|e01|ex01|img|iso|qcow2?|raw|s01|vhdx?|vmdk)\Z", re.IGNORECASE
)  # fmt: skip
_PART = re.compile(r"\.(\d{3,5}|[es]x?\d\d|[es][a-z]{2})\Z", re.IGNORECASE)
_NOTE = re.compile(r"(\.(txt|log|csv|md|pdf|json|xml|html|md5|sha1|sha256|info)|SHA256SUMS|MD5SUMS)\Z", re.IGNORECASE)


def images_in(folder: Path) -> list[Path] | None:
    """The images that lie in a folder of images; None for a folder of the files of one device.

    A folder of images holds images, further parts of them and notes beside them, and nothing else.

    Raises:
        EvidenceError: it holds images and other things, so that it cannot be told which is meant; or it cannot be
            listed.
    """
    try:
        inside = sorted(p for p in folder.iterdir() if not p.name.startswith("."))
    except OSError as error:
        raise EvidenceError(f"{folder} cannot be listed: {error.strerror}.", fix="Check its permissions.") from None
    images = [p for p in inside if p.is_file() and _IMAGE.search(p.name)]
    if not images:
        return None
    others = [
        p for p in inside if p not in images and (p.is_dir() or not (_PART.search(p.name) or _NOTE.search(p.name)))
    ]
    if others:
        raise EvidenceError(
            f"{folder} holds {len(images)} that look like images and {len(others)} other entries ({others[0].name}, "
            "for one): it cannot be told whether it is a folder of images or the files of one device.",
            fix="Say which with --folder images or --folder device.",
        )
    return images


def devices_of(paths: Sequence[Path], *, folder: str = "") -> list[Path]:
    """One path for each device.

    Further parts of a set that a wildcard named too are no devices of their own.

    Args:
        paths: images, folders of files, folders of images.
        folder: `images` or `device`: what a folder is taken for; told by its content when left out.

    Raises:
        EvidenceError: what a folder is cannot be told, or a folder of images holds none.
    """
    named: list[Path] = []
    for path in paths:
        found: list[Path] | None = None
        if path.is_dir() and folder == "images":
            found = sorted(p for p in path.iterdir() if p.is_file() and _IMAGE.search(p.name))
            if not found:
                raise EvidenceError(f"There is no image in {path}.", fix="Name the images one by one.")
        elif path.is_dir() and folder != "device":
            found = images_in(path)
        named += [path] if found is None else found
    taken: set[Path] = set()
    for path in named:
        taken.update(p.absolute() for p in expand_parts(path)[1:])
    return [path for path in dict.fromkeys(named) if path.absolute() not in taken]
