from __future__ import annotations

import rules

from safelight.casework.base.predicates import is_administrator, is_examiner, is_supervisor

keeps_hash_sets = is_examiner | is_supervisor | is_administrator
rules.add_perm("hashsets.view", keeps_hash_sets)
rules.add_perm("hashsets.import", keeps_hash_sets)
rules.add_perm("hashsets.retire", keeps_hash_sets)
rules.add_perm("hashsets.hold", keeps_hash_sets)
# Whether a picture is what it resembles is a judgement about the picture.
rules.add_perm("hashsets.negative", is_examiner | is_supervisor)
