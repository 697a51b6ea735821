from __future__ import annotations

import rules

from safelight.casework.base.predicates import reads_cases

rules.add_perm("search.use", reads_cases)
