"""If these fail, the command line starts slowly, or a documented name cannot be imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

import safelight.matching


@pytest.mark.parametrize("name", safelight.matching.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(safelight.matching, name) is not None
    assert name in dir(safelight.matching)


def test_importing_loads_no_heavy_library() -> None:
    code = (
        "import sys, safelight.matching as m; m.Matcher, m.HashSet, m.read_hash_set, m.write_vics_submission;"
        "sys.exit(', '.join(sorted({'numpy', 'numba', 'ijson'} & set(sys.modules))) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": "src"}, capture_output=True, text=True)
    assert (done.returncode, done.stderr.strip()) == (0, "")


def test_an_unknown_name_is_an_ordinary_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'absent'"):
        safelight.matching.absent  # noqa: B018
