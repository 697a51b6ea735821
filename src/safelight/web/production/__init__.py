"""Is this installation fit for real cases? Every unsafe thing with what is wrong, where, and how to mend it.

Each module looks at one side: `configuration` (settings), `places` (folders, files, the machine), `store` (database and
ledger), `running` (what has to be at work). `check` asks them all.
"""

from safelight.web.production.checking import check
from safelight.web.production.finding import Finding, Report

__all__ = ["Finding", "Report", "check"]
