"""Our index behind python-threatexchange's interface, and in its own command."""

from __future__ import annotations

import io
import os
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest
from threatexchange.exchanges.fetch_state import FetchedSignalMetadata
from threatexchange.exchanges.impl.ncmec_api import NCMECSignalMetadata
from threatexchange.signal_type.pdq.pdq_index import PDQIndex
from threatexchange.signal_type.pdq.signal import PdqSignal

from safelight.errors import MatchingError
from safelight.exchange.pytx import HmaPdqSignal, SafelightPdqIndex, SafelightPdqSignal

# Codes far apart and two near ones, as python-threatexchange's own tests of its index use them.
ENTRIES = [
    ("0" * 64, {"hash_type": "pdq", "system_id": 9}),
    ("0" * 60 + "f" * 4, {"hash_type": "pdq", "system_id": 8}),
    ("0f" * 32, {"hash_type": "pdq", "system_id": 7}),
    ("f0" * 32, {"hash_type": "pdq", "system_id": 6}),
    ("f" * 64, {"hash_type": "pdq", "system_id": 5}),
]


def told(index, text):
    return sorted((match.similarity_info.distance, str(match.metadata)) for match in index.query(text))


class TestWhatTheirTestsAsk:
    """The behaviour that test_pdq_index.py and test_pdq_signal_type_index2.py of python-threatexchange demand of an
    index. Two of theirs look into faiss objects and into a pickle; for those stand TestSerialisation's."""

    def test_near_and_far(self):
        index = SafelightPdqIndex.build(ENTRIES)
        assert told(index, ENTRIES[1][0]) == [(0, str(ENTRIES[1][1])), (16, str(ENTRIES[0][1]))]
        assert told(index, "a" * 64) == []
        assert told(index, "f" * 56 + "0" * 8) == []

    def test_empty_single_added_and_counted(self):
        index = SafelightPdqIndex()
        some = PdqSignal.get_random_signal()
        assert (len(index), index.query(some)) == (0, [])
        index.add(some, "entry")
        assert [(m.similarity_info.distance, m.metadata) for m in index.query(some)] == [(0, "entry")]
        index.add_all([(PdqSignal.get_random_signal(), place) for place in range(100)])
        assert len(index) == 101

    def test_the_same_hash_twice_comes_back_twice(self):
        index = SafelightPdqIndex([(ENTRIES[0][0], 1), (ENTRIES[0][0], 2)])
        assert [match.metadata for match in index.query(ENTRIES[0][0])] == [1, 2]

    @pytest.mark.parametrize("size", [100, 2000])
    def test_the_same_answers_as_theirs_and_as_brute_force(self, size):
        chance = random.Random(42)
        base = [f"{chance.randrange(16**64):064x}" for _ in range(size)]
        asked = []
        for text in base[:25]:
            number = int(text, 16)
            for bit in chance.sample(range(256), chance.randrange(36)):
                number ^= 1 << bit
            asked.append(f"{number:064x}")
        entries = [(text, place) for place, text in enumerate(base)]
        ours, theirs = SafelightPdqIndex.build(entries), PDQIndex.build(entries)
        for query in asked:
            apart = [((int(text, 16) ^ int(query, 16)).bit_count(), str(place)) for text, place in entries]
            expected = sorted(pair for pair in apart if pair[0] <= 31)
            assert told(ours, query) == expected == told(theirs, query)

    @pytest.mark.parametrize("threshold", [0, 10, 31, 50])
    def test_another_threshold_holds_and_survives_writing(self, threshold):
        """An index that a platform made stricter or wider must stay so in the matcher that loads it."""
        rng = random.Random(threshold)
        code = rng.getrandbits(256)
        near = {d: f"{code ^ sum(1 << bit for bit in rng.sample(range(256), d)):064x}" for d in (0, 1, 10, 31, 50, 60)}
        index = SafelightPdqIndex([(f"{code:064x}", 0)], threshold=threshold)
        file = io.BytesIO()
        index.serialize(file)
        file.seek(0)
        for one in (index, SafelightPdqIndex.deserialize(file)):
            assert [d for d, text in near.items() if one.query(text)] == [d for d in near if d <= threshold]

    def test_their_published_examples(self):
        index = SafelightPdqSignal.get_index_cls().build([(text, text) for text in PdqSignal.get_examples()])
        assert len(index.query(PdqSignal.get_examples()[0])) >= 12
        assert (SafelightPdqSignal.get_name(), HmaPdqSignal.get_name()) == ("safelight_pdq", "pdq")

    @pytest.mark.parametrize("bad", ["", "00" * 31, "g" * 64, "0" * 32])
    def test_what_is_no_pdq_is_refused_and_changes_nothing(self, bad):
        """One malformed entry of a list crashed HMA's index (their issue 1609)."""
        index = SafelightPdqIndex()
        with pytest.raises(ValueError, match="PDQ"):
            index.add_all([(ENTRIES[0][0], 1), (bad, 2)])
        assert len(index) == 0
        with pytest.raises(ValueError, match="PDQ"):
            index.query(bad)


class TestSerialisation:
    @pytest.mark.parametrize("size", [0, 100, 2000])
    def test_there_and_back(self, size):
        entries = [(PdqSignal.get_random_signal(), (place, {"a": [None, 1.5, "x"]})) for place in range(size)]
        index, file = SafelightPdqIndex.build(entries), io.BytesIO()
        index.serialize(file)
        file.seek(0)
        again = SafelightPdqIndex.deserialize(file)
        assert len(again) == size
        for text, entry in entries[:20]:
            assert [match.metadata for match in again.query(text)] == [entry]

    def test_their_metadata_comes_back_as_what_it_was(self):
        metadata = [("a list", FetchedSignalMetadata()), ("ncmec", NCMECSignalMetadata({}))]
        index, file = SafelightPdqIndex([("0" * 64, metadata)]), io.BytesIO()
        index.serialize(file)
        file.seek(0)
        ((name, first), (_, second)) = SafelightPdqIndex.deserialize(file).query("0" * 64)[0].metadata
        assert (name, type(first), second) == ("a list", FetchedSignalMetadata, metadata[1][1])

    def test_nothing_is_pickled_and_a_pickle_is_not_read(self):
        """Who can write into the database where HMA keeps its indexes could run anything in every matcher."""
        index = SafelightPdqIndex.build(ENTRIES)
        with pytest.raises(TypeError, match="not pickled"):
            pickle.dumps(index)
        with pytest.raises(MatchingError):
            SafelightPdqIndex.deserialize(io.BytesIO(pickle.dumps({"index": 1})))

    @pytest.mark.parametrize("module", ["os", "threatexchange.cli.main", "threatexchange.nothing"])
    def test_an_index_file_cannot_name_code_to_load(self, module):
        index, file = SafelightPdqIndex([("0" * 64, "MARK")]), io.BytesIO()
        index.serialize(file)
        evil = f'{{"meta":["{module}","system",{{}}]}}'.encode()
        body = file.getvalue().replace(b'"MARK"', evil)
        head = bytearray(body)
        head[8:16] = (len(evil) + 2).to_bytes(8, "little")
        with pytest.raises(MatchingError):
            SafelightPdqIndex.deserialize(io.BytesIO(bytes(head)))

    def test_cut_short_anywhere_is_seen(self):
        index, file = SafelightPdqIndex.build(ENTRIES), io.BytesIO()
        index.serialize(file)
        whole = file.getvalue()
        for end in range(0, len(whole), 97):
            with pytest.raises(MatchingError):
                SafelightPdqIndex.deserialize(io.BytesIO(whole[:end]))


def test_the_real_command_takes_the_extension_and_matches_with_it(tmp_path):
    """What the guide says to type would fail at a platform's desk."""
    environment = {**os.environ, "HOME": str(tmp_path)}
    tx = [str(Path(sys.executable).with_name("tx"))]

    def run(*arguments: str) -> str:
        done = subprocess.run([*tx, *arguments], env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("config", "extensions", "add", "safelight.exchange.pytx")
    assert "safelight.exchange.pytx" in run("config", "extensions", "list")
    run("fetch")
    hashes = tmp_path / "hashes.txt"
    hashes.write_text(PdqSignal.get_examples()[0])
    told = run("match", "-H", "--only-signal", "safelight_pdq", "photo", str(hashes))
    assert told.startswith("safelight_pdq 0")
