"""The steps of a custody record: each a form, a service and its words, under one address."""

from __future__ import annotations

from safelight.casework.base.step import Step
from safelight.casework.custody import accommodation, forms, services
from safelight.casework.custody.models import Detention


def _here(row: Detention) -> bool:
    return row.released_at is None


STEPS: dict[str, Step] = {
    "review": Step(
        "Review the detention", forms.ReviewForm, services.record_custody_review, "The review is recorded.", _here,
        "First after six hours, then every nine. A child is in a cell only as long as nothing else will do.",
    ),
    "ask-adult": Step(
        "Ask for an appropriate adult", forms.AskAdultForm, services.ask_appropriate_adult,
        "The request is recorded. Record when the adult arrives.", _here,
    ),
    "adult-came": Step(
        "The appropriate adult came", forms.AdultCameForm, services.appropriate_adult_came, "The arrival is recorded.",
        lambda row: _here(row) and any(one.arrived_at is None for one in row.adults.all()),
    ),
    "told": Step(
        "Parent told, Merlin, liaison and diversion", forms.ToldForm, services.record_told, "Recorded.",
        lambda row: not (row.parent_told_at and row.merlin_at and row.diversion_at),
    ),
    "ask-accommodation": Step(
        "Ask the local authority for accommodation", forms.AskAccommodationForm, accommodation.ask_accommodation,
        "The request is recorded. Record the answer when it comes.", _here,
        "Ask early: before the charge, when bail may be refused. The authority always accepts a non-secure request.",
    ),
    "answer": Step(
        "What the local authority answered", forms.AnswerAccommodationForm, accommodation.answer_accommodation,
        "The answer is recorded.", lambda row: _here(row) and any(not one.answer for one in row.requests.all()),
    ),
    "charge": Step(
        "Charge and bail", forms.ChargeForm, services.record_charge, "Charge and bail are recorded.",
        lambda row: _here(row) and row.charged_at is None,
    ),
    "transfer": Step(
        "Transfer to the local authority", forms.TransferForm, accommodation.transfer, "The transfer is recorded.",
        lambda row: _here(row) and any(one.answer == "offered" for one in row.requests.all()),
        "The power to detain goes over to the authority; the child is no longer in police custody.",
    ),
    "certificate": Step(
        "Certificate: kept in police custody", forms.CertificateForm, accommodation.certify,
        "The certificate is recorded. It goes to the court with the child.",
        lambda row: row.waits_for_accommodation,
        "Only where a transfer is impracticable, or, from age 12, no secure place is free and any other would not "
        "protect the public from serious harm (PACE s.38(6)).",
    ),
    "court": Step(
        "The court has the certificate", forms.WhenForm, accommodation.certificate_to_court, "Recorded.",
        lambda row: bool(row.certificate) and row.certificate_to_court_at is None,
    ),
    "extend": Step(
        "Extend to 36 hours", forms.ExtendForm, services.extend_detention, "The authority is recorded.",
        lambda row: _here(row) and row.charged_at is None and row.extended_at is None,
        "A superintendent's authority, before the 24 hours are over (PACE s.42). Reviews go on.", destructive=True,
    ),
    "release": Step(
        "Release", forms.ReleaseForm, services.release, "The detention has ended. Its clocks have stopped.", _here,
    ),
    "claim-cost": Step(
        "Claim the cost", forms.WhenForm, accommodation.claim_cost, "The claim is recorded.",
        lambda row: row.cost_claimed_at is None and any(one.answer == "refused" for one in row.requests.all()),
        "The authority reimburses the cost of accommodation that it did not provide (Concordat).",
    ),
}  # fmt: skip
