"""A device in chunks: killed, resumed, done twice, by several workers, in any order: the findings stay the same."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from tests.triage.conftest import known_set, make_ext
from tests.triage.test_blocks import make_set, random_blocks
from tests.triage.test_filetypes import encoded
from tests.triage.test_nesting import zipped

from safelight.errors import EvidenceError, MatchingError
from safelight.matching import HashSet
from safelight.triage import FileRecord, TriageResult, TriageSettings, triage_device
from safelight.triage.blockruns import BLOCK
from safelight.triage.chunks import DevicePlan, RunFolder, merge, plan_device, run_chunk, write_manifest
from safelight.triage.pipeline import Bench

KNOWN = b"a synthetic file that a list knows " * 3000
SMALL = 1 << 17


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows so small that a test's image has many."""
    monkeypatch.setattr("safelight.triage.device_reader.WINDOW", SMALL)
    monkeypatch.setattr("safelight.triage.plan.WINDOW", SMALL)


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, list[HashSet], dict[str, bytes]]:
    """An image whose files reach over borders of chunks, its block set and its hash sets."""
    folder = tmp_path_factory.mktemp("chunked")
    rng = random.Random(7)
    listed = random_blocks(90, 5)
    picture = encoded("JPEG", side=160)
    files = {f"{n:02d}.bin": rng.randbytes(rng.randrange(1, 60_000)) for n in range(40)}
    files |= {f"pictures/{n}.jpg": picture for n in range(3)} | {"other.png": encoded("PNG", side=96)}
    files |= {"long.bin": rng.randbytes(700_000), "known.bin": KNOWN, "empty": b"", "late.jpg": picture}
    files |= {"box.zip": zipped({"in/known.bin": KNOWN, "in/again.jpg": picture})}
    files |= {"part.bin": rng.randbytes(6 * BLOCK) + listed + rng.randbytes(99)}
    image = make_ext(folder / "e.img", files, size="8M")
    sets = [known_set(md5=hashlib.md5(KNOWN).digest()), known_set(name="LIKE", pdq=_pdq(picture))]
    return image, make_set(folder, listed), sets, files


def _pdq(picture: bytes) -> bytes:
    from safelight.triage.decoding import hash_picture

    return bytes.fromhex(hash_picture(picture, "JPEG", max_pixels=1 << 20)["pdq"])


@pytest.fixture
def settings(device: tuple[Path, Path, list[HashSet], dict[str, bytes]]) -> TriageSettings:
    return TriageSettings(block_set=str(device[1]), picture_workers=1, chunk_bytes=SMALL * 2)


@pytest.fixture
def small(settings: TriageSettings) -> Iterator[Bench]:
    with Bench(settings) as bench:
        yield bench


def seen_once(records: list[FileRecord], files: dict[str, bytes]) -> None:
    """Every file is there once, with its own digest."""
    paths = Counter(r.entry.path for r in records)
    assert set(files) <= set(paths) and max(paths.values()) == 1
    for record in records:
        body = files.get(record.entry.path)
        if body:
            assert record.complete and record.md5 == hashlib.md5(body).hexdigest()
            assert record.sha1 == hashlib.sha1(body).hexdigest() and record.sha256 == hashlib.sha256(body).hexdigest()


def test_findings_do_not_depend_on_chunks_order_or_workers(
    device: tuple[Path, Path, list[HashSet], dict[str, bytes]], settings: TriageSettings, small: Bench, tmp_path: Path
) -> None:
    """Two laboratories, or one and its faster bench, could not show that they found the same."""
    image, _, sets, files = device
    body = image.read_bytes()
    results: list[TriageResult] = []
    with Bench(replace(settings, chunk_bytes=1 << 30)) as bench:
        records: list[FileRecord] = []
        results.append(
            triage_device([image], hash_sets=sets, operator="One", bench=bench, on_file=records.append)
        )  # fmt: skip
        seen_once(records, files)
    records = []
    manifest = tmp_path / "manifest.parquet"
    results.append(
        triage_device([image], hash_sets=sets, operator="Two", bench=small, on_file=records.append, manifest=manifest)
    )
    seen_once(records, files)
    folder = RunFolder(tmp_path / "run")
    plan = plan_device([image], folder, hash_sets=sets, operator="Three", bench=small)
    assert len([c for c in plan.chunks if c.kind == "media"]) > 10
    order = list(plan.chunks)
    random.Random(3).shuffle(order)
    with Bench(settings) as second:
        for number, chunk in enumerate([*order, order[0]]):
            run_chunk([image], folder, chunk.index, hash_sets=sets, bench=(small, second)[number % 2])
    assert folder.missing(plan) == []
    records = []
    results.append(merge(plan, folder, hash_sets=sets, on_file=records.append))
    seen_once(records, files)
    first = results[0]
    assert {f.kind for f in first.findings} == {"exact", "block", "perceptual"}
    assert sorted(f.path for f in first.findings if f.kind == "exact") == ["box.zip/in/known.bin", "known.bin"]
    assert any("90 blocks" in " ".join(f.notes) for f in first.findings if f.kind == "block")
    for result in results[1:]:
        assert result.findings_digest == first.findings_digest and result.findings == first.findings
        assert result.counts == first.counts and result.unread == first.unread and result.state == "complete"
        assert result.evidence.media_sha256 == first.evidence.media_sha256 == hashlib.sha256(body).hexdigest()
    table = pq.read_table(manifest)
    assert table.num_rows == first.counts.files + first.counts.names_only
    assert sum(table.column("duplicate").to_pylist()) == first.counts.duplicates == 5
    assert {"path", "size", "written", "allocated", "extent_offsets", "md5", "sha256", "type"} <= set(
        table.column_names
    )


def test_a_stopped_run_goes_on_and_reads_nothing_twice(
    device: tuple[Path, Path, list[HashSet], dict[str, bytes]], settings: TriageSettings, tmp_path: Path
) -> None:
    """A night's work would be lost with the power, or files be counted twice afterwards."""
    image, _, sets, files = device
    run = tmp_path / "run"
    stops = [2, 5, 9]
    decoded: list[str] = []
    result = None
    for most in [*stops, 999]:
        with Bench(settings) as bench:
            submit = bench.pictures.submit

            def counted(body: bytes, kind: str, submit: Callable[[bytes, str], object] = submit) -> object:
                decoded.append(hashlib.md5(body).hexdigest())
                return submit(body, kind)

            bench.pictures.submit = counted  # type: ignore[method-assign,assignment]
            before = {p: p.stat().st_mtime_ns for p in run.glob("c*.json") if '"complete":true' in p.read_text()}
            records: list[FileRecord] = []
            result = triage_device(
                [image], hash_sets=sets, operator="Demo", bench=bench, run_folder=run, on_file=records.append,
                should_stop=lambda most=most: len(list(run.glob("chunk-*.json"))) >= most,
            )  # fmt: skip
            if most < 999:
                assert result.state == "stopped" and result.exit_code == 3
                assert any("stopped before this was read" in u.reason for u in result.unread)
                assert max(Counter(r.entry.path for r in records).values(), default=1) == 1
            assert all(p.stat().st_mtime_ns == when for p, when in before.items()), "a finished chunk is not redone"
    assert result is not None and result.state == "complete"
    seen_once(records, files)
    fresh = triage_device([image], hash_sets=sets, operator="Demo", settings=settings)
    assert result.findings_digest == fresh.findings_digest and result.counts == fresh.counts
    assert result.evidence.media_sha256 == fresh.evidence.media_sha256
    pictures = {hashlib.md5(b).hexdigest() for n, b in files.items() if n.endswith((".jpg", ".png"))}
    assert set(decoded) == pictures and len(decoded) <= len(pictures) + len(stops), "copies are decoded once"


_KILLED = """
import sys
from pathlib import Path
from tests.triage.test_chunks import SMALL
from safelight.triage import device_reader, plan
device_reader.WINDOW = plan.WINDOW = SMALL
from safelight.triage import TriageSettings, triage_device
from tests.triage.conftest import known_set
import hashlib
from tests.triage.test_chunks import KNOWN
triage_device([Path(sys.argv[1])], hash_sets=[known_set(md5=hashlib.md5(KNOWN).digest())], operator="Demo",
              settings=TriageSettings(picture_workers=1, chunk_bytes=SMALL), run_folder=Path(sys.argv[2]))
"""


def test_a_killed_run_is_taken_over(device: tuple[Path, Path, list[HashSet], dict[str, bytes]], tmp_path: Path) -> None:
    """A worker that is killed would take its device's findings with it."""
    image, _, sets, files = device
    run = tmp_path / "run"
    root = Path(__file__).resolve().parents[2]
    environment = {**os.environ, "PYTHONPATH": f"{root}{os.pathsep}{root / 'src'}"}
    process = subprocess.Popen([sys.executable, "-c", _KILLED, str(image), str(run)], env=environment)
    deadline = time.monotonic() + 60
    while len(list(run.glob("chunk-*.json"))) < 4 and time.monotonic() < deadline and process.poll() is None:
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {p: p.stat().st_mtime_ns for p in run.glob("chunk-*.json")}
    assert len(kept) >= 4
    settings = TriageSettings(picture_workers=1, chunk_bytes=SMALL)
    records: list[FileRecord] = []
    result = triage_device(
        [image], hash_sets=sets[:1], operator="Demo", settings=settings, run_folder=run, on_file=records.append
    )
    seen_once(records, files)
    assert result.state == "complete" and all(p.stat().st_mtime_ns == when for p, when in kept.items())
    fresh = triage_device([image], hash_sets=sets[:1], operator="Demo", settings=settings)
    assert result.findings_digest == fresh.findings_digest and result.counts == fresh.counts


def test_a_damaged_result_is_done_anew_and_another_run_is_refused(
    device: tuple[Path, Path, list[HashSet], dict[str, bytes]], small: Bench, tmp_path: Path
) -> None:
    """Half a result would pass for a whole one, or two runs be mixed in one report."""
    image, _, sets, _ = device
    folder = RunFolder(tmp_path / "run")
    plan = plan_device([image], folder, hash_sets=sets, operator="Demo", bench=small)
    again = plan_device([image], RunFolder(tmp_path / "other"), hash_sets=sets, operator="Else", bench=small)
    assert plan.digest == again.digest and plan.run_id != again.run_id
    assert DevicePlan.from_json(plan.to_json()) == plan
    for index in (0, 1):
        run_chunk([image], folder, index, hash_sets=sets, bench=small)
    records = folder.records(1)
    records.write_bytes(records.read_bytes()[:-20])
    assert [c.index for c in folder.missing(plan)][:2] == [1, 2]
    half = merge(plan, folder, hash_sets=sets)
    assert half.state == "stopped" and half.bytes_not_read > 0
    with pytest.raises(EvidenceError, match="other hash sets"):
        run_chunk([image], folder, 2, hash_sets=sets[:1], bench=small)
    with pytest.raises(EvidenceError, match="no chunk 99999"):
        run_chunk([image], folder, 99999, hash_sets=sets, bench=small)
    changed = tmp_path / "e.img"
    changed.write_bytes(image.read_bytes() + bytes(4096))
    with pytest.raises(EvidenceError, match="not the device"):
        run_chunk([changed], folder, 2, hash_sets=sets, bench=small)
    with Bench(replace(small.settings, threshold=20)) as bench, pytest.raises(EvidenceError, match="other settings"):
        run_chunk([image], folder, 2, hash_sets=sets, bench=bench)
    with pytest.raises(EvidenceError, match="no plan"):
        run_chunk([image], RunFolder(tmp_path / "none"), 0, hash_sets=sets, bench=small)
    with pytest.raises(MatchingError):
        plan_device(
            [image], RunFolder(tmp_path / "x"), hash_sets=[sets[0], known_set(md5=bytes(16))], operator="D", bench=small
        )
    run_chunk([image], folder, 1, hash_sets=sets, bench=small)
    assert 1 not in {c.index for c in folder.missing(plan)}
    assert write_manifest(plan, folder, tmp_path / "m.parquet").exists()
    folder.remove()
    assert not folder.path.exists()


def test_nothing_is_written_into_the_evidence(tmp_path: Path) -> None:
    """A run would change what it examines."""
    (tmp_path / "a.txt").write_bytes(b"x")
    with pytest.raises(EvidenceError, match="in the evidence"):
        triage_device([tmp_path], hash_sets=[], operator="Demo", run_folder=tmp_path / "run")
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]
