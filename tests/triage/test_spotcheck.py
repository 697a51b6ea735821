"""The sample of a first answer: every place has the same chance, and the stated probability is kept."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from safelight.triage.blockruns import BLOCK
from safelight.triage.blocks import BlockSet, build_block_set
from safelight.triage.blockscan import Region
from safelight.triage.chance import chance_to_miss, places_needed
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.raw import RawEvidence
from safelight.triage.model import EvidencePart, UnreadPart, Volume
from safelight.triage.places import Lottery, merged, spans_of, without
from safelight.triage.sampled import ENOUGH, TIME
from safelight.triage.spotcheck import Job, SpotCheck


class Memory(Evidence):
    """A medium in memory."""

    def __init__(self, content: bytearray) -> None:
        super().__init__((EvidencePart("memory", "/memory", len(content)),), len(content))
        self.content = content

    def _read(self, offset: int, length: int) -> bytes:
        return bytes(self.content[offset : offset + length])


class Bare:
    """A device of one volume without any file system."""

    def __init__(self, size: int, *unread: UnreadPart) -> None:
        self.volumes = [Volume(0, "none", "volume", "whole", 0, size)]
        self.filesystems: list[Any] = []
        self.unread = list(unread)


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> tuple[BlockSet, bytes]:
    """A block set over one file of 64 blocks, and the file."""
    folder = tmp_path_factory.mktemp("listed")
    body = np.random.default_rng(1).bytes(64 * BLOCK)
    (folder / "listed.bin").write_bytes(body)
    build_block_set([(folder / "listed.bin", "A")], folder / "blocks.set", name="SYNTHETIC BLOCKS")
    return BlockSet(folder / "blocks.set"), body


def check(evidence: Evidence, device: Any, blocks: BlockSet, **changes: Any) -> SpotCheck:
    values: dict[str, Any] = {
        "at_least": 10 * BLOCK, "probability": 0.9, "places": 0, "seed": 1, "until": time.monotonic() + 60,
        "sizes": np.empty(0, np.uint64),
    }  # fmt: skip
    made = SpotCheck(evidence, device, blocks, Job(**(values | changes)), lambda *a: None, lambda e: None)
    made.go()
    return made


def test_the_stated_probability_is_kept_over_a_thousand_devices(listed: tuple[BlockSet, bytes]) -> None:
    """'With a probability of 90 %' would be a figure of speech."""
    blocks, body = listed
    rng = np.random.default_rng(2)
    places, held = 1_500, 10
    content = bytearray(rng.bytes(places * BLOCK))
    device = Bare(len(content))
    found, wanted = 0, places_needed(places, held, 0.9)
    stated = set()
    for number in range(1_000):
        where = rng.choice(places, held, replace=False).tolist()
        saved = [(w, content[w * BLOCK : (w + 1) * BLOCK]) for w in where]
        for index, w in enumerate(where):
            content[w * BLOCK : (w + 1) * BLOCK] = body[index * BLOCK : (index + 1) * BLOCK]
        told = check(Memory(content), device, blocks, seed=number, places=wanted).told
        assert told.places == places and told.ended == ENOUGH
        found += told.hits > 0
        stated.add(1 - chance_to_miss(told.places, held, told.drawn))
        for w, old in saved:
            content[w * BLOCK : (w + 1) * BLOCK] = old
    assert len(stated) == 1
    probability = stated.pop()
    assert 0.9 <= probability < 0.91
    # Not less than stated, and not another number altogether: one in a thousand such tests may fail.
    assert binomtest(found, 1_000, probability).pvalue > 0.001, f"{found} of 1,000, stated {probability:.4f}"


@given(st.integers(1, 400), st.integers(0, 2**32), st.integers(1, 97))
@settings(max_examples=40, deadline=None)
def test_each_place_is_drawn_once(count: int, seed: int, step: int) -> None:
    """A place drawn twice would count for two, and the probability would be overstated."""
    spans = spans_of([Region(0, count * BLOCK)], [(0, count * BLOCK)])
    lottery = Lottery(spans, seed)
    drawn: list[int] = []
    while some := lottery.draw(step):
        assert some == sorted(some, key=lambda row: row[0])
        drawn += [at for at, _ in some]
    assert sorted(drawn) == [n * BLOCK for n in range(count)]


def test_a_large_device_is_drawn_without_a_list_of_all_its_places() -> None:
    """Sampling a 16 TB disk would need the memory of a server, or the order would depend on the machine's speed."""
    spans = spans_of([Region(0, 1 << 44)], [(0, 1 << 44)])
    at_once, in_steps = Lottery(spans, 5), Lottery(spans, 5)
    whole = {at for at, _ in at_once.draw(20_000)}
    steps = [at for size in (300, 5_000, 14_700) for at, _ in in_steps.draw(size)]
    assert len(whole) == 20_000 and whole == set(steps)
    assert max(whole) > 0.99 * (1 << 44)
    # Each tenth of the disk gets its tenth of the draws: chi-squared over ten cells, 99.9 % point 27.9.
    tenths = np.bincount(np.array(sorted(whole)) * 10 // (1 << 44), minlength=10)
    assert float(((tenths - 2_000) ** 2 / 2_000).sum()) < 27.9


@given(st.integers(0, 15), st.integers(0, 7), st.integers(3, 40), st.data())
@settings(max_examples=60, deadline=None)
def test_every_block_begins_in_one_place(sector: int, phase: int, blocks: int, data: st.DataObject) -> None:
    """On a FAT stick with small clusters, blocks of a listed file would fall between the places."""
    start, end = sector * 512, (sector + blocks * 8) * 512
    steps = data.draw(st.sampled_from(((phase * 512,), tuple(range(0, BLOCK, 512)), tuple(range(512, BLOCK, 1024)))))
    cut = data.draw(st.lists(st.tuples(st.integers(start, end), st.integers(start, end)), max_size=3))
    ranges = merged((min(c), max(c)) for c in cut) if cut else [(start, end)]
    spans = spans_of([Region(start, end, steps)], ranges)
    begun = [s.start + n * BLOCK + d for s in spans for n in range(s.count) for d in s.steps]
    assert len(begun) == len(set(begun))
    for at in range(start, end - BLOCK + 1, 512):
        touches = any(a < at + BLOCK and at < b for a, b in ranges)
        if at % BLOCK in {p % BLOCK for p in steps} and touches:
            assert at in begun


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6), st.data())
def test_ranges_without_others(some: list[tuple[int, int]], data: st.DataObject) -> None:
    """Encrypted bytes would be drawn, or readable ones left out."""
    gone = data.draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=6))
    left = {n for a, b in without(merged(some), gone) for n in range(a, b)}
    assert left == {n for a, b in some for n in range(a, b)} - {n for a, b in gone for n in range(a, b)}


def test_holes_and_encrypted_volumes_are_no_places(listed: tuple[BlockSet, bytes], tmp_path: Path) -> None:
    """A probability over bytes that cannot hold anything, or that nobody can see into, would be a comfort and a lie."""
    blocks, body = listed
    path = tmp_path / "sparse.dd"
    with path.open("wb") as file:
        file.truncate(64 << 20)
        file.seek(8 << 20)
        file.write(body)
    evidence = RawEvidence([path])
    stored = sum(b - a for a, b in evidence.stored())
    made = check(evidence, Bare(evidence.size), blocks)
    assert made.told.places * BLOCK == stored and made.told.known_zero == evidence.size - stored
    assert made.told.hits and [(r.offset, r.count) for r in made.runs] == [(8 << 20, 64)]
    sealed = UnreadPart("volume 0", "BitLocker encryption, no key was given", 0, evidence.size)
    shut = check(evidence, Bare(evidence.size, sealed), blocks).told
    assert shut.places == 0 and shut.left_out == evidence.size and not shut.hits


def test_a_round_that_time_cut_short_is_not_counted(listed: tuple[BlockSet, bytes]) -> None:
    """Half a round in the order of the disk is the disk's beginning, not a sample of it."""
    content = bytearray(np.random.default_rng(3).bytes(4_000 * BLOCK))

    class Stalling(Memory):
        reads = 0

        def _read(self, offset: int, length: int) -> bytes:
            self.reads += 1
            if self.reads > 400:
                time.sleep(0.05)
            return super()._read(offset, length)

    evidence = Stalling(content)
    told = check(evidence, Bare(len(content)), listed[0], at_least=BLOCK, until=time.monotonic() + 2).told
    assert told.ended == TIME and told.drawn == 256 and evidence.reads > 400


def test_places_that_cannot_be_read_are_not_counted(listed: tuple[BlockSet, bytes]) -> None:
    """A disk full of bad sectors would be vouched for."""
    evidence = Memory(bytearray(np.random.default_rng(4).bytes(400 * BLOCK)))
    evidence.missing.add(0, 200 * BLOCK, "read error")
    told = check(evidence, Bare(evidence.size), listed[0], at_least=BLOCK, places=360).told
    assert told.drawn + told.unreadable == 360 and 150 < told.drawn <= 200
