"""MD5, SHA-1 and SHA-256 of a file in one read, with memory that does not grow with the file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field

from safelight.triage.evidence.filesystem import Content, add_holes
from safelight.triage.filetypes import HEAD, PICTURES, sniff

WINDOW = 1 << 20
ENDS_EARLY = "the file ends before its recorded size"


@dataclass(slots=True)
class FileDigest:
    """What one read of a file gave.

    `gaps` are the ranges inside the file (offset, size, reason) that could not be read; with any gap the digests
    describe only what was read. `body` is the whole content of a picture that is small enough to be decoded.
    """

    size: int
    bytes_read: int = 0
    md5: str = ""
    sha1: str = ""
    sha256: str = ""
    type: str = ""
    gaps: list[tuple[int, int, str]] = field(default_factory=list)
    body: bytes | None = None


def digest_content(content: Content, *, keep_up_to: int = 0, tick: Callable[[int], None] | None = None) -> FileDigest:
    """Read `content` once from front to back.

    Args:
        content: the file.
        keep_up_to: keep the bytes of a picture no larger than this for the decoder.
        tick: told the bytes of each step, so that a watcher can tell slow from stuck.
    """
    hashes = [hashlib.md5(usedforsecurity=False), hashlib.sha1(usedforsecurity=False), hashlib.sha256()]
    result = FileDigest(content.size)
    kept: list[bytes] | None = None
    at = 0
    while at < content.size:
        want = min(WINDOW, content.size - at)
        reason = ENDS_EARLY
        try:
            piece = content.read(at, want)
        except OSError as error:
            piece, reason = b"", f"read error: {' '.join(str(error).split())[:160].rstrip('.')}"
        if at == 0:
            result.type = sniff(piece[:HEAD])
            if result.type in PICTURES and content.size <= keep_up_to:
                kept = []
        for each in hashes:
            each.update(piece)
        result.bytes_read += len(piece)
        if kept is not None:
            kept.append(piece)
        if len(piece) < want:
            _add_gap(result.gaps, at + len(piece), want - len(piece), reason)
        at += want
        if tick is not None:
            tick(len(piece))
    add_holes(result.gaps, content)
    result.md5, result.sha1, result.sha256 = (each.hexdigest() for each in hashes)
    if kept is not None and not result.gaps:
        result.body = b"".join(kept)
    return result


def _add_gap(gaps: list[tuple[int, int, str]], at: int, size: int, reason: str) -> None:
    if gaps and gaps[-1][0] + gaps[-1][1] == at and gaps[-1][2] == reason:
        at, size = gaps[-1][0], gaps[-1][1] + size
        gaps.pop()
    gaps.append((at, size, reason))
