"""Who may open what: every page and every form, for every role in every relation, against the one policy file.

``src/safelight/casework/base/permissions.toml`` declares, these tests ask. The pages come from the URL table; roles,
relations and answers from the file. `make trust` (part permissions) asks every cell with every method; here the rarer
relations are asked of every fourth page, a different one for each role.
"""

from __future__ import annotations

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.everything import ROUTES, address, everything, pages
from tests.casework.factories import make_case, make_referral
from tests.casework.matrix import differences, leaks
from tests.casework.world import client_of
from tests.casework.world import world as make_world

from safelight.casework.base.permissions import PUBLIC, permissions
from safelight.casework.cases.services import close_case, grant_access, settle
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db


def test_every_page_answers_every_role_in_every_relation_as_declared(tmp_path, settings) -> None:
    """A child's record would stand open to somebody who has no business with it, or shut to somebody who has."""
    count, wrong = differences(everything(tmp_path, settings))
    assert not wrong, "\n".join(wrong)
    assert count > 6_000, "the table asks next to nothing"


def test_whoever_is_not_signed_in_is_sent_to_sign_in(tmp_path, settings) -> None:
    where = everything(tmp_path, settings)
    client = client_of(None)
    for route in pages():
        if permissions().routes[route.name].rule != PUBLIC:
            url = address(where, route.name, where.people["super"])
            for method in permissions().routes[route.name].steps:
                answer = client.generic(method, url)
                assert answer.status_code == 302 and answer.url.startswith(reverse("account_login")), (
                    route.name,
                    method,
                )


def test_an_id_of_somebody_elses_record_opens_nothing(tmp_path, settings) -> None:
    """Whoever changes a number in the address would read, or write to, a case that is not theirs."""
    there = everything(tmp_path, settings, restricted=True)
    here, begun = everything(tmp_path, settings), timezone.now()
    count, wrong = leaks(here, there)
    assert not wrong, "\n".join(wrong)
    assert count > 500
    looked = LedgerEntry.objects.filter(case_key=there.case.pk).exclude(at__lt=begun)
    assert not looked.exists()


def test_a_restricted_case_leaves_no_trace_on_any_list_search_or_count(tmp_path, settings) -> None:
    """Its title, its people or its number would stand in a list, a search or a picker of people."""
    where = make_world(tmp_path, settings, ROUTES, restricted=True)
    case = where.case
    secrets = {case.reference, case.title, *(row.person.family_name for row in case.people.select_related("person"))}
    secrets |= {row.person.family_name for row in case.children.select_related("person")}
    secrets |= {row.reference for row in (*case.children.all(), *case.devices.all(), *case.referrals.all())}
    secrets |= {row.reference for row in (*case.submissions.all(), *case.safeguarding_referrals.all())}
    other = make_referral()
    search = reverse("safeguarding:child_add", args=[other.reference])
    name = case.children.first().person.family_name
    lists = [
        *(reverse(page) for page in (
            "work:home", "cases:index", "clocks:index", "devices:index", "fleet:index", "submissions:index",
            "referrals:desk", "supervision:board", "ledger:index", "referrals:import", "referrals:quarantine",
            "accounts:index", "workforce:index", "hashsets:index", "hashsets:overlaps", "hashsets:quarantine",
            "hashsets:negatives", "hashsets:rechecks", "standards_page", "people:links", "notices:index",
            "cases:live", "victims:index", "people:index", "search:results", "allocation:handing_over",
            "allocation:conflicts", "workforce:me", "supervision:morning", "workforce:audit", "workforce:welfare",
            "fleet:forensic_queue", "submissions:timeliness", "submissions:agreement", "identification:index",
            "identification:series_list", "identification:feedback_list", "breakglass:index", "retention:index",
        )),
        reverse("breakglass:detail", kwargs=where.arguments["breakglass:detail"]),
        reverse("hashsets:recheck", kwargs=where.arguments["hashsets:recheck"]),
        f"{reverse('cases:index')}?status=all", f"{reverse('referrals:desk')}?state=all",
        f"{search}?find=1&family_name={name}", f"{search}?person={case.children.first().person.reference}",
    ]  # fmt: skip
    for who in ("desk", "unit", "other", "other_super", "examiner", "admin", "offend", "auditor", "chief"):
        client = client_of(where.people[who])
        for place in lists:
            text = client.get(place).content.decode()
            # The words that were searched for stand in the search box.
            found = [one for one in secrets if one in text and one not in place]
            assert not found, (who, place, found)


def test_the_person_page_names_no_other_case(tmp_path, settings) -> None:
    """A suspect's open case would give away the restricted one in which the same person stands."""
    where = make_world(tmp_path, settings, ROUTES, restricted=True)
    suspect = where.case.people.get(role="suspect").person
    shared = make_case()
    shared.people.create(person=suspect, role="suspect", added_at=timezone.now())
    client = client_of(where.people["unit"])
    answer = client.get(reverse("people:detail", args=[suspect.reference]))
    text = answer.content.decode()
    assert (answer.status_code, shared.reference in text) == (200, True)
    assert where.case.reference not in text
    assert where.case.title not in text


def test_an_examiner_loses_a_case_with_access_but_no_device_only_when_not_named(tmp_path, settings) -> None:
    """An examiner named on a restricted case would not find it."""
    where = make_world(tmp_path, settings, ROUTES, restricted=True)
    url = reverse("cases:detail", args=[where.case.reference])
    assert client_of(where.people["examiner"]).get(url).status_code == 404
    grant_access(where.people["super"], where.case, user=where.people["examiner"], reason="Synthetic.")
    assert client_of(where.people["examiner"]).get(url).status_code == 200


def test_a_closed_case_keeps_its_walls(tmp_path, settings) -> None:
    """Closing would open a case to other units, or shut it to its own."""
    where = make_world(tmp_path, settings, ROUTES)
    for area in ("safeguarding", "devices", "submissions"):
        settle(where.people["super"], where.case, area=area, reason="Synthetic.")
    close_case(where.people["super"], where.case, outcome="no_suspect", note="Synthetic.")
    url = reverse("cases:detail", args=[where.case.reference])
    found = {
        who: client_of(where.people[who]).get(url).status_code for who in ("unit", "other", "other_super", "super")
    }
    assert found == {"unit": 200, "other": 404, "other_super": 404, "super": 200}
