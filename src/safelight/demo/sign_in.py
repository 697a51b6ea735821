"""How to sign in to the demo. Kept apart from the database, so that the second start can print it at once."""

from __future__ import annotations

PASSWORD = "synthetic-demo"  # noqa: S105 - printed on the screen: everyone in the demo is invented
HOME_UNIT = "CN"
SIGN_IN = (
    ("desk", "referral_desk", "referral desk"),
    ("investigator", "investigator", f"investigator in {HOME_UNIT}"),
    ("supervisor", "supervisor", f"supervisor in {HOME_UNIT}"),
    ("examiner", "examiner", "digital forensic examiner"),
    ("administrator", "administrator", "administrator (sees no case content)"),
    ("offenders", "offender_manager", f"offender manager in {HOME_UNIT}"),
    ("custody", "custody_officer", "custody officer"),
    ("partner", "partner", "partner (children's social care of one borough)"),
    ("auditor", "auditor", "auditor (reads)"),
    ("chief", "chief_officer", "chief officer"),
    ("exchange", "exchange_manager", "exchange manager (internet companies)"),
)
"""(username, role, what it is) of the accounts that the demo prints."""
