"""Reading the parts of a CyberTipline-style report: people, files, flags, and what no part has read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

_NO = {"false", "no", "0"}


def tag(element: Element) -> str:
    """The name of an element without its namespace ("" for comments and instructions)."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def children(element: Element | None, name: str) -> list[Element]:
    """The direct children with this name."""
    return [] if element is None else [one for one in element if tag(one) == name]


def first(element: Element | None, name: str) -> Element | None:
    """The first direct child with this name."""
    return next(iter(children(element, name)), None)


def child_text(element: Element | None, name: str) -> str:
    """The text of the first direct child with this name, or ""."""
    found = first(element, name)
    return "" if found is None else (found.text or "").strip()


class Used:
    """Remembers which elements have been read, so that the rest can be kept as text."""

    def __init__(self) -> None:
        self._seen: set[int] = set()

    def take(self, element: Element | None) -> str:
        """The text of an element, now read."""
        if element is None:
            return ""
        self._seen.add(id(element))
        return (element.text or "").strip()

    def text(self, element: Element | None, name: str) -> str:
        """The text of the first child with this name, now read; further ones stay for :meth:`rest`."""
        return self.take(first(element, name))

    def mark_names(self, element: Element, names: tuple[str, ...]) -> None:
        """Count every element with one of these names as read."""
        self._seen.update(id(one) for one in element.iter() if tag(one) in names)

    def rest(self, root: Element) -> tuple[tuple[str, str], ...]:
        """(path, text) of every element with text that nobody read, in document order."""
        return tuple(self._rest(root, ""))

    def _rest(self, element: Element, path: str) -> Iterator[tuple[str, str]]:
        for one in element:
            name = tag(one)
            if not name:
                continue
            here = f"{path}{name}"
            text = (one.text or "").strip()
            if text and id(one) not in self._seen:
                yield here, text
            for key, value in one.attrib.items():
                if value.strip() and id(one) not in self._seen:
                    yield f"{here} {key.rpartition('}')[2]}", value
            if (one.tail or "").strip():
                yield f"{path}text", (one.tail or "").strip()
            yield from self._rest(one, f"{here} / ")


def said_yes(element: Element | None, name: str, used: Used) -> bool:
    """A flag is set when its element is there and does not say no; a reason in words counts as yes (and is kept)."""
    found = first(element, name)
    if found is None:
        return False
    text = (found.text or "").strip().casefold()
    if text in {"", "true", "yes", "1", *_NO}:
        used.take(found)
    return text not in _NO


def annotations(summary: Element | None, used: Used) -> list[str]:
    """The names of the sender's annotations that are set (sextortion, minorToMinorInteraction...)."""
    found = first(summary, "reportAnnotations")
    if found is None:
        return []
    return [tag(one) for one in found if tag(one) and said_yes(found, tag(one), used)]


def _inner(element: Element, name: str) -> Element | None:
    """The element that holds the person's own details: a child named like '...Person', or the element itself."""
    return next((one for one in element if tag(one).endswith("Person") or tag(one) == name), None)


def person_fields(element: Element, used: Used) -> dict[str, Any]:
    """Names, age, address and identifiers of a reported user, a victim or a reporting person."""
    inner = _inner(element, "person")
    parts = [element] if inner is None else [inner, element]
    made: dict[str, Any] = {}

    def put(key: str, *names: str) -> None:
        for part in parts:
            for name in names:
                if key not in made and (text := used.text(part, name)):
                    made[key] = text

    put("family_name", "lastName", "surname")
    put("given_names", "firstName", "givenName")
    put("born", "dateOfBirth", "dob")
    put("age", "age")
    put("sex", "gender", "sex")
    for part in parts:
        address = first(part, "address")
        if address is None or "address" in made:
            continue
        lines = [
            used.take(address),
            *(used.text(address, n) for n in ("address", "street", "city", "state", "country")),
        ]
        made["address"] = ", ".join(line for line in lines if line)
        made["postcode"] = used.text(address, "zipCode") or used.text(address, "postcode")
    for key, names in (
        ("screen_names", ("screenName", "displayName")),
        ("emails", ("email",)),
        ("phones", ("phone",)),
        ("profiles", ("profileUrl",)),
        ("accounts", ("espIdentifier",)),
    ):
        found = [used.take(one) for part in parts for name in names for one in children(part, name)]
        made[key] = [text for text in found if text]
    # The address is an identifier; when and at what event it was seen stays in the rest, as the sender wrote it.
    made["ips"] = [
        text for part in parts for event in children(part, "ipCaptureEvent") if (text := child_text(event, "ipAddress"))
    ]
    return {key: value for key, value in made.items() if value}


def file_fields(element: Element, used: Used) -> dict[str, Any]:
    """Name, digests and upload of one file. Its content, were it there, is not read."""
    event = first(element, "ipCaptureEvent")
    made = {
        "name": used.text(element, "originalFileName") or used.text(element, "fileName"),
        "ip": used.text(event, "ipAddress"),
        "uploaded": used.text(event, "dateTime"),
    }
    for one in element.iter():
        name = tag(one)
        kind = (one.get("hashType") or name).casefold().replace("-", "")
        if kind in {"md5", "sha1"} and kind not in made and (one.text or "").strip():
            made[kind] = used.take(one)
    used.take(first(element, "reportId"))
    return {key: value for key, value in made.items() if value}
