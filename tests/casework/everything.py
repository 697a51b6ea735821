"""One record for every parameter of every page, and everybody in every relation that the policy file knows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from allauth.socialaccount.models import SocialAccount
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from tests.casework.exchange.makers import Place
from tests.casework.factories import make_partner, make_user, make_whatif
from tests.casework.world import World
from tests.casework.world import world as make_world

from safelight.casework.accounts.models import Recovery, UnknownSubject
from safelight.casework.allocation.models import Conflict
from safelight.casework.base.permissions import permissions
from safelight.casework.base.routes import Route, routes
from safelight.casework.breakglass.services import break_glass
from safelight.casework.cases.models import Case, CaseAccess
from safelight.casework.notices.models import Notice
from safelight.casework.offenders.models import Naming, Offender, RegisterImport
from safelight.casework.oversight.figures import FIGURES
from safelight.casework.oversight.models import Extract, PublicReport
from safelight.casework.oversight.quality import RULES
from safelight.casework.sharing.models import Sharing

OURS = "safelight."
SIGN_IN_ROOM = ("account_", "mfa_", "openid_", "sign_in_again")
"""Signing in: who may depends on how far somebody is with it, not on roles; tests/web/security/test_states.py asks."""
PLAIN = ("holder", "own", "other", "conflict")
RESTRICTED = ("named", "restricted", "glass")
"""Relations to a case that is not restricted, and to one that is."""


def pages() -> list[Route]:
    """Every page of ours (those of libraries, such as signing in, answer before anybody is known)."""
    return [
        one
        for one in routes()
        if one.view.__module__.startswith(OURS)
        and one.name in permissions().routes
        and not one.name.startswith(SIGN_IN_ROOM)
    ]


def named() -> list[tuple[str, Any, tuple[str, ...]]]:
    """(name, view, parameters) of every address of the site."""
    return [(one.name, one.view, one.takes) for one in routes()]


ELSEWHERE = ("accounts:", "exchange:", "notices:", "oversight:", "plans:", "search:")
ROUTES = tuple(
    one.name
    for one in pages()
    if one.takes and "GET" in permissions().routes[one.name].steps and not one.name.startswith(ELSEWHERE)
)
"""Pages about one record of the case work: those that :func:`tests.casework.world.world` has a record for."""


def everything(tmp_path: Path, settings: Any, *, restricted: bool = False) -> World:
    """:func:`tests.casework.world.world`, and what it has no record for."""
    names = [one.name for one in pages() if one.takes]
    where = make_world(tmp_path, settings, names, restricted=restricted)
    now, known = timezone.now(), where.arguments
    settings.EVIDENCE_ROOT = tmp_path
    exchange = Place(settings, tmp_path) if not restricted else None
    for route in pages():
        if route.name.startswith("exchange:") and exchange is not None:
            known[route.name] = dict(zip(route.takes, exchange.arguments(route.name.split(":")[1]), strict=True))
    known |= _accounts(where, [name for name in names if name.startswith("accounts:")])
    plan = make_whatif(where.people["super"])
    known |= {name: {"reference": plan.reference} for name in names if name.startswith("plans:")}
    offender = Offender.objects.get_visible(where.people["super"], known["offenders:detail"]["reference"])
    naming = Naming.objects.create(
        offender=offender, referral=where.case.referrals.get(), how="exact", certain=True,
        found_at=now,
    )  # fmt: skip
    known["offenders:noted"] = {"reference": offender.reference, "pk": naming.pk}
    extract = Extract.objects.create(made_at=now, folder="none", digest="0" * 64)
    report = PublicReport.objects.create(
        quarter=f"{where.case.pk:04d}-Q3", policy="round5", extract=extract, tables=[], digest="0" * 64,
        content={"quarter": "2026-Q3", "figures": [], "changes": [], "cannot": []},
        proof={"hidden_share": 0.1, "targets": 1, "programmes": 1, "earlier": [], "disclosed": 0, "coarser": []},
        made_by=where.people["chief"], made_at=now, state="published", published_at=now,
    )  # fmt: skip
    report.folder.mkdir(parents=True)
    (report.folder / "report.html").write_text("Synthetic.")
    known |= {f"oversight:{name}": {"reference": report.reference} for name in ("report", "publish")}
    known["oversight:report_file"] = {"reference": report.reference, "name": "report.html"}
    known["oversight:figure"] = {"name": FIGURES[0].id}
    known["oversight:quality_rule"] = {"name": RULES[0].id}
    known["search:export"] = {"name": "cases"}
    like = {
        "devices:triage": "devices:detail", "devices:cancel": "devices:progress", "fleet:ask": "devices:detail",
        "fleet:take": "fleet:block", "submissions:resubmit": "submissions:detail",
        "submissions:write": "submissions:nothing", "allocation:accept": "cases:detail",
        "inspection:seal": "inspection:plan", "inspection:draw": "inspection:plan",
        "inspection:close": "inspection:plan", "breakglass:end": "breakglass:detail",
    }  # fmt: skip
    known |= {name: known[other] for name, other in like.items()}
    return where


def _accounts(where: World, names: list[str]) -> dict[str, dict[str, Any]]:
    """Somebody's account, with what each page of it needs."""
    now, head = timezone.now(), where.people["admin"]
    user = make_user("investigator", "CN")
    SocialAccount.objects.create(user=user, provider="force", uid=f"synthetic-{user.pk}")
    unknown = UnknownSubject.objects.create(
        provider="force", subject=f"unknown-{user.pk}", said="Synthetic", first_at=now, last_at=now
    )
    asked = Recovery.objects.create(
        user=user, reason="Synthetic.", identity="Synthetic.", asked_by=head, asked_at=now, password=False
    )
    made: dict[str, dict[str, Any]] = {name: {"username": user.username} for name in names}
    return made | {"accounts:subject": {"pk": unknown.pk}, "accounts:recovery": {"pk": asked.pk}}


def people_in(where: World, relation: str) -> Iterator[tuple[str, Any]]:
    """(role, somebody of it) for every role that can stand in ``relation`` to the case of ``where``.

    "restricted", "named" and "glass" need the case to be restricted: :func:`restrict`.
    """
    case, now = where.case, timezone.now()
    own = {
        "referral_desk": "desk", "investigator": "unit", "supervisor": "super", "examiner": "examiner",
        "administrator": "admin", "offender_manager": "offend", "custody_officer": "custody", "auditor": "auditor",
        "chief_officer": "chief",
    }  # fmt: skip
    agency = Sharing.objects.get(pk=Sharing.key_of(where.arguments["sharing:detail"]["reference"])).agency
    for role, relations in permissions().roles.items():
        if relation not in relations:
            continue
        without = role in ("auditor", "chief_officer", "exchange_manager", "administrator", "partner")
        if relation == "holder":
            user = where.people["has"]
        elif relation == "own" and role in own:
            user = where.people[own[role]]
        elif role == "partner":
            user = make_user("partner", None) if relation == "other" else make_partner(agency)
        else:
            user = make_user(role, None if without else "SW" if relation == "other" else "CN")
        if relation == "conflict":
            Conflict.objects.create(
                user=user, case=case, reason="Synthetic.", declared_by=where.people["super"], declared_at=now
            )
        if relation == "named":
            CaseAccess.objects.create(
                case=case, user=user, granted_by=where.people["super"], granted_at=now, reason="Synthetic."
            )
        if relation == "glass":
            with transaction.atomic():
                break_glass(user, reference=case.reference, why="child_at_risk", reason="Synthetic.", hours=1)
        yield role, user


def move_away(where: World) -> None:
    """The offender of ``where``, and the import of the register, are another unit's."""
    away = make_user("offender_manager", "SW")
    reference, batch = (where.arguments[name]["reference"] for name in ("offenders:detail", "offenders:batch"))
    Offender.objects.filter(pk=Offender.key_of(reference)).update(unit=away.unit, manager=away)
    RegisterImport.objects.filter(pk=RegisterImport.key_of(batch)).update(imported_by=away)


def restrict(where: World) -> None:
    """From now on the case is for those on its list alone."""
    Case.objects.filter(pk=where.case.pk).update(restricted=True)
    where.case.refresh_from_db()


def address(where: World, name: str, user: Any = None, **other: Any) -> str:
    """The address of a page for the records of ``where``, some of them replaced by ``other``; a notice is one's own."""
    if name == "notices:detail" and not other:
        mine = Notice.objects.filter(user=user).first() or Notice.objects.create(
            user=user, kind="clock.breached", at=timezone.now()
        )
        return reverse(name, kwargs={"reference": mine.reference})
    query = f"?referral={where.case.referrals.get().reference}" if name == "cases:open" else ""
    return reverse(name, kwargs={**where.arguments.get(name, {}), **other}) + query


def nowhere(arguments: dict[str, Any]) -> dict[str, Any]:
    """The same with the number of a record that does not exist."""
    made = dict(arguments)
    for name in ("reference", "pk"):
        if name in made:
            made[name] = f"{made[name].partition('-')[0]}-999999" if name == "reference" else 999_999
            break
    return made
