"""The second factor: who owes one, who has passed one, and the codes for the day on which it is lost.

TOTP and WebAuthn are allauth's. The recovery codes are ours, because allauth keeps what they are made from; ours are
kept as hashes and shown once.
"""

from __future__ import annotations

import secrets
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from safelight.casework.accounts.models import RecoveryCode
from safelight.casework.base.standards import standards
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import record
from safelight.casework.notices.services import tell
from safelight.standards import SignInRule

CODES = 10
_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # 32, none of which is taken for another
_HINT, _SECRET = 2, 10  # 50 bits are secret
# The secret part is random, so that a tenth of what a password needs is plenty; ten are made at once.
_ITERATIONS = 100_000
_KEY = "second_factor"
KINDS = {"totp": "authenticator app", "webauthn": "security key"}


def rule_for(user: Any) -> SignInRule:
    """What the role of ``user`` owes; a role that the standards do not name owes what an administrator does."""
    rules = standards().sign_in
    return rules.get(user.role) or rules["administrator"]


def owes(user: Any) -> bool:
    """Whether ``user`` may do nothing without a second factor. The demo asks nobody for one, and says so."""
    return bool(settings.SECOND_FACTOR_DUTY) and rule_for(user).second_factor


def has(user: Any) -> bool:
    """Whether ``user`` has an authenticator app or a security key."""
    return bool(is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN]))


def passed(request: HttpRequest) -> bool:
    """Whether this session, and not only this person, has passed a second factor."""
    return bool(request.session.get(_KEY, ["", ""])[0] == str(request.user.pk))


def note_passed(request: HttpRequest, user: Any, how: str) -> None:
    """Remember in the session that ``user`` passed a second factor (``how``: totp, webauthn, code, provider)."""
    request.session[_KEY] = [str(user.pk), how]


def factors_of(user: Any) -> list[Authenticator]:
    """Every authenticator of ``user``, oldest first."""
    return list(Authenticator.objects.filter(user=user).order_by("created_at", "pk"))


def is_last(user: Any) -> bool:
    """Whether taking one authenticator away would leave ``user`` with none."""
    return len(factors_of(user)) < 2


@transaction.atomic
def factor_added(request: HttpRequest, user: Any, kind: str) -> None:
    """A factor was set up in this session: every other session of the person ends, and the person is told."""
    from safelight.casework.accounts.sessions import end_sessions

    note_passed(request, user, kind)
    record(user, "account.factor_added", user, category=Category.SYSTEM, payload={"kind": kind})
    end_sessions(user, user, keep=request.session.session_key, why="a second factor was set up")
    tell([user], "account.factor_changed", None)


@transaction.atomic
def factor_removed(user: Any, kind: str) -> None:
    """A factor was taken away. Codes without any factor are of no use and go too."""
    record(user, "account.factor_removed", user, category=Category.SYSTEM, payload={"kind": kind})
    if not has(user):
        RecoveryCode.objects.filter(user=user).delete()
    tell([user], "account.factor_changed", None)


def _plain(code: str) -> str:
    return "".join(sign for sign in code.upper() if sign in _SIGNS)


@transaction.atomic
def make_codes(user: Any) -> list[str]:
    """Ten new codes such as ``K7MD-93XA-PQR2``; earlier ones are void. This is the only time that they can be read."""
    RecoveryCode.objects.filter(user=user).delete()
    hasher, now = PBKDF2PasswordHasher(), timezone.now()
    made: dict[str, str] = {}
    while len(made) < CODES:
        code = "".join(secrets.choice(_SIGNS) for _ in range(_HINT + _SECRET))
        made.setdefault(code[:_HINT], code)
    RecoveryCode.objects.bulk_create(
        RecoveryCode(
            user=user, hint=hint, made_at=now, digest=hasher.encode(code[_HINT:], hasher.salt(), iterations=_ITERATIONS)
        )
        for hint, code in made.items()
    )
    record(user, "account.codes_made", user, category=Category.SYSTEM, payload={"codes": CODES})
    return ["-".join(code[place : place + 4] for place in (0, 4, 8)) for code in made.values()]


def codes_left(user: Any) -> int:
    """How many codes of ``user`` are not used yet."""
    return RecoveryCode.objects.filter(user=user, used_at=None).count()


def looks_like_code(text: str) -> bool:
    """Whether ``text`` has the length of a recovery code, not of a number of an authenticator app."""
    return len(_plain(text)) == _HINT + _SECRET


@transaction.atomic
def use_code(user: Any, text: str) -> bool:
    """Use up one recovery code of ``user``. False for one that is wrong, used or void."""
    code = _plain(text)
    row = RecoveryCode.objects.select_for_update().filter(user=user, hint=code[:_HINT], used_at=None).first()
    if row is None or not PBKDF2PasswordHasher().verify(code[_HINT:], row.digest):
        return False
    row.used_at = timezone.now()
    row.save(update_fields=["used_at"])
    record(user, "account.code_used", user, category=Category.SYSTEM, payload={"left": codes_left(user)})
    tell([user], "account.code_used", None)
    return True
