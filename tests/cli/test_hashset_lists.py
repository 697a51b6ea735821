"""`safelight hashset diff`, `key`, `sign` and `fetch`, and `safelight match`, as a person types them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from safelight.cli import hashset, match
from safelight.errors import SafelightError
from safelight.matching import pdq
from safelight.matching.pdq import PdqHash


@pytest.fixture
def run() -> Any:
    app = typer.Typer()
    app.callback()(lambda: None)
    hashset.register(app)
    match.register(app)

    def call(*arguments: object, fails: bool = False) -> str:
        done = CliRunner().invoke(app, [str(argument) for argument in arguments])
        if fails:
            assert isinstance(done.exception, SafelightError), done.output
            return str(done.exception)
        assert done.exit_code in (0, 3), (done.output, done.exception)
        return done.output

    return call


def listed(path: Path, *rows: str) -> Path:
    path.write_text("md5,pdq,category\n" + "\n".join(rows) + "\n")
    return path


def row(number: int, category: str = "A") -> str:
    return f"{number:032x},,{category}"


def test_diff_says_what_changed_and_where_lists_disagree(run: Any, tmp_path: Path) -> None:
    """Whoever takes a new version in must see what it drops before it is in use."""
    old, new = (
        listed(tmp_path / "old.csv", row(1), row(2), row(3)),
        listed(tmp_path / "new.csv", row(2), row(3, "B"), row(4)),
    )
    said = run("hashset", "diff", old, new)
    assert "Added 1, removed 1, recategorised 1, in both 2." in said
    assert f"Recategorised: {3:032x} from A to B" in said
    assert f"MD5 {3:032x}: old says A, new says B" in said and "Contradictions: 1." in said


def test_signed_lists_from_key_to_fetch(run: Any, tmp_path: Path) -> None:
    """Two of three holders sign, a force fetches; what was changed on the way is refused and the good list stays."""
    for n in (1, 2, 3):
        assert "not sealed" in run("hashset", "key", tmp_path / f"holder{n}")
    place, store = tmp_path / "out", tmp_path / "in"
    holders = [part for n in (1, 2, 3) for part in ("--holder", tmp_path / f"holder{n}.pub")]
    said = run(
        "hashset", "sign", place, *holders, "--threshold", 2, "--add", listed(tmp_path / "a.csv", row(1)),
        "--name", "National", "--version", "7", "--key", tmp_path / "holder1",
    )  # fmt: skip
    assert "1 of 2 signatures" in said and not (place / "metadata").exists()
    said = run("hashset", "sign", place, "--key", tmp_path / "holder3")
    assert "Published with 2 signatures" in said
    fingerprint = said.split("telephone: ")[1].strip()
    fetched = run("hashset", "fetch", place, "--store", store, "--root", place / "metadata" / "1.root.json")
    assert fingerprint in fetched and "National, version 7 (known, new)" in fetched
    assert "(known):" in run("hashset", "fetch", place, "--store", store)
    changed = next((place / "targets").iterdir())
    changed.write_text(changed.read_text().replace("01,,A", "02,,A"))
    (store / "targets" / changed.name).unlink()
    refused = run("hashset", "fetch", place, "--store", store, fails=True)
    assert "not the one that was signed" in refused and "stay in use" in refused
    assert "--version" in run("hashset", "sign", place, "--add", tmp_path / "a.csv", fails=True)
    assert "Nothing to do" in run("hashset", "sign", place, fails=True)


def test_match_of_hashes_and_files(run: Any, tmp_path: Path) -> None:
    """One question, one answer: which entry, how near, and what could not be compared."""
    rng = np.random.default_rng(5)
    picture = tmp_path / "synthetic.png"
    Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).resize((320, 240), 3).save(picture)
    code = pdq.pdq(np.asarray(Image.open(picture).convert("RGB")))
    assert isinstance(code, PdqHash) and code.usable
    near = (int(code.hex, 16) ^ 0b111).to_bytes(32).hex()
    known = listed(tmp_path / "known.csv", row(1), f"{'':0<32},{near},B", f"{hashlib.md5(b'text').hexdigest()},,C")
    (tmp_path / "file.txt").write_bytes(b"text")
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff" + b"broken" * 9)
    said = run(
        "match", picture, tmp_path / "file.txt", tmp_path / "broken.jpg", f"{1:032x}", "f" * 40, "--hash-set", known
    )
    assert "category B: PDQ differs in 3 of 256 bits" in said and "category C: MD5 is equal" in said
    assert "category A: MD5 is equal" in said and f"{'f' * 40}: no match in these lists" in said
    assert "Likeness not compared: it cannot be decoded" in said
    (line,) = run("match", near, "--hash-set", known, "--json").splitlines()
    assert [(m["algorithm"], m["distance"]) for m in json.loads(line)["matches"]] == [("pdq", 0)]
    mirrored = tmp_path / "mirrored.png"
    Image.open(picture).transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(mirrored)
    assert "no match" in run("match", mirrored, "--hash-set", known)
    assert "bits when flip" in run("match", mirrored, "--hash-set", known, "--turned", "--trimmed")
    assert "neither a file nor a hash" in run("match", "nonsense", "--hash-set", known, fails=True)
