"""The demo devices, built once for all tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from safelight.demo.diskimages import DiskImage, build_disk_images


@pytest.fixture(scope="session")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("devices")


@pytest.fixture(scope="session")
def disk_images(demo_folder: Path) -> list[DiskImage]:
    return build_disk_images(demo_folder, e01=True)
