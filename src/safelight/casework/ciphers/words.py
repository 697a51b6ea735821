"""The words of an encrypted text that can be searched for, as keyed tokens."""

from __future__ import annotations

import re
import unicodedata

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


def tokens(key: Key, table: str, column: str, texts: tuple[str, ...]) -> list[str]:
    """One token for each word, for each text without its blanks, and for each beginning of a word of letters.

    Numbers have none for their beginnings: a tree of the digits of all telephone numbers would tell too much.
    """
    found: dict[str, None] = {}
    for text in texts:
        words = words_of(text)
        joined = words_of(text.translate(_JOINTS))
        for word in (*words, *(joined if len(joined) == 1 else ())):
            found[f"={word}"] = None
        for word in words:
            if not any(sign.isdigit() for sign in word):
                for end in range(LEAST, min(len(word), MOST) + 1):
                    found[f"{word[:end]}*"] = None
    return [token(key, table, column, one) for one in found]


def asked(keys: tuple[Key, ...], table: str, column: str, word: str, *, begun: bool) -> list[str]:
    """The tokens that hold ``word``, or with ``begun`` what begins with it, under any of the keys."""
    folded = words_of(word)
    if len(folded) != 1:
        return []
    wanted = [f"={folded[0]}", *([f"{folded[0][:MOST]}*"] if begun and len(folded[0]) >= LEAST else [])]
    return [token(key, table, column, one) for key in keys for one in wanted]
