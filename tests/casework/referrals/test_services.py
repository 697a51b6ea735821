"""A referral: recorded once, never lost, and closed only when no child is behind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import make_case, make_referral, make_unit, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.referrals.models import Referral
from safelight.casework.referrals.services import close_referral, record_referral
from safelight.casework.safeguarding.services import add_child, answer_contact_check

pytestmark = pytest.mark.django_db


def arrive(actor=None, **fields):
    values = {"source": "nca", "source_reference": "SYN-1", "summary": "Synthetic report.", "suspect": None, **fields}
    return record_referral(actor or make_user("referral_desk"), **values)


def test_the_same_report_twice_is_one_referral() -> None:
    """Two desks would work on one child, or each think the other does."""
    first, made = arrive()
    again, made_again = arrive(source_reference="  SYN-1 ")
    assert made and not made_again and first == again
    assert Referral.objects.count() == 1
    assert list(LedgerEntry.objects.values_list("verb", flat=True)) == ["referral.recorded", "referral.received_again"]


def test_a_copy_that_says_contact_is_live_raises_the_flag_and_none_lowers_it() -> None:
    """The news that a child is being abused now would end in 'already held'."""
    referral, _ = arrive()
    arrive(live_contact=True)
    arrive(live_contact=False)
    referral.refresh_from_db()
    assert referral.live_contact


def test_two_desks_at_the_same_moment_make_one_referral_and_lose_no_alarm(monkeypatch) -> None:
    """The second would get an error page, or its 'contact is live' would be lost."""
    from safelight.casework.referrals import services

    first, _ = arrive()
    real, asked = services._held, []

    def blind_at_first(*key):
        asked.append(key)
        return None if len(asked) == 1 else real(*key)

    monkeypatch.setattr(services, "_held", blind_at_first)
    again, made = arrive(live_contact=True)
    again.refresh_from_db()
    assert (again, made, again.live_contact) == (first, False, True)


def test_a_copy_alarms_even_a_case_that_the_desk_may_not_see() -> None:
    supervisor = make_user("supervisor")
    referral = make_referral(source="nca", source_reference="SYN-9")
    case = make_case(referral=referral, actor=supervisor, restricted=True)
    arrive(source_reference="SYN-9", live_contact=True)
    case.refresh_from_db()
    assert case.live_contact
    assert case.chronology.filter(kind="live_contact_found").exists()


def test_the_borough_decides_which_unit_has_the_referral() -> None:
    """A referral without a unit waits in nobody's list."""
    make_unit("CN")
    referral, _ = arrive(suspect={"family_name": "Synthetic", "borough": "London Borough of camden"})
    assert referral.unit.code == "CN" and referral.borough == "Camden"
    elsewhere, _ = arrive(source_reference="SYN-2", borough="Manchester")
    assert elsewhere.unit is None and elsewhere.borough == "Manchester"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("source", "carrier pigeon"),
        ("source_reference", " "),
        ("source_reference", "x" * 121),
        ("summary", ""),
        ("received_at", datetime(1899, 1, 1, tzinfo=UTC)),
        ("received_at", timezone.now() + timedelta(days=2)),
        ("suspect", {"family_name": "S", "born": timezone.localdate() + timedelta(days=1)}),
    ],
)
def test_what_is_missing_or_impossible_is_refused_and_nothing_is_written(field: str, value: object) -> None:
    """Half a referral would count as received, and its clock would run from a wrong time."""
    with pytest.raises(Invalid):
        arrive(**{field: value})
    assert not Referral.objects.exists() and not LedgerEntry.objects.exists()


def test_the_summary_never_keeps_a_picture() -> None:
    """Image content in a text field would be stored, shown and exported."""
    referral, _ = arrive(summary="See data:image/jpeg;base64," + "QUJD" * 200 + " end")
    assert "QUJD" not in referral.summary and "embedded content" in referral.summary


def test_the_ledger_entry_of_a_referral_holds_no_word_of_it() -> None:
    arrive(summary="Synthetic secret words", suspect={"family_name": "Syntheticname"})
    written = "".join(str(entry.payload) for entry in LedgerEntry.objects.all())
    assert "secret" not in written and "Syntheticname" not in written


@pytest.mark.parametrize("role", ["administrator", "investigator", "examiner"])
def test_only_the_desk_and_supervisors_record_referrals(role: str) -> None:
    with pytest.raises(NotAllowed):
        arrive(make_user(role))


def test_a_referral_is_not_closed_before_the_children_were_looked_for() -> None:
    """The child nobody asked about would stay with the suspect."""
    desk, referral = make_user("referral_desk"), make_referral()
    with pytest.raises(NotPossible, match="looked for children"):
        close_referral(desk, referral, reason="Synthetic reason")


def test_a_referral_with_a_child_at_risk_is_never_closed_without_a_case() -> None:
    """Social care is told from the case: without one, nobody tells them."""
    desk, referral = make_user("referral_desk"), make_referral()
    answer_contact_check(desk, referral, lives_with="yes", sees="no", works_with="no", basis="Synthetic")
    with pytest.raises(NotPossible, match="no child is named"):
        close_referral(desk, referral, reason="Synthetic reason")
    add_child(desk, referral=referral, person={"age": 6}, lives_with=True, borough="Camden")
    with pytest.raises(NotPossible, match="child at risk"):
        close_referral(desk, referral, reason="Synthetic reason")


def test_a_question_left_open_needs_a_supervisor_to_close() -> None:
    """'Not known' would be the quick way to be rid of a referral, or 'no' would be answered falsely."""
    desk, referral = make_user("referral_desk"), make_referral()
    answer_contact_check(desk, referral, lives_with="not_known", sees="no", works_with="no", basis="Synthetic")
    with pytest.raises(NotAllowed):
        close_referral(desk, referral, reason="Synthetic reason")
    closed = close_referral(make_user("supervisor"), referral, reason="Synthetic reason")
    assert closed.state == "closed"
    entry = LedgerEntry.objects.get(verb="referral.closed")
    assert entry.payload["open_questions"] == ["lives_with"] and "Synthetic" not in str(entry.payload)


def test_the_database_itself_refuses_a_closing_without_a_reason() -> None:
    referral = make_referral()
    with pytest.raises(IntegrityError), transaction.atomic():
        Referral.objects.filter(pk=referral.pk).update(state="closed")


def test_the_database_itself_refuses_the_same_report_twice() -> None:
    referral = make_referral()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_referral(source=referral.source, source_reference=referral.source_reference)
