"""The page of a colleague, and one's own."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import SKILL, make_unit, make_user

from safelight.casework.workforce.models import Absence, Posting

pytestmark = pytest.mark.django_db


def day(field: str, ahead: int = 0) -> dict[str, int]:
    when = timezone.localdate() + timedelta(days=ahead)
    return {f"{field}-day": when.day, f"{field}-month": when.month, f"{field}-year": when.year}


def test_every_form_records_and_the_page_shows_it(sign_in):
    """Otherwise leave stands in a paper diary that no suggestion reads."""
    supervisor, person, other = make_user("supervisor"), make_user(skills=[SKILL]), make_unit("SW")
    client = sign_in(supervisor)
    for what, data in (
        ("absence", {"kind": "leave", **day("from_day", 3), **day("until_day", 9)}),
        ("hours", {"hours": "20", **day("from_day")}),
        ("reduction", {"kind": "duty", "hours": "5", **day("from_day")}),
        ("posting", {"unit": other.code, **day("from_day", 30), **day("until_day", 60)}),
    ):
        address = reverse("workforce:plan", args=[person.username, what])
        assert client.get(address).status_code == 200
        answer = client.post(address, data)
        assert answer.status_code == 302, answer.content.decode()[:3000]
    text = client.get(reverse("workforce:staff", args=[person.username])).content.decode()
    for words in ("On leave", other.name, "22.5 of 60 caseload points", "minus 5: Another duty"):
        assert words in text
    assert client.get(reverse("workforce:plan", args=[person.username, "nonsense"])).status_code == 404


def test_an_overlap_stands_beside_its_box(sign_in):
    supervisor, person = make_user("supervisor"), make_user()
    client, address = sign_in(supervisor), reverse("workforce:plan", args=[person.username, "absence"])
    data = {"kind": "leave", **day("from_day"), **day("until_day", 5)}
    assert client.post(address, data).status_code == 302
    assert "overlaps another" in client.post(address, data).content.decode()
    assert Absence.objects.count() == 1


def test_an_end_is_set_and_a_mistake_taken_back(sign_in):
    supervisor, person = make_user("supervisor"), make_user()
    client = sign_in(supervisor)
    client.post(
        reverse("workforce:plan", args=[person.username, "posting"]), {"unit": make_unit("SW").code, **day("from_day")}
    )
    row = Posting.objects.get()
    assert client.get(reverse("workforce:staff", args=[person.username])).status_code == 200, "home still answers"
    address = reverse("workforce:period", args=[person.username, "posting", row.pk])
    assert client.get(address).status_code == 200
    assert client.post(address, day("until_day", 3)).status_code == 302
    assert client.post(f"{address}?take=back", {"reason": "Typed for the wrong person."}).status_code == 302
    person.refresh_from_db()
    assert person.unit.code == "CN"
    assert client.get(address).status_code == 404


def test_everyone_reads_what_is_held_about_them_and_nobody_elses(sign_in):
    """Otherwise an officer cannot check what the system says about them."""
    person, colleague = make_user(skills=[SKILL]), make_user()
    client = sign_in(person)
    text = client.get(reverse("workforce:me")).content.decode()
    assert "Online child sexual abuse" in text
    assert client.get(reverse("workforce:staff", args=[colleague.username])).status_code == 403
    stranger = sign_in(make_user("supervisor", "SW"))
    assert stranger.get(reverse("workforce:staff", args=[person.username])).status_code == 404
