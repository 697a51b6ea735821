"""Looking at every 4 KiB block of the media for blocks of listed files."""

from __future__ import annotations


class BlockScan:
    """Placeholder of the interface that the pass uses."""

    def window(self, view: memoryview, at: int, fresh: int) -> None:
        """Look at the blocks of `view`, which begins at offset `at` of the media and is new from `fresh` on."""
