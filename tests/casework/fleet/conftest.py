from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.casework.bench import Bench, make_bench


@pytest.fixture
def bench(db: Any, settings: Any, tmp_path: Path) -> Bench:
    return make_bench(settings, tmp_path)
