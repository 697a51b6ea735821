"""The pages of break-glass access, as whoever asks, whoever reviews and whoever may not know meet them."""

from __future__ import annotations

import pytest
from django.urls import reverse
from tests.casework.factories import make_case, make_user

from safelight.casework.breakglass.models import Opening
from safelight.casework.breakglass.services import break_glass, end
from safelight.casework.ledger.models import Category, LedgerEntry
from safelight.casework.ledger.services import record

pytestmark = pytest.mark.django_db
SAID = {"why": "child_at_risk", "reason": "Synthetic: a child called from the address."}


@pytest.fixture
def head():
    return make_user("supervisor")


@pytest.fixture
def case(head):
    return make_case(actor=head, restricted=True)


def test_asking_opens_the_case_under_a_red_banner_until_it_is_ended(case, sign_in) -> None:
    """The officer would forget that every look is on the record."""
    visitor = make_user()
    client = sign_in(visitor)
    shut = client.get(reverse("cases:detail", args=[case.reference]))
    assert shut.status_code == 404 and reverse("breakglass:ask") in shut.content.decode()
    answer = client.post(reverse("breakglass:ask"), {"reference": case.reference, "hours": 3, **SAID}, follow=True)
    assert answer.status_code == 200 and case.title in answer.content.decode()
    for address in (reverse("cases:detail", args=[case.reference]), reverse("work:home")):
        assert "You broke the glass." in client.get(address).content.decode()
    row = Opening.objects.get()
    looked = LedgerEntry.objects.filter(actor=visitor, verb="case.viewed")
    assert looked and all(one.payload["break_glass"] == [row.reference] for one in looked)
    client.post(reverse("breakglass:end", args=[row.reference]))
    assert "You broke the glass." not in client.get(reverse("work:home")).content.decode()
    assert client.get(reverse("cases:detail", args=[case.reference])).status_code == 404
    own = client.get(reverse("breakglass:detail", args=[row.reference])).content.decode()
    assert case.reference in own and case.title not in own


def test_a_guess_that_opens_nothing_leaves_an_entry(sign_in) -> None:
    """Somebody would try every number, and only the hits would be known."""
    visitor = make_user()
    answer = sign_in(visitor).post(reverse("breakglass:ask"), {"reference": "c-000042", "hours": 3, **SAID})
    assert "There is no case with this reference" in answer.content.decode()
    assert LedgerEntry.objects.get(verb="break_glass.refused").payload == {"typed": "C-000042"}


def test_oversight_reviews_without_learning_which_case_it_is(case, head, sign_in) -> None:
    """The restricted case would be known to whoever may hear of every breaking of the glass."""
    visitor = make_user()
    row = break_glass(visitor, reference=case.reference, **SAID)
    sign_in(visitor).get(reverse("cases:detail", args=[case.reference]))
    end(visitor, row)
    chief = sign_in(make_user("chief_officer", None))
    review = reverse("breakglass:review", args=[row.reference])
    for address in (reverse("breakglass:index"), reverse("breakglass:detail", args=[row.reference]), review):
        text = chief.get(address).content.decode()
        assert row.reference in text and visitor.name in text
        assert case.reference not in text and case.title not in text, address
    answer = chief.post(review, {"verdict": "justified", "note": "Synthetic."}, follow=True)
    assert "Justified" in answer.content.decode()
    assert case.reference in sign_in(head).get(reverse("breakglass:detail", args=[row.reference])).content.decode()


def test_who_reviews_and_may_see_the_case_is_told_which_it_is(case, head, sign_in) -> None:
    """A supervisor would say "justified" without knowing of what."""
    visitor = make_user()
    row = break_glass(visitor, reference=case.reference, **SAID)
    end(visitor, row)
    page = sign_in(head).get(reverse("breakglass:review", args=[row.reference])).content.decode()
    assert case.reference in page and case.title in page


def test_the_review_tells_the_looks_apart_by_their_pages(case, head, sign_in) -> None:
    """Three lines "looked at the case" do not say whether the children or the suspect's telephone were read."""
    visitor = make_user()
    row = break_glass(visitor, reference=case.reference, **SAID)
    for tab in ("children", "chronology"):
        record(visitor, "case.viewed", case, category=Category.CONSULTATION, payload={"page": tab})
    end(visitor, row)
    page = sign_in(head).get(reverse("breakglass:review", args=[row.reference])).content.decode()
    assert "Looked at the case: children" in page and "Looked at the case: chronology" in page


def test_whoever_has_no_part_in_it_meets_404(case, sign_in) -> None:
    visitor = make_user()
    row = break_glass(visitor, reference=case.reference, **SAID)
    for stranger in (make_user(), make_user("supervisor"), make_user("supervisor", "SW")):
        client = sign_in(stranger)
        for name in ("detail", "end"):
            ask = client.post if name == "end" else client.get
            assert ask(reverse(f"breakglass:{name}", args=[row.reference])).status_code == 404
        assert row.reference not in client.get(reverse("breakglass:index")).content.decode()
    assert sign_in(visitor).get(reverse("breakglass:review", args=[row.reference])).status_code == 403
