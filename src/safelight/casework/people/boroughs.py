"""Boroughs as people write them, the unit that polices each and the social care that protects its children."""

from __future__ import annotations

import re

from safelight.casework.base.standards import standards
from safelight.standards.model import social_care_of

_STYLE = re.compile(r"^(the )?((london|royal) borough( of)?|city( of)?(?= westminster)|lb|rb)\s+|\s+(council|borough)$")


def _key(text: str) -> str:
    words = " ".join(text.casefold().replace("&", " and ").replace("-", " ").split())
    return _STYLE.sub("", words).strip()


def boroughs() -> list[str]:
    """Every borough of the standards, in alphabetical order."""
    return sorted(borough for unit in standards().units.values() for borough in unit.boroughs)


def known_borough(text: str) -> str:
    """The borough as the standards write it ("lb camden" -> "Camden"); "" when it is none of them."""
    wanted = _key(text)
    return next((borough for borough in boroughs() if _key(borough) == wanted), "") if wanted else ""


def unit_code_of(borough: str) -> str:
    """The code of the unit that polices ``borough`` (standards/units.toml); "" when it is none of ours."""
    name = known_borough(borough)
    return next((code for code, unit in standards().units.items() if name and name in unit.boroughs), "")


def social_care_for(borough: str) -> str:
    """Which children's social care answers for a child who lives in ``borough``; "" when the borough is not ours."""
    name = known_borough(borough)
    return social_care_of(name) if name else ""
