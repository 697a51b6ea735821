"""Names of every origin in one plain form, so that two spellings of one name can be seen to be one.

Three forms of a name, each coarser than the one before:

- :func:`tokens`: Latin letters without marks, in lower case, particles joined to what follows (``Abd al-Rahman``,
  ``O'Neil``, ``van den Berg``); other scripts are transliterated (anyascii);
- :func:`roots`: the names that a short form may stand for (``bill`` -> ``william``), from ``data/nicknames.toml``;
- :func:`sound_key`: consonants as they sound in several languages at once: Mohammed, Muhammad and Mohamad are ``mmd``,
  Chowdhury and Chaudhry ``Cdr``. English codes (Soundex, Metaphone) tear such spellings apart, and with them the
  records of one part of the public; docs/linkage-quality.md measures that.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache, lru_cache
from importlib.resources import files

from anyascii import anyascii

# Titles and relations that stand where a name should: they say nothing about who it is.
_TITLES = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "miss",
        "mx",
        "dr",
        "prof",
        "sir",
        "dame",
        "lord",
        "lady",
        "rev",
        "master",
        "unknown",
        "unk",
        "unnamed",
        "none",
        "null",
        "na",
        "nka",
        "nfa",
        "nonamegiven",
        "baby",
        "tba",
        "tbc",
        "xxx",
        "notknown",
    ]
)
_PARTICLES = frozenset(
    [
        "al",
        "el",
        "ul",
        "abd",
        "abdul",
        "abu",
        "bin",
        "ibn",
        "bint",
        "ben",
        "de",
        "da",
        "di",
        "du",
        "del",
        "della",
        "dos",
        "das",
        "do",
        "la",
        "le",
        "van",
        "von",
        "den",
        "der",
        "ten",
        "ter",
        "st",
        "san",
        "mac",
        "mc",
        "o",
        "ap",
        "ab",
        "ferch",
        "nic",
        "ni",
    ]
)
_SPLIT = re.compile(r"[^a-z]+")
_APOSTROPHE = re.compile(r"['’`ʼ´]")
_SOUNDS = (  # order matters: the longest spelling first
    ("tsch", "C"),
    ("tch", "C"),
    ("sch", "S"),
    ("cz", "C"),
    ("chr", "kr"),
    ("chl", "kl"),
    ("ch", "C"),
    ("shch", "S"),
    ("sh", "S"),
    ("sz", "S"),
    ("szcz", "S"),
    ("ph", "f"),
    ("kh", "k"),
    ("gh", "g"),
    ("ck", "k"),
    ("q", "k"),
    ("x", "ks"),
    ("dzh", "J"),
    ("zh", "J"),
    ("dj", "J"),
    ("dz", "J"),
    ("gu", "G"),
    ("ge", "Je"),
    ("gi", "Ji"),
    ("gy", "Jy"),
    ("j", "J"),
    ("ce", "se"),
    ("ci", "si"),
    ("cy", "sy"),
    ("c", "k"),
    ("th", "t"),
    ("dh", "d"),
    ("bh", "b"),
    ("wh", "v"),
    ("w", "v"),
    ("z", "s"),
    ("ee", "i"),
    ("ie", "i"),
    ("oo", "u"),
    ("ou", "u"),
)
_VOWELS = frozenset("aeiouy")
_GLIDE = re.compile(r"([aeo])w(?![aeiouy])")  # Chowdhury as Choudhury, Hawthorn as Hauthorn


def plain(text: str) -> str:
    """``text`` in lower-case ASCII: marks removed, other scripts transliterated, one blank between words."""
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKD", text)
    return anyascii("".join(one for one in folded if not unicodedata.combining(one))).lower()


@lru_cache(maxsize=200_000)
def tokens(text: str) -> tuple[str, ...]:
    """The parts of a name in order, plain, without titles and fillers.

    A particle is joined to the next part: ``Abd al-Rahman`` -> ``("abdalrahman",)``. A text of particles only is kept
    as it stands, because Van, Le, Do and Ben are names too.
    """
    words = [one for one in _SPLIT.split(_APOSTROPHE.sub("", plain(text))) if one and one not in _TITLES]
    made: list[str] = []
    held = ""
    for number, word in enumerate(words):
        if word in _PARTICLES and number + 1 < len(words):
            held += word
            continue
        made.append(held + word)
        held = ""
    return tuple(made)


@cache
def _groups() -> dict[str, tuple[str, ...]]:
    """Each name with the heads of the groups in which it stands."""
    data = tomllib.loads(files("safelight.linkage").joinpath("data/nicknames.toml").read_text("utf-8"))
    found: dict[str, dict[str, None]] = {}
    for group in [*data["british"], *data["others"]]:
        names = group.split()
        for name in names:
            found.setdefault(name, {})[sound_key(names[0])] = None
            if len(sound_key(name)) > 2:  # a shorter key sounds like too many names
                found.setdefault(sound_key(name), {})[sound_key(names[0])] = None
    return {name: tuple(heads) for name, heads in found.items()}


@lru_cache(maxsize=200_000)
def roots(token: str) -> tuple[str, ...]:
    """What a given name may be short for, as sound keys; the name's own key always among them."""
    key = sound_key(token)
    groups = _groups()
    return tuple(dict.fromkeys((key, *groups.get(token, ()), *groups.get(key, ()))))


@lru_cache(maxsize=200_000)
def sound_key(token: str) -> str:
    """Consonants as they sound, in a first letter that may be a vowel (``A``); very short names keep their vowels."""
    if len(token) < 2:
        return token
    text = _GLIDE.sub(r"\1", token)
    for spelling, sound in _SOUNDS:
        text = text.replace(spelling, sound)
    text = text.replace("G", "g")
    made = "A" if text[0] in "aeiou" else text[0]
    last = text[0]
    for letter in text[1:]:
        if letter != last and letter not in _VOWELS and letter != "h":
            made += letter
        last = letter
    # One consonant is too little to tell names apart: Li, Lee, Le, Lu.
    return made if len(made) > 1 else text


def script(text: str) -> str:
    """The script that most letters of ``text`` are written in (``latin``, ``arabic``, ``cjk``...), or ''."""
    counts: dict[str, int] = {}
    for letter in text:
        if letter.isalpha():
            first = unicodedata.name(letter, "other").split()[0].lower()
            counts[first] = counts.get(first, 0) + 1
    return max(counts, key=lambda one: counts[one]) if counts else ""
