from __future__ import annotations

import rules

from safelight.casework.base.predicates import is_desk, is_investigator, is_supervisor, reads_cases

rules.add_perm("people.view", reads_cases)
rules.add_perm("people.link", is_desk | is_investigator | is_supervisor)
rules.add_perm("people.change", is_desk | is_investigator | is_supervisor)
