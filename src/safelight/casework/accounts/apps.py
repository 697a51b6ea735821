from __future__ import annotations

from django.apps import apps

from safelight.casework.base.apps import CaseworkApp


class AccountsConfig(CaseworkApp):
    name = "safelight.casework.accounts"
    label = "accounts"
    default = True  # the base class stands in this module too

    def ready(self) -> None:
        super().ready()
        if apps.is_installed("allauth.account"):  # at the exchange nobody signs in
            import safelight.casework.accounts.sessions  # noqa: F401  it listens to sign-ins
