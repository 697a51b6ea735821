"""What was typed, as each database understands it. No sign that anybody types is an error, and none is a command."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from django.db import connection
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL

from safelight.casework.base.errors import Invalid
from safelight.casework.search.models import Entry

LONGEST = 200
MOST_WORDS = 12
SAMPLE, WALK = 1_000, 50_000
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


def matching(kind: str, choices: list[list[str]], *, begun: bool = True) -> QuerySet[Entry]:
    """The entries of ``kind`` that hold one word of each list of ``choices``; of the last list, also words it begins.

    Words come from :func:`understand`: no sign in them means anything to either database. A blank makes a phrase.
    """
    if connection.vendor == "postgresql":
        asked = " & ".join(
            "(" + " | ".join(_pg(word, begun=begun and place == len(choices) - 1) for word in words) + ")"
            for place, words in enumerate(choices)
        )
        # Parameters reach PostgreSQL as text: the kind finds the index of words of its own.
        return Entry.objects.filter(kind=kind).extra(where=["found_by @@ to_tsquery('simple', %s)"], params=[asked])
    found = RawSQL("SELECT rowid FROM search_fts WHERE search_fts MATCH %s", [_match(kind, choices, begun=begun)])
    return Entry.objects.filter(pk__in=found)


def newest(
    kind: str, choices: list[list[str]], *, begun: bool = True, before: int | None = None, most: int
) -> dict[int, int]:
    """The owners of the newest entries of :func:`matching`, by the entry's key, whoever may see them.

    Args:
        before: only entries with lower keys.
        most: how many entries.
    """
    if connection.vendor == "postgresql":
        return _walked(matching(kind, choices, begun=begun), kind, before or 2**62, most)
    # FTS5 goes through its own row numbers backwards and stops; through IN it would first gather every match.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT e.id, e.owner FROM (SELECT rowid FROM search_fts WHERE search_fts MATCH %s AND rowid < %s "
            "ORDER BY rowid DESC LIMIT %s) AS f JOIN search_entry AS e ON e.id = f.rowid",
            [_match(kind, choices, begun=begun), before or 2**62, most],
        )
        return dict(sorted(cursor.fetchall(), reverse=True))


def _walked(found: QuerySet[Entry], kind: str, before: int, most: int) -> dict[int, int]:
    """The newest of ``found`` on PostgreSQL, whose index of words gives matches in no order and only all of them.

    The newest entries of the kind are read first. They tell how common the words are: of common ones the walk goes on
    until there are enough; of rare ones the index gives them all.
    """
    rows: dict[int, int] = {}
    for step in (SAMPLE, WALK):
        newest_of_kind = Entry.objects.filter(kind=kind, pk__lt=before).order_by("-pk")
        last = newest_of_kind.values_list("pk", flat=True)[step - 1 : step].first()
        part = found.filter(pk__lt=before) if last is None else found.filter(pk__lt=before, pk__gte=last)
        rows |= dict(part.order_by("-pk").values_list("pk", "owner")[: most - len(rows)])
        if last is None or len(rows) >= most:
            return rows
        before = last
        if len(rows) * (WALK // SAMPLE) < most:
            break
    with connection.cursor() as cursor:  # by the index of words: the walk has shown that it leads to few
        cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_indexscan = off")
        every = dict(found.filter(pk__lt=before).order_by().values_list("pk", "owner"))
        cursor.execute("SET LOCAL enable_seqscan = on; SET LOCAL enable_indexscan = on")
    return rows | {pk: every[pk] for pk in sorted(every, reverse=True)[: most - len(rows)]}


def _match(kind: str, choices: list[list[str]], *, begun: bool) -> str:
    asked = " AND ".join(
        "(" + " OR ".join(_fts(word, begun=begun and place == len(choices) - 1) for word in words) + ")"
        for place, words in enumerate(choices)
    )
    return f'kind : "{kind}" AND words : ({asked})'


def _pg(word: str, *, begun: bool) -> str:
    return f"'{word}'" + (":*" if begun and len(word) >= 3 else "")


def _fts(word: str, *, begun: bool) -> str:
    return f'"{word}"' + (" *" if begun and len(word) >= 3 else "")
