"""Who keeps a victim informed: whoever has the case, and its supervisors. Whoever sees the case sees what was told."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import has_the_case, reads_cases, supervises, works_cases
from safelight.casework.cases.rules import sees_the_case

rules.add_perm("victims.view", reads_cases & sees_the_case)
rules.add_perm("victims.work", works_cases & sees_the_case & (has_the_case | supervises))
