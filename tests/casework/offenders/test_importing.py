"""An existing register taken over line by line: nothing lost, nothing twice, nothing run by a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.casework.factories import make_offender, make_user

from safelight.casework.base.errors import Invalid, NotAllowed
from safelight.casework.offenders.importing import COLUMNS, NEEDED, export_register, import_register
from safelight.casework.offenders.models import Offender
from safelight.casework.offenders.queries import rows_of
from safelight.cells import safe_cell

pytestmark = pytest.mark.django_db
HEAD = "family_name,given_names,relevant_date,born,register_reference,risk,visit_every,visit_unit,last_visit,home\r\n"
GOOD = "Synthetic-Kite,Example,2020-01-06,04/03/1980,visor 1,High,3,months,2026-06-01,yes\r\n"


def test_each_line_ends_as_an_entry_or_with_its_reason() -> None:
    """A line that did not fit would be an offender whom nobody visits."""
    officer = make_user("offender_manager")
    wrong = (
        "Synthetic-Crane,Example,2020-01-06,1980-13-04,,,,,,\r\n"
        "Synthetic-Crane,Example,2120-01-06,,,,,,,\r\n"
        ",,2020-01-06,,,,,,,\r\n"
        "Synthetic-Crane,Example,2020-01-06,,,dreadful,,,,\r\n"
        "Synthetic-Crane,Example,2020-01-06,,,,0,,,\r\n"
        "too,few\r\n"
    )
    bare = "Synthetic-Teal,Example,2020-01-06,,,,,,,no\r\n"
    batch = import_register(officer, name="r.csv", content=(HEAD + GOOD + wrong + bare + GOOD).encode())
    lines = list(batch.lines.all())
    assert [line.outcome for line in lines] == ["added", *["refused"] * 6, "added", "held"]
    assert all(line.reason and line.raw for line in lines[1:7])
    assert "is not a day" in lines[1].reason
    kite, teal = Offender.objects.order_by("pk")
    assert (kite.register_reference, kite.risk, kite.seen_on.isoformat()) == ("VISOR1", "high", "2026-06-01")
    assert kite.visit_due_on.isoformat() == "2026-09-01"
    assert (teal.visit_due_on, teal.has_home) == (None, False), "no frequency was in the file: none is set"
    again = import_register(officer, name="r.csv", content=(HEAD + GOOD).encode())
    assert [line.outcome for line in again.lines.all()] == ["held"]
    assert Offender.objects.count() == 2


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "no column"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"family_name,given_names\r\nx,y\r\n", "relevant_date"),
        (b"family_name,given_names,relevant_date,shoe_size\r\n", "shoe_size"),
        (b"family_name,given_names,relevant_date\r\n", "no line"),
        (b"family_name,given_names,relevant_date,born,born\r\n", "does not fit"),
        (b"a\x00b", "NUL"),
    ],
)
def test_a_file_that_is_no_register_writes_nothing(content, says) -> None:
    with pytest.raises(Invalid, match=says):
        import_register(make_user("offender_manager"), name="x", content=content)
    assert not Offender.objects.exists()


def test_only_those_who_manage_take_a_register_over() -> None:
    with pytest.raises(NotAllowed):
        import_register(make_user("investigator"), name="x", content=(HEAD + GOOD).encode())


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.text(max_size=12), min_size=len(NEEDED), max_size=len(NEEDED)), min_size=1, max_size=4))
def test_no_line_breaks_the_import_or_disappears(rows) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(NEEDED)
    writer.writerows(rows)
    text = out.getvalue().encode("utf-8", "surrogatepass")
    officer = make_user("offender_manager")
    try:
        batch = import_register(officer, name="x", content=text)
    except Invalid:
        return
    kept = [row for row in rows if any(cell.strip() for cell in row)]
    assert batch.lines.count() >= min(1, len(kept))
    assert batch.lines.filter(outcome="added").count() == Offender.objects.filter(registered_by=officer).count()


def test_a_cell_that_would_run_as_a_formula_leaves_as_text() -> None:
    """A name that begins with = would run on the computer of whoever opens the list."""
    one = make_offender(family_name="=HYPERLINK(1)", given_names="+SUM(A1)", plan=(1, "months"))
    text = export_register(one.manager, rows_of([one]))
    row = list(csv.DictReader(io.StringIO(text)))[0]
    assert (row["family_name"], row["given_names"]) == ("'=HYPERLINK(1)", "'+SUM(A1)")
    assert (row["visit_every"], row["visit_unit"]) == ("1", "months")
    assert [safe_cell(one)[0] for one in ("@x", "-1", "\t=1", "  =1")] == ["'"] * 4


def test_the_guide_names_every_column() -> None:
    from pathlib import Path

    guide = Path(__file__).parents[3] / "docs" / "guides" / "offender-manager.md"
    text = guide.read_text()
    assert not [name for name in COLUMNS if f"`{name}`" not in text]
