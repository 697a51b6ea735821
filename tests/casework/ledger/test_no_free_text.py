"""The ledger is kept for ever and read by many: it holds references, codes and fingerprints, no names and no words."""

from __future__ import annotations

import json

import pytest
from django.urls import reverse
from tests.casework.everything import ROUTES
from tests.casework.factories import make_user
from tests.casework.world import client_of
from tests.casework.world import world as make_world

from safelight.casework.cases.services import note, record_live_contact, record_risk
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.referrals.services import record_referral
from safelight.casework.safeguarding.services import add_child, record_chase

pytestmark = pytest.mark.django_db
WORD = "Zyxwvut"


def test_no_name_of_a_person_and_no_word_of_a_text_is_in_any_entry(tmp_path, settings) -> None:
    """A child's name could never be erased again: no entry of the ledger can be changed."""
    where = make_world(tmp_path, settings, ROUTES)
    case, actor = where.case, where.people["super"]
    record_referral(
        make_user("referral_desk"), source="public", source_reference="SYN", summary=f"{WORD} summary",
        suspect={"family_name": WORD, "given_names": WORD, "address": f"1 {WORD} Street"},
        children=[{"given_names": WORD, "age": 7}],
    )  # fmt: skip
    add_child(
        actor, case=case, person={"given_names": WORD, "family_name": WORD}, borough="Camden", voice=WORD, school=WORD,
        relationship=WORD,
    )  # fmt: skip
    note(actor, case, "note", f"{WORD} said so.")
    record_risk(actor, case, risk="low", source=f"{WORD} tool")
    record_live_contact(actor, case, contact=True, how_known=f"{WORD} said so.")
    record_chase(actor, case.safeguarding_referrals.get(), text=f"{WORD} answered.")
    client = client_of(actor)
    for name in ROUTES:
        client.get(reverse(name, kwargs=where.arguments[name]))
    search = reverse("safeguarding:case_child_add", args=[case.reference])
    client.get(f"{search}?find=1&family_name={WORD}&given_names={WORD}")
    people = [row.person for row in (*case.people.all(), *case.children.all())]
    secrets = {WORD, case.title, *(one.family_name for one in people)} - {""}
    entries = list(LedgerEntry.objects.all())
    assert len(entries) > 80
    for entry in entries:
        text = json.dumps(entry.payload) + entry.reason + entry.subject_label
        assert not [one for one in secrets if one in text], (entry.verb, text)


def test_whoever_takes_a_copy_away_is_in_the_ledger(tmp_path, settings) -> None:
    """A list of digests or a referral could leave the building without a trace."""
    where = make_world(tmp_path, settings, ROUTES)
    client = client_of(where.people["super"])
    for name in ("devices:report", "submissions:download", "safeguarding:text"):
        before = set(LedgerEntry.objects.values_list("pk", flat=True))
        assert client.get(reverse(name, kwargs=where.arguments[name])).status_code == 200
        made = LedgerEntry.objects.exclude(pk__in=before).filter(case_key=where.case.pk, actor=where.people["super"])
        assert made.filter(category__in=["consultation", "disclosure"]).exists(), name
