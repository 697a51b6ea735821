"""Files of rounds: what a person typed is understood or refused with its line; list and map are for officers."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

import pytest

from safelight.planning.errors import PlanningError
from safelight.planning.rounds import Crew, Place, Visit, plan_rounds
from safelight.planning.rounds_files import (
    as_csv,
    as_data,
    map_svg,
    officers_list,
    read_crews,
    read_travel,
    read_visits,
)

HEAD = "key,latitude,longitude,risk,minutes,opens,closes,must,due,last,announced\n"


def written(folder: Path, text: str, name: str = "visits.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_csv_and_json_say_the_same(tmp_path: Path) -> None:
    one = read_visits(written(tmp_path, HEAD + "O-1,51.5,-0.1,Very high,30,09:30,12:00,yes,2026-12-04,,\n"))
    text = (
        '[{"key": "O-1", "latitude": 51.5, "longitude": -0.1, "risk": "very_high", "minutes": 30, "opens": "09:30",'
        ' "closes": "12:00", "must": true, "due": "2026-12-04"}]'
    )
    assert one == read_visits(written(tmp_path, text, "visits.json"))
    assert one == [Visit("O-1", Place(51.5, -0.1), "very_high", 30.0, 570.0, 720.0, True, date(2026, 12, 4))]
    crews = read_crews(written(tmp_path, "name,officers,begins,ends\nA,PC One + PC Two,08:00,16:00\n", "crews.csv"))
    assert crews == [Crew("A", ("PC One", "PC Two"), 480.0, 960.0)]


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("O-1,north,-0.1,low,30,,,,,,", "line 2, latitude: 'north' is not a number"),
        ("O-1,51.5,,low,30,,,,,,", "longitude is missing"),
        ("O-1,51.5,-0.1,low,30,25:00,,,,,", "'25:00' is not a time"),
        ("O-1,51.5,-0.1,low,30,,,perhaps,,,", "neither yes nor no"),
        ("O-1,51.5,-0.1,low,30,,,,tomorrow,,", "'tomorrow' is not a day"),
        ("O-1,51.5,-0.1,low,30,,,,,,yes", "not why"),
        ("", "nothing in it"),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, row: str, words: str) -> None:
    with pytest.raises(PlanningError, match=words):
        read_visits(written(tmp_path, HEAD + row))


def test_unreadable_files_and_unknown_columns(tmp_path: Path) -> None:
    with pytest.raises(PlanningError, match="cannot be read"):
        read_visits(tmp_path / "none.csv")
    with pytest.raises(PlanningError, match="no column 'name'"):
        read_visits(written(tmp_path, "key,latitude,longitude,name\nO-1,1,2,Somebody\n"))
    with pytest.raises(PlanningError, match="is not JSON"):
        read_visits(written(tmp_path, "{", "visits.json"))
    (tmp_path / "odd.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanningError, match="not UTF-8"):
        read_visits(tmp_path / "odd.csv")


def test_travel_times_come_from_the_file_and_a_missing_pair_is_named(tmp_path: Path) -> None:
    visits = [Visit("O-1", Place(51.5, -0.1)), Visit("O-2", Place(51.6, -0.1))]
    path = written(tmp_path, "from,to,minutes\nbase,O-1,7\nO-1,base,9\nbase,O-2,5\n", "travel.csv")
    with pytest.raises(PlanningError, match="no time from O-1 to O-2"):
        read_travel(path, visits)
    path.write_text(path.read_text() + "O-1,O-2,3\n")
    found = read_travel(path, visits).minutes
    assert found.tolist() == [[0, 7, 5], [9, 0, 3], [5, 3, 0]]


def test_the_list_the_table_and_the_map() -> None:
    """Officers take the list along: it says what must be done, what is announced and why, and who is not visited."""
    visits = [
        Visit("O-1", Place(51.52, -0.1), "very_high", must=True),
        Visit("=O-2", Place(51.5, -0.15), announced="hospital ward <3>"),
        Visit("O-3", Place(53.5, -2.2), opens=480.0, closes=500.0),
    ]
    crew = Crew("A & B", ("PC One", "PC Two"))
    plan = plan_rounds(visits, [crew], Place(51.5, -0.1), days=[date(2026, 12, 1)], seconds=0.3, seed=1)
    text = officers_list(plan)
    for words in ("PC One and PC Two", "Visits are unannounced", "must be made",
                  "ANNOUNCED: hospital ward <3>", "In no round:", "O-3"):  # fmt: skip
        assert words in text
    rows = list(csv.DictReader(io.StringIO(as_csv(plan))))
    assert {row["key"] for row in rows} == {"O-1", "'=O-2"}
    svg = ElementTree.fromstring(map_svg(plan))
    assert svg.tag.endswith("svg") and "style" not in map_svg(plan)
    assert "A &amp; B" in map_svg(plan)
    assert as_data(plan)["in_no_round"][0]["key"] == "O-3"
