"""What all readers share: the collector of entries and of rows that could not be used as they stand."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import MatchingError
from safelight.matching.entry import HashSetEntry, Provenance
from safelight.matching.hashset import HashSet, HashSetBuilder
from safelight.matching.hashtext import excerpt
from safelight.matching.spool import SpooledBuilder

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: (context, number) to a category letter, or None where the site has set none.
CategoryMap = Callable[[str, int | None], str | None]
#: (bytes read, bytes in all)
OnProgress = Callable[[int, int], None]

#: The report names this many rows one by one and counts the rest.
MAX_REPORTED = 10_000
#: Characters of a row that are kept in quarantine.
MAX_QUARANTINED = 2_000
#: Beside a set that was read into a folder: every row that was left out, one JSON object a line.
QUARANTINE_FILE = "quarantine.jsonl"
_LINES = 1_000
# Categories of the standards that do not say that a file is listed material.
_HARMLESS = frozenset({"not_pertinent", "uncategorised"})
_PROGRESS_STEP = 4 << 20


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that could not be used as it stands.

    Attributes:
        where: row or item number, and for VICS the MediaID.
        reason: what is wrong with it.
        excerpt: the offending value, shortened.
        kept: the entry is in the hash set all the same (its digests are good; only what the reason names is missing).
    """

    where: str
    reason: str
    excerpt: str = ""
    kept: bool = False


@dataclass(frozen=True)
class ReadResult:
    """A hash set read from a file, and what of the file is not in it.

    Attributes:
        rejected: the first 10,000 rows with a problem; `rejected_count` counts all that were left out and
            `noted_count` all that were kept with a remark.
        contexts: the VICS models named in the file, or `csv`.
        format: such as "VICS 2.0 media", "CSV", "text".
    """

    hash_set: HashSet
    rejected: list[RejectedRow]
    contexts: tuple[str, ...]
    format: str
    rejected_count: int = 0
    noted_count: int = 0


@dataclass
class Collector:
    """Takes rows from a reader, maps categories, and keeps the report."""

    path: Path
    kind: str
    category_of: CategoryMap | None
    on_progress: OnProgress | None
    format: str = ""
    contexts: list[str] = field(default_factory=list)
    builder: HashSetBuilder = field(default_factory=HashSetBuilder)
    rejected: list[RejectedRow] = field(default_factory=list)
    rejected_count: int = 0
    noted_count: int = 0
    quarantine: Path | None = None
    _said_no_map: bool = False
    _taken: int = 0
    _skip: int = 0
    _lines: list[str] = field(default_factory=list)

    @classmethod
    def into(cls, spool: Path, identity: dict[str, Any], **fields: Any) -> Collector:
        """A collector whose rows wait on disk, going on where an interrupted import of the same file stopped."""
        builder = SpooledBuilder(spool, identity)
        collector = cls(builder=builder, quarantine=spool / "quarantine.jsonl", **fields)
        kept = builder.resumed
        if kept is not None:
            collector._skip = kept["taken"]
            collector.rejected = [RejectedRow(*row) for row in kept["rejected"]]
            collector.rejected_count, collector.noted_count = kept["rejected_count"], kept["noted_count"]
            collector._said_no_map = kept["said_no_map"]
            with (spool / "quarantine.jsonl").open("a+b") as file:
                file.truncate(kept["quarantined"])
        return collector

    @property
    def resumed_after(self) -> int:
        """Rows that an earlier, interrupted import of this file had taken; they are passed over."""
        kept = self.builder.resumed if isinstance(self.builder, SpooledBuilder) else None
        return kept["taken"] if kept else 0

    def open(self) -> BufferedReader:
        """The file, reporting progress as it is read."""
        return BufferedReader(_Watched(self.path, self.on_progress), 1 << 20)

    def discard(self) -> None:
        """Remove rows that wait on disk."""
        if isinstance(self.builder, SpooledBuilder):
            self.builder.discard()

    def add_context(self, context: str) -> None:
        if context and context not in self.contexts:
            self.contexts.append(context)

    def add(self, entry: HashSetEntry, where: str) -> None:
        """Keep one entry, or report why not."""
        if self._passed_over():
            return
        try:
            self.builder.add(entry)
        except MatchingError as error:
            self._leave_out(where, error.what, "")
        self._mark_if_due()

    def reject(self, where: str, reason: str, value: object = "") -> None:
        """The row is left out, and lies in quarantine as it came."""
        if self._passed_over():
            return
        self._leave_out(where, reason, value)
        self._mark_if_due()

    def _leave_out(self, where: str, reason: str, value: object) -> None:
        self.rejected_count += 1
        self._report(RejectedRow(where, reason, excerpt(value)))
        if self.quarantine is not None:
            row = {"where": where, "reason": reason, "row": excerpt(value, MAX_QUARANTINED)}
            self._lines.append(json.dumps(row, ensure_ascii=True))
            if len(self._lines) >= _LINES:
                self._write_lines()

    def _passed_over(self) -> bool:
        self._taken += 1
        if self._skip:
            self._skip -= 1
            return True
        return False

    def _mark_if_due(self) -> None:
        if isinstance(self.builder, SpooledBuilder) and self.builder.due:
            quarantined = self._write_lines()
            self.builder.mark(
                {
                    "taken": self._taken,
                    "rejected": [(row.where, row.reason, row.excerpt, row.kept) for row in self.rejected],
                    "rejected_count": self.rejected_count,
                    "noted_count": self.noted_count,
                    "said_no_map": self._said_no_map,
                    "quarantined": quarantined,
                }
            )

    def _write_lines(self) -> int:
        """Put what was left out to disk; the length of the file."""
        if self.quarantine is None:
            return 0
        with self.quarantine.open("ab") as file:
            file.write("".join(f"{line}\n" for line in self._lines).encode())
            self._lines.clear()
            return file.tell()

    def note(self, where: str, reason: str, value: object = "") -> None:
        """The row is kept, without what the reason names."""
        if self._skip:
            return
        self.noted_count += 1
        self._report(RejectedRow(where, reason, excerpt(value), kept=True))

    def _report(self, row: RejectedRow) -> None:
        if len(self.rejected) < MAX_REPORTED:
            self.rejected.append(row)

    def category(self, context: str, number: int | None, where: str) -> str | None:
        """The category the site has set for this number in this context. Never guessed: unset is None, and reported."""
        if number is None:
            return None
        if self.category_of is None and self.kind != "known-good":
            if not self._said_no_map:
                self._said_no_map = True
                self.note(
                    where, "no category map was given: every numbered entry of this file is uncategorised", number
                )
            return None
        category = self.category_of(context, number) if self.category_of else None
        if category is None and self.kind == "known-good" and number and not _nist(context, number):
            raise MatchingError(
                f"{self.path}: {where} has category {number}, and the site has not set what that means in "
                f"{context or 'a file without a context'}: it cannot be vouched for as harmless.",
                fix="Set the number in the site file, or give the right file.",
            )
        if category is None:
            self.note(where, f"category not mapped: {number} in {context or 'a file without a context'}", number)
            return None
        return self.checked(category, where)

    def checked(self, category: str, where: str) -> str:
        """The category, unless the list is to be taken as harmless and this says that it is not.

        Raises:
            MatchingError: it does.
        """
        if self.kind in ("known-good", "common") and category not in _HARMLESS:
            raise MatchingError(
                f"{self.path}: {where} is category {category}, but the list is to be taken as {self.kind}.",
                fix="Read it as known, or give the right file.",
            )
        return category

    def harmless_only(self, what: str) -> None:
        """The list is one of ordinary files: taken as known, it would raise an alarm on every computer.

        Raises:
            MatchingError: it is to be taken as known.
        """
        if self.kind == "known":
            raise MatchingError(
                f"{self.path}: {what}; it cannot be taken as known material.", fix="Import it as known-good or common."
            )

    def known_only(self, what: str) -> None:
        """The list is one of material to be found: taken as harmless, it would hide what it knows.

        Raises:
            MatchingError: it is to be taken as known-good or common.
        """
        if self.kind in ("known-good", "common"):
            raise MatchingError(f"{self.path}: {what} cannot be taken as {self.kind}.", fix="Import it as known.")

    def result(self, *, name: str, version: str, provenance: Provenance, store: Path | None = None) -> ReadResult:
        """Build the hash set; into the folder `store`, with the quarantine beside it, if rows wait on disk.

        Raises:
            MatchingError: nothing usable was in the file.
        """
        if not len(self.builder):
            first = f" The first problem: {self.rejected[0].where}: {self.rejected[0].reason}." if self.rejected else ""
            raise MatchingError(f"{self.path} holds no usable hash.{first}", fix="Check that it is the right file.")
        about: dict[str, Any] = {"name": name, "kind": self.kind, "version": version, "provenance": provenance}
        if isinstance(self.builder, SpooledBuilder) and store is not None and self.quarantine is not None:
            self._write_lines()
            hash_set = self.builder.finish(store, **about)
            self.quarantine.replace(store / QUARANTINE_FILE)
            self.builder.discard()
        else:
            hash_set = self.builder.build(**about)
        return ReadResult(
            hash_set, self.rejected, tuple(self.contexts), self.format, self.rejected_count, self.noted_count
        )


def _nist(context: str, number: int) -> bool:
    """The one number that stands in a published known-good list: NIST's files beyond the RDS, in the VICS 1.2 model."""
    return number == 8 and "/DataModels/1.2.xml" in context


class _Watched(RawIOBase):
    """A file that tells how far it was read."""

    def __init__(self, path: Path, on_progress: OnProgress | None) -> None:
        self._file = path.open("rb", buffering=0)
        self._total = path.stat().st_size
        self._on_progress = on_progress
        self._said = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        count = self._file.readinto(buffer)
        at = self._file.tell()
        if self._on_progress is not None and (at - self._said >= _PROGRESS_STEP or (not count and at != self._said)):
            self._said = at
            self._on_progress(at, self._total)
        return count or 0

    def close(self) -> None:
        self._file.close()
        super().close()
