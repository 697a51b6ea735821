"""One question: a kind of hash and its value."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.errors import MatchingError
from safelight.exchange.errors import BadQuery
from safelight.matching.hashtext import SIZES, excerpt, parse_digest

#: What each kind is called in python-threatexchange and HMA, where that differs from ours.
ALIASES = {"video_md5": "md5"}
#: Order of the numbers in journal records; only ever added to.
ALGORITHMS = ("md5", "sha1", "sha256", "pdq")
MOST_IN_A_BATCH = 1000

assert set(ALGORITHMS) == set(SIZES)


@dataclass(frozen=True, slots=True)
class Query:
    """A hash that somebody asks about.

    Attributes:
        algorithm: md5, sha1, sha256 or pdq.
        value: 16, 20, 32 or 32 bytes.
        asked_as: the name of the kind as it was asked, for the answer.
    """

    algorithm: str
    value: bytes
    asked_as: str = ""

    @classmethod
    def parse(cls, signal_type: str, signal: str, where: str = "") -> Query:
        """A query from text.

        Args:
            signal_type: one of `ALGORITHMS` or `ALIASES`, in any case.
            signal: hexadecimal digits.
            where: what to call it in a message ("Query 3").

        Raises:
            BadQuery: an unknown kind, the wrong length, or not hexadecimal.
        """
        before = f"{where}: " if where else ""
        kind = signal_type.strip().lower() if isinstance(signal_type, str) else ""
        algorithm = ALIASES.get(kind, kind)
        if algorithm not in SIZES:
            raise BadQuery(
                f"{before}there is no signal type {excerpt(signal_type)!r}.",
                fix=f"Use one of {', '.join((*ALGORITHMS, *ALIASES))}.",
                code="unknown_signal_type",
            )
        if not isinstance(signal, str):
            raise BadQuery(f"{before}the signal is not text.", code="malformed_hash")
        try:
            value = parse_digest(algorithm, signal, f"{before}the {algorithm} value")
        except MatchingError as error:
            raise BadQuery(error.what, fix=error.fix, code="malformed_hash") from error
        return cls(algorithm, value, kind)

    @property
    def text(self) -> str:
        return self.value.hex()
