from __future__ import annotations

from safelight.casework.ledger.registry import register_verbs

register_verbs(
    {
        "device.viewed": "looked at the device",
        "device.booked_in": "booked in the device",
        "device.moved": "recorded custody of the device",
        "device.decided": "decided on triage of the device",
        "device.image_registered": "registered an image of the device",
        "device.image_placed": "said which bench reaches an image of the device",
        "device.release_decided": "decided what becomes of the device",
        "device.released": "recorded the return, destruction or retention of the device",
        "device.release_withdrawn": "took back the decision about the device",
        "triage.queued": "asked for triage",
        "triage.started": "started the triage run",
        "triage.taken_over": "took over the triage run of a worker that had stopped",
        "triage.finished": "finished the triage run",
        "triage.failed": "could not read the image in the triage run",
        "triage.cancel_asked": "asked to stop the triage run",
        "triage.cancelled": "stopped the triage run",
        "triage.unread_accepted": "accounted for what the triage run did not read",
    }
)
