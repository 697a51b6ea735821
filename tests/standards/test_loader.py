"""Malformed or contradictory standards: refused as a whole, with file, row, reason and what to do."""

from __future__ import annotations

import re
import time
from importlib import resources
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.errors import StandardsError
from safelight.standards import StandardsFileError, demo_site_path, load_standards, read_standards
from safelight.standards.loader import FILES, MOST_SITE

TEXTS = {
    f"{name}.toml": (resources.files("safelight.standards") / "data" / f"{name}.toml").read_text(encoding="utf-8")
    for name in FILES
}


def faults_of(file: str, old: str, new: str, count: int = 1) -> list[str]:
    assert old in TEXTS[file], old
    with pytest.raises(StandardsFileError) as caught:
        read_standards({**TEXTS, file: TEXTS[file].replace(old, new, count)})
    return [str(fault) for fault in caught.value.faults]


FIRST = 'id = "police_referral_to_csc"'
CONTRADICTIONS = {
    "unknown key": ("clocks.toml", FIRST, FIRST + '\ntriger = "x"', "unknown key 'triger'. Did you mean 'trigger'?"),
    "missing key": ("clocks.toml", 'trigger = "child_at_risk_identified"\n', "", "trigger is missing"),
    "duplicate id": ("clocks.toml", 'id = "icpc"', FIRST, "the id 'police_referral_to_csc' is used twice"),
    "no id": ("clocks.toml", FIRST + "\n", "", "[[clock]] number 1 (line"),
    "unknown role in escalation": (
        "clocks.toml",
        'escalation = ["supervisor", "chief_officer"]',
        'escalation = ["sergeant"]',
        "names 'sergeant', which is unknown",
    ),
    "owner escalates to itself": (
        "clocks.toml",
        'escalation = ["supervisor", "chief_officer"]',
        'escalation = ["investigator"]',
        "escalation names the owner",
    ),
    "nobody hears": ("clocks.toml", 'escalation = ["supervisor", "chief_officer"]', "escalation = []", "nobody hears"),
    "elapsed clock in working days": (
        "clocks.toml",
        "duration = { hours = 24 }",
        "duration = { working_days = 1 }",
        "working_days cannot be counted on the calendar 'elapsed'",
    ),
    "held and cannot extend": (
        "clocks.toml",
        "may_be_held = true",
        "may_be_held = true\ncannot_extend = true",
        "cannot_extend together with may_be_held",
    ),
    "required with a value": (
        "clocks.toml",
        'id = "caid_upload"',
        'id = "caid_upload"\nduration = { hours = 72 }',
        "status is required, yet a duration is given",
    ),
    "a child waits for Monday": (
        "clocks.toml",
        'calendar = "elapsed"\nduration = { hours = 24 }\nsubject = "child"',
        'calendar = "working"\nduration = { working_days = 1 }\nsubject = "child"',
        "a clock of a child at risk counts on the calendar 'working'",
    ),
    "a child's clock pauses": (
        "clocks.toml",
        "may_be_held = true",
        'pause_reasons = ["abroad"]',
        "a clock of a child at risk can be paused",
    ),
    "a gap in the risk levels": ("clocks.toml", "risk.medium = { hours = 72 }\n", "", "medium is missing"),
    "an unknown risk level": (
        "clocks.toml",
        "risk.medium = { hours = 72 }",
        "risk.middling = { hours = 72 }",
        "middling",
    ),
    "first without next": (
        "clocks.toml",
        "first = { hours = 24 }, next = { calendar_days = 7 }",
        "first = { hours = 24 }",
        "next is missing",
    ),
    "both forms of duration": (
        "clocks.toml",
        "risk.very_high = { hours = 8 }",
        "duration = { hours = 1 }\nrisk.very_high = { hours = 8 }",
        "both duration and risk are given",
    ),
    "no duration": ("clocks.toml", "duration = { hours = 24 }\n", "", "no duration"),
    "two units": (
        "clocks.toml",
        "duration = { hours = 24 }",
        "duration = { hours = 24, months = 1 }",
        "a duration is one number with its unit",
    ),
    "a strange unit": (
        "clocks.toml",
        "duration = { hours = 24 }",
        "duration = { fortnights = 1 }",
        "unknown unit 'fortnights'",
    ),
    "nought hours": (
        "clocks.toml",
        "duration = { hours = 24 }",
        "duration = { hours = 0 }",
        "is not a whole number from 1",
    ),
    "true hours": (
        "clocks.toml",
        "duration = { hours = 24 }",
        "duration = { hours = true }",
        "is not a whole number from 1",
    ),
    "half an hour": (
        "clocks.toml",
        "duration = { hours = 24 }",
        "duration = { hours = 0.5 }",
        "is not a whole number from 1",
    ),
    "unknown status": ("clocks.toml", 'status = "draft"', 'status = "probably"', "status = 'probably' is unknown"),
    "unknown kind": ("clocks.toml", 'kind = "product_default"', 'kind = "rumour"', "kind = 'rumour' is unknown"),
    "unknown subject": ("clocks.toml", 'subject = "child"', 'subject = "pet"', "subject = 'pet' is unknown"),
    "unknown borough": ("clocks.toml", "[clock.borough.Merton]", "[clock.borough.Mertn]", "unknown borough 'Mertn'"),
    "verified without a source": ("clocks.toml", 'mark = "V"', 'mark = "M"', "no source was read"),
    "verified product default": ("policy.toml", 'status = "draft"', 'status = "verified"', "cannot be verified"),
    "empty source": ("policy.toml", 'source = "A choice of this product"', 'source = " "', "source is empty"),
    "a date in quotes": (
        "clocks.toml",
        "effective_from = 2026-04-07",
        'effective_from = "2026-04-07"',
        "is not a date",
    ),
    "ends before it begins": (
        "clocks.toml",
        "effective_to = 2017-06-28",
        "effective_from = 2018-01-01\neffective_to = 2017-06-28",
        "effective_to is before effective_from",
    ),
    "a borough in two units": ("units.toml", '"Camden"', '"Merton"', "the borough 'Merton' belongs to 'SW' as well"),
    "a BCU without boroughs": ("units.toml", 'boroughs = ["Camden", "Islington"]', "boroughs = []", "with 0 boroughs"),
    "an outcome number twice": ("outcomes.toml", "number = 22", "number = 21", "number 21 is used twice"),
    "an unknown outcome group": ("outcomes.toml", 'group = "charged"', 'group = "charge"', "Did you mean 'charged'?"),
    "a role that is and is not": ("roles.toml", "available = true", "available = false", "contradict each other"),
    "an administrator who reads cases": (
        "roles.toml",
        "case_content = false",
        "case_content = true",
        "the administrator sees case content",
    ),
    "a skill for nobody": ("skills.toml", '"examiner"', '"wizard"', "names 'wizard', which is unknown"),
    "a category that is missing": ("categories.toml", 'id = "B"', 'id = "BB"', "the category 'B' is missing"),
    "a number that means nothing": ("categories.toml", '1 = "known_foreign"', '1 = "D"', "number 1 means 'D'"),
    "a required map with numbers": (
        "categories.toml",
        'pattern = "*/ProjectVic/DataModels/2.0.xml/UK/$metadata"',
        'pattern = "x"\nnumbers = { 1 = "A", 2 = "B", 3 = "C" }',
        "status is required, yet numbers are given",
    ),
    "a grade twice": ("grades.toml", 'id = "requires_improvement"', 'id = "good"', "grade 'good' stands there twice"),
    "a value out of bounds": ("policy.toml", "value = 24", "value = 25", "outside what is allowed"),
    "a setting without a value": ("policy.toml", "value = 24\n", "", "value is missing"),
    "not a number": ("policy.toml", "value = 25", "value = nan", "neither a number"),
    "amber above red": ("policy.toml", "value = 50", "value = 70", "amber is not below red"),
    "no such hours": ("policy.toml", 'value = "any"', 'value = "nine to five"', "is no span of hours"),
    "a table of another name": ("risk.toml", '[[risk]]\nid = "low"', '[[risks]]\nid = "low"', "[risks]: unknown table"),
    "not TOML": ("grades.toml", "[[scale]]", "[[scale", "not valid TOML"),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_named_with_its_file_and_row(name: str) -> None:
    """Lost: a clock that quietly counts wrongly because somebody mistyped a line."""
    file, old, new, expected = CONTRADICTIONS[name]
    lines = faults_of(file, old, new)
    hits = [line for line in lines if expected in line]
    assert hits, lines
    assert hits[0].startswith(f"{file}: ")
    assert hits[0].endswith((".", "?"))


def test_the_row_and_its_line_are_named() -> None:
    """Lost: an hour of searching in a file of a thousand lines."""
    (line,) = faults_of("clocks.toml", 'trigger = "child_at_risk_identified"\n', "")
    number = TEXTS["clocks.toml"].splitlines().index("[[clock]]") + 1
    assert line == (
        f"clocks.toml: row 'police_referral_to_csc' (line {number}): trigger is missing. Add trigger = ...."
    )


def test_all_faults_of_all_files_are_reported_at_once() -> None:
    """Lost: mending one line, running again, mending the next."""
    texts = dict(TEXTS)
    texts["clocks.toml"] = texts["clocks.toml"].replace('calendar = "elapsed"', 'calendar = "lunar"')
    texts["units.toml"] = texts["units.toml"].replace('"Camden"', '"Merton"')
    with pytest.raises(StandardsFileError) as caught:
        read_standards(texts)
    text = str(caught.value)
    assert text.count("calendar = 'lunar' is unknown") == TEXTS["clocks.toml"].count('calendar = "elapsed"')
    assert "units.toml: row 'CN'" in text
    assert len(text.splitlines()) == len(caught.value.faults)


@settings(max_examples=50)
@given(st.sampled_from([*sorted(TEXTS), "site"]), st.data())
def test_a_damaged_file_gives_standards_or_a_standards_error(file: str, data: st.DataObject) -> None:
    """Lost: a trace instead of a sentence, whatever line somebody deletes or mangles."""
    own = demo_site_path().read_text(encoding="utf-8")
    lines = (own if file == "site" else TEXTS[file]).splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    how = data.draw(st.sampled_from(["delete", "twice", "number", "text", "list", "table", "cut"]))
    key = re.match(r"[\w.]+", lines[index])
    if how == "delete":
        lines.pop(index)
    elif how == "twice":
        lines.insert(index, lines[index])
    elif how == "cut":
        lines[index] = lines[index][: len(lines[index]) // 2]
    elif key:
        lines[index] = f"{key.group()} = " + {"number": "7", "text": '"?"', "list": "[1]", "table": "{ a = 1 }"}[how]
    try:
        if file == "site":
            read_standards(TEXTS, site=("site", "\n".join(lines)))
        else:
            read_standards({**TEXTS, file: "\n".join(lines)}, site=("site", own))
    except StandardsError as error:
        assert str(error).strip()


def test_a_site_file_that_is_not_there_or_not_text_is_named(tmp_path: Path) -> None:
    missing = tmp_path / "none.toml"
    with pytest.raises(StandardsError, match=r"none\.toml: cannot be read: No such file"):
        load_standards(site=missing)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StandardsError, match=r"binary\.toml: cannot be read"):
        load_standards(site=binary)
    with pytest.raises(StandardsError, match="cannot be read"):
        load_standards(site=tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a = " + "[" * 16_000, "without end"),
        ("a = " + "{a = " * 4_000, "without end"),
        ("a = " + "9" * 16_000, "a number of thousands of digits"),
        ("".join(f"[clocks.a{n}]\n" for n in range(20_000)), "there is no clock 'a19999'"),
        ("[[units]]\n" * 20_000, "[units]: is [{}, {}, {}"),
    ],
    ids=["lists", "tables", "digits", "headers", "rows"],
)
def test_a_file_that_is_made_to_be_slow_or_deep_is_refused_in_a_sentence(text: str, reason: str) -> None:
    """The service would end in a traceback, or not start before its file had been read a thousand times."""
    began = time.process_time()
    with pytest.raises(StandardsFileError) as caught:
        read_standards(TEXTS, ("site.toml", text))
    assert any(reason in str(fault) and len(str(fault)) < 400 for fault in caught.value.faults)
    assert time.process_time() - began < 20, "quadratic in its lines: minutes"


def test_a_site_file_that_can_only_be_another_file_is_not_read(tmp_path: Path) -> None:
    """A path that slipped to a disk image would fill the memory of the service."""
    site = tmp_path / "phone.img"
    with site.open("wb") as file:
        file.truncate(MOST_SITE + 1)
    with pytest.raises(StandardsFileError, match=r"1,048,577 bytes long, and 1,048,576 are read at most"):
        load_standards(site)


def test_a_changed_site_file_is_read_again_and_an_unchanged_one_is_not(tmp_path: Path) -> None:
    """Lost: a policy change that shows only after a restart, or a page that reads ten files each time."""
    path = tmp_path / "site.toml"
    path.write_text('[policy.hold_max_hours]\nvalue = 12\nlabel = "Order 1"\n')
    first = load_standards(site=path)
    assert load_standards(site=str(path)) is first
    path.write_text('[policy.hold_max_hours]\nvalue = 6\nlabel = "Order 12"\n')
    second = load_standards(site=path)
    assert (first.policy["hold_max_hours"].value, second.policy["hold_max_hours"].value) == (12, 6)
    assert first.version != second.version


def test_the_version_follows_the_content() -> None:
    """Lost: knowing under which standards a clock was started."""
    plain = load_standards()
    assert re.fullmatch(r"[0-9a-f]{12}", plain.version)
    assert read_standards(TEXTS).version == plain.version
    assert read_standards({**TEXTS, "risk.toml": TEXTS["risk.toml"] + "\n# x\n"}).version != plain.version
    assert load_standards(site=demo_site_path()).version != plain.version


def test_loaded_standards_cannot_be_changed() -> None:
    """Lost: one page that changes policy for all the others."""
    standards = load_standards()
    with pytest.raises(AttributeError):
        standards.clocks["icpc"].owner = "nobody"  # type: ignore[misc]
    with pytest.raises(TypeError):
        standards.clocks["new"] = standards.clocks["icpc"]  # type: ignore[index]
