"""Merging two records of one person, and undoing it. Nothing is lost: each moved row is named, and goes back if undone.

What the record that goes said (names, birth, address) stays in its row and is shown with the kept one; possible links
stay with the record they were found for. The pair is decided to be the same person, so that linking knows it too.
"""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.db import IntegrityError, transaction
from django.utils import timezone

from safelight.casework.base.errors import Invalid, NotAllowed, NotPossible
from safelight.casework.base.rights import need
from safelight.casework.base.values import required_text
from safelight.casework.ledger.models import Category
from safelight.casework.ledger.services import fingerprint, record
from safelight.casework.people.linking import decide_link, undo_link
from safelight.casework.people.models import Identifier, Merge, Person, PossibleLink
from safelight.casework.people.sides import ask_about

_REFUSAL = "Your role may not merge the records of people."


def _pointing() -> list[tuple[type[Any], str, bool]]:
    """(model, column, whether one row a person at most) of everything that points at a person and goes along."""
    return [
        (rel.related_model, rel.field.attname, rel.one_to_one)
        for rel in Person._meta.related_objects
        if rel.related_model not in (Merge, PossibleLink) and not rel.many_to_many
    ]


@transaction.atomic
def merge_people(actor: Any, kept: Person, gone: Person, *, reason: str) -> Merge:
    """Bring the record ``gone`` into ``kept``.

    Raises:
        NotAllowed: the role may not, or the actor does not see everything in which either of them stands.
        NotPossible: one of them is merged already, a person decided that they are two people, or both have a record of
            which a person has one only.
        Invalid: it is the same record, or there is no reason.
    """
    need(actor, "people.link", what=_REFUSAL)
    words = required_text(reason, field="reason", what="The reason")
    if kept.pk == gone.pk:
        raise Invalid(f"{kept.reference} cannot be merged with itself.", fix="Name another record.", field="other")
    # In the order of their keys, so that two who merge the same pair the other way round wait for each other.
    rows = Person.objects.select_for_update(of=("self",)).filter(pk__in=[kept.pk, gone.pk]).order_by("pk")
    held = {row.pk: row for row in rows}
    kept, gone = held[kept.pk], held[gone.pk]
    for person in (kept, gone):
        if person.merged_into_id is not None:
            raise NotPossible(
                f"{person.reference} is merged into {person.merged_into.reference} already.",
                fix=f"Take {person.merged_into.reference}, or undo that merge first.",
            )
        _sees_all(actor, person)
    between = PossibleLink.objects.filter(person__in=held, other__in=held, kind=PossibleLink.Kind.PERSON).order_by("pk")
    for link in between:
        if link.state == PossibleLink.State.DIFFERENT:
            raise NotPossible(
                f"{link.reference} says that they are different people.", fix="Take that decision back first."
            )
    waiting = next((link for link in between if link.state == PossibleLink.State.WAITING), None)
    if waiting is not None:
        decide_link(actor, waiting, verdict=PossibleLink.State.SAME, reason=words)
    moved, stayed = _move(kept, gone)
    gone.merged_into = kept
    gone.save(update_fields=["merged_into"])
    made = Merge.objects.create(
        kept=kept, gone=gone, reason=words, merged_at=timezone.now(), merged_by=actor, moved=moved, stayed=stayed,
        link=waiting,
    )  # fmt: skip
    _note(actor, "person.merged", made, words)
    return made


def _sees_all(actor: Any, person: Person) -> None:
    """Raise NotAllowed unless ``actor`` sees every case and referral in which ``person`` stands."""
    from safelight.casework.cases.models import Case
    from safelight.casework.referrals.models import Referral

    cases = Case.objects.filter(people__person=person) | Case.objects.filter(children__person=person)
    referrals = Referral.objects.filter(people__person=person) | Referral.objects.filter(children__person=person)
    for every in (cases.distinct(), referrals.distinct()):
        seen = every.model.objects.visible_to(actor).filter(pk__in=every.values("pk")).count()
        if seen != every.count():
            raise NotAllowed("This person stands in a record that you may not see.", fix=ask_about(person))


def _move(kept: Person, gone: Person) -> tuple[list[list[Any]], list[list[Any]]]:
    moved, stayed = [], []
    for model, column, single in _pointing():
        rows = model._default_manager.filter(**{column: gone.pk})
        if single and rows.exists() and model._default_manager.filter(**{column: kept.pk}).exists():
            raise NotPossible(
                f"Both have a {model._meta.verbose_name}, of which a person has one only.",
                fix=f"Settle first which {model._meta.verbose_name} holds.",
            )
        for pk in rows.order_by("pk").values_list("pk", flat=True):
            name = [model._meta.label_lower, column, pk]
            if model is Identifier and _has_it(kept, pk):
                stayed.append(name)
                continue
            try:
                with transaction.atomic():
                    model._default_manager.filter(pk=pk).update(**{column: kept.pk})
            except IntegrityError:
                stayed.append(name)  # the kept one stands there in the same part already
            else:
                moved.append(name)
    return moved, stayed


def _has_it(kept: Person, pk: int) -> bool:
    """Whether the kept record has this identifier: while keys are rotated, the rule of the table does not see it."""
    row = Identifier.objects.get(pk=pk)
    return Identifier.objects.filter(person=kept, kind=row.kind, value=row.value).exists()


@transaction.atomic
def undo_merge(actor: Any, merge: Merge, *, reason: str) -> Merge:
    """Give every moved row back to the record that went. What was added to the kept one since stays there.

    Raises:
        NotAllowed: the role may not, or the actor does not see the kept record.
        NotPossible: it is undone already, or the kept record was merged into another since.
        Invalid: there is no reason.
    """
    need(actor, "people.link", what=_REFUSAL)
    words = required_text(reason, field="reason", what="The reason")
    merge = Merge.objects.select_for_update(of=("self",)).select_related("kept", "gone", "link").get(pk=merge.pk)
    if merge.undone_at is not None:
        raise NotPossible(f"{merge.reference} is undone already.")
    kept = Person.objects.select_for_update(of=("self",)).get(pk=merge.kept_id)
    if kept.merged_into_id is not None:
        later = Merge.objects.filter(gone=kept, undone_at=None).get()
        raise NotPossible(
            f"{kept.reference} was merged into {later.kept.reference} since ({later.reference}).",
            fix=f"Undo {later.reference} first.",
        )
    _sees_all(actor, kept)
    for label, column, pk in merge.moved:
        rows = apps.get_model(label)._default_manager.filter(pk=pk, **{column: kept.pk})
        if not rows.update(**{column: merge.gone_id}):
            raise NotPossible(
                f"A row that was moved ({label} {pk}) points elsewhere now.",
                fix="Ask the administrator: nothing was undone.",
            )
    Person.objects.filter(pk=merge.gone_id).update(merged_into=None)
    merge.undone_at, merge.undone_by = timezone.now(), actor
    merge.save(update_fields=["undone_at", "undone_by"])
    if merge.link is not None and merge.link.state == PossibleLink.State.SAME:
        undo_link(actor, merge.link, reason=words)
    _note(actor, "person.merge_undone", merge, words)
    return merge


def _note(actor: Any, verb: str, merge: Merge, words: str) -> None:
    payload = {
        "merge": merge.reference, "gone": merge.gone.reference, "moved": merge.moved, "stayed": merge.stayed,
        "reason": fingerprint(words),
    }  # fmt: skip
    record(actor, verb, merge.kept, category=Category.COMBINATION, payload=payload)
