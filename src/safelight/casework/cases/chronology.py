"""The kinds of chronology entries, and which of them count as a meaningful action.

A meaningful action moves a child nearer to safety or the investigation nearer to its end. Moving a case from desk to
desk, reviewing it, or writing a note about it is none: drift (no meaningful action for longer than policy) must not be
hidden by touching the file.
"""

from __future__ import annotations

from dataclasses import dataclass

from safelight.casework.base.standards import standards


@dataclass(frozen=True)
class Kind:
    """One kind of entry.

    Args:
        meaningful: whether it counts against drift.
        by_hand: whether a person may choose it in the chronology form; the others are written by their own steps.
    """

    code: str
    title: str
    meaningful: bool
    by_hand: bool = False


_ROWS = (
    # The child
    Kind("contact_check", "Contact with children checked", True),
    Kind("child_identified", "Child at risk identified", True),
    Kind("child_updated", "Record of a child changed", False),
    Kind("safeguarding_referral", "Referral sent to children's social care", True),
    Kind("safeguarding_chased", "Social care chased", True),
    Kind("safeguarding_acknowledged", "Social care acknowledged", True),
    Kind("safeguarding_decision", "Social care decided", True),
    Kind("strategy_discussion", "Strategy discussion held", True, by_hand=True),
    Kind("child_seen", "Child seen", True, by_hand=True),
    Kind("strategy_called", "Strategy discussion called", True),
    Kind("strategy_called_off", "Strategy discussion called off", False),
    Kind("social_care_step", "Step of social care or a court", True),
    Kind("enquiry_47", "Section 47 enquiry", True),
    Kind("protection_taken", "Child taken into police protection", True),
    Kind("protection_changed", "Police protection: told, designated or reviewed", False),
    Kind("protection_ended", "Police protection ended", True),
    Kind("safeguarding_escalated", "Social care's silence escalated", True),
    Kind("child_moved_to_safety", "Child moved to safety", True, by_hand=True),
    Kind("hold_placed", "Hold placed", False),
    Kind("hold_lifted", "Hold lifted", False),
    Kind("live_contact_found", "Live contact with a child found", False),
    Kind("live_contact_ended", "Live contact ended", True),
    # The investigation
    Kind("case_opened", "Case opened", True),
    Kind("enquiry", "Enquiry made", True, by_hand=True),
    Kind("intelligence", "Intelligence received", True, by_hand=True),
    Kind("warrant", "Search warrant obtained", True, by_hand=True),
    Kind("search", "Search carried out", True, by_hand=True),
    Kind("arrest", "Arrest", True, by_hand=True),
    Kind("interview", "Interview", True, by_hand=True),
    Kind("statement", "Statement taken", True, by_hand=True),
    Kind("victim_contact", "Victim or family told", True, by_hand=True),
    Kind("bail", "Bail set, changed or ended", True),
    Kind("suspect_released", "Suspect released", True, by_hand=True),
    Kind("bail_set", "Bail set", True, by_hand=True),
    Kind("bail_changed", "Bail changed", True, by_hand=True),
    Kind("bail_cancelled", "Bail cancelled", True, by_hand=True),
    Kind("prosecutor", "Prosecutor asked or answered", True, by_hand=True),
    Kind("charge", "Charge", True, by_hand=True),
    Kind("no_further_action", "No further action against a suspect", True, by_hand=True),
    Kind("note", "Note", False, by_hand=True),
    Kind("message", "Telephone call or message", False, by_hand=True),
    # Devices and the national database
    Kind("device_booked_in", "Device booked in", True),
    Kind("device_moved", "Device moved", False),
    Kind("device_decision", "Decision about a device", True),
    Kind("image_registered", "Image of a device registered", True),
    Kind("triage_queued", "Triage asked for", False),
    Kind("triage_finished", "Triage finished", True),
    Kind("triage_known_later", "A newer list knows files of a device", True),
    Kind("triage_failed", "Triage could not read the image", False),
    Kind("triage_cancelled", "Triage cancelled", False),
    Kind("examination_asked", "Device sent for full examination", False),
    Kind("examination_started", "Full examination started", True),
    Kind("examination_blocked", "Full examination blocked", False),
    Kind("examination_unblocked", "Full examination can go on", False),
    Kind("examination_done", "Full examination complete", True),
    Kind("examination_withdrawn", "Full examination no longer wanted", False),
    Kind("graded", "File graded", False),
    Kind("submission_written", "Submission to the national database written", False),
    Kind("submission_sent", "Submission to the national database sent", True),
    Kind("submission_receipt", "Receipt from the national database recorded", True),
    Kind("submission_settled", "Rejected item settled", True),
    Kind("feedback_told", "Answer of the national database", False),
    Kind("feedback_settled", "Answer of the national database settled", True),
    # Running the case. A level of risk says how fast to act; it is not itself an act.
    Kind("risk_recorded", "Risk recorded", False),
    Kind("complexity_recorded", "Complexity recorded", False),
    Kind("allocated", "Allocated", False),
    Kind("unallocated", "Allocation ended", False),
    Kind("reviewed", "Supervision review", False),
    Kind("plan_action_added", "Action added to the plan", False),
    Kind("plan_action_done", "Action of the plan done", True),
    Kind("plan_action_cancelled", "Action of the plan cancelled", False),
    Kind("person_added", "Person added", False),
    Kind("access_granted", "Access granted", False),
    Kind("settled", "Unfinished part settled with a reason", False),
    Kind("case_closed", "Case closed", True),
    Kind("case_reopened", "Case reopened", True),
)
KINDS: dict[str, Kind] = {kind.code: kind for kind in _ROWS}
BY_HAND: tuple[Kind, ...] = tuple(kind for kind in _ROWS if kind.by_hand)


def title_of(code: str) -> str:
    """The words for a kind; the code itself for one that this version no longer knows."""
    kind = KINDS.get(code)
    return kind.title if kind else code.replace("_", " ").capitalize()


def counts(code: str) -> bool:
    """Whether an entry of this kind, written now, is a meaningful action: the kind's own answer, unless the force's
    settings ``meaningful_also`` or ``meaningful_not`` say otherwise (the latter wins). What was written before keeps
    what it counted as then."""
    if code in _listed("meaningful_not"):
        return False
    return KINDS[code].meaningful or code in _listed("meaningful_also")


def _listed(name: str) -> set[str]:
    return {code for part in str(standards().policy[name].value).split(",") if (code := part.strip())}


def unknown_codes() -> list[str]:
    """Codes in the force's settings that name no kind of entry: a slip of the pen that would change nothing."""
    return sorted((_listed("meaningful_also") | _listed("meaningful_not")) - set(KINDS))
