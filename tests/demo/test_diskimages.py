"""safelight.demo.diskimages: what the truth file promises is on the device, read back with the Sleuth Kit."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pdqhash
import pytest
import pytsk3
from PIL import Image

from safelight.demo import diskimages, hashsets, tools
from safelight.demo.contents import EXACT, PERCEPTUAL
from safelight.demo.diskimages import VARIANTS, DiskImage, build_disk_images, load_disk_images, write_hash_sets
from safelight.errors import SafelightError
from safelight.matching import read_hash_set


@dataclass(frozen=True)
class _Seen:
    state: str
    content: bytes


def _walk(volume: pytsk3.FS_Info, folder: pytsk3.Directory, prefix: str) -> Iterator[tuple[str, _Seen]]:
    for entry in folder:
        name = entry.info.name.name.decode()
        if name in {".", ".."} or name.startswith("$"):
            continue
        live = bool(entry.info.name.flags & pytsk3.TSK_FS_NAME_FLAG_ALLOC)
        meta = entry.info.meta
        if live and meta is not None and meta.type == pytsk3.TSK_FS_META_TYPE_DIR:
            yield from _walk(volume, entry.as_directory(), f"{prefix}{name}/")
        elif meta is None or meta.type == pytsk3.TSK_FS_META_TYPE_REG:
            # NTFS moves a record's sequence number on when its file is deleted, so the library gives no metadata with
            # the name; the record is opened by its number.
            file = entry if meta is not None else volume.open_meta(inode=entry.info.name.meta_addr)
            size = file.info.meta.size
            content = file.read_random(0, size) if size else b""
            yield prefix + name, _Seen("live" if live else "deleted", content)


def _read_back(image: DiskImage) -> dict[str, list[_Seen]]:
    device = pytsk3.Img_Info(str(image.path))
    volume = pytsk3.FS_Info(device, offset=image.volume_offset)
    found: dict[str, list[_Seen]] = {}
    for path, seen in _walk(volume, volume.open_dir("/"), ""):
        found.setdefault(path, []).append(seen)
    return found


def _pdq(content: bytes) -> tuple[np.ndarray, int]:
    return pdqhash.compute(np.asarray(Image.open(io.BytesIO(content)).convert("RGB")))


@pytest.mark.parametrize("position", range(len(VARIANTS)), ids=[variant.name for variant in VARIANTS])
def test_every_row_of_the_truth_is_on_the_device(disk_images: list[DiskImage], position: int) -> None:
    """A demonstrator who shows a row that is not there, or a test that trusts it, is misled."""
    image = disk_images[position]
    found = _read_back(image)
    for row in image.rows:
        (seen,) = [candidate for candidate in found.get(row.path, []) if candidate.state == row.state]
        if row.recoverable:
            assert len(seen.content) == row.size, row.path
            assert hashlib.md5(seen.content).hexdigest() == row.md5, row.path
            assert hashlib.sha1(seen.content).hexdigest() == row.sha1
            assert hashlib.sha256(seen.content).hexdigest() == row.sha256
        else:
            assert hashlib.md5(seen.content).hexdigest() != row.md5, row.path


@pytest.mark.parametrize("position", range(len(VARIANTS)), ids=[variant.name for variant in VARIANTS])
def test_the_partition_table_leads_to_the_volume(disk_images: list[DiskImage], position: int) -> None:
    image = disk_images[position]
    device = pytsk3.Img_Info(str(image.path))
    if image.scheme == "none":
        assert image.volume_offset == 0
        return
    table = pytsk3.Volume_Info(device)
    kind = {"mbr": pytsk3.TSK_VS_TYPE_DOS, "gpt": pytsk3.TSK_VS_TYPE_GPT}[image.scheme]
    assert table.info.vstype == kind
    starts = [part.start * 512 for part in table if part.flags & pytsk3.TSK_VS_PART_FLAG_ALLOC]
    assert starts == [image.volume_offset]


CHECKERS = {"fat32": ["fsck.vfat", "-n"], "ext4": ["e2fsck", "-fn"], "ntfs": ["ntfsresize", "-i", "-f", "-P"]}


@pytest.mark.parametrize("position", range(len(VARIANTS)), ids=[variant.name for variant in VARIANTS])
def test_the_file_systems_own_checker_finds_no_fault(
    disk_images: list[DiskImage], position: int, tmp_path: Path
) -> None:
    """Or a demo device would show damage that we did not mean. ntfsresize accounts for every cluster."""
    image = disk_images[position]
    volume = tmp_path / "volume"
    with image.path.open("rb") as device, volume.open("wb") as out:
        device.seek(image.volume_offset)
        size = next(v.size_mib for v in VARIANTS if v.name == image.name) * 2**20
        for _ in range(size >> 20):
            out.write(device.read(1 << 20))
    program, *options = CHECKERS[image.file_system]
    path = tools.find_tool(program)
    assert path is not None, f"{program} is missing: make system"
    done = subprocess.run([path, *options, str(volume)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_known_pictures_are_known_exactly_or_only_by_sight(disk_images: list[DiskImage], demo_folder: Path) -> None:
    """The hash sets find what the truth says, each row in the way that it says, and nothing else."""
    sets = write_hash_sets(demo_folder)
    media = json.loads(sets.vics.read_text(encoding="utf-8"))
    assert media["@odata.context"].endswith("2.0.xml/UK/$metadata#Media")
    by_md5 = {row["MD5"].lower(): row for row in media["value"]}
    with sets.csv.open(encoding="utf-8", newline="") as lines:
        listed = list(csv.DictReader(lines))
    codes = np.array([np.unpackbits(np.frombuffer(bytes.fromhex(row["pdq"]), np.uint8)) for row in listed])
    for image in disk_images[: len(VARIANTS)]:
        found = _read_back(image)
        for row in image.rows:
            assert (row.md5 in by_md5) == (row.match == EXACT), row.path
            if row.match == EXACT:
                assert by_md5[row.md5]["MediaID"] == row.media_id
                assert by_md5[row.md5]["SHA1"].lower() == row.sha1
            if row.kind != "picture" or not row.recoverable:
                continue
            content = next(seen.content for seen in found[row.path] if seen.state == row.state)
            code, quality = _pdq(content)
            assert quality >= 50, row.path
            distances = (codes != code).sum(axis=1)
            assert (distances.min() <= 31) == (row.match in {EXACT, PERCEPTUAL}), row.path
            if row.media_id is not None:
                assert int(distances.argmin()) + 1 == row.media_id
                assert listed[row.media_id - 1]["category"] == row.category


def test_our_own_reader_takes_every_row_of_both_lists(demo_folder: Path) -> None:
    """Or the demo would start with an import that half fails."""
    sets = write_hash_sets(demo_folder)
    for path in (sets.vics, sets.csv):
        read = read_hash_set(
            path, name=hashsets.SET_NAME, category_of=lambda _context, number: hashsets.LETTERS[number]
        )
        assert len(read.hash_set) == hashsets.KNOWN_COUNT
        assert read.rejected_count == 0


def test_the_hash_sets_are_visibly_synthetic(demo_folder: Path) -> None:
    sets = write_hash_sets(demo_folder)
    assert "SYNTHETIC-DEMO-SET" in sets.vics.name
    for row in json.loads(sets.vics.read_text(encoding="utf-8"))["value"]:
        assert row["Series"] == hashsets.SET_NAME
    assert sets.entries == hashsets.KNOWN_COUNT


def test_the_devices_cover_what_the_demo_shows(disk_images: list[DiskImage]) -> None:
    devices = disk_images[: len(VARIANTS)]
    assert {image.file_system for image in devices} == {"fat32", "ext4", "ntfs"}
    assert {image.scheme for image in devices} == {"mbr", "gpt", "none"}
    for name in ("demo-1-phone-card", "demo-2-laptop", "demo-3-windows-disk"):
        rows = next(image for image in devices if image.name == name).rows
        assert {row.match for row in rows} == {"exact", "perceptual", "none"}
        assert any(row.state == "deleted" and row.match == "exact" and row.recoverable for row in rows)
        assert any(row.renamed_from and row.path.endswith(".dat") for row in rows)
        assert any(row.kind == "damaged picture" for row in rows)
    assert not next(image for image in devices if image.name == "demo-4-camera-card").findable
    known = [frozenset(row.md5 for row in image.findable) for image in devices]
    assert len(set(known)) == len(known)


def test_the_e01_has_several_parts_and_the_same_bytes(disk_images: list[DiskImage], tmp_path: Path) -> None:
    image = disk_images[-1]
    assert [part.suffix for part in image.segments][:3] == [".E01", ".E02", ".E03"]
    export = tools.find_tool("ewfexport")
    assert export is not None, "ewfexport is missing: make system"
    target = tmp_path / "raw"
    subprocess.run([export, "-u", "-q", "-t", str(target), str(image.path)], check=True, capture_output=True)
    assert target.with_suffix(".raw").read_bytes() == disk_images[0].path.read_bytes()


def test_a_second_start_finds_the_devices_again(disk_images: list[DiskImage], demo_folder: Path) -> None:
    assert load_disk_images(demo_folder) == sorted(disk_images, key=lambda image: image.manifest.name)


def test_a_foreign_truth_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.truth.json").write_text('{"version": 99}')
    with pytest.raises(SafelightError, match="not a truth file of this version"):
        load_disk_images(tmp_path)


def test_the_same_seed_gives_the_same_content_and_another_seed_another(tmp_path: Path) -> None:
    usb = VARIANTS[-1:]
    first, again, other = (build_disk_images(tmp_path / str(n), seed=s, variants=usb) for n, s in enumerate((1, 1, 2)))
    assert first[0].rows == again[0].rows
    assert {row.md5 for row in first[0].findable}.isdisjoint(row.md5 for row in other[0].findable)


def test_a_missing_tool_names_the_debian_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools, "_SEARCH", str(tmp_path))
    with pytest.raises(SafelightError, match=r"apt-get install dosfstools e2fsprogs mtools ntfs-3g"):
        build_disk_images(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_nearly_full_disk_is_said_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tools.shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 99, 1))
    with pytest.raises(SafelightError, match="0 MiB are free"):
        build_disk_images(tmp_path)


def test_a_disk_that_fills_up_on_the_way_is_said(tmp_path: Path) -> None:
    """/dev/full answers every write with 'no space left', as a full disk does."""
    with (
        pytest.raises(SafelightError, match="The disk is full"),
        tools.disk_full_is_clear(tmp_path),
        open("/dev/full", "wb", buffering=0) as full,
    ):
        full.write(b"x")


def test_progress_counts_every_device(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    build_disk_images(tmp_path, variants=VARIANTS[3:4], on_progress=lambda *now: told.append(now))
    assert [done for done, _total, _text in told] == [0, 1]
    assert {total for _done, total, _text in told} == {1}
    assert diskimages.NOTICE.startswith("SYNTHETIC")
