"""Progress that a person can plan by."""

from __future__ import annotations

from safelight.triage.progress import Meter, Progress


def test_rate_time_left_and_no_flood() -> None:
    """The time left would be wrong, or the page would be updated thousands of times a second."""
    now = [0.0]
    seen: list[Progress] = []
    meter = Meter(seen.append, per_second=5, clock=lambda: now[0])
    meter.update("reading", bytes_total=1000)
    for step in range(1, 101):
        now[0] = step / 100
        meter.update("reading", bytes_done=step * 5, bytes_total=1000, files_done=step)
    assert 4 <= len(seen) <= 7
    assert abs(seen[-1].rate - 500) < 1 and abs(seen[-1].seconds_left - 1.0) < 0.3
    meter.update("done")
    assert seen[-1].stage == "done"
