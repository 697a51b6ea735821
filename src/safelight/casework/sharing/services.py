"""Sharing with partners. Each act is a row with its legal basis and exactly what was shared, and a disclosure in the
ledger (DPA 2018 s.62: to whom, when, by whom). What the partner answers is in :mod:`.answers`."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.standards import standards
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.notices.services import tell
from safelight.casework.people.values import one_line, plain
from safelight.casework.safeguarding.content import sections
from safelight.casework.safeguarding.models import SafeguardingReferral, StrategyDiscussion
from safelight.casework.sharing.models import Agency, Membership, Message, Sharing

_REFUSAL = "You may not share anything of this case."
Content = list[tuple[str, list[tuple[str, str]]]]


def _basis(code: str) -> str:
    if code not in standards().sharing_bases:
        raise Invalid("The legal basis is not said.", fix="Choose one of the list.", field="basis")
    return code


def _share(
    actor: Any, kind: str, agency: Agency, case: Any, subject: str, content: Content, basis: str, basis_words: str,
    **about: Any,
) -> Sharing:  # fmt: skip
    if not agency.active:
        raise Invalid(f"{agency} is no longer a partner here.", fix="Choose another agency.", field="agency")
    words = plain(basis_words, longest=2_000, field="basis_words", what="Why it is shared")
    plain_content = json.loads(json.dumps(content))
    digest = hashlib.sha256(json.dumps(plain_content, sort_keys=True).encode()).hexdigest()
    row = Sharing(
        kind=kind, agency=agency, case=case, subject=subject[:160], content=plain_content, digest=digest,
        basis=_basis(basis), basis_words=words, shared_by=actor, shared_at=timezone.now(), **about,
    )  # fmt: skip
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise NotPossible(f"This is shared with {agency} already.", fix="See what is shared of the case.") from error
    payload = {"kind": kind, "basis": basis, "digest": digest, "why": fingerprint(words)}
    payload |= {name: one.reference for name, one in about.items() if one is not None}
    record(actor, "sharing.shared", row, category=Category.DISCLOSURE, recipient=agency.name, payload=payload)
    tell(_members(agency), "partner.received", row, case=None if row.outside_ledger_of_case else case)
    return row


def _members(agency: Agency) -> list[Any]:
    return [one.user for one in Membership.objects.filter(agency=agency, until=None).select_related("user")]


@transaction.atomic
def share_referral(
    actor: Any, sr: SafeguardingReferral, *, agency: Agency, basis: str, basis_words: str = ""
) -> Sharing:
    """Put a referral to social care into a partner's portal, as it was sent.

    Raises:
        NotAllowed: the actor may not see the case, or the role may not.
        NotPossible: it is shared with this agency already.
        Invalid: no basis, a closed agency, or another authority's social care than the referral went to.
    """
    need(actor, "safeguarding.refer", sr, what=_REFUSAL)
    if agency.kind == Agency.Kind.SOCIAL_CARE and agency.name != sr.authority:
        raise Invalid(
            f"{sr.reference} went to {sr.authority}, not to {agency}.",
            fix="Share it with the authority that it went to, or send a referral to the other one.",
            field="agency",
        )
    content = sections(sr.content)
    count = len(sr.content["children"])
    subject = f"{sr.reference}: {'one child' if count == 1 else f'{count} children'}"
    return _share(actor, Sharing.Kind.REFERRAL, agency, sr.case, subject, content, basis, basis_words, referral=sr)


@transaction.atomic
def share_strategy(
    actor: Any, discussion: StrategyDiscussion, *, agency: Agency, basis: str, basis_words: str = ""
) -> Sharing:
    """Invite an agency to a strategy discussion, or share its record once it was held. Of a covert one only those of
    the agency who are on its need-to-know list see it.

    Raises:
        NotAllowed, NotPossible (shared already, or called off), Invalid.
    """
    need(actor, "safeguarding.strategy", discussion, what=_REFUSAL)
    if discussion.state == StrategyDiscussion.State.CALLED_OFF:
        raise NotPossible(f"{discussion.reference} was called off.", fix="Call another one.")
    held = discussion.state == StrategyDiscussion.State.HELD
    kind = Sharing.Kind.RECORD if held else Sharing.Kind.INVITATION
    content = _strategy_content(discussion, held)
    subject = f"{discussion.reference}: strategy discussion"
    return _share(
        actor, kind, agency, discussion.case, subject, content, basis, basis_words, strategy=discussion
    )  # fmt: skip


def _when(value: Any) -> str:
    if value is None:
        return "not set yet"
    local = timezone.localtime(value)
    return f"{local.day} {local:%B %Y, %H:%M}"


def _strategy_content(row: StrategyDiscussion, held: bool) -> Content:
    rows = [
        ("Our reference", row.reference),
        ("Called by", str(row.called_by)),
        ("Why significant harm is suspected", row.why),
        ("To be held", _when(row.planned_for)),
    ]
    if row.covert:
        rows.append(("Covert", "Only the people who were told may know of this discussion. Tell nobody else."))
    made: Content = [("Strategy discussion", rows)]
    for child in row.children.select_related("person").order_by("pk"):
        person = child.person
        address = ", ".join(part for part in (person.address, person.postcode) if part)
        made.append(
            (
                f"Child {child.reference}",
                [("Name", person.name), ("Date of birth", person.born_words), ("Address", address or "not known"),
                 ("Lives in", child.borough), ("School", child.school or "not known")],
            )
        )  # fmt: skip
    if held:
        people = [(one.name, str(one.get_agency_display())) for one in row.attendance.all()]
        made.append(("Who took part", people))
        outcome = [("Held", _when(row.held_at)), ("Outcome", row.get_outcome_display()), ("Decisions", row.decisions)]
        made.append(("What was decided", outcome))
    return made


@transaction.atomic
def share_message(
    actor: Any, case: Any, *, agency: Agency, subject: str, text: str, basis: str, basis_words: str = ""
) -> Sharing:
    """Write to an agency about a case, where no referral or discussion says it. Raises NotAllowed, Invalid."""
    need(actor, "safeguarding.refer", case, what=_REFUSAL)
    title = one_line(
        required_text(subject, field="subject", what="The subject"), longest=160, field="subject", what="The subject"
    )
    said = plain(required_text(text, field="text", what="The message"), longest=8_000, field="text", what="The message")
    return _share(
        actor, Sharing.Kind.MESSAGE, agency, case, title, [("Message", [("From", str(actor)), ("Text", said)])], basis,
        basis_words,
    )  # fmt: skip


def locked(sharing: Sharing) -> Sharing:
    """The sharing, locked. Raises NotPossible when it was withdrawn."""
    rows = Sharing.objects.select_for_update(of=("self",)).select_related(
        "case__unit", "agency", "referral", "strategy"
    )
    row = rows.get(pk=sharing.pk)
    if row.withdrawn_at is not None:
        raise NotPossible(f"{row.reference} was withdrawn.", fix="Share it again, with its basis.")
    return row


@transaction.atomic
def withdraw(actor: Any, sharing: Sharing, *, reason: str) -> Sharing:
    """End a sharing: the partner sees it no more. What was read was read; the row and the ledger keep all of it.

    Raises:
        NotAllowed, NotPossible (withdrawn already), Invalid (no reason).
    """
    need(actor, "sharing.manage", sharing, what=_REFUSAL)
    row = locked(sharing)
    why = plain(
        required_text(reason, field="reason", what="The reason"), longest=2_000, field="reason", what="The reason"
    )
    row.withdrawn_at, row.withdrawn_by, row.withdrawn_reason = timezone.now(), actor, why
    row.save(update_fields=["withdrawn_at", "withdrawn_by", "withdrawn_reason"])
    record(actor, "sharing.withdrawn", row, recipient=row.agency.name, payload={"reason": fingerprint(why)})
    return row


@transaction.atomic
def reply(actor: Any, sharing: Sharing, *, text: str, question: bool = False) -> Message:
    """Write to the partner under something shared: that is a disclosure as well. Open questions of theirs are answered.

    Raises:
        NotAllowed, NotPossible (withdrawn), Invalid (no text).
    """
    need(actor, "sharing.manage", sharing, what=_REFUSAL)
    row = locked(sharing)
    made = say(row, actor, text, by_partner=False, question=question)
    payload = {"message": made.pk, "basis": row.basis, "text": fingerprint(made.text)}
    record(
        actor, "sharing.replied", row, category=Category.DISCLOSURE, recipient=row.agency.name, payload=payload
    )  # fmt: skip
    tell(_members(row.agency), "partner.received", row, case=None if row.outside_ledger_of_case else row.case)
    return made


def say(row: Sharing, author: Any, text: str, *, by_partner: bool, question: bool) -> Message:
    """Add a line to the conversation, and mark the other side's open questions as answered."""
    what = "The text"
    said = plain(required_text(text, field="text", what=what), longest=4_000, field="text", what=what)
    now = timezone.now()
    row.messages.filter(by_partner=not by_partner, question=True, answered_at=None).update(answered_at=now)
    return Message.objects.create(
        sharing=row, author=author, by_partner=by_partner, question=question, text=said, at=now
    )  # fmt: skip


# --- agencies: for the administrator, no case content ------------------------------------------------------------


@transaction.atomic
def create_agency(actor: Any, *, name: str, kind: str) -> Agency:
    """Record an agency. Social care is named as the referrals name it ("Camden children's social care").

    Args:
        actor: an administrator; None is the system (the demo).

    Raises:
        NotAllowed; NotPossible (the name is taken); Invalid.
    """
    if actor is not None:
        need(actor, "sharing.agencies", what="Only an administrator records agencies.")
    title = one_line(
        required_text(name, field="name", what="The name"), longest=120, field="name", what="The name"
    )  # fmt: skip
    if kind not in Agency.Kind.values:
        raise Invalid("What kind of agency it is is not said.", fix="Choose one of the list.", field="kind")
    if Agency.objects.filter(name__iexact=title).exists():
        raise NotPossible(f"{title} is recorded already.")
    row = Agency.objects.create(name=title, kind=kind)
    record(actor, "agency.created", row, category=Category.SYSTEM, payload={"name": title, "kind": kind})
    return row


@transaction.atomic
def join(actor: Any, *, user: Any, agency: Agency) -> Membership:
    """Give a partner's account to an agency; from then on it sees what is shared with that one, and no other.

    Raises:
        NotAllowed; Invalid (the account is no partner's).
    """
    if actor is not None:
        need(actor, "sharing.agencies", what="Only an administrator gives accounts to agencies.")
    if user is None or user.role != "partner":
        raise Invalid("Only an account with the role partner belongs here.", fix="Choose another.", field="user")
    now = timezone.now()
    before = Membership.objects.select_for_update().filter(user=user, until=None).first()
    if before is not None and before.agency_id == agency.pk:
        raise Invalid(f"{user} belongs to {agency} already.", field="agency")
    if before is not None:
        before.until = now
        before.save(update_fields=["until"])
        payload = {"user": user.pk, "agency": before.agency_id}
        record(actor, "agency.left", before.agency, category=Category.SYSTEM, payload=payload)
    row = Membership.objects.create(user=user, agency=agency, since=now, added_by=actor)
    record(actor, "agency.joined", agency, category=Category.SYSTEM, payload={"user": user.pk, "agency": agency.pk})
    return row
