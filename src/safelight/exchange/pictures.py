"""A picture's bytes to its hashes. Pixels exist only in a sandboxed worker; nothing is written anywhere."""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass

from safelight.exchange.errors import BadQuery, NotHashable, Unavailable
from safelight.exchange.query import Query
from safelight.matching.pdq import QUALITY_GATE
from safelight.triage.filetypes import PICTURES, sniff
from safelight.triage.pictures import PicturePool
from safelight.triage.settings import TriageSettings

LARGEST = 8 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Hashed:
    """The hashes of one picture, in the order they are asked, and its PDQ quality (0 to 100).

    Below the quality gate of 50 there is no PDQ among them: it would match at random.
    """

    queries: tuple[Query, ...]
    quality: int


class Pictures:
    """Hashes pictures in workers of `safelight.triage`, which are started with the first picture.

    Args:
        workers: how many at once. seconds: after so long a picture is given up.
    """

    def __init__(self, workers: int = 1, seconds: float = 10.0) -> None:
        settings = TriageSettings(
            picture_workers=workers, picture_seconds=seconds, max_pixels=50_000_000, picture_memory=1536 << 20
        )
        self._pool = PicturePool(settings)

    def hash(self, body: bytes) -> Hashed:
        """MD5, SHA-1, SHA-256 and PDQ of a picture file.

        Raises:
            BadQuery: nothing there, or more than `LARGEST` bytes.
            NotHashable: no picture, one that claims too many pixels, or one that the decoder refuses.
            Unavailable: no decoder can be started; the picture has not been looked at.
        """
        if not body:
            raise BadQuery("The picture is empty.", fix="Send its bytes as the form field 'photo'.", code="no_picture")
        if len(body) > LARGEST:
            raise BadQuery(
                f"The picture has {len(body):,} bytes; at most {LARGEST:,} are taken.",
                fix="Hash it yourself and look up its hash.",
                code="too_large",
                status=413,
            )
        kind = sniff(body[:512])
        if kind not in PICTURES:
            raise NotHashable("These bytes are no picture of a kind that is read.")
        found = self._pool.submit(body, kind).result()
        if not found.tried:
            _log.error("No picture can be hashed: %s.", found.problem)
            raise Unavailable("No picture can be hashed at the moment; this one was not looked at.")
        if found.problem or found.pdq is None:
            raise NotHashable(f"The picture has no PDQ: {found.problem}.", fix="Look up its MD5 or SHA-256 instead.")
        exact = (("md5", hashlib.md5), ("sha1", hashlib.sha1), ("sha256", hashlib.sha256))
        queries = [Query(name, make(body, usedforsecurity=False).digest(), name) for name, make in exact]
        if (found.quality or 0) >= QUALITY_GATE:
            queries.insert(0, Query("pdq", bytes.fromhex(found.pdq), "pdq"))
        return Hashed(tuple(queries), found.quality or 0)

    def close(self) -> None:
        self._pool.close()
