"""Blocks of listed files: what goes into a block set, what is found on a device, and what proves nothing."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xxhash
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.triage.conftest import known_set, make_ext

from safelight.errors import MatchingError
from safelight.triage import TriageSettings, triage_device
from safelight.triage.blockruns import BLOCK, Run, joined
from safelight.triage.blocks import BlockSet, build_block_set, common_blocks
from safelight.triage.blockscan import BlockScan, Region, block_kernel


def random_blocks(count: int, seed: int) -> bytes:
    return np.random.default_rng(seed).bytes(count * BLOCK)


def test_blocks_that_programs_make_are_common() -> None:
    """Every device would hold 'listed blocks': tables, padding and zeros that a listed file happens to have too."""
    ramp = np.arange(1024, dtype="<u4").tobytes()
    few = b"abcd" * 700 + b"efgh" * 324
    often = np.concatenate([np.zeros(300, "<u4"), np.frombuffer(random_blocks(1, 1), "<u4")[:724]])
    often = np.random.default_rng(2).permutation(often).tobytes()
    white = (b"word" + b" " * 12) * 256
    rising = np.sort(np.random.default_rng(3).integers(0, 1 << 31, 1024)).astype("<u4").tobytes()
    own = random_blocks(1, 4)
    text = (b"the quick brown fox jumps over it %d; " * 200) % tuple(range(200))
    blocks = [bytes(BLOCK), ramp, few, often, white, rising, own, text[:BLOCK]]
    found = common_blocks(np.frombuffer(b"".join(blocks), np.uint8).reshape(-1, BLOCK))
    assert found.tolist() == [True] * 6 + [False] * 2


def make_set(folder: Path, *bodies: bytes, common: bytes = b"") -> Path:
    files = []
    for number, body in enumerate(bodies):
        path = folder / f"listed-{number}.bin"
        path.write_bytes(body)
        files.append((path, "AB"[number % 2]))
    (folder / "common.bin").write_bytes(common)
    build_block_set(files, folder / "blocks.set", name="SYNTHETIC BLOCKS", common=[folder / "common.bin"])
    return folder / "blocks.set"


def test_only_distinct_blocks_go_in(tmp_path: Path) -> None:
    """A block that two files share would name the wrong one."""
    one, two, shared, known = (random_blocks(6, s) for s in (1, 2, 3, 4))
    path = make_set(tmp_path, one + shared + b"tail", two + shared + known, common=known)
    blocks = BlockSet(path)
    assert len(blocks) == 12 and [s.blocks for s in blocks.sources] == [6, 6]
    assert blocks.sources[0].md5 == hashlib.md5(one + shared + b"tail").hexdigest()
    again = make_set(tmp_path, one + shared + b"tail", two + shared + known, common=known)
    assert BlockSet(again).root == blocks.root
    with pytest.raises(MatchingError, match="block that is its own"):
        make_set(tmp_path, bytes(1 << 20))
    body = bytearray(path.read_bytes())
    body[-3] ^= 1
    path.write_bytes(body)
    with pytest.raises(MatchingError):
        BlockSet(path)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 9), st.integers(1, 8)), max_size=6),
    st.sampled_from([(0,), (512,), (3584,), (0, 1024, 2048, 3072)]),
    st.integers(2, 20),
)
def test_every_run_is_found_wherever_the_windows_lie(
    tmp_path_factory: pytest.TempPathFactory, plants: list[tuple[int, int, int]], phases: tuple[int, ...], pages: int
) -> None:
    """Blocks over the border between two windows, or off the 4 KiB grid of the disk, would be missed or found twice."""
    listed = random_blocks(20, 9)
    path = make_set(tmp_path_factory.mktemp("b"), listed)
    media = bytearray(random_blocks(80, 10))
    for place, first, count in plants:
        at = place * BLOCK + phases[-1]
        media[at : at + count * BLOCK] = listed[first * BLOCK : (first + count) * BLOCK]
    del media[80 * BLOCK :]
    want = set()
    for phase in phases:
        for at in range(phase, len(media) - BLOCK + 1, BLOCK):
            where = listed.find(media[at : at + BLOCK])
            if where >= 0 and where % BLOCK == 0:
                want.add((at, where // BLOCK))
    found = []
    for compiled in (True, False):
        scan = BlockScan(BlockSet(path), [Region(0, len(media), phases)], compiled=compiled)
        window = pages * BLOCK
        for start in range(0, len(media), window):
            lead = min(start, BLOCK)
            scan.window(memoryview(media)[start - lead : start + window], start - lead, start)
        found.append(joined(scan.runs))
    runs = found[0]
    assert found[0] == found[1], "the compiled scan and the library's agree"
    got = [(r.offset + i * BLOCK, r.position + i) for r in runs for i in range(r.count)]
    assert sorted(got) == sorted(want)
    for run in runs:
        assert not any(run.goes_on(other) for other in runs), "a run is whole"


def test_joined_runs() -> None:
    """A fragment over two windows would look like two short ones, and be dropped."""
    runs = [Run(0, 1, 0, 3), Run(3 * BLOCK, 1, 3, 2), Run(5 * BLOCK, 2, 5), Run(6 * BLOCK, 1, 9)]
    assert [(r.offset, r.count) for r in joined(reversed(runs))] == [(0, 5), (5 * BLOCK, 1), (6 * BLOCK, 1)]


def test_fragments_in_free_space_and_in_files(tmp_path: Path) -> None:
    """What is left of a deleted or overwritten listed file would not be found."""
    gone, embedded, whole, unmatched = (random_blocks(n, s) for n, s in ((30, 1), (20, 2), (10, 3), (3, 4)))
    path = make_set(tmp_path, gone, embedded, whole, unmatched)
    files = {
        "part.bin": os.urandom(8 * BLOCK) + embedded[5 * BLOCK : 15 * BLOCK] + os.urandom(100),
        "whole.bin": whole,
        "short.bin": unmatched + os.urandom(BLOCK),
        "gone.bin": embedded[: 6 * BLOCK],
    }
    image = make_ext(tmp_path / "e.img", files, size="8M")
    subprocess.run(["debugfs", "-w", "-R", "rm gone.bin", str(image)], check=True, capture_output=True)
    media = bytearray(image.read_bytes())
    free = media.rindex(bytes(64 * BLOCK)) // BLOCK * BLOCK  # what a file left behind whose record is long gone
    media[free : free + len(gone)] = gone
    image.write_bytes(media)
    exact = known_set(md5=hashlib.md5(whole).digest())
    plain = TriageSettings(picture_workers=1)
    without = triage_device([image], hash_sets=[exact], settings=plain, operator="Demo")
    found = triage_device([image], hash_sets=[exact], settings=replace(plain, block_set=str(path)), operator="Demo")
    by_kind = {(f.kind, f.path.split("/")[0]): f for f in found.findings}
    assert set(by_kind) == {
        ("exact", "whole.bin"), ("block", "part.bin"), ("block", "gone.bin"), ("block", "$Unallocated"),
    }  # fmt: skip
    assert by_kind["block", "gone.bin"].state == "deleted"
    fragment, part = by_kind["block", "$Unallocated"], by_kind["block", "part.bin"]
    assert (fragment.state, fragment.category, fragment.size) == ("unallocated", "A", 30 * BLOCK)
    body = image.read_bytes()
    assert body[fragment.offsets[0] :].startswith(gone)
    assert (part.state, part.category, part.hash_set) == ("live", "B", "SYNTHETIC BLOCKS")
    assert body[part.offsets[0] :].startswith(embedded[5 * BLOCK : 15 * BLOCK])
    assert "10 blocks" in " ".join(part.notes) and hashlib.md5(embedded).hexdigest() in " ".join(part.notes)
    assert "fragments of listed files in 3 places" in found.verdict.sentence
    assert [f for f in found.findings if f.kind == "exact"] == list(without.findings)
    assert found.evidence.media_sha256 == without.evidence.media_sha256 == hashlib.sha256(body).hexdigest()
    assert found.findings_digest != without.findings_digest
    only = triage_device([image], hash_sets=[], settings=replace(plain, block_set=str(path)), operator="Demo")
    assert only.verdict.level == "possible listed material"
    assert any("compared with the block set" in text for text in only.limits)
    with pytest.raises(MatchingError):
        triage_device([image], hash_sets=[], settings=replace(plain, block_set=str(image)), operator="Demo")


def test_blocks_of_an_old_partition_and_of_fat(tmp_path: Path) -> None:
    """Cards and old disks do not lay their files on the disk's own 4 KiB grid."""
    listed = random_blocks(12, 1)
    path = make_set(tmp_path, listed)
    fat = tmp_path / "fat.img"
    subprocess.run(["mkfs.vfat", "-F", "16", "-s", "4", "-R", "3", "-C", str(fat), "16384"], check=True,
                   capture_output=True)  # fmt: skip
    (tmp_path / "f.bin").write_bytes(os.urandom(2048) + listed)
    subprocess.run(["mcopy", "-i", str(fat), str(tmp_path / "f.bin"), "::f.bin"], check=True, capture_output=True)
    disk = tmp_path / "disk.img"
    table = struct.pack("<B3xB3xII", 0x80, 6, 63, fat.stat().st_size // 512)
    disk.write_bytes((bytes(446) + table + bytes(48) + b"\x55\xaa").ljust(63 * 512, b"\0") + fat.read_bytes())
    result = triage_device(
        [disk], hash_sets=[], settings=TriageSettings(block_set=str(path), picture_workers=1), operator="Demo"
    )
    assert [(f.kind, f.path) for f in result.findings] == [("block", "f.bin")]
    assert disk.read_bytes()[result.findings[0].offsets[0] :].startswith(listed)


@settings(max_examples=20, deadline=None)
@given(st.binary(min_size=1, max_size=200), st.integers(0, 5))
def test_the_compiled_hash_is_xxh3(seed: bytes, first: int) -> None:
    """Block sets made elsewhere would match nothing."""
    k = block_kernel()
    assert k is not None
    media = np.frombuffer((seed * (8 * BLOCK // len(seed) + 1))[: 8 * BLOCK], np.uint8).copy()
    media[first * BLOCK : (first + 1) * BLOCK] = np.frombuffer(random_blocks(1, len(seed)), np.uint8)
    starts = np.arange(0, 8 * k.BLOCK_WORDS, k.BLOCK_WORDS)
    out = np.empty(8, np.uint64)
    k.hashes(media.view(np.uint64), starts, out, k.START, k.KEYS, k.SCRAMBLE, k.LAST, k.MERGE)
    blocks = [media[at : at + BLOCK].tobytes() for at in range(0, len(media), BLOCK)]
    assert out.tolist() == [xxhash.xxh3_64_intdigest(block) for block in blocks]


def test_the_sieve_lets_every_listed_block_through(tmp_path: Path) -> None:
    """A listed block would be dropped before it is looked up."""
    blocks = BlockSet(make_set(tmp_path, random_blocks(300, 3)))
    k = block_kernel()
    sieve = blocks.sieve(k)
    keys = np.array(blocks._filter, np.uint64)
    out = np.empty(len(keys) + 1, np.int64)
    assert k.sift(sieve, keys, np.uint64(0), out) == len(keys) == 300
    others = np.random.default_rng(1).integers(0, 1 << 63, 20_000).astype(np.uint64)
    assert k.sift(sieve, others, np.uint64(0), np.empty(len(others) + 1, np.int64)) < 200
