"""The words of an encrypted text that can be searched for, as keyed tokens."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from safelight.casework.ciphers.cipher import token
from safelight.casework.ciphers.ring import Key

LEAST = 3  # letters of a beginning that can be searched for
MOST = 20  # letters of a word whose beginnings can
_SIGNS = re.compile(r"[^\w]+|_")
_MARKS = re.compile("[\u0300-\u036f]")
_JOINTS = str.maketrans("", "", " -()+")


def words_of(text: str) -> list[str]:
    """The words of ``text`` without capitals, accents and signs."""
    plain = unicodedata.normalize("NFC", _MARKS.sub("", unicodedata.normalize("NFKD", text)))
    return _SIGNS.sub(" ", plain).lower().split()


def tokens(
    key: Key, table: str, column: str, texts: tuple[str, ...], begins: Iterable[tuple[str, str]] = ()
) -> list[str]:
    """One token for each word, for each text without its blanks, and for each beginning of a word of letters.

    Numbers have none for their beginnings: a tree of the digits of all telephone numbers would tell too much.

    Args:
        begins: (name, text) of texts that are found by the beginning of the whole too, from its first letter on.
    """
    found: dict[str, None] = {}
    for text in texts:
        words = words_of(text)
        joined = words_of(text.translate(_JOINTS))
        parts = ("".join(words_of(part)) for part in text.split())  # O'Brien is obrien, too
        for word in (*words, *parts, *(joined if len(joined) == 1 else ())):
            if word:
                found[f"={word}"] = None
        for word in words:
            if not any(sign.isdigit() for sign in word):
                for end in range(LEAST, min(len(word), MOST) + 1):
                    found[f"{word[:end]}*"] = None
    for name, text in begins:
        whole = "".join(words_of(text))
        for end in range(1, min(len(whole), MOST) + 1):
            found[f"^{name}:{whole[:end]}"] = None
    return [token(key, table, column, one) for one in found]


def beginning(keys: tuple[Key, ...], table: str, column: str, name: str, text: str) -> list[str]:
    """The tokens of texts that begin with ``text``, under any of the keys; none where it has no letter or digit."""
    whole = "".join(words_of(text))
    return [token(key, table, column, f"^{name}:{whole[:MOST]}") for key in keys] if whole else []


def asked(keys: tuple[Key, ...], table: str, column: str, word: str, *, begun: bool) -> list[str]:
    """The tokens that hold ``word``, or with ``begun`` what begins with it, under any of the keys."""
    folded = words_of(word)
    if not folded:
        return []
    whole = "".join(folded)
    wanted = [f"={whole}", *([f"{whole[:MOST]}*"] if begun and len(folded) == 1 and len(whole) >= LEAST else [])]
    return [token(key, table, column, one) for key in keys for one in wanted]
