"""Arrays in a file that opens by memory mapping: our own format, with a checked header and no pickle.

::

    8 bytes   magic "SAFELGT1"
    4 bytes   length of the header, little-endian
    32 bytes  SHA-256 of the header
    header    JSON: kind, meta, and per array its name, type, shape, offset and SHA-256
    arrays    each starting at a multiple of 64

Everything in the header is checked against the file before an array is handed out; the arrays' own checksums are
checked as well unless the caller says that the file was verified before.
"""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import os
import struct
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from safelight.errors import MatchingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

MAGIC = b"SAFELGT1"
_HEAD = struct.Struct("<8sI32s")
_ALIGN = 64
_TYPES = frozenset({"|u1", "<u2", "<u4", "<u8"})
_MAX_HEADER = 16 << 20
_AGAIN = "Import the list again, or restore the file from a backup."


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGN) * _ALIGN


def write_arrays(path: Path, kind: str, meta: dict[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    """Write atomically: a reader sees the old file or the whole new one, never a part.

    Args:
        kind: what the file is, checked again on opening.
        meta: anything JSON can carry.
        arrays: unsigned integers of 1, 2, 4 or 8 bytes.

    Raises:
        MatchingError: the folder cannot be written (no space, no permission).
    """
    import numpy as np

    blocks: list[tuple[int, npt.NDArray[Any]]] = []
    listed = []
    offset = 0  # relative to the first array
    for name, array in arrays.items():
        block = np.ascontiguousarray(array)
        if block.dtype.str not in _TYPES:
            raise MatchingError(f"{path}: array {name} has type {block.dtype}, which this format does not carry.")
        digest = hashlib.sha256(block.data if block.size else b"").hexdigest()
        listed.append(
            {"name": name, "type": block.dtype.str, "shape": list(block.shape), "offset": offset, "sha256": digest}
        )
        blocks.append((offset, block))
        offset = _aligned(offset + block.nbytes)
    header = _header(kind, meta, listed)
    start = _aligned(_HEAD.size + len(header))
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as out:
            out.write(_HEAD.pack(MAGIC, len(header), hashlib.sha256(header).digest()))
            out.write(header)
            for at, block in blocks:
                out.write(bytes(start + at - out.tell()))
                out.write(block.data if block.size else b"")
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise MatchingError(
            f"{path} cannot be written: {error.strerror}.", fix="Free space or permit writing."
        ) from error


class ReservedArrays:
    """A file whose arrays are written piece by piece; made by `reserve_arrays`."""

    def __init__(self, out: BinaryIO, start: int, listed: list[dict[str, Any]]) -> None:
        self._out = out
        self._places = {item["name"]: start + item["offset"] for item in listed}
        self._left = {item["name"]: _bytes_of(item) for item in listed}
        self._types = {item["name"]: item["type"] for item in listed}
        self.digests = {item["name"]: hashlib.sha256() for item in listed}

    def append(self, name: str, values: npt.NDArray[Any]) -> None:
        """Write the next piece of an array.

        Raises:
            MatchingError: more than was reserved, or another type.
        """
        import numpy as np

        block = np.ascontiguousarray(values)
        if block.nbytes > self._left[name] or block.dtype.str != self._types[name]:
            raise MatchingError(f"Array {name} has no room for {block.nbytes} bytes of {block.dtype.str}.")
        if not block.nbytes:
            return
        self._out.seek(self._places[name])
        self._out.write(block.data)
        self.digests[name].update(block.data)
        self._places[name] += block.nbytes
        self._left[name] -= block.nbytes

    def missing(self) -> list[str]:
        """Arrays that are not whole yet."""
        return [name for name, left in self._left.items() if left]


@contextmanager
def reserve_arrays(
    path: Path, kind: str, meta: dict[str, Any], shapes: Mapping[str, tuple[str, tuple[int, ...]]]
) -> Iterator[ReservedArrays]:
    """As `write_arrays`, for arrays too large for memory: their types and shapes are known, their values come later.

    The file appears under its name when the block is left without an error and every array is whole.

    Raises:
        MatchingError: an array is not whole, or the folder cannot be written.
    """
    listed: list[dict[str, Any]] = []
    offset = 0
    for name, (dtype, shape) in shapes.items():
        listed.append({"name": name, "type": dtype, "shape": list(shape), "offset": offset, "sha256": "0" * 64})
        offset = _aligned(offset + _bytes_of(listed[-1]))
    header = _header(kind, meta, listed)  # checksums have one length, so that the header keeps its own
    start = _aligned(_HEAD.size + len(header))
    partial = path.with_name(path.name + ".partial")
    try:
        with partial.open("wb") as out:
            out.truncate(start + offset)
            target = ReservedArrays(out, start, listed)
            yield target
            if target.missing():
                raise MatchingError(f"{path}: not all was written of {', '.join(target.missing())}.")
            for item in listed:
                item["sha256"] = target.digests[item["name"]].hexdigest()
            header = _header(kind, meta, listed)
            out.seek(0)
            out.write(_HEAD.pack(MAGIC, len(header), hashlib.sha256(header).digest()))
            out.write(header)
            out.flush()
            os.fsync(out.fileno())
        partial.replace(path)
    except OSError as error:
        raise MatchingError(
            f"{path} cannot be written: {error.strerror}.", fix="Free space or permit writing."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _header(kind: str, meta: dict[str, Any], listed: list[dict[str, Any]]) -> bytes:
    return json.dumps({"kind": kind, "meta": meta, "arrays": listed}, sort_keys=True).encode()


def _bytes_of(item: dict[str, Any]) -> int:
    return int(int(item["type"][2:]) * math.prod(item["shape"]))


def open_arrays(path: Path, kind: str, *, verify: bool = True) -> tuple[dict[str, Any], dict[str, npt.NDArray[Any]]]:
    """Open a file of `write_arrays`; the arrays are read-only memory maps.

    Args:
        verify: also check every array's SHA-256, which reads the whole file.

    Raises:
        MatchingError: missing, another kind, cut short, or changed since it was written.
    """
    import numpy as np

    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEAD.size)
            if len(head) < _HEAD.size or not head.startswith(MAGIC):
                raise MatchingError(f"{path} is not an index file of Safelight.", fix=_AGAIN)
            _, length, digest = _HEAD.unpack(head)
            raw = file.read(length) if length <= _MAX_HEADER else b""
        if len(raw) != length or hashlib.sha256(raw).digest() != digest:
            raise MatchingError(f"{path} has a damaged header.", fix=_AGAIN)
        header = json.loads(raw)
        if header["kind"] != kind:
            raise MatchingError(f"{path} holds {header['kind']}, not {kind}.", fix="Open it as what it is.")
        start = _aligned(_HEAD.size + length)
        arrays: dict[str, npt.NDArray[Any]] = {}
        for item in header["arrays"]:
            dtype = np.dtype(item["type"])
            shape = tuple(item["shape"])
            count = int(np.prod(shape, dtype=np.int64))
            at = start + item["offset"]
            if item["type"] not in _TYPES or item["offset"] < 0 or count < 0 or at + count * dtype.itemsize > size:
                raise MatchingError(f"{path} is cut short: array {item['name']} lies beyond its end.", fix=_AGAIN)
            if count == 0:
                arrays[item["name"]] = np.empty(shape, dtype)
                continue
            array = np.memmap(path, dtype, mode="r", offset=at, shape=shape)
            if verify and hashlib.sha256(array.data).hexdigest() != item["sha256"]:
                raise MatchingError(f"{path} was changed: array {item['name']} fails its checksum.", fix=_AGAIN)
            arrays[item["name"]] = np.asarray(array)  # the plain view: memmap adds cost to every slice
    except OSError as error:
        raise MatchingError(f"{path} cannot be read: {error.strerror}.", fix=_AGAIN) from error
    except (KeyError, TypeError, ValueError) as error:  # a header with a true checksum, but not one of ours
        raise MatchingError(f"{path} has a header that makes no sense ({error}).", fix=_AGAIN) from error
    return header["meta"], arrays


def fetch(array: npt.NDArray[Any]) -> None:
    """Ask for the pages of a mapped array before they are needed; an array in memory is left alone."""
    _advise(array, mmap.MADV_WILLNEED)


def let_go(array: npt.NDArray[Any]) -> None:
    """Give the memory of a mapped array back; it is read from the file again when it is next touched."""
    _advise(array, mmap.MADV_DONTNEED)


def _advise(array: npt.NDArray[Any], advice: int) -> None:
    import numpy as np

    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if not isinstance(owner, mmap.mmap) or not array.nbytes:
        return
    start = array.ctypes.data - np.frombuffer(owner, np.uint8).ctypes.data
    first = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
    length = (start + array.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE - first
    if length > 0:
        owner.madvise(advice, first, length)
