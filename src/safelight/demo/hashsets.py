"""Hash sets that know some of the demo's own pictures, in the two forms in which forces receive lists.

The pictures are abstract and harmless; a category is given to each only so that the work with categories can be shown.
Every name says SYNTHETIC DEMO SET.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from safelight.demo.pictures import STYLES, encode_picture, make_picture
from safelight.demo.tools import disk_full_is_clear

SET_NAME = "SYNTHETIC DEMO SET"
VICS_FILE = "SYNTHETIC-DEMO-SET.vics2-uk.json"
CSV_FILE = "SYNTHETIC-DEMO-SET.pdq.csv"
VICS_CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata#Media"
CSV_COLUMNS = ("md5", "sha1", "sha256", "pdq", "category", "series", "comment")
LETTERS = {1: "A", 2: "B", 3: "C"}
"""Category number in the demo's VICS set -> letter. A site confirms its own map; this one holds for the demo only."""

KNOWN_COUNT = 18
_KNOWN_SEED = 10_000
_SIZES = ((1280, 960), (1024, 768), (960, 1280), (1600, 1200))


@dataclass(frozen=True)
class KnownPicture:
    """One picture that the demo's hash sets know.

    Attributes:
        number: 0 to 17; its MediaID is one more.
        category: 1, 2 or 3.
        content: the file's bytes as they were 'listed'.
    """

    number: int
    category: int
    content: bytes

    @property
    def letter(self) -> str:
        """A, B or C."""
        return LETTERS[self.category]

    @property
    def picture(self) -> Image.Image:
        """The decoded picture, from which near-duplicates are made."""
        return Image.open(io.BytesIO(self.content)).convert("RGB")


@dataclass(frozen=True)
class HashSets:
    """The files that :func:`write_hash_sets` wrote.

    Attributes:
        vics: VICS 2.0 JSON, UK context: MD5, SHA-1, category numbers.
        csv: MD5, SHA-1, SHA-256, PDQ and category letters.
        entries: pictures that each of them knows.
    """

    vics: Path
    csv: Path
    entries: int


@functools.cache
def known_picture(number: int) -> KnownPicture:
    """The known picture of that number (0 to :data:`KNOWN_COUNT` - 1); the same bytes each time."""
    picture = make_picture(_KNOWN_SEED + number, _SIZES[number % len(_SIZES)], STYLES[number % len(STYLES)])
    return KnownPicture(number, number % 3 + 1, encode_picture(picture, "jpg", quality=90))


def write_hash_sets(folder: Path) -> HashSets:
    """Write the VICS 2.0 JSON set and the CSV list into ``folder``.

    PDQ is only in the CSV list: VICS has no agreed field for it. A demo that shows perceptual matches imports both.

    Raises:
        SafelightError: the disk is full.
        OSError: the folder cannot be written.
    """
    from safelight.matching.pdq import pdq

    folder.mkdir(parents=True, exist_ok=True)
    media, rows = [], []
    for number in range(KNOWN_COUNT):
        known = known_picture(number)
        md5 = hashlib.md5(known.content, usedforsecurity=False).hexdigest()
        sha1 = hashlib.sha1(known.content, usedforsecurity=False).hexdigest()
        comment = "An abstract picture made by Safelight; its category is made up."
        media.append(
            {
                "MediaID": number + 1,
                "Category": known.category,
                "MD5": md5.upper(),
                "SHA1": sha1.upper(),
                "MediaSize": len(known.content),
                "MimeType": "image/jpeg",
                "VictimIdentified": False,
                "OffenderIdentified": False,
                "IsDistributed": False,
                "IsPrecategorized": True,
                "PrecategorizationSource": SET_NAME,
                "Series": SET_NAME,
                "Comments": comment,
            }
        )
        code = pdq(np.asarray(known.picture)).hex
        sha256 = hashlib.sha256(known.content).hexdigest()
        rows.append((md5, sha1, sha256, code, known.letter, SET_NAME, comment))
    sets = HashSets(folder / VICS_FILE, folder / CSV_FILE, KNOWN_COUNT)
    with disk_full_is_clear(folder):
        sets.vics.write_text(json.dumps({"@odata.context": VICS_CONTEXT, "value": media}, indent=1), encoding="utf-8")
        with sets.csv.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(CSV_COLUMNS)
            writer.writerows(rows)
    return sets


def write_block_set(path: Path) -> None:
    """The blocks of the known pictures, for first answers of the demo."""
    from safelight.triage.blocks import build_block_set

    with tempfile.TemporaryDirectory(prefix="safelight-demo-") as folder:
        files = []
        for number in range(KNOWN_COUNT):
            known = known_picture(number)
            place = Path(folder) / f"{number:02d}.jpg"
            place.write_bytes(known.content)
            files.append((place, known.letter))
        build_block_set(files, path, name=f"{SET_NAME} (blocks)", version="demo-1")
