from __future__ import annotations

import rules

from safelight.casework.base.predicates import is_desk, is_offender_manager, is_supervisor, reads_cases

rules.add_perm("referrals.view", reads_cases)
rules.add_perm("referrals.desk", is_desk | is_supervisor)
# An offender manager who learns of a child records it at once (offenders.children).
rules.add_perm("referrals.record", is_desk | is_supervisor | is_offender_manager)
rules.add_perm("referrals.import", is_desk | is_supervisor)
rules.add_perm("referrals.close", is_desk | is_supervisor)
