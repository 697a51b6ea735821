"""The engine is cheap to import and alone: no Django, and nothing heavy before something is computed."""

from __future__ import annotations

import subprocess
import sys

import safelight.measures

HEAVY = "'numpy', 'scipy', 'pandas', 'statsmodels', 'rich', 'django'"


def test_importing_the_measures_and_the_command_loads_nothing_heavy() -> None:
    """Lost: a command line that takes seconds to print its help."""
    code = f"import sys, safelight.measures, safelight.cli.audit; print([m for m in ({HEAVY}) if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_described() -> None:
    """Lost: a public function without its shapes and source."""
    for name in safelight.measures.__all__:
        assert getattr(safelight.measures, name).__doc__, name
