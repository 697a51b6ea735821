"""Hostile text in every text field of every form, at the size of the tests; `scripts/trust injection` has the rest."""

from __future__ import annotations

import re

import pytest
from django.http import HttpResponse
from django.http.response import BadHeaderError
from django.test import Client
from django.urls import reverse
from tests.casework.factories import make_case, make_user
from tests.web.security.people import BACKEND, make_person

from safelight.casework.search.services import search
from safelight.errors import CaseworkError
from safelight.web.jinja import url
from trust import injection


@pytest.fixture(scope="module")
def result():
    return injection.run("small")


@pytest.mark.one_database("pages are drawn from what was sent; that no text becomes a query is asked of both below")
def test_no_field_of_any_form_gives_markup_back(result):
    """What a suspect writes in a message, pasted into a referral, would run on an officer's screen."""
    assert len(injection.forms_of_ours()) > 80 and len(list(injection.text_fields())) > 150
    held = {row.test: (row.tried, row.right) for row in result.rows}
    assert all(tried == right > 0 for tried, right in held.values()), result.failures[:5]


def test_what_is_looked_for_is_found():
    """The search for typed tags would find nothing because it looks wrongly."""
    assert injection.typed_tags(f"<p>x</p><script>{injection.MARK}</script><b {injection.MARK}>") == [
        f"<b {injection.MARK}>"
    ]
    assert injection.typed_tags(f"<{injection.MARK}>") and injection.typed_tags(
        f'<img src="x" onerror={injection.MARK}>'
    )
    assert not injection.typed_tags(f'<input value="&lt;b {injection.MARK}&gt;">')


@pytest.mark.one_database("a line of the log")
def test_no_line_of_a_log_can_be_forged(result):
    """A sign-in that never was, or an hour that nobody sees."""
    (row,) = [row for row in result.rows if row.test == "log"]
    assert row.held, result.failures
    assert "\n" not in injection.logged("a\n2026-11-30 ERROR forged")


@pytest.mark.parametrize("text", ["a\r\nSet-Cookie: x=1", "a\nb", "a\rb"])
def test_no_header_can_be_split(text):
    """A file name or an address with a line break would set a cookie."""
    with pytest.raises(BadHeaderError):
        HttpResponse()["Content-Disposition"] = f'attachment; filename="{text}"'


@pytest.mark.parametrize(
    "text", ["javascript:alert(1)", "../../x", "a b&c=d#e", '"><b>', "\r\nx: y", "https://evil.example"]
)
def test_addresses_that_are_built_stay_addresses(text):
    """A user name with a slash or a colon would lead to another page, or another site."""
    address = url("accounts:recover", text.replace("/", "_"))
    assert address.startswith("/accounts/of/") and address.endswith("/recover/")
    assert not re.search(
        r"[\s\"<>#?&]", address.removeprefix("/accounts/of/").removesuffix("/recover/").replace("&", "")
    )


def test_what_goes_into_a_script_block_cannot_end_it():
    """The name of a key would close the block of data and open a script."""
    from django.template import engines

    made = engines.all()[0].from_string('<script type="application/json">{{ data | tojson }}</script>')
    text = made.render({"data": {"name": "</script><script>alert(1)</script><!--"}})
    assert text.count("<script") == 1 and "<!--" not in text


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["query", "pattern", "template"])
def test_no_text_becomes_a_query(kind):
    """One apostrophe would list every case, or empty a table."""
    head = make_user("supervisor")
    case = make_case(actor=head)
    for text in injection.corpus("small")[kind]:
        try:
            found = search(head, text)
        except CaseworkError:
            continue
        assert case.title not in str(found), text
    assert type(case).objects.filter(pk=case.pk).exists()


@pytest.mark.django_db
def test_what_is_searched_for_is_no_pattern():
    """A dot would be every name, and one pattern would keep the database busy for minutes."""
    head = make_user("supervisor")
    case = make_case(actor=head)
    for text in (".*", "%%%", "___", "(a+)+$" * 5, "[a-z]{3,}"):
        try:
            assert case.title not in str(search(head, text))
        except CaseworkError:
            continue


@pytest.mark.django_db
def test_no_form_writes_a_field_that_it_does_not_name():
    """A field more in the request would make an administrator, or a session of somebody else."""
    user = make_person(role="administrator")
    client = Client()
    client.force_login(user, backend=BACKEND)
    form = {
        "username": "newcomer", "name": "New Synthetic", "role": "investigator", "unit": "", "password": "chosen",
        "is_superuser": "1", "is_staff": "1", "id": "1", "pk": "1", "glass_until": "2030-01-01", "is_active": "",
    }  # fmt: skip
    assert client.post(reverse("accounts:create"), form).status_code == 302
    made = type(user).objects.get(username="newcomer")
    assert not made.is_superuser and not made.is_staff and made.is_active and made.glass_until is None
    assert made.pk != 1 or user.pk != 1
    assert not made.has_usable_password()
