"""Writing a chain: a base, then steps, each read back before it counts."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import pyrage

from safelight.backup import folders, manifest
from safelight.backup.errors import BackupError
from safelight.backup.manifest import LedgerState, Manifest
from safelight.backup.parts import Part, read_part, recipients_of, write_part
from safelight.backup.proof import Prove
from safelight.backup.restoring import Restored, restore
from safelight.backup.state import VERIFIED


class Source(Protocol):
    """A database that can be backed up: :class:`.sqlite_source.SQLiteSource`, :class:`.postgres_source.PostgresSource`.

    ``Seen`` and ``Place`` are its own: the moment of a base, and how far a chain has come.
    """

    engine: str

    def version(self) -> str: ...
    def facts(self) -> dict[str, int | str]: ...
    def begin(self) -> tuple[Any, Any]: ...
    def base(self, seen: Any, scratch: Path) -> Iterable[bytes]: ...
    def ledger(self, seen: Any = None) -> LedgerState | None: ...
    def step(self, at: Any) -> tuple[Iterable[bytes] | None, Any]: ...
    def begin_anew_if_large(self, at: Any) -> tuple[Iterable[bytes] | None, Any]: ...


@dataclass(frozen=True)
class Aim:
    """What is backed up and where to.

    Args:
        data: the data folder (SAFELIGHT_DATA).
        leave_out: what below it is not backed up: the database itself, forensic images, static files.
        folder: where chains are written; another disk or machine.
        recipients: public keys of those who may restore.
        version: of Safelight.
    """

    data: Path
    leave_out: tuple[Path, ...]
    folder: Path
    recipients: tuple[str, ...]
    version: str


class Chain:
    """A base, made when this is, and the steps that follow it.

    Each part is encrypted for the recipients and for a key that is made here, lives in memory alone and dies with this
    object: with it each part is read back from where it was written. Afterwards only the recipients can read it.

    Raises:
        BackupError: the backup cannot be written.
    """

    def __init__(self, source: Source, aim: Aim) -> None:
        self.source, self.aim = source, aim
        self.identity = pyrage.x25519.Identity.generate()
        self.keys = (*recipients_of(aim.recipients), str(self.identity.to_public()))
        self.files: folders.State = {}
        self.number, self.before = 0, ""
        self.folder = self._new_folder()
        scratch = aim.data / f".backup-{self.folder.name}"
        seen, self.place = source.begin()
        at, ledger = datetime.now(UTC), source.ledger(seen)
        parts = [self._write("database", source.base(seen, scratch))]
        self.last = self._finish(at, ledger, [*parts, *self._changed_files()])

    def step(self, *, anew: bool = True) -> Manifest | None:
        """Write what changed since the last base or step; None when nothing did.

        Args:
            anew: whether the write-ahead log may be begun anew: not while another base is being copied.

        Raises:
            BackupError: it cannot be written; ``ChainBroken``: only a new base can go on.
        """
        written = None
        ways = (self.source.step, self.source.begin_anew_if_large) if anew else (self.source.step,)
        for way in ways:
            at, ledger = datetime.now(UTC), self.source.ledger()
            pieces, place = way(self.place)
            parts = [] if pieces is None else [self._write("database", pieces)]
            if way == self.source.step:
                parts += self._changed_files()
            self.place = place
            if parts:
                self.last = written = self._finish(at, ledger, parts)
        return written

    def verify(self, prove: Prove) -> Restored:
        """Restore what is there so far into a scratch folder, have the ledger checked, and note that it was.

        Raises:
            NotRestored: it cannot be restored, or its ledger does not follow from the root in the manifest.
        """
        scratch = self.aim.data / f".backup-check-{self.folder.name}"
        try:
            done = restore(self.folder, self.identity, scratch, prove=prove)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        note = {
            "at": datetime.now(UTC).isoformat(),
            "through": done.manifest.number,
            "root": done.manifest.ledger.root if done.manifest.ledger else "",
            "entries": done.entries,
            "seconds": round(done.seconds, 1),
        }
        (self.folder / VERIFIED).write_text(json.dumps(note) + "\n", encoding="utf-8")
        return done

    def _new_folder(self) -> Path:
        for _ in range(100):
            folder = self.aim.folder / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
            try:
                folder.mkdir(parents=True, mode=0o700)
            except FileExistsError:
                time.sleep(0.1)
            except OSError as error:
                raise BackupError(
                    f"{self.aim.folder} cannot be written to: {error.strerror}.", fix="Mend the folder of the backups."
                ) from error
            else:
                return folder
        raise BackupError(f"There is no free name in {self.aim.folder}.", fix="Check the clock of this machine.")

    def _write(self, kind: str, pieces: Iterable[bytes]) -> Part:
        part = write_part(self.folder / f"{self.number:06d}-{kind}.age", pieces, self.keys)
        read_part(self.folder, part, self.identity, lambda piece: None)
        return part

    def _changed_files(self) -> Sequence[Part]:
        left_out = (*self.aim.leave_out, self.aim.folder, *self.aim.data.glob(".backup-*"))
        now = folders.state_of(self.aim.data, leave_out=left_out)
        pieces = folders.pieces_of(self.aim.data, now, self.files)
        if pieces is None:
            return []
        part = self._write("files", pieces)
        self.files = now
        return [part]

    def _finish(self, at: datetime, ledger: LedgerState | None, parts: Sequence[Part]) -> Manifest:
        made = Manifest(
            number=self.number,
            at=at,
            engine=self.source.engine,
            engine_version=self.source.version(),
            version=self.aim.version,
            before=self.before,
            recipients=list(self.aim.recipients),
            parts=list(parts),
            ledger=ledger,
            facts=self.source.facts(),
        )
        self.before = manifest.write(self.folder, made)
        self.number += 1
        return made
