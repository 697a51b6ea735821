"""NCMEC hash sharing, version 2: the XML of `GET /v2/entries`, read as a stream.

Shape: queryResult / images or videos / image, video, deletedImage, deletedVideo (namespace
https://hashsharing.ncmec.org/hashsharing/v2), each with member, id, classification and fingerprints. The scale
A1, A2, B1, B2 is NCMEC's own and no category of ours: the site's map may say what they mean under the context
`ncmec`, where they are the numbers 1 to 4. PhotoDNA values are kept as they came.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from safelight.errors import MatchingError
from safelight.matching.entry import HashSetEntry
from safelight.matching.hashtext import SIZES, excerpt, parse_hex
from safelight.matching.readers.base import Collector

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

NCMEC_CONTEXT = "ncmec"
CLASSIFICATIONS = ("A1", "A2", "B1", "B2")
_ITEMS = ("image", "video")
_DELETED = ("deletedImage", "deletedVideo")


def read_ncmec(path: Path, head: bytes, collector: Collector) -> str:
    """Stream the entries into the collector; returns the format's name.

    Raises:
        MatchingError: not whole XML, XML of another kind, or to be taken as harmless.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    collector.known_only("A list of NCMEC")
    collector.add_context(NCMEC_CONTEXT)
    number, root, more = 0, "", False
    try:
        with collector.open() as file:
            parents: list[Element] = []
            for event, element in iterparse(file, events=("start", "end")):
                name = _local(element.tag)
                if event == "start":
                    root = root or name
                    parents.append(element)
                    continue
                parents.pop()
                more = more or (name == "next" and bool((element.text or "").strip()))
                if name in _ITEMS or name in _DELETED:
                    number += 1
                    _take(element, name, number, collector)
                    if parents:
                        parents[-1].remove(element)  # what was read must not stay in memory
    except (ParseError, DefusedXmlException, UnicodeError) as error:
        raise MatchingError(
            f"{path} is not whole and valid XML ({excerpt(str(error), 120)}); nothing of it was kept.",
            fix="Fetch the entries again.",
        ) from error
    if root != "queryResult":
        raise MatchingError(
            f"{path} is XML, but not of NCMEC's hash sharing: it begins with {excerpt(root, 40)!r}.",
            fix="Give the answer of /v2/entries.",
        )
    if more:
        collector.note("file", "one page of several: the entries of the following pages are not in this file")
    return "NCMEC hash sharing 2"


def _local(tag: object) -> str:
    return str(tag).rpartition("}")[2]


def _take(element: Element, name: str, number: int, collector: Collector) -> None:
    fields = {_local(child.tag): child for child in element}
    label = (fields["id"].text or "").strip() if "id" in fields else ""
    where = f"entry {number}" + (f" (id {excerpt(label, 40)})" if label else "")
    if name in _DELETED:
        collector.reject(where, "withdrawn by the member that had shared it", label)
        return
    prints = {_local(child.tag).lower(): (child.text or "").strip() for child in fields.get("fingerprints", ())}
    try:
        digests = {key: parse_hex(prints[key], size, key.upper()) for key, size in SIZES.items() if prints.get(key)}
    except MatchingError as error:
        collector.reject(where, error.what)
        return
    if not digests:
        collector.reject(where, "no MD5, SHA-1, SHA-256 or PDQ among its fingerprints", ", ".join(sorted(prints)))
        return
    stated = (fields["classification"].text or "").strip() if "classification" in fields else ""
    meaning = CLASSIFICATIONS.index(stated) + 1 if stated in CLASSIFICATIONS else None
    if stated and meaning is None:
        collector.note(where, "classification is none of A1, A2, B1, B2; kept as uncategorised", stated)
    member = fields["member"].get("id", "") if "member" in fields else ""
    collector.add(
        HashSetEntry(
            md5=digests.get("md5"),
            sha1=digests.get("sha1"),
            sha256=digests.get("sha256"),
            pdq=digests.get("pdq"),
            category=collector.category(NCMEC_CONTEXT, meaning, where),
            tags=f"member {excerpt(member, 40)}" if member else "",
            photodna=prints.get("pdna") or None,
            source_row=number,
            source_category=excerpt(stated, 40) or None,
        ),
        where,
    )
