"""Who looks over the whole. The extract that the figures come from holds no name, no reference and no free text."""

from __future__ import annotations

import rules

from safelight.casework.base.predicates import has_role

rules.add_perm("oversight.view", has_role("chief_officer", "auditor", "supervisor"))
rules.add_perm("oversight.ask", has_role("chief_officer", "auditor", "supervisor"))
rules.add_perm("oversight.refresh", has_role("chief_officer", "auditor"))
rules.add_perm("oversight.report", has_role("chief_officer"))
rules.add_perm("oversight.name_officer", has_role("administrator", "chief_officer"))
