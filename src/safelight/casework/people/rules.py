from __future__ import annotations

import rules

from safelight.casework.base.predicates import is_desk, is_investigator, is_supervisor, works_cases

rules.add_perm("people.view", works_cases)
rules.add_perm("people.link", is_desk | is_investigator | is_supervisor)
rules.add_perm("people.change", is_desk | is_investigator | is_supervisor)
