"""The pages of this site as they are: name, address, parameters and declared policy; and whether permissions.toml says
the same of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from safelight.casework.base.permissions import ACCESS_OF_ALL, PUBLIC, Permissions, permissions
from safelight.casework.base.policy import Policy

ONLY_IN_DEMO = ("styleguide",)
"""Routes that exist in the demo, in debug mode and in tests alone."""


@dataclass(frozen=True)
class Route:
    """One address of the site. ``takes`` are its parameters; ``policy`` is None where the view declares none."""

    name: str
    address: str
    takes: tuple[str, ...]
    view: Any
    policy: Policy | None


def routes(resolver: Any = None, space: str = "", before: str = "", takes: tuple[str, ...] = ()) -> Iterator[Route]:
    """Every named address of the site, in the order of the URL table."""
    for one in (resolver or get_resolver()).url_patterns:
        address = before + str(one.pattern)
        params = (*takes, *one.pattern.converters)
        if isinstance(one, URLResolver):
            yield from routes(one, f"{one.namespace}:" if one.namespace else space, address, params)
        elif isinstance(one, URLPattern):
            yield Route(f"{space}{one.name}", address, params, one.callback, getattr(one.callback, "policy", None))


def disagreements(said: Permissions | None = None) -> list[str]:
    """Where the code and the policy file say different things: one sentence each, with what to do. Empty is right."""
    said = said or permissions()
    found: list[str] = []
    here = {route.name: route for route in routes()}
    for name, route in here.items():
        if route.policy is None:
            found.append(f"{name} ({route.address}) declares no policy: put @page(...) on its view.")
        elif name not in said.routes:
            found.append(f"{name} ({route.address}) has no row in permissions.toml. Add: {example(route)}")
        else:
            found += _at_odds(route, said)
    missing = set(said.routes) - set(here) - set(ONLY_IN_DEMO)
    found += [f"permissions.toml has a row for {name}, which is no page: remove it." for name in sorted(missing)]
    missing = set(said.sign_in) - set(here) - {"*", *ONLY_IN_DEMO}
    found += [f"[sign_in] has a row for {name}, which is no page: remove it." for name in sorted(missing)]
    public = {name for name, row in said.routes.items() if row.rule == PUBLIC}
    found += [
        f"[sign_in] lacks a row for {name}, which is public: add it." for name in sorted(public - set(said.sign_in))
    ]
    used = {step.access for row in said.routes.values() for step in row.steps.values()}
    found += [f"[access.{name}] is used by no row: remove it." for name in sorted(set(said.access) - used)]
    return found


def _at_odds(route: Route, said: Permissions) -> Iterator[str]:
    row, policy = said.routes[route.name], route.policy
    assert policy is not None
    if row.rule != policy.rule:
        yield f"{route.name}: its view asks for {policy.rule!r}, permissions.toml says {row.rule!r}."
    if set(row.steps) != set(policy.methods):
        yield f"{route.name}: its view answers {sorted(policy.methods)}, permissions.toml says {sorted(row.steps)}."
    if (row.rule == PUBLIC) != any(step.access == ACCESS_OF_ALL for step in row.steps.values()):
        yield f"{route.name}: 'public' as its rule and as its access go together."
    get = row.steps.get("GET")
    if get is not None and policy.looks and "consultation" not in get.records and not policy.unlogged:
        yield f"{route.name}: its view records a look at {policy.looks}, permissions.toml says {get.records}."


def example(route: Route) -> str:
    """A row for a new page, to be completed by hand."""
    policy = route.policy or Policy("...")
    get = "consultation" if policy.looks else "none: why"
    steps = [f'"{method} ACCESS {get if method == "GET" else "alteration"}"' for method in policy.methods]
    return f'"{route.name}" = ["{policy.rule}", {", ".join(steps)}]'
