"""Building a hash set of any length in bounded memory: columns go to disk as they come, and are sorted there.

Every `FLUSH` rows what is in memory is put at the ends of files in a folder, and a mark says how far all of them reach.
An import that was interrupted goes on from the mark. The result is bit for bit what `HashSetBuilder` makes in memory
(tests/matching/test_spool.py).
"""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.errors import MatchingError
from safelight.matching.arrayfile import ReservedArrays, reserve_arrays
from safelight.matching.digest_build import append_sorted, directory_bits
from safelight.matching.digests import ALGORITHMS, prefixes_of
from safelight.matching.hashset import FILE_NAME, ROOT_PREFIX, SET_KIND, HashSet, HashSetBuilder, check_name, save_pdq
from safelight.matching.hashtext import SIZES
from safelight.matching.heaps import Heaps

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt

    from safelight.matching.entry import Provenance

#: Rows in memory before they go to disk: some 100 MB with all digests and a PhotoDNA value each.
FLUSH = 200_000
_PIECE = 1 << 20
_STATE = "state.json"
_CANONICAL = "canonical"


class SpooledBuilder(HashSetBuilder):
    """As `HashSetBuilder`, with its columns on disk.

    Args:
        folder: where the columns wait; made if missing. One that holds a mark is taken up where it stopped.
        identity: what is being imported. Another identity than the mark's begins anew.

    Attributes:
        resumed: what `keep_state` had kept with the last mark, or None at a fresh start.

    Raises:
        MatchingError: the folder cannot be written.
    """

    def __init__(self, folder: Path, identity: dict[str, Any]) -> None:
        super().__init__()
        self._folder = folder
        self._identity = identity
        self._flushed = 0
        self.resumed: dict[str, Any] | None = None
        try:
            self._take_up()
        except OSError as error:
            raise _cannot(folder, error) from error

    def _take_up(self) -> None:
        try:
            state = json.loads((self._folder / _STATE).read_bytes())
            good = state["identity"] == self._identity and all(
                self._path(name).stat().st_size >= length for name, length in state["lengths"].items()
            )
        except (FileNotFoundError, KeyError, ValueError):
            good = False
        if not good:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
            return
        for name, length in state["lengths"].items():
            with self._path(name).open("r+b") as file:
                file.truncate(length)  # rows after the mark are read again
        self._count = self._flushed = state["rows"]
        self._categories = {code: at for at, code in enumerate(state["categories"])}
        for column, builder in self._texts.items():
            lengths = state["lengths"]
            builder.resume(lengths[f"{column}.ends"] // 8 - 1, lengths[f"{column}.text"])
        self.resumed = state["kept"]

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.column"

    @property
    def due(self) -> bool:
        """Whether it is time to `mark`."""
        return self._count - self._flushed >= FLUSH

    def mark(self, kept: dict[str, Any]) -> None:
        """Put what is in memory to disk; `kept` (JSON) is handed back as `resumed` to who goes on from here.

        Raises:
            MatchingError: the disk is full.
        """
        taken: dict[str, bytes] = {}
        for name, column in self._digests.items():
            values = "pdq.codes" if name == "pdq" else f"{name}.digests"
            taken[values], taken[f"{name}.rows"] = column.take()
        taken["size.values"], taken["size.rows"] = self._sizes.take()
        for name, text in self._texts.items():
            taken |= text.take(name)
        taken |= {
            "category": self._category.tobytes(),
            "flags": bytes(self._flags),
            "source_row": self._source_rows.tobytes(),
            _CANONICAL: bytes(self._canonical),
        }
        lengths = {}
        try:
            for name, data in taken.items():
                with self._path(name).open("ab") as file:
                    file.write(data)
                    lengths[name] = file.tell()
            state = {
                "identity": self._identity,
                "rows": self._count,
                "lengths": lengths,
                "categories": list(self._categories),
                "kept": kept,
            }
            partial = self._folder / f"{_STATE}.partial"
            partial.write_text(json.dumps(state))
            partial.replace(self._folder / _STATE)
        except OSError as error:
            raise _cannot(self._folder, error) from error
        del self._category[:], self._source_rows[:]
        self._flags.clear()
        self._canonical.clear()
        self._flushed = self._count

    def finish(
        self, folder: Path, *, name: str, kind: str = "known", version: str = "", provenance: Provenance | None = None
    ) -> HashSet:
        """Write the hash set into `folder` and open it from there. It appears whole or not at all.

        Raises:
            MatchingError: as `HashSetBuilder.build`, or the folder cannot be written.
        """
        check_name(name, kind)
        try:
            if not self._flushed:
                small = self.build(name=name, kind=kind, version=version, provenance=provenance)
                small.save(folder)
            else:
                self.mark({})
                root = self._root()
                meta = self.meta_of(root, name=name, kind=kind, version=version, provenance=provenance)
                folder.mkdir(parents=True, exist_ok=True)
                codes = self._column("pdq.codes", "|u1", 32)
                save_pdq(folder, codes, root)
                self._write(folder / FILE_NAME, meta)
        except OSError as error:
            raise _cannot(folder, error) from error
        return HashSet.open(folder, verify=False)

    def discard(self) -> None:
        """Remove what waits on disk."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _column(self, name: str, dtype: str, width: int = 0) -> npt.NDArray[Any]:
        import numpy as np

        path = self._path(name)
        shape = (-1, width) if width else (-1,)
        if not path.stat().st_size:
            return np.empty(0, dtype).reshape(shape)
        return np.asarray(np.memmap(path, dtype, mode="r").reshape(shape))

    def _root(self) -> str:
        import numpy as np

        canonical = self._column(_CANONICAL, ">u8", 4)
        total = hashlib.sha256(ROOT_PREFIX)
        with self._heaps(np.dtype((">u8", (4,)))) as heaps:
            for piece in _pieces(canonical):
                heaps.deal(np.ascontiguousarray(piece).view(np.uint8).reshape(-1, 32)[:, 0], piece)
            for _, records in heaps.taken():
                total.update(np.unique(records.reshape(-1, 4), axis=0).tobytes())
        return total.hexdigest()

    def _heaps(self, dtype: npt.DTypeLike) -> Heaps:
        folder = self._folder / "heaps"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return Heaps(folder, dtype)

    def _write(self, path: Path, meta: dict[str, Any]) -> None:
        columns: dict[str, npt.NDArray[Any]] = {}
        shapes: dict[str, tuple[str, tuple[int, ...]]] = {}
        for name in ALGORITHMS:
            columns[f"{name}.digests"] = self._column(f"{name}.digests", "|u1", SIZES[name])
            columns[f"{name}.rows"] = self._column(f"{name}.rows", "<u4")
            count = len(columns[f"{name}.rows"])
            shapes[f"{name}.order"] = ("<u4", (count,))
            shapes[f"{name}.prefixes"] = ("<u8", (count,))
            shapes[f"{name}.directory"] = ("<u4", ((1 << directory_bits(count)) + 1,))
        columns["pdq.codes"] = self._column("pdq.codes", "|u1", 32)
        for name in ("pdq.rows", "size.rows"):
            columns[name] = self._column(name, "<u4")
        columns["size.values"] = self._column("size.values", "<u8")
        for name in self._texts:
            for part, dtype in (("rows", "<u4"), ("which", "<u4"), ("ends", "<u8"), ("text", "|u1")):
                columns[f"{name}.{part}"] = self._column(f"{name}.{part}", dtype)
        columns["category"] = self._column("category", "<u2")
        columns["flags"] = self._column("flags", "|u1")
        columns["source_row"] = self._column("source_row", "<u8")
        shapes |= {name: (column.dtype.str, column.shape) for name, column in columns.items()}
        with reserve_arrays(path, SET_KIND, meta, shapes) as target:
            for name, column in columns.items():
                for piece in _pieces(column):
                    target.append(name, piece)
            for name in ALGORITHMS:
                self._index(target, name, columns[f"{name}.digests"])

    def _index(self, target: ReservedArrays, name: str, digests: npt.NDArray[np.uint8]) -> None:
        import numpy as np

        bits, before = directory_bits(len(digests)), 0
        with self._heaps(np.dtype([("prefix", "<u8"), ("at", "<u4")])) as heaps:
            for number, piece in enumerate(_pieces(digests)):
                records = np.empty(len(piece), [("prefix", "<u8"), ("at", "<u4")])
                records["prefix"] = prefixes_of(piece)
                records["at"] = np.arange(number * _PIECE, number * _PIECE + len(piece), dtype=np.uint32)
                heaps.deal(piece[:, 0], records)
            for heap, records in heaps.taken():
                order = np.argsort(records["prefix"], kind="stable")
                target.append(f"{name}.order", records["at"][order])
                append_sorted(target, f"{name}.", records["prefix"][order], heap, bits, before)
                before += len(records)
        target.append(f"{name}.directory", np.array([before], np.uint32))


def _pieces(column: npt.NDArray[Any]) -> Iterator[npt.NDArray[Any]]:
    return (column[at : at + _PIECE] for at in range(0, len(column), _PIECE))


def _cannot(folder: Path, error: OSError) -> MatchingError:
    return MatchingError(
        f"{folder} cannot be written: {error.strerror}.", fix="Free space, or name a folder with room."
    )
