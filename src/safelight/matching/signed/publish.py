"""Handing out lists: what changes is staged, every holder signs it in turn, and with enough signatures it is published.

::

    metadata/   N.root.json  timestamp.json  N.snapshot.json  N.targets.json    what is published
    targets/    <sha256>.<name>                                                 the lists
    staged/     root.json  timestamp.json  snapshot.json  targets.json          what waits for signatures

Holders may sit apart: the folder is passed on, each runs `sign` with a key that never leaves its owner.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import MatchingError
from safelight.matching.entry import KINDS
from safelight.matching.hashtext import excerpt

if TYPE_CHECKING:
    from securesystemslib.signer import CryptoSigner, SSlibKey
    from tuf.api.metadata import Metadata

_ROLES = ("root", "targets", "snapshot", "timestamp")
#: After so many days without a newer timestamp, whoever fetches is told that lists are being held back.
FRESH_DAYS = 31
_LONG_DAYS = 730
_PIECE = 1 << 20


@dataclass(frozen=True, slots=True)
class Listed:
    """A list to hand out.

    Attributes:
        path: the file, in any format that `read_hash_set` reads.
        name: what the set is called; a new version of the same name takes the old one's place.
        version: as its publisher names it.
        kind: known, known-good or common; it is signed too, so that nobody can turn one into another.
    """

    path: Path
    name: str
    version: str
    kind: str = "known"


@dataclass(frozen=True, slots=True)
class Signing:
    """Where a staged publication stands: how many holders signed, how many must, and whether it is out.

    Of the files that wait, the one with the fewest signatures counts.
    """

    signed: int
    needed: int
    published: bool


def stage(
    folder: Path,
    *,
    holders: Sequence[SSlibKey] = (),
    threshold: int = 0,
    add: Sequence[Listed] = (),
    remove: Sequence[str] = (),
    fresh_days: int = FRESH_DAYS,
) -> None:
    """Stage a publication; nothing is public before enough holders have signed it.

    Args:
        holders: the public keys that may sign, needed for the first publication and to change who may sign.
        threshold: how many of them must; at least 2, so that no one person can publish alone.
        add: lists to add, or to put in the place of the same name. remove: names to withdraw.

    Raises:
        MatchingError: too few holders or too low a threshold, a list that is missing, or a name that is not published.
    """
    from tuf.api.metadata import Metadata, Snapshot, TargetFile, Targets, Timestamp
    from tuf.api.serialization import DeserializationError

    try:
        old = published(folder)
        root = _next_root(old.get("root"), holders, threshold)
        targets = Metadata(Targets())
        if "targets" in old:
            targets.signed.targets = old["targets"].signed.targets
            targets.signed.version = old["targets"].signed.version + 1
        gone = set(remove) | {one.name for one in add}
        present = {file.unrecognized_fields.get("custom", {}).get("name") for file in targets.signed.targets.values()}
        if unknown := set(remove) - present:
            raise MatchingError(f"No list is published as {', '.join(sorted(unknown))}.", fix="Check the name.")
        targets.signed.targets = {
            path: file
            for path, file in targets.signed.targets.items()
            if file.unrecognized_fields.get("custom", {}).get("name") not in gone
        }
        for one in add:
            path, info = _put(folder, one)
            targets.signed.targets[path] = TargetFile.from_dict(info, path)
        snapshot, timestamp = Metadata(Snapshot()), Metadata(Timestamp())
        if old:
            snapshot.signed.version = old["snapshot"].signed.version + 1
            timestamp.signed.version = old["timestamp"].signed.version + 1
        snapshot.signed.meta["targets.json"].version = targets.signed.version
        timestamp.signed.snapshot_meta.version = snapshot.signed.version
        now = datetime.now(UTC).replace(microsecond=0)
        everything: tuple[Metadata[Any], ...] = (root, targets, snapshot, timestamp)
        for made in everything[:3]:
            made.signed.expires = now + timedelta(days=_LONG_DAYS)
        timestamp.signed.expires = now + timedelta(days=fresh_days)
        staged = folder / "staged"
        shutil.rmtree(staged, ignore_errors=True)
        staged.mkdir(parents=True)
        for name, made in zip(_ROLES, everything, strict=True):
            if name == "root" and "root" in old and made.signed.version == old["root"].signed.version:
                continue
            made.to_file(str(staged / f"{name}.json"))
    except OSError as error:
        raise MatchingError(f"{folder} cannot be written: {error.strerror}.", fix="Choose another folder.") from error
    except DeserializationError as error:
        raise MatchingError(f"The metadata in {folder} is damaged.", fix="Restore it from a backup.") from error


def published(folder: Path) -> dict[str, Metadata[Any]]:
    """The newest published metadata of each role; empty before the first publication.

    Raises:
        DeserializationError: a file is damaged.
    """
    from tuf.api.metadata import Metadata

    found: dict[str, Metadata[Any]] = {}
    place = folder / "metadata"
    if not (place / "timestamp.json").is_file():
        return found
    found["timestamp"] = Metadata.from_file(str(place / "timestamp.json"))
    for role in ("root", "targets", "snapshot"):
        numbers = [int(path.name.split(".")[0]) for path in place.glob(f"*.{role}.json")]
        found[role] = Metadata.from_file(str(place / f"{max(numbers)}.{role}.json"))
    return found


def _next_root(old: Metadata[Any] | None, holders: Sequence[SSlibKey], threshold: int) -> Metadata[Any]:
    from tuf.api.metadata import Metadata, Root

    if old is not None and not holders and not threshold:
        return old
    if not 2 <= threshold <= len({key.keyid for key in holders}):
        raise MatchingError(
            f"{threshold} of {len(holders)} holders are to sign; at least 2 must, and no more than there are.",
            fix="Name at least two different holders, and how many of them must sign.",
        )
    root = Metadata(Root(consistent_snapshot=True))
    root.signed.version = old.signed.version + 1 if old is not None else 1
    for role in _ROLES:
        for key in holders:
            root.signed.add_key(key, role)
        root.signed.roles[role].threshold = threshold
    return root


def _put(folder: Path, one: Listed) -> tuple[str, dict[str, Any]]:
    """Copy a list to where it is handed out from; its path and what is signed about it."""
    if one.kind not in KINDS:
        raise MatchingError(f"No kind of hash set is called {excerpt(one.kind)!r}.", fix=f"Use {', '.join(KINDS)}.")
    if not one.path.is_file():
        raise MatchingError(f"{one.path} is not a file.", fix="Give the path of a list.")
    digest, length = hashlib.sha256(), 0
    with one.path.open("rb") as file:
        while block := file.read(_PIECE):
            digest.update(block)
            length += len(block)
    name = (
        "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in one.path.name).lstrip(".") or "list"
    )
    place = folder / "targets" / f"{digest.hexdigest()}.{name}"
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(one.path, place)
    custom = {"name": one.name, "version": one.version, "kind": one.kind}
    return name, {"length": length, "hashes": {"sha256": digest.hexdigest()}, "custom": custom}


def sign(folder: Path, signer: CryptoSigner) -> Signing:
    """Add one holder's signature to what is staged; publish it once there are enough.

    Raises:
        MatchingError: nothing is staged, or the key is no holder's.
    """
    from tuf.api.metadata import Metadata
    from tuf.api.serialization import DeserializationError

    staged = folder / "staged"
    try:
        files = {role: staged / f"{role}.json" for role in _ROLES if (staged / f"{role}.json").is_file()}
        if not files:
            raise MatchingError(f"Nothing waits for signatures in {folder}.", fix="Add a list first: --add LIST.")
        made = {role: Metadata.from_file(str(path)) for role, path in files.items()}
        old = published(folder).get("root")
        root = made.get("root", old)
        if root is None:
            raise MatchingError(f"{folder} has no root.", fix="Set up the publication first, with its holders.")
        holders = set(root.signed.roles["root"].keyids) | (set(old.signed.roles["root"].keyids) if old else set())
        if signer.public_key.keyid not in holders:
            raise MatchingError("This key is no holder's of this publication.", fix="Sign with a holder's key.")
        for role, metadata in made.items():
            metadata.sign(signer, append=True)
            metadata.to_file(str(files[role]))
        standing = _standing(made, root, old)
        if standing.published:
            _publish(folder, made)
    except OSError as error:
        raise MatchingError(f"{folder} cannot be written: {error.strerror}.", fix="Choose another folder.") from error
    except DeserializationError as error:
        raise MatchingError(f"The metadata in {folder} is damaged.", fix="Stage the publication again.") from error
    return standing


def _standing(made: dict[str, Metadata[Any]], root: Metadata[Any], old: Metadata[Any] | None) -> Signing:
    judges = [root] if old is None or "root" not in made else [root, old]  # a new root needs the old holders too
    results = [
        root.signed.get_verification_result(role, made[role].signed_bytes, made[role].signatures) for role in made
    ]
    if "root" in made:
        results += [
            judge.signed.get_verification_result("root", made["root"].signed_bytes, made["root"].signatures)
            for judge in judges[1:]
        ]
    fewest = min(results, key=lambda result: len(result.signed) - result.threshold)
    return Signing(len(fewest.signed), fewest.threshold, all(result.verified for result in results))


def _publish(folder: Path, made: dict[str, Metadata[Any]]) -> None:
    """Put the files out, the timestamp last: until then whoever fetches sees the old publication whole."""
    place = folder / "metadata"
    place.mkdir(parents=True, exist_ok=True)
    for role in _ROLES:
        if role not in made:
            continue
        name = "timestamp.json" if role == "timestamp" else f"{made[role].signed.version}.{role}.json"
        partial = place / f".{name}.partial"
        shutil.copyfile(folder / "staged" / f"{role}.json", partial)
        partial.replace(place / name)
    shutil.rmtree(folder / "staged")


def fingerprint(root: bytes) -> str:
    """What two people compare over the telephone before a publisher is trusted: SHA-256 of the root file, in groups.

    Raises:
        MatchingError: not a root file.
    """
    try:
        if json.loads(root)["signed"]["_type"] != "root":
            raise ValueError
    except (ValueError, KeyError, TypeError) as error:
        raise MatchingError("This is not the root of a publication.", fix="Give its file 1.root.json.") from error
    digest = hashlib.sha256(root).hexdigest()
    return " ".join(digest[at : at + 8] for at in range(0, 64, 8))
