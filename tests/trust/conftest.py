"""The parts run with the values that a force must set itself, as the demo sets them, and tables may be emptied."""

from __future__ import annotations

from tests.casework.conftest import site_standards, tables_may_be_emptied_between_tests

__all__ = ["site_standards", "tables_may_be_emptied_between_tests"]
