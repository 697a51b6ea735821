"""Making and changing accounts."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.accounts.models import User
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell

FIRST_PASSWORD_FOR = timedelta(days=7)
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"


def random_password() -> str:
    """A password to be given to somebody: drawn, never chosen; 20 signs, 99 bits, none taken for another."""
    return "-".join("".join(secrets.choice(_SIGNS) for _ in range(5)) for _ in range(4))


@transaction.atomic
def create_user(actor: Any, *, username: str, name: str, role: str, unit: Any = None, password: str = "") -> User:
    """Make an account. An empty password makes one that cannot sign in until a password is set.

    A password that an administrator chose lasts a week and opens one page: the one on which its owner chooses another.

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
        user.given_password_until = timezone.now() + FIRST_PASSWORD_FOR if actor is not None else None
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


@transaction.atomic
def own_password_chosen(user: User) -> User:
    """The person has chosen a password that nobody else knows; every other session ends with the old one."""
    user.given_password_until = None
    user.save(update_fields=["given_password_until"])
    record(user, "account.password_changed", user, category=Category.SYSTEM)
    tell([user], "account.password_changed", None)
    return user


@transaction.atomic
def close_account(actor: Any, user: User, *, reason: str) -> User:
    """Nobody signs in with this account any more, and its sessions end at once. What the person did stays theirs.

    Raises:
        NotAllowed: the actor is no administrator.
        NotPossible: it is closed already, is the actor's own, or the last administrator's.
        Invalid: the reason is missing.
    """
    from safelight.casework.accounts.sessions import end_sessions

    need(actor, "accounts.manage", what="Only an administrator closes accounts.")
    if not user.is_active:
        raise NotPossible(f"The account {user.username} is closed already.")
    if actor.pk == user.pk:
        raise NotPossible("Nobody closes their own account.", fix="Ask another administrator.")
    reason = required_text(reason, field="reason", what="The reason", longest=500)
    user.is_active = False
    user.save(update_fields=["is_active"])
    end_sessions(actor, user, why="the account was closed")
    record(actor, "account.closed", user, category=Category.SYSTEM, payload={"reason": fingerprint(reason)})
    return user


@transaction.atomic
def open_account(actor: Any, user: User, *, reason: str) -> User:
    """The account may sign in again.

    Raises: as :func:`close_account`.
    """
    need(actor, "accounts.manage", what="Only an administrator opens accounts.")
    if user.is_active:
        raise NotPossible(f"The account {user.username} is open.")
    reason = required_text(reason, field="reason", what="The reason", longest=500)
    user.is_active = True
    user.save(update_fields=["is_active"])
    record(actor, "account.opened", user, category=Category.SYSTEM, payload={"reason": fingerprint(reason)})
    return user
