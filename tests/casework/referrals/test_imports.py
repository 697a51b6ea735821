"""Importing files: every record ends in exactly one way, and nothing disappears."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.casework.factories import make_user

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.ledger.models import LedgerEntry
from safelight.casework.people.models import Person
from safelight.casework.referrals import imports
from safelight.casework.referrals.models import ImportBatch, ImportLine, Referral
from safelight.casework.referrals.services import import_file, record_referral, resolve_quarantined

pytestmark = pytest.mark.django_db

HEAD = "source,reference,received,summary,live_contact,suspect_family_name\n"
TWO = HEAD + "nca,SYN-1,2026-11-01 10:00,Synthetic one,no,Synthetic\nnca,SYN-2,2026-11-01,Synthetic two,yes,\n"
XML = "<report><reportId>SYN-1</reportId><additionalInfo>Synthetic, told otherwise</additionalInfo></report>"


def outcomes(batch: ImportBatch) -> list[str]:
    return list(batch.lines.values_list("outcome", flat=True))


def run(content: str | bytes, actor=None, name: str = "synthetic.csv") -> ImportBatch:
    content = content if isinstance(content, bytes) else content.encode()
    return import_file(actor or make_user("referral_desk"), name=name, content=content)


def test_the_same_file_twice_makes_nothing_new() -> None:
    """Every report of the night would be worked twice."""
    desk = make_user("referral_desk")
    assert outcomes(run(TWO, desk)) == ["accepted", "accepted"]
    people = Person.objects.count()
    again = run(TWO, desk)
    assert outcomes(again) == ["duplicate", "duplicate"]
    assert (Referral.objects.count(), Person.objects.count()) == (2, people)
    assert again.lines.first().referral.source_reference == "SYN-1"


def test_the_same_report_as_table_and_as_xml_is_one_referral() -> None:
    """The National Crime Agency and the platform send the same report by two ways."""
    run(HEAD + "cybertip,SYN-1,2026-11-01,Synthetic,no,\n")
    batch = run(XML, name="report.xml")
    assert outcomes(batch) == ["duplicate"] and Referral.objects.count() == 1
    line = batch.lines.get()
    assert "differs in: summary" in line.reason and "Synthetic" in line.raw


def test_a_report_typed_by_hand_and_then_imported_is_one_referral() -> None:
    record_referral(make_user("referral_desk"), source="nca", source_reference="SYN-1", summary="Synthetic by hand")
    assert outcomes(run(TWO)) == ["duplicate", "accepted"]


def test_a_bad_record_goes_to_quarantine_and_the_good_ones_in() -> None:
    """One garbled date would hold up the report of a child in danger."""
    batch = run(TWO + "nca,SYN-3,the day before,Synthetic three,no,\n")
    assert outcomes(batch) == ["accepted", "accepted", "quarantined"]
    line = batch.lines.get(number=4)
    assert "not a time" in line.reason and "SYN-3" in line.raw
    entry = LedgerEntry.objects.get(verb="referral.imported")
    assert entry.payload["accepted"] == 2 and entry.payload["quarantined"] == 1
    assert LedgerEntry.objects.filter(verb="referral.quarantined").count() == 1


def test_a_record_is_all_or_nothing(monkeypatch) -> None:
    """A suspect without his referral would be a name about whom nobody knows why."""
    rows = [{"source": "nca", "reference": "SYN-1", "received": "2026-11-01", "summary": "S",
             "suspect": {"family_name": "Synthetic"}, "children": [{"given_names": "Ada"}]}]  # fmt: skip
    real = imports.record_referral

    def failing(actor, **values):
        real(actor, **values)
        raise Invalid("Synthetic refusal at the last moment.")

    from django.db import transaction

    monkeypatch.setattr(imports, "record_referral", transaction.atomic(failing))
    assert outcomes(run(json.dumps(rows))) == ["quarantined"]
    assert not Referral.objects.exists() and not Person.objects.exists()


def test_an_xml_bomb_is_recorded_and_harms_nothing_else() -> None:
    bomb = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><report><reportId>&b;</reportId></report>'
    batch = run(bomb, name="bomb.xml")
    assert outcomes(batch) == ["quarantined"]
    assert "refused" in batch.lines.get().reason and batch.lines.get().raw == ""
    assert outcomes(run(TWO)) == ["accepted", "accepted"]


def test_a_picture_is_refused_and_not_a_byte_of_it_kept() -> None:
    batch = run(b"\xff\xd8\xff\xe0" + b"synthetic pixels" * 50, name="a.csv")
    line = batch.lines.get()
    assert line.outcome == "quarantined" and "never takes pictures" in line.reason and line.raw == ""


def test_a_file_still_in_quarantine_is_not_quarantined_again() -> None:
    """Ten copies of one fault would hide the eleventh, which is another."""
    bad = HEAD + "nca,,2026-11-01,S,no,\n"
    first = run(bad)
    again = run(bad)
    assert outcomes(again) == ["duplicate"] and first.reference in again.lines.get().reason
    resolve_quarantined(make_user("referral_desk"), first.lines.get(), resolution="Synthetic: asked the sender")
    assert outcomes(run(bad)) == ["quarantined"]


def test_a_quarantined_record_is_resolved_in_words_once() -> None:
    """A click would make it disappear without anyone having read it."""
    desk = make_user("referral_desk")
    line = run(HEAD + "nca,,2026-11-01,S,no,\n", desk).lines.get()
    with pytest.raises(Invalid):
        resolve_quarantined(desk, line, resolution=" ")
    line = resolve_quarantined(desk, line, resolution="Synthetic: typed in as R-000001")
    assert line.resolved_by == desk and line.raw
    with pytest.raises(NotPossible):
        resolve_quarantined(desk, line, resolution="Again")
    assert "typed in" not in str(LedgerEntry.objects.get(verb="referral.quarantine_resolved").payload)


@pytest.mark.parametrize("content", [b"", b"  \n\n", b"\xef\xbb\xbf", HEAD.encode()])
def test_a_file_without_a_report_is_refused_with_a_message(content: bytes) -> None:
    """'Imported' would be said over nothing."""
    with pytest.raises(Invalid):
        run(content)
    assert not ImportBatch.objects.exists()


def test_a_file_too_large_or_too_long_is_refused_whole(monkeypatch) -> None:
    monkeypatch.setattr(imports, "MOST_RECORDS", 1)
    with pytest.raises(Invalid, match="more than 1 reports"):
        run(TWO)
    monkeypatch.setattr(imports, "MOST_BYTES", 10)
    with pytest.raises(Invalid, match="bytes"):
        run(TWO)
    assert not ImportBatch.objects.exists() and not Referral.objects.exists()


@pytest.mark.parametrize("role", ["administrator", "investigator", "examiner"])
def test_only_the_desk_and_supervisors_import(role: str) -> None:
    with pytest.raises(NotAllowed):
        run(TWO, make_user(role))


def test_a_hostile_file_name_is_kept_harmless() -> None:
    batch = run(TWO, name="..\\..\\etc/\x00passwd\n")
    assert "/" not in batch.file_name and "\x00" not in batch.file_name and "\n" not in batch.file_name


cells = st.text(st.characters(codec="utf-8") | st.sampled_from('",;\t\n\x00\r<{['), max_size=12)
almost_csv = st.builds(
    lambda rows, delimiter: (HEAD + "\n".join(delimiter.join(row) for row in rows)).encode(),
    st.lists(st.lists(cells, min_size=1, max_size=8), max_size=6),
    st.sampled_from([",", ";", "\t"]),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["born", "age", "suspect", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
almost_json = st.lists(
    st.dictionaries(
        st.sampled_from(["source", "reference", "received", "summary", "suspect", "children", "files", "live_contact"]),
        json_values | st.sampled_from(["nca", "SYN-1", "2026-11-01"]),
        max_size=6,
    ),
    max_size=4,
).map(lambda value: json.dumps(value).encode())
almost_xml = st.lists(
    st.sampled_from(
        ["<report>", "</report>", "<reportId>1</reportId>", "<victim>", "</victim>", "<age>7</age>", "<fileDetails>",
         "</fileDetails>", "&amp;", "&x;", "<!DOCTYPE a>", "<![CDATA[x]]>", "<!-- x -->", "text", "\x00", "<a b='c'/>"]
    ), max_size=12,
).map(lambda parts: f"<report>{''.join(parts)}</report>".encode())  # fmt: skip


@settings(max_examples=60)
@given(st.one_of(st.binary(max_size=300), almost_csv, almost_json, almost_xml))
def test_whatever_arrives_every_record_ends_in_exactly_one_way(content: bytes) -> None:
    """A file that raises an error at night is a file that nobody reads until morning."""
    desk = make_user("referral_desk")
    try:
        batch = import_file(desk, name="synthetic", content=content)
    except Invalid:
        return
    lines = list(batch.lines.all())
    assert lines and len({line.number for line in lines}) == len(lines)
    for line in lines:
        assert line.outcome in ImportLine.Outcome.values
        assert (line.outcome == "accepted") == (line.referral_id is not None and line.outcome != "duplicate")
        assert line.outcome != "quarantined" or line.reason
