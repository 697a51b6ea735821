"""Building the demo: accounts, device images, hash sets, and some weeks of history."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from safelight.casework.cases.models import Case
from safelight.casework.clocks.models import Clock
from safelight.casework.ledger.models import Category, LedgerEntry
from safelight.casework.ledger.services import record, seal
from safelight.casework.plans.services import make_plan
from safelight.casework.plans.tasks import run_whatif
from safelight.casework.referrals.services import import_file
from safelight.demo.audits import audit_story, recommendation_story
from safelight.demo.children import custody_stories, safeguarding_story
from safelight.demo.companies import DAYS as COMPANY_DAYS
from safelight.demo.companies import companies_story
from safelight.demo.evidence import Bench
from safelight.demo.force import build_force
from safelight.demo.glass import glass_story
from safelight.demo.history import Story, play
from safelight.demo.imports import example_imports
from safelight.demo.laboratory import build_ends, build_identification, laboratory_story
from safelight.demo.links import build_links
from safelight.demo.notices import read_old_notices
from safelight.demo.offenders import offenders_story
from safelight.demo.oversight import oversight_story
from safelight.demo.sign_in import HOME_UNIT
from safelight.demo.staff import build_staff
from safelight.demo.stories import CAST, World, referral_story, regular_work

DAYS = 75
RUNS = 12
LATELY = (30, 28, 45, 50)  # hours before now at which the parts of the cast begin
SEED = 20161125  # the day the first of the founding reports was published

Progress = Callable[[str, int, int], None]


def build_demo(
    data: Path, *, cases: int = 260, runs: int = RUNS, on_progress: Progress | None = None
) -> dict[str, Any]:
    """Build the whole demo into an empty, migrated database.

    Args:
        data: the demo's folder; evidence goes to ``data/evidence``.
        cases: how many referrals the history holds.
        runs: how many devices are triaged during the history.
        on_progress: called with (what, done, total).

    Returns:
        What was built, in figures.
    """
    tell = on_progress or (lambda what, done, total: None)
    rng = random.Random(SEED)  # noqa: S311 - chance for a demo, not for secrets
    now = timezone.now()
    start = now - timedelta(days=DAYS)
    bench = Bench(data / "evidence", rng, home=HOME_UNIT, runs=runs)
    bench.stock_up(lambda done, total, what: tell("Device images", done, total))
    with transaction.atomic():
        force = build_force(start.date())
        record(None, "demo.built", category=Category.SYSTEM, payload={"cases": cases, "seed": SEED})
    bench.import_hash_sets(force.examiners[0], data / "lists")
    world = World(force=force, bench=bench, rng=rng, now=now)
    arrivals = sorted(start + timedelta(days=rng.uniform(0, DAYS)) for _ in range(cases))
    stories: list[tuple[datetime, Story]] = [(moment, referral_story(world, moment)) for moment in arrivals]
    for place, part in enumerate(CAST):
        moment = now - timedelta(hours=LATELY[place % len(LATELY)])
        stories.append((moment, referral_story(world, moment, part)))
    stories.append((start, regular_work(start)))
    stories.append((now - timedelta(hours=7), _imports(force.desk[0])))
    month_ago = now - timedelta(days=COMPANY_DAYS)
    stories.append((month_ago, companies_story(force.exchange_manager, rng, month_ago, now)))
    stories.append((now - timedelta(days=30), audit_story(force, random.Random(SEED), now)))  # noqa: S311
    stories.append((now - timedelta(days=70), recommendation_story(force, now)))
    day_ago = now - timedelta(hours=26)
    stories += [(day_ago, safeguarding_story(force, day_ago)), *custody_stories(force, now)]
    stories.append((start, laboratory_story(force, start + timedelta(days=12), now - timedelta(hours=1))))
    stories.append((start, offenders_story(force, random.Random(SEED), now)))  # noqa: S311 - chance for a demo
    night = now - timedelta(hours=31)
    stories.append((night, glass_story(force, night)))
    total = DAYS
    play(stories, until=now, on_progress=lambda moment: tell("History", (moment - start).days, total))
    tell("History", total, total)
    _plan(force.supervisors[HOME_UNIT])
    tell("Who is who", 0, 1)
    build_links(world.cast)
    tell("Who is who", 1, 1)
    oversight_story(force.chief)
    build_staff(force)
    read_old_notices(now - timedelta(days=2))
    build_identification(force)
    build_ends(force)
    bench.leave_waiting(force.examiners[0], 2)
    while seal():
        pass
    return {
        "cases": Case.objects.count(),
        "clocks": Clock.objects.count(),
        "ledger_entries": LedgerEntry.objects.count(),
    }


def _plan(supervisor: Any) -> None:
    """One question to the model of a force, worked out: what if 40 specialists leave, and what would help?"""
    pooled = {"staff.leaving": 40, "teams": 1, "skill.generalist_share.medium": 0.4, "staff.generalists": "+20"}
    row = make_plan(
        supervisor,
        title="What if 40 specialists leave, and what would help?",
        scenario={"name": "40 leave", "changes": {"staff.leaving": 40}, "rule": "growing"},
        more=[{"name": "40 leave, one pooled team, 20 others trained", "changes": pooled, "rule": "growing"}],
        rule="growing",
        years=2.0,
        replications=10,
    )
    run_whatif(row.pk)


def _imports(desk: Any) -> Story:
    """Two files arrive: one of our own format with a faulty record, one CyberTipline-style report."""
    for name, content in example_imports(timezone.now()):
        import_file(desk, name=name, content=content)
    return
    yield
