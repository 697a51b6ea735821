"""Series, unidentified children, leads, and the moment when a child gets a name."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_allocation, make_case, make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.clocks.models import Clock
from safelight.casework.identification import queries, services
from safelight.casework.identification.models import Lead, Series, SeriesFile, Victim
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.notices.models import Notice

pytestmark = pytest.mark.django_db
MD5S = tuple(f"{number:032x}" for number in range(1, 4))


@pytest.fixture
def examiner() -> Any:
    return make_user("examiner")


@pytest.fixture
def victim(examiner: Any) -> Victim:
    """A child of an allocated case."""
    case = make_case()
    make_allocation(case)
    return services.record_victim(examiner_of(case), label="Child 1 (synthetic)", age_from=6, age_to=8, case=case)


def examiner_of(case: Any) -> Any:
    return case.investigator


def test_a_series_holds_digests_and_each_once(examiner: Any) -> None:
    """The same file would be counted twice, or a line that is no digest would be kept as one."""
    series = services.make_series(examiner, name="  SYNTHETIC  red room ")
    assert series.name == "SYNTHETIC red room"
    with pytest.raises(NotPossible, match="already"):
        services.make_series(examiner, name="synthetic RED room")
    with pytest.raises(NotAllowed):
        services.make_series(make_user("referral_desk"), name="x")
    text = f"{MD5S[0]} a\n\n{MD5S[1].upper()},B\n{MD5S[2]}\n"
    assert services.parse_files(text) == {MD5S[0]: "A", MD5S[1]: "B", MD5S[2]: ""}
    assert services.add_files(examiner, series, services.parse_files(text)) == 3
    assert services.add_files(examiner, series, {MD5S[0]: "C"}) == 0
    assert SeriesFile.objects.get(md5=MD5S[0]).category == "A"
    for wrong in ("xyz", f"{MD5S[0]} D", f"{MD5S[0]} A what it shows"):
        with pytest.raises(Invalid, match="Line 1"):
            services.parse_files(wrong)
    assert queries.series_page(examiner, text=MD5S[1].upper()).rows[0][:2] == (series, 3)


def test_a_lead_names_its_source_and_somebody_follows_it(victim: Victim) -> None:
    """'A school badge' without where it was seen leads nowhere, and a lead that nobody has is not followed."""
    officer = victim.case.investigator
    with pytest.raises(Invalid, match="Where it comes from"):
        services.add_lead(officer, victim, kind="school", text="A badge", source=" ")
    stranger = make_user("investigator", "SW")
    with pytest.raises(NotAllowed):
        services.add_lead(stranger, victim, kind="school", text="A badge", source="x")
    with pytest.raises(Invalid, match="may not see"):
        services.add_lead(officer, victim, kind="school", text="A badge", source="x", owner=stranger)
    lead = services.add_lead(officer, victim, kind="school", text="A badge", source="EXIF of 3 files")
    from safelight.casework.identification.work import items_for

    assert [item.url for item in items_for(officer)] == [reverse("identification:victim", args=[victim.reference])]
    with pytest.raises(Invalid, match="came of it"):
        services.close_lead(officer, lead, led=False, outcome="")
    lead = services.close_lead(officer, lead, led=False, outcome="The school closed in 1998.")
    assert lead.state == "not_led" and items_for(officer) == []
    with pytest.raises(IntegrityError), transaction.atomic():
        Lead.objects.update(source="")


def test_an_identified_child_is_protected_at_once(victim: Victim) -> None:
    """The team would celebrate that the child has a name, and tell social care on Monday."""
    officer, case = victim.case.investigator, victim.case
    lead = services.add_lead(officer, victim, kind="tip", text="A name", source="A person")
    known = timezone.now() - timedelta(hours=5)
    with pytest.raises(Invalid, match="identified"):
        services.identify(officer, victim, how=" ", borough="Camden")
    with pytest.raises(NotAllowed):
        services.identify(make_user("examiner"), victim, how="By the badge.", borough="Camden")
    person = {"given_names": "Synthetic", "born": date(2016, 5, 4)}
    done = services.identify(
        officer, victim, how="By the badge.", person=person, borough="Camden", identified_at=known, lives_with=True
    )
    assert done.state == "identified" and done.child is not None and done.child.lives_with
    clock = Clock.objects.open().get(rule="police_referral_to_csc", subject_id=done.child.pk)
    assert clock.triggered_at == known and clock.due_at == known + timedelta(hours=24) and clock.case == case
    assert case.people.get(role="victim").person == done.child.person
    lead.refresh_from_db()
    assert lead.state == "not_led" and "identified" in lead.outcome
    assert Notice.objects.get(kind="victim.identified").user == officer
    assert LedgerEntry.objects.get(verb="unidentified.identified").category == "combination"
    with pytest.raises(NotPossible, match="is identified"):
        services.identify(officer, victim, how="Again.", borough="Camden")
    with pytest.raises(IntegrityError), transaction.atomic():
        Victim.objects.update(child=None)


def test_a_child_of_a_series_alone_is_protected_in_a_case_that_is_named(examiner: Any) -> None:
    """A child with a name and without a case would have no clock."""
    series = services.make_series(examiner, name="SYNTHETIC")
    victim = services.record_victim(examiner, label="Child", age_from=0, age_to=3, series=series)
    case = make_case()
    officer = make_allocation(case).investigator
    with pytest.raises(Invalid, match="in a case"):
        services.identify(officer, victim, how="x", borough="Camden")
    done = services.identify(officer, victim, case=case, how="x", borough="Camden", person={"born": date(2016, 5, 4)})
    assert done.case == case
    for wrong in ({"age_from": 5, "age_to": 4}, {"age_from": 16, "age_to": 18}):
        with pytest.raises(Invalid, match="0 to 17"):
            services.record_victim(examiner, label="Child", series=series, **wrong)
    with pytest.raises(Invalid, match="future"):
        services.record_victim(
            examiner,
            label="x",
            series=series,
            age_from=1,
            age_to=2,
            first_made=timezone.localdate() + timedelta(days=2),
        )


def test_a_child_of_a_case_that_one_may_not_see_is_not_there(victim: Victim, sign_in: Any) -> None:
    """The page of children would tell who works on what."""
    page = reverse("identification:victim", args=[victim.reference])
    stranger = make_user("investigator", "SW")
    assert sign_in(stranger).get(page).status_code == 404
    assert victim.reference not in sign_in(stranger).get(reverse("identification:index")).content.decode()
    for role in ("referral_desk", "administrator"):
        assert sign_in(make_user(role)).get(reverse("identification:index")).status_code == 403


def test_the_pages_from_series_to_a_named_child(examiner: Any, sign_in: Any) -> None:
    """Victim identification could be done only by those who can write Python."""
    case = make_case()
    officer = make_allocation(case).investigator
    browser = sign_in(officer)
    assert "No series" in browser.get(reverse("identification:series_list")).content.decode()
    answer = browser.post(reverse("identification:series_new"), {"name": "SYNTHETIC", "source": "here"})
    series = Series.objects.get()
    assert answer.url == reverse("identification:series", args=[series.reference])
    files = reverse("identification:files", args=[series.reference])
    assert "Line 1" in browser.post(files, {"files": "x"}).content.decode()
    assert browser.post(files, {"files": f"{MD5S[0]} A\n{MD5S[1]} B"}).status_code == 302
    text = browser.get(answer.url).content.decode()
    assert "Category A" in text and "In no case" in text
    start = reverse("identification:victim_new") + f"?series={series.reference}"
    assert "selected" in browser.get(start).content.decode()
    child = {"label": "Child 1", "series": series.pk, "age_from": 6, "age_to": 8, "sex": "not_known"}
    assert "no such case" in browser.post(start, {**child, "case": "C-999999"}).content.decode()
    assert browser.post(start, child).status_code == 302
    victim = Victim.objects.get()
    assert browser.post(
        reverse("identification:lead", args=[victim.reference]), {"kind": "tip", "text": "A name", "source": "A person"}
    ).status_code == 302  # fmt: skip
    assert "A person" in browser.get(reverse("identification:victim", args=[victim.reference])).content.decode()
    close = reverse("identification:close_lead", args=[Lead.objects.get().reference])
    assert browser.post(close, {"led": "yes", "outcome": "It was the name."}).status_code == 302
    identify = reverse("identification:identify", args=[victim.reference])
    named = {
        "how": "By the name.",
        "given_names": "Synthetic",
        "age": 7,
        "borough": "Camden",
        "contact": ["lives_with"],
    }
    assert browser.post(identify, {**named, "case": case.reference}).url == reverse(
        "safeguarding:case_children", args=[case.reference]
    )
    victim.refresh_from_db()
    assert victim.child is not None and victim.child.case == case and Lead.objects.get().state == "led"
    page = browser.get(reverse("submissions:case_submissions", args=[case.reference])).content.decode()
    assert victim.reference in page
