"""Every route declares who may open it and what looking at it records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import rules
from django.urls import URLPattern, URLResolver, get_resolver

from safelight.casework.base.policy import PUBLIC, SIGNED_IN, Policy
from safelight.casework.base.routes import disagreements
from safelight.casework.ledger.registry import VERBS


def routes(resolver: Any = None, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for pattern in (resolver or get_resolver()).url_patterns:
        where = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from routes(pattern, where)
        elif isinstance(pattern, URLPattern):
            yield where, pattern.callback


CASEWORK = [(where, view) for where, view in routes() if view.__module__.startswith("safelight.casework.")]


def test_there_are_routes():
    """Otherwise the tests below prove nothing."""
    assert len(CASEWORK) > 20


@pytest.mark.parametrize(("where", "view"), CASEWORK, ids=[where for where, _ in CASEWORK])
def test_every_route_has_a_policy_whose_rule_exists(where, view):
    """Otherwise a new page is open to whoever finds its address."""
    policy = getattr(view, "policy", None)
    assert isinstance(policy, Policy), f"{where} declares no policy"
    assert policy.rule != PUBLIC, f"{where} would show case work without signing in"
    assert policy.rule == SIGNED_IN or rules.perm_exists(policy.rule), f"{where}: no rule {policy.rule}"
    for kind in policy.looks:
        assert f"{kind}.viewed" in VERBS, f"{where}: looking at a {kind} has no ledger verb"
    if policy.unlogged:
        assert policy.looks, f"{where} says why nothing is logged, but not what is shown"


def test_code_and_policy_file_say_the_same():
    """Who may would be declared in one way and done in another. What to write for a new page stands in the message."""
    found = disagreements()
    assert not found, "\n".join(found)
