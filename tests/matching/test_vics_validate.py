"""If these fail, a malformed submission leaves the house and comes back days later."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.vics import UK_CONTEXT
from safelight.matching.vics_validate import validate_vics

MD5 = "0" * 32


def good() -> dict[str, Any]:
    place = {"MD5": MD5, "FileName": "a", "FilePath": "/a", "Created": "2026-01-01T00:00:00Z"}
    media = {"MediaID": 1, "Category": 1, "MD5": MD5, "MediaSize": 1, "MediaFiles": [place]}
    case = {
        "CaseID": "{00000000-0000-0000-0000-000000000001}",
        "CaseNumber": "1",
        "ContactOrganization": "Synthetic Police",
        "SourceApplicationName": "Safelight",
        "TotalMediaFiles": 2,
        "Media": [media, media | {"MediaID": 2}],
    }
    return {"@odata.context": UK_CONTEXT, "value": [case]}


def problems(tmp_path: Path, root: Any) -> list[str]:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(root))
    return validate_vics(path)


def case_of(root: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = root["value"][0]
    return found


def media_of(root: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = case_of(root)["Media"][0]
    return found


def test_a_good_file_has_no_problem(tmp_path: Path) -> None:
    assert problems(tmp_path, good()) == []
    assert (
        problems(tmp_path, {"@odata.context": UK_CONTEXT.replace("Cases", "Media"), "value": [media_of(good())]}) == []
    )


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (lambda r: r.update({"@odata.context": "http://example.org"}), "context"),
        (lambda r: r.pop("@odata.context"), "context"),
        (lambda r: case_of(r).pop("CaseNumber"), "no CaseNumber"),
        (lambda r: case_of(r).update(CaseID="1"), "not a GUID"),
        (lambda r: case_of(r).update(ContactOrganization=""), "ContactOrganization is empty"),
        (lambda r: case_of(r).update(TotalMediaFiles=5), "says 5, but the file holds 2"),
        (lambda r: case_of(r).update(TotalMediaFiles="2"), "not a number"),
        (lambda r: case_of(r).pop("TotalMediaFiles"), "no TotalMediaFiles"),
        (lambda r: case_of(r).update(SeizureDate="yesterday"), "SeizureDate"),
        (lambda r: case_of(r).update(Media=[], TotalMediaFiles=0), "holds no media"),
        (lambda r: media_of(r).update(MediaID=2), "used twice"),
        (lambda r: media_of(r).update(MediaID="1"), "MediaID is not a whole number"),
        (lambda r: media_of(r).update(MD5="0" * 31), "MD5 is missing or not 32"),
        (lambda r: media_of(r).pop("MD5"), "MD5 is missing"),
        (lambda r: media_of(r).update(SHA1="zz"), "SHA1"),
        (lambda r: media_of(r).update(Category="A"), "Category"),
        (lambda r: media_of(r).update(MediaSize="1"), "MediaSize"),
        (lambda r: media_of(r).update(IsSuspected="true"), "IsSuspected"),
        (lambda r: media_of(r).update(DateUpdated="2026-01-01T00:00:00"), "DateUpdated"),
        (lambda r: media_of(r).update(AlternativeHashes=[{"HashName": "PDQ"}]), "alternative hash"),
        (lambda r: media_of(r).update(MediaFiles={}), "not a list"),
        (lambda r: media_of(r).update(MediaFiles=[1]), "not an object"),
        (lambda r: media_of(r)["MediaFiles"][0].pop("FilePath"), "no FilePath"),
        (lambda r: media_of(r)["MediaFiles"][0].update(MD5="1" * 32), "differs"),
        (lambda r: media_of(r)["MediaFiles"][0].update(Written="01/02/2026"), "Written"),
    ],
)
def test_each_fault_is_named(tmp_path: Path, spoil: Callable[[dict[str, Any]], object], problem: str) -> None:
    root = json.loads(json.dumps(good()))
    spoil(root)
    found = problems(tmp_path, root)
    assert any(problem in line for line in found), found


def test_a_truncated_file_is_a_problem_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(good())[:-9])
    assert any("not whole" in line for line in validate_vics(path))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_random_bytes_are_problems(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.json"
    path.write_bytes(content)
    assert validate_vics(path)


def test_the_list_of_problems_is_bounded_and_an_absent_file_is_an_error(tmp_path: Path) -> None:
    root = {"@odata.context": UK_CONTEXT.replace("Cases", "Media"), "value": [{}] * 3000}
    assert len(problems(tmp_path, root)) == 1001
    with pytest.raises(MatchingError, match="cannot be read"):
        validate_vics(tmp_path / "absent")
