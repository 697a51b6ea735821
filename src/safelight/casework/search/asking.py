"""What was typed, as each database understands it. No sign that anybody types is an error, and none is a command."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.db import connection

from safelight.casework.base.errors import Invalid

LONGEST = 200
MOST_WORDS = 12
DIGESTS = {32: "md5", 40: "sha1", 64: "sha256"}
_REFERENCE = re.compile(r"^([A-Za-z])[- ]?0*(\d{1,15})$")
_SIGNS = re.compile("[\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u206f\u3000-\u303f\ufe00-\ufe0f]+")
_MARKS = re.compile("[\u0300-\u036f]")
_FIELD = re.compile(r"\s+")


@dataclass(frozen=True)
class Asked:
    """What was typed (``text``), cut into words; a reference or a digest where it is one."""

    text: str
    words: tuple[str, ...]
    reference: tuple[str, int] | None = None
    digest: tuple[str, str] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The words that may be names: letters only."""
        return tuple(word for word in self.words if len(word) >= 3 and not any(sign.isdigit() for sign in word))


def understand(text: str) -> Asked:
    """Raises Invalid when nothing that can be looked for was typed, or more than fits in a search."""
    said = _FIELD.sub(" ", unicodedata.normalize("NFC", "".join(c for c in text if not _unkept(c)))).strip()
    if not said:
        raise Invalid(
            "Nothing was typed.", fix="Type a reference, a name, an address, a number or words from a note.", field="q"
        )
    if len(said) > LONGEST:
        raise Invalid(
            f"That is {len(said)} characters long; a search takes {LONGEST}.", fix="Take the rarest words of it.",
            field="q",
        )  # fmt: skip
    words = tuple(dict.fromkeys(word for word in _cut(said) if any(sign.isalnum() for sign in word)))
    if len(words) > MOST_WORDS:
        raise Invalid(
            f"Those are {len(words)} words; a search takes {MOST_WORDS}.", fix="Take the rarest of them.", field="q"
        )
    found = _REFERENCE.match(said)
    bare = said.replace(" ", "").lower()
    kind = DIGESTS.get(len(bare)) if re.fullmatch("[0-9a-f]+", bare) else None
    return Asked(
        said, words, (found[1].upper(), int(found[2])) if found else None, (kind, bare) if kind else None
    )  # fmt: skip


def _unkept(character: str) -> bool:
    """Characters that no record holds (NUL, half surrogates)."""
    return unicodedata.category(character) in ("Cs", "Cc") and not character.isspace()


def fold(text: str) -> str:
    """As the function safelight_fold of PostgreSQL: accents and capitals off, signs to blanks."""
    plain = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))
    return " ".join(_SIGNS.sub(" ", plain).lower().split())


def _cut(text: str) -> list[str]:
    """The words of ``text``. FTS5 takes accents off by itself, and from fewer letters than :func:`fold` does."""
    return (fold(text) if connection.vendor == "postgresql" else _SIGNS.sub(" ", text).lower()).split()
