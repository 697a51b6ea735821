"""How far a run is. The pipeline calls `on_progress` a few times a second with one of these."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

STAGES = ("opening", "listing", "reading", "matching", "identifying the image", "done")


@dataclass(frozen=True, slots=True)
class Progress:
    """A moment of the run.

    `rate` is bytes a second over the stage so far; `seconds_left` None where it cannot be told.
    """

    stage: str
    files_done: int = 0
    files_total: int = 0
    bytes_done: int = 0
    bytes_total: int = 0
    rate: float = 0.0
    seconds_left: float | None = None
    findings: int = 0


class Meter:
    """Turns counts into progress, at most `per_second` times a second.

    `clock` gives monotonic seconds; tests hand in their own.
    """

    def __init__(
        self,
        report: Callable[[Progress], None] | None,
        *,
        per_second: float = 5.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._report = report
        self._pause = 1.0 / per_second
        self._clock = clock
        self._stage = ""
        self._began = clock()
        self._last = float("-inf")

    def update(
        self,
        stage: str,
        *,
        files_done: int = 0,
        files_total: int = 0,
        bytes_done: int = 0,
        bytes_total: int = 0,
        findings: int = 0,
        force: bool = False,
    ) -> None:
        """Tell how far the stage is; a new stage is always reported."""
        now = self._clock()
        if stage != self._stage:
            self._stage, self._began, force = stage, now, True
        if self._report is None or not (force or now - self._last >= self._pause):
            return
        self._last = now
        elapsed = now - self._began
        rate = bytes_done / elapsed if elapsed > 0 else 0.0
        left = (bytes_total - bytes_done) / rate if rate > 0 and bytes_total >= bytes_done else None
        self._report(Progress(stage, files_done, files_total, bytes_done, bytes_total, rate, left, findings))
