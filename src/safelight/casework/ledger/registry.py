"""The verbs of the ledger: each app says, in its ``verbs.py``, what its entries are called and how they read."""

from __future__ import annotations

VERBS: dict[str, str] = {}


def register_verbs(verbs: dict[str, str]) -> None:
    """Add verbs, as ``{"case.opened": "opened the case"}``.

    Raises:
        ValueError: a verb is registered twice with different words.
    """
    for code, words in verbs.items():
        if VERBS.setdefault(code, words) != words:
            raise ValueError(f"The ledger verb {code!r} is registered twice: {VERBS[code]!r} and {words!r}.")


def words_for(code: str) -> str:
    """How an entry with this verb reads: '<name> <words> <subject>'."""
    return VERBS.get(code, code)
