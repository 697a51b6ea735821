"""Logical volumes of LVM2: volume groups over one or several physical volumes of a device.

Linear and striped volumes, and one leg of mirrors, are mapped from the group's own description. Thin, cached, RAID 4 to
10 and snapshot volumes are named, not read. Layout: lvm2's `label.h`, `format_text/layout.h` and its text format.
"""

from __future__ import annotations

import bisect
import re
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from safelight.errors import EvidenceError
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.filesystem import clean_name

_SECTOR = 512
_MAGIC = b" LVM2 x[5A%r0N*>"
_SEED = 0xF597A6CF
_LARGEST_TEXT = 16 << 20
_DEEPEST = 8
_TOKEN = re.compile(r'\s*(?:#[^\n]*\n\s*)*("(?:[^"\\]|\\.)*"|[{}\[\]=,]|[^\s{}\[\]=,"#]+)')


@dataclass(frozen=True, slots=True)
class PhysicalVolume:
    """One member of a volume group: where it lies, and the newest description of the group that it holds."""

    identity: str
    evidence: Evidence
    offset: int
    size: int
    text: str


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of a logical volume over one or several columns of bytes: (medium or None, offset, name)."""

    start: int
    size: int
    columns: list[tuple[Evidence | None, int, str]]
    stripe: int


class LogicalVolume(Evidence):
    """The bytes of one logical volume; what lies on a disk that was not given is missing."""

    def __init__(self, name: str, parts: Any, pieces: list[_Piece]) -> None:
        super().__init__(parts, pieces[-1].start + pieces[-1].size if pieces else 0)
        self.format = "LVM"
        self.name = name
        self._pieces = pieces
        self._starts = [piece.start for piece in pieces]

    def _read(self, offset: int, length: int) -> bytes:
        out = []
        while length:
            piece = self._pieces[bisect.bisect_right(self._starts, offset) - 1]
            inside = offset - piece.start
            row, rest = divmod(inside, piece.stripe)
            take = min(length, piece.stripe - rest, piece.size - inside)
            medium, base, name = piece.columns[row % len(piece.columns)]
            at = base + row // len(piece.columns) * piece.stripe + rest
            if medium is None:
                self.missing.add(offset, offset + take, f"it lies on {name}, which was not given")
                out.append(bytes(take))
            else:
                data = medium.read(at, take)
                if len(data) < take:
                    self.missing.add(offset + len(data), offset + take, f"{name} ends early")
                for left, right, why in medium.missing.within(at, at + take):
                    self.missing.add(offset + left - at, offset + right - at, why)
                out.append(data.ljust(take, b"\0"))
            offset += take
            length -= take
        return out[0] if len(out) == 1 else b"".join(out)


def read_physical(evidence: Evidence, offset: int, size: int) -> PhysicalVolume:
    """The physical volume that begins at `offset`.

    Raises:
        EvidenceError: its label or its description of the group is damaged.
    """
    try:
        head = evidence.read(offset, 4 * _SECTOR)
        at = next(n for n in range(0, 4 * _SECTOR, _SECTOR) if head[n : n + 8] == b"LABELONE")
        start = at + struct.unpack_from("<I", head, at + 20)[0]
        identity = head[start : start + 32].decode("ascii")
        areas, row = [], start + 40
        for _ in range(2):  # Two lists, each ended by zeros: areas of data, areas of metadata.
            while (pair := struct.unpack_from("<QQ", head, row)) != (0, 0):
                areas.append(pair)
                row += 16
            areas.append((0, 0))
            row += 16
        metadata = [pair for pair in areas[areas.index((0, 0)) + 1 :] if pair != (0, 0)]
    except (StopIteration, struct.error, UnicodeDecodeError):
        raise EvidenceError("its LVM label is damaged") from None
    texts = [_text(evidence, offset + place) for place, _ in metadata]
    return PhysicalVolume(identity, evidence, offset, size, max(texts, key=_sequence, default=""))


def _crc(raw: bytes) -> int:
    return zlib.crc32(raw, _SEED ^ 0xFFFFFFFF) ^ 0xFFFFFFFF


def _text(evidence: Evidence, at: int) -> str:
    """The description in one metadata area; empty where it is damaged or the area is not used."""
    head = evidence.read(at, _SECTOR)
    if len(head) < _SECTOR or head[4:20] != _MAGIC:
        return ""
    size = struct.unpack_from("<Q", head, 32)[0]
    place, length, check, flags = struct.unpack_from("<QQII", head, 40)
    if flags & 1 or not 0 < length <= min(size, _LARGEST_TEXT) or not _SECTOR <= place < size:
        return ""
    first = min(length, size - place)
    raw = evidence.read(at + place, first) + evidence.read(at + _SECTOR, length - first)  # It is a ring.
    return raw.rstrip(b"\0").decode("utf-8", "replace") if _crc(raw) == check else ""


def _sequence(text: str) -> int:
    found = re.search(r"^\s*seqno = (\d+)", text, re.MULTILINE)
    return int(found[1]) if found else -1


def parse_description(text: str) -> dict[str, Any]:
    """LVM's text format as nested dictionaries.

    Raises:
        EvidenceError: it is not well formed.
    """
    tokens = iter(_TOKEN.findall(text))
    try:
        return _section(tokens, 0, outer=True)
    except (StopIteration, ValueError, RuntimeError):
        raise EvidenceError("the description of its LVM volume group is damaged") from None


def _section(tokens: Any, depth: int, *, outer: bool = False) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for name in tokens:
        if name == "}" and not outer:
            return rows
        sign = next(tokens)
        if sign == "{" and depth < _DEEPEST:
            rows[name] = _section(tokens, depth + 1)
        elif sign == "=":
            rows[name] = _value(next(tokens), tokens)
        else:
            raise ValueError(name)
    if not outer:
        raise ValueError("cut short")
    return rows


def _value(first: str, tokens: Any) -> Any:
    if first == "[":
        items: list[Any] = []
        for item in tokens:
            if item == "]":
                return items
            if item != ",":
                items.append(_value(item, tokens))
        raise ValueError("cut short")
    if first.startswith('"'):
        return re.sub(r"\\(.)", r"\1", first[1:-1])
    return int(first) if re.fullmatch(r"-?\d+", first) else first


@dataclass(frozen=True, slots=True)
class _Group:
    name: str
    extent: int
    volumes: dict[str, dict[str, Any]]
    disks: dict[str, tuple[Evidence | None, int, str]]
    parts: Any


def open_groups(members: Sequence[PhysicalVolume]) -> list[tuple[str, LogicalVolume | str]]:
    """The logical volumes of all groups that these members make up: (name, volume), or (name, why it is not read).

    Raises:
        EvidenceError: no member holds a description that can be understood.
    """
    newest: dict[str, tuple[int, str, dict[str, Any]]] = {}
    for member in members:
        for name, body in parse_description(member.text).items():
            if isinstance(body, dict) and (rank := _sequence(member.text)) > newest.get(str(body.get("id")), (-1,))[0]:
                newest[str(body.get("id"))] = (rank, name, body)
    if not newest:
        raise EvidenceError("no description of its LVM volume group could be read")
    found: list[tuple[str, LogicalVolume | str]] = []
    by_identity = {member.identity: member for member in members}
    for _, name, body in newest.values():
        try:
            group = _group(name, body, by_identity, members[0].evidence.parts)
            for volume, row in group.volumes.items():
                if "VISIBLE" in row.get("status", ()):
                    found.append((f"{clean_name(name)}/{clean_name(volume)}", _logical(group, volume, 0)))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError):
            raise EvidenceError("the description of its LVM volume group is damaged") from None
    return found


def _group(name: str, body: dict[str, Any], members: dict[str, PhysicalVolume], parts: Any) -> _Group:
    disks: dict[str, tuple[Evidence | None, int, str]] = {}
    for disk, row in body["physical_volumes"].items():
        member = members.get(row["id"].replace("-", ""))
        first = int(row["pe_start"]) * _SECTOR
        shown = f"the physical volume {row['id']} of the group"
        disks[disk] = (member.evidence, member.offset + first, shown) if member else (None, first, shown)
    return _Group(name, int(body["extent_size"]) * _SECTOR, body.get("logical_volumes", {}), disks, parts)


def _logical(group: _Group, name: str, depth: int) -> LogicalVolume | str:
    """The volume, or why it is not read."""
    row = group.volumes[name]
    if any(name in (v.get("cow_store"), v.get("merging_store")) for s in group.volumes.values() for v in _segments(s)):
        return "an LVM snapshot: the older state of another volume, which this version does not read"
    pieces: list[_Piece] = []
    for segment in _segments(row):
        kind = segment["type"]
        start, size = (int(segment[k]) * group.extent for k in ("start_extent", "extent_count"))
        if (pieces and start != pieces[-1].start + pieces[-1].size) or start < 0 or size <= 0:
            raise ValueError(name)
        if kind == "striped":
            columns, stripe = _columns(group, segment["stripes"], depth), size
            if len(columns) > 1:
                stripe = int(segment["stripe_size"]) * _SECTOR
        elif kind in ("mirror", "raid1"):
            legs = _columns(group, segment["mirrors" if kind == "mirror" else "raids"], depth)
            columns = [next((c for c in legs if isinstance(c, tuple) and c[0] is not None), legs[0])]
            stripe = size
        elif kind == "error":
            columns, stripe = [(None, 0, "a place that LVM itself marks as lost")], size
        else:
            return f"an LVM volume of type {clean_name(str(kind))[:40]!r}, which this version does not read"
        for column in columns:
            if isinstance(column, str):
                return column
        pieces.append(_Piece(start, size, [c for c in columns if not isinstance(c, str)], stripe))
    if not pieces:
        return "an LVM volume without any extent"
    return LogicalVolume(name, group.parts, pieces)


def _segments(row: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [v for k, v in row.items() if re.fullmatch(r"segment\d+", k) and isinstance(v, dict)]
    return sorted(rows, key=lambda s: int(s["start_extent"]))


def _columns(group: _Group, said: list[Any], depth: int) -> list[tuple[Evidence | None, int, str] | str]:
    """The columns of a segment, each on a physical volume or on another logical one."""
    if depth > _DEEPEST:
        raise ValueError("volumes of volumes without end")
    columns: list[tuple[Evidence | None, int, str] | str] = []
    at = 0
    while at < len(said):
        name, place = said[at], 0
        at += 1
        if at < len(said) and isinstance(said[at], int):
            place = said[at] * group.extent
            at += 1
        if name in group.disks:
            medium, first, shown = group.disks[name]
            columns.append((medium, first + place, shown))
        elif "_rmeta_" not in name:  # A RAID's bookkeeping; the pair's other half has the data.
            below = _logical(group, name, depth + 1)
            columns.append(below if isinstance(below, str) else (below, place, name))
    return columns
