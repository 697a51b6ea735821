"""The trials: each holds what triage says against a truth that was known before, or against an independent tool."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from safelight.demo.filesystems import DELETED, ERASED, VolumeFile, write_volume
from safelight.demo.pictures import encode_picture, make_picture
from safelight.matching import HashSet, HashSetEntry
from safelight.matching.pdq import pdq
from safelight.triage import TriageSettings, triage_device
from safelight.triage.chance import chance_to_miss, places_needed
from safelight.triage.model import FileRecord
from safelight.triage.result import TriageResult

FILE_SYSTEMS = ("fat32", "ext4", "ntfs")
SERIALS = {"fat32": "1234ABCD", "ext4": "12345678-1234-4234-8234-123456789abc", "ntfs": "1234567890ABCDEF"}
THRESHOLD, QUALITY = 31, 50


@dataclass(frozen=True)
class Size:
    """How much is tried. ``files`` on each file system, ``pictures`` for likeness, ``devices`` sampled."""

    name: str
    files: int
    pictures: int
    devices: int
    entries: int


SIZES = {
    "small": Size("small", 30, 12, 200, 2_000),
    "full": Size("full", 600, 300, 20_000, 200_000),
}


@dataclass
class Measure:
    """k of n: cases that went as they must (or, for an error rate, that went wrong), with its exact interval."""

    what: str
    k: int
    n: int
    error: bool = False
    note: str = ""

    def row(self) -> dict[str, Any]:
        from safelight.measures.intervals import clopper_pearson

        if not self.n:
            return {"what": self.what, "k": 0, "n": 0, "error": self.error, "note": f"Not tried. {self.note}".strip()}
        found = clopper_pearson(self.k, self.n)
        return {
            "what": self.what, "k": self.k, "n": self.n, "share": round(found.estimate, 6), "low": round(found.low, 6),
            "high": round(found.high, 6), "error": self.error, "note": self.note,
        }  # fmt: skip


@dataclass
class Trial:
    """One function of triage: how it was tried, on what, with which result."""

    name: str
    method: str
    against: str
    measures: list[Measure] = field(default_factory=list)
    data: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name, "method": self.method, "against": self.against, "data": self.data,
            "measures": [measure.row() for measure in self.measures],
        }  # fmt: skip


@dataclass(frozen=True)
class Made:
    """A device whose content is known."""

    image: Path
    files: list[VolumeFile]


def make_device(folder: Path, kind: str, count: int, seed: int) -> Made:
    """A volume with ``count`` files of random bytes, every tenth deleted, every twentieth erased where that is "
    "possible."""
    rng = np.random.default_rng(seed)
    files = []
    for number in range(count):
        fate = ERASED if kind == "ext4" and number % 20 == 7 else DELETED if kind != "ext4" and number % 10 == 3 else ""
        body = rng.bytes(int(rng.integers(600, 30_000)))
        files.append(VolumeFile(f"F{number // 50:02d}/N{number:05d}.BIN", body, fate))
    size = max(40 << 20, sum(len(f.content) for f in files) * 3)
    image = folder / f"{kind}.img"
    staging = folder / f"{kind}-staging"
    staging.mkdir()
    write_volume(image, kind, files, size=size, label="TRIAL", serial=SERIALS[kind], staging=staging)
    return Made(image, files)


def run(image: Path, sets: Iterable[HashSet], **settings: Any) -> tuple[TriageResult, list[FileRecord]]:
    """One triage run as the command makes it, with the record of every file."""
    records: list[FileRecord] = []
    asked = TriageSettings(**{"pictures": False, "videos": False, "hash_image": False, "sha256": True} | settings)
    result = triage_device([image], hash_sets=list(sets), settings=asked, operator="Validation", on_file=records.append)
    return result, records


def known(bodies: Iterable[bytes]) -> HashSet:
    """A list of these files by MD5."""
    entries = [HashSetEntry(category="A", md5=hashlib.md5(body).digest()) for body in bodies]
    return HashSet.from_entries(entries, name="validation", kind="known")


def own_files(records: Iterable[FileRecord]) -> Iterator[FileRecord]:
    """Those of the person, not the file system's own."""
    for record in records:
        if record.entry.path.rsplit("/", 1)[-1].startswith("N") and record.entry.path.endswith(".BIN"):
            yield record


def devices(work: Path, size: Size) -> list[Trial]:
    """Listing, digests, deleted files and the look-up in lists, on three file systems."""
    listing = Trial(
        "Listing of files", "Each volume is triaged; the paths of its live files are compared with those of `fls -r "
        "-p`.",
        "The Sleuth Kit (fls), and the list of what was written",
    )  # fmt: skip
    digests = Trial(
        "Digests", "MD5, SHA-1 and SHA-256 of every live file are compared with those of hashdeep over the files as "
        "they "
        "were before they were written to the volume.", "hashdeep",
    )  # fmt: skip
    deleted = Trial(
        "Deleted files", "Files are deleted with the file system's own tools (NTFS, FAT32: content recoverable; "
        "ext4: the "
        "kernel forgets the places, so that only a search of free space can find them). A file counts as recovered "
        "when "
        "its SHA-256 is that of what was deleted.", "What was written",
    )  # fmt: skip
    lookup = Trial(
        "Look-up in a list", "Half of the files of each volume are on a list. A listed file that is live or "
        "recoverable "
        "must be a finding; no other file may be one.", "What was written",
    )  # fmt: skip
    for seed, kind in enumerate(FILE_SYSTEMS):
        made = make_device(work, kind, size.files, 100 + seed)
        listed = [f.content for f in made.files[::2]]
        result, records = run(made.image, [known(listed)])
        live = {f.path: f.content for f in made.files if not f.fate}
        mine = list(own_files(records))
        seen = {r.entry.path.lstrip("/"): r for r in mine if r.entry.allocated}
        theirs = {path for path in fls(made.image) if path.endswith(".BIN")}
        listing.measures += [
            Measure(f"{kind}: live files that were written and are listed", len(live.keys() & seen.keys()), len(live)),
            Measure(f"{kind}: files that fls lists and triage lists too", len(theirs & seen.keys()), len(theirs)),
            Measure(f"{kind}: files listed that are not there", len(seen.keys() - live.keys()), len(seen), True),
        ]  # fmt: skip
        told = hashdeep(work / f"{kind}-files", live)
        right = sum((r.md5, r.sha1, r.sha256) == told.get(path) for path, r in seen.items() if path in told)
        digests.measures.append(Measure(f"{kind}: files with all three digests the same", right, len(told)))
        gone = [f for f in made.files if f.fate]
        found = {r.sha256 for r in records if not r.entry.allocated and r.complete}
        back = sum(hashlib.sha256(f.content).hexdigest() in found for f in gone)
        note = "expected to be none: see the method" if kind == "ext4" else ""
        deleted.measures.append(Measure(f"{kind}: deleted files recovered whole", back, len(gone), note=note))
        reachable = {hashlib.md5(f.content).hexdigest() for f in made.files[::2] if f.fate != ERASED}
        hits = {f.md5 for f in result.findings}
        others = {hashlib.md5(f.content).hexdigest() for f in made.files[1::2]}
        lookup.measures += [
            Measure(f"{kind}: listed files that are findings", len(reachable & hits), len(reachable)),
            Measure(f"{kind}: files that are on no list and are findings", len(others & hits), len(others), True),
        ]
        for trial in (listing, digests, deleted, lookup):
            trial.data[f"content of {kind}, seed {100 + seed}"] = digest_of(
                f.path.encode() + f.content for f in made.files
            )
    return [listing, digests, deleted, lookup]


def fls(image: Path) -> set[str]:
    """Live files as The Sleuth Kit lists them."""
    said = subprocess.run(
        ["fls", "-r", "-p", "-u", "-F", str(image)], capture_output=True, text=True, check=True
    ).stdout
    return {line.split(":", 1)[1].strip() for line in said.splitlines() if line.startswith("r/r") and ":" in line}


def hashdeep(folder: Path, files: dict[str, bytes]) -> dict[str, tuple[str, str, str]]:
    """(MD5, SHA-1, SHA-256) by path."""
    for path, body in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
    said = subprocess.run(
        ["hashdeep", "-c", "md5,sha1,sha256", "-r", "-l", "."], cwd=folder, capture_output=True, text=True, check=True
    ).stdout
    rows = [line.split(",", 4) for line in said.splitlines() if line and line[0] not in "%#"]
    return {row[4].removeprefix("./"): (row[1], row[2], row[3]) for row in rows}


def carving(work: Path, size: Size) -> Trial:
    """Pictures whose file system has forgotten them."""
    trial = Trial(
        "Carving", "Pictures are erased from an ext4 volume, which forgets where they lay; free space is searched "
        "for whole "
        "pictures in one piece. One counts as found when its SHA-256 is that of what was erased.", "What was written",
    )  # fmt: skip
    count = max(4, size.pictures // 4)
    files = [
        VolumeFile(f"P{n:04d}.JPG", encode_picture(make_picture(5_000 + n, (320, 240))), ERASED if n % 2 else "")
        for n in range(count)
    ]
    image, staging = work / "carve.img", work / "carve-staging"
    staging.mkdir()
    write_volume(image, "ext4", files, size=40 << 20, label="TRIAL", serial=SERIALS["ext4"], staging=staging)
    gone = [f for f in files if f.fate]
    _, records = run(image, [known([b"nothing like it"])], carve=True)
    carved = [r for r in records if r.entry.origin == "carved"]
    wanted = {hashlib.sha256(f.content).hexdigest() for f in gone}
    whole = {hashlib.sha256(f.content).hexdigest() for f in files}
    trial.measures = [
        Measure("erased pictures found whole", len(wanted & {r.sha256 for r in carved}), len(wanted)),
        Measure(
            "carved files that are no picture of ours", sum(r.sha256 not in whole for r in carved), len(carved), True
        ),
    ]
    trial.data["pictures, seeds 5000 and on"] = digest_of(f.content for f in files)
    return trial


def _again(picture: Image.Image, quality: int) -> Image.Image:
    import io

    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return Image.open(io.BytesIO(out.getvalue())).convert("RGB")


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "saved again, JPEG 50": lambda p: _again(p, 50),
    "half the size": lambda p: p.resize((p.width // 2, p.height // 2)),
    "brighter by half": lambda p: ImageEnhance.Brightness(p).enhance(1.5),
    "grey": lambda p: p.convert("L").convert("RGB"),
    "a tenth cut off": lambda p: p.crop(
        (p.width // 20, p.height // 20, p.width - p.width // 20, p.height - p.height // 20)
    ),
    "mirrored": ImageOps.mirror,
}


def likeness(size: Size) -> Trial:
    """PDQ at the threshold that triage uses."""
    trial = Trial(
        "Likeness of pictures (PDQ)", f"Synthetic pictures are changed; a changed one is matched when its distance "
        "is at most "
        f"{THRESHOLD} of 256 and both have a quality of {QUALITY} or more. Pictures below that quality are not "
        f"matched at all "
        "and are counted apart. Every pair of different pictures is tried for a false match. Plain PDQ, without the "
        "turned "
        "and trimmed forms that a run can add.", "What was changed",
    )  # fmt: skip
    pictures = [make_picture(9_000 + n, (512, 384)) for n in range(size.pictures)]
    codes = [pdq(np.asarray(p)) for p in pictures]
    good = [n for n, code in enumerate(codes) if code.quality >= QUALITY]
    for name, change in CHANGES.items():
        changed = {n: pdq(np.asarray(change(pictures[n]).convert("RGB"))) for n in good}
        fit = {n: code for n, code in changed.items() if code.quality >= QUALITY}
        found = sum(distance(codes[n].code, code.code) <= THRESHOLD for n, code in fit.items())
        trial.measures.append(Measure(f"{name}: matched", found, len(fit)))
    pairs = list(combinations(good, 2))
    wrong = sum(distance(codes[a].code, codes[b].code) <= THRESHOLD for a, b in pairs)
    trial.measures.append(Measure("pairs of different pictures that match", wrong, len(pairs), True))
    trial.measures.append(
        Measure("pictures below the quality, never matched", len(codes) - len(good), len(codes), True)
    )
    trial.data["pictures, seeds 9000 and on"] = digest_of(np.asarray(p).tobytes() for p in pictures)
    return trial


def distance(one: bytes, other: bytes) -> int:
    """Bits that differ."""
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).bit_count()


def first_answer(size: Size) -> Trial:
    """Whether the stated probability is kept."""
    population, held, stated = 50_000, 250, 0.95
    drawn = places_needed(population, held, stated)
    exact = 1 - chance_to_miss(population, held, drawn)
    trial = Trial(
        "Probability of a first answer", f"Devices of {population:,} places with {held} known ones at random; as "
        "many are drawn "
        f"as the rule asks for {stated:.0%} ({drawn:,}). The share of devices of which a known place was met must "
        f"have the "
        f"stated probability ({exact:.4f}) in its interval.", "The exact hypergeometric chance",
    )  # fmt: skip
    rng = np.random.default_rng(7)
    met = sum(int(rng.hypergeometric(held, population - held, drawn)) > 0 for _ in range(size.devices))
    trial.measures = [Measure("devices of which a known place was met", met, size.devices, note=f"stated: {exact:.4f}")]
    trial.data["seed"] = "7"
    return trial


def long_list(size: Size) -> Trial:
    """A list of many entries: no listed digest missed, no other found."""
    trial = Trial(
        "Look-up in a long list", f"A list of {size.entries:,} random digests; a fifth of them and as many others "
        "are looked up.",
        "What was put in",
    )  # fmt: skip
    rng = np.random.default_rng(11)
    digests = [rng.bytes(16) for _ in range(size.entries)]
    made = HashSet.from_entries([HashSetEntry(category="A", md5=d) for d in digests], name="long", kind="known")
    inside, outside = digests[::5], [rng.bytes(16) for _ in digests[::5]]
    index = made.digest_index("md5")
    hit = [bool(index.lookup(digest)) for digest in inside]
    wrong = [bool(index.lookup(digest)) for digest in outside]
    trial.measures = [
        Measure("listed digests found", sum(hit), len(hit)),
        Measure("other digests found", sum(wrong), len(wrong), True),
    ]
    trial.data["digests, seed 11"] = digest_of(digests)
    return trial


def digest_of(pieces: Iterable[bytes]) -> str:
    """SHA-256 over all pieces, each with its length."""
    made = hashlib.sha256()
    for piece in pieces:
        made.update(len(piece).to_bytes(8, "big") + piece)
    return made.hexdigest()
