"""The force's own file: sets what is missing, keeps what the product said, cannot loosen the law."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from safelight.standards import Duration, Standards, StandardsFileError, demo_site_path, load_standards, read_standards

from .test_loader import TEXTS

UK = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK/$metadata"
US = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata"


def with_site(text: str) -> Standards:
    return read_standards(TEXTS, site=("force.toml", text))


def faults_of(text: str) -> str:
    with pytest.raises(StandardsFileError) as caught:
        with_site(text)
    return str(caught.value)


def test_a_required_clock_runs_once_the_force_has_set_it() -> None:
    """Lost: the clock on the national database upload, which no published rule gives."""
    clock = with_site('[clocks.caid_upload]\nduration = { hours = 72 }\nlabel = "Order 7"').clocks["caid_upload"]
    assert clock.is_set and clock.status == "required"
    assert clock.set_by == "site: Order 7"
    assert dict(clock.origin) == {"duration": "not set"}
    assert clock.due_at(datetime(2026, 11, 20, tzinfo=UTC)) == datetime(2026, 11, 23, tzinfo=UTC)


def test_a_changed_default_keeps_what_the_product_said() -> None:
    """Lost: who decided on seven days, and what it was before."""
    text = """
[clocks.allocation_to_investigator]
label = "Order 8"
risk.very_high = { hours = 4 }
risk.high = { hours = 12 }
risk.medium = { hours = 48 }
risk.low = { hours = 72 }
"""
    clock = with_site(text).clocks["allocation_to_investigator"]
    assert clock.duration_for(risk="low") == Duration(72, "hours")
    assert "low 168 hours" in dict(clock.origin)["duration"]
    assert clock.case_for(risk="low").set_by == "site: Order 8"


def test_a_borough_of_the_force() -> None:
    """Boroughs differ: one may set its own figure without touching the others."""
    text = '[clocks.s47_child_seen.borough."Tower Hamlets"]\nduration = { hours = 12 }\nlabel = "Procedure 3.2"'
    clock = with_site(text).clocks["s47_child_seen"]
    assert clock.duration_for(borough="Tower Hamlets") == Duration(12, "hours")
    assert clock.duration_for(borough="Camden") == Duration(24, "hours")
    assert clock.case_for(borough="Tower Hamlets").set_by == "site: Procedure 3.2"


def test_a_later_change_moves_no_earlier_clock() -> None:
    """Lost: a clock started in May that is judged by a rule of June."""
    text = """
[[clocks.caid_upload]]
duration = { hours = 72 }
label = "Order 7"
[[clocks.caid_upload]]
duration = { hours = 24 }
effective_from = 2026-06-01
label = "Order 9"
"""
    clock = with_site(text).clocks["caid_upload"]
    assert clock.due_at(datetime(2026, 5, 31, 12, tzinfo=UTC)) == datetime(2026, 6, 3, 12, tzinfo=UTC)
    assert clock.due_at(datetime(2026, 6, 1, 12, tzinfo=UTC)) == datetime(2026, 6, 2, 12, tzinfo=UTC)
    assert clock.case_for(on=date(2026, 6, 1)).set_by == "site: Order 9"


def test_weights_are_effective_dated() -> None:
    """Lost: last year's workload figures, recalculated with this year's weights."""
    text = """
[policy.caseload_points]
risk = { very_high = 10, high = 6, medium = 3, low = 1 }
effective_from = 2027-01-01
label = "Order 10"
"""
    points = with_site(text).policy["caseload_points"]
    assert points.for_risk("very_high", on=date(2026, 12, 31)) == 8
    assert points.for_risk("very_high", on=date(2027, 1, 1)) == 10


def test_working_hours_of_the_force_move_late_arrivals_to_the_next_working_day() -> None:
    text = '[policy.working_hours]\nvalue = "09:00-17:00"\nlabel = "Order 11"'
    clock = with_site(text).clocks["csc_referral_decision"]
    assert clock.due_at(datetime(2026, 11, 20, 18, tzinfo=UTC)) == datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    assert clock.due_at(datetime(2026, 11, 20, 16, tzinfo=UTC)) == datetime(2026, 11, 23, 23, 59, 59, tzinfo=UTC)


def test_a_draft_can_be_confirmed_with_its_source() -> None:
    """Lost: the way from 'somebody must check' to 'checked, and here'."""
    standards = with_site(
        '[clocks.rso_arms]\nstatus = "verified"\nsource = "Guidance 2026, page 4"\nlabel = "Checked by the force"'
    )
    clock = standards.clocks["rso_arms"]
    assert (clock.status, clock.source, clock.set_by) == (
        "verified",
        "Guidance 2026, page 4",
        "site: Checked by the force",
    )
    assert clock not in standards.unconfirmed()
    assert dict(clock.origin)["status"] == "draft"


def test_units_outcomes_and_skills_can_be_changed_and_added() -> None:
    """Units merge: the force names its own."""
    standards = with_site("""
[units.CN]
boroughs = ["Camden", "Islington", "Haringey"]
label = "Reorganisation 2026"
[units.NA]
boroughs = ["Enfield"]
label = "Reorganisation 2026"
[skills.drone]
title = "Drone"
applies_to = ["examiner"]
label = "Ours"
[outcomes.charged]
status = "verified"
number_status = "verified"
source = "Counting rules, April 2026"
label = "Checked"
""")
    assert standards.unit_for_borough("Haringey").id == "CN"
    assert dict(standards.units["CN"].origin)["boroughs"] == "['Camden', 'Islington']"
    assert standards.skills["drone"].set_by == "site: Ours"
    assert standards.outcomes["charged"].number_status == "verified"
    assert list(standards.units)[:2] == ["AW", "SW"], "the order stays"


def test_vics_numbers_by_context_serve_cases_and_media_alike() -> None:
    """Lost: the same list, readable as a hash set and unreadable as a case file."""
    standards = with_site(f'[categories.vics."{UK}#Cases"]\n1 = "A"\n2 = "B"\n3 = "C"\nlabel = "Letter"')
    for kind in ("Cases", "Media"):
        assert standards.vics_category(f"{UK}#{kind}", 2) == "B"
        assert standards.vics_number(f"{UK}#{kind}", "C") == 3
        assert standards.vics_category(f"{UK}#{kind}", 4) is None
    assert "vics_2_0_uk" not in [row.id for row in standards.unset()]
    assert standards.vics_maps["vics_2_0_uk"].set_by == "site: Letter"


def test_vics_of_an_unheard_of_publisher_can_be_added() -> None:
    standards = with_site('[categories.vics."https://lists.example/2.0"]\n7 = "not_pertinent"\nlabel = "Letter"')
    assert standards.vics_category("https://lists.example/2.0#Media", 7) == "not_pertinent"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[clocks.police_protection_max]\nduration = { hours = 96 }", "96 hours loosens the statute's 72 hours"),
        ("[clocks.police_protection_max.borough.Merton]\nduration = { hours = 73 }", "loosens the statute's 72 hours"),
        ("[clocks.rso_travel]\nduration = { calendar_days = 5 }", "5 calendar days loosens"),
        ("[clocks.rso_annual]\nduration = { months = 12 }", "cannot be compared"),
        ("[clocks.rso_indef_review]\nduration = { years = 10 }", "the statute says 15 years"),
        ("[clocks.pace_review_1]\nduration = { calendar_days = 1 }", "cannot be counted on the calendar 'elapsed'"),
        ("[clocks.caid_uplaod]\nduration = { hours = 1 }", "there is no clock 'caid_uplaod'"),
        ("[clocks.caid_upload]\nduration = { working_days = 3 }", "cannot be counted on the calendar 'elapsed'"),
        ("[clocks.caid_upload]\nowner = 'examiner'", "unknown key 'owner'"),
        ("[clocks.caid_upload]", "sets nothing"),
        ("[clocks.caid_upload.borough.Oz]\nduration = { hours = 1 }", "unknown borough 'Oz'"),
        ("[clocks.caid_upload.borough.Camden]\n", "no duration"),
        ("[clocks.rso_visit_current]\nduration = { months = 1 }", "takes no duration"),
        ("[clocks.rso_visit_legacy]\nactive = true", "the clock ended on 2017-06-28"),
        ("[clocks.supervisor_review.risk]\nvery_high = { hours = 1 }", "high is missing"),
        ("[clocks.rso_arms]\nstatus = 'verified'", "source is missing"),
        (
            "[clocks.allocation_to_investigator]\nstatus = 'verified'\nsource = 'x'",
            "a product default cannot be verified",
        ),
        ("[policy.hold_max_hours]\nvalue = 48", "outside what is allowed"),
        ("[policy.hold_max_hours]\nvalue = 'a day'", "is not a number"),
        ("[policy.access_reason_required]\nvalue = 'yes'", "another type than True"),
        ("[policy.hold_max_hours.risk]\nvery_high=1\nhigh=1\nmedium=1\nlow=1", "one value for all risk levels"),
        ("[policy.working_hours]\nvalue = '17:00-09:00'", "is no span of hours"),
        ("[policy.rso_caseload_amber]\nvalue = 61", "amber is not below red"),
        ("[policy.unheard]\nvalue = 1", "there is no setting 'unheard'"),
        ("[units.CN]\nboroughs = ['Camden', 'Merton']", "the borough 'Merton' belongs to"),
        ("[units.XX]\ntitle = 'New'", "type is missing"),
        ("[outcomes.charged]\nnumber = 2", "number 2 is used twice"),
        ("[outcomes.charged]\nstatus = 'verified'", "without a source"),
        (f'[categories.vics."{UK}"]\n1 = "A"\n2 = "B"', "no number means C"),
        (f'[categories.vics."{UK}"]\n1 = "A"\n2 = "B"\n3 = "E"', "number 3 means 'E'"),
        ("[clock.caid_upload]\nduration = { hours = 1 }", "[clock]: unknown table"),
        ("clocks = 3", "[clocks]: is 3, not a table"),
    ],
)
def test_a_bad_site_file_is_refused_with_its_table(text: str, expected: str) -> None:
    """Lost: a child held for 96 hours because a text file said so, or a typing error that sets nothing."""
    first = text.replace("\n", '\nlabel = "L"\n', 1) if text.startswith("[") else text
    message = faults_of(first if "\n" in text else text + '\nlabel = "L"')
    assert expected in message
    assert message.startswith("force.toml: ")


def test_a_value_without_a_label_is_refused() -> None:
    """Lost: on whose authority."""
    assert "label is missing" in faults_of("[clocks.caid_upload]\nduration = { hours = 72 }")


def test_the_same_thing_set_twice_is_refused() -> None:
    one = '[[clocks.caid_upload]]\nduration = { hours = 72 }\nlabel = "L"\n'
    assert "given twice for the same date" in faults_of(one + one)
    value = '[[policy.hold_max_hours]]\nvalue = 12\nlabel = "L"\n'
    assert "given twice for the same date" in faults_of(value + value)
    numbers = '1 = "A"\n2 = "B"\n3 = "C"\nlabel = "L"\n'
    twice = f'[categories.vics."{UK}#Cases"]\n{numbers}[categories.vics."{UK}#Media"]\n{numbers}'
    assert "is set twice" in faults_of(twice)


def test_a_statute_may_be_tightened() -> None:
    clock = with_site('[clocks.pace_review_next]\nduration = { hours = 6 }\nlabel = "Ours"').clocks["pace_review_next"]
    assert clock.duration_for() == Duration(6, "hours")


def test_the_line_of_the_table_is_named() -> None:
    text = '# one\n\n[clocks.caid_upload]\nduration = { hour = 72 }\nlabel = "L"\n'
    assert faults_of(text).startswith("force.toml: [clocks.caid_upload] (line 3): duration: unknown unit 'hour'")


def test_the_demonstration_sets_everything_and_labels_all_of_it() -> None:
    """Lost: a demo that stops half way, or a demo value that looks like policy."""
    plain, demo = load_standards(), load_standards(site=demo_site_path())
    assert demo.unset() == ()
    changed = [row for _, row in demo.rows() if row.set_by != "product"]
    assert {row.id for row in changed} == {row.id for row in plain.unset()}
    assert {row.set_by for row in changed} == {"site: Demo value, not policy"}
    for clock in demo.clocks.values():
        if clock.basis == "fixed":
            assert clock.due_at(datetime(2026, 11, 20, tzinfo=UTC)) is not None
