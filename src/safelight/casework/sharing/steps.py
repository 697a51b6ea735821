"""The steps of something shared, as data: for the partner in its portal, and for police."""

from __future__ import annotations

from safelight.casework.base.step import Step
from safelight.casework.sharing import answers, forms, services

PARTNER: dict[str, Step] = {
    "acknowledge": Step(
        "Acknowledge", forms.NothingForm, answers.acknowledge, "The police know that you have it.",
        lambda row: row.acknowledged_at is None, "You have received it and somebody deals with it.",
        button="We have it",
    ),
    "decide": Step(
        "Say what you decided", forms.DecideForm, answers.decide, "The police have your decision. Their clock stopped.",
        lambda row: answers.decides(row) and not row.referral.decision,
        "Within one working day (Working Together). A decision given here is kept as your own words.",
        button="Send the decision",
    ),
    "attend": Step(
        "Answer the invitation", forms.AttendForm, answers.answer_invitation, "The police have your answer.",
        lambda row: row.kind == "invitation", button="Send the answer",
    ),
    "ask": Step(
        "Ask or write to the police", forms.AskForm, answers.ask, "It is with the police.", button="Send",
    ),
}  # fmt: skip

POLICE: dict[str, Step] = {
    "reply": Step(
        "Write to the partner", forms.ReplyForm, services.reply, "The partner can read it now.",
        lambda row: row.withdrawn_at is None, button="Send",
    ),
    "withdraw": Step(
        "Withdraw it", forms.ReasonForm, services.withdraw, "The partner sees it no more.",
        lambda row: row.withdrawn_at is None,
        "What the partner has read it has read. The row, its basis and every look at it stay in the ledger.",
        destructive=True, button="Withdraw it",
    ),
}  # fmt: skip
