"""Figures of the running site for Prometheus. No label holds anything of a case or a person: routes are patterns.

What happens in the processes that answer (requests) is counted there; `safelight serve` makes them share their counts.
What lies in the database and the data folder is asked when somebody scrapes, at most every few seconds.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.models import Count
from django.utils import timezone
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from safelight import __version__
from safelight.web import alive

SHARED = "PROMETHEUS_MULTIPROC_DIR"
KEEP = 5.0  # seconds that figures of the database are kept: a hasty scraper must not be a load
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

_registry = CollectorRegistry()
REQUESTS = Histogram(
    "safelight_request_seconds",
    "Time to answer a request.",
    ("method", "route", "status"),
    buckets=BUCKETS,
    registry=_registry,
)
FAULTS = Counter("safelight_faults", "Requests that ended with a fault of ours.", registry=_registry)


def text() -> bytes:
    """Everything, in Prometheus' text format."""
    if os.environ.get(SHARED):
        registry = CollectorRegistry()
        MultiProcessCollector(registry)
    else:
        registry = _registry
    return generate_latest(registry) + generate_latest(_stored)


class Stored:
    """What the database and the data folder say, kept for some seconds."""

    def __init__(self) -> None:
        self._at = float("-inf")
        self._last: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        """Called by the registry."""
        if time.monotonic() - self._at >= KEEP:
            began = time.perf_counter()
            found = [*of_processes()]
            up = 1
            try:
                for side in (of_places, of_queues, of_clocks, of_ledger, of_letters):
                    found += side()
            except DatabaseError:
                up = 0  # what the processes count is told all the same
            found.append(gauge("database_up", "Whether the database could be asked for all figures.", up))
            found.append(gauge("scrape_seconds", "Time to ask for these figures.", time.perf_counter() - began))
            self._last = found
            self._at = time.monotonic()
        yield from self._last


def gauge(name: str, what: str, value: float) -> Metric:
    return GaugeMetricFamily(f"safelight_{name}", what, value=value)


def of_processes() -> Iterator[Metric]:
    version = GaugeMetricFamily("safelight_version", "The version that answers; always 1.", labels=["version"])
    version.add_metric([__version__], 1)
    yield version
    processes = GaugeMetricFamily(
        "safelight_processes", "Ticks and workers by whether they give signs of life.", labels=["kind", "state"]
    )
    limit = {"worker": max(settings.WORKER_DEAD_AFTER, 3 * alive.EVERY), "tick": 60.0}
    counts = {(kind, state): 0 for kind in limit for state in ("alive", "silent")}
    figures: dict[str, float] = {}
    for sign in alive.signs():
        if sign.kind in limit:
            living = sign.silent <= limit[sign.kind]
            counts[sign.kind, "alive" if living else "silent"] += 1
            if living:
                figures |= sign.figures
    for labels, value in counts.items():
        processes.add_metric(list(labels), value)
    yield processes
    for name, what in (("tick_seconds", "The whole of the last tick."), ("sweep_seconds", "Its sweep of the clocks.")):
        if name in figures:
            yield gauge(name, what, figures[name])


def of_places() -> Iterator[Metric]:
    data = Path(settings.DATA)
    if data.is_dir():
        yield gauge("disk_free_bytes", "Room on the disk of the data folder.", shutil.disk_usage(data).free)
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_database_size(current_database())")
            size = cursor.fetchone()[0]
    else:
        name = str(connection.settings_dict["NAME"])
        size = sum(Path(name + end).stat().st_size for end in ("", "-wal") if Path(name + end).exists())
    yield gauge("database_bytes", "Size of the database.", size)


def of_queues() -> Iterator[Metric]:
    from safelight.casework.devices.models import TriageRun
    from safelight.casework.ledger.models import LedgerEntry
    from safelight.web.production.running import seconds_since

    runs = GaugeMetricFamily("safelight_triage_runs", "Triage runs that are not over.", labels=["state"])
    live = (TriageRun.State.QUEUED, TriageRun.State.RUNNING)
    counts = dict(TriageRun.objects.filter(state__in=live).values_list("state").annotate(n=Count("pk")))
    for state in live:
        runs.add_metric([str(state)], counts.get(state, 0))
    yield runs
    oldest = TriageRun.objects.filter(state=TriageRun.State.QUEUED).order_by("queued_at")
    yield gauge(
        "triage_wait_seconds",
        "How long the triage run has waited that waits longest.",
        seconds_since(oldest.values_list("queued_at", flat=True).first()),
    )
    jobs = GaugeMetricFamily("safelight_jobs_waiting", "Jobs that no worker has taken yet.", labels=["queue"])
    if connection.vendor == "postgresql":
        from procrastinate.contrib.django.models import ProcrastinateJob

        waiting = ProcrastinateJob.objects.filter(status="todo").values_list("queue_name")
    else:
        from django_tasks_db.models import DBTaskResult

        waiting = DBTaskResult.objects.filter(status="READY").values_list("queue_name")
    # How a bench is called is no secret and no person; the default queue is always named.
    for queue, count in ({"default": 0} | dict(waiting.annotate(n=Count("pk")))).items():
        jobs.add_metric([str(queue)], count)
    yield jobs
    yield CounterMetricFamily(
        "safelight_work_taken_over",
        "Pieces of work whose worker had died.",
        value=LedgerEntry.objects.filter(verb="triage.taken_over").count(),
    )


def of_clocks() -> Iterator[Metric]:
    from safelight.casework.clocks.escalation import due_clocks
    from safelight.web.production.running import oldest_clock_step, seconds_since

    yield gauge("clock_steps_due", "Steps of clocks that the next tick takes.", due_clocks(timezone.now()).count())
    yield gauge("clock_step_late_seconds", "How late the latest of them is.", seconds_since(oldest_clock_step()))


def of_ledger() -> Iterator[Metric]:
    from safelight.casework.ledger.models import LedgerEntry, LedgerSeal
    from safelight.web.production.running import oldest_unsealed, seconds_since

    # The highest number: counting ten million rows at each scrape would be a load.
    highest = LedgerEntry.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    sealed = LedgerSeal.objects.order_by("-tree_size").values_list("tree_size", flat=True).first() or 0
    yield gauge("ledger_entries", "Number of the newest entry of the ledger.", highest)
    yield gauge("ledger_sealed", "Entries under the newest root.", sealed)
    yield gauge("ledger_unsealed_seconds", "Age of the oldest entry without a seal.", seconds_since(oldest_unsealed()))


def of_letters() -> Iterator[Metric]:
    from safelight.casework.notices.models import Letter

    waiting = Letter.objects.filter(next_try_at__isnull=False).count()
    yield gauge("letters_waiting", "Letters that have not left yet.", waiting)


_stored = CollectorRegistry()
_stored.register(Stored())
