"""Platforms, banks and keys for the tests of the exchange, made through the services."""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import Any

from django.urls import reverse
from django.utils import timezone
from tests.casework.factories import make_user

from safelight.casework.exchange import banks, notices, reports, services
from safelight.casework.exchange.models import ApiKey, Bank, Hit, LookupTally, Platform
from safelight.casework.hashsets.models import HashSetRecord
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


LISTS = ("index", "hits", "banks", "reports", "notices", "availability")
ALONE = ("add_platform", "make_bank", "send_notice", "export")


class Place:
    """One of everything in the exchange."""

    def __init__(self, settings: Any, tmp_path: Any) -> None:
        settings.DATA = tmp_path
        now = timezone.now()
        self.boss = manager()
        self.bank = make_own_bank(self.boss, "KNOWN")
        self.content = banks.add_content(self.boss, self.bank, signals={"md5": "0a" * 16}, note="Synthetic.")
        shared = HashSetRecord.objects.create(
            name="Synthetic list", kind="known", version="1", root="0" * 64, folder="x", source="Synthetic",
            legal_basis="Synthetic", file_name="x", file_sha256="0" * 64, format="csv", imported_at=now,
            imported_by=self.boss, counts={"entries": 3, "by_category": {}, "by_hash": {}, "rejected": 0},
        )  # fmt: skip
        self.list = banks.make_bank(self.boss, name="LIST", purpose="Synthetic.", hash_set=shared)
        banks.withdraw(self.boss, self.list, 1, reason="Synthetic.")
        self.platform = make_platform(self.boss, held=[self.bank])
        self.key, self.token = make_key(self.boss, self.platform)
        self.stopped, _ = make_key(self.boss, self.platform)
        services.suspend_key(None, self.stopped, rule="cluster", counted=140)
        LookupTally.objects.create(
            key=self.key, hour=now.replace(minute=0, second=0, microsecond=0), lookups=1234, hits=1
        )
        self.hit = Hit.objects.create(
            platform=self.platform, key=self.key, bank=self.bank, content=self.content.pk, algorithm="md5", distance=0,
            request="00000000-0000-0000-0000-000000000001", at=now,
        )  # fmt: skip
        self.report, _ = reports.receive_report(
            self.platform, signal_type="md5", signal="0a" * 16, detected_at=now - timedelta(hours=30),
            url="https://example.org/x", request=self.hit.request,
        )  # fmt: skip
        self.notice = notices.send_notice(
            self.boss, self.platform, url="https://example.org/x", recipient="Trust team",
            sent_at=now - timedelta(hours=30),
        )  # fmt: skip

    def arguments(self, name: str) -> list[Any]:
        row = {
            "lift_suspension": self.stopped, "rotate_key": self.key, "revoke_key": self.key, "suspend_key": self.key,
            "bank": self.bank, "change_bank": self.list, "add_content": self.bank, "withdraw": self.bank,
            "report": self.report, "complete_report": self.report,
            "notice": self.notice, "chase": self.notice, "removed": self.notice, "refused": self.notice,
        }  # fmt: skip
        if name in (*LISTS, *ALONE):
            return []
        if name == "restore":
            return [self.list.reference, self.list.withdrawn_rows.get().pk]
        return [row.get(name, self.platform).reference]

    def at(self, name: str) -> str:
        return reverse(f"exchange:{name}", args=self.arguments(name))
