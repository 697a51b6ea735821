"""Whatever once broke a parser stays mended: every file of every corpus is read again, without the fuzzer."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fuzz.targets import TARGETS

CORPUS = Path(__file__).resolve().parents[2] / "fuzz/corpus"
FILES = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """A parser that never ends is a finding too."""

    def over(*_: object) -> None:
        raise TimeoutError("one input took more than 20 s")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(20)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def test_every_target_has_a_corpus_and_every_corpus_a_target() -> None:
    assert {path.parent.name for path in FILES} == set(TARGETS)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name[:30]}")
def test_no_parser_of_ours_breaks_over_this_input(path: Path) -> None:
    chosen = TARGETS[path.parent.name]
    data = path.read_bytes()
    assert len(data) <= chosen.most, "the fuzzer would cut it"
    try:
        chosen.run(data)
    except chosen.allowed:
        return
