"""Fixtures of the matching tests: real pictures, and the site's category map."""

from __future__ import annotations

from pathlib import Path

import pytest

_EVIDENCE = Path(__file__).resolve().parents[2].parent / "shared" / "evidence"


@pytest.fixture(scope="session")
def bridge_pictures() -> list[Path]:
    """The bridge photograph and its modified copies (BSD, from the PDQ reference)."""
    pictures = sorted((_EVIDENCE / "pictures").glob("bridge-*.jpg"))
    if len(pictures) < 6:
        pytest.fail(
            f"The six bridge pictures are not in {_EVIDENCE / 'pictures'}. Put the folder 'shared' beside the "
            "project's root: these tests compare with real pictures and cannot pass without them."
        )
    return pictures


def category_of(context: str, number: int | None) -> str | None:
    """A site's map for the tests: it knows 1, 2 and 3 in the UK context and in CSV files, and nothing else."""
    if "/UK/" not in context and context != "csv":
        return None
    return {1: "A", 2: "B", 3: "C"}.get(number or 0)
