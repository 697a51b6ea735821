"""The manifest as DFXML, held against what fiwalk writes of the same image."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from defusedxml.ElementTree import parse
from tests.triage.conftest import make_ext

from safelight.triage import TriageSettings, triage_device
from safelight.triage.pipeline import Bench

_RUN = ("file_offset", "fs_offset", "img_offset", "len")
_FIELDS = ("filesize", "inode", "mtime", "ctime", "atime", "meta_type", "name_type", "alloc", "unalloc")


def files(path: Path) -> dict[str, dict[str, Any]]:
    """Regular files with content, by name, in the words of DFXML; whatever name space."""
    found: dict[str, dict[str, Any]] = {}
    for element in parse(path).iter():
        if element.tag.rsplit("}")[-1] != "fileobject":
            continue
        row: dict[str, Any] = {"runs": []}
        for child in element.iter():
            tag = child.tag.rsplit("}")[-1]
            if tag in _FIELDS or tag == "filename":
                row[tag] = child.text
            elif tag == "hashdigest":
                row[child.attrib["type"].lower()] = child.text
            elif tag == "byte_run" and "img_offset" in child.attrib:
                row["runs"].append(
                    tuple(int(child.attrib[k]) for k in ("file_offset", "fs_offset", "img_offset", "len"))
                )
        if row.get("meta_type") == "1" and int(row["filesize"]):
            found[row.pop("filename")] = row
    return found


def test_the_same_as_fiwalk_says(bench: Bench, tmp_path: Path) -> None:
    """Another laboratory's tools could not take up where this one ended."""
    odd = 'a & <b> "c".txt'
    bodies = {f"{n}/{n}.bin": os.urandom(3000 * n + 1) for n in range(8)} | {odd: b"x" * 5000, "empty": b""}
    image = make_ext(tmp_path / "e.img", bodies, size="8M")
    subprocess.run(["debugfs", "-w", "-R", "ln /3/3.bin /second", str(image)], check=True, capture_output=True)
    subprocess.run(["debugfs", "-w", "-R", "sif /0/0.bin mtime 20200102030405", str(image)], check=True,
                   capture_output=True)  # fmt: skip
    out = tmp_path / "out"
    out.mkdir()
    result = triage_device([image], hash_sets=[], operator="Demo", bench=bench, manifest=out / "manifest.parquet")
    ours = files(out / "manifest.dfxml")
    theirs_at = tmp_path / "fiwalk.xml"
    subprocess.run(["fiwalk", "-X", str(theirs_at), str(image)], check=True, capture_output=True)
    theirs = files(theirs_at)
    live = {name: row for name, row in ours.items() if row.get("alloc") == "1"}
    assert {n.replace("second", "3/3.bin") for n in live} >= {name for name, body in bodies.items() if body}
    for name, row in live.items():
        body = bodies[name.replace("second", "3/3.bin")]
        other = dict(theirs[name])
        other.pop("unalloc", None)
        assert row.pop("sha256") == hashlib.sha256(body).hexdigest()
        merged = {**row, "runs": _joined(row["runs"])}
        assert merged == {k: _joined(v) if k == "runs" else v for k, v in other.items()}, name
    table = pq.read_table(out / "manifest.parquet")
    assert table.num_rows == result.counts.files + result.counts.names_only
    text = (out / "manifest.dfxml").read_text()
    assert text.count("<fileobject>") == table.num_rows and any(
        f"<sl:name>{n}</sl:name>" in text for n in ("second", "3/3.bin")
    )


def _joined(runs: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    """Runs that touch as one: fiwalk gives them as the file system keeps them."""
    whole: list[tuple[int, int, int, int]] = []
    for inside, fs, img, size in sorted(runs):
        if whole and whole[-1][2] + whole[-1][3] == img:
            whole[-1] = (*whole[-1][:3], whole[-1][3] + size)
        else:
            whole.append((inside, fs, img, size))
    return whole


def test_a_folder_and_names_that_xml_cannot_hold(tmp_path: Path) -> None:
    """One odd name would make the whole manifest unreadable."""
    place = tmp_path / "files"
    place.mkdir()
    (place / "bell\x07\x1b.txt").write_bytes(b"one")
    (place / "ok.txt").write_bytes(b"two")
    manifest = tmp_path / "m.parquet"
    triage_device([place], hash_sets=[], operator="Demo", settings=TriageSettings(picture_workers=1), manifest=manifest)
    assert len(files(manifest.with_suffix(".dfxml"))) == 2
