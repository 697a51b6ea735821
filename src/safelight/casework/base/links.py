"""Addresses of pages about one record. Django takes every address apart anew; a page of fifty rows spent a tenth of its
time on that."""

from __future__ import annotations

import re
from functools import lru_cache

from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse

_REFERENCE = re.compile(r"[A-Z]{1,3}-\d{6,15}")
_STANDS_FOR = "X-000000"


def address(name: str, *args: object) -> str:
    """``reverse``, kept for pages that take one reference and nothing else.

    Raises:
        NoReverseMatch: there is no such page, or it takes something else.
    """
    if len(args) == 1 and isinstance(args[0], str) and _REFERENCE.fullmatch(args[0]):
        kept = _of_reference(name, get_urlconf(), get_script_prefix())
        if kept is not None:
            return kept.replace(_STANDS_FOR, args[0])
    return reverse(name, args=args or None)


@lru_cache(maxsize=2_000)
def _of_reference(name: str, urlconf: object, prefix: str) -> str | None:
    """The address with a reference that stands for all, None where the page would not take it or shows it otherwise."""
    try:
        found = reverse(name, args=[_STANDS_FOR])
    except NoReverseMatch:
        return None
    return found if found.count(_STANDS_FOR) == 1 else None
