"""Tables of referrals: any usual spreadsheet can be read, and one bad line takes no other with it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from safelight.casework.referrals.importers import ParsedRecord, Rejected, read

NOW = datetime(2026, 11, 3, 12, 0, tzinfo=UTC)
HEAD = ["source", "reference", "received", "summary", "live_contact", "suspect_family_name", "suspect_born"]
ROW = ["nca", "SYN-1", "03/11/2026 02:10", "Synthetic report", "yes", "Müller-Synthetic", "1985"]


def table(*rows: list[str], delimiter: str = ",", head: list[str] = HEAD) -> str:
    return "\r\n".join(delimiter.join(row) for row in (head, *rows)) + "\r\n"


def records(content: bytes) -> list[ParsedRecord | Rejected]:
    return list(read(content, now=NOW).records)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize(
    "encode",
    [
        lambda t: t.encode(),
        lambda t: t.encode("utf-8-sig"),
        lambda t: t.encode("cp1252"),
        lambda t: b"\xef\xbb\xbf" + t.encode("cp1252"),
        lambda t: t.encode("utf-16"),
        lambda t: t.encode("utf-16-be"),
        lambda t: t.encode("utf-16-le"),
    ],
    ids=["utf-8", "utf-8-mark", "cp1252", "cp1252-with-a-utf-8-mark", "utf-16-mark", "utf-16-be", "utf-16-le"],
)
def test_every_usual_encoding_and_delimiter_gives_the_same_suspect(delimiter: str, encode) -> None:
    """A garbled name finds no earlier record of the same man."""
    (one,) = records(encode(table(ROW, delimiter=delimiter)))
    assert isinstance(one, ParsedRecord), one
    assert one.suspect["family_name"] == "Müller-Synthetic"
    assert one.suspect["born_precision"] == "year" and one.live_contact
    assert one.received_at == datetime(2026, 11, 3, 2, 10, tzinfo=UTC)


def test_a_quotation_mark_that_never_closes_loses_only_its_own_line() -> None:
    """The rest of the file would vanish into one cell."""
    bad = ["nca", "SYN-2", "2026-11-03", '"never closed', "", "", ""]
    found = records(table(ROW, bad, ["nca", "SYN-3", *ROW[2:]]).encode())
    assert [type(one).__name__ for one in found] == ["ParsedRecord", "Rejected", "ParsedRecord"]
    assert found[1].number == 3 and "quotation marks" in found[1].reason


def test_a_line_with_too_few_or_too_many_values_is_rejected_with_its_text() -> None:
    """Values would land in the wrong columns: a postcode as a name."""
    found = records(table(ROW[:-1], [*ROW, "more"], ROW).encode())
    assert [isinstance(one, Rejected) for one in found] == [True, True, False]
    assert "SYN-1" in found[0].raw and "6 values where the heading names 7" in found[0].reason


def test_text_with_line_breaks_stays_one_report() -> None:
    (one,) = records(table([*ROW[:3], '"Synthetic\nreport; ""quoted"""', *ROW[4:]]).encode())
    assert one.summary == 'Synthetic\nreport; "quoted"'


def test_columns_that_are_not_ours_are_kept_in_the_summary() -> None:
    """What the sender thought worth a column would be dropped without a word."""
    (one,) = records(table([*ROW, "Synthetic officer"], head=[*HEAD, "Case Officer"]).encode())
    assert one.summary.endswith("Also in the report:\ncase_officer: Synthetic officer")


def test_children_and_files_of_a_line_are_read() -> None:
    head = [*HEAD, "child_1_given_names", "child_1_age", "child_2_family_name", "file_1_name", "file_1_md5"]
    (one,) = records(table([*ROW, "Ada", "7", "Synthetic", "a.bin", "D" * 32], head=head).encode())
    assert [child["given_names"] for child in one.children] == ["Ada", ""]
    assert one.children[0]["born_precision"] == "year"
    assert one.files[0].md5 == "d" * 32


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        (0, "pigeon", "source 'pigeon' is not known"),
        (1, "", "reference is missing"),
        (1, "x" * 121, "at most 120"),
        (2, "", "received is missing"),
        (2, "31/02/2026", "not a real date"),
        (2, "1899-12-31", "before 1900"),
        (2, "2027-01-01", "in the future"),
        (3, "", "summary is missing"),
        (3, "a\x00b", "control character"),
        (4, "perhaps", "write yes or no"),
        (6, "1850", "before 1900"),
        (6, "2031-01-01", "in the future"),
    ],
)
def test_what_cannot_be_kept_is_rejected_with_a_reason(column: int, value: str, said: str) -> None:
    row = [*ROW[:column], value, *ROW[column + 1 :]]
    (one,) = records(table(row).encode())
    assert isinstance(one, Rejected) and said in one.reason
    assert "\x00" not in one.raw


def test_all_faults_of_a_line_are_told_at_once() -> None:
    """The sender would mend one and get the next, a day later each time."""
    (one,) = records(table(["pigeon", "", "soon", "", "", "", ""]).encode())
    assert one.reason.count(";") >= 3


def test_a_heading_named_twice_is_refused() -> None:
    (one,) = records(table([*ROW, "x"], head=[*HEAD, "summary"]).encode())
    assert isinstance(one, Rejected) and "twice" in one.reason
