"""Where the real evidence images are that none of us made."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "SAFELIGHT_SHARED_EVIDENCE"
_HERE = Path(__file__).resolve()


def shared_evidence(*parts: str) -> Path:
    """A file or folder of the shared evidence, e.g. ``shared_evidence("images", "ext2.E01")``.

    It is looked for in the folder that SAFELIGHT_SHARED_EVIDENCE names, else in ``shared/evidence`` beside the project
    or beside any folder above it.

    Raises:
        AssertionError: it is not there. A test that needs it fails; it is never skipped.
    """
    named = os.environ.get(VARIABLE)
    if named:
        roots = [Path(named)]
    else:
        roots = [parent / "shared" / "evidence" for parent in _HERE.parents]
    root = next((candidate for candidate in roots if candidate.is_dir()), None)
    assert root is not None, (
        f"The shared evidence is not here: looked for {', '.join(map(str, roots))}. "
        f"Put the folder shared/evidence beside the project, or set {VARIABLE} to where it is."
    )
    path = root.joinpath(*parts)
    assert path.exists(), f"The shared evidence in {root} has no {'/'.join(parts)}."
    return path
