"""Making and changing accounts."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record


@transaction.atomic
def create_user(actor: Any, *, username: str, name: str, role: str, unit: Any = None, password: str = "") -> User:
    """Make an account. An empty password makes one that cannot sign in until a password is set.

    Args:
        actor: an administrator; None is the system (the demo, the first account).

    Raises:
        NotAllowed: the actor is no administrator.
        Invalid: the role is unknown, a name is missing, or the username is taken.
    """
    if actor is not None:
        need(actor, "accounts.manage", what="Only an administrator makes accounts.")
    if role not in standards().roles:
        raise Invalid(f"There is no role {role!r}.", fix=f"Use one of {', '.join(standards().roles)}.", field="role")
    username = required_text(username, field="username", what="The username").lower()
    if User.objects.filter(username=username).exists():
        raise Invalid(f"The username {username} is taken.", fix="Choose another.", field="username")
    user = User(username=username, name=required_text(name, field="name", what="The name"), role=role, unit=unit)
    if password:
        user.set_password(password)
    else:
        user.set_unusable_password()
    user.save()
    record(
        actor,
        "account.created",
        user,
        category=Category.SYSTEM,
        payload={"username": username, "role": role, "unit": unit.code if unit else None},
    )
    return user
