"""What one base or step of a backup holds. A manifest is readable without a key, and so holds nothing personal."""

from __future__ import annotations

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from safelight.backup.errors import BackupError, NotRestored
from safelight.backup.parts import Part

NAME = re.compile(r"\d{6}\.json")
FORMAT = "safelight-backup-1"


@dataclass(frozen=True)
class LedgerState:
    """The newest seal of the ledger in what was backed up; a ledger without a seal has size 0."""

    tree_size: int
    root: str


@dataclass(frozen=True)
class Manifest:
    """One base (number 0) or step of a chain. ``at``: the moment that it brings back, in UTC."""

    number: int
    at: datetime
    engine: str
    engine_version: str
    version: str
    before: str
    recipients: list[str]
    parts: list[Part]
    ledger: LedgerState | None
    facts: dict[str, int | str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.number:06d}.json"

    def part(self, kind: str) -> Part | None:
        return next((part for part in self.parts if f"-{kind}." in part.name), None)


def write(folder: Path, manifest: Manifest) -> str:
    """Write a manifest, in one move and on the disk, and return its digest.

    Raises:
        BackupError: it cannot be written.
    """
    data = {"format": FORMAT, **asdict(manifest)}
    data["at"] = manifest.at.astimezone(UTC).isoformat()
    text = (json.dumps(data, indent=1, sort_keys=True) + "\n").encode()
    path, new = folder / manifest.name, folder / (manifest.name + ".new")
    try:
        with new.open("wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise BackupError(
            f"{path} cannot be written: {error.strerror}.", fix="Make room or mend the folder."
        ) from error
    return hashlib.sha256(text).hexdigest()


def read(path: Path) -> tuple[Manifest, str]:
    """A manifest and its digest.

    Raises:
        NotRestored: it is missing or no manifest.
    """
    try:
        text = path.read_bytes()
    except OSError as error:
        raise NotRestored(f"{path} cannot be read: {error.strerror}.", fix="Name the folder of a backup.") from error
    try:
        data = json.loads(text)
        if data.pop("format") != FORMAT:
            raise NotRestored(f"{path} was written by another version: it is no {FORMAT}.", fix="Use that version.")
        data["at"] = datetime.fromisoformat(data["at"])
        data["parts"] = [Part(**part) for part in data["parts"]]
        data["ledger"] = LedgerState(**data["ledger"]) if data["ledger"] else None
        manifest = Manifest(**data)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise NotRestored(f"{path} is no manifest of a backup.", fix="Take another copy of this backup.") from error
    if any(part.name != Path(part.name).name or part.name.startswith(".") for part in manifest.parts):
        raise NotRestored(f"{path} names a file outside its folder.", fix="Take another copy of this backup.")
    return manifest, hashlib.sha256(text).hexdigest()


def chain_of(folder: Path) -> list[Manifest]:
    """The base and the steps in a chain's folder, each following from the one before.

    Raises:
        NotRestored: the base or a step in between is missing, or one does not follow from the one before.
    """
    names = sorted(p.name for p in folder.iterdir() if NAME.fullmatch(p.name)) if folder.is_dir() else []
    if not names:
        raise NotRestored(f"{folder} holds no finished backup.", fix="Name the folder of one chain, or of all.")
    found: list[Manifest] = []
    before = ""
    for number, name in enumerate(names):
        if name != f"{number:06d}.json":
            raise NotRestored(f"{folder / f'{number:06d}.json'} is missing.", fix="Take another copy of this backup.")
        manifest, digest = read(folder / name)
        if manifest.number != number or manifest.before != before:
            raise NotRestored(f"{folder / name} does not follow from the one before it.", fix="Take another copy.")
        found.append(manifest)
        before = digest
    return found


def chains_in(folder: Path) -> list[Path]:
    """The folders of the chains below ``folder`` whose base is finished, oldest first."""
    return sorted(path.parent for path in folder.glob("*/000000.json")) if folder.is_dir() else []


def newest_of(folder: Path) -> Manifest | None:
    """The newest base or step below ``folder``, or None: the one call that a health check needs.

    Its ``at`` is the age of the backup. Reads one manifest per chain, and no part.
    """
    newest: Manifest | None = None
    for chain in chains_in(folder):
        last = max(path.name for path in chain.iterdir() if NAME.fullmatch(path.name))
        manifest, _ = read(chain / last)
        if newest is None or manifest.at > newest.at:
            newest = manifest
    return newest
