"""The sentence that decides what happens next: what was found comes first, and a negative never reassures."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from tests.triage.samples import finding, result

from safelight.triage import Counts, UnreadPart
from safelight.triage.exports.html import render_html
from safelight.triage.verdict import category_words, decide, size_words, unread_words

BANNED = re.compile(r"\b(clear(ed)?|clean|safe|nothing found|no findings found|negative|innocent)\b", re.IGNORECASE)


def test_listed_material_is_said_by_category_first() -> None:
    """A category A finding would be buried."""
    found = tuple(finding(path=f"{i}.jpg") for i in range(3)) + (finding(path="b", category="B"),)
    verdict = decide(found, Counts(files_read=9), (), state="complete", entries_in_sets=5)
    assert verdict.sentence.startswith("Listed material found: 3 category A and 1 category B (exact match)")
    assert verdict.level == "listed material"


def test_a_file_counts_once_by_its_gravest_category() -> None:
    """One file in two lists would be reported as two."""
    assert category_words([finding(category="C"), finding(category="A"), finding(category=None)]) == "1 category A"


def test_likeness_alone_is_only_possible_material() -> None:
    """A resemblance would be stated as a fact."""
    verdict = decide(
        [finding(kind="perceptual", distance=9)], Counts(files_read=1), (), state="complete", entries_in_sets=1
    )
    assert verdict.level == "possible listed material"
    assert "for a person to check" in verdict.sentence


def test_not_pertinent_entries_do_not_make_a_verdict() -> None:
    """A person would be accused because a list also names harmless files."""
    verdict = decide([finding(category="not_pertinent")], Counts(files_read=1), (), state="complete", entries_in_sets=1)
    assert verdict.level == "no listed material in what was read"


def test_a_negative_says_what_was_read_what_was_not_and_what_it_does_not_show() -> None:
    """A supervisor would take an incomplete run for an all-clear."""
    unread = (UnreadPart("volume 2", "BitLocker", 0, 12_000_000), UnreadPart("file", "read error", 5, 1_000_000))
    verdict = decide((), Counts(files_read=412), unread, state="unread parts", entries_in_sets=9)
    assert verdict.sentence == (
        "No listed material among the 412 files that were read; 2 parts (13 MB) were not read. "
        "This does not show that the device holds none."
    )


def test_nothing_read_and_nothing_to_compare_with_are_their_own_answers() -> None:
    """A run that could not find anything would read like one that looked."""
    assert (
        decide((), Counts(), (UnreadPart("volume", "LUKS"),), state="unread parts", entries_in_sets=9).level
        == "not read"
    )
    assert decide((), Counts(files_read=4), (), state="complete", entries_in_sets=0).level == "not compared"


def test_a_stopped_run_says_so() -> None:
    """Half a run would count as a whole one."""
    assert "stopped" in decide((), Counts(files_read=4), (), state="stopped", entries_in_sets=1).sentence


@given(
    st.integers(0, 3), st.integers(0, 3), st.integers(0, 5), st.sampled_from(["complete", "unread parts", "stopped"]),
    st.integers(0, 2), st.lists(st.one_of(st.none(), st.integers(0, 10**13)), max_size=3),
)  # fmt: skip
def test_no_output_ever_reassures(exact, similar, read, state, entries, sizes) -> None:
    """One word ('clear') on one page could end the search for a child."""
    found = tuple(finding(path=f"e{i}") for i in range(exact))
    found += tuple(finding(path=f"s{i}", kind="perceptual", distance=9) for i in range(similar))
    unread = tuple(UnreadPart("volume", "LUKS", None, size) for size in sizes)
    counts = Counts(files_read=read, bytes_read=read * 10, pictures_low_quality=1, names_only=1, deleted_in_part=1)
    verdict = decide(found, counts, unread, state=state, entries_in_sets=entries)
    text = " ".join((verdict.level, verdict.sentence, *verdict.reasons))
    assert not BANNED.search(text), text
    if not found:
        assert "does not show that the device holds none" in verdict.sentence
    page = render_html(result(findings=found, unread=unread, counts=counts, verdict=verdict, state=state))
    body = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL).replace("Safelight", "")
    assert not BANNED.search(body.replace("safelight triage", ""))


def test_size_and_unread_words() -> None:
    """Numbers in the sentence would be wrong by a thousand."""
    assert [size_words(n) for n in (0, 1, 999, 1000, 13_000_000, 999_999)] == [
        "0 bytes", "1 byte", "999 bytes", "1.0 kB", "13 MB", "1.0 MB"
    ]  # fmt: skip
    assert unread_words([UnreadPart("x", "y")]) == "1 part (size not known) was not read"
    assert "and more" in unread_words([UnreadPart("x", "y"), UnreadPart("x", "y", 0, 5)])


def test_an_encrypted_volume_stands_in_the_reasons_with_what_is_lacking() -> None:
    """'1 part was not read' hides that the device is locked, and that a key would open it."""
    unread = tuple(
        UnreadPart(f"volume {n}", f"{kind} encryption, no key was given", 0, 5)
        for n, kind in enumerate(("BitLocker", "LUKS", "APFS", "LUKS", "LUKS", "LUKS", "LUKS"))
    ) + (UnreadPart("volume 9", "no known file system", 0, 5),)
    reasons = decide((), Counts(), unread, state="unread parts", entries_in_sets=1).reasons
    assert "Not read: volume 0: BitLocker encryption, no key was given." in reasons
    assert reasons[-1] == "2 more parts could not be read for encryption."
    assert not any("volume 9" in reason for reason in reasons)
