"""Paths that people and files hand in, kept inside the evidence folder."""

from __future__ import annotations

from pathlib import Path

from safelight.errors import EvidenceError


def resolve_inside(root: Path, path: str) -> Path:
    """The real path of `path` under `root`, links resolved.

    Args:
        root: the evidence folder; it must exist.
        path: relative to `root`, or absolute and inside it.

    Raises:
        EvidenceError: the path is empty, holds a NUL, does not exist, or leads outside `root` (by `..`, by a link or by
            naming another place).
    """
    if not path or not path.strip():
        raise EvidenceError("No path was given.", fix="Name a file inside the evidence folder.")
    if "\0" in path:
        raise EvidenceError(f"The path {path!r} holds a NUL character.", fix="Name a file inside the evidence folder.")
    try:
        base = root.resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise EvidenceError(
            f"The evidence folder {root} cannot be used: {error}.", fix="Set the evidence folder of this bench."
        ) from None
    try:
        # A missing file outside must get the same answer as an existing one: no feeling out what lies elsewhere.
        found = (base / path).resolve(strict=False)
        there = found.exists()
    except (OSError, RuntimeError) as error:
        raise EvidenceError(
            f"The path {path[:200]!r} cannot be followed: {getattr(error, 'strerror', None) or 'a loop of links'}.",
            fix="Name a file inside the evidence folder.",
        ) from None
    if found != base and not found.is_relative_to(base):
        raise EvidenceError(
            f"The path {path!r} leads outside the evidence folder {root}.",
            fix="Copy the image into the evidence folder, and name it there.",
        )
    if not there:
        raise EvidenceError(
            f"There is no {path!r} in the evidence folder {root}.", fix="Check the name and that the disk is mounted."
        )
    return found
