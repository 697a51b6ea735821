"""Search: whoever needs a record finds it at once, and nobody learns of one that is not theirs to see."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.casework.factories import (
    make_allocation,
    make_case,
    make_child,
    make_device,
    make_person,
    make_referral,
    make_user,
)

from safelight.casework.base.errors import Invalid, NotAllowed
from safelight.casework.cases.models import Case
from safelight.casework.cases.services import note
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.models import Identifier, Person
from safelight.casework.referrals.models import ReferralFile
from safelight.casework.search.index import rebuild
from safelight.casework.search.models import Entry
from safelight.casework.search.names import distance, learn, terms_of
from safelight.casework.search.services import search
from safelight.casework.search.sources import SOURCES

pytestmark = pytest.mark.django_db


def shown(user, text, **more):
    return set(search(user, text, **more).shown)


@pytest.fixture
def head():
    return make_user("supervisor")


def suspect_of(case, **fields):
    person = case.people.get(role="suspect").person
    for name, value in fields.items():
        setattr(person, name, value)
    person.save()
    return person


def test_a_record_is_found_the_moment_it_is_written(head) -> None:
    """A second report about the same man would be taken for the first."""
    case = make_case(actor=head, title="Operation Kestrel")
    person = suspect_of(
        case, family_name="Ravenscroft", given_names="Tobias", address="12 Nettle Row", postcode="N1 9GU"
    )
    Identifier.objects.bulk_create([Identifier(person=person, kind="phone", value="07700 900123")])
    note(head, case, "enquiry", "The neighbour saw a silver caravan.")
    device = make_device(case, description="Cracked lime phone", seal="SEAL-77A")
    child = make_child(case=case, school="Larkspur Primary")
    referral = case.referrals.get()
    for text, reference in (
        ("kestrel", case.reference), ("caravan silver", case.reference), ("ravenscroft", person.reference),
        ("Tobias Raven", person.reference), ("nettle row", person.reference), ("n19gu", person.reference),
        ("07700900123", person.reference), ("07700 900123", person.reference), ("lime phone", device.reference),
        ("SEAL-77A", device.reference), ("larkspur", child.reference), (referral.source_reference, referral.reference),
        (case.reference, case.reference), (case.reference.lower().replace("-", ""), case.reference),
        (person.reference, person.reference), (child.reference, child.reference),
    ):  # fmt: skip
        assert reference in shown(head, text), text


def test_a_changed_record_is_found_by_its_new_words_only(head) -> None:
    """What was put right would go on misleading."""
    case = make_case(actor=head, title="Operation Gannet")
    Case.objects.filter(pk=case.pk).update(title="Operation Puffin")
    assert case.reference in shown(head, "puffin")
    assert case.reference not in shown(head, "gannet")


def test_what_a_person_may_not_see_is_not_even_counted(head) -> None:
    """A search would tell the whole force that a colleague is under investigation."""
    hidden = make_case(actor=head, restricted=True, title="Operation Secretword")
    person = suspect_of(hidden, family_name="Secretname")
    learn(terms_of("Secretname"))
    device = make_device(hidden, actor=head)
    note(head, hidden, "enquiry", "Quietpage")
    elsewhere = make_case(actor=make_user("supervisor", "SW"), unit="SW", title="Operation Secretword two")
    for user in (make_user("referral_desk"), make_user(), make_user("examiner"), make_user("supervisor")):
        for text in ("secretword", "secretname", "secretnam", "quietpage", hidden.reference, person.reference):
            found = search(user, text)
            mine = {elsewhere.reference} if user.role == "referral_desk" and text == "secretword" else set()
            assert set(found.shown) == mine, (user.role, text)
            assert not any(group.more for group in found.groups)
        assert not shown(user, device.reference)
    assert hidden.reference in shown(head, "secretword")
    has = make_user(skills=[hidden.required_skill])
    make_allocation(hidden, has, head)
    assert {hidden.reference} == shown(has, "quietpage")


def test_roles_without_cases_do_not_search() -> None:
    """The box would be a side door for those whose front door is shut."""
    for role in ("administrator", "exchange_manager", "custody_officer", "partner"):
        with pytest.raises(NotAllowed):
            search(make_user(role), "anything")


MISSPELT = (
        ("Catherine", "Cathrine"), ("Mohammed", "Mohamed"), ("Smyth", "Smith"), ("O'Brien", "OBrian"),
        ("Jon", "John"), ("Wójcik", "Wojcek"), ("Müller", "Muller"), ("Nguyễn", "Nguyen"),
    )  # fmt: skip


def test_a_misspelt_name_is_found(head) -> None:
    """The desk hears the name on the telephone."""
    case = make_case(actor=head)
    for kept, typed in MISSPELT:
        person = suspect_of(case, family_name=kept)
        learn(terms_of(kept))
        assert person.reference in shown(head, typed), typed


def test_why_it_was_found_is_said(head) -> None:
    """Ten hits without a reason are ten records to open, and ten looks in the ledger."""
    case = make_case(actor=head)
    note(head, case, "enquiry", f"{'word ' * 40}The zebra crossed. {'word ' * 40}")
    [group] = search(head, "zebra").groups
    why = group.hits[0].why
    assert (why.called, why.match) == ("Chronology", "zebra")
    assert why.before.startswith("…") and why.after.endswith("…") and len(why.before) < 80


def test_digests_are_found_exactly(head, tmp_path, settings) -> None:
    """Whether a file was ever seen before is asked of every new report."""
    from tests.casework.world import world

    where = world(tmp_path, settings, [])
    ReferralFile.objects.create(referral=where.case.referrals.get(), name="a.jpg", md5="ab" * 16, sha1="cd" * 20)
    has = where.people["has"]
    device = where.case.devices.get()
    for digest in ("0" * 32, "0" * 40, "0" * 64):
        assert device.reference in shown(has, digest)
    assert where.case.referrals.get().reference in shown(has, "AB" * 16)
    assert not shown(has, "ab" * 15 + "aa") and not shown(where.people["other"], "0" * 64)


def test_the_ledger_says_who_searched_and_not_for_whom(head) -> None:
    """A child's name would stand in the ledger for ever, or a look would leave no trace."""
    case = make_case(actor=head)
    person = suspect_of(case, family_name="Unwritten")
    search(head, "unwritten")
    entry = LedgerEntry.objects.filter(verb="search.made").get()
    assert entry.actor == head and entry.category == "consultation"
    assert entry.payload["shown"] == [person.reference] and "unwritten" not in json.dumps(entry.payload).lower()


def test_more_of_a_kind_comes_in_pages(head) -> None:
    """The eleventh hit would be lost."""
    case = make_case(actor=head)
    referral = case.referrals.get()
    people = [make_person(family_name="Quillon") for _ in range(60)]
    for person in people:
        referral.people.create(person=person, role="other")
    [group] = search(head, "quillon").groups
    assert len(group.hits) == 10 and group.more
    [first] = search(head, "quillon", kind="person").groups
    [second] = search(head, "quillon", kind="person", before=first.before).groups
    assert first.more and not second.more
    assert {hit.reference for one in (first, second) for hit in one.hits} == {person.reference for person in people}


AWKWARD = (
    "\"' OR 1=1 --", "a:b", "NEAR(a b)", "* ^ ( )", "%_\\", "😈 👩‍👧", "مرحبا بالعالم", "שלום", "e\u0301te\u0301",
    "ﬁle", "한국어", "Ѐй", "<b>&amp;", "!:* & |", "x" * 200, "'; DROP TABLE search_entry; --", "-",
    "\u202eabc\u202c", "½ ² ①",
    "zkcase", "kind:case", "€", "a\u0000b", "-1", "0x1F", "C-999999999999999",
)  # fmt: skip


def test_no_sign_is_an_error_or_a_command(head) -> None:
    """A name in another script, or a smiley, would stop the desk."""
    case = make_case(actor=head, title="Operation Plain")
    for text in AWKWARD:
        assert shown(head, text) <= {case.reference}, text
    assert case.reference in shown(head, "plain")


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=60))
def test_whatever_is_typed_is_answered(text) -> None:
    """No text that a person can type is an error."""
    user = make_user("referral_desk")
    try:
        assert isinstance(search(user, text).shown, list)
    except Invalid as error:
        assert "Nothing was typed" in str(error) or "a search takes" in str(error)


@pytest.mark.parametrize(
    "name", ["مريم الصالح", "Zoë Ångström", "Đặng Thị Mai", "李小龍", "Ольга Чёрная", "N\u0303un\u0303ez", "한지민"]
)
def test_names_in_every_script_are_found(head, name) -> None:
    """A family would not be found because of how it writes its name."""
    person = suspect_of(make_case(actor=head), family_name=name, given_names="")
    assert person.reference in shown(head, name)
    assert person.reference in shown(head, name.split()[0])


def test_a_name_of_signs_only_is_found_as_an_on_line_name(head) -> None:
    """Suspects do call themselves that."""
    person = suspect_of(make_case(actor=head))
    Identifier.objects.create(person=person, kind="screen_name", value="🐺🌙")
    assert person.reference in shown(head, "🐺🌙")


def test_too_much_or_nothing_is_said_in_one_sentence(head, sign_in) -> None:
    """A pasted page of text would end in an error page."""
    for text in ("", "   ", "x" * 201, " ".join(f"w{n}" for n in range(13)), "x" * 10_000_000):
        with pytest.raises(Invalid):
            search(head, text)
    answer = sign_in(head).post(reverse("search:results"), {"q": "x" * 201})
    assert answer.status_code == 200 and b"a search takes 200" in answer.content
    assert not LedgerEntry.objects.filter(verb="search.made").exists()


def test_the_page_shows_what_was_found(head, sign_in) -> None:
    """The box in the head of every page would lead nowhere."""
    case = make_case(actor=head, title="Operation Heron")
    client = sign_in(head)
    assert b'action="/search/"' in client.get(reverse("cases:index")).content
    page = client.post(reverse("search:results"), {"q": "heron"}).content.decode()
    assert case.reference in page and "<mark>Heron</mark>" in page
    assert "Nothing that you may see matches" in client.post(reverse("search:results"), {"q": "qqqq"}).content.decode()
    admin = sign_in(make_user("administrator"))
    assert b'action="/search/"' not in admin.get(reverse("work:home")).content
    assert admin.post(reverse("search:results"), {"q": "heron"}).status_code == 403


@pytest.mark.parametrize("alone", [True, False])
def test_the_index_is_built_anew(head, alone) -> None:
    """After a restored backup or a load by other means nothing would be found."""
    person = suspect_of(make_case(actor=head), family_name="Thornbury")
    before = set(Entry.objects.values_list("source", "record", "owner", "kind", "words"))
    Entry.objects.all().delete()
    assert person.reference not in shown(head, "thornbury")
    rebuild(alone=alone)
    assert set(Entry.objects.values_list("source", "record", "owner", "kind", "words")) == before
    assert person.reference in shown(head, "thornbury") and person.reference in shown(head, "thornberry")


def test_a_row_that_goes_leaves_the_index(head) -> None:
    """A hit would lead to nothing."""
    person = make_person(family_name="Fleeting")
    Person.objects.filter(pk=person.pk).delete()
    assert not Entry.objects.filter(source="person", record=person.pk).exists()


def test_every_source_is_a_table_with_these_columns() -> None:
    """A renamed column would silently leave the search."""
    from django.apps import apps

    tables = {model._meta.db_table: model for model in apps.get_models()}
    for source in SOURCES.values():
        columns = {field.column for field in tables[source.table]._meta.local_concrete_fields}
        assert {source.owner, *source.columns, *source.joined} <= columns, source.code


@given(st.text("abc", max_size=7), st.text("abc", max_size=7))
def test_the_distance_of_names_is_that_of_the_slow_model(one, other) -> None:
    """A name two letters off would count as near, or one letter off as far."""

    def slow(a, b):
        if not a or not b:
            return len(a) + len(b)
        best = min(slow(a[1:], b) + 1, slow(a, b[1:]) + 1, slow(a[1:], b[1:]) + (a[0] != b[0]))
        if len(a) > 1 and len(b) > 1 and a[0] == b[1] and a[1] == b[0]:
            best = min(best, slow(a[2:], b[2:]) + 1)
        return best

    one, other = one[:5], other[:5]
    assert distance(one, other, 2) == min(slow(one, other), 3)


def test_a_referral_is_found_by_the_words_of_its_report() -> None:
    """What the platform wrote is all that is known at first."""
    desk = make_user("referral_desk")
    referral = make_referral(summary="A user named frogspawn uploaded two files.")
    assert referral.reference in shown(desk, "frogspawn")
