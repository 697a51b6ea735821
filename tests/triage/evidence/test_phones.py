"""Extractions of telephones as archives: read as any archive, and the record says which telephone it looks like."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from tests.triage.evidence.reading import read_all

from safelight.triage import TriageSettings, triage_device
from safelight.triage.evidence import Device, open_evidence
from safelight.triage.evidence.phones import PhoneSigns
from safelight.triage.pipeline import Bench

IOS = ["private/var/mobile/Media/DCIM/100APPLE/IMG_0001.HEIC", "private/var/mobile/Library/SMS/sms.db",
       "private/var/mobile/Containers/Data/Application/6A/Documents/x.jpg", "private/var/root/Library/a"]  # fmt: skip
ANDROID = ["data/data/com.example.chat/databases/msgstore.db", "data/media/0/DCIM/Camera/a.jpg",
           "data/system/users/0.xml", "data/user/0/org.example.app/cache/b.jpg"]  # fmt: skip
BACKUP = ["Manifest.db", "Info.plist", *(f"{n:02x}/{n:02x}{'a1' * 19}" for n in range(4))]
SHARED = ["sdcard/DCIM/Camera/a.jpg", "sdcard/WhatsApp/Media/b.jpg", "storage/emulated/0/Pictures/c.png"]


def _zip(path: Path, names: list[str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name.encode())
    return path


def _tar(path: Path, names: list[str], above: str) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".tgz" else "w") as archive:
        for name in names:
            row = tarfile.TarInfo(f"{above}{name}")
            row.size = len(name)
            archive.addfile(row, io.BytesIO(name.encode()))
    return path


@pytest.mark.parametrize(
    ("names", "words"),
    [(IOS, "full file system extraction of an iPhone"), (ANDROID, "full file system extraction of an Android"),
     (BACKUP, "backup of an iPhone or iPad (iOS) by iTunes"), (SHARED, "shared storage of an Android"),
     (["report.xml", "files/Image/a.jpg"], "Cellebrite report package")],
)  # fmt: skip
def test_the_record_says_which_telephone_an_archive_looks_like(tmp_path: Path, names: list[str], words: str) -> None:
    """The reader of a report would see a zip file, and not that it is the victim's telephone."""
    for image, above in ((_zip(tmp_path / "x.zip", names), ""), (_tar(tmp_path / "x.tar", names, "dump/"), "dump/")):
        if words.startswith("Cellebrite") and above:
            continue  # A UFDR is a zip file with its report at the top.
        with open_evidence([image]) as evidence:
            (filesystem,) = Device(evidence).filesystems
            found = {p: s.body for p, s in read_all(filesystem).items()}
            assert found == {f"{above}{n}": n.encode() for n in names}
            assert any(words in note for note in filesystem.record().notes)


def test_the_report_says_it_of_a_folder_and_of_an_archive_in_it(tmp_path: Path) -> None:
    """An unpacked extraction, or one inside another device, would lose its name on the way to the report."""
    for name in ANDROID:
        (tmp_path / "e" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "e" / name).write_text(name)
    _tar(tmp_path / "e" / "phone.tgz", IOS, "")
    with Bench(TriageSettings(picture_workers=1)) as bench:
        result = triage_device([tmp_path / "e"], hash_sets=[], operator="Demo Examiner", bench=bench)
    assert any("Android" in note for f in result.filesystems for note in f.notes)
    assert [p.where for p in result.problems if "an iPhone" in p.what] == ["phone.tgz"]


def test_ordinary_files_look_like_no_telephone() -> None:
    """Every archive with a folder called data would be called a telephone."""
    signs = PhoneSigns()
    for name in (
        "data/report.pdf",
        "private/letter.doc",
        "DCIM/100CANON/IMG_1.JPG",
        "ab/" + "c" * 39,
        "f" * 40,
        "0" * 40,
        "1" * 40,
    ):
        signs.see(name)
    assert signs.note() is None
