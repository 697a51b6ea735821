"""What ships: each row honest about where it comes from, and the decisions that must not slip."""

from __future__ import annotations

import pytest

from safelight.errors import StandardsError
from safelight.standards import Duration, load_standards

S = load_standards()
US = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media"
UK = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata#Cases"
OLD = "http://github.com/ICMEC/ProjectVic/DataModels/1.3.xml#Media"
HOURS = {
    "police_referral_to_csc": 24,
    "s47_child_seen": 24,
    "police_protection_max": 72,
    "rso_breach_record": 24,
    "pace_review_1": 6,
    "pace_review_next": 9,
}
WORKING_DAYS = {
    "csc_referral_decision": 1,
    "csc_referral_no_reply_chase": 1,
    "s17_child_seen": 4,
    "strategy_record_circulated": 1,
    "single_assessment_max": 45,
    "icpc": 15,
    "core_group_first": 10,
    "vcop_update_enhanced": 1,
    "vcop_update_standard": 5,
    "vcop_support_referral": 2,
}


@pytest.mark.parametrize("clock", HOURS)
def test_hours(clock: str) -> None:
    assert S.clocks[clock].duration_for() == Duration(HOURS[clock], "hours")


@pytest.mark.parametrize("clock", WORKING_DAYS)
def test_working_days(clock: str) -> None:
    assert S.clocks[clock].duration_for() == Duration(WORKING_DAYS[clock], "working_days")


@pytest.mark.parametrize(
    ("clock", "texts"),
    [
        ("allocation_to_investigator", ["8 hours", "24 hours", "72 hours", "168 hours"]),
        ("rso_visit_legacy", ["1 month", "3 months", "6 months", "12 months"]),
    ],
)
def test_durations_by_risk(clock: str, texts: list[str]) -> None:
    assert [str(S.clocks[clock].duration_for(risk=risk)) for risk in S.risks] == texts


def test_the_force_must_set_what_nobody_published() -> None:
    """Lost: an invented limit that looks like a national one."""
    assert {row.id for row in S.unset()} == {
        "osa_report_schedule",
        "cybertip_incident_type",
        "strategy_discussion",
        "mash_rag_blue",
        "warrant_from_intel",
        "kirat_action_vh",
        "kirat_action_h",
        "kirat_action_m",
        "kirat_action_l",
        "caid_upload",
        "pace_s38_transfer",
        "osa_report_to_nca",
        "welfare_screen",
        "grading_minutes_per_day",
        "grading_minutes_without_break",
        "grading_break_minutes",
        "retention_review_years_1",
        "retention_review_years_2",
        "retention_review_years_3",
        "vics_2_0_uk",
        "vics_2_0_default",
        "vics_2_0_custom",
        "vics_1_1",
        "vics_1_2",
        "vics_1_3",
    }


def test_nothing_unread_is_called_verified() -> None:
    """Lost: the difference between the law and what somebody remembers of it."""
    for table, row in S.rows():
        assert row.source, (table, row.id)
        assert row.status == "draft" or row.mark not in ("M", "P") or row.status == "required", (table, row.id)
        assert row.set_by == "product"


def test_a_child_never_waits_for_a_working_day() -> None:
    """Lost: a child referred on Friday evening and looked for on Monday."""
    children = [clock for clock in S.clocks.values() if clock.child_at_risk]
    assert len(children) >= 7
    for clock in children:
        assert clock.calendar == "elapsed" and not clock.pause_reasons
        assert clock.escalation


def test_police_protection_cannot_be_extended() -> None:
    protection = S.clocks["police_protection_max"]
    assert protection.cannot_extend and not protection.may_be_held
    assert (protection.kind, protection.status) == ("statute", "verified")


def test_duties_that_are_not_in_force_are_switched_off() -> None:
    assert {clock.id for clock in S.clocks.values() if not clock.active} == {"mandatory_report_csa", "rso_visit_legacy"}
    assert S.policy["mandatory_report_csa_enabled"].value is False


def test_a_yearly_notification_starts_afresh_and_is_suspended() -> None:
    """SOA 2003 s.85."""
    yearly = S.clocks["rso_annual"]
    assert "rso_change_notified" in yearly.rebase_on
    assert yearly.pause_reasons == ("custody", "hospital", "abroad")


def test_twelve_units_hold_the_thirty_two_boroughs() -> None:
    """Lost: a child in a borough that no unit answers for."""
    bcus = [unit for unit in S.units.values() if unit.type == "bcu"]
    assert len(bcus) == 12 and len(S.boroughs) == len(set(S.boroughs)) == 32
    assert S.units["CN"].boroughs == ("Camden", "Islington")
    assert S.unit_for_borough("camden ").code == "CN"
    assert S.units["CN"].social_care == ("Camden children's social care", "Islington children's social care")
    assert S.social_care_for("tower hamlets") == "Tower Hamlets children's social care"
    assert S.units["OCSAE"].boroughs == ()
    with pytest.raises(StandardsError, match="No unit has a borough called 'City of London'"):
        S.unit_for_borough("City of London")


def test_the_administrator_sees_no_case_content() -> None:
    assert not S.roles["administrator"].case_content
    assert [role.id for role in S.roles.values() if role.available] == [
        "referral_desk",
        "investigator",
        "supervisor",
        "examiner",
        "administrator",
        "exchange_manager",
        "offender_manager",
        "custody_officer",
        "partner",
        "auditor",
        "chief_officer",
    ]


def test_the_united_kingdom_numbers_are_never_guessed() -> None:
    """Lost: a picture graded A that is filed as harmless."""
    for number in range(10):
        assert S.vics_category(UK, number) is None
        assert S.vics_category(OLD, number) is None
    assert S.vics_number(UK, "A") is None
    assert S.vics_category("", 1) is None
    assert S.vics_map_for("https://unknown.example/$metadata") is None


def test_the_american_numbers_mean_what_the_public_table_says() -> None:
    """A foreign list never gives a United Kingdom letter: a person does."""
    meanings = [S.vics_category(US, number) for number in range(7)]
    assert meanings == [
        "not_pertinent",
        "known_foreign",
        "other_foreign",
        "other_foreign",
        "other_foreign",
        "uncategorised",
        None,
    ]
    assert S.categories["known_foreign"].needs_grading
    assert S.vics_number(US, "not_pertinent") == 0
    assert S.vics_number(US, "A") is None


@pytest.mark.parametrize("context", [US, UK, OLD, "anything"])
def test_an_entry_without_a_number_is_uncategorised(context: str) -> None:
    assert S.vics_category(context, None) == "uncategorised"


def test_grades_belong_to_their_scale() -> None:
    """'Adequate' is a grade of the force and not of a case."""
    assert [grade.id for grade in S.grades["case"]] == ["good", "requires_improvement", "inadequate"]
    assert len(S.grades["force"]) == 5
    assert S.grades["force"]["adequate"].order == 3
    with pytest.raises(KeyError):
        S.grades["case"]["adequate"]


def test_outcome_numbers_say_whether_they_were_read() -> None:
    assert sorted(outcome.number for outcome in S.outcomes.values()) == list(range(1, 23))
    assert {o.number for o in S.outcomes.values() if o.number_status == "verified"} == {21, 22}


def test_settings() -> None:
    assert S.policy["hold_max_hours"].value == 24
    assert S.policy["hold_max_hours"].maximum == 24
    assert [S.policy["drift_days"].for_risk(risk) for risk in S.risks] == [3, 7, 14, 28]
    assert (S.policy["rso_caseload_amber"].value, S.policy["rso_caseload_red"].value) == (50, 60)
    with pytest.raises(StandardsError, match="has no value"):
        _ = S.policy["drift_days"].value
    with pytest.raises(StandardsError, match="Set \\[policy.grading_minutes_per_day\\]"):
        _ = S.policy["grading_minutes_per_day"].value


def test_no_content_of_a_risk_tool_ships() -> None:
    """Only the level, who recorded it and when: no questions, weights or thresholds."""
    for table, row in S.rows():
        text = f"{row.id} {row.title} {row.note}".casefold()
        assert "score" not in text and "points for" not in text, (table, row.id)
