"""Platforms, banks and keys for the tests of the exchange, made through the services."""

from __future__ import annotations

from itertools import count
from typing import Any

from tests.casework.factories import make_user

from safelight.casework.exchange import banks, services
from safelight.casework.exchange.models import ApiKey, Bank, Platform
from safelight.exchange.keys import SCOPES

_numbers = count(1)


def manager() -> Any:
    return make_user("exchange_manager", unit=None)


def make_own_bank(actor: Any, name: str = "") -> Bank:
    return banks.make_bank(actor, name=name or f"OWN_{next(_numbers)}", purpose="Synthetic.")


def make_platform(actor: Any, *, held: Any = (), **fields: Any) -> Platform:
    return services.add_platform(
        actor,
        **{
            "name": f"Example Social {next(_numbers)} (synthetic)",
            "contact": "Example Contact",
            "contact_email": "trust@example.org",
            "agreement": "Synthetic agreement for a test.",
            "per_minute": 10_000,
            "per_day": 100_000,
            "banks": held,
            **fields,
        },
    )


def make_key(actor: Any, platform: Platform, *, scopes: Any = tuple(SCOPES), days: int = 30) -> tuple[ApiKey, str]:
    return services.issue_key(actor, platform, label="Synthetic", scopes=list(scopes), days=days)
