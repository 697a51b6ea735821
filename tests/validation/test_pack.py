"""A unit would put its name under error rates that nobody measured, or that another laboratory cannot get again."""

from __future__ import annotations

import contextlib
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from validation.__main__ import make, results_digest

from validation import page, trials


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A tiny pack from a real run: three volumes, fls, hashdeep, pictures."""
    out = tmp_path_factory.mktemp("pack")
    patch = pytest.MonkeyPatch()
    patch.setitem(trials.SIZES, "tiny", trials.Size("tiny", 22, 4, 400, 300))
    pack = make("tiny", out)
    patch.undo()
    return out, pack


def rows(pack: dict[str, Any], name: str) -> dict[str, dict[str, Any]]:
    (trial,) = (trial for trial in pack["trials"] if trial["name"] == name)
    return {row["what"]: row for row in trial["measures"]}


def inflated(paper: bytes) -> Iterator[bytes]:
    """The compressed streams of a PDF."""
    for body in re.findall(rb"stream\r?\n(.*?)endstream", paper, re.DOTALL):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj().decompress(body)


def test_what_is_exact_is_exact(made: tuple[Path, dict[str, Any]]) -> None:
    _, pack = made
    for name in ("Listing of files", "Digests", "Look-up in a list", "Look-up in a long list"):
        for row in rows(pack, name).values():
            assert row["n"] > 0 and row["k"] == (0 if row["error"] else row["n"]), row
    recovered = rows(pack, "Deleted files")
    for kind in ("fat32", "ntfs"):
        row = recovered[f"{kind}: deleted files recovered whole"]
        assert row["k"] == row["n"] > 0
    assert recovered["ext4: deleted files recovered whole"]["k"] == 0
    row = rows(pack, "Carving")["erased pictures found whole"]
    assert row["k"] == row["n"] == 2


def test_each_rate_has_its_exact_interval(made: tuple[Path, dict[str, Any]]) -> None:
    from scipy.stats import beta

    for trial in made[1]["trials"]:
        for row in trial["measures"]:
            k, n = row["k"], row["n"]
            if n:
                low = beta.ppf(0.025, k, n - k + 1) if k else 0.0
                high = beta.ppf(0.975, k + 1, n - k) if k < n else 1.0
                assert (row["low"], row["high"]) == (pytest.approx(low, abs=1e-5), pytest.approx(high, abs=1e-5))


def test_the_first_answer_keeps_its_stated_probability(made: tuple[Path, dict[str, Any]]) -> None:
    (row,) = rows(made[1], "Probability of a first answer").values()
    assert row["low"] <= float(row["note"].removeprefix("stated: ")) <= row["high"]


def test_another_laboratory_compares_one_digest(made: tuple[Path, dict[str, Any]]) -> None:
    """It hangs on counts and material alone: not on the day, the machine or the commit."""
    out, pack = made
    read = json.loads((out / "pack.json").read_text(encoding="utf-8"))
    assert results_digest(read["trials"]) == read["results_sha256"] == pack["results_sha256"]
    read["trials"][0]["measures"][0]["k"] -= 1
    assert results_digest(read["trials"]) != pack["results_sha256"]


def test_the_pack_names_tool_libraries_system_limits_and_competence(made: tuple[Path, dict[str, Any]]) -> None:
    out, pack = made
    text = (out / "pack.html").read_text(encoding="utf-8")
    about = pack["environment"]
    for word in (about["safelight"], about["python"], about["libraries"]["pytsk3"], "hashdeep", "Limits", "Competence"):
        assert word in text
    assert all(limit[:40] in text for limit in page.LIMITS)
    assert "<script" not in text
    paper = (out / "pack.pdf").read_bytes()
    text_of = paper + b"".join(inflated(paper))
    assert paper.startswith(b"%PDF-") and b"/StructTreeRoot" in text_of and b"pdfuaid:part" in text_of


def test_what_was_not_tried_is_not_called_right() -> None:
    row = trials.Measure("nothing", 0, 0).row()
    assert "share" not in row and "Not tried" in row["note"]
    assert page._interval(row) == "not tried"
