"""The pages of custody as a custody officer, a supervisor, a chief officer and everybody else meet them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_detention, make_user
from tests.casework.test_forms_survive import GARBAGE, fields_of, kinds, values

from safelight.casework.custody.accommodation import link_to_case
from safelight.casework.custody.models import Detention
from safelight.casework.custody.services import ask_appropriate_adult, record_charge
from safelight.casework.custody.steps import STEPS
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


@pytest.fixture
def officer():
    return make_user("custody_officer")


def moment(name, value):
    local = timezone.localtime(value)
    return {
        f"{name}-day": local.day, f"{name}-month": local.month, f"{name}-year": local.year,
        f"{name}-time": f"{local:%H:%M}",
    }  # fmt: skip


def test_a_record_is_opened_and_taken_through_its_steps_without_javascript(officer, sign_in) -> None:
    """At 3 a.m. the custody officer would have a form that does not work."""
    client, now = sign_in(officer), timezone.now().replace(second=0, microsecond=0)
    data = {
        "family_name": "Syntheticell", "given_names": "Example", "age": "15", "age_basis": "parent", "sex": "male",
        "borough": "Camden", "suite": "Example suite", "offence": "Synthetic offence", "necessity": "Synthetic.",
        "authorised_by": "Sgt Example", "placed": "cell", "why_in_cell": "Synthetic answer.",
        **moment("arrested_at", now - timedelta(hours=2)), **moment("arrived_at", now - timedelta(hours=1)),
    }  # fmt: skip
    wrong = client.post(reverse("custody:new"), {**data, "why_in_cell": ""})
    assert wrong.status_code == 200
    assert "There is a problem" in wrong.content.decode()
    assert client.post(reverse("custody:new"), data).status_code == 302
    row = Detention.objects.get()
    detail = reverse("custody:detail", args=[row.reference])

    def step(code, **fields):
        answer = client.post(reverse("custody:step", args=[row.reference, code]), fields)
        assert answer.status_code == 302, (code, answer.content.decode()[:3000])

    step("ask-adult", name="Example Mother", relation="Mother")
    assert "Waiting for" in client.get(reverse("custody:index")).content.decode()
    step("adult-came", adult=row.adults.get().pk)
    step("told", what="parent", words="Mother, by telephone")
    step("review", why_in_cell="Synthetic answer now.", reviewer="Insp Example", outcome="keep")
    step("charge", charge="Synthetic", bail="refused", bail_reason="Synthetic.")
    assert "Why is this child still in a cell?" in client.get(detail).content.decode()
    step("ask-accommodation", kind="non_secure", asked_of="Night team")
    step("answer", request=row.requests.get().pk, answer="refused", answered_by="Example", words="No bed, synthetic.")
    text = client.get(detail).content.decode()
    assert "Non-secure accommodation refused" in text
    step("certificate", certificate="impracticable", reason="Synthetic.", by="Sgt Example")
    step("court")
    step("claim-cost")
    step("release", ending="court", to="Example court")
    text = client.get(detail).content.decode()
    for words in ("Taken to court", "Synthetic answer now.", "Certificate, section 38(6)", "No bed, synthetic."):
        assert words in text
    assert LedgerEntry.objects.filter(verb="custody.viewed", actor=officer).count() >= 3


def test_the_list_names_a_child_only_to_who_may_open_the_record(officer, sign_in) -> None:
    """A supervisor's figures would be a list of children's names."""
    row = make_detention(officer, hours_ago=9)
    for role in ("supervisor", "chief_officer"):
        client = sign_in(make_user(role))
        text = client.get(reverse("custody:index")).content.decode()
        assert row.reference in text
        assert row.person.family_name not in text
        assert client.get(reverse("custody:detail", args=[row.reference])).status_code in (403, 404)
        assert client.get(reverse("custody:figures")).status_code == 200
    text = sign_in(officer).get(reverse("custody:index")).content.decode()
    assert row.person.family_name in text
    assert sign_in(officer).get(f"{reverse('custody:index')}?state=ended").content.decode().count("CU-") == 0


def test_a_custody_officer_opens_nothing_of_a_case(officer, sign_in) -> None:
    """The custody desk would read the investigation of every child it holds."""
    case = make_case(actor=make_user("supervisor"))
    row = make_detention(officer)
    link_to_case(make_user("supervisor"), row, case)
    client = sign_in(officer)
    text = client.get(reverse("custody:detail", args=[row.reference])).content.decode()
    assert case.reference not in text
    for name in ("cases:detail", "safeguarding:case_children", "custody:of_case", "people:detail"):
        reference = row.person.reference if name.startswith("people") else case.reference
        assert client.get(reverse(name, args=[reference])).status_code in (403, 404), name
    assert client.get(reverse("cases:index")).status_code == 403


def test_whoever_works_the_case_links_a_record_by_number_and_name_and_guesses_nothing(officer, sign_in) -> None:
    """The existence of a custody record could be tried out number by number."""
    supervisor = make_user("supervisor")
    case, row = make_case(actor=supervisor), make_detention(officer)
    client, address = sign_in(supervisor), reverse("custody:of_case", args=[case.reference])
    refused = {
        number: client.post(address, {"detention": number, "family_name": name}).content.decode()
        for number, name in ((row.reference, "Wrong"), ("CU-999999", row.person.family_name), ("x", "y"))
    }
    assert all("no custody record with this number and this name" in text for text in refused.values())
    name = row.person.family_name.upper()
    assert client.post(address, {"detention": row.reference, "family_name": name}).status_code == 302
    assert row.reference in client.get(address).content.decode()
    assert client.get(reverse("custody:detail", args=[row.reference])).status_code == 200
    stranger = sign_in(make_user("investigator", "SW"))
    assert stranger.get(reverse("custody:detail", args=[row.reference])).status_code == 404


def test_what_waits_comes_to_my_work_with_its_clock(officer, sign_in) -> None:
    """A shift would end and nobody would know that the child's review is due in ten minutes."""
    row = make_detention(officer, hours_ago=5.5)
    text = sign_in(make_user("custody_officer")).get(reverse("work:home")).content.decode()
    assert "Review: why is this child in a cell?" in text
    assert "Ask for an appropriate adult" in text
    ask_appropriate_adult(officer, row, name="Example", relation="Mother")
    record_charge(officer, row, charge="Synthetic", bail="refused", bail_reason="Synthetic.")
    text = sign_in(officer).get(reverse("work:home")).content.decode()
    assert "Ask the local authority for accommodation" in text
    assert "Ask for an appropriate adult" not in text


@pytest.mark.parametrize("kind", kinds(*sorted(GARBAGE)))
def test_no_step_breaks_on_nonsense(kind, officer, sign_in) -> None:
    """A slip of the keyboard would end in 'server error', with everything that was typed lost."""
    row = make_detention(officer)
    ask_appropriate_adult(officer, row, name="Example", relation="Mother")
    client = sign_in(officer)
    client.raise_request_exception = False
    pages = [reverse("custody:step", args=[row.reference, code]) for code in STEPS] + [reverse("custody:new")]
    for address in pages:
        assert client.post(address, values(fields_of(client, address), kind)).status_code < 500, address
    assert client.get(reverse("custody:step", args=[row.reference, "nonsense"])).status_code == 404
    for odd in ("?state=%00x", "?before=²", "?suite=" + "x" * 3000, "?before=" + "9" * 30):
        assert client.get(reverse("custody:index") + odd).status_code < 500


def test_a_list_of_many_takes_no_more_queries_than_one_of_few(officer, sign_in, django_assert_max_num_queries) -> None:
    for _ in range(4):
        make_detention(officer)
    client = sign_in(officer)
    with django_assert_max_num_queries(16):
        assert client.get(reverse("custody:index")).status_code == 200
