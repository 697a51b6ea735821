"""Who is to be told: the people of a role, as far as they are here."""

from __future__ import annotations

from typing import Any

from safelight.casework.accounts.models import User


def with_role(role: str, unit: Any = None) -> list[User]:
    """Everyone who works in this role; with ``unit`` (a row or its key), only those posted there."""
    people = User.objects.filter(is_active=True, role=role)
    if unit is not None:
        people = people.filter(unit=unit)
    return list(people.order_by("pk"))


def supervisors(unit: Any) -> list[User]:
    """The supervisors of a unit; where it has none, or there is no unit, the chief officers: somebody must hear."""
    found = with_role("supervisor", unit) if unit is not None else []
    return found or chief_officers()


def chief_officers() -> list[User]:
    """Who answers for the whole."""
    return with_role("chief_officer")


def desk() -> list[User]:
    """The referral desk."""
    return with_role("referral_desk")
