"""Whoever rings the administrator with a good story would have somebody else's account."""

from __future__ import annotations

import re

import pytest
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_user
from tests.web.security.people import number, signed_in, with_app

from safelight.casework.accounts.models import Recovery, RecoveryCode
from safelight.casework.accounts.recovery import ask_recovery, decide_recovery
from safelight.casework.accounts.second_factor import make_codes
from safelight.casework.accounts.services import close_account, open_account
from safelight.casework.accounts.work import items_for
from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice

pytestmark = pytest.mark.django_db
WHY = {"reason": "Telephone lost.", "identity": "Met in person."}


def test_one_person_alone_recovers_nothing():
    """One administrator, or one who was talked into it, would open any account."""
    admin, user = make_user("administrator"), make_user()
    with_app(user)
    row = ask_recovery(admin, user, **WHY)
    with pytest.raises(NotAllowed, match="second person"):
        decide_recovery(admin, row, approve=True)
    for who in (user, make_user(), make_user("auditor", None), make_user("supervisor", "SW")):
        with pytest.raises(NotAllowed):
            decide_recovery(who, row, approve=True)
    assert Authenticator.objects.filter(user=user).exists()
    with pytest.raises(NotAllowed):
        ask_recovery(make_user("supervisor"), user, **WHY)
    with pytest.raises(NotAllowed, match="their own"):
        ask_recovery(admin, admin, **WHY)
    # And not past the services either.
    for wrong in ({"decided_by": admin, "decided_at": timezone.now()}, {"asked_by": user}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Recovery.objects.filter(pk=row.pk).update(**wrong)


def test_a_second_person_agrees_and_everything_old_ends(sign_in):
    """The lost telephone, the old codes or an open session would still be a way in."""
    admin, head = make_user("administrator"), make_user("supervisor")
    user = make_user()
    user.set_password("synthetic words for tests")
    user.save()
    secret = with_app(user)
    make_codes(user)
    inside = signed_in(user, secret)
    assert inside.get("/standards/").status_code == 200
    row = ask_recovery(admin, user, password=True, **WHY)
    assert [item.url for item in items_for(head)] == [reverse("accounts:recovery", args=[row.pk])]
    assert items_for(admin) == [] and Notice.objects.filter(user=head, kind="account.recovery_asked").exists()
    client = sign_in(head)
    assert b"Telephone lost." in client.get(reverse("accounts:recovery", args=[row.pk])).content
    page = client.post(reverse("accounts:recovery", args=[row.pk]), {"approve": "yes", "note": "Spoke to him."})
    given = re.search(r"<code[^>]*>([a-z2-9]{5}(?:-[a-z2-9]{5}){3})</code>", page.content.decode())[1]
    assert inside.get("/standards/").status_code == 302
    assert not Authenticator.objects.filter(user=user).exists() and not RecoveryCode.objects.filter(user=user).exists()
    user.refresh_from_db()
    assert user.check_password(given) and user.given_password_until > timezone.now()
    told = str(list(LedgerEntry.objects.values_list("payload", "reason"))) + str(list(Notice.objects.values()))
    assert given not in told and "Telephone" not in told and "Spoke" not in told
    assert set(LedgerEntry.objects.filter(subject_id=str(user.pk)).values_list("verb", "actor")) >= {
        ("account.recovery_asked", admin.pk),
        ("account.recovery_approved", head.pk),
        ("account.sessions_ended", head.pk),
    }
    with pytest.raises(NotPossible, match="decided already"):
        decide_recovery(make_user("chief_officer", None), row, approve=True)


def test_no_changes_nothing_and_is_told():
    """A refusal would look to the administrator like nobody having looked."""
    admin, user = make_user("administrator"), make_user()
    secret = with_app(user)
    row = ask_recovery(admin, user, **WHY)
    with pytest.raises(NotPossible, match="waits already"):
        ask_recovery(make_user("administrator"), user, **WHY)
    decide_recovery(make_user("chief_officer", None), row, approve=False, note="Nobody knows of it.")
    assert number(secret) and Authenticator.objects.filter(user=user).exists()
    assert Notice.objects.filter(kind="account.recovery_refused", user=admin).exists()
    assert Notice.objects.filter(kind="account.recovery_refused", user=user).exists()


@pytest.mark.parametrize("field", ["reason", "identity"])
def test_the_reason_and_how_the_person_was_known_are_needed(field):
    """The second person would have nothing to judge by."""
    with pytest.raises(Invalid) as caught:
        ask_recovery(make_user("administrator"), make_user(), **{**WHY, field: "  "})
    assert caught.value.field == field


def test_accounts_are_closed_and_opened_with_a_reason_but_not_by_themselves(sign_in):
    """An administrator would close themselves out, or an account vanish without a word."""
    admin, user = make_user("administrator"), make_user()
    with pytest.raises(NotPossible, match="their own"):
        close_account(admin, admin, reason="Synthetic.")
    with pytest.raises(NotAllowed):
        close_account(make_user("supervisor"), user, reason="Synthetic.")
    with pytest.raises(NotPossible, match="is open"):
        open_account(admin, user, reason="Synthetic.")
    client = sign_in(admin)
    page = reverse("accounts:close", args=[user.username])
    assert b"Enter" in client.post(page, {"reason": ""}).content or client.get(page).status_code == 200
    assert client.post(page, {"reason": "Left the force."}).status_code == 302
    user.refresh_from_db()
    assert not user.is_active
    with pytest.raises(NotPossible, match="closed"):
        ask_recovery(admin, user, **WHY)
    client.post(reverse("accounts:reopen", args=[user.username]), {"reason": "Came back."})
    user.refresh_from_db()
    assert user.is_active
    assert LedgerEntry.objects.filter(verb__in=("account.closed", "account.opened"), actor=admin).count() == 2


OPEN = {
    **{
        f"accounts:{name}": ("administrator",)
        for name in ("detail", "recover", "close", "reopen", "subjects", "subject")
    },
    **{f"accounts:{name}": ("administrator", "supervisor", "chief_officer") for name in ("recoveries", "recovery")},
}


def test_who_opens_the_pages_of_accounts(sign_in):
    """Roles, reasons and second factors of everybody would stand open to everybody."""
    from safelight.casework.accounts.external import note_unknown

    admin, user = make_user("administrator"), make_user()
    row = ask_recovery(admin, user, **WHY)
    stranger = note_unknown("force", "123", "Pat Synthetic")
    roles_of_a_unit = ("referral_desk", "investigator", "supervisor", "examiner", "offender_manager")
    people = [make_user(role) for role in roles_of_a_unit]
    people += [make_user(role, None) for role in ("partner", "auditor", "chief_officer", "exchange_manager")]
    people += [admin, make_user("custody_officer")]
    given = {"accounts:recovery": [row.pk], "accounts:subject": [stranger.pk]}
    given |= {"accounts:subjects": [], "accounts:recoveries": []}
    for name, roles in OPEN.items():
        address = reverse(name, args=given.get(name, [user.username]))
        for person in people:
            expected = 200 if person.role in roles else 403
            assert sign_in(person).get(address).status_code == expected, (name, person.role)
    other = sign_in(make_user("supervisor", "SW"))
    assert other.get(reverse("accounts:recovery", args=[row.pk])).status_code == 404
    assert user.username not in other.get(reverse("accounts:recoveries")).content.decode()
    assert sign_in(make_user()).post(reverse("accounts:disconnect", args=[user.username])).status_code == 403


def test_nonsense_in_a_form_of_accounts_ends_in_words(sign_in):
    """At 2 a.m. a slip of the keyboard would end in 'server error', or close an account."""
    from tests.casework.test_forms_survive import GARBAGE

    from safelight.casework.accounts.external import note_unknown

    admin, head, user = make_user("administrator"), make_user("supervisor"), make_user()
    row = ask_recovery(admin, make_user(), **WHY)
    stranger = note_unknown("force", "123", "Pat Synthetic")
    forms = {
        reverse("accounts:subject", args=[stranger.pk]): ("username",),
        reverse("accounts:recovery", args=[row.pk]): ("approve", "note"),
        reverse("accounts:reopen", args=[user.username]): ("reason",),
    }
    for address, fields in forms.items():
        client = sign_in(head if "recoveries" in address else admin)
        for kind, value in GARBAGE.items():
            if not value.strip() and "service" in address:
                continue  # nothing at all turns the person away
            answer = client.post(address, dict.fromkeys(fields, value))
            assert answer.status_code == 200 and b"There is a problem" in answer.content, (address, kind)
