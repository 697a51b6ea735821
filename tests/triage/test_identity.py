"""The digest of the whole media, by one thread and by several."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

import pytest

from safelight.triage import identity
from safelight.triage.evidence import open_evidence
from safelight.triage.identity import identify
from safelight.triage.sweep import Sweep

NAMES = ["sha256", "md5", "sha1"]


def test_threads_do_not_change_what_an_image_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs of one image would disagree about which image it is; a damaged chunk would be read but not listed."""
    monkeypatch.setattr(identity, "_STEP", 1 << 20)
    raw = tmp_path / "m.raw"
    raw.write_bytes(os.urandom(5_000_192) + bytes(3 << 20))
    words = ["ewfacquire", "-u", "-q", "-c", "deflate:fast", "-t", str(tmp_path / "m"), str(raw)]
    subprocess.run(words, check=True, capture_output=True)
    body = bytearray((tmp_path / "m.E01").read_bytes())
    body[2_000_000] ^= 1
    (tmp_path / "d.E01").write_bytes(body)
    for name in ("m.raw", "m.E01", "d.E01"):
        missing, answers = [], []
        for threads in (1, 2, 5):
            ticks: list[int] = []
            with open_evidence([tmp_path / name]) as evidence:
                answers.append(identify(evidence, NAMES, threads=threads, tick=ticks.append))
                missing.append(list(evidence.missing))
                assert sum(ticks) == evidence.size
            with open_evidence([tmp_path / name]) as evidence:
                sweep = Sweep(evidence, image=NAMES, window=2 << 20, threads=threads)
                for at in range(0, evidence.size, 2 << 20):
                    list(sweep.window(at, min(at + (2 << 20), evidence.size), [], keep=0))
                answers.append(sweep.digests() or {})
                missing.append(list(evidence.missing))
                sweep.close()
        assert all(a == answers[0] for a in answers) and all(m == missing[0] for m in missing)
        whole = answers[0]["md5"] == hashlib.md5(raw.read_bytes()).hexdigest()
        assert whole is (name != "d.E01") and bool(missing[0]) is (name == "d.E01")
