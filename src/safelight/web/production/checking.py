"""All looks, one after another. A look that cannot be made is a finding, never a gap."""

from __future__ import annotations

from django.db import DatabaseError

from safelight.errors import SafelightError
from safelight.web.production import backups, configuration, places, running, store
from safelight.web.production.finding import Look, Report, unsafe

# Those of the database hang on each other: without tables there is nothing to ask.
SIDES: tuple[tuple[str, tuple[Look, ...]], ...] = (
    ("settings", configuration.LOOKS),
    ("places", places.LOOKS),
    ("store", store.LOOKS),
    ("running", running.LOOKS),
    ("backups", backups.LOOKS),
)


def check() -> Report:
    """Look at everything. Django must be set up."""
    report = Report()
    for side, looks in SIDES:
        for look in looks:
            name = f"{side}.{look.__name__}"
            if (side == "running" or look is store.ledger_guards) and any(
                f.code == "database.migrations" for f in report.findings
            ):
                continue  # the finding says that this was not looked at
            try:
                report.add(name, list(look()))
            except DatabaseError as error:
                said = str(error).strip().splitlines() or ["no reason given"]
                report.add(
                    name,
                    [
                        unsafe(
                            "database.unreachable", f"The database could not be asked: {said[0][:160]}.", name,
                            "Start it, correct DATABASE_URL, or run `python -m safelight.web.manage migrate`.",
                        )
                    ],
                )  # fmt: skip
            except (SafelightError, OSError) as error:
                report.add(
                    name,
                    [unsafe("check.failed", f"This could not be looked at: {error}", name, "Mend that; check again.")],
                )
    return report
