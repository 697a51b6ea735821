"""The force's own sign-in service (OpenID Connect): who of its people is which account.

No account is ever made by signing in. Whom Safelight does not know is told what to do, and an administrator connects
the person with an account or turns them away.
"""

from __future__ import annotations

from typing import Any

from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from safelight.casework.accounts.models import UnknownSubject, User
from safelight.casework.base.errors import NotPossible
from safelight.casework.base.rights import need
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.services import tell


@transaction.atomic
def note_unknown(provider: str, subject: str, said: str) -> UnknownSubject:
    """Somebody came whom no account knows. Administrators hear of each person once."""
    now = timezone.now()
    row, made = UnknownSubject.objects.get_or_create(
        provider=provider[:60],
        subject=subject[:191],
        defaults={"said": said.replace("\x00", "")[:200], "first_at": now, "last_at": now},
    )
    if made:
        record(None, "account.unknown_subject", row, category=Category.SYSTEM, payload={"provider": row.provider})
        heads = User.objects.filter(role="administrator", is_active=True)
        tell(heads, "account.unknown_subject", None, key=f"unknown-subject:{row.pk}")
    else:
        UnknownSubject.objects.filter(pk=row.pk).update(tries=F("tries") + 1, last_at=now)
    return row


@transaction.atomic
def connect(actor: Any, unknown: UnknownSubject, *, user: User) -> SocialAccount:
    """From now on this person of the sign-in service is the account ``user``.

    Raises:
        NotAllowed: the actor is no administrator.
        NotPossible: it is settled already, or the account is closed or connected with somebody else.
    """
    need(actor, "accounts.manage", what="Only an administrator connects people with accounts.")
    unknown = UnknownSubject.objects.select_for_update(of=("self",)).get(pk=unknown.pk)
    if unknown.settled_at is not None:
        raise NotPossible("This person was connected or turned away already.")
    if not user.is_active:
        raise NotPossible(f"The account {user.username} is closed.", fix="Open it, or choose another.")
    if SocialAccount.objects.filter(user=user, provider=unknown.provider).exists():
        raise NotPossible(
            f"The account {user.username} is connected with somebody of this service already.",
            fix="Disconnect it first, or choose another account.",
        )
    row = SocialAccount.objects.create(user=user, provider=unknown.provider, uid=unknown.subject)
    _settle(actor, unknown)
    record(actor, "account.connected", user, category=Category.SYSTEM, payload={"provider": unknown.provider})
    tell([user], "account.connected", None)
    return row


@transaction.atomic
def turn_away(actor: Any, unknown: UnknownSubject) -> UnknownSubject:
    """This person gets no account. They are told the same as before when they come again.

    Raises:
        NotAllowed: the actor is no administrator.
    """
    need(actor, "accounts.manage", what="Only an administrator turns people away.")
    _settle(actor, unknown)
    record(actor, "account.turned_away", unknown, category=Category.SYSTEM, payload={"provider": unknown.provider})
    return unknown


@transaction.atomic
def ended_there(provider: str, subject: str, number: str) -> int:
    """The sign-in service says that a session is over there: with ``number`` that one, without it all of ``subject``.

    Returns:
        How many sessions ended here.
    """
    from safelight.casework.accounts.sessions import SERVICE_SESSION, end_sessions

    rows = UserSession.objects.select_related("user")
    if subject:
        people = SocialAccount.objects.filter(provider=provider, uid=subject).values("user")
        rows = rows.filter(user__in=people)
    if number:
        rows = rows.filter(**{f"data__{SERVICE_SESSION}": number})
    why = "the sign-in service ended it"
    return sum(end_sessions(None, row.user, only=row.pk, why=why) for row in rows.order_by("pk"))


def _settle(actor: Any, unknown: UnknownSubject) -> None:
    unknown.settled_at, unknown.settled_by = timezone.now(), actor
    unknown.save(update_fields=["settled_at", "settled_by"])


@transaction.atomic
def disconnect(actor: Any, row: SocialAccount) -> User:
    """The person of the sign-in service is this account no longer; its sessions end.

    Raises:
        NotAllowed: the actor is no administrator.
    """
    from safelight.casework.accounts.sessions import end_sessions

    need(actor, "accounts.manage", what="Only an administrator disconnects people from accounts.")
    user, provider = row.user, row.provider
    UnknownSubject.objects.filter(provider=provider, subject=row.uid).update(settled_at=None, settled_by=None)
    row.delete()
    end_sessions(actor, user, why="the sign-in service was disconnected")
    record(actor, "account.disconnected", user, category=Category.SYSTEM, payload={"provider": provider})
    tell([user], "account.connected", None)
    return user
