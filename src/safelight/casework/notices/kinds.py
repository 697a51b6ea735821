"""The kinds of notice, as data: one line each. A title is a constant: whatever names a person may not stand in it,
because it travels by e-mail."""

from __future__ import annotations

from dataclasses import dataclass

ALERT, WARNING, INFORMATION = "alert", "warning", "information"
SEVERITIES = {ALERT: "Alert", WARNING: "Warning", INFORMATION: "Information"}


@dataclass(frozen=True)
class Kind:
    """One kind of notice.

    Args:
        title: what happened, in words that hold for every notice of the kind.
        severity: ALERT (act now), WARNING (act soon) or INFORMATION.
        page: the name of the page it leads to, which takes ``reference``; "" for the page of its subject or case.
        email: whether it is sent by e-mail too.
    """

    title: str
    severity: str = INFORMATION
    page: str = ""
    email: bool = True


KINDS: dict[str, Kind] = {
    "account.attempts": Kind("Somebody tried too often to sign in as you", WARNING, "accounts:mine"),
    "account.wrong_factor": Kind(
        "Somebody knows your password and failed at your second factor: change the password", ALERT, "accounts:mine"
    ),
    "account.factor_changed": Kind("Your second factors were changed", WARNING, "accounts:mine"),
    "account.code_used": Kind("A recovery code of yours was used to sign in", WARNING, "accounts:mine"),
    "account.password_changed": Kind("Your password was changed", WARNING, "accounts:mine"),
    "account.connected": Kind("What connects you with the sign-in service was changed", WARNING, "accounts:mine"),
    "account.sessions_ended": Kind("An administrator ended your sessions", WARNING, "accounts:mine"),
    "account.recovery_asked": Kind(
        "The recovery of an account waits for a second person", WARNING, "accounts:recoveries"
    ),
    "account.recovery_approved": Kind("The recovery of an account was approved", WARNING, "accounts:mine"),
    "account.recovery_refused": Kind("The recovery of an account was refused", INFORMATION, "accounts:mine"),
    "account.unknown_subject": Kind(
        "Somebody without an account came through the sign-in service", INFORMATION, "accounts:subjects"
    ),
    "clock.due_soon": Kind("A clock runs out soon", WARNING),
    "clock.breached": Kind("A clock has run out", ALERT),
    "clock.still_breached": Kind("A clock that ran out is still open", ALERT),
    "clock.reached": Kind("A date that had to be waited for has come", INFORMATION),
    "live_contact.found": Kind("Live contact with a child: act now", ALERT),
    "live_contact.unallocated": Kind("Live contact with a child, and nobody has the case", ALERT),
    "live_contact.ended": Kind("Live contact with a child is recorded as ended", INFORMATION),
    "review.missed": Kind("Supervision reviews were missed twice or more", ALERT, "cases:detail"),
    "handing_over.waiting": Kind(
        "Live cases of a colleague wait to be handed over", WARNING, "allocation:handing_over"
    ),
    "handing_over.returned": Kind("A colleague is back: what was moved stays where it is", INFORMATION),
    "exposure.cap": Kind("The longest time for grading in a day is reached", WARNING, "workforce:me"),
    "partner.received": Kind("Police shared something with your agency", WARNING, "sharing:received"),
    "partner.answered": Kind("A partner agency answered", INFORMATION, "sharing:detail"),
    "partner.asked": Kind("A partner agency asked or wrote", WARNING, "sharing:detail"),
    "victim.update_due": Kind("A victim is to be told what happened", WARNING, "cases:detail"),
    "examination.blocked": Kind(
        "The examination of a device is blocked, and you can lift it", WARNING, "devices:detail"
    ),
    "examination.complete": Kind("The full examination of a device is complete", INFORMATION, "devices:detail"),
    "audit.drawn": Kind("Cases of your unit were drawn for an audit: assess them first", WARNING, "inspection:plan"),
    "audit.sent_back": Kind("An auditor sent a case back to you", ALERT, "inspection:answer"),
    "audit.answered": Kind("A case that you sent back is answered", INFORMATION, "inspection:answer"),
    "recommendation.assigned": Kind("You answer for a recommendation", WARNING, "recommendations:detail"),
    "recommendation.offered": Kind("A recommendation is said to be met: judge", INFORMATION, "recommendations:detail"),
    "victim.identified": Kind("A child in the material of your case is identified: social care is to be told", ALERT),
    "caid.victim_identified": Kind("A child in the material of a case was identified elsewhere", ALERT),
    "caid.known_series": Kind("The national database knows a file of a case", WARNING),
    "caid.category_changed": Kind("The national database has changed a category", WARNING),
    "ledger.refused": Kind(
        "A witness refuses the ledger: it was changed, or an older copy runs", ALERT, "ledger:index"
    ),
    "time.jumped": Kind("The time of a machine jumped: check its time server", ALERT),
    "offender.named": Kind("A referral names a registered sex offender", ALERT, "offenders:detail"),
    "offender.may_be_named": Kind("A referral may name a registered sex offender", WARNING, "offenders:detail"),
    "offender.given": Kind("An offender was given to you", INFORMATION, "offenders:detail"),
    "offender.not_seen": Kind("An offender was not seen in several visits", WARNING, "offenders:detail"),
    "offender.decide": Kind("Failed visits: a supervisor decides on arrest or a warrant", ALERT, "offenders:detail"),
    "offender.decided": Kind("Decided what follows on failed visits", INFORMATION, "offenders:detail"),
    "offender.active": Kind("An offender is under active management again", WARNING, "offenders:detail"),
    "offender.breach": Kind("A breach by an offender is established", WARNING, "offenders:detail"),
    "rereview.given": Kind("Cases of a re-review were given to you", INFORMATION, "rereview:detail"),
    "rereview.child": Kind("A re-review found a child who was missed: the clock runs", ALERT, "cases:detail"),
    "rereview.act": Kind("A re-review asks you to act in a case", WARNING, "cases:detail"),
    "break_glass.opened": Kind("Somebody broke the glass of a case", ALERT, "breakglass:detail"),
    "break_glass.to_review": Kind("A break-glass access has ended: review it", WARNING, "breakglass:review"),
    "break_glass.overdue": Kind("The review of a break-glass access is late", ALERT, "breakglass:review"),
    "break_glass.not_justified": Kind("A break-glass access was not justified", ALERT, "breakglass:detail"),
}
