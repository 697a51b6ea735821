"""The policy file: what it refuses to say, and that its page in the documentation is what it says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from safelight.casework.base.permissions import FILE, PermissionsError, Row, Step, abouts, permissions, read
from safelight.casework.base.routes import disagreements, example, routes
from safelight.cli.policy import markdown, said
from safelight.standards import load_standards

PAGE = Path(__file__).parents[3] / "docs/permissions.md"


def test_every_role_of_the_standards_that_may_sign_in_is_in_it() -> None:
    """A new role would be in no matrix."""
    assert set(permissions().roles) == {row.id for row in load_standards().roles.values() if row.available}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('supervisor = "yes"', 'supervisor = "perhaps"', "write one of"),
        ('supervisor = "yes"', 'supervisor = "yes no"', "for each of"),
        ('supervisor = "yes"', 'superviser = "yes"', "a role that"),
        ("GET case consultation", "GET nowhere consultation", "with a known access"),
        ("GET case consultation", "GET case reading", "none of"),
        ('"GET case consultation"', '"GET case"', "none: WHY"),
        ('roles = ["referral_desk"', 'roles = ["everybody"', "[break_glass] names a role"),
        ('"*" = "sign-in sign-in', '"*" = "sign-in', "[sign_in] *"),
        ('"*" = "sign-in', '"*" = "open', "[sign_in] *"),
        ('"lookup disclosure"', '"lookup telling"', "[platform_keys]"),
        ('"any none: counts', '"any counts', "[platform_keys]"),
        ("[relations]", "[relation", "cannot be read"),
        ("[break_glass]", "[broken]", "lacks 'roles'"),
    ],
)
def test_what_contradicts_itself_is_refused_with_the_place(old, new, says) -> None:
    """A slip of the keyboard would open a page, or shut it, and look like policy."""
    text = FILE.read_text("utf-8")
    assert old in text
    with pytest.raises(PermissionsError) as error:
        read(text.replace(old, new, 1))
    assert says in str(error.value)


def test_each_way_of_disagreeing_is_found_and_said() -> None:
    """A page without a row, a row without a page, another rule, other methods, a look that is not declared."""
    right = permissions()
    row = right.routes["cases:detail"]
    look = Row(row.rule, {"GET": replace(row.steps["GET"], records=())})
    wrong = {
        "cases:detail": (Row("cases.close", row.steps), "asks for 'cases.view'"),
        "cases:risk": (Row("cases.risk", row.steps), "answers ['GET', 'POST']"),
        "cases:clocks": (look, "records a look at"),
        "cases:nowhere": (row, "which is no page"),
        "healthz": (Row("public", row.steps), "go together"),
    }
    said_ = replace(right, routes={**right.routes, **{name: made for name, (made, _) in wrong.items()}})
    found = disagreements(said_)
    for name, (_, words) in wrong.items():
        assert any(name in one and words in one for one in found), name
    less = replace(right, routes={name: one for name, one in right.routes.items() if name != "cases:live_contact"})
    one = next(one for one in disagreements(less) if "cases:live_contact" in one)
    assert '"cases:live_contact" = ["cases.live_contact", "GET ACCESS consultation", "POST ACCESS alteration"]' in one
    health = next(route for route in routes() if route.name == "healthz")
    assert example(health) == '"healthz" = ["public", "GET ACCESS none: why"]'


def test_no_access_answers_a_restricted_case_to_somebody_who_broke_no_glass() -> None:
    """The file itself would say that a restricted case is open: whoever may see it is named, or broke the glass."""
    case = permissions().access["case"]
    assert {case[role]["restricted"] for role in case} == {"hidden"}
    assert {row["conflict"] for role, row in case.items()} == {"hidden"}
    assert "restricted" not in said(case["investigator"], permissions().roles["investigator"])


def test_the_page_of_the_documentation_is_what_the_file_says() -> None:
    """Somebody would decide by a page that was true last month. Make it: safelight policy --format markdown."""
    addresses = {route.name: route.address for route in routes()}
    assert PAGE.read_text("utf-8") == markdown(permissions(), abouts(), addresses)


def test_a_step_without_personal_data_says_why() -> None:
    for name, row in permissions().routes.items():
        for method, step in row.steps.items():
            assert bool(step.records) != bool(step.why), (name, method)
            assert step == Step(step.access, step.records, step.why)
