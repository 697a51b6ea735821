"""Digests of a file, and what happens when a piece of it cannot be read."""

from __future__ import annotations

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from safelight.triage import digests
from safelight.triage.digests import digest_content
from safelight.triage.evidence.filesystem import Content


@given(st.binary(max_size=5000), st.integers(1, 999))
def test_one_read_gives_the_three_digests(body: bytes, window: int) -> None:
    """Listed files would not match."""
    old, digests.WINDOW = digests.WINDOW, window
    try:
        found = digest_content(Content(len(body), lambda at, n: body[at : at + n]))
    finally:
        digests.WINDOW = old
    assert (found.md5, found.sha1, found.sha256) == tuple(
        hashlib.new(name, body).hexdigest() for name in ("md5", "sha1", "sha256")
    )
    assert found.bytes_read == len(body) and not found.gaps and found.body is None


def test_a_read_error_in_the_middle_is_a_gap_and_the_rest_is_read() -> None:
    """One bad sector would cost a whole video, or pass as if it had been read."""
    body = bytes(range(256)) * (3 << 12)

    def read(at: int, n: int) -> bytes:
        if at == digests.WINDOW:
            raise OSError("Input/output error")
        return body[at : at + n]

    found = digest_content(Content(len(body), read))
    assert [(g[0], g[1]) for g in found.gaps] == [(digests.WINDOW, digests.WINDOW)]
    assert found.bytes_read == len(body) - digests.WINDOW


def test_a_file_that_ends_early_is_one_gap() -> None:
    """A sparse or cut file would give thousands of lines."""
    found = digest_content(Content(10 << 20, lambda at, n: b"abc" if at == 0 else b""))
    assert len(found.gaps) == 1 and found.gaps[0][:2] == (3, (10 << 20) - 3)


def test_pictures_are_kept_for_the_decoder_only_when_small_and_whole() -> None:
    """A huge or damaged picture would fill the memory."""
    body = b"\xff\xd8\xff" + bytes(5000)
    assert digest_content(Content(len(body), lambda a, n: body[a : a + n]), keep_up_to=5003).body == body
    assert digest_content(Content(len(body), lambda a, n: body[a : a + n]), keep_up_to=5002).body is None
    assert digest_content(Content(9000, lambda a, n: body[a : a + n]), keep_up_to=9000).body is None
