"""The declared policy of a page is kept, whatever the view does."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.test import RequestFactory
from tests.casework.factories import make_case, make_user

from safelight.casework.base.errors import Invalid
from safelight.casework.base.policy import SIGNED_IN, look, page, require
from safelight.casework.base.values import required_text
from safelight.casework.cases.models import Case
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db
factory = RequestFactory()


def ask(view, user, method="get"):
    request = getattr(factory, method)("/x/")
    request.user = user
    return view(request)


def test_a_page_that_shows_a_case_without_recording_the_look_fails_loudly():
    """Otherwise a forgotten line would leave looks at a case without a trace (DPA 2018 section 62)."""

    @page(SIGNED_IN, looks="case")
    def forgetful(request):
        return HttpResponse("a case")

    with pytest.raises(RuntimeError, match="without a ledger entry"):
        ask(forgetful, make_user())


def test_a_look_is_recorded_with_who_and_what():
    case, user = make_case(), make_user()

    @page(SIGNED_IN, looks="case")
    def honest(request):
        look(request, "case", case, tab="summary")
        return HttpResponse("a case")

    assert ask(honest, user).status_code == 200
    entry = LedgerEntry.objects.get(verb="case.viewed")
    assert (entry.actor, entry.category, entry.case_key, entry.subject_label) == (
        user,
        "consultation",
        case.pk,
        case.reference,
    )


def test_what_a_failing_page_wrote_is_undone():
    """Otherwise half a step stands in the case after an error page."""
    case, user = make_case(), make_user()

    @page(SIGNED_IN)
    def breaks(request):
        Case.objects.filter(pk=case.pk).update(title="half done")
        raise Http404

    with pytest.raises(Http404):
        ask(breaks, user)
    case.refresh_from_db()
    assert case.title != "half done"


def test_roles_methods_and_signing_in_are_checked_before_the_view_runs():
    @page("accounts.manage", methods=("POST",))
    def never(request):
        raise AssertionError("the view ran")

    assert ask(never, make_user("administrator")).status_code == 405
    assert ask(never, AnonymousUser(), "post").status_code == 302
    with pytest.raises(PermissionDenied):
        ask(never, make_user("supervisor"), "post")


def test_a_right_over_one_case_is_not_a_right_over_another():
    supervisor = make_user("supervisor")
    require(supervisor, "cases.close", make_case(actor=supervisor))
    with pytest.raises(PermissionDenied):
        require(supervisor, "cases.close", make_case(unit="SW", actor=make_user("supervisor", "SW")))


@pytest.mark.parametrize("text", ["C-1", " c-000001 ", "C-000000000000001"])
def test_a_reference_is_read_as_people_write_it(text):
    assert Case.key_of(text) == 1


@pytest.mark.parametrize("text", ["", "C-", "R-000001", "C-x", "C-1-1", "C--1", "C-" + "9" * 16, "1"])
def test_anything_else_is_not_found(text):
    """Otherwise a mistyped address shows an error page with a trace."""
    with pytest.raises(Http404):
        Case.key_of(text)


def test_blank_text_is_missing():
    with pytest.raises(Invalid) as caught:
        required_text(" \n\t", field="reason", what="The reason")
    assert caught.value.field == "reason"
