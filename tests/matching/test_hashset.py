"""If these fail, a hash set loses facts on its way to disk, or two people cannot tell that theirs is the same."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.errors import MatchingError
from safelight.matching.entry import HashSetEntry, Provenance
from safelight.matching.hashset import FILE_NAME, HashSet

maybe = st.none()
flags = st.sampled_from([None, True, False])
texts = st.one_of(st.just(""), st.text(max_size=20))
entries = st.builds(
    HashSetEntry,
    md5=st.binary(min_size=16, max_size=16),
    sha1=st.one_of(maybe, st.binary(min_size=20, max_size=20)),
    sha256=st.one_of(maybe, st.binary(min_size=32, max_size=32)),
    pdq=st.one_of(maybe, st.binary(min_size=32, max_size=32)),
    size=st.one_of(maybe, st.integers(0, 2**64 - 1)),
    category=st.sampled_from([None, "A", "B", "C", "other"]),
    series=texts,
    tags=texts,
    victim_identified=flags,
    offender_identified=flags,
    is_distributed=flags,
    photodna=st.one_of(maybe, st.text(min_size=1, max_size=9)),
    source_row=st.integers(0, 2**63),
    source_category=st.one_of(maybe, st.text(min_size=1, max_size=5)),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(entries, max_size=20))
def test_every_fact_survives_the_disk(tmp_path: Path, listed: list[HashSetEntry]) -> None:
    origin = Provenance("list.json", "VICS 2.0 media", "A partner", "2026-11-01T10:00:00+00:00", "agreement 7")
    made = HashSet.from_entries(listed, name="Demo", kind="common", version="7", provenance=origin)
    made.save(tmp_path)
    opened = HashSet.open(tmp_path)
    assert list(opened) == list(made) == listed
    assert (opened.name, opened.kind, opened.version, opened.root) == ("Demo", "common", "7", made.root)
    assert opened.provenance == origin
    assert opened.counts() == made.counts()
    for row, entry in enumerate(listed):
        assert entry.md5 is not None
        assert row in opened.digest_index("md5").lookup(entry.md5)
        if entry.pdq is not None:
            assert row in [opened.pdq_row(at) for at, _ in opened.pdq_index().query(entry.pdq, 0)]


@settings(max_examples=60, deadline=None)
@given(st.lists(entries, min_size=1, max_size=12), st.randoms())
def test_the_root_names_content_not_order_copies_or_source(listed: list[HashSetEntry], random: object) -> None:
    shuffled = listed + listed[:2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    elsewhere = [replace(entry, source_row=99, source_category="x") for entry in shuffled]
    one = HashSet.from_entries(listed, name="One")
    assert HashSet.from_entries(elsewhere, name="Other", kind="known-good").root == one.root
    changed = replace(listed[0], category="Z")
    assert HashSet.from_entries([changed, *listed[1:]], name="One").root != one.root


def test_neighbouring_fields_cannot_be_confused_in_the_root() -> None:
    a = HashSetEntry(md5=bytes(16), series="ab", tags="c")
    b = HashSetEntry(md5=bytes(16), series="a", tags="bc")
    assert HashSet.from_entries([a], name="a").root != HashSet.from_entries([b], name="a").root


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flipped_byte_is_refused_or_was_padding(tmp_path: Path, place: float, flip: int) -> None:
    made = HashSet.from_entries([HashSetEntry(md5=bytes([n] * 16), category="A") for n in range(50)], name="Demo")
    file = made.save(tmp_path)
    data = bytearray(file.read_bytes())
    data[int(place * len(data))] ^= flip
    file.write_bytes(data)
    try:
        assert list(HashSet.open(tmp_path)) == list(made)
    except MatchingError as error:
        assert error.fix


def test_counts_per_category_and_hash() -> None:
    listed = [
        HashSetEntry(md5=bytes(16), category="A"),
        HashSetEntry(sha256=bytes(32), category="A"),
        HashSetEntry(md5=bytes([1] * 16), pdq=bytes(32)),
    ]
    counts = HashSet.from_entries(listed, name="Demo").counts()
    assert counts.entries == 3
    assert counts.by_category == {"A": 2, None: 1}
    assert counts.by_hash == {"md5": 2, "sha1": 0, "sha256": 1, "pdq": 1}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (HashSetEntry(size=4), "at least one"),
        (HashSetEntry(md5=bytes(15)), "MD5 has 15 bytes"),
        (HashSetEntry(md5=bytes(16), size=-1), "-1 bytes"),
    ],
)
def test_an_impossible_entry_is_refused(entry: HashSetEntry, message: str) -> None:
    with pytest.raises(MatchingError, match=message):
        HashSet.from_entries([entry], name="Demo")


def test_names_kinds_rows_and_algorithms_are_checked(tmp_path: Path) -> None:
    entry = HashSetEntry(md5=bytes(16))
    with pytest.raises(MatchingError, match="name"):
        HashSet.from_entries([entry], name=" ")
    with pytest.raises(MatchingError, match="harmless"):
        HashSet.from_entries([entry], name="Demo", kind="harmless")
    made = HashSet.from_entries([entry], name="Demo")
    assert made.version == made.root[:12]
    with pytest.raises(MatchingError, match="no row 1"):
        made.entry(1)
    with pytest.raises(MatchingError, match="crc"):
        made.digest_index("crc")
    with pytest.raises(MatchingError, match="cannot be read"):
        HashSet.open(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(MatchingError, match="cannot be made"):
        made.save(tmp_path / "file")


def test_another_safelight_file_is_not_taken_for_a_hash_set(tmp_path: Path) -> None:
    HashSet.from_entries([HashSetEntry(md5=bytes(16))], name="Demo").digest_index("md5").save(tmp_path / FILE_NAME)
    with pytest.raises(MatchingError, match="holds digest index, not hash set"):
        HashSet.open(tmp_path)


def test_sizes_need_nothing_imported_before() -> None:
    """A first answer asks a list for its sizes before anything else is computed; once that was a NameError."""
    import subprocess
    import sys

    code = (
        "from safelight.matching import HashSet, HashSetEntry;"
        "one = HashSetEntry(md5=bytes(16), size=7);"
        "print(HashSet.from_entries([one], name='n', kind='known').sizes().tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}, capture_output=True, text=True)
    assert (done.stdout.strip(), done.stderr) == ("[7]", "")
