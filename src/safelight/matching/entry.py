"""One entry of a hash set, and where a hash set came from."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

#: known: material that must be found. known-good: files vouched for as harmless. common: often seen, not vouched for.
#: negative: pictures that a person confirmed not to be what they resemble.
KINDS = ("known", "known-good", "common", "negative")


@dataclass(frozen=True, slots=True)
class HashSetEntry:
    """What a list says about one file. Everything but the digests is optional.

    Attributes:
        md5, sha1, sha256: 16, 20, 32 bytes, or None where the list gives none.
        pdq: 32 bytes, the perceptual hash.
        size: bytes of the file.
        category: A, B, C or another code of the site's map; None is uncategorised.
        series, tags: as the list words them.
        victim_identified, offender_identified, is_distributed: None where the list is silent.
        photodna: a received PhotoDNA value, kept as it came and never computed or compared here.
        source_row: the row (text) or number of the item (JSON) in the file it came from, from 1; 0 is unknown.
        source_category: the category as the file wrote it, kept so that a category map set later can still be applied.
    """

    md5: bytes | None = None
    sha1: bytes | None = None
    sha256: bytes | None = None
    pdq: bytes | None = None
    size: int | None = None
    category: str | None = None
    series: str = ""
    tags: str = ""
    victim_identified: bool | None = None
    offender_identified: bool | None = None
    is_distributed: bool | None = None
    photodna: str | None = None
    source_row: int = 0
    source_category: str | None = None

    def canonical(self) -> bytes:
        """A digest of the content, free of where it came from: equal content gives equal bytes."""
        flags = (self.victim_identified, self.offender_identified, self.is_distributed)
        fields = [self.md5, self.sha1, self.sha256, self.pdq, None if self.size is None else b"%d" % self.size]
        fields += [
            None if text is None else text.encode("utf-8", "surrogatepass")
            for text in (self.category, self.series, self.tags)
        ]
        fields += [None if flag is None else b"\x01" if flag else b"\x00" for flag in flags]
        fields.append(None if self.photodna is None else self.photodna.encode("utf-8", "surrogatepass"))
        # Each field carries its length, so that no two different entries can run into the same bytes.
        packed = b"".join(
            b"\xff" * 8 if field is None else len(field).to_bytes(8, "little") + field for field in fields
        )
        return hashlib.sha256(packed).digest()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a hash set came from, for the record that a court may ask for. Times are ISO 8601 with their zone."""

    source: str = ""
    format: str = ""
    received_from: str = ""
    received_at: str = ""
    legal_basis: str = ""


@dataclass(frozen=True, slots=True)
class Counts:
    """How many entries there are, per category (None is uncategorised) and per kind of hash."""

    entries: int
    by_category: dict[str | None, int]
    by_hash: dict[str, int]
