"""Archives and disk images on a device are opened, read and matched; what would unpack for ever is not."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.triage.conftest import known_set, make_ext

from safelight.triage import FileRecord, TriageResult, TriageSettings, triage_device
from safelight.triage.model import FileEntry
from safelight.triage.nesting import Inside, Nesting
from safelight.triage.pipeline import Bench

KNOWN = b"a synthetic file that a list knows " * 300


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:  # type: ignore[call-overload]
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return out.getvalue()


def run(bench: Bench, image: Path) -> tuple[TriageResult, dict[str, FileRecord]]:
    seen: dict[str, FileRecord] = {}
    known = known_set(md5=hashlib.md5(KNOWN).digest())
    result = triage_device(
        [image], hash_sets=[known], operator="Demo Examiner", bench=bench,
        on_file=lambda r: seen.__setitem__(r.entry.path, r),
    )  # fmt: skip
    return result, seen


@pytest.fixture
def disk(tmp_path: Path) -> bytes:
    """A disk image that holds the known file."""
    return make_ext(
        tmp_path / "inner.img", {"dir/known.bin": KNOWN, "b.txt": b"x"}, kind="ext2", size="1M"
    ).read_bytes()


def test_known_files_are_found_at_every_level(bench: Bench, tmp_path: Path, images: Path, disk: bytes) -> None:
    """Listed material in a zip in a zip, or on a disk image in an archive, would be missed."""
    files = {
        "one.zip": zipped({"a/known.bin": KNOWN, "two.zip": zipped({"known.bin": KNOWN})}),
        "backup.tar.gz": tarred({"disk.dd": disk, "etc/known.bin": KNOWN}),
        "disk.img.gz": gzip.compress(disk),
        "vm.qcow2": (images / "ext2.qcow2").read_bytes(),
        "old.E01": (images / "ext2.E01").read_bytes(),
        "mac.dmg": (images / "hfsplus_zlib.dmg").read_bytes(),
        "win.vhd": (images / "image.vhd").read_bytes(),
        "vm.vmdk": (images / "ext2.vmdk").read_bytes(),
    }
    result, seen = run(bench, make_ext(tmp_path / "e.img", files, size="24M"))
    hits = {f.path for f in result.findings}
    assert hits == {
        "one.zip/a/known.bin", "one.zip/two.zip/known.bin", "backup.tar.gz/disk.dd/dir/known.bin",
        "backup.tar.gz/etc/known.bin", "disk.img.gz/disk.img/dir/known.bin",
    }  # fmt: skip
    assert seen["vm.qcow2/passwords.txt"].complete and seen["old.E01/a_directory/another_file"].complete
    assert seen["vm.qcow2/passwords.txt"].sha256 == seen["old.E01/passwords.txt"].sha256
    assert seen["vm.vmdk/passwords.txt"].sha256 == seen["old.E01/passwords.txt"].sha256
    assert any(p.startswith("mac.dmg/") for p in seen) and any(p.startswith("win.vhd/") for p in seen)
    assert not result.unread, result.unread
    c = result.counts
    assert c.files == c.files_read + c.files_partly_read + c.files_not_read + c.empty + c.sparse


def test_a_zip_as_the_evidence_itself(bench: Bench, tmp_path: Path) -> None:
    """A phone extraction would have to be unpacked by hand first, into whatever its names say."""
    path = tmp_path / "phone.zip"
    path.write_bytes(zipped({"DCIM/known.bin": KNOWN, "../../evil": b"x", "back.tgz": tarred({"known.bin": KNOWN})}))
    result, seen = run(bench, path)
    assert {f.path for f in result.findings} == {"DCIM/known.bin", "back.tgz/known.bin"}
    assert result.evidence.format == "zip archive"
    assert result.evidence.media_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert all(".." not in p.split("/") for p in seen) and not result.unread
    assert not list(tmp_path.parent.glob("evil"))


def test_deeper_than_the_limit_is_named(bench: Bench, tmp_path: Path) -> None:
    """A quine, or a file hidden one level deeper, would hang the run or pass unseen."""
    body = zipped({"known.bin": KNOWN})
    for level in range(6):
        body = zipped({f"{level}.zip": body}, zipfile.ZIP_STORED)
    result, _ = run(bench, make_ext(tmp_path / "e.img", {"top.zip": body}))
    assert not result.findings
    (part,) = result.unread
    assert "deeper than 4 levels" in part.reason and part.size


def test_damaged_containers_are_unread_parts_with_their_path(bench: Bench, tmp_path: Path, disk: bytes) -> None:
    """A damaged or unknown archive on the device would pass in silence."""
    files = {
        "cut.zip": zipped({"a": KNOWN * 20, "b": KNOWN * 30})[:-40],
        "a.rar": b"Rar!\x1a\x07\x01\x00" + bytes(100),
        "cut.dd": disk[: len(disk) // 2],
        "locked.dd": b"LUKS\xba\xbe\x00\x02" + bytes(1 << 20),
    }
    result, _ = run(bench, make_ext(tmp_path / "e.img", files, size="8M"))
    said = {(p.path, w) for p in result.unread for w in ("cut short", "RAR", "LUKS") if w in p.reason}
    assert {("cut.zip", "cut short"), ("a.rar", "RAR"), ("cut.dd", "cut short"), ("locked.dd", "LUKS")} <= said
    assert all(p.offset is None for p in result.unread)


def test_all_that_is_inside_one_container_has_a_limit() -> None:
    """A container of containers would unpack without end although each of them is small."""
    nesting = Nesting(TriageSettings())
    box = FileRecord(FileEntry(0, "a.zip", 1000, "7"), 1000, True, type="ZIP")
    nesting.consider(box)
    assert nesting.next() is box
    rows = [FileEntry(0, f"a.zip/{n}", 300 << 20, f"7!0,{n}") for n in range(5)]
    taken = nesting.take(box, Inside(rows))
    assert [e.readable for e in taken] == [True, True, True, False, False]
    assert "bomb" in taken[4].notes[0]
