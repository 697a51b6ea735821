from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "clock.started": "started the clock",
        "clock.stopped": "stopped the clock",
        "clock.not_applicable": "marked the clock not applicable",
        "clock.breached": "found the clock past its time",
        "clock.held": "placed a hold on the clock",
        "clock.hold_lifted": "lifted the hold on the clock",
        "clock.due_earlier": "brought forward the due time of the clock",
        "clock.resumed": "let the clock run on",
        "clock.paused": "recorded a pause of the clock",
        "clock.duration_changed": "gave a new duration to the clock",
        "clock.pause_ended": "recorded the end of a pause of the clock",
        "clock.rebased": "started the clock afresh",
        "time.jumped": "found that the machine's time had jumped",
        "clock.owner_changed": "changed the owner of the clock",
    }
)
