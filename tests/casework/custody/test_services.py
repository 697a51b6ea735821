"""A child in a cell: the clocks of PACE, the question at each review, and the way out."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from tests.casework.factories import make_case, make_detention, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.custody import accommodation as la
from safelight.casework.custody import services as custody
from safelight.casework.custody.models import Detention
from safelight.casework.custody.queries import figures, views
from safelight.casework.ledger.models import LedgerEntry

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def officer():
    return make_user("custody_officer")


def clocks(row: Detention) -> dict[str, Clock]:
    mine = Clock.objects.filter(subject_type="custody.detention", subject_id=row.pk).order_by("pk")
    return {clock.rule: clock for clock in mine}


def review(officer, row, at, why="Synthetic reason of this review."):
    return custody.record_custody_review(officer, row, reviewer="Insp Example", why_in_cell=why, outcome="keep", at=at)


class TestReviews:
    def test_the_first_is_due_six_hours_after_authority_and_each_next_nine_after_the_last(self, officer):
        row = make_detention(officer, hours_ago=20)
        first = clocks(row)["pace_review_1"]
        assert first.due_at == row.authorised_at + 6 * HOUR
        at = row.authorised_at + 5 * HOUR
        assert not review(officer, row, at).late
        assert clocks(row)["pace_review_next"].due_at == at + 9 * HOUR
        late = review(officer, row, at + 10 * HOUR, "Synthetic reason of the second review.")
        assert late.late
        assert clocks(row)["pace_review_next"].due_at == at + 19 * HOUR
        assert clocks(row)["pace_review_1"].state() == "met"

    def test_no_review_without_an_answer_of_its_own(self, officer):
        """The question would become a box to tick: the child stays because the child stayed."""
        row = make_detention(officer, hours_ago=12)
        with pytest.raises(Invalid, match="is missing"):
            review(officer, row, None, " ")
        with pytest.raises(Invalid, match="word for word"):
            review(officer, row, None, "synthetic answer AT the beginning.")
        review(officer, row, row.authorised_at + HOUR)
        with pytest.raises(Invalid, match="word for word"):
            review(officer, row, None)
        with pytest.raises(IntegrityError), transaction.atomic():
            row.reviews.create(
                at=timezone.now(), reviewer="x", why_in_cell="", outcome="keep", recorded_at=timezone.now(),
                recorded_by=officer,
            )  # fmt: skip

    def test_24_hours_count_from_the_arrival_and_only_a_superintendent_in_time_makes_them_36(self, officer):
        row = make_detention(officer, hours_ago=22)
        assert clocks(row)["pace_detention_24h"].due_at == row.arrived_at + 24 * HOUR
        custody.extend_detention(officer, row, by="Supt Example", why="Synthetic.", at=None)
        assert clocks(row)["pace_detention_24h"].stopped_at
        assert clocks(row)["pace_detention_36h"].due_at == row.arrived_at + 36 * HOUR
        with pytest.raises(NotPossible, match="extended already"):
            custody.extend_detention(officer, row, by="Supt Example", why="Synthetic.")
        late = make_detention(officer, hours_ago=30)
        with pytest.raises(NotPossible, match="24 hours have passed"):
            custody.extend_detention(officer, late, by="Supt Example", why="Synthetic.")

    def test_the_end_stops_every_clock(self, officer):
        row = make_detention(officer)
        custody.release(officer, row, ending="bail", to="Mother (synthetic)")
        assert not Clock.objects.open().filter(subject_type="custody.detention").exists()
        with pytest.raises(NotPossible, match="has ended"):
            review(officer, row, None)

    def test_closing_the_linked_case_stops_no_review(self, officer):
        """A child would sit in a cell unreviewed because an unrelated file was closed."""
        case = make_case()
        row = make_detention(officer)
        la.link_to_case(make_user("supervisor"), row, case)
        assert not Clock.objects.filter(case=case, subject_type="custody.detention").exists()


class TestTheWayOut:
    def charged(self, officer, **fields):
        row = make_detention(officer, hours_ago=5, **fields)
        return custody.record_charge(
            officer, row, charge="Synthetic", bail="refused", bail_reason="Synthetic reason.",
            charged_at=row.authorised_at + 2 * HOUR,
        )  # fmt: skip

    def test_bail_refused_starts_the_clock_to_transfer_and_a_transfer_ends_the_detention(self, officer):
        row = self.charged(officer)
        assert clocks(row)["pace_s38_transfer"].triggered_at == row.charged_at
        assert clocks(row)["pace_detention_24h"].stopped_at
        with pytest.raises(NotPossible, match="offered"):
            la.transfer(officer, row, to="Example home")
        asked = la.ask_accommodation(officer, row, kind="non_secure", asked_of="Night team")
        assert asked.authority == "Camden children's social care"
        la.answer_accommodation(officer, row, request=asked.pk, answer="offered", answered_by="Example Duty")
        ended = la.transfer(officer, row, to="Example home, handed to Example Carer")
        assert (ended.ending, ended.waits_for_accommodation) == ("local_authority", False)
        assert not Clock.objects.open().filter(subject_type="custody.detention", subject_id=row.pk).exists()
        told = LedgerEntry.objects.get(verb="custody.accommodation_asked")
        assert (told.category, told.recipient) == ("disclosure", "Camden children's social care: Night team")

    def test_no_secure_place_is_certified_only_from_12_and_after_one_was_refused(self, officer):
        """A child of eleven, or one for whom nobody asked, would be kept on a ground that the law does not give."""
        row = self.charged(officer)
        given = {"certificate": "no_secure", "reason": "Synthetic.", "by": "Sgt Example"}
        with pytest.raises(Invalid, match="No refused request"):
            la.certify(officer, row, **given)
        asked = la.ask_accommodation(officer, row, kind="secure", asked_of="Night team", why_secure="Synthetic harm.")
        la.answer_accommodation(
            officer, row, request=asked.pk, answer="refused", answered_by="Example", words="No bed (synthetic)."
        )
        certified = la.certify(officer, row, **given)
        assert clocks(row)["pace_s38_transfer"].stopped_at == certified.certified_at
        assert not certified.waits_for_accommodation
        la.certificate_to_court(officer, row)
        young = self.charged(officer, person={"age": None, "born": timezone.localdate() - timedelta(days=11 * 365)})
        with pytest.raises(Invalid, match="12 or older"):
            la.certify(officer, young, **given)

    def test_a_certificate_needs_bail_refused_a_reason_and_a_name(self, officer):
        row = make_detention(officer)
        with pytest.raises(NotPossible, match="Bail was not refused"):
            la.certify(officer, row, certificate="impracticable", reason="x", by="y")
        with pytest.raises(IntegrityError), transaction.atomic():
            Detention.objects.filter(pk=row.pk).update(certificate="impracticable", certified_at=timezone.now())
        charged = self.charged(officer)
        with pytest.raises(Invalid, match="reason is missing"):
            la.certify(officer, charged, certificate="impracticable", reason="", by="Sgt Example")

    def test_secure_is_asked_for_only_with_its_reason_and_a_refusal_has_its_words(self, officer):
        row = make_detention(officer)
        with pytest.raises(Invalid, match="must be secure"):
            la.ask_accommodation(officer, row, kind="secure", asked_of="Night team")
        asked = la.ask_accommodation(officer, row, kind="non_secure", asked_of="Night team")
        with pytest.raises(Invalid, match="refused"):
            la.answer_accommodation(officer, row, request=asked.pk, answer="refused", answered_by="Example")


class TestOpening:
    def test_an_adult_has_no_record_here_and_nothing_is_left_behind(self, officer):
        from safelight.casework.people.models import Person

        with pytest.raises(Invalid, match="children only"), transaction.atomic():
            make_detention(officer, person={"age": None, "born": date(1990, 1, 1)})
        assert not Person.objects.exists()
        assert not Clock.objects.exists()

    def test_a_seventeen_year_old_is_a_child(self, officer):
        today = timezone.localdate()
        row = make_detention(officer, person={"age": None, "born": today - timedelta(days=17 * 365 + 200)})
        assert row.age == 17

    def test_times_that_contradict_each_other_are_refused_by_name(self, officer):
        now = timezone.now()
        for fields, field in (
            ({"arrived_at": now - 9 * HOUR}, "arrived_at"),
            ({"authorised_at": now - 3 * HOUR}, "authorised_at"),
            ({"authorised_at": now + 3 * HOUR}, "authorised_at"),
            ({"why_in_cell": ""}, "why_in_cell"),
            ({"suite": " "}, "suite"),
            ({"placed": "corridor"}, "placed"),
            ({"age_basis": ""}, "age_basis"),
        ):
            with pytest.raises(Invalid) as caught, transaction.atomic():
                make_detention(officer, **fields)
            assert caught.value.field == field

    def test_the_same_child_is_not_detained_twice_at_once(self, officer):
        person = {"family_name": "Synthetwin", "age": None, "born": date(2012, 5, 4)}
        row = make_detention(officer, person=person)
        with pytest.raises(NotPossible, match=row.reference):
            make_detention(officer, person=person)
        custody.release(officer, row, ending="no_action", to="Father (synthetic)")
        make_detention(officer, person=person)

    def test_only_a_custody_officer_writes(self, officer):
        row = make_detention(officer)
        for role in ("investigator", "supervisor", "referral_desk", "administrator", "chief_officer"):
            with pytest.raises(NotAllowed):
                custody.release(make_user(role), row, ending="bail", to="x")


class TestFigures:
    def test_they_count_what_happened_and_those_who_still_wait(self, officer):
        first, second = make_detention(officer, hours_ago=10), make_detention(officer, hours_ago=3)
        make_detention(officer, hours_ago=3)
        adult = custody.ask_appropriate_adult(
            officer, first, name="Example", relation="Mother", requested_at=first.arrived_at
        )
        custody.appropriate_adult_came(officer, first, adult=adult.pk, arrived_at=first.arrived_at + 2 * HOUR)
        custody.ask_appropriate_adult(officer, second, name="Example", relation="Scheme", requested_at=None)
        found = figures(make_user("chief_officer"), 28)
        assert (found.detained, found.now, found.adult_not_asked) == (3, 3, 1)
        assert found.adult_hours == pytest.approx(2.0)
        assert figures(make_user("investigator"), 28).detained == 0

    def test_the_list_says_how_it_stands_with_adult_and_authority(self, officer):
        row = make_detention(officer, hours_ago=3)
        (view,) = views(Detention.objects.all())
        assert (view.adult, view.accommodation) == ("Not asked", "")
        assert view.review.due_at == row.authorised_at + 6 * HOUR
        assert view.hours == pytest.approx(3.33, abs=0.1)
