"""Whether the acting user has a right, asked by services."""

from __future__ import annotations

from typing import Any

from safelight.casework.base.errors import NotAllowed


def need(
    actor: Any, rule: str, subject: Any = None, *, what: str, fix: str = "Ask someone whose role allows it."
) -> None:
    """Raise NotAllowed unless ``actor`` has ``rule`` over ``subject``.

    Args:
        what: the refusal as a sentence for the person who meets it ("Only a supervisor may place a hold.").
    """
    if actor is None or not actor.is_active or not actor.has_perm(rule, subject):
        raise NotAllowed(what, fix=fix)


def must(actor: Any, rule: str, subject: Any = None, *, what: str) -> None:
    """As :func:`need`, with the refusal made from what was attempted ("open a case").

    Raises:
        NotAllowed: "You may not open a case."
    """
    need(actor, rule, subject, what=f"You may not {what}.", fix="Ask someone whose role or unit allows it.")
