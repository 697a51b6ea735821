"""Showing the newest seal to the witnesses and to the time-stamp authority. If they are away, it waits and says so.

Only the newest seal is shown; by its consistency proof a witness's cosignature covers all seals before it.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone

from safelight.casework.ledger.models import Category, LedgerSeal, Outsider, SealMark
from safelight.casework.ledger.outside import WitnessAddress, checkpoint_of, over_http, signed, witnesses
from safelight.casework.ledger.services import record
from safelight.casework.ledger.verify import grown_from
from safelight.errors import SafelightError
from safelight.tlog.errors import WitnessError
from safelight.tlog.notes import Note

logger = logging.getLogger(__name__)
#: One that does not answer is asked again after so long.
AGAIN_AFTER = timedelta(seconds=30)
TSA = "time-stamp authority"


class Contradiction(SafelightError):
    """A witness has seen another ledger than this one."""


def show_newest_seal() -> list[str]:
    """Ask every witness and the time-stamp authority about the newest seal, unless they have seen it already.

    Returns:
        One sentence for each that does not answer or refuses.
    """
    seal = LedgerSeal.objects.order_by("-tree_size").first()
    if seal is None:
        return []
    problems = []
    for witness in witnesses():
        problems.append(_ask(witness.key.name, seal, lambda row, w=witness: _cosigned(w, seal, row.seen_size)))
    if settings.TSA_URL:
        from safelight.casework.ledger.timestamps import stamp

        problems.append(_ask(TSA, seal, lambda row: stamp(seal), every=timedelta(seconds=settings.TSA_EVERY)))
    return [one for one in problems if one]


def _ask(name: str, seal: LedgerSeal, ask: Callable[[Outsider], SealMark], *, every: timedelta = timedelta(0)) -> str:
    row, _ = Outsider.objects.get_or_create(name=name)
    now = timezone.now()
    if row.seen_size == seal.tree_size or (row.seen_at and abs(now - row.seen_at) < every):
        return ""
    if row.problem and row.tried_at and abs(now - row.tried_at) < AGAIN_AFTER:
        return row.problem
    try:
        mark = ask(row)
    except Contradiction as error:
        _refused(row, error, now)
        return row.problem
    except SafelightError as error:
        problem = f"{name} has not seen the newest seal: {error}"[:300]
        since = row.failing_since or now
        Outsider.objects.filter(pk=row.pk).update(problem=problem, failing_since=since, tried_at=now)
        logger.warning("%s", problem)
        return problem
    with transaction.atomic():
        SealMark.objects.get_or_create(
            seal=seal, kind=mark.kind, name=mark.name, defaults={"at": mark.at, "body": mark.body}
        )
        Outsider.objects.filter(pk=row.pk).update(
            seen_size=seal.tree_size, seen_at=now, tried_at=now, problem="", failing_since=None, refused=False
        )
    return ""


def _refused(row: Outsider, error: Contradiction, now: datetime) -> None:
    """Tell the administrators, once for each thing that is said."""
    from safelight.casework.notices.services import tell

    problem = f"{row.name} refuses the ledger: {error}"[:300]
    with transaction.atomic():
        Outsider.objects.filter(pk=row.pk).update(
            problem=problem, failing_since=row.failing_since or now, tried_at=now, refused=True
        )
        if row.problem != problem:
            logger.error("%s", problem)
            record(
                None,
                "ledger.refused",
                None,
                category=Category.SYSTEM,
                payload={"witness": row.name, "said": str(error)},
            )
            people = get_user_model().objects.filter(role="administrator", is_active=True)
            tell(people, "ledger.refused", None, key=f"{row.name} {now:%Y-%m-%d %H:%M:%S}")
    row.problem = problem


def _cosigned(witness: WitnessAddress, seal: LedgerSeal, seen: int) -> SealMark:
    """A witness's cosignature of ``seal``.

    Raises:
        Contradiction: the witness has seen something that this ledger does not continue.
        WitnessError: it does not answer, or not as a witness does.
    """
    for _ in range(2):
        status, answer = over_http(f"{witness.url}/add-checkpoint", _request(seal, seen).encode())
        if status == 200:
            text = f"{checkpoint_of(seal).text.decode()}\n{answer.decode(errors='replace')}"
            stated = Note.read(text).verified(witness.key)
            if stated is None:
                raise WitnessError("Its answer is not signed with the key of the witness file.")
            at = datetime.fromtimestamp(stated, UTC)
            return SealMark(
                seal=seal, kind=SealMark.Kind.COSIGNATURE, name=witness.key.name, at=at, body=answer.decode().strip()
            )
        if status == 422:
            raise Contradiction(f"The {seal.tree_size} entries here do not continue the {seen} that it saw.")
        if status != 409:
            raise WitnessError(f"It answered {status}: {answer.decode(errors='replace').strip()[:120]}")
        size = int(answer) if answer.strip().isdigit() and len(answer) < 20 else -1
        if size > seal.tree_size:
            raise Contradiction(f"It saw {size} entries, and here are {seal.tree_size}: an older copy runs.")
        if size == seen or size < 0:
            raise Contradiction(f"It saw another root over the first {seen} entries.")
        seen = size
    raise WitnessError("Another process asks it at the same time.")


def _request(seal: LedgerSeal, seen: int) -> str:
    proof: list[bytes] = []
    if 0 < seen < seal.tree_size:
        known = LedgerSeal.objects.filter(tree_size__lte=seen).order_by("-tree_size").first()
        proof = grown_from(known.tree_size if known else 0, seal.tree_size).consistency(seen, seal.tree_size)
    lines = "".join(f"{base64.b64encode(one).decode()}\n" for one in proof)
    return f"old {seen}\n{lines}\n{signed(seal)}"
