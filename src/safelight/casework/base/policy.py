"""The declared policy of a page: who may open it, and what opening it looks at.

Every route of the product carries one. A test walks the URL table and fails the build for a route without it
(issue A1: "a new route without a policy fails the build").
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import unquote

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import connection, models, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed

from safelight.casework.base.memory import remembering
from safelight.casework.base.once import once

PUBLIC = "public"
SIGNED_IN = "signed-in"
READS = ("GET", "HEAD")


@dataclass(frozen=True)
class Policy:
    """What a route declares.

    Args:
        rule: ``PUBLIC``, ``SIGNED_IN`` or the name of a permission of the ``rules`` library.
        looks: the kinds of record that a successful GET shows ("case", "person", "device", "list"...); each must be
            recorded with :func:`look` or the page fails loudly. Empty for a page that shows no record.
        unlogged: why a GET that shows a record writes no entry (only fragments of a page already logged).
        methods: HTTP methods answered; others get 405.
        only_reads: a POST changes nothing either (its question must not stand in an address).
    """

    rule: str
    looks: tuple[str, ...] = ()
    unlogged: str = ""
    methods: tuple[str, ...] = ("GET",)
    only_reads: bool = False


class Writes:
    """Watches the statements of one request: what was changed, and whether an entry of the ledger was written with it.

    What a request writes about itself (its session, its sheet, the jobs it asks for, a seal) is no change of a record,
    nor is what signing in counts: tries, waits, known addresses, when somebody came and went.
    """

    _OWN = (
        "ledger_", "django_session", "accounts_postedform", "django_tasks", "procrastinate",
        "axes_", "web_cache", "socialaccount_", "accounts_unknownsubject",
    )  # fmt: skip
    _STARTS = ("INSERT", "UPDATE", "DELETE")

    def __init__(self) -> None:
        self.changed, self.entered = "", False
        self._points: dict[str, tuple[str, bool]] = {}

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("SAVEPOINT"):
            self._points[sql.split()[-1]] = self.changed, self.entered
        elif sql.startswith("ROLLBACK TO"):  # a service refused after it had begun: what it wrote is gone
            self.changed, self.entered = self._points.get(sql.split()[-1], ("", False))
        if sql.startswith(self._STARTS):
            if "ledger_ledgerentry" in sql[:40]:
                self.entered = True
            elif not any(own in sql[:60] for own in self._OWN):
                self.changed = sql[:60]
        return execute(sql, params, many, context)


def page(
    rule: str,
    *,
    looks: str | tuple[str, ...] = (),
    unlogged: str = "",
    methods: tuple[str, ...] = ("GET",),
    only_reads: bool = False,
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Declare a view's policy and enforce it.

    The view runs in one transaction, so that what it shows or changes and the ledger entry stand or fall together.
    A request that changed a record without an entry in the ledger fails, and nothing of it is kept.
    Object-level checks stay in the view (``get_visible`` for 404, :func:`require` for 403).
    """
    policy = Policy(rule, (looks,) if isinstance(looks, str) else looks, unlogged, methods, only_reads)

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in {*policy.methods, "HEAD"}:
                return HttpResponseNotAllowed(policy.methods)
            if policy.rule != PUBLIC:
                if not request.user.is_authenticated:
                    return redirect_to_login(request.get_full_path())
                if policy.rule != SIGNED_IN and not request.user.has_perm(policy.rule):
                    raise PermissionDenied(f"Your role may not do this ({policy.rule}).")
            if "\x00" in unquote(request.META.get("QUERY_STRING", "")):
                # PostgreSQL keeps no such character, and no address of ours has one.
                raise Http404("The address holds a character that no record has.")
            request.looked_at = set()  # type: ignore[attr-defined]
            still = (policy.only_reads or request.method in READS) and request.user.is_authenticated
            memory = remembering(request.user) if still else nullcontext()
            watch = Writes()
            with transaction.atomic(), memory, connection.execute_wrapper(watch):
                response = once(request, lambda: view(request, *args, **kwargs))
                if watch.changed and not watch.entered:
                    # Within the transaction, so that nothing of it is kept.
                    raise RuntimeError(
                        f"{view.__module__}.{view.__name__} wrote {watch.changed} without a ledger entry."
                    )
            if request.method == "GET" and response.status_code == 200 and policy.looks and not policy.unlogged:
                missing = set(policy.looks) - request.looked_at  # type: ignore[attr-defined]
                if missing:
                    raise RuntimeError(f"{view.__module__}.{view.__name__} showed {missing} without a ledger entry.")
            return response

        guarded.policy = policy  # type: ignore[attr-defined]
        return guarded

    return decorate


def look(request: HttpRequest, kind: str, subject: models.Model | None = None, **payload: Any) -> None:
    """Record that the signed-in user consulted ``subject`` (or a list, with what it was filtered by and showed).

    DPA 2018 s.62 (consultation): who, when, and what, as far as possible.
    """
    from safelight.casework.ledger.services import record

    record(request.user, f"{kind}.viewed", subject, category="consultation", payload=payload)
    request.looked_at.add(kind)  # type: ignore[attr-defined]


def require(user: Any, rule: str, subject: Any) -> None:
    """Raise PermissionDenied unless ``user`` has ``rule`` over ``subject``."""
    if not user.has_perm(rule, subject):
        raise PermissionDenied(f"You may see {subject}, but your role may not do this to it ({rule}).")
