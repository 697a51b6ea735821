from __future__ import annotations

import rules

from safelight.casework.base.predicates import has_role
from safelight.casework.devices.rules import examines, handles

rules.add_perm("fleet.view", has_role("investigator", "supervisor", "examiner", "chief_officer"))
rules.add_perm("fleet.first_answer", handles)
rules.add_perm("fleet.import", handles)
rules.add_perm("fleet.submit", handles)
rules.add_perm("fleet.examine", examines)
rules.add_perm("fleet.block", handles)
rules.add_perm("fleet.withdraw", handles)
