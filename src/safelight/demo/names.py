"""Names for people who do not exist, and cannot be taken for people who do."""

from __future__ import annotations

import random

_TREES = (
    "Acacia", "Alder", "Ash", "Aspen", "Beech", "Birch", "Cedar", "Cherry", "Cypress", "Elder", "Elm", "Fir",
    "Hawthorn", "Hazel", "Holly", "Hornbeam", "Juniper", "Larch", "Laurel", "Lime", "Magnolia", "Maple", "Medlar",
    "Mulberry", "Oak", "Olive", "Pine", "Plane", "Poplar", "Quince", "Rowan", "Sequoia", "Spruce", "Sycamore",
    "Tamarind", "Teak", "Walnut", "Willow", "Yew", "Zelkova",
)  # fmt: skip
_BIRDS = (
    "Avocet", "Bittern", "Bunting", "Chough", "Coot", "Crane", "Curlew", "Dipper", "Dunlin", "Eider", "Fieldfare",
    "Finch", "Fulmar", "Gannet", "Godwit", "Grebe", "Heron", "Hoopoe", "Kestrel", "Kite", "Knot", "Lapwing", "Linnet",
    "Martin", "Merlin", "Nightjar", "Osprey", "Ouzel", "Petrel", "Pipit", "Plover", "Redstart", "Robin", "Ruff",
    "Siskin", "Smew", "Snipe", "Swift", "Tern", "Wigeon",
)  # fmt: skip
STREETS = ("Example Street", "Sample Road", "Demonstration Lane", "Pretend Close", "Invented Avenue", "Fictional Way")
SCHOOLS = ("Example Primary School", "Sample Academy", "Invented High School", "Pretend Infant School")
PLATFORMS = ("ChatExample", "PhotoSample", "GameDemo", "CloudPretend", "MessageInvented")


def person_name(rng: random.Random) -> tuple[str, str]:
    """(given name, family name), such as ('Hazel', 'Synthetic-Kestrel')."""
    return rng.choice(_TREES), f"Synthetic-{rng.choice(_BIRDS)}"


def officer_name(number: int) -> str:
    """A name for an account, such as 'Rowan Demo-Curlew'; each number below 1,600 gives another."""
    return f"{_TREES[number % len(_TREES)]} Demo-{_BIRDS[(number // len(_TREES) + number) % len(_BIRDS)]}"


def address(rng: random.Random) -> str:
    """An address that is nowhere."""
    return f"{rng.randint(1, 199)} {rng.choice(STREETS)}"


def postcode(line: str) -> str:
    """The postcode of an address, always the same for the same one. No post office knows the area ZZ."""
    number, _, street = line.partition(" ")
    return f"ZZ{STREETS.index(street) + 1} {int(number) % 10}{'ABDEFGHJLN'[int(number) // 10 % 10]}Z"
