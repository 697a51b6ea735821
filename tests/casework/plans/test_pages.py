"""Plans from the question to the figures, with the real engine and the real job."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_case, make_user, make_whatif

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.plans import services
from safelight.casework.plans.models import WhatIf
from safelight.casework.plans.tasks import run_whatif

pytestmark = pytest.mark.django_db
QUESTION = {
    "title": "What if 40 leave?",
    "years": "1",
    "replications": "10",
    "name": "40 leave",
    "rule": "growing",
    "teams": "as it is",
    "devices.cap": "as it is",
}
SMALL = {"referrals.per_year": 400, "visits.offenders": 300}


def test_a_question_is_asked_worked_out_and_read(sign_in) -> None:
    """A planner gets both sides, what changed, the doubt, charts, and what the answer does not say."""
    user = make_user("supervisor")
    client = sign_in(user)
    assert client.get(reverse("plans:new")).status_code == 200
    data = {**QUESTION, "staff.specialists": "-40", "teams": "1", "devices.cap": "0", "other": "effort.triage = 2"}
    asked = client.post(reverse("plans:new"), data)
    row = WhatIf.objects.get()
    assert asked.url == reverse("plans:detail", args=[row.reference])
    changes = {"staff.specialists": "-40", "teams": 1.0, "devices.cap": 0.0, "effort.triage": 2.0}
    assert row.scenarios == [{"name": "40 leave", "changes": changes, "rule": "growing"}]
    WhatIf.objects.update(replications=2, years=0.5, base=SMALL)
    assert "Waiting for a worker" in client.get(asked.url).content.decode()
    assert run_whatif(row.pk) == "done"
    text = client.get(asked.url).content.decode()
    for words in (
        "As it is", "40 leave", "change ", "Children whose case waits", "What this does not say", "assumptions",
        "Cost of all posts", "95 % interval", "Clocks breached", "Specialist investigators",
    ):  # fmt: skip
        assert words in text, words
    charts = re.findall(r"<svg role=\"presentation\".*?</svg>", text, re.S)
    assert len(charts) >= 5
    for chart in charts:
        assert "style=" not in chart and "<script" not in chart and "<style" not in chart
        ElementTree.fromstring(chart)
    assert LedgerEntry.objects.filter(verb="whatif.viewed", actor=user).count() == 2
    assert LedgerEntry.objects.filter(verb="whatif.ended").exists()


def test_figures_leave_as_csv_and_json_and_the_ledger_knows(sign_in) -> None:
    user = make_user("administrator")
    row = make_whatif(user)
    client = sign_in(user)
    where = reverse("plans:figures", args=[row.reference])
    assert client.get(where).status_code == 404, "no figures yet"
    run_whatif(row.pk)
    rows = list(csv.DictReader(io.StringIO(client.get(where + "?format=csv").content.decode())))
    assert {one["scenario"] for one in rows} == {"As it is", "Fewer"}
    data = json.loads(client.get(where).content)
    assert data["scenarios"][1]["changes"] == {"staff.specialists": "-40"} and "charts" not in data
    assert LedgerEntry.objects.filter(verb="whatif.exported", actor=user).count() == 2


def test_another_scenario_stands_beside_the_first(sign_in) -> None:
    user = make_user("supervisor")
    row = make_whatif(user)
    client = sign_in(user)
    where = reverse("plans:scenario", args=[row.reference])
    refused = client.post(where, {"name": "Pooled", "rule": "fifo", "teams": "1", "devices.cap": "as it is"})
    assert "is running" in refused.content.decode(), "a plan that waits or runs is not changed under its feet"
    run_whatif(row.pk)
    assert (
        client.post(where, {"name": "Pooled", "rule": "fifo", "teams": "1", "devices.cap": "as it is"}).status_code
        == 302
    )
    run_whatif(row.pk)
    row.refresh_from_db()
    assert [one["name"] for one in row.result["scenarios"]] == ["As it is", "Fewer", "Pooled"]
    again = client.post(where, {"name": "Pooled", "rule": "fifo", "teams": "1", "devices.cap": "as it is"})
    assert "is taken" in again.content.decode()


def test_values_that_cannot_be_are_refused_beside_their_field(sign_in) -> None:
    """A negative number of people would otherwise be planned with, or lost in a general error."""
    client = sign_in(make_user("supervisor"))
    page = client.post(reverse("plans:new"), {**QUESTION, "staff.desk": "-400"})
    text = page.content.decode()
    assert page.status_code == 200 and "staff.desk: -386 is outside 0 to 10000 posts" in text
    assert 'href="#id_staff.desk"' in text
    for wrong in ({"staff.desk": "many"}, {"other": "nonsense"}, {"other": "staff.dog = 1"}, {"rule": "luck"}):
        assert client.post(reverse("plans:new"), {**QUESTION, **wrong}).status_code == 200
    assert not WhatIf.objects.exists()


def test_the_smallest_staffing_is_searched_and_shown_with_one_fewer(sign_in) -> None:
    user = make_user("supervisor")
    client = sign_in(user)
    data = {"clock": "safeguarding", "risk": "very_high", "share": "95"}
    assert client.get(reverse("plans:smallest")).status_code == 200
    where = client.post(reverse("plans:smallest"), data).url
    row = WhatIf.objects.get()
    WhatIf.objects.update(replications=2, years=0.5, base={**SMALL, "staff.desk": 3})
    assert run_whatif(row.pk) == "done"
    row.refresh_from_db()
    ((lever, before, after),) = row.result["posts"]
    assert (lever, before) == ("staff.desk", 3) and after >= 1
    assert row.result["fewer"][0][0] == f"{after - 1} in desk"
    text = client.get(where).content.decode()
    assert "The fewest posts that keep 95% of very high risk inside the safeguarding clock" in text
    assert "With one post fewer" in text and "Not kept" in text
    assert client.get(reverse("plans:figures", args=[row.reference])).status_code == 200
    with pytest.raises(Invalid):
        services.search_smallest(user, clock="tea", risk="high", share=0.9)


def test_progress_is_told_and_a_stop_keeps_what_is_done(sign_in, monkeypatch) -> None:
    user = make_user("supervisor")
    client = sign_in(user)
    row = make_whatif(user, replications=4000)
    where = reverse("plans:progress", args=[row.reference])
    monkeypatch.setattr("safelight.casework.plans.tasks.WRITE_EVERY", 0.0)
    seen: list[str] = []
    from safelight.casework.plans import tasks

    beat = tasks.Heartbeat.should_stop

    def watched(self) -> bool:
        found = beat(self)
        if self.done == 3 and not seen:
            seen.append(client.get(where).content.decode())
            client.post(reverse("plans:stop", args=[row.reference]))
        return found

    monkeypatch.setattr(tasks.Heartbeat, "should_stop", watched)
    assert run_whatif(row.pk) == "stopped"
    assert "3 of 8,000" in seen[0] and "without an investigator in time so far" in seen[0]
    row.refresh_from_db()
    assert 3 <= row.result["scenarios"][0]["runs"] < 20 and row.result["not_run"] == ["Fewer"]
    assert client.get(where)["HX-Redirect"] == reverse("plans:detail", args=[row.reference])
    assert "Stopped before the end" in client.get(reverse("plans:detail", args=[row.reference])).content.decode()
    with pytest.raises(NotPossible):
        services.stop(user, row)


def test_a_plan_whose_worker_died_says_so_and_can_be_run_again(sign_in) -> None:
    user = make_user("supervisor")
    row = make_whatif(user)
    WhatIf.objects.update(state="running", lease="x", heartbeat_at=timezone.now() - timedelta(minutes=10))
    text = sign_in(user).get(reverse("plans:detail", args=[row.reference])).content.decode()
    assert "has probably died" in text
    services.run_again(user, row)
    assert run_whatif(row.pk) == "done"
    assert run_whatif(row.pk) == "nothing to do", "a job delivered twice"


def test_what_no_staffing_keeps_fails_with_the_engines_own_words(sign_in) -> None:
    user = make_user("supervisor")
    base = {**SMALL, "effort.desk": dict.fromkeys(("very_high", "high", "medium", "low"), 400)}
    row = services.search_smallest(
        user, clock="safeguarding", risk="high", share=0.95, years=0.5, replications=2, base=base
    )
    assert run_whatif(row.pk) == "failed"
    text = sign_in(user).get(reverse("plans:detail", args=[row.reference])).content.decode()
    assert "The work itself takes too long" in text


def test_who_may_plan(sign_in) -> None:
    row = make_whatif()
    for role in ("investigator", "referral_desk", "examiner"):
        client = sign_in(make_user(role))
        for where in (reverse("plans:index"), reverse("plans:new"), reverse("plans:detail", args=[row.reference])):
            assert client.get(where).status_code == 403
        with pytest.raises(NotAllowed):
            make_whatif(make_user(role))
    client = sign_in(make_user("administrator"))
    assert row.title in client.get(reverse("plans:index")).content.decode()
    assert client.get(reverse("plans:detail", args=["W-999999"])).status_code == 404


def test_no_case_and_no_person_stands_on_a_planning_page(sign_in) -> None:
    """An administrator plans too, and may not read about children."""
    supervisor = make_user("supervisor")
    case = make_case(actor=supervisor)
    client = sign_in(make_user("administrator"))
    for where in ("plans:index", "plans:new", "plans:parameters"):
        text = client.get(reverse(where)).content.decode()
        assert case.reference not in text and case.title not in text
