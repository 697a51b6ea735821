"""The sweep of the clocks at size: `python benchmarks/clocks.py [--clocks 1000000] [--due 100]`.

    .venv/bin/python benchmarks/clocks.py
    scripts/with-postgres --durable .venv/bin/python benchmarks/clocks.py

The clocks are written into the product's own tables (all constraints and indexes in place); one in five is open, the
others ended. Timed is the product's sweep: when no step has come, and when some have (with their ledger entries and
notices). Beside it, in the same run, the same sweep without its partial index: what a sweep costs that looks at all
open clocks to find those that are due, as nightly counters do.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

FIELDS = (
    "rule, stage, risk, subject_type, subject_id, subject_label, owner_role, triggered_at, due_at, duration, borough, "
    "sense, base_due_at, standards_version, stopped_at, stop_reason, not_applicable, next_step_at"
)


def rows(vendor: str, count: int) -> str:
    """The statement that writes ``count`` clocks: due one after the other from tomorrow on, four in five ended."""
    if vendor == "postgresql":
        series = f"SELECT i FROM generate_series(1, {count}) AS t(i)"
        begun, due = "now() - interval '1 day'", "now() + interval '1 day' + i * interval '1 second'"
    else:
        series = f"WITH RECURSIVE t(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM t WHERE i < {count}) SELECT i FROM t"
        begun = "strftime('%Y-%m-%d %H:%M:%f', 'now', '-1 day')"
        due = "strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 day', '+' || i || ' seconds')"
    ended = f"CASE WHEN i % 5 = 0 THEN NULL ELSE {begun} END"
    false = "false" if vendor == "postgresql" else "0"
    return (
        f"INSERT INTO clocks_clock ({FIELDS}) SELECT 'police_referral_to_csc', 'first', '', 'people.person', i, "
        f"'synthetic', 'investigator', {begun}, {due}, '24 hours', '', 'deadline', {due}, 'benchmark', {ended}, '', "
        f"{false}, {due} FROM ({series}) AS numbers"
    )


def times(what: Callable[[], object], repeats: int) -> list[float]:
    """Milliseconds of each of ``repeats`` calls."""
    made = []
    for _ in range(repeats):
        begun = time.perf_counter()
        what()
        made.append((time.perf_counter() - begun) * 1000)
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clocks", type=int, default=1_000_000)
    parser.add_argument("--due", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=20)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="safelight-clocks-") as folder:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "safelight.web.settings")
        os.environ["SAFELIGHT_DATA"] = folder
        os.environ["SAFELIGHT_DEBUG"] = ""
        os.environ["SAFELIGHT_TESTING"] = "1"
        import django

        django.setup()
        run(chosen, Path(folder))


def run(chosen: argparse.Namespace, folder: Path) -> None:
    """Fill, measure, print."""
    from django.core.management import call_command
    from django.db import connection
    from django.utils import timezone

    from safelight.casework.accounts.models import User
    from safelight.casework.clocks.escalation import due_clocks, sweep, sweep_once
    from safelight.casework.clocks.models import Clock

    call_command("migrate", verbosity=0)
    User.objects.create(username="chief", name="Synthetic chief", role="chief_officer")
    begun = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute(rows(connection.vendor, chosen.clocks))
        cursor.execute("ANALYZE")
    version = ".".join(map(str, connection.get_database_version()))
    print(f"{connection.vendor} {version}, Python {platform.python_version()}, {os.cpu_count()} cores")
    print(
        f"{Clock.objects.count():,} clocks, {Clock.objects.open().count():,} open ({time.perf_counter() - begun:.0f} s)"
    )
    explain = due_clocks(timezone.now())[:1000].explain()
    print("plan:", " / ".join(line.strip() for line in explain.splitlines()))
    assert "clocks_next_step" in explain

    none = times(lambda: sweep_once(), chosen.repeats)
    keys = list(Clock.objects.open().order_by("due_at").values_list("pk", flat=True)[: chosen.due])
    then = timezone.now() - timedelta(minutes=1)
    Clock.objects.filter(pk__in=keys).update(
        due_at=then, base_due_at=then, next_step_at=then, triggered_at=then - timedelta(days=1)
    )
    some = times(lambda: sweep(), 1)
    assert Clock.objects.filter(alerted_at__isnull=False).count() == len(keys)
    assert sweep() == []
    index = next(one for one in Clock._meta.indexes if one.name == "clocks_next_step")
    with connection.schema_editor() as editor:
        editor.remove_index(Clock, index)
    without = times(lambda: sweep_once(), 5)
    print(f"nothing due, our sweep            median {statistics.median(none):8.2f} ms, worst {max(none):8.2f} ms")
    print(f"{len(keys)} due, told and in the ledger  {some[0]:8.0f} ms ({some[0] / max(len(keys), 1):.1f} ms each)")
    print(f"nothing due, without the index    median {statistics.median(without):8.2f} ms")
    print(f"ratio {statistics.median(without) / statistics.median(none):.0f} to 1")


if __name__ == "__main__":
    main()
