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


# What each answers, in the order of WHO. "." is 302 to the page for signing in.
OPEN = {
    # The case itself and its tabs: unseen is 404, a role without any case is 403.
    "case": "200 200 200 404 200 404 200 403 404 403 403 404 200 302",
    "case_runs": "200 200 403 404 200 404 403 403 403 403 403 403 403 302",  # risk, live contact
    "case_super": "403 403 403 403 200 404 403 403 403 403 403 403 403 302",
    "protect": "200 200 200 404 200 404 403 403 404 403 403 403 403 302",  # children, social care
    "child_hold": "403 403 403 404 200 404 403 403 404 403 403 404 403 302",
    "devices": "200 200 200 404 200 404 200 403 404 403 403 404 200 302",
    "device_handle": "403 200 403 404 200 404 200 403 403 403 403 403 403 302",
    "device_decide": "403 200 403 404 200 404 403 403 403 403 403 403 403 302",
    "device_accept": "403 403 403 403 200 404 200 403 403 403 403 403 403 302",
    "submissions": "403 200 200 404 200 404 200 403 403 403 403 404 200 302",
    "submission_do": "403 200 403 404 200 404 200 403 403 403 403 403 403 302",
    "submission_file": "403 200 403 404 200 404 200 403 403 403 403 404 403 302",
    "grades": "403 200 403 404 403 403 200 403 403 403 403 403 403 302",
    "clock_hold": "403 403 403 403 200 404 403 403 403 403 403 403 403 302",
    "desk": "200 403 403 403 200 200 403 403 403 403 403 403 403 302",  # of no case yet: whole desk, any supervisor
    "referral": "200 200 200 404 200 404 200 403 404 403 403 404 200 302",
    "referral_close": "302 403 403 403 302 404 403 403 403 403 403 403 403 302",  # sent back: nothing to close
    "person_change": "200 200 200 404 200 404 403 403 404 403 403 403 403 302",
    "share": "200 200 200 404 200 404 403 403 403 403 403 403 403 302",  # not for offender managers
    "person_link": "200 200 200 404 200 404 403 403 403 403 403 403 403 302",
    "hashset": "403 403 403 403 200 200 200 200 403 403 403 403 403 302",
    "hashset_hit": "403 403 403 403 200 404 200 404 403 403 403 403 403 302",  # a device of the unit in it
    "action_end": "403 200 403 404 200 404 403 403 404 403 403 404 403 302",  # of the investigator's plan
    "takers": "403 403 403 403 200 200 403 200 403 403 403 403 200 302",  # of the unit, or of every unit
    "staff": "403 403 403 403 200 404 403 200 403 403 403 403 403 302",  # a colleague, of the unit or for accounts
    # The register: its unit and chief officers; those who have no business with it are refused by role.
    "offender": "403 403 403 403 200 404 403 403 200 403 403 403 200 302",
    "offender_manage": "403 403 403 403 200 404 403 403 200 403 403 403 403 302",
    "offender_approve": "403 403 403 403 200 404 403 403 403 403 403 403 403 302",
    "rereview": "403 404 404 404 200 404 403 403 403 403 403 200 200 302",  # of its unit; chief officers, auditors
    "rereview_lead": "403 403 403 403 200 404 403 403 403 403 403 403 200 302",
    "rereview_case": "403 404 404 404 200 404 403 403 403 403 403 404 200 302",
    "rereview_answer": "403 404 404 404 403 404 403 403 403 403 403 403 403 302",  # nobody reviews it yet
    "ledger_case": "403 403 403 403 200 404 403 404 403 403 403 403 403 302",
    "portal": "403 403 403 403 403 403 403 403 403 403 404 403 403 302",  # partners: what their agency was given
    "custody_case": "200 200 200 404 200 404 200 403 404 200 403 404 200 302",
    "custody_keep": "403 403 403 403 403 403 403 403 403 200 403 403 403 302",
    # A series holds no case content: whoever identifies victims sees it. Answers and children belong to their case.
    "series": "403 200 200 200 200 200 200 403 403 403 403 200 200 302",
    "identify_record": "403 200 200 200 200 200 200 403 403 403 403 403 403 302",
    "victim": "403 200 200 404 200 404 200 403 403 403 403 404 200 302",
    "victim_record": "403 200 200 404 200 404 200 403 403 403 403 403 403 302",
    "victim_identify": "404 200 200 404 200 404 403 403 404 403 403 403 403 302",
    "feedback_file": "403 403 403 403 200 200 200 403 403 403 403 403 403 302",
    "device_examine": "403 403 403 403 403 403 200 403 403 403 403 403 403 302",
    # Audits and recommendations; the case was sent back to who has it. The audit is closed, and so is its case.
    "audit_plan": "403 403 403 403 200 404 403 403 403 403 403 200 200 302",
    "audit_result": "403 403 403 403 403 403 403 403 403 403 403 200 200 302",
    "audit_own": "403 403 403 403 403 403 403 403 403 403 403 200 403 302",
    "audit_case": "403 403 403 403 200 404 403 403 403 403 403 200 403 302",
    "sent_back": "404 200 404 404 200 404 404 403 403 403 403 200 403 302",
    # An access that somebody else's broken glass gave: the supervisors of the case, and oversight.
    "glass": "404 404 404 404 200 404 403 403 404 403 403 200 200 302",
    "glass_review": "403 403 403 403 200 404 403 403 403 403 403 200 200 302",
    # How long a case is kept: its supervisors, chief officers, and auditors who see it.
    "retention": "403 403 403 403 200 404 403 403 403 403 403 404 200 302",
    "retention_propose": "403 403 403 403 200 404 403 403 403 403 403 403 200 302",
    "retention_chief": "403 403 403 403 403 403 403 403 403 403 403 403 200 302",
    "recommendation": "403 403 403 403 200 200 403 200 403 403 403 200 200 302",
    "recommendation_add": "403 403 403 403 403 403 403 403 403 403 403 200 200 302",
    "recommendation_chief": "403 403 403 403 403 403 403 403 403 403 403 403 200 302",
}

ROUTES = {
    "inspection:plan": "audit_plan", "inspection:result": "audit_result", "inspection:population": "audit_own",
    "inspection:case": "audit_case", "inspection:assess": "audit_case", "inspection:evidence": "audit_case",
    "inspection:missing": "audit_own", "inspection:settle": "audit_own", "inspection:send_back": "audit_own",
    "inspection:answer": "sent_back",
    "breakglass:detail": "glass", "breakglass:review": "glass_review",
    "retention:detail": "retention", "retention:group": "retention_propose", "retention:decide": "retention_propose",
    "retention:hold": "retention_propose", "retention:lift": "retention_chief", "retention:settle": "retention_chief",
    "recommendations:new": "recommendation_add", "recommendations:detail": "recommendation",
    "recommendations:owner": "recommendation_chief", "recommendations:plan": "recommendation_chief",
    "recommendations:proof": "recommendation_chief", "recommendations:judge": "audit_own",
    "cases:detail": "case", "cases:chronology": "case", "cases:clocks": "case", "cases:ledger": "case",
    "cases:risk": "case_runs", "cases:live_contact": "case_runs", "cases:access": "case_super",
    "victims:case_victims": "case", "victims:add": "device_decide", "victims:entitlement": "device_decide",
    "victims:wish": "device_decide", "victims:told": "device_decide",
    "cases:settle": "case_super", "cases:close": "case_super", "cases:reopen": "case_super",
    "workforce:takers": "takers", "workforce:end_skill": "staff", "workforce:appointment": "case_super",
    "workforce:staff": "staff", "workforce:plan": "staff", "workforce:period": "staff",
    "supervision:plan": "case", "supervision:action_end": "action_end",
    "allocation:hand_over": "case_super", "allocation:complexity": "case_super",
    "allocation:conflict_end": "case_super",
    "allocation:allocate": "case_super", "allocation:end": "case_super", "supervision:review": "case_super",
    "clocks:hold": "clock_hold", "clocks:lift": "clock_hold",
    "custody:detail": "custody_case", "custody:step": "custody_keep", "custody:of_case": "protect",
    "devices:case_devices": "devices", "devices:book_in": "device_handle", "devices:detail": "devices",
    "devices:custody": "device_handle", "devices:decision": "device_decide", "devices:image": "device_handle",
    "devices:progress": "devices", "devices:account": "device_accept", "devices:report": "devices",
    "devices:bench": "device_handle", "devices:release": "case_super", "devices:carry_out": "device_handle",
    "devices:release_withdraw": "case_super", "fleet:submit": "device_handle", "fleet:block": "device_handle",
    "fleet:unblock": "device_handle", "fleet:complete": "device_examine", "fleet:withdraw": "device_handle",
    "fleet:field_report": "device_handle", "fleet:look": "devices", "fleet:progress": "devices",
    "fleet:report": "devices",
    "hashsets:settle": "hashset_hit",
    "ledger:entry": "ledger_case",
    "offenders:detail": "offender", "offenders:batch": "offender_manage",
    **{f"offenders:{name}": "offender_manage" for name in (
        "entry", "manager", "risk", "plan", "visit", "notification", "event", "child", "away", "back", "mappa",
        "intelligence", "note", "breach", "happened",
    )},
    **{f"offenders:{name}": "offender_approve" for name in ("reactive", "decide", "end")},
    "people:detail": "referral", "people:change": "person_change", "people:network": "referral",
    "people:merge": "person_link", "people:merge_undo": "person_link",
    "people:link": "person_link", "people:link_undo": "person_link",
    "rereview:detail": "rereview", "rereview:assign": "rereview_lead", "rereview:close": "rereview_lead",
    "rereview:case": "rereview_case", "rereview:move": "rereview_lead", "rereview:child": "rereview_answer",
    "referrals:detail": "referral", "referrals:close": "referral_close",
    "referrals:batch": "desk", "referrals:resolve": "desk",
    "safeguarding:check": "protect", "safeguarding:child_add": "protect", "safeguarding:case_children": "case",
    "safeguarding:case_child_add": "protect", "safeguarding:refer": "protect", "safeguarding:child": "protect",
    "safeguarding:hold": "child_hold", "safeguarding:lift": "child_hold",
    "safeguarding:sent": "case", "safeguarding:text": "case", "safeguarding:chase": "protect",
    "safeguarding:answer": "protect", "safeguarding:escalate": "protect", "safeguarding:bulk": "protect",
    "safeguarding:strategy_call": "protect", "safeguarding:record": "case", "safeguarding:record_step": "protect",
    "safeguarding:strategy": "case", "safeguarding:strategy_step": "protect", "safeguarding:enquiry": "case",
    "safeguarding:enquiry_step": "protect", "safeguarding:protection": "case",
    "safeguarding:protection_step": "protect",
    "sharing:of_case": "case", "sharing:message": "protect", "sharing:share_referral": "protect",
    "sharing:share_strategy": "protect", "sharing:detail": "case", "sharing:step": "share",
    "sharing:received": "portal", "sharing:received_step": "portal",
    "submissions:case_submissions": "submissions", "submissions:grade": "grades",
    "identification:series": "series", "identification:files": "identify_record", "identification:victim": "victim",
    "identification:lead": "victim_record", "identification:close_lead": "victim_record",
    "identification:identify": "victim_identify", "identification:feedback_file": "feedback_file",
    "identification:feedback": "victim",
    "submissions:import_grades": "grades", "submissions:settle_grade": "grades", "submissions:nothing": "submission_do",
    "submissions:detail": "submissions", "submissions:download": "submission_file",
    "submissions:sent": "submission_do", "submissions:receipt": "submission_do",
    "submissions:settle": "submission_do",
}  # fmt: skip


def world(tmp_path: Any, settings: Any, **fields: Any) -> World:
    return make_world(tmp_path, settings, ROUTES, **fields)


def answers(where: World, who: str) -> dict[str, int]:
    client = client_of(where.people.get(who))
    return {name: client.get(reverse(name, kwargs=where.arguments[name])).status_code for name in ROUTES}


def declared(who: str) -> dict[str, int]:
    place = WHO.index(who)
    return {name: int(OPEN[row].split()[place]) for name, row in ROUTES.items()}


def _names(resolver: Any = None, space: str = "") -> Iterator[tuple[str, Any, Any]]:
    for one in (resolver or get_resolver()).url_patterns:
        if isinstance(one, URLResolver):
            yield from _names(one, f"{one.namespace}:" if one.namespace else space)
        elif isinstance(one, URLPattern):
            yield f"{space}{one.name}", one.callback, one.pattern.converters


def test_every_page_about_one_record_is_in_the_table() -> None:
    """A new page of a case would be open to whoever its author did not think of."""
    found = {
        name
        for name, view, takes in _names()
        if view.__module__.startswith("safelight.casework.") and takes and "GET" in view.policy.methods
    }
    # Lists of digests: no case in them. What a list knows of earlier runs shows each person their own devices only.
    hash_sets = {
        "hashsets:detail", "hashsets:retire", "hashsets:hold", "hashsets:overlap", "hashsets:release",
        "hashsets:negative_withdraw", "hashsets:recheck",
    }  # fmt: skip
    # Pages without a case in them, or whose own tests hold who sees what: one line for each app.
    elsewhere = (
        "accounts:",  # no case: tests/casework/accounts/test_recovery.py
        "exchange:",  # tests/casework/exchange/test_pages.py
        "notices:",  # each person's own: tests/casework/notices/test_views.py
        "oversight:",  # figures and public reports: tests/casework/oversight/test_pages.py
        "plans:",  # a model
        "search:",  # lists taken out: tests/casework/search/test_export.py
    )
    rest = {name for name in found if not name.startswith(elsewhere)}
    assert rest - hash_sets == set(ROUTES)


@pytest.mark.parametrize("who", WHO)
def test_each_role_meets_what_the_table_says(who, tmp_path, settings) -> None:
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
            "identification:series_list", "identification:feedback_list", "breakglass:index",
            "retention:index",
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
