"""For machines that watch: is the site up, is it ready for people, how much does it do."""

from __future__ import annotations

from functools import cache
from hmac import compare_digest

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from safelight.casework.base.policy import PUBLIC, Policy
from safelight.casework.ciphers.keys import ring as field_keys
from safelight.errors import SafelightError


@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """200 ``ok`` when the database answers, 503 when it does not. Says nothing else."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
    except DatabaseError:
        return _said("database does not answer", 503)
    return _said("ok")


@never_cache
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """200 ``ready`` when people can work: the database answers, its tables fit the program, the standards are read, the
    keys of encrypted fields are there and the data folder can be written to. Otherwise 503 and which of them it is.
    """
    from safelight.web.production import places

    try:
        if not _tables_fit():
            return _said("tables are older than the program: run migrate", 503)
    except DatabaseError:
        return _said("database does not answer", 503)
    try:
        _standards()
    except SafelightError:
        return _said("standards cannot be read: run safelight standards", 503)
    try:
        field_keys()
    except SafelightError:
        return _said("the key file of encrypted fields is missing or damaged: run safelight check", 503)
    if any(finding.code != "data.mode" for finding in places.data_folder()):
        return _said("data folder cannot be written to", 503)
    return _said("ready")


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Figures for Prometheus, for whoever has the token; without one set there is no such page."""
    token = settings.METRICS_TOKEN
    if not token:
        raise Http404
    given = request.headers.get("Authorization", "")
    if not compare_digest(given.encode("utf-8", "replace"), f"Bearer {token}".encode()):
        refused = _said("the token is missing or wrong", 401)
        refused["WWW-Authenticate"] = "Bearer"
        return refused
    from safelight.web.metrics import text

    return HttpResponse(text(), content_type="text/plain; version=0.0.4; charset=utf-8")


def _said(words: str, status: int = 200) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain")


_FITS: list[bool] = []


def _tables_fit() -> bool:
    """Whether every migration was made. Once they were, they stay made while this process lives."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    if not _FITS:
        from django.db.migrations.executor import MigrationExecutor

        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _FITS.append(True)
    return True


@cache
def _standards() -> None:
    from safelight.standards import load_standards

    load_standards(site=settings.SITE_STANDARDS)


# Declared by hand: the usual decorator opens a transaction, which fails before we can say that the database is gone.
for _view in (healthz, readyz, metrics):
    _view.policy = Policy(PUBLIC)  # type: ignore[attr-defined]

PROBES = {"/healthz": healthz, "/readyz": readyz, "/metrics": metrics}
"""Answered before hosts, sessions and redirects are looked at: those who watch ask the process by its own address."""
