"""What a service refuses stands on the form, and nothing of the refused step is kept."""

from __future__ import annotations

import pytest
from django import forms
from django.test import RequestFactory
from tests.casework.factories import make_case

from safelight.casework.base.attempt import attempt, posted
from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.cases.models import Case


class ReasonForm(forms.Form):
    reason = forms.CharField()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "where"),
    [
        (Invalid("Bad.", field="reason"), "reason"),
        (Invalid("Bad.", field="gone"), "__all__"),
        (NotPossible("No."), "__all__"),
    ],
)
def test_the_refusal_is_shown_where_it_belongs_and_undone(error, where):
    case, form = make_case(), ReasonForm({"reason": "x"})

    def step():
        Case.objects.filter(pk=case.pk).update(title="half done")
        raise error

    assert attempt(form, step) is None
    assert str(error) in form.errors[where]
    assert not Case.objects.filter(title="half done").exists()


@pytest.mark.django_db
def test_an_invalid_form_never_reaches_the_service():
    def step():
        raise AssertionError("the service was asked")

    assert attempt(ReasonForm({}), step) is None


def test_an_empty_form_that_was_sent_is_not_taken_for_a_first_look():
    """Otherwise pressing the button of an empty form does nothing at all, without a word."""
    assert posted(RequestFactory().get("/")) is None
    sent = posted(RequestFactory().post("/"))
    assert sent is not None
    assert ReasonForm(sent).errors
