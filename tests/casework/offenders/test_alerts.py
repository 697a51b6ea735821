"""A referral that names a registered sex offender reaches their manager within the minute."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_contact_check, make_offender, make_person, make_referral, make_user

from safelight.casework.cases.models import Case
from safelight.casework.notices.models import Notice
from safelight.casework.offenders import services
from safelight.casework.offenders.alerts import catch_up
from safelight.casework.offenders.models import Naming, Search
from safelight.casework.people.linking import decide_link
from safelight.casework.people.matching import match_referral
from safelight.casework.referrals.imports import import_file
from safelight.casework.referrals.models import Referral
from safelight.casework.referrals.services import record_referral

pytestmark = pytest.mark.django_db
BORN = date(1979, 5, 6)
TYPED = {"source": "public", "summary": "Synthetic report."}


@pytest.fixture(autouse=True)
def linking_has_a_folder(tmp_path, settings) -> None:
    settings.DATA = tmp_path


def report(desk, number: int = 1, **fields) -> Referral:
    return record_referral(desk, **{**TYPED, "source_reference": f"SYN-{number}", **fields})[0]


def told(user) -> list[str]:
    return list(Notice.objects.filter(user=user, kind__startswith="offender.").values_list("kind", flat=True))


@pytest.mark.parametrize(
    ("fields", "how"),
    [
        ({"suspect": {"given_names": "example", "family_name": "SÝNTHETIC-KITE", "born": BORN}}, "exact"),
        ({"suspect": {"given_names": "Other", "family_name": "Name-Synthetic", "born": BORN}}, "exact"),
        ({"suspect": {"identifiers": [("email", "Kite@Example.test")]}}, "identifier"),
        ({"summary": "Known on the register (ViSOR-0042/7), seen today."}, "reference"),
        ({"more_suspects": [{"given_names": "Example", "family_name": "Synthetic-Kite", "born": BORN}]}, "exact"),
    ],
)
def test_the_manager_and_the_supervisors_are_told_in_the_same_transaction(fields, how) -> None:
    """A man on the register offends again, and whoever visits him next week knows nothing of it."""
    chief, elsewhere = make_user("supervisor"), make_user("supervisor", "SW")
    one = make_offender(
        family_name="Synthetic-Kite", given_names="Example", born=BORN, aliases=["Other Name-Synthetic"],
        register_reference="visor-0042/7", identifiers=[("email", "kite@example.test")],
    )  # fmt: skip
    report(make_user("referral_desk"), **fields)
    naming = Naming.objects.get()
    assert (naming.offender, naming.how, naming.certain) == (one, how, True)
    assert told(one.manager) == told(chief) == ["offender.named"]
    assert told(elsewhere) == []
    assert naming.found_at - Referral.objects.get().recorded_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "suspect",
    [
        {"given_names": "Example", "family_name": "Synthetic-Kite", "born": date(1979, 5, 7)},
        {"given_names": "Example", "family_name": "Synthetic-Kite", "born": BORN, "born_precision": "year"},
        {"given_names": "Someone", "family_name": "Else-Synthetic", "born": BORN},
        {"identifiers": [("ip", "192.0.2.7")]},
    ],
)
def test_who_only_resembles_is_not_taken_for_the_offender(suspect) -> None:
    """A stranger with the same birthday would be called a sex offender in his own case."""
    make_offender(family_name="Synthetic-Kite", given_names="Example", born=BORN, identifiers=[("ip", "192.0.2.7")])
    report(make_user("referral_desk"), suspect=suspect)
    assert not Naming.objects.exists()


def test_a_shared_telephone_says_may_be() -> None:
    one = make_offender(identifiers=[("phone", "07700900001")])
    report(make_user("referral_desk"), suspect={"identifiers": [("phone", "07700900001")]})
    assert Naming.objects.get().certain is False
    assert told(one.manager) == ["offender.may_be_named"]


def test_a_child_of_the_same_name_is_no_offender() -> None:
    make_offender(family_name="Synthetic-Kite", given_names="Example", born=BORN)
    report(
        make_user("referral_desk"), children=[{"given_names": "Example", "family_name": "Synthetic-Kite", "born": BORN}]
    )
    assert not Naming.objects.exists()


def test_an_imported_file_alerts_too() -> None:
    one = make_offender(family_name="Synthetic-Kite", given_names="Example", born=BORN)
    rows = (
        "source,source_reference,received_at,summary,suspect_family_name,suspect_given_names,suspect_born\r\n"
        "nca,SYN-1,2026-11-01T10:00:00Z,Synthetic.,Synthetic-Kite,Example,1979-05-06\r\n"
    )
    batch = import_file(make_user("referral_desk"), name="x.csv", content=rows.encode())
    assert [line.reason for line in batch.lines.all()] == [""]
    assert Naming.objects.get().offender == one


def test_the_linking_engine_finds_who_is_misspelt_and_a_decision_makes_it_certain() -> None:
    """Andersen and Anderson would be two people until somebody noticed."""
    desk = make_user("referral_desk")
    one = make_offender(
        family_name="Synthetic-Kittiwake", given_names="Sebastian", born=BORN, address="12 Example Street",
        postcode="ZZ1 2AZ", identifiers=[("email", "seb.kittiwake@example.test")],
    )  # fmt: skip
    referral = report(
        desk,
        suspect={"family_name": "Synthetic-Kitiwake", "given_names": "Sebastian", "born": BORN,
                 "address": "12 Example Street", "postcode": "ZZ1 2AZ"},
    )  # fmt: skip
    assert not Naming.objects.exists()
    Search.objects.update(at=timezone.now() - timedelta(seconds=30))
    assert catch_up() == 1, "no worker came: the tick does it"
    assert catch_up() == 0
    naming = Naming.objects.get()
    assert (naming.offender, naming.how, naming.certain) == (one, "linked", False)
    assert told(one.manager) == ["offender.may_be_named"]
    case = _case_of(referral)
    assert not Case.objects.visible_to(one.manager).filter(pk=case.pk).exists(), "a possible link opens no case"
    investigator = make_user("investigator")
    link = referral.possible_links.get(kind="person")
    from safelight.casework.cases.models import CasePerson

    CasePerson.objects.create(case=case, person=one.person, role="associate", added_at=timezone.now())
    decide_link(investigator, link, verdict="same", reason="Synthetic: same address and date of birth.")
    naming.refresh_from_db()
    assert naming.certain
    assert told(one.manager)[-1] in ("offender.named", "offender.may_be_named")
    assert "offender.named" in told(one.manager)
    assert Case.objects.visible_to(one.manager).filter(pk=case.pk).exists()


def test_matching_twice_tells_once() -> None:
    one = make_offender(family_name="Synthetic-Kite", given_names="Example", born=BORN)
    suspect = {"family_name": "Synthetic-Kite", "given_names": "Example", "born": BORN}
    referral = report(make_user("referral_desk"), suspect=suspect)
    match_referral(referral.pk)
    match_referral(referral.pk)
    report(make_user("referral_desk"), suspect=suspect)
    assert Naming.objects.count() == 1
    assert told(one.manager) == ["offender.named"]


def test_an_entry_made_later_finds_what_came_before() -> None:
    report(
        make_user("referral_desk"), suspect={"family_name": "Synthetic-Kite", "given_names": "Example", "born": BORN}
    )
    one = make_offender(family_name="Synthetic-Kite", given_names="Example", born=BORN)
    assert Naming.objects.get().offender == one


def test_a_referral_brings_reactive_management_to_its_end() -> None:
    chief = make_user("supervisor")
    one = make_offender(family_name="Synthetic-Kite", given_names="Example", born=BORN, plan=(12, "months"))
    services.record_risk(one.manager, one, level="low", source="Tool", on=date(2020, 2, 1))
    services.approve_reactive(chief, one, review="Synthetic.")
    report(
        make_user("referral_desk"), suspect={"family_name": "Synthetic-Kite", "given_names": "Example", "born": BORN}
    )
    one.refresh_from_db()
    assert one.management == "active"


def _case_of(referral: Referral, **fields) -> Case:
    make_contact_check(referral)
    return make_case(referral=referral, **fields)


def test_the_case_and_the_entry_name_each_other(sign_in) -> None:
    """The investigator would not know that the suspect has a manager who visits him."""
    one = make_offender(family_name="Synthetic-Kite", given_names="Example", born=BORN)
    desk = make_user("referral_desk")
    referral = report(desk, suspect={"family_name": "Synthetic-Kite", "given_names": "Example", "born": BORN})
    said = sign_in(desk).get(reverse("referrals:detail", args=[referral.reference])).content.decode()
    assert f"{one.reference}: manager {one.manager}" in said
    case = _case_of(referral)
    said = sign_in(make_user("investigator")).get(reverse("cases:detail", args=[case.reference])).content.decode()
    assert "Registered sex offender" in said
    assert f"{one.reference}: manager {one.manager}" in said
    assert reverse("offenders:detail", args=[one.reference]) not in said, "the register is not theirs"
    client = sign_in(one.manager)
    assert case.title in client.get(reverse("offenders:detail", args=[one.reference])).content.decode()
    assert client.get(reverse("cases:detail", args=[case.reference])).status_code == 200
    assert client.get(reverse("cases:risk", args=[case.reference])).status_code == 403
    colleague = make_user("offender_manager")
    assert sign_in(colleague).get(reverse("cases:detail", args=[case.reference])).status_code == 404
    naming = Naming.objects.get()
    assert client.post(reverse("offenders:noted", args=[one.reference, naming.pk])).status_code == 302
    naming.refresh_from_db()
    assert naming.seen_by == one.manager


def test_a_restricted_case_stays_hidden_from_the_manager(sign_in) -> None:
    """A case against a colleague would stand on a page of the register."""
    supervisor = make_user("supervisor")
    one = make_offender(family_name="Synthetic-Kite", given_names="Example", born=BORN)
    suspect = {"family_name": "Synthetic-Kite", "given_names": "Example", "born": BORN}
    referral = report(make_user("referral_desk"), suspect=suspect)
    case = _case_of(referral, actor=supervisor, restricted=True)
    client = sign_in(one.manager)
    for page in (reverse("offenders:detail", args=[one.reference]), reverse("work:home"), reverse("offenders:mine"),
                 reverse("notices:index")):  # fmt: skip
        text = client.get(page).content.decode()
        assert case.reference not in text, page
        assert case.title not in text, page
        assert referral.reference not in text, page
    assert (
        "A restricted record names this person"
        in client.get(reverse("offenders:detail", args=[one.reference])).content.decode()
    )
    assert client.get(reverse("cases:detail", args=[case.reference])).status_code == 404


def test_a_person_who_stands_in_a_case_opens_it_unless_they_are_its_victim() -> None:
    one = make_offender()
    case, other = make_case(), make_case(referral=make_referral(suspect=False))
    case.people.create(person=one.person, role="associate", added_at=timezone.now())
    other.people.create(person=one.person, role="victim", added_at=timezone.now())
    other.people.create(person=make_person(), role="suspect", added_at=timezone.now())
    assert set(Case.objects.visible_to(one.manager)) == {case}
