"""A witness: remembers how far a log had come, and cosigns only what continues it (C2SP tlog-witness).

It has its own key and its own folder, and no way to the log's database. Whoever rewrites the log afterwards, with every
hash recomputed, cannot rewrite what the witness has signed and kept.
"""

from __future__ import annotations

import base64
import fcntl
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from safelight.tlog.errors import Refused, WitnessError
from safelight.tlog.merkle import EMPTY_ROOT, verify_consistency
from safelight.tlog.notes import COSIGNATURE, ED25519, Note, Signer, VerifierKey

logger = logging.getLogger(__name__)
_OLD = re.compile(r"old (0|[1-9][0-9]{0,17})")
_PART = re.compile(r"^=\n", re.MULTILINE)  # between the notes of a book, and before the first
MOST_PROOF_LINES = 63


class Witness:
    """One witness with its folder.

    ``key`` is the private key; ``logs`` holds the verifier keys of the logs it serves, one a line; ``ORIGIN.notes``
    (the origin as SHA-256) every checkpoint it cosigned, in order: its book; ``alerts`` what it refused.

    Args:
        folder: exists, and belongs to the witness alone.
        name: as it signs.

    Raises:
        WitnessError: the key or the list of logs is damaged.
    """

    def __init__(self, folder: Path, name: str) -> None:
        self.folder = folder
        self.signer = Signer.kept_at(folder / "key", name, COSIGNATURE)
        self.logs: dict[str, VerifierKey] = {}
        listed = folder / "logs"
        for line in listed.read_text(encoding="utf-8").splitlines() if listed.exists() else []:
            if line.strip():
                key = VerifierKey.read(line)
                self.logs[key.name] = key

    def add_log(self, key: VerifierKey) -> None:
        """Serve one more log.

        Raises:
            WitnessError: it is no log's key, or that log is known with another one.
        """
        if key.kind != ED25519:
            raise WitnessError(f"{key.name} is the key of a witness, not of a log.")
        if self.logs.setdefault(key.name, key) != key:
            raise WitnessError(
                f"The log {key.name} is known with another key.",
                fix="If the log really has a new key, write down why and take the old line out of the file logs.",
            )
        _write(self.folder / "logs", "".join(f"{one}\n" for one in self.logs.values()))

    def book(self, origin: str) -> Path:
        """Where the checkpoints of a log are kept."""
        return self.folder / f"{sha256(origin.encode()).hexdigest()}.notes"

    def latest(self, origin: str) -> Note | None:
        """The last checkpoint it cosigned for a log."""
        path = self.book(origin)
        if not path.exists():
            return None
        # The book grows for years; its last note is within its last bytes.
        with path.open("rb") as handle:
            handle.seek(max(0, path.stat().st_size - 16_384))
            tail = handle.read().decode(errors="ignore")
        notes = [one for one in _PART.split(tail)[1:] if one.strip()]
        if not notes:
            raise WitnessError(f"The book {path} is damaged.", fix="Restore it from its backup.")
        return Note.read(notes[-1])

    def add_checkpoint(self, body: str) -> str:
        """Answer an ``add-checkpoint`` request: the cosignature line.

        Raises:
            Refused: it does not continue what was seen; ``status`` is the protocol's.
        """
        old, proof, note = _request(body)
        checkpoint = note.checkpoint
        key = self.logs.get(checkpoint.origin)
        if key is None:
            raise Refused(f"The log {checkpoint.origin!r} is not known here.", status=404)
        if note.verified(key) is None:
            raise Refused(f"The checkpoint is not signed with the key of {checkpoint.origin}.", status=403)
        if old > checkpoint.size:
            raise Refused(f"The old size {old} is above the size {checkpoint.size}.", status=400)
        with self._alone():
            seen = self.latest(checkpoint.origin)
            seen_size, seen_root = (seen.checkpoint.size, seen.checkpoint.root) if seen else (0, EMPTY_ROOT)
            if old != seen_size:
                if checkpoint.size < seen_size:
                    self._alert(note, f"it has {checkpoint.size} entries, and {seen_size} were seen")
                raise Refused(f"{seen_size} entries were seen, not {old}.", status=409, size=seen_size)
            if old == checkpoint.size and checkpoint.root != seen_root:
                self._alert(note, f"another root over the same {old} entries")
                raise Refused(f"Over {old} entries another root was seen.", status=409, size=seen_size)
            if old == 0:
                holds = not proof
            else:
                holds = verify_consistency(old, checkpoint.size, seen_root, checkpoint.root, proof)
            if not holds:
                self._alert(note, f"it does not continue the {old} entries that were seen")
                raise Refused(f"The checkpoint does not continue the {old} entries that were seen.", status=422)
            line = self.signer.sign(checkpoint.text)
            if seen is None or old != checkpoint.size:
                own = "".join(
                    f"— {name} {base64.b64encode(raw).decode()}\n" for name, raw in note.signatures if name == key.name
                )
                _append(self.book(checkpoint.origin), f"{checkpoint.text.decode()}\n{own}{line}=\n", begin="=\n")
        return line

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def _alert(self, note: Note, why: str) -> None:
        logger.error("Refused a checkpoint of %s: %s.", note.checkpoint.origin, why)
        signed = "".join(f"— {name} {base64.b64encode(raw).decode()}\n" for name, raw in note.signatures)
        _append(self.folder / "alerts", f"# refused: {why}\n{note.checkpoint.text.decode()}\n{signed}=\n")


def _request(body: str) -> tuple[int, list[bytes], Note]:
    head, parted, text = body.partition("\n\n")
    first, *lines = head.split("\n")
    found = _OLD.fullmatch(first)
    if found is None or not parted or len(lines) > MOST_PROOF_LINES:
        raise Refused("The request is malformed: it needs 'old SIZE', proof lines, an empty line, a note.", status=400)
    try:
        proof = [base64.b64decode(line, validate=True) for line in lines]
        note = Note.read(text)
    except (ValueError, WitnessError) as error:
        raise Refused(f"The request is malformed: {error}", status=400) from error
    if any(len(one) != 32 for one in proof):
        raise Refused("A line of the proof is not 32 bytes.", status=400)
    return int(found[1]), proof, note


def _append(path: Path, text: str, *, begin: str = "") -> None:
    with path.open("a", encoding="utf-8") as handle:
        if begin and not handle.tell():
            handle.write(begin)
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def _write(path: Path, text: str) -> None:
    new = path.with_suffix(".new")
    with new.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    new.replace(path)
