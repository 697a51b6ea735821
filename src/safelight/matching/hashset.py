"""A hash set: what one list knows about files, with where it came from and a root that names its exact content."""

from __future__ import annotations

import hashlib
from array import array
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import MatchingError
from safelight.matching.arrayfile import open_arrays, write_arrays
from safelight.matching.columns import BytesBuilder, TextBuilder, TextColumn, position_of
from safelight.matching.digests import ALGORITHMS, DigestIndex
from safelight.matching.entry import KINDS, Counts, HashSetEntry, Provenance
from safelight.matching.hashtext import SIZES, excerpt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt

    from safelight.matching.hamming import PdqIndex

FILE_NAME = "hashset.slh"
PDQ_FILE = "pdq.slp"
SET_KIND = "hash set"
_TEXTS = ("series", "tags", "photodna", "source_category")
_FLAGS = ("victim_identified", "offender_identified", "is_distributed")
# Two bits of a packed flag: silent, false, true (3 is never written).
_STATES = (None, False, True, None)
_MAX_ENTRIES = 1 << 32
_MAX_SIZE = 1 << 64
ROOT_PREFIX = b"safelight hash set 1\n"


class HashSetBuilder:
    """Takes entries one at a time, so that a list of any length is read as a stream; `build` makes the hash set."""

    def __init__(self) -> None:
        self._digests = {name: BytesBuilder(size) for name, size in SIZES.items()}
        self._texts = {name: TextBuilder() for name in _TEXTS}
        self._sizes = BytesBuilder(8)
        self._categories: dict[str | None, int] = {None: 0}
        self._category = array("H")
        self._flags = bytearray()
        self._source_rows = array("Q")
        self._canonical = bytearray()
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, entry: HashSetEntry) -> None:
        """Add one entry.

        Raises:
            MatchingError: no hash at all, a hash of the wrong length, or a size that cannot be.
        """
        row = len(self)
        values = {name: getattr(entry, name) for name in SIZES}
        if all(value is None for value in values.values()):
            raise MatchingError("An entry needs at least one of md5, sha1, sha256 or pdq.")
        for name, value in values.items():
            if value is not None and len(value) != SIZES[name]:
                raise MatchingError(f"{name.upper()} has {len(value)} bytes where {SIZES[name]} belong.")
        if entry.size is not None and not 0 <= entry.size < _MAX_SIZE:
            raise MatchingError(f"A file cannot have {entry.size} bytes.")
        if row + 1 >= _MAX_ENTRIES:
            raise MatchingError(f"A hash set holds at most {_MAX_ENTRIES - 2} entries.", fix="Split the list.")
        for name, value in values.items():
            if value is not None:
                self._digests[name].add(row, value)
        if entry.size is not None:
            self._sizes.add(row, entry.size.to_bytes(8, "little"))
        for name in _TEXTS:
            text = getattr(entry, name)
            if text:
                self._texts[name].add(row, text)
        self._category.append(self._categories.setdefault(entry.category, len(self._categories)))
        packed = 0
        for place, name in enumerate(_FLAGS):
            flag = getattr(entry, name)
            packed |= (0 if flag is None else 2 if flag else 1) << (2 * place)
        self._flags.append(packed)
        self._source_rows.append(entry.source_row)
        self._canonical += entry.canonical()
        self._count = row + 1

    def build(
        self, *, name: str, kind: str = "known", version: str = "", provenance: Provenance | None = None
    ) -> HashSet:
        """Sort the indexes and compute the root.

        Raises:
            MatchingError: no name, or a kind that is not one of `KINDS`.
        """
        import numpy as np

        check_name(name, kind)
        arrays: dict[str, npt.NDArray[Any]] = {}
        for algorithm in ALGORITHMS:
            digests, rows = self._digests[algorithm].arrays()
            index = DigestIndex.build(algorithm, digests, rows)
            arrays |= {f"{algorithm}.{part}": value for part, value in index.arrays.items()}
        arrays["pdq.codes"], arrays["pdq.rows"] = self._digests["pdq"].arrays()
        sizes, arrays["size.rows"] = self._sizes.arrays()
        arrays["size.values"] = sizes.copy().view("<u8").ravel()
        for column in _TEXTS:
            arrays |= self._texts[column].arrays(column)
        arrays["category"] = np.array(self._category, np.uint16)
        arrays["flags"] = np.frombuffer(bytes(self._flags), np.uint8)
        arrays["source_row"] = np.array(self._source_rows, np.uint64)
        root = _root_of(self._canonical)
        meta = self.meta_of(root, name=name, kind=kind, version=version, provenance=provenance)
        return HashSet(meta, arrays)

    def meta_of(
        self, root: str, *, name: str, kind: str, version: str, provenance: Provenance | None
    ) -> dict[str, Any]:
        """What the file of the hash set says about itself."""
        origin = provenance or Provenance()
        return {
            "name": name.strip(),
            "kind": kind,
            "version": version or root[:12],
            "root": root,
            "entries": len(self),
            "categories": list(self._categories),
            "provenance": {field: getattr(origin, field) for field in Provenance.__slots__},
        }


class HashSet:
    """Entries in columns, in memory or mapped from a file; make one with `from_entries`, `open` or a reader.

    Attributes:
        name: what people call it.
        kind: known, known-good or common.
        version: the supplier's, or the first 12 digits of the root.
        root: SHA-256 (hex) over the sorted distinct entries. The same content has the same root whatever its order
            and whatever format it came in.
        provenance: where it came from.
        held: rows in quarantine and the reason of each; set by whoever keeps the list. A likeness to such an entry is
            reported as set aside; an equal digest counts as ever.
    """

    def __init__(self, meta: dict[str, Any], arrays: dict[str, npt.NDArray[Any]]) -> None:
        self._meta = meta
        self._arrays = arrays
        self.name: str = meta["name"]
        self.kind: str = meta["kind"]
        self.version: str = meta["version"]
        self.root: str = meta["root"]
        self.provenance = Provenance(**meta["provenance"])
        self._categories: list[str | None] = meta["categories"]
        self._texts = {column: TextColumn(column, arrays) for column in _TEXTS}
        self._indexes: dict[str, DigestIndex] = {}
        self._pdq: PdqIndex | None = None
        self._folder: Path | None = None
        self._verify = True
        self.held: dict[int, str] = {}

    @classmethod
    def from_entries(
        cls,
        entries: Iterable[HashSetEntry],
        *,
        name: str,
        kind: str = "known",
        version: str = "",
        provenance: Provenance | None = None,
    ) -> HashSet:
        """Build a hash set from entries.

        Raises:
            MatchingError: an entry without any hash, a hash of the wrong length, an unknown kind, no name.
        """
        builder = HashSetBuilder()
        for entry in entries:
            builder.add(entry)
        return builder.build(name=name, kind=kind, version=version, provenance=provenance)

    def __len__(self) -> int:
        return len(self._arrays["flags"])

    def __iter__(self) -> Iterator[HashSetEntry]:
        return (self.entry(row) for row in range(len(self)))

    def __repr__(self) -> str:
        return f"<HashSet {self.name!r} {self.kind} {len(self)} entries, root {self.root[:12]}>"

    @property
    def known_good(self) -> bool:
        return self.kind == "known-good"

    def entry(self, row: int) -> HashSetEntry:
        """The entry in this row, from 0.

        Raises:
            MatchingError: there is no such row.
        """
        if not 0 <= row < len(self):
            raise MatchingError(f"Hash set {self.name} has no row {row}; it has {len(self)}.")
        a = self._arrays
        at = position_of(a["size.rows"], row)
        packed = int(a["flags"][row])
        return HashSetEntry(
            md5=self._value("md5", "md5.digests", row),
            sha1=self._value("sha1", "sha1.digests", row),
            sha256=self._value("sha256", "sha256.digests", row),
            pdq=self._value("pdq", "pdq.codes", row),
            size=None if at is None else int(a["size.values"][at]),
            category=self.category(row),
            series=self._texts["series"].get(row) or "",
            tags=self._texts["tags"].get(row) or "",
            victim_identified=_STATES[packed & 3],
            offender_identified=_STATES[packed >> 2 & 3],
            is_distributed=_STATES[packed >> 4 & 3],
            photodna=self._texts["photodna"].get(row),
            source_row=int(a["source_row"][row]),
            source_category=self._texts["source_category"].get(row),
        )

    def _value(self, name: str, values: str, row: int) -> bytes | None:
        at = position_of(self._arrays[f"{name}.rows"], row)
        return None if at is None else self._arrays[values][at].tobytes()

    def category(self, row: int) -> str | None:
        """The category of one row; None is uncategorised."""
        return self._categories[int(self._arrays["category"][row])]

    def sizes(self) -> npt.NDArray[np.uint64]:
        """The distinct sizes in bytes of the listed files, ascending, where the list gives any; shape (n,)."""
        import numpy as np

        sizes: npt.NDArray[np.uint64] = np.unique(self._arrays["size.values"].astype(np.uint64))
        return sizes

    def category_codes(self) -> tuple[npt.NDArray[np.uint16], list[str | None]]:
        """(N,) a number for each row's category, and what each number stands for; not to be written to."""
        return self._arrays["category"], self._categories

    def hashes(self, name: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint32]]:
        """All md5, sha1, sha256 or pdq: (K, size) values and the (K,) rows they belong to; not to be written to."""
        return self._arrays["pdq.codes" if name == "pdq" else f"{name}.digests"], self._arrays[f"{name}.rows"]

    def counts(self) -> Counts:
        """Entries per category and per kind of hash."""
        import numpy as np

        per = np.bincount(self._arrays["category"], minlength=len(self._categories)).tolist()
        by_category = {code: n for code, n in zip(self._categories, per, strict=True) if n}
        return Counts(len(self), by_category, {name: len(self._arrays[f"{name}.rows"]) for name in SIZES})

    def digest_index(self, algorithm: str) -> DigestIndex:
        """The exact index for md5, sha1 or sha256; it reports rows of this hash set."""
        if algorithm not in self._indexes:
            prefix = f"{algorithm}."
            parts = {name[len(prefix) :]: array for name, array in self._arrays.items() if name.startswith(prefix)}
            if not parts or algorithm not in ALGORITHMS:
                raise MatchingError(
                    f"No exact digest is called {excerpt(algorithm)!r}.", fix=f"Use one of {', '.join(ALGORITHMS)}."
                )
            self._indexes[algorithm] = DigestIndex(algorithm, parts)
        return self._indexes[algorithm]

    def pdq_index(self) -> PdqIndex:
        """The perceptual index; it reports positions, which `pdq_row` turns into rows of this hash set."""
        from safelight.matching.hamming import PdqIndex

        if self._pdq is None:
            path = self._folder / PDQ_FILE if self._folder else None
            if path is not None and path.exists():
                held = PdqIndex.open(path, verify=self._verify)
                # One that a later import left beside an older list is not its index.
                self._pdq = held if held.made_of == self.root and len(held) == len(self._arrays["pdq.rows"]) else None
            self._pdq = self._pdq or PdqIndex(self._arrays["pdq.codes"])
        return self._pdq

    def pdq_row(self, position: int) -> int:
        """The row of this hash set that the perceptual index's position stands for."""
        return int(self._arrays["pdq.rows"][position])

    def save(self, folder: Path) -> Path:
        """Write the hash set into a folder (made if missing), atomically; returns the file written.

        Raises:
            MatchingError: the folder cannot be written.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MatchingError(f"{folder} cannot be made: {error.strerror}.", fix="Choose another folder.") from error
        path = folder / FILE_NAME
        save_pdq(folder, self._arrays["pdq.codes"], self.root)
        write_arrays(path, SET_KIND, self._meta, self._arrays)
        return path

    @classmethod
    def open(cls, folder: Path, *, verify: bool = True) -> HashSet:
        """Memory-map a saved hash set.

        Args:
            verify: read it through once and check every byte against its checksum. Leave out only where the same file
                was verified before and cannot have changed since.

        Raises:
            MatchingError: no hash set there, cut short, or changed by as much as one byte.
        """
        path = folder / FILE_NAME
        meta, arrays = open_arrays(path, SET_KIND, verify=verify)
        try:
            opened = cls(meta, arrays)
            opened._folder, opened._verify = folder, verify
            return opened
        except (KeyError, TypeError) as error:
            raise MatchingError(f"{path} lacks parts of a hash set ({error}).", fix="Import the list again.") from error


def save_pdq(folder: Path, codes: npt.NDArray[Any], root: str) -> None:
    """Write the perceptual index of a large set beside it, so that opening it need not build it again.

    Raises:
        MatchingError: the file cannot be written.
    """
    from safelight.matching.engines import SMALL
    from safelight.matching.hamming import write_index

    if len(codes) > SMALL:
        write_index(folder / PDQ_FILE, codes, made_of=root)
    else:
        (folder / PDQ_FILE).unlink(missing_ok=True)


def check_name(name: str, kind: str) -> None:
    """Raises:
    MatchingError: no name, or a kind that is not one of `KINDS`.
    """
    if not name.strip():
        raise MatchingError("A hash set needs a name.")
    if kind not in KINDS:
        raise MatchingError(f"No kind of hash set is called {excerpt(kind)!r}.", fix=f"Use one of {', '.join(KINDS)}.")


def _root_of(canonical: bytearray) -> str:
    """Hash of the sorted distinct entry digests (32 bytes each)."""
    import numpy as np

    # Big-endian words sort as the bytes do, and numpy sorts rows of words without a Python object for each.
    words = np.frombuffer(bytes(canonical), ">u8").reshape(-1, 4)
    distinct = np.unique(words, axis=0)
    return hashlib.sha256(ROOT_PREFIX + distinct.tobytes()).hexdigest()
