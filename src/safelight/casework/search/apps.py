from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models.signals import post_migrate, post_save, pre_migrate

from safelight.casework.base.apps import CaseworkApp


class SearchConfig(CaseworkApp):
    name = "safelight.casework.search"
    label = "search"
    default = True  # the base class stands in this module too

    def ready(self) -> None:
        super().ready()
        # SQLite drops the triggers of a table that a migration remakes: they are taken off before and put on after.
        pre_migrate.connect(_off, sender=self)
        post_migrate.connect(_on, sender=self)
        post_save.connect(_names, sender="people.Person")


def _off(using: str, plan: Any = (), **_: Any) -> None:
    if plan and connections[using].vendor == "sqlite":  # PostgreSQL keeps them, and need not fill the index again
        from safelight.casework.search.triggers import remove

        remove(using)


def _on(using: str, **_: Any) -> None:
    from safelight.casework.search.index import fill
    from safelight.casework.search.triggers import install

    if install(using):
        fill()


def _names(instance: Any, **_: Any) -> None:
    from safelight.casework.search.names import learn_later

    learn_later(instance)
