"""The published figures: complete, consistent with the facts, and refused when they are not."""

from __future__ import annotations

from importlib import resources

import pytest

from safelight.measures.errors import FiguresFileError
from safelight.measures.figures import published_figures, read_figures
from safelight.measures.figures.loader import FILES
from safelight.standards import load_standards

FOLDER = resources.files("safelight.measures.figures") / "data"


def texts(**changed: str) -> dict[str, str]:
    return {name: (FOLDER / f"{name}.toml").read_text(encoding="utf-8") for name in FILES} | changed


def test_every_row_of_the_facts_is_there() -> None:
    """Lost: a published figure that nobody can find again."""
    found = published_figures()
    assert (len(found.figures), len(found.inspections), len(found.inconsistencies)) == (43, 10, 10)
    by_report = {
        report: sum(report in row.reports for row in found.figures) for report in ("000", "001", "002", "003", "004")
    }
    assert by_report == {"000": 7, "001": 1, "002": 4, "003": 7, "004": 8}
    assert [row.number for row in found.inconsistencies] == list(range(1, 11))
    assert published_figures() is found


def test_the_shares_are_those_of_the_facts() -> None:
    """Lost: a wrong count under a right name."""
    found = published_figures()
    shares = {row.id: round(row.share * 100, 1) for row in found.figures if row.share is not None}
    assert shares["met_2016_below_good"] == 74.3 and shares["met_2016_below_good_384"] == 72.4
    assert shares["met_2016_referred_back"] == 10.2 and shares["met_2016_cells"] == 97.5
    assert shares["met_2018_below_good"] == 69.3 and shares["met_2018_online_sent_back"] == 44.1
    goods = {row.id: row.interval() for row in found.inspections}
    assert {name: round(i.estimate * 100, 1) for name, i in goods.items() if i is not None} == {
        "met_2016": 25.7,
        "met_2017_q3": 7.4,
        "met_2017_q4": 10.7,
        "met_2018": 30.7,
        "met_2018_online": 14.7,
        "met_2021": 31.8,
    }
    online = goods["met_2018_online"]
    assert online is not None and (online.low, online.high) == pytest.approx((0.0645, 0.3013), abs=1e-4)


def test_a_percentage_without_n_has_no_interval() -> None:
    """Lost: 59 against 11 % with a precision that nobody printed."""
    for name in ("charged_specialist", "charged_non_specialist", "peel_2024_no_further_action"):
        row = published_figures().figure(name)
        assert row.interval() is None and row.share is None and row.percent is not None
    counted = published_figures().figure("ocsae_referrals_2018_tech").interval()
    assert counted is not None and counted.low == counted.high


def test_grades_stand_on_a_known_scale() -> None:
    """Lost: grades that mean nothing because their scale is unknown."""
    scales = load_standards().grades
    assert all(row.scale in scales for row in published_figures().inspections)


def test_every_name_answers() -> None:
    """Lost: a page that fails on a name the data does not have."""
    found = published_figures()
    assert found.inspection("met_2021").grades == (54, 63, 53)
    assert found.inspection("met_2016").grades is None
    assert len(found.version) == 64
    for call in (found.figure, found.inspection):
        with pytest.raises(KeyError):
            call("nobody")


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("figures", "k = 278\nn = 374", "k = 378\nn = 374", "met_2016_below_good: 378 of 374 cannot be"),
        ("figures", "k = 278\nn = 374", "k = 178\nn = 374", "178 of 374 is not 75 %"),
        ("figures", "k = 38\nn = 374", "k = 38", "k and n go together"),
        ("figures", "k = 38\n", "k = -38\n", "k = -38 is negative"),
        ("figures", 'unit = "devices"\nsaid', "said", "the value has no unit"),
        ("figures", 'status = "unconfirmed"', 'status = "rumour"', "status = 'rumour' is unknown"),
        ("figures", 'reports = ["001"]', 'reports = ["007"]', "reports names '007'"),
        ("figures", 'id = "met_2016_cells"', 'id = "met_2018_good"', "met_2018_good stands there twice"),
        ("figures", "census = true", "senses = true", "unknown key 'senses'"),
        ("figures", "census = true", 'census = "yes"', "census = 'yes' is not true or false"),
        ("figures", "[[figure]]", "[figure", "not valid TOML"),
        ("inspections", "good = 93", "good = 94", "94 + 210 is not 303 cases"),
        ("inspections", "cases = 34", "cases = 500", "cannot be part of 'met_2018'"),
        ("inspections", "referred_back = 15", "referred_back = 35", "referred_back is more than 34 cases"),
        ("inspections", "cases = 31", "", "surrey_2015: cases is missing"),
        ("inconsistencies", '"met_2018_online_issues"', '"nothing"', "there is no figure 'nothing'"),
        ("inconsistencies", 'kind = "claim"', 'kind = "lie"', "kind = 'lie' is unknown"),
        ("inconsistencies", "[[inconsistency]]", "[[oddity]]", "must hold [[inconsistency]] rows"),
    ],
)
def test_a_fault_is_named_with_its_row(file: str, old: str, new: str, says: str) -> None:
    """Lost: a mistyped count that becomes a published figure."""
    text = texts()[file]
    assert old in text
    with pytest.raises(FiguresFileError) as caught:
        read_figures(texts(**{file: text.replace(old, new)}))
    assert says in str(caught.value)
