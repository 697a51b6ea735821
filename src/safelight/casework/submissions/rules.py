from __future__ import annotations

import rules

from safelight.casework.base.predicates import has_role, has_the_case, supervises
from safelight.casework.devices.rules import examines

submits = examines | has_the_case | supervises
rules.add_perm("submissions.view", has_role("investigator", "supervisor", "examiner", "auditor", "chief_officer"))
rules.add_perm("submissions.grade", examines | has_the_case)
rules.add_perm("submissions.write", submits)
rules.add_perm("submissions.send", submits)
rules.add_perm("submissions.receipt", submits)
rules.add_perm("submissions.settle", submits)
