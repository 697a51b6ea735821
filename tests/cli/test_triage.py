"""`safelight triage` as an examiner types it."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[2] / "src"
IMAGES = SRC.parents[1] / "shared" / "evidence" / "images"
_PROGRAM = """
import sys, typer
from safelight.cli.triage import register
from safelight.errors import SafelightError
app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False)
app.callback()(lambda: None)
register(app)
try:
    app()
except SafelightError as error:
    print(f"safelight: {error}", file=sys.stderr)
    sys.exit(2)
"""
PASSWORDS = "39cb0970"  # The beginning of the MD5 of passwords.txt on the public images.


@pytest.fixture(scope="module")
def images() -> Path:
    if not IMAGES.is_dir():
        pytest.fail(f"The public test evidence is not at {IMAGES}: these tests need it beside the project (../shared).")
    return IMAGES


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list that knows one made-up file."""
    path = tmp_path / "list.csv"
    path.write_text("md5,category\n" + hashlib.md5(b"synthetic").hexdigest() + ",A\n")
    return path


def run(*arguments: object, pdf: bool = False) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", _PROGRAM, "triage", *map(str, arguments), *(() if pdf else ("--no-pdf",))],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SRC)}, timeout=120,
    )  # fmt: skip


def test_one_image_with_its_parts(images: Path, listed: Path, tmp_path: Path) -> None:
    """The first thing a newcomer types would not work."""
    out = run(images / "ext2.split.E01", "--hash-set", listed, "--report", tmp_path / "out", "--operator", "Demo",
              pdf=True)  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert (tmp_path / "out" / "report.pdf").stat().st_size > 10_000
    assert (
        "No listed material among the 3 files" in out.stdout
        and "does not show that the device holds none" in out.stdout
    )
    record = json.loads((tmp_path / "out" / "report.json").read_text())
    assert record["operator"] == "Demo" and len(record["evidence"]["parts"]) == 2


def test_a_wildcard_over_a_set_is_one_device_and_a_bad_image_does_not_stop_the_others(
    images: Path, listed: Path, tmp_path: Path
) -> None:
    """One wrong file among twenty would cost the night's run."""
    out = run(
        images / "ext2.split.E01", images / "ext2.split.E02", images / "bogus.001", images / "iso9660.raw",
        "--hash-set", listed, "--report", tmp_path / "out", "--quiet",
    )  # fmt: skip
    assert out.returncode == 2
    assert "bogus.001 is not a forensic image" in out.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "001-ext2.split.E01", "003-iso9660.raw", "index.html",
    ]  # fmt: skip


def test_unread_parts_exit_with_3_and_are_named(listed: Path, tmp_path: Path) -> None:
    """A script would take an encrypted disk for a finished one."""
    image = tmp_path / "locked.dd"
    image.write_bytes(b"LUKS\xba\xbe\x00\x02" + random.Random(1).randbytes(2 << 20))
    out = run(image, "--hash-set", listed, "--report", tmp_path / "out")
    assert out.returncode == 3, out.stderr
    assert "LUKS encryption" in out.stdout and "2.1 MB" in out.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"image": "none.E01"}, "no file"),
        ({"set": "none.json"}, "not a file"),
        ({"threshold": "300"}, "threshold of 300"),
    ],
)
def test_bad_input_exits_with_2_and_one_line(
    images: Path, listed: Path, tmp_path: Path, change: dict[str, str], words: str
) -> None:
    """An examiner would see a trace."""
    image = tmp_path / change["image"] if "image" in change else images / "iso9660.raw"
    hashes = tmp_path / change["set"] if "set" in change else listed
    out = run(image, "--hash-set", hashes, "--report", tmp_path / "out", "--threshold", change.get("threshold", "31"))
    assert out.returncode == 2
    assert words in out.stderr and "Traceback" not in out.stderr


def test_a_finding_is_on_the_terminal(listed: Path, tmp_path: Path) -> None:
    """The answer would be only in a file."""
    folder = tmp_path / "export"
    folder.mkdir()
    (folder / "a.bin").write_bytes(b"synthetic")
    out = run(folder, "--hash-set", listed, "--report", tmp_path / "out")
    assert out.returncode == 0, out.stderr
    assert "Listed material found: 1" in out.stdout


def test_a_prepared_folder_is_taken_as_a_hash_set(images: Path, listed: Path, tmp_path: Path) -> None:
    """A national list would be read anew for every device, or a known-good one be taken for a known one."""
    from safelight.matching import read_hash_set

    read_hash_set(listed, store=tmp_path / "set", name="National")
    out = run(images / "iso9660.raw", "--hash-set", tmp_path / "set", "--report", tmp_path / "out")
    assert out.returncode in (0, 3), out.stderr
    record = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [s["name"] for s in record["hash_sets"]] == ["National"]
    wrong = run(
        images / "iso9660.raw", "--hash-set", listed, "--known-good", tmp_path / "set", "--report", tmp_path / "o"
    )
    assert wrong.returncode == 2 and "of kind known" in wrong.stderr


def test_an_unfinished_run_in_the_report_folder_goes_on(images: Path, listed: Path, tmp_path: Path) -> None:
    """Whoever pressed Ctrl-C, or lost the power, would have to begin again, or not know that he need not."""
    from safelight.matching import read_hash_set
    from safelight.standards import load_standards
    from safelight.triage import TriageSettings
    from safelight.triage.chunks import RunFolder, plan_device
    from safelight.triage.pipeline import Bench

    image, out = images / "ext2.split.E01", tmp_path / "out"
    known = read_hash_set(listed, kind="known", category_of=load_standards(None).vics_category).hash_set
    with Bench(TriageSettings()) as bench:
        plan_device([image], RunFolder(out / "run"), hash_sets=[known], operator="Demo", bench=bench)
    other = tmp_path / "other.csv"
    other.write_text("md5,category\n" + "0" * 31 + "1,A\n")
    refused = run(image, "--hash-set", other, "--report", out)
    assert refused.returncode == 2 and "other hash sets" in refused.stderr and "--fresh" in refused.stderr
    resumed = run(image, "--hash-set", listed, "--report", out)
    assert resumed.returncode == 0 and "going on with the run of" in resumed.stderr
    assert not (out / "run").exists() and (out / "manifest.parquet").exists()
    fresh = run(image, "--hash-set", other, "--report", out, "--fresh")
    assert fresh.returncode == 0 and "going on" not in fresh.stderr


def test_a_folder_of_images_is_triaged_with_one_command(images: Path, listed: Path, tmp_path: Path) -> None:
    """Somebody new to the tool would have to type twenty commands and open twenty reports."""
    folder = tmp_path / "seized"
    folder.mkdir()
    for name in ("ext2.split.E01", "ext2.split.E02", "iso9660.raw", "bogus.001"):
        (folder / name).symlink_to(images / name)
    (folder / "notes.txt").write_text("as seized")
    out = run(folder, "--hash-set", listed, "--report", tmp_path / "out", "--operator", "Demo")
    assert out.returncode == 2 and "3 devices, one after another" in out.stdout, out.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "002-ext2.split.E01", "003-iso9660.raw", "index.html",
    ]  # fmt: skip
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert page.index("bogus.001") < page.index("ext2.split.E01") and "003-iso9660.raw/report.html" in page
    (folder / "DCIM").mkdir()
    unclear = run(folder, "--hash-set", listed, "--report", tmp_path / "b")
    assert unclear.returncode == 2 and "--folder images or --folder device" in unclear.stderr
    taken = run(folder, "--folder", "device", "--hash-set", listed, "--report", tmp_path / "c", "--quiet")
    assert taken.returncode == 0 and (tmp_path / "c" / "report.html").exists(), taken.stderr


def test_progress_as_lines_of_json(images: Path, listed: Path, tmp_path: Path) -> None:
    """A bench's own screen could not show how far a run is."""
    out = run(images / "iso9660.raw", "--hash-set", listed, "--report", tmp_path / "o", "--progress", "json")
    lines = [json.loads(line) for line in out.stderr.splitlines()]
    assert out.returncode == 0 and lines[0]["stage"] == "opening" and lines[-1]["stage"] == "done"
    assert {"device", "files_done", "files_total", "bytes_done", "bytes_total", "rate", "seconds_left"} <= set(lines[0])
    assert {line["device"] for line in lines} == {"iso9660.raw"}


def test_a_first_answer_states_its_probability_and_what_it_does_not_see(listed: Path, tmp_path: Path) -> None:
    """A glance at a disk would be taken for its examination."""
    rng = random.Random(2)
    lawful = tmp_path / "lawful.bin"
    lawful.write_bytes(rng.randbytes(400_000))
    made = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "block-set", str(lawful), "--out", str(tmp_path / "b.set"), "--name", "SYN"],
        capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(SRC)}, timeout=60,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    image = tmp_path / "disk.img"
    files = tmp_path / "files"
    files.mkdir()
    (files / "own.bin").write_bytes(rng.randbytes(2_000_000))
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-d", str(files), str(image), "16M"], check=True)
    out = run(
        image, "--hash-set", listed, "--block-set", tmp_path / "b.set", "--report", tmp_path / "out", "--minutes", "1",
        "--at-least", "0.4", "--seed", "5",
    )  # fmt: skip
    assert out.returncode == 0, out.stderr
    assert "Every place of the " in out.stdout and "does not show that the device" in out.stdout
    record = json.loads((tmp_path / "out" / "report.json").read_text())
    assert record["first"]["settings"]["seed"] == 5 and record["first"]["ended"] == "every place was looked at"
    assert any("It cannot see material that no list has" in text for text in record["limits"])
    wrong = run(image, "--hash-set", listed, "--report", tmp_path / "x", "--first-answer", "--probability", "1.5")
    assert wrong.returncode == 2 and "probability of 1.5" in wrong.stderr
