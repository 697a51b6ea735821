"""Who may open what: every page and every form, as every role in every relation, against the one policy file (A1), and
somebody else's number in every address (A2).

The tests ask every page in the relations own unit, other unit, has the case and restricted, and a sample of the others,
with one method where both have the same access; this part asks every cell with every method.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from trust import Result, Size

TITLE = "Permissions: every page, role and relation"
DATABASES = ("sqlite", "postgresql")
ORDER = 40


def run(size: Size) -> Result:
    """A1 and A2 on the database that Django is set up for. Everything is taken back."""
    from django.conf import settings
    from django.db import transaction
    from tests.casework.conftest import DEMO_SITE
    from tests.casework.everything import everything
    from tests.casework.matrix import differences, leaks
    from tests.web.security import states

    settings.SITE_STANDARDS = DEMO_SITE
    result = Result()
    with tempfile.TemporaryDirectory() as folder:  # the site is set up for it, to the end
        with transaction.atomic():
            where, begun = everything(_in(folder, "own"), settings), time.process_time()
            count, wrong = differences(where, whole=size == "full")
            spent = time.process_time() - begun
            result.add("A1 page, method, role and relation answer as declared", count, count - len(wrong))
            result.measured("processor time for one answer", f"{1_000 * spent / max(count, 1):.1f} ms")
            for one in wrong[:50]:
                result.fail(one)
            transaction.set_rollback(True)
        with transaction.atomic():
            settings.SECOND_FACTOR_DUTY = settings.FRESH_SIGN_IN_DUTY = True
            count, wrong = states.differences(every=1 if size == "full" else 6)
            settings.SECOND_FACTOR_DUTY = settings.FRESH_SIGN_IN_DUTY = False
            result.add("A1 page for who is not done with signing in, by the whole way", count, count - len(wrong))
            for one in wrong[:50]:
                result.fail(one)
            transaction.set_rollback(True)
        with transaction.atomic():
            place = _in(folder, "others")
            there = everything(place, settings, restricted=True)
            count, wrong = leaks(everything(place, settings), there)
            result.add("A2 somebody else's number in the address: 404", count, count - len(wrong))
            for one in wrong[:50]:
                result.fail(one)
            transaction.set_rollback(True)
    return result


def _in(folder: str, name: str) -> Path:
    """A place for what one part writes: what it wrote into the database is taken back, and its numbers come again."""
    place = Path(folder) / name
    place.mkdir()
    return place
