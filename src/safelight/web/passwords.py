"""What may not be a password, beside Django's own rules: what is made of two common ones, and what was in a breach.

Of Django's 20,000 common passwords only 190 have the 12 characters that we ask for, so that the list alone would let
``password1234`` pass.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError

CONTEXT_WORDS = frozenset(
    {
        "safelight", "police", "policing", "constable", "sergeant", "inspector", "detective", "metpolice",
        "metropolitan", "scotlandyard", "custody", "warrant", "supervisor", "administrator", "investigator", "examiner",
        "caid", "kirat", "referral", "safeguarding", "socialcare", "offender", "forensic", "forensics", "evidence",
    }
)  # fmt: skip
"""Words of this place (docs/operations.md): alone, or with one other common word or figures, they are no password."""
_LONGEST = 128


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(CommonPasswordValidator().passwords) | CONTEXT_WORDS


def _plain(part: str) -> bool:
    """A common password, a word of this place, figures only, or one sign repeated."""
    return part in _common() or part.isdecimal() or len(set(part)) == 1


class NotOfCommonOnes:
    """Refuses a password that is a common one, or two of them in a row, whatever signs stand between or around them."""

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        bare = "".join(sign for sign in password.lower() if sign.isalnum())[:_LONGEST]
        if _plain(bare) or any(_plain(bare[:place]) and _plain(bare[place:]) for place in range(1, len(bare))):
            raise ValidationError(
                "This is made of common words or figures, which are guessed first. Take three or four unusual words.",
                code="password_of_common_ones",
            )

    def get_help_text(self) -> str:
        """One sentence."""
        return "Not two common words, and not one with figures behind it."


class NotInBreaches:
    """Refuses a password whose SHA-1 stands in a file of breached ones (the form of Have I Been Pwned's own download).

    Args:
        path: lines ``SHA1:count``, in the order of the digests; "" where the force has no such file.
    """

    def __init__(self, path: str = "") -> None:
        self.path = path

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError."""
        digest = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        if self.path and _stands_in(Path(self.path), digest):
            raise ValidationError(
                "This password was in a breach of another site, and is tried first. Choose another.",
                code="password_breached",
            )

    def get_help_text(self) -> str:
        """One sentence."""
        return "Not one that was in a breach of another site." if self.path else ""


def _stands_in(path: Path, digest: bytes) -> bool:
    """Whether a line of the sorted file begins with ``digest``; some 30 seeks for a thousand million lines."""
    with path.open("rb") as lines:
        low, high = 0, lines.seek(0, os.SEEK_END)
        while low < high:
            middle = (low + high) // 2
            lines.seek(middle)
            if middle:
                lines.readline()
            line = lines.readline().rstrip()
            if not line or line[:40].upper() >= digest:
                high = middle
            else:
                low = middle + 1
        lines.seek(low)
        if low:
            lines.readline()
        return any(line[:40].upper() == digest for line in (lines.readline(), lines.readline()))
