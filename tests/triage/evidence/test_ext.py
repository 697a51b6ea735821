"""ext listed from its tables as a whole: the same files as The Sleuth Kit gives one by one, and never fewer."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence import ext as lister
from safelight.triage.evidence import ext_tables as tables
from safelight.triage.evidence.base import Evidence
from safelight.triage.evidence.ext import ExtFileSystem
from safelight.triage.evidence.tsk import TskFileSystem
from safelight.triage.model import FileEntry

KINDS = {
    "ext2, blocks of 1 KiB": ("-t", "ext2", "-b", "1024"),
    "ext2, the first revision": ("-t", "ext2", "-r", "0", "-O", "none"),
    "ext3": ("-t", "ext3"),
    "ext4": ("-t", "ext4"),
    "ext4, content in inodes": ("-t", "ext4", "-O", "inline_data", "-I", "256"),
    "ext4, 32 bits, small inodes": ("-t", "ext4", "-O", "^64bit,^metadata_csum,uninit_bg", "-I", "128"),
    "ext4, meta block groups": ("-t", "ext4", "-O", "meta_bg,^resize_inode", "-b", "1024", "-g", "512"),
    "ext4, shared blocks, no extents": ("-t", "ext4", "-O", "^extents,^64bit,large_dir"),
}


class Bytes(Evidence):
    """Media in memory."""

    def __init__(self, body: bytes) -> None:
        super().__init__((), len(body))
        self._body = body

    def _read(self, offset: int, length: int) -> bytes:
        return self._body[offset : offset + length]


def fill(folder: Path) -> None:
    """Files of all lengths, links, holes, odd names, a folder of many blocks."""
    rng = random.Random(7)
    folder.mkdir()
    for i in range(60):
        place = folder / f"Folder {i % 3}" / f"inner {i % 2}"
        place.mkdir(parents=True, exist_ok=True)
        body = rng.randbytes(rng.choice((0, 20, 900, 9000, 60_000)))
        (place / f"file {i:03} ünï 🎈{'x' * rng.randrange(60)}.bin").write_bytes(body)
    many = folder / "many"
    many.mkdir()
    for i in range(120):
        (many / f"{i:04}-{'n' * (i % 90)}").write_bytes(b"x" * i)
    os.link(many / "0000-", many / "hard link")
    os.link(many / "0000-", folder / "Folder 1" / "hard link")
    os.symlink("nowhere", many / "link")
    os.symlink("l" * 200, many / "long link")
    for name, start, body in (("hole", 200_000, b""), ("late", 100_000, b"z"), ("sparse", 900_000, b"b" * 5000)):
        with (folder / name).open("wb") as file:
            file.write(b"a" * 5000 * (name == "sparse"))
            file.seek(start)
            file.write(body)
            file.truncate(start + 5000)
    (folder / "bell\x07").write_bytes(b"c")
    (folder / os.fsdecode(b"bad\xff\xfename")).write_bytes(b"c")
    (folder / "large").write_bytes(rng.randbytes(1_500_000))


def spoil(image: Path) -> None:
    """Deleted files in several ways: unlinked, cleared, a folder that lost its name, an inode without a name."""
    words = [f"rm /many/{i:04}-{'n' * (i % 90)}" for i in range(5, 80, 3)]
    words += [f"unlink /many/{i:04}-{'n' * (i % 90)}" for i in range(82, 100, 3)]
    words += ["clri <40>", "freei <41>", "rm /sparse", "kill_file /large"]
    if "extents" not in image.name:
        words += ['freei "/Folder 2"', 'unlink "/Folder 2"']
    subprocess.run(
        ["debugfs", "-w", "-f", "-", str(image)], input="\n".join(words), check=True, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def volumes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("ext")
    fill(folder / "files")
    made = {}
    for kind, options in KINDS.items():
        image = made[kind] = folder / f"{kind}.img"
        command = ["mke2fs", "-q", "-F", *options, "-d", str(folder / "files"), str(image), "24M"]
        subprocess.run(command, check=True, capture_output=True)
        spoil(image)
    return made


def lists(path: Path) -> tuple[ExtFileSystem, list[FileEntry], TskFileSystem, list[FileEntry]]:
    both = []
    for entries in (ExtFileSystem.entries, TskFileSystem.entries):
        device = Device(open_evidence([path]))
        filesystem = next(f for f in device.filesystems if isinstance(f, ExtFileSystem))
        both += [filesystem, list(entries(filesystem))]
    return tuple(both)


def key(entry: FileEntry) -> tuple[str, str]:
    return entry.locator, "" if entry.readable else entry.path


def same(path: Path) -> tuple[ExtFileSystem, list[FileEntry]]:
    ours, fast, other, slow = lists(path)
    assert {key(e): e for e in fast} == {key(e): e for e in slow} and len(fast) == len(slow)
    assert (ours.directories, ours.other, ours.found, ours.expected) == (
        other.directories, other.other, other.found, other.expected,
    )  # fmt: skip
    assert ours.more_names == other.more_names and ours.more_notes == other.more_notes
    assert ours.deleted_places == other.deleted_places and ours.unread == []
    assert {part.path for part in other.unread} <= {"$OrphanFiles"}, "what it lists, it lists whole"
    return ours, fast


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_files_as_file_by_file(kind: str, volumes: dict[str, Path]) -> None:
    """Path, size, times, extents, state and names: whatever a report says of a file must not depend on the way."""
    ours, fast = same(volumes[kind])
    assert not any("by The Sleuth Kit" in note for note in ours.notes), "it fell back, and nothing was compared"
    paths = {e.path for e in fast}
    assert {"bad\\xff\\xfename", "bell\\x07", "hole", "late"} <= paths and any("🎈" in p for p in paths)
    assert (
        sum(not e.allocated for e in fast) > 20 and ["many/hard link", "Folder 1/hard link"] in ours.more_names.values()
    )
    assert "inodes" in kind or next(e for e in fast if e.path == "hole").sparse


@pytest.mark.parametrize("name", ["ext2.E01", "ext2.qcow2", "ext2.vmdk", "ext2.split.E01"])
def test_real_images_too(name: str, images: Path) -> None:
    """Images that none of us made."""
    assert len(same(images / name)[1]) == 3


def test_many_at_a_time_is_the_same_as_few(volumes: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A file at the border of two batches must not be lost, or counted twice."""
    monkeypatch.setattr(lister, "_AT_ONCE", 7)
    for kind in ("ext2, blocks of 1 KiB", "ext4"):
        same(volumes[kind])


def test_what_the_sleuth_kit_gives_up_on_is_listed(volumes: dict[str, Path], tmp_path: Path) -> None:
    """Inodes without a name are what is left of many deleted files; one bad folder among them hid all the others."""
    image = tmp_path / "v.img"
    image.write_bytes(volumes["ext4"].read_bytes())
    words = ["set_inode_field /many mode 040755", "freei /many", "unlink /many", "set_inode_field <12> flags 0"]
    found = subprocess.run(["debugfs", "-R", "stat /many", str(image)], check=True, capture_output=True, text=True)
    inode = found.stdout.split()[1]
    words += [f"set_inode_field <{inode}> block[0] 0x7fffffff", f"set_inode_field <{inode}> flags 0"]
    subprocess.run(
        ["debugfs", "-w", "-f", "-", str(image)], input="\n".join(words), check=True, capture_output=True, text=True
    )
    ours, fast, other, slow = lists(image)
    assert {e.locator for e in slow if e.locator} <= {e.locator for e in fast}
    assert len({key(e) for e in fast}) == len(fast)
    if any(part.path == "$OrphanFiles" for part in other.unread):
        assert not any(part.path == "$OrphanFiles" for part in ours.unread)


def test_a_file_system_that_was_not_unmounted_says_so(volumes: dict[str, Path], tmp_path: Path) -> None:
    """What only the journal knows is not in the listing: whoever relies on it must be told."""
    body = bytearray(volumes["ext4"].read_bytes())
    body[1024 + 96] |= 4
    path = tmp_path / "dirty.img"
    path.write_bytes(body)
    ours, fast, _, _ = lists(path)
    assert any("journal was not replayed" in note for note in ours.notes) and len(fast) > 100


def test_books_that_make_no_sense_fall_back_and_say_so(
    volumes: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A silent second way would hide that the first one failed."""
    body = bytearray(volumes["ext3"].read_bytes()[:4096])
    body[1024 + 24] = 30
    assert tables.read_books(Bytes(bytes(body)), 0, fourth=False) == "blocks of 2^40 bytes"
    monkeypatch.setattr(tables, "read_books", lambda *_, **__: "blocks of 2^40 bytes")
    ours, fast, _, slow = lists(volumes["ext3"])
    assert "Listed by The Sleuth Kit, file by file: blocks of 2^40 bytes." in ours.notes
    assert {key(e): e for e in fast} == {key(e): e for e in slow}


def test_no_live_file_is_lost_on_damaged_volumes(volumes: dict[str, Path], tmp_path: Path) -> None:
    """What the slower way still finds behind damage, the faster one finds too. (On ext2 and ext3 the slower way may
    never end: there the faster one must.)
    """
    rng = random.Random(8)
    path = tmp_path / "mutant.img"
    compared = 0
    for turn in range(16):
        kind = list(KINDS)[turn % len(KINDS)]
        original = volumes[kind].read_bytes()
        used = [at for at in range(0, len(original), 512) if any(original[at : at + 512])]
        body = bytearray(original)
        for _ in range(rng.choice((1, 10, 100))):
            body[rng.choice(used[:800]) + rng.randrange(512)] = rng.randrange(256)
        path.write_bytes(body)
        found = [f for f in Device(open_evidence([path])).filesystems if isinstance(f, ExtFileSystem)]
        if not found:
            continue  # No ext can be told any more.
        fast = list(found[0].entries())
        assert len({key(e) for e in fast}) == len(fast), turn
        compared += len(fast)
        if "ext4" in kind and "no extents" not in kind:
            slow = lists(path)[3]
            mine = {(e.address, e.allocated) for e in fast}
            lost = [e for e in slow if e.readable and (e.address, e.allocated) not in mine]
            assert not lost, (turn, lost[:3])
    assert compared > 1500


_FUZZ = """
import random, sys
import numpy as np
from safelight.triage.evidence._ext_kernel import names, paths, places
body = np.fromfile(sys.argv[1], np.uint8)
rng = random.Random(3)
out = []
for turn in range(24):
    data = body.copy()
    for _ in range(rng.choice((0, 3, 30))):
        data[rng.randrange(len(data))] = rng.choice((0, 1, 4, 12, 255, rng.randrange(256)))
    data = data[: len(data) - rng.choice((0, 0, 1, 5, 13))]
    room = len(data) // 12 + 1
    inode, place, size = (np.zeros(room, np.int64) for _ in range(3))
    live = np.zeros(room, np.bool_)
    count = names(data, 1024, 5000, turn % 2 == 1, turn % 3 == 2, inode, place, size, live)
    prefix = np.frombuffer(b"folder/", np.uint8)
    letters = np.zeros(int(size[:count].sum()) + 7 * count, np.uint8)
    ends = np.zeros(count + 1, np.int32)
    good = paths(prefix, data, place[:count], size[:count], letters, ends)
    rows = data[: len(data) // 128 * 128].reshape(-1, 128)
    many = len(rows)
    offset, length = np.zeros(12 * many, np.int64), np.zeros(12 * many, np.int64)
    limits, kind, sparse = np.zeros(many + 1, np.int32), np.zeros(many, np.uint8), np.zeros(many, np.bool_)
    sizes = np.array([rng.choice((0, 5, 9000, 1 << 40)) for _ in range(many)], np.int64)
    places(rows, sizes, 1024, 0, 9000, offset, length, limits, kind, sparse)
    out.append((count, int(inode[:count].sum()), int(live.sum()), bool(good), int(kind.sum()), int(limits[-1])))
    out.append((int(offset[: limits[-1]].sum()), int(length[: limits[-1]].sum())))
print(hash(tuple(out)))
"""


def test_the_compiled_parser_stays_inside_its_blocks(volumes: dict[str, Path], tmp_path: Path) -> None:
    """Without the compiler numpy checks every index; compiled, a hostile block would read what lies beside it."""
    with open_evidence([volumes["ext2, blocks of 1 KiB"]]) as evidence:
        (filesystem,) = Device(evidence).filesystems
        assert isinstance(filesystem, ExtFileSystem)
        list(filesystem.entries())
        data = filesystem._folder_data(2)
        assert data is not None
        raw = evidence.read(1024 * int(filesystem._books.tables[0]), 12 << 10)
        (tmp_path / "blocks").write_bytes(data[:2048].tobytes() + raw)
    answers = [
        subprocess.run(
            [sys.executable, "-c", _FUZZ, tmp_path / "blocks"],
            env={**os.environ, "NUMBA_DISABLE_JIT": off}, check=True, capture_output=True, text=True,
        ).stdout
        for off in ("1", "0")
    ]  # fmt: skip
    assert answers[0] == answers[1] != ""
