"""The picture workers: a crash, a hang or too little memory costs one picture and is said."""

from __future__ import annotations

import os
import signal

import pytest
from tests.triage.test_decoding import lying_png
from tests.triage.test_filetypes import encoded

from safelight.triage import TriageSettings
from safelight.triage.pictures import PicturePool, _checked


@pytest.fixture(scope="module")
def pool():
    shared = PicturePool(TriageSettings(picture_workers=1))
    yield shared
    shared.close()


def test_hash_then_kill_then_hash(pool: PicturePool) -> None:
    """One bad picture would end the run, or a dead worker would stay dead."""
    body = encoded("PNG")
    first = pool.submit(body, "PNG").result()
    assert first.pdq and first.quality and first.mode == "full size"
    process = pool._children[0]._process
    assert process is not None
    os.kill(pool._children[0].worker, signal.SIGKILL)
    process.wait()
    lost = pool.submit(body, "PNG").result()
    assert "crashed" in lost.problem and "signal 9" in lost.problem
    assert pool.submit(body, "PNG").result() == first


def test_a_frozen_worker_is_stopped_in_time(pool: PicturePool) -> None:
    """A picture made to take for ever would hold up a whole device."""
    pool.submit(encoded("PNG"), "PNG").result()
    pool._settings = TriageSettings(picture_workers=1, picture_seconds=0.5)
    os.kill(pool._children[0].worker, signal.SIGSTOP)
    assert "was stopped" in pool.submit(encoded("PNG"), "PNG").result().problem
    pool._settings = TriageSettings(picture_workers=1)
    assert pool.submit(encoded("PNG"), "PNG").result().pdq


def test_a_picture_that_lies_about_its_size_is_a_reason_not_a_crash(pool: PicturePool) -> None:
    """The worker would be lost for each such picture."""
    assert "claims 60,000 x 60,000 pixels" in pool.submit(lying_png(60_000, 60_000), "PNG").result().problem


def test_memory_is_bounded() -> None:
    """A hostile picture could take the workstation's memory."""
    small = PicturePool(TriageSettings(picture_workers=1, picture_memory=1_400 << 20, max_pixels=10**10))
    try:
        problem = small.submit(lying_png(60_000, 30_000), "PNG").result().problem
        assert "memory" in problem or "crashed" in problem or "cannot be decoded" in problem
        assert small.submit(encoded("PNG"), "PNG").result().pdq
    finally:
        small.close()


@pytest.mark.parametrize(
    "answer",
    [{}, {"pdq": "zz", "quality": 3}, {"pdq": "0" * 64}, {"pdq": "0" * 64, "quality": "high"},
     {"width": -1, "problem": "x"}, {"pdq": ["0"] * 64, "quality": 1}],
)  # fmt: skip
def test_answers_that_make_no_sense_are_not_believed(answer: dict) -> None:
    """A worker that was taken over could put words into the record."""
    assert "makes no sense" in _checked(answer).problem
