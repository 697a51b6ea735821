"""The steps of a child's record, of strategy discussions, enquiries and police protection, as data."""

from __future__ import annotations

from typing import Any

from django.http import Http404

from safelight.casework.base.errors import Invalid
from safelight.casework.base.step import Step
from safelight.casework.people.models import Person
from safelight.casework.safeguarding import child_record, enquiries, measures, protection, strategy
from safelight.casework.safeguarding import record_forms as forms
from safelight.casework.safeguarding.models import ChildAtRisk


def _around(actor: Any, child: ChildAtRisk, *, reference: str = "", **data: Any) -> Any:
    """Somebody around a child, by the number of a record or by what is known."""
    names = ("given_names", "family_name", "born", "sex", "address", "postcode")
    described = {name: data.pop(name) for name in names}
    if not reference:
        return child_record.add_around(actor, child, person=described, **data)
    try:
        person = Person.objects.get_visible(actor, reference)
    except Http404 as error:
        raise Invalid(
            "There is no such person that you may see.", fix="Check the number, or leave it empty.", field="reference"
        ) from error
    return child_record.add_around(actor, child, person=person, **data)


CHILD: dict[str, Step] = {
    "voice": Step(
        "What the child says", forms.VoiceForm, child_record.add_voice, "The child's words are kept, with their day.",
        intro="Each entry stays as it is: a child may say something else on another day, and both count.",
    ),
    "around": Step(
        "Somebody around the child", forms.AroundForm, _around, "Recorded. If it is an adult, assess the risk.",
        intro="Every adult around the child, not only the suspect; brothers and sisters; parental responsibility.",
    ),
    "assess": Step(
        "The risk from an adult around the child", forms.AssessForm, child_record.assess_around,
        "The assessment is recorded.", lambda child: any(one.kind == "adult" for one in child.around.all()),
        "A parent who is not suspected may still not be able to protect. No risk known is an answer only after checks.",
    ),
    "measure": Step(
        "Set in motion by social care or a court", forms.MeasureForm, measures.set_in_motion,
        "Recorded. Its clock runs.",
        intro="A section 17 assessment, an emergency protection order, or a contact that the MASH rated.",
    ),
    "outcome": Step(
        "What came of it", forms.OutcomeForm, measures.came_of_it, "Recorded.",
        lambda child: bool(measures.running_for(child)),
        "The child was seen, the order ended, information was returned: say which and when.",
    ),
    "school": Step("A school of the child", forms.SchoolForm, child_record.add_school, "The school is recorded."),
    "protection": Step(
        "Police protection", forms.TakeForm, protection.take_into_protection,
        "Recorded. The 72 hours run; nothing extends them.",
        lambda child: all(one.ended_at for one in child.protections.all()),
        "A constable's power for a child who would otherwise suffer significant harm (Children Act 1989 s.46).",
    ),
}  # fmt: skip

STRATEGY: dict[str, Step] = {
    "held": Step(
        "Record the strategy discussion", forms.HeldForm, strategy.record_strategy, "The discussion is recorded.",
        lambda row: row.state in ("called", "no_quorum"),
        "Police, a manager of social care and health make a quorum.",
    ),
    "circulated": Step(
        "The record was circulated", forms.WhenForm, strategy.circulate, "Recorded.",
        lambda row: row.state == "held" and row.circulated_at is None,
    ),
    "call-off": Step(
        "Call it off", forms.ReasonForm, strategy.call_off, "It is called off.",
        lambda row: row.state in ("called", "no_quorum"), "For supervisors. The reason stays.", destructive=True,
    ),
    "let-know": Step(
        "Somebody needs to know", forms.LetKnowForm, strategy.let_know, "They are on the list.",
        lambda row: row.covert,
    ),
    "no-longer": Step(
        "Somebody need no longer know", forms.NoLongerForm, strategy.no_longer_know, "They are off the list.",
        lambda row: row.covert, destructive=True,
    ),
    "end-secrecy": Step(
        "It need not stay covert", forms.ReasonForm, strategy.end_secrecy, "It is an ordinary discussion now.",
        lambda row: row.covert, "Whoever sees the case will see it, with its clocks.", destructive=True,
    ),
}  # fmt: skip

ENQUIRY: dict[str, Step] = {
    "seen": Step(
        "The child was seen", forms.SeenForm, enquiries.child_seen, "Recorded.", lambda row: row.seen_at is None
    ),
    "plan": Step(
        "Set the conference", forms.PlanForm, enquiries.plan_conference, "The date is recorded.",
        lambda row: row.ended_at is None,
    ),
    "conference": Step(
        "The conference was held", forms.ConferenceForm, enquiries.hold_conference, "The conference is recorded.",
        lambda row: row.ended_at is None,
    ),
    "not-substantiated": Step(
        "Concerns not substantiated", forms.EndForm, enquiries.not_substantiated, "The enquiry has ended.",
        lambda row: row.ended_at is None and row.seen_at is not None, destructive=True,
    ),
    "meeting": Step(
        "Core group or review conference", forms.MeetingForm, enquiries.record_meeting, "The meeting is recorded.",
        lambda row: row.ending == "plan",
    ),
}  # fmt: skip

PROTECTION: dict[str, Step] = {
    "told": Step(
        "Somebody was told", forms.ToldForm, protection.record_protection_told, "Recorded.",
        lambda row: not (row.local_authority_told_at and row.child_told_at and row.parents_told_at),
    ),
    "designated": Step(
        "Designated officer", forms.DesignateForm, protection.designate, "Recorded.", lambda row: row.ended_at is None,
        "Inquires as soon as practicable and keeps it under review. A handover is a new entry.",
    ),
    "end": Step(
        "End police protection", forms.EndProtectionForm, protection.end_protection, "Police protection has ended.",
        lambda row: row.ended_at is None,
    ),
}  # fmt: skip
