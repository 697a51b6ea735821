"""No path from a form or a file leads out of the evidence folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from safelight.errors import EvidenceError
from safelight.triage import resolve_inside


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "a.dd").write_bytes(b"x")
    (tmp_path / "evidence-2").mkdir()
    (tmp_path / "evidence-2" / "b.dd").write_bytes(b"x")
    (tmp_path / "secret").write_bytes(b"x")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "good").symlink_to(folder / "sub" / "a.dd")
    (folder / "self").symlink_to(folder / "self")
    return folder


def test_paths_inside_are_given(root: Path) -> None:
    """An image in the evidence folder could not be registered."""
    want = (root / "sub" / "a.dd").resolve()
    for path in ("sub/a.dd", "./sub/../sub/a.dd", str(root / "sub/a.dd"), "good"):
        assert resolve_inside(root, path) == want


@pytest.mark.parametrize(
    "path",
    ["../secret", "sub/../../secret", "/etc/passwd", "link", "../evidence-2/b.dd", "", "  ", "a\0b", "none.dd", "self",
     "x" * 5000, "../none"],
)  # fmt: skip
def test_paths_outside_are_refused_in_words(root: Path, path: str) -> None:
    """Any file of the server could be triaged, and its name and digests read."""
    with pytest.raises(EvidenceError) as caught:
        resolve_inside(root, path)
    assert caught.value.fix


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # The folder is only looked at.
@given(st.text(alphabet="./ab\\\0~$", max_size=20))
def test_whatever_is_typed_stays_inside(root: Path, path: str) -> None:
    """Some spelling would slip out."""
    try:
        found = resolve_inside(root, path)
    except EvidenceError:
        return
    assert found == root.resolve() or found.is_relative_to(root.resolve())
