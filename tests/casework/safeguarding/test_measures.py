"""What social care or a court set in motion: without its clock nobody sees that a child was never seen."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_child, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.safeguarding import measures, protection

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor():
    return make_user("supervisor")


@pytest.fixture
def child(supervisor):
    return make_child(case=make_case(actor=supervisor))


@pytest.mark.parametrize("what", list(measures.MEASURES))
def test_each_begins_once_and_ends_with_what_came_of_it(what, supervisor, child) -> None:
    clock = measures.set_in_motion(supervisor, child, what=what, words="Example council, synthetic 12")
    assert list(measures.running_for(child)) == [what] and clock.case_id == child.case_id
    with pytest.raises(NotPossible, match="runs already"):
        measures.set_in_motion(supervisor, child, what=what, words="Example council, synthetic 12")
    measures.came_of_it(supervisor, child, what=what, words="Seen by Example Worker")
    clock.refresh_from_db()
    assert clock.stopped_at is not None and clock.stop_reason == "Seen by Example Worker"
    with pytest.raises(NotPossible, match="does not run"):
        measures.came_of_it(supervisor, child, what=what, words="Again")
    entries = LedgerEntry.objects.filter(verb__startswith="safeguarding.measure")
    assert len(entries) == 2 and not any("Example" in str(entry.payload) for entry in entries)


def test_an_order_that_ends_police_protection_runs_eight_days_by_itself(supervisor, child) -> None:
    """Lost: nobody notices that the order runs out and the child goes home unprotected."""
    taken = timezone.now() - timedelta(hours=3)
    row = protection.take_into_protection(
        supervisor, child, initiating_officer="PC Example", why="Synthetic.", place="Example home", taken_at=taken
    )
    ended = timezone.now() - timedelta(hours=1)
    protection.end_protection(supervisor, row, ending="order", words="Example court", at=ended)
    clock = Clock.objects.get(rule="epo_max")
    assert clock.subject_id == child.pk and clock.triggered_at == ended and clock.stopped_at is None


def test_bad_input_and_people_without_the_right_change_nothing(supervisor, child) -> None:
    ahead = timezone.now() + timedelta(hours=1)
    for wrong in ({"what": "nonsense"}, {"words": " "}, {"at": ahead}):
        with pytest.raises(Invalid):
            measures.set_in_motion(supervisor, child, **{"what": "s17", "words": "Example council", **wrong})
    with pytest.raises(NotAllowed):
        measures.set_in_motion(make_user("examiner"), child, what="s17", words="Example council")
    assert not measures.running_for(child)


def test_the_childs_page_offers_and_shows_it(sign_in, supervisor, child) -> None:
    client, step = sign_in(supervisor), "safeguarding:record_step"
    began = client.post(reverse(step, args=[child.reference, "measure"]), {"what": "s17", "words": "Example council"})
    assert began.status_code == 302
    page = client.get(began.headers["Location"]).content.decode()
    assert "The child is seen after a section 17 allocation" in page and "What came of it" in page
    form = client.get(reverse(step, args=[child.reference, "outcome"])).content.decode()
    assert "Section 17 assessment allocated: the child was seen" in form and "protection order" not in form
    done = client.post(reverse(step, args=[child.reference, "outcome"]), {"what": "s17", "words": "Seen at home"})
    assert done.status_code == 302 and not measures.running_for(child)
