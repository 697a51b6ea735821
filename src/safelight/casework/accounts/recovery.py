"""Somebody has lost the second factor, or the password: an administrator asks, a second person decides.

Nobody is let in by one person's word: who asks cannot say yes, and neither can whom it is for. What was asked, how the
person was recognised and who said yes stands in the ledger.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from axes.utils import reset
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from safelight.casework.accounts.models import Recovery, RecoveryCode, User
from safelight.casework.accounts.services import random_password
from safelight.casework.accounts.sessions import end_sessions
from safelight.casework.base.errors import NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell

GIVEN_FOR = timedelta(days=1)
"""How long a password lasts that was given in a recovery. It opens one page: the one for an own password."""


def approvers_of(user: Any) -> QuerySet[User]:
    """Who may say yes or no for ``user``: administrators, chief officers, and supervisors of the person's unit."""
    heads = Q(role="supervisor", unit=user.unit) if user.unit_id else Q(pk__in=[])
    return User.objects.filter(Q(role__in=("administrator", "chief_officer")) | heads, is_active=True).exclude(
        pk=user.pk
    )


def open_to(actor: Any) -> QuerySet[Recovery]:
    """The recoveries that ``actor`` may see: all for administrators and chief officers, of the unit for supervisors."""
    rows = Recovery.objects.select_related("user", "user__unit", "asked_by", "decided_by")
    if actor.role in ("administrator", "chief_officer"):
        return rows
    if actor.role == "supervisor" and actor.unit_id:
        return rows.filter(user__unit=actor.unit)
    return rows.none()


@transaction.atomic
def ask_recovery(actor: Any, user: User, *, reason: str, identity: str, password: bool = False) -> Recovery:
    """Ask that ``user`` may set up a second factor anew, and with ``password`` also gets a new password.

    Args:
        identity: how the person was recognised ("met in person", "called back on the number of the duty list").

    Raises:
        NotAllowed: the actor is no administrator, or asks for themselves.
        NotPossible: a recovery of this account waits already, or the account is closed.
        Invalid: reason or identity is missing.
    """
    need(actor, "accounts.manage", what="Only an administrator asks for the recovery of an account.")
    if actor.pk == user.pk:
        raise NotAllowed("Nobody recovers their own account.", fix="Ask another administrator.")
    if not user.is_active:
        raise NotPossible(f"The account {user.username} is closed.", fix="Open it first.")
    if Recovery.objects.filter(user=user, decided_at=None).exists():
        raise NotPossible(
            f"A recovery of {user.username} waits already.", fix="It is decided before another is asked for."
        )
    row = Recovery.objects.create(
        user=user,
        password=password,
        reason=required_text(reason, field="reason", what="The reason", longest=2_000),
        identity=required_text(identity, field="identity", what="How the person was recognised", longest=2_000),
        asked_by=actor,
        asked_at=timezone.now(),
    )
    record(
        actor,
        "account.recovery_asked",
        user,
        category=Category.SYSTEM,
        payload={"password": password, "reason": fingerprint(row.reason), "identity": fingerprint(row.identity)},
    )
    tell(approvers_of(user).exclude(pk=actor.pk), "account.recovery_asked", None, key=f"recovery:{row.pk}")
    return row


@transaction.atomic
def decide_recovery(actor: Any, recovery: Recovery, *, approve: bool, note: str = "") -> str:
    """Say yes or no to a recovery. Yes: every factor, code and session of the person ends.

    Returns:
        The new password, to be given to the person; "" where none was asked for. It is kept nowhere.

    Raises:
        NotAllowed: the actor asked for it, is the person, or may not decide for this unit.
        NotPossible: it is decided already.
    """
    recovery = Recovery.objects.select_for_update(of=("self",)).select_related("user").get(pk=recovery.pk)
    user = recovery.user
    need(actor, "accounts.decide_recovery", what="You may not decide about the recovery of an account.")
    if actor.pk in (recovery.asked_by_id, user.pk):
        raise NotAllowed("A second person decides: not who asked, and not whom it is for.", fix="Ask a colleague.")
    if not approvers_of(user).filter(pk=actor.pk).exists():
        raise NotAllowed("You decide for people of your own unit only.", fix="Ask an administrator or a chief officer.")
    if recovery.decided_at is not None:
        raise NotPossible("This recovery is decided already.")
    recovery.approved, recovery.decided_by, recovery.decided_at = approve, actor, timezone.now()
    recovery.note = note.strip()[:2_000]
    recovery.save()
    given = _carry_out(actor, recovery) if approve else ""
    verb = "account.recovery_approved" if approve else "account.recovery_refused"
    record(
        actor,
        verb,
        user,
        category=Category.SYSTEM,
        payload={"asked_by": recovery.asked_by_id, "password": recovery.password, "note": fingerprint(recovery.note)},
    )
    tell([user, recovery.asked_by], verb, None)
    return given


def _carry_out(actor: Any, recovery: Recovery) -> str:
    user, given = recovery.user, ""
    Authenticator.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    if recovery.password:
        given = random_password()
        user.set_password(given)
        user.given_password_until = timezone.now() + GIVEN_FOR
        user.save(update_fields=["password", "given_password_until"])
        reset(username=user.username)
    end_sessions(actor, user, why="the account was recovered")
    return given
