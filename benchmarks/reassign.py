"""Moving many cases at once: `python benchmarks/reassign.py [--cases 500]`, with DATABASE_URL for PostgreSQL.

    scripts/with-postgres .venv/bin/python benchmarks/reassign.py
    .venv/bin/python benchmarks/reassign.py

One officer's cases, each with five open clocks and an open action of its plan, go to twenty others and back, each time
in one transaction with one ledger entry for each case. Beside it stands the usual way, one case after the other with
the same checks (our own `reallocate`), timed on fewer cases and scaled. `timed` is called by casework.py too, in a
database that already holds cases.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

GOAL = 2_000  # ms for 500 cases
SINGLY = 40
TAKERS = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safelight-reassign-") as folder:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safelight.web.settings")
        os.environ["SAFELIGHT_DATA"] = folder
        os.environ.setdefault("SAFELIGHT_SECRET_KEY", "synthetic benchmark, not a secret, long enough to be taken")
        import safelight.standards

        os.environ["SAFELIGHT_SITE_STANDARDS"] = str(
            Path(safelight.standards.__file__).parent / "data" / "demo_site.toml"
        )
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        call_command("migrate", verbosity=0)
        print(f"{connection.vendor}, Python {platform.python_version()}, {os.cpu_count()} cores")
        many = timed(asked.cases, asked.rounds)
        one = singly(SINGLY)
        median = sorted(many)[len(many) // 2]
        print(f"{asked.cases} cases at once      median {median:8.0f} ms, most {max(many):8.0f} ms, goal {GOAL} ms")
        print(f"{SINGLY} cases one by one   {one * SINGLY:8.0f} ms, so {one * asked.cases:8.0f} ms for {asked.cases}")
        print(f"ratio                   {one * asked.cases / median:8.1f}")
        print("SORMAS publishes 15 to 20 minutes for a bulk edit of 300 cases (issue 3843), on its own machine.")


def timed(count: int = 500, rounds: int = 5) -> list[float]:
    """Milliseconds of each move of ``count`` cases, in the database that Django is set up for. The rows stay."""
    from django.db import transaction

    from safelight.casework.allocation.moving import Move, reassign_many

    supervisor, holder, takers = _people()
    cases = _cases(supervisor, holder, count)
    times, has = [], dict.fromkeys(cases, holder)
    for turn in range(rounds):
        # Out to twenty people, and back to the one: neither may take a case that it has.
        to = {case: takers[place % len(takers)] if turn % 2 == 0 else holder for place, case in enumerate(cases)}
        moves = [Move(case, to[case], has[case].pk) for case in cases]
        began = time.perf_counter()
        with transaction.atomic():
            reassign_many(supervisor, moves, code="absent", reason="Synthetic: away for three weeks.")
        times.append(1000 * (time.perf_counter() - began))
        has = to
    return times


def singly(count: int) -> float:
    """Milliseconds of one ``reallocate``, the mean of ``count``."""
    from safelight.casework.allocation.services import reallocate
    from safelight.casework.cases.models import Case

    supervisor, holder, takers = _people()
    rows = list(Case.objects.filter(pk__in=_cases(supervisor, holder, count)))
    began = time.perf_counter()
    for place, case in enumerate(rows):
        taker = takers[place % len(takers)]
        reallocate(supervisor, case, investigator=taker, code="absent", reason="Synthetic: away for three weeks.")
    return 1000 * (time.perf_counter() - began) / count


def _people() -> tuple[Any, Any, list[Any]]:
    from safelight.casework.accounts.models import User
    from safelight.casework.workforce.services import accredit, load_units

    units = {unit.code: unit for unit in load_units(None)}
    made = time.time_ns()

    def person(role: str, place: int) -> Any:
        name = f"Synthetic {role} {place} {made}"
        return User.objects.create(username=f"{role}-{made}-{place}", name=name, role=role, unit=units["CN"])

    supervisor, *others = [person("supervisor", 0), *(person("investigator", place) for place in range(TAKERS + 1))]
    from django.utils import timezone

    for other in others:
        accredit(None, user=other, skill="ocsae_investigator", valid_from=timezone.localdate() - timedelta(days=100))
    return supervisor, others[0], others[1:]


def _cases(supervisor: Any, holder: Any, count: int) -> list[int]:
    """Rows as the services leave them, written in bulk: making them is not what is measured."""
    from django.utils import timezone

    from safelight.casework.allocation.models import Allocation
    from safelight.casework.cases.models import Case
    from safelight.casework.clocks.models import Clock
    from safelight.casework.supervision.models import PlanAction

    now = timezone.now()
    common = {"unit": supervisor.unit, "opened_at": now, "opened_by": supervisor, "last_action_at": now}
    cases = Case.objects.bulk_create(
        Case(title=f"Synthetic {place}", risk="high", required_skill="ocsae_investigator", **common)
        for place in range(count)
    )
    Allocation.objects.bulk_create(
        Allocation(
            case=case, investigator=holder, allocated_by=supervisor, reason="Synthetic.", points=5, started_at=now
        )
        for case in cases
    )
    rules = ("police_referral_to_csc", "device_triage", "caid_upload", "warrant_from_intel", "supervisor_review")
    Clock.objects.bulk_create(
        Clock(
            rule=rule,
            subject_type="cases.case",
            subject_id=case.pk,
            subject_label=case.reference,
            case=case,
            unit=supervisor.unit,
            owner_role="supervisor" if rule == "supervisor_review" else "investigator",
            owner=None if rule == "supervisor_review" else holder,
            triggered_at=now,
            due_at=now + timedelta(days=2),
            standards_version="synthetic",
        )
        for case in cases
        for rule in rules
    )
    PlanAction.objects.bulk_create(
        PlanAction(case=case, text="Synthetic.", owner=holder, due_on=now.date(), added_by=supervisor, added_at=now)
        for case in cases
    )
    return [case.pk for case in cases]


if __name__ == "__main__":
    main()
