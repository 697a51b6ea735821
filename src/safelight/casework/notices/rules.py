"""Who sees the outbox. One's own notices are open to everyone who is signed in."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import is_administrator

rules.add_perm("notices.outbox", is_administrator)
