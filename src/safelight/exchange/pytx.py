"""Our PDQ index as an extension of python-threatexchange and, through it, of Hasher-Matcher-Actioner (HMA).

::

    tx config extensions add safelight.exchange.pytx     # adds the signal type safelight_pdq
    tx dataset -r                                        # builds its index
    tx match photo picture.jpg

In HMA's configuration file: ``from safelight.exchange.pytx import HmaPdqSignal`` and put it into ``SIGNAL_TYPES`` in
the place of ``PdqSignal``. Needs the package ``threatexchange``, which Safelight itself does not.

What is written is an array file of ours with JSON beside it, never a pickle: HMA keeps its indexes in a database, and
whoever can write there could have a pickle run anything in every matcher.
"""

from __future__ import annotations

import dataclasses
import json
import struct
import tempfile
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from threatexchange.exchanges.fetch_state import FetchedSignalMetadata
from threatexchange.extensions.manifest import ThreatExchangeExtensionManifest
from threatexchange.signal_type.index import (
    IndexMatchUntyped,
    SignalSimilarityInfoWithIntDistance,
    SignalTypeIndex,
)
from threatexchange.signal_type.pdq.signal import PdqSignal
from threatexchange.utils import dataclass_json

from safelight.errors import MatchingError
from safelight.matching.hashtext import parse_digest
from safelight.matching.live import LivePdqIndex
from safelight.matching.pdq import DISTANCE_THRESHOLD

T = TypeVar("T")
_HEAD = struct.Struct("<8sQQQ")
_MAGIC = b"SLPYTX02"
_MANY = 1 << 20
_PACKAGE = "threatexchange."


class SafelightPdqIndex(SignalTypeIndex[T]):
    """Every entry within `threshold` bits of a hash, none missed; the same hash may be added any number of times.

    Entries (what comes back) are what JSON carries (tuples stay tuples), and python-threatexchange's own metadata.

    Raises (each method that takes a hash): ValueError for text that is no PDQ, as python-threatexchange's index does.
    """

    def __init__(self, entries: Iterable[tuple[str, T]] = (), *, threshold: int = DISTANCE_THRESHOLD) -> None:
        super().__init__()
        self.threshold = threshold
        self._index = LivePdqIndex()
        self._entries: list[T] = []
        self.add_all(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def query(self, hash: str) -> Sequence[IndexMatchUntyped[Any, T]]:
        """Matches, nearest first."""
        code = _code(hash)
        hits, _ = self._index.lookup(code, self.threshold, _MANY)
        return [
            IndexMatchUntyped(SignalSimilarityInfoWithIntDistance(distance), self._entries[place])
            for place, distance in hits
        ]

    def add(self, signal_str: str, entry: T) -> None:
        self.add_all([(signal_str, entry)])

    def add_all(self, entries: Iterable[tuple[str, T]]) -> None:
        """Add all or, where one is no PDQ, none."""
        import numpy as np

        pairs = list(entries)
        if not pairs:
            return
        codes = np.frombuffer(b"".join(_code(text) for text, _ in pairs), np.uint8).reshape(-1, 32)
        start = len(self._entries)
        self._entries.extend(entry for _, entry in pairs)
        self._index.add(codes, np.arange(start, len(self._entries)))
        if self._index.pending > max(100_000, len(self._entries) // 4):
            self._index.compact()

    @classmethod
    def build(cls, entries: Iterable[tuple[str, T]]) -> SafelightPdqIndex[T]:
        made = cls(entries)
        made._index.compact()
        return made

    def serialize(self, fout: BinaryIO) -> None:
        """Write codes and entries.

        Raises:
            MatchingError: an entry is neither JSON nor python-threatexchange's metadata.
        """
        text = json.dumps([_plain(entry) for entry in self._entries], separators=(",", ":")).encode()
        with tempfile.TemporaryDirectory(prefix="safelight-pytx-") as folder:
            path = Path(folder) / "index"
            self._index.save(path)
            fout.write(_HEAD.pack(_MAGIC, self.threshold, len(text), path.stat().st_size))
            fout.write(text)
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    fout.write(block)

    @classmethod
    def deserialize(cls, fin: BinaryIO) -> SafelightPdqIndex[Any]:
        """Read what `serialize` wrote.

        Raises:
            MatchingError: anything else, cut short or changed.
        """
        head = fin.read(_HEAD.size)
        magic, threshold, text_size, size = _HEAD.unpack(head) if len(head) == _HEAD.size else (b"", 0, 0, 0)
        text = fin.read(text_size) if magic == _MAGIC else b""
        if magic != _MAGIC or len(text) != text_size:
            raise MatchingError(
                "This is no index of Safelight for python-threatexchange.", fix="Build it again: tx dataset -r"
            )
        made: SafelightPdqIndex[Any] = cls(threshold=threshold)
        with tempfile.TemporaryDirectory(prefix="safelight-pytx-") as folder:
            path = Path(folder) / "index"
            with path.open("wb") as file:
                left = size
                while left and (block := fin.read(min(left, 1 << 20))):
                    file.write(block)
                    left -= len(block)
            made._index = LivePdqIndex.open(path)
        try:
            made._entries = [_rich(entry) for entry in json.loads(text)]
        except (ValueError, TypeError, KeyError) as error:
            raise MatchingError(f"The entries of the index make no sense ({error}).", fix="Build it again.") from error
        if len(made._entries) != len(made._index):
            raise MatchingError("The index has another number of codes than of entries.", fix="Build it again.")
        return made

    def __reduce__(self) -> Any:
        raise TypeError("Safelight's index is not pickled; use serialize() and deserialize().")


def _code(text: str) -> bytes:
    try:
        return parse_digest("pdq", text)
    except MatchingError as error:
        raise ValueError(str(error)) from error


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, tuple):
        return {"()": [_plain(one) for one in value]}
    if isinstance(value, dict) and all(isinstance(name, str) for name in value):
        return {"{}": {name: _plain(one) for name, one in value.items()}}
    kind = type(value)
    if isinstance(value, FetchedSignalMetadata) and kind.__module__.startswith(_PACKAGE):
        fields = json.loads(dataclass_json.dataclass_dumps(value)) if dataclasses.is_dataclass(value) else {}
        return {"meta": [kind.__module__, kind.__qualname__, fields]}
    raise MatchingError(
        f"An entry of type {kind.__name__} cannot be written.", fix="Use numbers, text, lists, tuples or dictionaries."
    )


def _rich(value: Any) -> Any:
    if isinstance(value, list):
        return [_rich(one) for one in value]
    if not isinstance(value, dict):
        return value
    ((mark, inner),) = value.items()
    if mark == "()":
        return tuple(_rich(one) for one in inner)
    if mark == "{}":
        return {name: _rich(one) for name, one in inner.items()}
    if mark != "meta":
        raise ValueError(f"unknown mark {mark!r}")
    module, name, fields = inner
    if not module.startswith(_PACKAGE):
        raise ValueError(f"{module} is not python-threatexchange")
    try:
        kind: Any = import_module(module)
        for part in name.split("."):
            kind = getattr(kind, part)
    except (ImportError, AttributeError) as error:
        raise ValueError(f"there is no {module}.{name}") from error
    if not (isinstance(kind, type) and issubclass(kind, FetchedSignalMetadata)):
        raise ValueError(f"{name} is not metadata of a signal")
    return dataclass_json.dataclass_load_dict(fields, kind) if dataclasses.is_dataclass(kind) else kind()


class SafelightPdqSignal(PdqSignal):
    """PDQ with our index, beside python-threatexchange's own `pdq`."""

    @classmethod
    def get_name(cls) -> str:
        return "safelight_pdq"

    @classmethod
    def get_index_cls(cls) -> type[Any]:
        return SafelightPdqIndex


class HmaPdqSignal(SafelightPdqSignal):
    """The same under the name `pdq`, to stand in HMA's SIGNAL_TYPES in the place of its own."""

    @classmethod
    def get_name(cls) -> str:
        return "pdq"


TX_MANIFEST = ThreatExchangeExtensionManifest(signal_types=(SafelightPdqSignal,))
