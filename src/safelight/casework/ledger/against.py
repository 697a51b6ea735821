"""The ledger against what others know of it: the books of witnesses, cosignatures and time-stamps kept with the seals.

Whoever can write to the whole database can rewrite every hash in it. What a witness has cosigned is elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db.models import Max

from safelight.casework.ledger.checking import Verification
from safelight.casework.ledger.models import LedgerSeal, SealMark
from safelight.casework.ledger.outside import checkpoint_of, over_http, witnesses
from safelight.casework.ledger.verify import grown_from
from safelight.errors import SafelightError
from safelight.tlog.errors import WitnessError
from safelight.tlog.notes import Note, VerifierKey, read_all


def check_outside(result: Verification, books: Sequence[tuple[str, VerifierKey]] = ()) -> None:
    """Add to ``result`` what contradicts the outside, and what could not be asked.

    Args:
        result: a verification of the whole ledger.
        books: more books of witnesses (a file or an address) with the key of the witness each.

    Raises:
        SafelightError: a book that was named cannot be read.
    """
    asked = [(one.book, one.key, False) for one in witnesses()] + [(place, key, True) for place, key in books]
    for place, key, named in asked:
        try:
            notes = read_all(_read(place))
        except SafelightError as error:
            if named:
                raise
            result.remarks.append(f"{key.name} could not be asked: {error}")
            continue
        compare(result, key, notes)
    _check_marks(result)
    if not asked:
        result.remarks.append("No witness was asked: whoever could rewrite the whole database would not be found.")


def _read(place: str) -> str:
    if place.startswith(("http://", "https://")):
        status, answer = over_http(place)
        if status != 200:
            raise WitnessError(f"{place} answered {status}.", fix="Has it cosigned anything yet?")
        return answer.decode(errors="replace")
    try:
        return Path(place).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise WitnessError(f"{place} cannot be read.", fix="Name a witness's book.") from error


def compare(result: Verification, key: VerifierKey, notes: Iterable[Note]) -> None:
    """Every checkpoint that ``key`` cosigned must be a beginning of this ledger; the first that is not is named."""
    total = LedgerSeal.objects.aggregate(n=Max("tree_size"))["n"] or 0
    agreed = 0
    mine = {}
    for note in notes:
        stated = note.verified(key) if note.checkpoint.origin == settings.LEDGER_ORIGIN else None
        if stated is not None:
            mine[note.checkpoint.size] = (note.checkpoint.root.hex(), stated)
    rows = LedgerSeal.objects.values_list("tree_size", "root")
    roots = dict(rows.filter(tree_size__in=list(mine)) if len(mine) < 900 else rows)
    for size, (root, stated) in sorted(mine.items()):
        seen = f"{key.name} cosigned {size} entries on {datetime.fromtimestamp(stated, UTC):%Y-%m-%d at %H:%M:%S} UTC"
        if size > total:
            said = f"{seen}, and {total} are sealed here: the last {size - total} were removed, or an older copy runs."
            result.add(min(agreed, total), size - 1, said)
            return
        if roots.get(size, "") != root and (size in roots or _root_over(size) != root):
            result.add(
                agreed, size - 1, f"{seen}, with another root: leaves {agreed} to {size - 1} are not those it saw. "
                "Somebody rewrote the database, hashes included.",
            )  # fmt: skip
            return
        agreed = size
    result.witnessed[key.name] = agreed


def _root_over(size: int) -> str:
    """The root over the first ``size`` leaves, where no seal ends."""
    below = LedgerSeal.objects.filter(tree_size__lte=size).order_by("-tree_size").first()
    return grown_from(below.tree_size if below else 0, size).root(size).hex()


def _check_marks(result: Verification) -> None:
    """What is kept with the seals must be over these seals: a seal whose root or time was changed has lost them."""
    keys = {one.key.name: one.key for one in witnesses()}
    for mark in SealMark.objects.select_related("seal").iterator(2_000):
        seal, fault = mark.seal, ""
        if mark.kind == SealMark.Kind.COSIGNATURE and mark.name in keys:
            try:
                note = Note.read(f"{checkpoint_of(seal).text.decode()}\n{mark.body}\n")
                stated = note.verified(keys[mark.name])
            except WitnessError:
                stated = None
            fault = "" if stated is not None else f"The cosignature of {mark.name}"
        elif mark.kind == SealMark.Kind.TIMESTAMP and settings.TSA_CERTIFICATES:
            from safelight.casework.ledger.timestamps import checked

            try:
                checked(mark)
            except WitnessError:
                fault = "The time-stamp"
        else:
            result.remarks.append(
                f"A {mark.get_kind_display().lower()} over {seal.tree_size} entries has no key to check it."
            )
        result.marks += not fault
        if fault:
            result.add(
                seal.tree_size - 1, seal.tree_size - 1, f"{fault} is not over the seal of {seal.tree_size} entries: "
                "the seal or the mark was changed.",
            )  # fmt: skip
