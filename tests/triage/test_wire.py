"""Frames between processes: whole, in time, and nothing believed that is not a frame."""

from __future__ import annotations

import json
import os
import signal
import struct

import pytest

from safelight.triage.wire import Child, ChildLost


@pytest.fixture
def child():
    one = Child("safelight.triage.reader", str(2 << 30))
    yield one
    one.stop()


def test_question_and_answer(child: Child) -> None:
    """Nothing could be read at all."""
    child.send({"do": "list", "filesystem": 0})
    answer, payload = child.receive(150) or ({}, b"")
    assert "No image is open" in answer["error"] and payload == b""
    assert child.receive(0.05) is None


def test_a_child_that_ends_is_told_apart_from_one_that_hangs(child: Child) -> None:
    """A crash would look like a wait."""
    child.send({"do": "list"})
    assert child.receive(150)
    os.kill(child.worker, signal.SIGKILL)
    with pytest.raises(ChildLost) as caught:
        while child.receive(5):
            pass
    assert not caught.value.hung and "signal 9" in caught.value.what
    assert child.hang().hung


@pytest.mark.parametrize(
    "junk", [b"\xff" * 64, struct.pack(">II", 3, 0) + b"abc", struct.pack(">II", 2, 0) + json.dumps(5).encode() + b" "]
)
def test_what_is_no_frame_ends_the_child(child: Child, junk: bytes) -> None:
    """A child that was taken over could feed its parent anything."""
    child.start()
    child._buffer += junk
    with pytest.raises(ChildLost):
        child.receive(1)
    assert not child.running


def test_the_child_sees_none_of_our_secrets(child: Child, monkeypatch: pytest.MonkeyPatch) -> None:
    """A parser that was taken over could read keys from its environment."""
    monkeypatch.setenv("SAFELIGHT_SECRET_KEY", "secret")
    child.start()
    assert child._process is not None
    for pid in {child._process.pid, child.worker}:
        with open(f"/proc/{pid}/environ", "rb") as stream:
            assert b"SECRET" not in stream.read()


def test_import_is_light() -> None:
    """The command line would take seconds to start."""
    import subprocess
    import sys

    code = (
        "import sys; sys.path.insert(0,'src'); import safelight.triage, safelight.cli.triage; "
        "print([m for m in ('numpy','numba','pytsk3','PIL','rich.progress','django') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"
