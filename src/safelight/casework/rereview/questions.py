"""What is asked of every case that is examined again, as data: the harms that inspectors found to have been missed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question; ``field`` is its column, ``harm`` how a yes reads in the result."""

    field: str
    text: str
    harm: str


QUESTIONS = (
    Question("child_missed", "Was a child at risk missed?", "A child was missed"),
    Question(
        "referral_missed", "Should a referral to social care have been made, and was not?", "No referral to social care"
    ),
    Question("referral_late", "Was a referral to social care made late?", "Referral to social care late"),
    Question("device_missed", "Was a device not examined that should have been?", "A device not examined"),
    Question("victim_missed", "Was a victim not identified who could have been?", "A victim not identified"),
    Question("suspect_wrong", "Was the suspect dealt with wrongly?", "The suspect dealt with wrongly"),
)
HARMS = {one.field: one.harm for one in QUESTIONS}
YES, NO, UNKNOWN = "yes", "no", "unknown"
ANSWERS = [(YES, "Yes"), (NO, "No"), (UNKNOWN, "The file does not say")]
