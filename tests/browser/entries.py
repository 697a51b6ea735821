"""Which ledger entries the story must have left."""

from __future__ import annotations

STEPS = {
    "desk": (
        "referral.recorded", "referral.received_again", "referral.imported", "referral.quarantined",
        "referral.quarantine_resolved", "safeguarding.check_answered", "safeguarding.child_added", "case.opened",
    ),
    "supervisor": (
        "clock.held", "safeguarding.referral_sent", "allocation.made", "safeguarding.acknowledged",
        "safeguarding.decided", "review.recorded", "triage.unread_accepted", "case.closed",
    ),
    "investigator": ("case.noted", "device.booked_in"),
    "examiner": (
        "device.image_registered", "triage.queued", "submission.graded", "submission.written",
        "submission.downloaded", "submission.sent", "submission.receipted", "submission.item_settled",
    ),
    None: ("triage.started", "triage.finished"),
}  # fmt: skip
"""username (None: Safelight itself) -> what that person did in the story."""
LOOKS = {
    r"/cases/C-\d+/(children/|chronology/|clocks/|devices/|submissions/|ledger/)?": "case.viewed",
    r"/devices/D-\d+/": "device.viewed",
    r"/referrals/R-\d+/": "referral.viewed",
    r"/submissions/N-\d+/": "submission.viewed",
    r"/social-care/S-\d+/": "safeguarding_referral.viewed",
    r"/(work|cases|devices|submissions|referrals)/": "list.viewed",
}
"""The address of a page that shows records -> the entry that each look at it leaves."""
