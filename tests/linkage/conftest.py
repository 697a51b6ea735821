from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest

from safelight.linkage import Address, LinkStore, Name, PersonRecord


def person(
    key: str, given: str, family: str, born: str = "", place: str = "", source: str = "crime", **rest: Any
) -> PersonRecord:
    """A record in one line: ``born`` ISO, ``place`` as "line, postcode"."""
    line, _, postcode = place.rpartition(", ")
    return PersonRecord(
        source,
        key,
        (Name(given, family),) if given or family else (),
        born=date.fromisoformat(born) if born else None,
        born_precision="day" if born else "none",
        addresses=(Address(line, postcode),) if place else (),
        **rest,
    )


@pytest.fixture
def store() -> Iterator[LinkStore]:
    with LinkStore(threads=2) as made:
        yield made
