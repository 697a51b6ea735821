"""Sessions: how long they last, how many there may be, and how a person ends the others.

The limits are rows of standards/sign_in.toml. What allauth.usersessions keeps (address and browser of each session) is
the list that a person sees; the session itself says when it began and when it was last used.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.core.internal.sessionkit import get_session_user
from allauth.usersessions.models import UserSession
from django.contrib.auth.signals import user_logged_in
from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from safelight.casework.accounts.second_factor import rule_for
from safelight.casework.base.errors import NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell

SERVICE_SESSION = "service_session"
"""In a session: [account, number that the force's sign-in service gives its own session]."""
BEGAN, USED = "began_at", "used_at"
NOTED_EVERY = 60  # seconds; writing at every page would cost a write a page


@receiver(user_logged_in)
def _began(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """However somebody signs in, the session says when it began."""
    request.session[BEGAN] = request.session[USED] = time.time()


def over(request: HttpRequest) -> str:
    """Why the session of a signed-in person is over: "idle", "long", or "" while it is not.

    A part of a page that asks again by itself (htmx) is not somebody at the keyboard: it keeps no session alive.
    """
    session, rule, now = request.session, rule_for(request.user), time.time()
    began = session.setdefault(BEGAN, now)
    used = session.get(USED)
    if now - began > rule.longest_hours * 3600:
        return "long"
    if used is not None and now - used > rule.idle_minutes * 60:
        return "idle"
    if used is None or (now - used > NOTED_EVERY and not request.headers.get("HX-Request")):
        session[USED] = now
        UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=timezone.now())
    return ""


def sessions_of(user: Any) -> list[UserSession]:
    """The sessions of ``user`` that are still alive, newest first. Asks only: dead ones go at the next sign-in."""
    rows = UserSession.objects.filter(user=user).order_by("-created_at", "-pk")
    return [row for row in rows if is_alive(row)]


def is_alive(row: UserSession) -> bool:
    """Whether its session is there, within its longest time, and as the person's password is now."""
    return get_session_user(SessionStore(row.session_key)) is not None


def open_sessions(user: Any) -> int:
    """How many sessions of ``user`` are alive and within their longest time."""
    since = timezone.now() - timedelta(hours=rule_for(user).longest_hours)
    return sum(row.created_at >= since for row in sessions_of(user))


@transaction.atomic
def end_sessions(
    actor: Any, user: Any, *, keep: str | None = None, only: int | None = None, why: str, said: Any = None
) -> int:
    """End sessions of ``user``: all but the one whose key is ``keep``, or only the one with this number.

    ``why`` is a phrase of ours; ``said`` the fingerprint of what somebody typed beside it.

    Returns:
        How many ended.
    """
    rows = UserSession.objects.filter(user=user).exclude(session_key=keep or "")
    rows = rows if only is None else rows.filter(pk=only)
    # Also those that a password changed a moment ago shuts out.
    ended = [row for row in rows if SessionStore(row.session_key).load()]
    if ended:
        for row in rows:  # what is dead goes with them
            row.end()
        record(
            actor,
            "account.sessions_ended",
            user,
            category=Category.SYSTEM,
            payload={"sessions": len(ended), **({"said": said} if said else {})},
            reason=why,
        )
    return len(ended)


@transaction.atomic
def end_sessions_of(actor: Any, user: Any, *, reason: str) -> int:
    """An administrator ends every session of somebody else, whose account stays open.

    Returns:
        How many ended.

    Raises:
        NotAllowed: the actor is no administrator.
        NotPossible: it is the actor's own account, or it has no session.
        Invalid: the reason is missing.
    """
    need(actor, "accounts.manage", what="Only an administrator ends the sessions of somebody else.")
    if actor.pk == user.pk:
        raise NotPossible("These are your own sessions.", fix="End them on the page How I sign in.")
    said = fingerprint(required_text(reason, field="reason", what="The reason", longest=500))
    ended = end_sessions(actor, user, why="ended by an administrator", said=said)
    if not ended:
        raise NotPossible(f"{user.name} has no session.")
    tell([user], "account.sessions_ended", None)
    return ended


def note_service_session(request: HttpRequest, user: Any, number: str) -> None:
    """Remember which session of the force's sign-in service this one hangs on ("" where it does not say)."""
    request.session[SERVICE_SESSION] = [str(user.pk), number]


@transaction.atomic
def signed_in(request: HttpRequest, user: Any) -> None:
    """Somebody has signed in: the ledger says so, and the oldest sessions beyond the role's number end."""
    steps = get_authentication_records(request, user)
    how = [one.get("type") or one.get("provider") or one["method"] for one in steps]
    record(user, "account.signed_in", user, category=Category.SYSTEM, payload={"by": how})
    # As it stands in the database the session is nobody's yet, and the list would drop it.
    request.session.save()
    here = request.session.session_key
    owner, number = request.session.get(SERVICE_SESSION, ("", ""))
    if owner == str(user.pk) and number:
        UserSession.objects.filter(session_key=here).update(data={SERVICE_SESSION: number})
    others = sorted(UserSession.objects.purge_and_list(user), key=lambda row: row.created_at, reverse=True)
    others = [row for row in others if row.session_key != here]
    for row in others[max(rule_for(user).sessions - 1, 0) :]:
        end_sessions(user, user, only=row.pk, why="more sessions than the role may have")
