"""Digests as people write them: hexadecimal text to bytes, with an error that says what is wrong with which one."""

from __future__ import annotations

import re

from safelight.errors import MatchingError

#: Bytes in a value of each kind that we index.
SIZES = {"md5": 16, "sha1": 20, "sha256": 32, "pdq": 32}

_HEX = re.compile(r"[0-9a-fA-F]*\Z", re.ASCII)


def excerpt(value: object, limit: int = 60) -> str:
    """A value shortened for a message, with control characters made visible."""
    text = ascii(value) if not isinstance(value, str) else value
    if len(text) <= limit and text.isprintable():
        return text
    text = "".join(c if c.isprintable() else "?" for c in text[: limit + 1])
    return text if len(text) <= limit else text[:limit] + "..."


def parse_hex(text: str, size: int, where: str) -> bytes:
    """Turn hexadecimal digits into `size` bytes.

    Surrounding white space is allowed, upper and lower case are the same.

    Raises:
        MatchingError: the length is wrong or a character is not hexadecimal; `where` names the field or row.
    """
    stripped = text.strip()
    if len(stripped) != 2 * size:
        raise MatchingError(
            f"{where} has {len(stripped)} characters where {2 * size} hexadecimal digits belong: {excerpt(stripped)!r}."
        )
    if not _HEX.match(stripped):
        raise MatchingError(f"{where} is not hexadecimal: {excerpt(stripped)!r}.")
    return bytes.fromhex(stripped)


def parse_digest(algorithm: str, text: str, where: str = "") -> bytes:
    """As `parse_hex`, with the size that belongs to `md5`, `sha1`, `sha256` or `pdq`.

    Raises:
        MatchingError: an algorithm we do not know, or a malformed value.
    """
    size = SIZES.get(algorithm)
    if size is None:
        raise MatchingError(f"No such digest: {excerpt(algorithm)!r}.", fix=f"Use one of {', '.join(SIZES)}.")
    return parse_hex(text, size, where or algorithm.upper())
