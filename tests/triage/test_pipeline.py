"""A device from image to verdict, held against the truth that was written onto it."""

from __future__ import annotations

import hashlib
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from tests.triage.conftest import known_set, make_ext
from tests.triage.test_decoding import lying_png
from tests.triage.test_filetypes import encoded

from safelight.demo.diskimages import DiskImage
from safelight.errors import EvidenceError, MatchingError
from safelight.matching import HashSet
from safelight.triage import FileRecord, Progress, TriageSettings, triage_device
from safelight.triage.pipeline import Bench

DEVICES = ("demo-1-phone-card", "demo-1-phone-card-e01", "demo-2-laptop", "demo-3-windows-disk", "demo-4-camera-card",
           "demo-5-old-laptop", "demo-6-usb-stick")  # fmt: skip


@pytest.mark.parametrize("name", DEVICES)
def test_every_listed_file_is_found_and_nothing_else(
    bench: Bench, demo_devices: dict[str, DiskImage], demo_sets: list[HashSet], name: str
) -> None:
    """A listed file on a suspect's device would be missed, or an innocent one reported."""
    device = demo_devices[name]
    records: list[FileRecord] = []
    result = triage_device([device.path], hash_sets=demo_sets, operator="Demo", bench=bench, on_file=records.append)
    read = {r.md5 for r in records if r.complete and r.md5}
    for row in device.rows:
        if row.recoverable and row.size:
            assert row.md5 in read, f"{row.path} was not read"
    found = {(f.md5, f.kind) for f in result.findings}
    want = {(row.md5, row.match) for row in device.findable}
    # Free space may give back a deleted file whose record leads nowhere; nothing that is not listed is ever found.
    carved = {(f.md5, f.kind) for f in result.findings if f.path.startswith("[unallocated]/")}
    listed = [row for row in device.rows if row.match != "none"]
    assert carved <= {(row.md5, row.match) for row in listed if row.state == "deleted"}
    assert {key for key in found - carved if key[1] == "exact"} == {key for key in want - carved if key[1] == "exact"}
    assert {md5 for md5, _ in found - carved} == {md5 for md5, _ in want - carved}
    truth = {(row.md5, row.path): row for row in listed}
    for finding in result.findings:
        rows = [row for (md5, _), row in truth.items() if md5 == finding.md5]
        assert finding.category in {row.category for row in rows}
        assert finding.state in {row.state for row in rows}
        assert finding.sha256 in {row.sha256 for row in rows}
        assert finding.offsets and (finding.times.written or (finding.md5, finding.kind) in carved)
    assert result.exit_code == 0 and result.state == "complete", result.unread
    assert [f.type.lower() for f in result.filesystems if "free space" not in f.type] == [device.file_system]
    files = {r.entry.path for r in records} | {n for r in records for n in r.entry.names}
    assert files >= {row.path for row in device.rows if row.state == "live"}
    assert len(records) == result.counts.files + result.counts.names_only, "every file is given out exactly once"


def test_same_evidence_same_findings_digest(
    bench: Bench, demo_devices: dict[str, DiskImage], demo_sets: list[HashSet]
) -> None:
    """Another laboratory could not show that it found the same."""
    raw = triage_device([demo_devices["demo-1-phone-card"].path], hash_sets=demo_sets, operator="One", bench=bench)
    e01 = triage_device([demo_devices["demo-1-phone-card-e01"].path], hash_sets=demo_sets, operator="Two", bench=bench)
    assert raw.findings and raw.findings_digest == e01.findings_digest
    assert raw.evidence.media_sha256 == e01.evidence.media_sha256
    image = demo_devices["demo-1-phone-card"].path.read_bytes()
    assert raw.evidence.media_sha256 == hashlib.sha256(image).hexdigest()
    assert e01.evidence.stored_agrees is True
    less = triage_device([demo_devices["demo-1-phone-card"].path], hash_sets=demo_sets[:1], operator="One", bench=bench)
    assert less.findings_digest != raw.findings_digest


def test_public_images_are_triaged_or_refused_in_words(bench: Bench, images: Path) -> None:
    """An image that others made would end in a fault."""
    body = (b"place,user,password\nbank,joesmith,superrich\nalarm system,-,1234\ntreasure chest,-,1111\n"
            b"uber secret laire,admin,admin\n")  # fmt: skip
    known = known_set(md5=hashlib.md5(body).digest())
    found = {}
    for path in sorted(images.iterdir()):
        try:
            result = triage_device([path], hash_sets=[known], operator="Demo", bench=bench)
            found[path.name] = (result.state, [f.name.lower() for f in result.findings])
        except EvidenceError as error:
            found[path.name] = ("refused", str(error))
            assert error.fix
    refused = {name for name, (state, _) in found.items() if state == "refused"}
    assert refused == {"bogus.001", "ext2.split.E02"}
    with_file = {n for n, (_, names) in found.items() if names == ["passwords.txt"]}
    assert with_file == set(found) - refused - {"windows_volume.qcow2"}


def test_odd_pictures_are_counted_and_said(bench: Bench, tmp_path: Path) -> None:
    """Pictures that could not be compared would be dropped in silence."""
    from PIL import Image

    plain = tmp_path / "plain.png"
    Image.new("RGB", (200, 200), (90, 90, 90)).save(plain)
    good = encoded("JPEG", side=128)
    image = make_ext(
        tmp_path / "e.img",
        {"plain.png": plain.read_bytes(), "lie.png": lying_png(60_000, 60_000), "ok.jpg": good, "copy.txt": good,
         "cut.jpg": good[: len(good) // 2]},
    )  # fmt: skip
    records: dict[str, FileRecord] = {}
    result = triage_device(
        [image], hash_sets=[known_set(md5=bytes(16))], operator="Demo", bench=bench,
        on_file=lambda r: records.__setitem__(r.entry.path, r),
    )  # fmt: skip
    c = result.counts
    assert (c.pictures, c.pictures_hashed, c.pictures_low_quality, c.pictures_not_decoded) == (5, 2, 1, 2)
    assert c.duplicates == 1 and c.type_mismatches == 1
    assert records["copy.txt"].pdq == records["ok.jpg"].pdq and records["copy.txt"].pdq
    assert "not hashable by PDQ (quality" in " ".join(records["plain.png"].problems)
    assert any("claims 60,000 x 60,000" in p.what for p in result.problems)
    assert any("3 pictures could be compared by digest only" in reason for reason in result.verdict.reasons)


def test_a_lost_reader_costs_one_file(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that crashes on one file would end the run, or drop files in silence."""
    monkeypatch.setattr("safelight.triage.device_reader.WINDOW", 1 << 17)  # So that it is lost in the middle.
    files = {f"{n:03d}.bin": os.urandom(20_000) for n in range(60)}
    image = make_ext(tmp_path / "e.img", files)
    seen: list[FileRecord] = []
    killed = []

    def kill_once(progress: Progress) -> None:
        process = bench.reader._child._process
        if progress.stage == "reading" and progress.files_done > 5 and not killed and process is not None:
            killed.append(process.pid)
            os.kill(process.pid, signal.SIGKILL)

    bench.should_stop = lambda: False
    from safelight.triage import pipeline

    original = pipeline.Meter
    pipeline.Meter = lambda report: original(report, per_second=1e9)  # type: ignore[assignment,misc]
    try:
        result = triage_device(
            [image], hash_sets=[], operator="Demo", bench=bench, on_file=seen.append, on_progress=kill_once
        )
    finally:
        pipeline.Meter = original  # type: ignore[misc]
    assert killed
    lost = [p for p in result.unread if p.path in files]
    assert len(lost) <= 1 and all("signal 9" in p.reason for p in lost)
    assert result.counts.files_read + len(lost) == 60 and len({r.entry.path for r in seen}) == 60
    for record in seen:
        if record.complete:
            assert record.md5 == hashlib.md5(files[record.entry.path]).hexdigest()
    assert result.exit_code == (3 if lost else 0)


def test_a_frozen_reader_is_cut_and_reported(tmp_path: Path) -> None:
    """A parser that hangs would hold up the device for ever."""
    files = {f"{n:03d}.bin": os.urandom(20_000) for n in range(30)}
    image = make_ext(tmp_path / "e.img", files)
    with Bench(TriageSettings(stall_seconds=4, picture_workers=1)) as bench:
        frozen = []

        def freeze(progress: Progress) -> None:
            worker = bench.reader._child.worker
            if progress.stage == "reading" and not frozen and worker:
                frozen.append(worker)
                os.kill(worker, signal.SIGSTOP)

        result = triage_device([image], hash_sets=[], operator="Demo", bench=bench, on_progress=freeze)
    assert frozen
    assert result.counts.files_read >= 29
    assert all("did not answer in time" in p.reason for p in result.unread)


def test_stopping_gives_a_partial_result_marked_as_such(bench: Bench, tmp_path: Path) -> None:
    """A run that was stopped would look finished."""
    image = make_ext(tmp_path / "e.img", {f"{n:03d}.bin": os.urandom(20_000) for n in range(60)})
    stages: list[str] = []
    result = triage_device(
        [image],
        hash_sets=[known_set(md5=bytes(16))],
        operator="Demo",
        bench=bench,
        on_progress=lambda progress: stages.append(progress.stage),
        should_stop=lambda: "reading" in stages,
    )
    assert result.state == "stopped" and result.exit_code == 3
    assert "The run was stopped before its end." in result.verdict.sentence
    again = triage_device([image], hash_sets=[], operator="Demo", bench=bench)
    assert again.state == "complete" and again.counts.files_read == 60, "the bench can be used again"


def test_a_truncated_device_reads_the_rest_and_never_matches_half_a_file(bench: Bench, tmp_path: Path) -> None:
    """A cut image would hide that files are gone, or match zeros."""
    files = {f"{n:03d}.bin": os.urandom(200_000) for n in range(15)}
    image = make_ext(tmp_path / "e.img", files, size="8M")
    os.truncate(image, 2 << 20)
    records: list[FileRecord] = []
    result = triage_device([image], hash_sets=[], operator="Demo", bench=bench, on_file=records.append)
    assert result.state == "unread parts" and result.exit_code == 3 and result.bytes_not_read >= 2 << 20
    good = {hashlib.md5(b).hexdigest() for b in files.values()}
    whole = [r for r in records if r.complete and r.entry.path in files]
    assert whole and all(r.md5 in good for r in whole)
    assert result.counts.files_partly_read or result.counts.files_not_read


def test_a_damaged_e01_chunk_makes_its_file_partial(
    bench: Bench, demo_devices: dict[str, DiskImage], tmp_path: Path
) -> None:
    """Zeros in place of a damaged chunk would be hashed as the file's own bytes."""
    device = demo_devices["demo-1-phone-card-e01"]
    for part in device.segments:
        (tmp_path / part.name).write_bytes(part.read_bytes())
    victim = tmp_path / device.segments[1].name
    body = bytearray(victim.read_bytes())
    body[len(body) // 2] ^= 0xFF
    victim.write_bytes(body)
    records: list[FileRecord] = []
    result = triage_device(
        [tmp_path / device.segments[0].name], hash_sets=[], operator="Demo", bench=bench, on_file=records.append
    )
    assert any("damaged chunk" in p.reason for p in result.unread)
    assert result.evidence.stored_agrees is False
    good = {row.md5 for row in device.rows}
    partial = [r for r in records if not r.complete and r.bytes_read and r.entry.allocated]
    assert partial and all(r.md5 not in good for r in partial)
    assert all(0 <= r.bytes_read < r.entry.size for r in partial)


def test_a_folder_of_pictures(bench: Bench, pictures: Path) -> None:
    """An export without an image could not be triaged."""
    known = known_set(md5=hashlib.md5((pictures / "bridge-aaa-orig.jpg").read_bytes()).digest())
    result = triage_device([pictures], hash_sets=[known], operator="Demo", bench=bench)
    assert [f.path for f in result.findings] == ["bridge-aaa-orig.jpg"]
    assert result.evidence.format == "folder" and result.evidence.media_sha256 is None
    assert any("live files only" in note for note in result.filesystems[0].notes)


def test_bad_input_is_an_error_of_its_own_kind(bench: Bench, tmp_path: Path) -> None:
    """A wrong path would look like a fault of the tool."""
    with pytest.raises(EvidenceError, match="no file"):
        triage_device([tmp_path / "none"], hash_sets=[], operator="Demo", bench=bench)
    with pytest.raises(EvidenceError):
        TriageSettings(threshold=300)
    image = make_ext(tmp_path / "e.img", {"a": b"x"})
    twins = [known_set(md5=bytes(16)), known_set(md5=b"1" * 16)]
    with pytest.raises(MatchingError):
        triage_device([image], hash_sets=twins, operator="Demo", bench=bench)


def test_settings_that_leave_things_out_are_said(tmp_path: Path) -> None:
    """What a quick run did not look at would be forgotten."""
    image = make_ext(tmp_path / "e.img", {"a.jpg": encoded("JPEG")})
    settings = replace(TriageSettings(), pictures=False, deleted=False, hash_image=False)
    result = triage_device([image], hash_sets=[], settings=settings, operator="Demo")
    text = " ".join(result.limits)
    assert "Deleted files were left out" in text and "by digest only" in text and "not hashed" in text
    assert result.counts.pictures == 1 and result.counts.pictures_hashed == 0


def test_how_the_parsers_were_shut_in_stands_in_the_record(images: Path, tmp_path: Path) -> None:
    """A court could not ask what stood between a hostile exhibit and the force's other cases."""
    from safelight.triage import TriageResult, write_report

    shut_in = triage_device([images / "ext2.qcow2"], hash_sets=[], operator="Demo")
    assert shut_in.sandbox is not None and shut_in.sandbox.enough
    assert TriageResult.from_json(shut_in.to_json()).sandbox == shut_in.sandbox
    settings = TriageSettings(sandbox="off")
    open_ = triage_device([images / "ext2.qcow2"], hash_sets=[], operator="Demo", settings=settings)
    assert [p.where for p in open_.problems] == ["sandbox"]
    assert open_.findings_digest == shut_in.findings_digest
    write_report(open_, tmp_path / "report")
    assert "WITHOUT a sandbox" in (tmp_path / "report" / "report.html").read_text()
